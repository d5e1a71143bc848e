"""Reading a result file: finished, crashed, or still being written by another process."""

from __future__ import annotations

import math
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UsageError, unknown
from neurosim.record import topology
from neurosim.record.archive import Archive, Columns, NotRecorded, PopulationInfo, ProjectionInfo
from neurosim.record.process import may_be_alive
from neurosim.record.topology import HISTORY, Counts, EdgeTable, Kind
from neurosim.units import format_quantity, quantity

if TYPE_CHECKING:
    import networkx as nx

    from neurosim.record.tables import GraphTables

Time = float | str  # ms, or text with a unit
_CLOSE = 1e-6  # of a time step: what rounding can do to a time on the grid


class Result(Archive):
    """What a run recorded.

    Times are given and returned in ms; a text with a unit ("20 s") is understood too. While the run goes
    on, every call sees what has been written until then. Raises InvalidInput for a file that is no result,
    is damaged, or comes from a newer neurosim.
    """

    # ---- the run ---------------------------------------------------------------------------

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, seed, settings, scenario, command line, machine, start: see `collect_provenance`."""
        return dict(self._run("provenance"))

    @property
    def scenario_text(self) -> str:
        """The scenario file as the run read it; empty for a run from Python."""
        return str((self.provenance.get("scenario") or {}).get("text") or "")

    @property
    def dt(self) -> float:
        """Time step (ms)."""
        return float(self.provenance["dt"])

    @property
    def status(self) -> str:
        """``running``, ``finished``, ``interrupted`` (Ctrl-C, or its process was killed) or ``failed``."""
        status = str(self._run("status"))
        if status == "running" and not may_be_alive(self._run("writer")):
            status = str(self._run("status"))  # it may have ended well between the two looks
            return "interrupted" if status == "running" else status
        return status

    @property
    def summary(self) -> dict[str, Any]:
        """What the run said of itself at its end; empty until then."""
        return dict(self._run("summary") or {})

    @property
    def time_reached(self) -> float:
        """Simulated time (ms) up to which everything recorded is in the file."""
        return float(self._rows("SELECT COALESCE(MAX(time_ms), 0) FROM progress")[0][0])

    @property
    def duration(self) -> float:
        """Planned length of the run (ms); the time reached where no plan is known."""
        planned = self.provenance.get("duration")
        return self.time_reached if planned is None else float(planned)

    @property
    def progress(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Simulated times (ms) and the wall-clock seconds at which they were reached, one pair per flush."""
        rows = self._rows("SELECT time_ms, wall_s FROM progress ORDER BY rowid")
        pairs = np.array(rows, np.float64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Messages of the run: ``time_ms`` (or None), ``clock``, ``level``, ``text``."""
        names = ("time_ms", "clock", "level", "text")
        rows = self._rows(f"SELECT {', '.join(names)} FROM message ORDER BY rowid")
        return [dict(zip(names, row)) for row in rows]

    @property
    def captions(self) -> list[tuple[float, str]]:
        """What the run said of itself for those who watch: times (ms) and texts, each valid until the next."""
        rows = self._rows("SELECT time_ms, text FROM message WHERE level = 'caption' ORDER BY rowid")
        return [(float(time), str(text)) for time, text in rows]

    @property
    def recorded(self) -> dict[str, Any] | None:
        """What the run was asked to record; None where it did not say."""
        value = self._run("recorded")
        return None if value is None else dict(value)

    # ---- recordings ------------------------------------------------------------------------

    def spikes(
        self, population: str, start: Time | None = None, stop: Time | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
        """Times (ms, (n,)) and neuron ids (n,) of the spikes with ``start < time ≤ stop``, by time, then id.

        A spike bears the time at which its step ends, so that consecutive windows share none.
        """
        columns = self._window("spikes", population, self._population(population).index, start, stop)
        if not columns:
            return np.empty(0), np.empty(0, np.uint32)
        return columns["time"], columns["id"]

    def rate(self, population: str, over: tuple[Time, Time] | None = None) -> float:
        """Mean rate per living neuron (Hz) within ``over = (start, stop)``; by default all the time reached.

        0 where there are no neurons. Raises UsageError for a window that is empty or not reached yet.
        """
        begin, end = (0.0, self.time_reached) if over is None else (_ms(over[0]), _ms(over[1]))
        if over is not None and not begin < end:
            raise UsageError(f"a rate needs a window that ends after it begins, not {begin:g} to {end:g} ms.")
        begin, end = self._reached(begin), self._reached(end)
        count = len(self.spikes(population, begin, end)[0])
        sizes = self.structure(population)
        if sizes.time.size > 1 and self.history_mode == "full":  # not by bins of time, then
            about = self._population(population)
            events = self._events(end, about.index, Kind.NEURON_BIRTH, Kind.NEURON_DEATH)
            sizes = topology.counts(topology.counted(events), about.index, (0, 1), about.size, 0.0)
        moments = np.clip(np.append(sizes.time, end), begin, end)
        neuron_ms = float(sizes.size @ np.diff(moments))
        return 1000.0 * count / neuron_ms if neuron_ms > 0 else 0.0

    def state(self, population: str, start: Time | None = None, stop: Time | None = None) -> Columns:
        """Samples of neurons with ``start < time ≤ stop``: ``time`` (ms), ``id``, and a column per variable.

        A row per neuron and sample; NaN where a sample did not include a variable.
        """
        none: Columns = {"time": np.empty(0), "id": np.empty(0, np.uint32)}
        return self._window("state", population, self._population(population).index, start, stop) or none

    def synapses(self, projection: str, start: Time | None = None, stop: Time | None = None) -> Columns:
        """Samples of synapses with ``start < time ≤ stop``: ``time`` (ms), ``id``, and a column per
        variable."""
        none: Columns = {"time": np.empty(0), "id": np.empty(0, np.uint64)}
        return self._window("synapses", projection, self._projection(projection).index, start, stop) or none

    # ---- births and deaths -----------------------------------------------------------------

    @property
    def history_mode(self) -> str:
        """What was kept of births and deaths: ``full``, ``counts`` (their numbers over time) or ``off``."""
        return str((self.recorded or {}).get("history", "full"))

    def history(self, start: Time | None = None, stop: Time | None = None) -> NDArray[np.void]:
        """Births and deaths with ``start < time ≤ stop``, as they happened: a structured array of dtype
        `HISTORY`. Raises NotRecorded where they were not recorded one by one."""
        for name, since in self._changed.items():
            if stop is None or _ms(stop) + self._slack >= since:
                raise self._no_history("births and deaths one by one", name)
        columns = self._window("history", None, 0, start, stop)
        events = np.zeros(len(columns["time"]) if columns else 0, HISTORY)
        for name, values in columns.items():
            events[name] = values
        if "pre" not in columns:
            events["pre"] = np.where(events["kind"] >= Kind.SYNAPSE_BIRTH, events["id"] >> np.uint64(32), 0)
        return events

    def births(self, name: str, start: Time | None = None, stop: Time | None = None) -> Columns:
        """Births in a population or projection with ``start < time ≤ stop``, as they happened.

        Arrays of equal length: ``time`` (ms), ``id``, and of synapses ``pre``, ``post`` (neuron ids), ``weight``
        and ``delay`` (ms), as they were at birth. What was there from the beginning was not born.
        """
        return self._lives(name, (Kind.NEURON_BIRTH, Kind.SYNAPSE_BIRTH), start, stop)

    def deaths(self, name: str, start: Time | None = None, stop: Time | None = None) -> Columns:
        """Deaths in a population or projection, as `births` tells births; weights and delays are the last."""
        return self._lives(name, (Kind.NEURON_DEATH, Kind.SYNAPSE_DEATH), start, stop)

    def structure(self, name: str) -> Counts:
        """Sizes, births and deaths of a population (neurons) or projection (synapses) over time.

        Arrays ``time`` (ms), ``size``, ``births``, ``deaths`` of equal length. A row counts what was born and died
        since the row before, until its own time; ``size`` is exact then. The first is the beginning. A run
        counts in some 10 000 bins of its duration, so rows are fewer than the times of edits where those are many.
        Raises NotRecorded for a run with ``record: {history: off}`` in which it changed.
        """
        about, synapses = self._member(name)
        kinds = (2, 3) if synapses else (0, 1)
        table = self._columns("structure", 0)
        if not table:  # nothing changed, or a file that has only the events, or not even those
            if name in self._changed:
                raise self._no_history("births and deaths", name)
            table = topology.counted(self.history() if self.history_mode == "full" else np.zeros(0, HISTORY))
        size = about.size if isinstance(about, PopulationInfo) else self._initial_synapses(about)
        width = float((self.recorded or {}).get("history_bin") or 0.0)
        return topology.counts(table, about.index, kinds, size, width)

    # ---- the graph -------------------------------------------------------------------------

    def neurons(self, population: str, at: Time | None = None) -> NDArray[np.uint32]:
        """Ids of the neurons alive at ``at`` (default: the time reached), ascending.

        Raises NotRecorded for a time at which the run recorded no ids.
        """
        owner, until = self._population(population).index, self._reached(at)
        initial = self._columns("neurons", owner)["id"]
        if population in self._changed:
            known = self._columns("living", owner)
            if self._known(population, until, known.get("time", np.empty(0))):
                return np.sort(known["id"])
            return np.sort(initial)
        events = self._events(until, owner, Kind.NEURON_BIRTH, Kind.NEURON_DEATH)
        births, deaths = (events["id"][events["kind"] == kind] for kind in (Kind.NEURON_BIRTH, Kind.NEURON_DEATH))
        return topology.alive(initial, births, deaths)

    @property
    def groups(self) -> dict[str, tuple[str, NDArray[np.uint32]]]:
        """Groups by name: their population, and the ids of all their members, dead or alive, ascending."""
        found = {}
        for name, about in self.populations.items():
            for group, runs in (about.info.get("groups") or {}).items():
                parts = [np.arange(first, first + size, dtype=np.uint32) for first, size in runs]
                found[group] = (name, np.concatenate([np.empty(0, np.uint32), *parts]))
        return found

    def positions(self, population: str) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
        """Ids (ascending) and positions ((n, 3), um) of all neurons, dead or alive, whose place was
        recorded."""
        columns = self._columns("positions", self._population(population).index)
        if not columns:
            return np.empty(0, np.uint32), np.empty((0, 3))
        ids, first = np.unique(columns["id"], return_index=True)
        return ids, np.stack([columns[axis][first] for axis in "xyz"], axis=1)

    def edges(self, projection: str, at: Time | None = None) -> EdgeTable:
        """The synapses of a projection at ``at`` (default: the time reached), as arrays.

        The topology is exact. Weights and delays are the last that were recorded at or before ``at``;
        ``since`` and ``delay_since`` say from when (ms). Raises NotRecorded (an InvalidInput) where the run
        did not record its graph, or did not record births and deaths one by one and the time lies between the
        first of them and the end.
        """
        about, until = self._projection(projection), self._reached(at)
        first = self._rows("SELECT MIN(t0) FROM chunk WHERE stream = 'edges' AND owner = ?", (about.index,))[0][0]
        if first is None:
            raise NotRecorded(
                f"{self.path.name} holds no synapses of '{projection}'. Add `record: {{graph: true}}` to the "
                "scenario and run it again to keep the graph."
            )
        if until + self._slack < first:
            raise UsageError(f"{self.path.name} knows the synapses of '{projection}' from {first:g} ms on.")
        snapshots = self._columns("edges", about.index, until=until, slack=self._slack)
        events = np.zeros(0, HISTORY)
        if projection in self._changed:
            last = self._rows("SELECT MAX(t0) FROM chunk WHERE stream = 'edges' AND owner = ?", (about.index,))[0][0]
            if self._known(projection, until, np.array([last] if last > first else [])):
                first = last
        else:
            events = self._events(until, about.index, Kind.SYNAPSE_BIRTH, Kind.SYNAPSE_DEATH)
        initial = snapshots["time"] == first
        later = {name: values[~initial] for name, values in snapshots.items()}
        samples = self._window("synapses", None, about.index, None, until)
        start = {name: values[initial] for name, values in snapshots.items()}
        return topology.edges(start, events, [samples, later] if samples else [later])

    def tables(self, at: Time | None = None) -> GraphTables:
        """The whole network at ``at`` (default: the time reached) as a table of neurons and one of
        synapses."""
        from neurosim.record.tables import from_result

        return from_result(self, self._reached(at))

    def graph(self, at: Time | None = None) -> nx.MultiDiGraph[Any]:
        """The network at ``at`` (default: the time reached) as a networkx graph.

        Nodes are neuron ids, with ``population`` and, where recorded, ``x``, ``y``, ``z`` (um). Edge keys
        are synapse ids (for the second and later projections between the same two populations:
        ``"name/id"``), with ``projection``, ``weight``, ``delay`` (ms), ``receptor``, ``since`` and
        ``delay_since`` (ms: from when weight and delay are).
        """
        return self.tables(at).to_networkx()

    def __repr__(self) -> str:
        reached, planned = (format_quantity(t, "ms") for t in (self.time_reached, self.duration))
        neurons = sum(population.size for population in self.populations.values())
        return (
            f"<Result {self.path.name}: {self.status}, {reached} of {planned}, "
            f"{neurons} neurons in {len(self.populations)} populations, {len(self.projections)} projections>"
        )

    def _repr_html_(self) -> str | None:
        """A picture and a table of facts for notebooks, by whom `pyproject.toml` names: this room does not draw."""
        for shown in entry_points(group="neurosim.notebook", name="result"):
            return str(shown.load()(self))
        return None

    # ---- inside ----------------------------------------------------------------------------

    @property
    def _slack(self) -> float:
        return _CLOSE * self.dt

    def _reached(self, at: Time | None) -> float:
        """``at`` in ms, if the run has come so far."""
        reached = self.time_reached
        time = reached if at is None else _ms(at)
        if time > reached + self._slack:
            raise UsageError(f"{self.path.name} has reached {reached:g} ms, not yet {time:g} ms.")
        return time

    @property
    def _changed(self) -> dict[str, float]:
        """When each population and projection first changed (ms) whose births and deaths were not recorded."""
        return {} if self.history_mode == "full" else dict(self._run("changed") or {})

    def _known(self, name: str, until: float, recorded: NDArray[Any]) -> bool:
        """Whether something that changed unseen is known at ``until`` from what was ``recorded`` at those times;
        False: because it had not changed yet. Raises NotRecorded where it is not known."""
        if recorded.size and abs(recorded[-1] - until) <= self._slack:
            return True
        if until + self._slack < self._changed[name]:
            return False
        raise self._no_history(f"the graph at {until:g} ms", name)

    def _no_history(self, what: str, name: str) -> NotRecorded:
        mode = self.history_mode
        kept = "only the numbers of births and deaths" if mode == "counts" else "no births and deaths"
        return NotRecorded(
            f"{self.path.name} does not hold {what}. '{name}' changed at {self._changed[name]:g} ms for the first "
            f"time, and with `record: {{history: {mode}}}` the run kept {kept}, and the graph as it was before and at "
            "the end. Write `history: full` and run it again to know the rest."
        )

    def _member(self, name: str) -> tuple[PopulationInfo | ProjectionInfo, bool]:
        """A population or projection, and whether it is one of synapses."""
        populations, projections = self.populations, self.projections
        if name in populations:
            return populations[name], False
        if name in projections:
            return projections[name], True
        raise unknown("population or projection", name, [*populations, *projections], f"in {self.path.name}")

    def _lives(self, name: str, kinds: tuple[Kind, Kind], start: Time | None, stop: Time | None) -> Columns:
        about, synapses = self._member(name)
        if name in self._changed:
            self.history(stop=stop)  # it complains
            events = np.zeros(0, HISTORY)
        else:
            events = self.history(start, stop)
        events = events[(events["kind"] == kinds[synapses]) & (events["owner"] == about.index)]
        if not synapses:
            return {"time": events["time"].copy(), "id": events["id"].astype(np.uint32)}
        return {field: events[field].copy() for field in ("time", "id", "pre", "post", "weight", "delay")}

    def _initial_synapses(self, about: ProjectionInfo) -> int:
        if "synapses" in about.info:
            return int(about.info["synapses"])
        first = self._columns("edges", about.index, until=0.0, slack=self._slack)
        return int(first["id"].size) if first else 0

    def _events(self, until: float, owner: int, *kinds: Kind) -> NDArray[np.void]:
        """Births and deaths of one owner, of whom they are known: it has none where they were not kept."""
        events = self.history(stop=until) if self.history_mode == "full" else np.zeros(0, HISTORY)
        chosen: NDArray[np.void] = events[(events["owner"] == owner) & np.isin(events["kind"], kinds)]
        return chosen

    def _window(self, stream: str, name: str | None, owner: int, start: Time | None, stop: Time | None) -> Columns:
        """The rows of a stream with ``start < time ≤ stop``; with ``name``, it must have been recorded."""
        after = -math.inf if start is None else _ms(start)
        until = math.inf if stop is None else _ms(stop)
        slack = self._slack
        columns = self._columns(stream, owner, after, until, slack)
        if not columns and name is not None:
            self._insist(stream, name)
        if "step" in columns:
            columns["time"] = columns.pop("step") * self.dt
        if not columns or (after == -math.inf and until == math.inf):
            return columns
        inside = (columns["time"] > after + slack) & (columns["time"] <= until + slack)
        return {key: values[inside] for key, values in columns.items()}

    def _insist(self, stream: str, name: str) -> None:
        """Refuse to answer "nothing" to a question that the run was not asked to answer."""
        recorded = (self.recorded or {}).get(stream)
        if recorded is not None and name not in recorded:
            kept = ", ".join(recorded) or "nothing"
            raise NotRecorded(
                f"{self.path.name}: the {stream} of '{name}' were not recorded (recorded: {kept}). "
                f"Add it under `record: {stream}:` in the scenario and run it again."
            )


def _ms(time: Time) -> float:
    return quantity(time, "ms", what="time")
