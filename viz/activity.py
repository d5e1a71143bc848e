"""What a picture needs from a result, read once: who there was, who fired when, and what was done to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import NeurosimError
from neurosim.record.archive import NotRecorded
from neurosim.viz.live.cast import roles as roles_of
from neurosim.viz.marks import Mark, marks_from_scenario, short
from neurosim.viz.style import Role, colours

if TYPE_CHECKING:
    from neurosim.record.result import Result
    from neurosim.record.topology import Counts

Times = NDArray[np.float64]
Ids = NDArray[np.uint32]


@dataclass(frozen=True)
class Activity:
    """One population and its spikes.

    ``neurons`` are all ids that were ever alive, ascending; ``born`` and ``died`` (ms) when each of them was:
    0 and the end of the run for those that were always there. ``times`` (ms, ascending) and ``ids`` are the
    spikes; ``recorded`` is False where the run did not record them.
    """

    name: str
    role: Role
    colour: str
    neurons: Ids
    born: Times
    died: Times
    times: Times
    ids: Ids
    recorded: bool = True
    sizes: Counts | None = None  # over time, where not known of each neuron when it was born and died

    @property
    def size(self) -> int:
        """Number of neurons that were ever alive."""
        return self.neurons.size

    @property
    def rate(self) -> float:
        """Mean rate per neuron alive, Hz."""
        end = float(self.died.max(initial=0.0))
        lived = float(lived_until(self, np.array([end]))[0])
        return 1e3 * self.times.size / lived if lived > 0 else 0.0


@dataclass(frozen=True)
class Change:
    """A population or projection in which something was born or died, and how many there were when."""

    name: str
    synapses: bool
    colour: str
    counts: Counts


@dataclass(frozen=True)
class Run:
    """All that the pictures show of a run.

    ``duration`` is what was simulated, ``planned`` what was asked for (ms).
    ``status`` is ``running``, ``finished``, ``interrupted`` or ``failed``, ``history`` the mode of births and deaths.
    """

    name: str
    about: str
    duration: float
    activities: list[Activity]
    marks: list[Mark] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    status: str = "finished"
    planned: float = 0.0
    history: str = "full"


def read(result: Result) -> Run:
    """Read what the pictures need from a result: finished, interrupted, or still being written."""
    duration, text = result.time_reached, result.scenario_text
    models = {name: population.model for name, population in result.populations.items()}
    roles = roles_of(models, [(about.source, about.receptor) for about in result.projections.values()])
    colour = colours(roles)
    changes = _changes(result, roles)
    births, deaths = _lives(result)
    recorded = result.recorded
    activities = []
    for name, population in result.populations.items():
        kept = recorded is None or name in recorded.get("spikes", ())
        times, ids = result.spikes(name, stop=duration) if kept else (np.empty(0), np.empty(0, np.uint32))
        initial, sizes = result.neurons(name, 0.0), None
        if result.history_mode == "full":
            neurons = np.union1d(initial, births[population.index]["id"]).astype(np.uint32)
            born = _times_of(neurons, births[population.index], 0.0)
            died = _times_of(neurons, deaths[population.index], duration)
        else:
            sizes = next((c.counts for c in changes if c.name == name and not c.synapses), None)
            neurons = np.union1d(initial, ids)
            born, died = _seen(result, name, neurons, initial, times, ids)
        activities.append(Activity(name, roles[name], colour[name], neurons, born, died, times, ids, kept, sizes))
    name, about = _title(result, text)
    marks = _marks(result, text, duration)
    planned, mode = result.duration, result.history_mode
    return Run(name, about, duration, activities, marks, changes, result.status, planned, mode)


def _marks(result: Result, text: str, duration: float) -> list[Mark]:
    """Return what the protocol did, and captions that came at times that the scenario did not know."""
    marks = marks_from_scenario(text, duration)
    told = {mark.label for mark in marks}
    marks += [Mark(at, at, short(said)) for at, said in result.captions if short(said) not in told]
    return sorted(marks, key=lambda mark: (mark.start, mark.stop))


def _title(result: Result, text: str) -> tuple[str, str]:
    """Return the scenario's name and what it says of itself; the file's name where there is no scenario."""
    from neurosim.scenario.reader import parse

    try:
        header = parse(text).data if text.strip() else {}
    except NeurosimError:
        header = {}
    return str(header.get("name") or result.path.stem), " ".join(str(header.get("about") or "").split())


def _changes(result: Result, roles: Mapping[str, Role]) -> list[Change]:
    """Return what grew or shrank, projections in the colours of their sources' roles."""
    of_source = {name: roles[about.source] for name, about in result.projections.items()}
    changes = []
    for synapses, colour in ((True, colours(of_source)), (False, colours(roles))):
        for name in colour:
            try:
                counts = result.structure(name)
            except NotRecorded:
                continue
            if counts.time.size > 1:
                changes.append(Change(name, synapses, colour[name], counts))
    return changes


def _lives(result: Result) -> tuple[dict[int, NDArray[np.void]], dict[int, NDArray[np.void]]]:
    """Return the births and the deaths of neurons by the index of their population."""
    from neurosim.record.topology import HISTORY, Kind

    full = result.history_mode == "full"
    events = result.history(stop=result.time_reached) if full else np.zeros(0, HISTORY)
    found = []
    for kind in (Kind.NEURON_BIRTH, Kind.NEURON_DEATH):
        those = events[events["kind"] == kind]
        found.append({p.index: those[those["owner"] == p.index] for p in result.populations.values()})
    return found[0], found[1]


def _seen(result: Result, name: str, neurons: Ids, initial: Ids, times: Times, ids: Ids) -> tuple[Times, Times]:
    """Return when neurons were first and last known to live, where births and deaths were not recorded."""
    try:
        living = result.neurons(name)
    except NotRecorded:
        living = neurons  # the run goes on, or its process was killed
    first, last = np.full(neurons.size, result.time_reached), np.zeros(neurons.size)
    place = np.searchsorted(neurons, ids)
    np.minimum.at(first, place, times)
    np.maximum.at(last, place, times)
    first[np.isin(neurons, initial)] = 0.0
    last[np.isin(neurons, living)] = result.time_reached
    return first, last


def _times_of(neurons: Ids, events: NDArray[np.void], otherwise: float) -> Times:
    """Return for every neuron the time of its event, or ``otherwise``."""
    times = np.full(neurons.size, otherwise)
    times[np.searchsorted(neurons, events["id"])] = events["time"]
    return times


@dataclass(frozen=True)
class TimeAxis:
    """The unit that suits a duration: ``times_ms / scale`` is in ``unit``."""

    scale: float
    unit: str

    @classmethod
    def of(cls, duration: float) -> TimeAxis:
        """Return ms up to two seconds, s up to ten minutes, then min and h."""
        for limit, scale, unit in ((2e3, 1.0, "ms"), (6e5, 1e3, "s"), (1.8e7, 6e4, "min")):
            if duration <= limit:
                return cls(scale, unit)
        return cls(3.6e6, "h")


def bin_width(duration: float, bins: int = 200) -> float:
    """Return 1, 2 or 5 times a power of ten, at least 1 ms, that cuts ``duration`` into about ``bins``."""
    wanted = max(duration / bins, 1.0)
    decade = 10.0 ** np.floor(np.log10(wanted))
    return float(next(step * decade for step in (1, 2, 5, 10) if step * decade >= wanted * 0.999))


def population_rate(activity: Activity, duration: float, width: float) -> tuple[Times, Times]:
    """Return the bin edges (ms) and the rate in each bin, Hz per neuron alive; the last bin may be cut."""
    edges = np.append(np.arange(0.0, duration, width), duration) if duration > 0 else np.array([0.0, width])
    # Spikes are stamped with the end of their step: the bin (a, b] holds what happened between a and b.
    place = np.searchsorted(edges, activity.times - 1e-9, side="right") - 1
    counts = np.bincount(np.clip(place, 0, edges.size - 2), minlength=edges.size - 1)
    lived = np.diff(lived_until(activity, edges))
    return edges, 1e3 * counts / np.where(lived > 0, lived, np.inf)


def lived_until(activity: Activity, times: Times) -> Times:
    """Return for each time how long the neurons had lived together until then, ms."""
    if activity.sizes is None:
        return _elapsed(activity.born, times) - _elapsed(activity.died, times)
    moments, sizes = activity.sizes.time, activity.sizes.size
    whole = np.append(0.0, np.cumsum(sizes[:-1] * np.diff(moments)))
    place = np.maximum(np.searchsorted(moments, times, side="right") - 1, 0)
    return np.asarray(whole[place] + sizes[place] * (times - moments[place]), np.float64)


def _elapsed(starts: Times, edges: Times) -> Times:
    """Return for each edge the time since all earlier ``starts``, summed."""
    ordered = np.sort(starts)
    before = np.searchsorted(ordered, edges)
    return np.asarray(before * edges - np.append(0.0, np.cumsum(ordered))[before], np.float64)


def neuron_rates(activity: Activity) -> Times:
    """Return the rate of every neuron over its life within the run, Hz, in order of ``neurons``."""
    place = np.searchsorted(activity.neurons, activity.ids)
    counts = np.bincount(place, minlength=activity.size)[: activity.size]
    lived = activity.died - activity.born
    return np.asarray(1e3 * counts / np.where(lived > 0, lived, np.inf), np.float64)


def interval_cv(activity: Activity, spikes: int = 5) -> Times:
    """Return the coefficient of variation of interspike intervals of the neurons with at least ``spikes``."""
    order = np.lexsort((activity.times, activity.ids))
    ids, times = activity.ids[order], activity.times[order]
    starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1])) if ids.size else np.empty(0, np.intp)
    counts = np.diff(np.append(starts, ids.size))
    enough = counts >= spikes
    if not enough.any():
        return np.empty(0)
    intervals = np.append(np.diff(times), 0.0)
    intervals[np.append(starts[1:], ids.size) - 1] = 0.0  # between one neuron's last and the next one's first
    total = np.add.reduceat(intervals, starts)[enough]
    squares = np.add.reduceat(intervals**2, starts)[enough]
    number = counts[enough] - 1
    mean = total / number
    variance = np.maximum(squares / number - mean**2, 0.0)
    return np.asarray(np.sqrt(variance) / np.where(mean > 0, mean, 1.0))
