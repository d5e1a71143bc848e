"""Degrees: how many synapses neurons send and receive in each projection, and how that moves as they come and go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from neurosim.record.archive import NotRecorded
from neurosim.viz import evolution
from neurosim.viz.activity import Activity, Run, read
from neurosim.viz.evolution import Evolution, Panel
from neurosim.viz.lives import known_moments, lives
from neurosim.viz.words import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neurosim.record.result import Result

Side = Literal["out", "in"]

ROWS = 8  # rows of a page
STILL = 4  # panels in a row whose values do not move
GRAPHS = 100  # moments at which a graph that changes is looked at
SIDES: tuple[Side, ...] = ("out", "in")


@dataclass(frozen=True, eq=False)
class Degrees:
    """Out-degrees of a projection's sources and in-degrees of its targets, over time."""

    name: str
    populations: dict[Side, str]
    evolutions: dict[Side, Evolution]

    @property
    def moves(self) -> bool:
        """Whether any degree changed."""
        return any(evolution.moves for evolution in self.evolutions.values())


def draw(result: Result) -> Figure:
    """Draw the degrees in every projection of a result; raises NotRecorded where the graph was not kept."""
    run = read(result)
    found = [degrees(result, run, name) for name in result.projections]
    if not found:
        raise NotRecorded(f"{result.path.name} has no projections, so there are no degrees to draw.")
    moving = [[_panel(each, side) for side in SIDES] for each in found if each.moves]
    still = [(each, side) for each in found if not each.moves for side in SIDES]
    constant = [(each, side) for each, side in still if each.evolutions[side].constant is not None]
    varied = [_panel(each, side) for each, side in still if (each, side) not in constant]
    rows = [*moving, *(varied[k : k + STILL] for k in range(0, len(varied), STILL))]
    values = [(f"{side}-degree of {each.name}", f"{each.evolutions[side].constant:.0f}") for each, side in constant]
    missing = [panel.title for row in rows[ROWS:] for panel in row]
    parts = ("synapses that neurons send (out) and receive (in)", evolution.constants(values))
    said = "; ".join(part for part in parts if part)
    return evolution.draw_page(run, [said, evolution.left_out(missing)], rows[:ROWS])


def degrees(result: Result, run: Run, name: str) -> Degrees:
    """Count the synapses of each neuron alive, those without any too, at moments of the run.

    Raises NotRecorded where the graph was not kept.
    """
    about = result.projections[name]
    populations: dict[Side, str] = {"out": about.source, "in": about.target}
    times = known_moments(result, name, GRAPHS)
    if result.history_mode != "full":
        tables = [(t, result.edges(name, float(t))) for t in times]
        ends = [(table.pre, table.post) for _, table in tables]
        living = [{side: result.neurons(name, float(t)) for side, name in populations.items()} for t in times]
    else:
        if times.size == 1 and _born(run, populations):
            times = np.linspace(0.0, run.duration, GRAPHS)  # the neurons that have them come and go
        each = lives(result, name)
        alive = [each.at(float(t)) for t in times]
        ends = [(each.pre[mask], each.post[mask]) for mask in alive]
        by_name = {activity.name: activity for activity in run.activities}
        living = [{side: _living(by_name[name], float(t)) for side, name in populations.items()} for t in times]
    found: dict[Side, Evolution] = {}
    for k, side in enumerate(SIDES):
        counted = [_counted(end[k], neurons[side]) for end, neurons in zip(ends, living, strict=True)]
        found[side] = Evolution(times, counted, whole=True)
    return Degrees(name, populations, found)


def _born(run: Run, populations: dict[Side, str]) -> bool:
    return any(change.name in populations.values() and not change.synapses for change in run.changes)


def _living(activity: Activity, time: float) -> NDArray[np.uint32]:
    """Return the neurons alive after the edits of a time, ascending."""
    over = (activity.died > time) | (activity.died >= activity.died.max(initial=0.0))
    last = time < activity.died.max(initial=0.0)
    return activity.neurons[(activity.born <= time) & ((activity.died > time) if last else over)]


def _counted(ends: NDArray[np.uint32], neurons: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return how many synapses each of the neurons (ascending ids) has."""
    place = np.searchsorted(neurons, ends)
    return np.bincount(place, minlength=neurons.size)[: neurons.size].astype(np.float64)


def _panel(each: Degrees, side: Side) -> Panel:
    seen = each.evolutions[side]
    remark = f"{each.populations[side]}, {count(max(v.size for v in seen.values))} neurons"
    return Panel(f"{each.name}, {side}", remark, seen, f"{side}-degree", "neurons")
