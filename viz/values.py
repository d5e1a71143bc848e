"""What the synapses of a network are worth, and how that moves: the page of weights, and that of delays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from neurosim.record.archive import NotRecorded
from neurosim.viz import evolution
from neurosim.viz.activity import read
from neurosim.viz.evolution import Evolution, Panel
from neurosim.viz.lives import known_moments, lives
from neurosim.viz.words import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neurosim.record.result import Result

Variable = Literal["weight", "delay"]

ROWS = 8  # rows of a page
STILL = 3  # projections in a row whose values do not move
COLUMNS = 300  # moments that a page can show apart
GRAPHS = 100  # moments at which a graph that changes is looked at


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of one projection; ``source`` says from where, ``learns`` whether more was going on than that."""

    name: str
    unit: str
    evolution: Evolution
    source: str
    learns: bool = False


def draw(result: Result, variable: Variable) -> Figure:
    """Draw how the weights or delays of every projection are distributed, and how that moves.

    Raises NotRecorded where nothing is known of them.
    """
    run = read(result)
    plural = f"{variable}s"
    found = [seen for name in result.projections if (seen := look(result, name, variable)) is not None]
    if not found:
        raise NotRecorded(_nothing(result, plural))
    constant = [seen for seen in found if seen.evolution.constant is not None and not seen.learns]
    varied = [seen for seen in found if seen not in constant]
    moving = [[_panel(seen, variable)] for seen in varied if seen.evolution.moves]
    still = [_panel(seen, variable) for seen in varied if not seen.evolution.moves]
    rows = [*moving, *(still[k : k + STILL] for k in range(0, len(still), STILL))]
    values = [(seen.name, f"{seen.evolution.constant:.4g} {seen.unit}".strip()) for seen in constant]
    missing = [panel.title for row in rows[ROWS:] for panel in row]
    said = "; ".join(part for part in (f"{plural} of synapses", evolution.constants(values)) if part)
    return evolution.draw_page(run, [said, _unseen(varied, variable), evolution.left_out(missing)], rows[:ROWS])


def _panel(seen: Seen, variable: Variable) -> Panel:
    synapses = max(v.size for v in seen.evolution.values)
    label = f"{variable} ({seen.unit})" if seen.unit else variable
    return Panel(seen.name, f"{count(synapses)}, {seen.source}", seen.evolution, label, "synapses")


def _unseen(found: list[Seen], variable: Variable) -> str:
    """Say what learns and was not sampled, and what to write to see it."""
    names = [seen.name for seen in found if seen.learns]
    if not names:
        return ""
    few = ", ".join(names[:4]) + " …" * (len(names) > 4)
    example = f"`record: {{synapses: {{{names[0]}: {{variables: [{variable}], every: 1 s}}}}}}`"
    verb = "learns and was" if len(names) == 1 else "learn and were"
    return f"{few} {verb} not sampled: shown are the {variable}s at birth. To see them move, write {example}"


def look(result: Result, name: str, variable: Variable) -> Seen | None:
    """Gather what a result knows of the weights or delays of a projection: from samples, or births and deaths."""
    about = result.projections[name]
    unit = str(about.info.get("weight_unit") or "") if variable == "weight" else "ms"
    sampled = _samples(result, name, variable)
    if sampled is not None:
        return Seen(name, unit, sampled, f"sampled {sampled.times.size} times")
    seen = _births(result, name, variable)
    if seen is None:
        return None
    values, source = seen
    return Seen(name, unit, values, source, learns=_learns(about.info.get("learning") or (), variable))


def _samples(result: Result, name: str, variable: Variable) -> Evolution | None:
    """Return what was sampled of a variable, and before it how it was at the beginning, where that is known."""
    if name not in (result.recorded or {}).get("synapses", ()):
        return None
    columns = result.synapses(name, stop=result.time_reached)
    if variable not in columns or not columns["time"].size:
        return None
    known = ~np.isnan(columns[variable])
    time, ids, values = (columns[key][known] for key in ("time", "id", variable))
    moments, first = np.unique(time, return_index=True)
    last = np.append(first[1:], time.size)
    chosen = np.unique(np.linspace(0, moments.size - 1, min(moments.size, COLUMNS)).round().astype(int))
    times = moments[chosen]
    rows = [values[first[k] : last[k]].astype(np.float64) for k in chosen]
    each = [ids[first[k] : last[k]] for k in chosen]
    try:
        start = result.edges(name, 0.0)
    except NotRecorded:
        return Evolution(times, rows, each)
    if times[0] > 0.0:
        followed = np.isin(start.id, np.unique(ids))  # of a sample, the beginning of the same synapses
        times = np.append(0.0, times)
        rows.insert(0, getattr(start, variable)[followed].astype(np.float64))
        each.insert(0, start.id[followed])
    return Evolution(times, rows, each)


def _births(result: Result, name: str, variable: Variable) -> tuple[Evolution, str] | None:
    """Return what synapses were born with, of those that lived at each time; None where the graph is not known."""
    try:
        times = known_moments(result, name, GRAPHS)
        if result.history_mode == "full":
            all_lives = lives(result, name)
            values = getattr(all_lives, variable)
            return Evolution(times, [values[all_lives.at(t)] for t in times]), "at birth"
        tables = [result.edges(name, t) for t in times]
    except NotRecorded:
        return None
    values = [getattr(table, variable).astype(np.float64) for table in tables]
    return Evolution(times, values), "at the beginning and the end" if times.size > 1 else "at birth"


def _learns(rules: object, variable: Variable) -> bool:
    """Tell whether a rule among those named may change the variable; a user's own is taken to learn weights."""
    from neurosim.models.learning import learning_rules

    known = learning_rules()
    for name in rules if isinstance(rules, (list, tuple)) else ():
        if name not in known:  # the user's own
            return variable == "weight"
        if getattr(known[name], f"writes_{variable}"):
            return True
    return False


def _nothing(result: Result, plural: str) -> str:
    if not result.projections:
        return f"{result.path.name} has no projections, so there are no {plural} to draw."
    name, variable = next(iter(result.projections)), plural[:-1]
    return (
        f"{result.path.name} holds no {plural}: neither samples of them nor the graph. Write "
        f"`record: {{synapses: {{{name}: {{variables: [{variable}], every: 1 s}}}}}}` or `record: {{graph: true}}` "
        "in the scenario and run it again."
    )
