"""How a network grew and shrank: how many there are, births and deaths, degrees and weights then and now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurosim.record.archive import NotRecorded
from neurosim.viz.activity import Change, Run, TimeAxis, Times, bin_width, read
from neurosim.viz.raster import paint_marks
from neurosim.viz.style import FAINT, INK, PAPER, SOFT, new_figure, note, quiet, styled
from neurosim.viz.words import count, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurosim.record.result import Result
    from neurosim.record.topology import EdgeTable

# Green and purple: apart for every common kind of colour blindness, and no population's colours.
BORN, LOST = "#3f8f4f", "#762a83"
MOMENTS = ("#d9a441", "#3a8f8b", "#1f2d5a")  # beginning, middle, end: from light to dark, also in print
PROJECTIONS = 3  # rows of distributions
LINES = 8  # names that find room beside their lines
_WIDTH = 10.0
_OVER_TIME = ((0.7, 1.6), (0.42, 1.25))  # room above each panel, and its height (inches)
_THEN_AND_NOW = (0.72, 1.6)


def draw(result: Result) -> Figure:
    """Draw the structure of a result: sizes over time, births and deaths, degrees and weights."""
    run = read(result)
    kinds = [kind for kind in (True, False) if _those(run, kind)]
    shown = sorted(result.projections, key=lambda name: -_turnover(run, name))[:PROJECTIONS]
    shown = [name for name in shown if _turnover(run, name)] or shown[:1]
    tall = 1.0 + len(kinds) * sum(sum(row) for row in _OVER_TIME) + len(shown) * sum(_THEN_AND_NOW)
    tall = max(tall, 2.2)
    with styled():
        figure = new_figure(_WIDTH, tall)
        figure.text(0.02, 1 - 0.2 / tall, run.name, fontsize=14, fontweight="bold", va="top")
        figure.text(0.02, 1 - 0.48 / tall, _caption(result, run), color=SOFT, va="top")
        bottom = tall - 0.5

        def row(above: float, height: float) -> tuple[float, float]:
            nonlocal bottom
            bottom -= above + height
            return bottom / tall, height / tall

        for synapses in kinds:
            for part, paint_part in zip(_OVER_TIME, (paint_sizes, paint), strict=True):
                low, height = row(*part)
                paint_part(figure.add_axes((0.09, low, 0.79, height)), run, synapses)
        for k, name in enumerate(shown):
            low, height = row(*_THEN_AND_NOW)
            panels = [figure.add_axes((0.09 + 0.285 * k, low, 0.225, height)) for k in range(3)]
            _paint_distributions(panels, result, name, legend=k == 0)
    return figure


def _caption(result: Result, run: Run) -> str:
    """Say what became of the network in one line."""
    said = []
    for names, what in ((result.populations, "neurons"), (result.projections, "synapses")):
        if not _those(run, what == "synapses"):
            continue
        sizes = [result.structure(name).size for name in names]
        began, ended = (sum(int(size[end]) for size in sizes) for end in (0, -1))
        said.append(f"{count(began)} {what} became {count(ended)}")
    return "; ".join(said) or _nothing(run)


def _nothing(run: Run) -> str:
    return "nothing was born or died" if run.history != "off" else "births and deaths were not recorded"


def _those(run: Run, synapses: bool) -> list[Change]:
    return [change for change in run.changes if change.synapses == synapses]


def _turnover(run: Run, name: str) -> int:
    return sum(int((c.counts.births + c.counts.deaths).sum()) for c in run.changes if c.name == name and c.synapses)


# ---- over time -------------------------------------------------------------------------------------------------


def paint_sizes(axes: Axes, run: Run, synapses: bool) -> None:
    """Draw how many there were, a line for each projection or population that changed."""
    time, those = TimeAxis.of(run.duration), _those(run, synapses)
    what = "synapses" if synapses else "neurons"
    highest = 0
    for change in those:
        moments = np.append(change.counts.time, run.duration) / time.scale
        axes.stairs(
            change.counts.size, moments, baseline=None, color=change.colour, linewidth=1.6, gid=f"size {change.name}"
        )
        highest = max(highest, int(change.counts.size.max()))
    _frame(axes, run, time)
    axes.tick_params(labelbottom=False)
    axes.set_xlabel("")
    axes.set_ylim(0, highest * 1.08 or 1)
    axes.set_ylabel(what)
    axes.set_title(what.capitalize())
    paint_marks(axes, run, time, labels=False)
    ends = [(float(change.counts.size[-1]), change) for change in those]
    for place, change in _apart(ends, highest * 1.08 or 1, axes):
        text = f"{change.name}  {count(int(change.counts.size[-1]))}"
        axes.annotate(text, (1, place), xycoords=("axes fraction", "data"), xytext=(6, 0),
                      textcoords="offset points", va="center", color=change.colour, fontsize=8,
                      fontweight="bold", annotation_clip=False)  # fmt: skip


def _apart(ends: list[tuple[float, Change]], top: float, axes: Axes) -> Iterator[tuple[float, Change]]:
    """Move labels that would lie over one another apart; the smallest are left out where there is no room."""
    tall = axes.get_position().height * axes.figure.bbox.height / axes.figure.dpi * 72
    step, free = 10.5 / tall * top, -np.inf
    for place, change in sorted(ends, key=lambda end: end[0])[-LINES:]:
        free = max(place, free + step)
        yield free, change


def paint(axes: Axes, run: Run, synapses: bool = True, strip: bool = False) -> None:
    """Draw births upwards and deaths downwards, per second; as a ``strip`` with everything said above it."""
    time, those = TimeAxis.of(run.duration), _those(run, synapses)
    edges = _bins(those, run.duration)
    born, lost = (_binned(those, which, edges) for which in ("births", "deaths"))
    _frame(axes, run, time)
    widths = np.diff(edges) * 1e-3
    highest = _height(np.concatenate([born, lost]) / np.tile(widths, 2))
    for values, colour, which in ((born / widths, BORN, "births"), (-lost / widths, LOST, "deaths")):
        axes.stairs(values, edges / time.scale, fill=True, color=colour, alpha=0.9, linewidth=0, gid=which)
        for first, last in _stretches(np.abs(values) > 1.1 * highest):
            most = float(np.abs(values[first : last + 1]).max())
            place = (edges[first] / time.scale, edges[last + 1] / time.scale)
            _beyond(axes, place, float(np.copysign(most, values[first])), 1.1 * highest, colour)
    net = (born - lost) / widths
    axes.stairs(net, edges / time.scale, baseline=None, color=INK, linewidth=0.9, gid="net")
    axes.axhline(0, color=SOFT, linewidth=0.6)
    what = "synapses" if synapses else "neurons"
    axes.set_ylim(-1.1 * highest, 1.1 * highest)
    axes.set_ylabel("per s" if strip else f"{what} per s")
    axes.locator_params(axis="y", nbins=3 if strip else 5)
    axes.yaxis.set_major_formatter(lambda value, _: _rate(abs(value)))
    paint_marks(axes, run, time, labels=False)
    axes.set_title(f"{what.capitalize()} born and lost")
    _name_bars(axes, int(born.sum()), int(lost.sum()), f"in bins of {span(float(edges[1] - edges[0]))}", strip)


def _name_bars(axes: Axes, born: int, lost: int, bins: str, strip: bool) -> None:
    """Say what is up and what is down: beside the bars, or above a strip, right-aligned."""
    if strip:
        axes.annotate(bins, (0, 1), xycoords="axes fraction", xytext=(150, 8), textcoords="offset points", color=SOFT,
                      fontsize=7.5)  # fmt: skip
    else:
        axes.set_title(bins, loc="right", color=SOFT, fontsize=7.5, fontweight="normal")
    beside = 0.0
    for text, place, colour, side in (
        (f"▼ lost {count(lost)}", 0.03, LOST, "bottom"),
        ("net", 0.5, INK, "center"),
        (f"▲ born {count(born)}", 0.97, BORN, "top"),
    ):
        axes.annotate(text, (1, 1 if strip else place), xycoords="axes fraction", textcoords="offset points",
                      xytext=(-beside, 7) if strip else (6, 0), ha="right" if strip else "left",
                      va="bottom" if strip else side, color=colour, fontsize=8, fontweight="bold",
                      annotation_clip=False)  # fmt: skip
        beside += 5.6 * len(text) + 8


def _height(values: NDArray[np.float64]) -> float:
    """Return the height that shows all bins, or all but a few that would dwarf the rest."""
    top, usual = float(values.max(initial=0.0)), float(np.quantile(values, 0.97)) if values.size else 0.0
    return (1.4 * usual if 0 < 3 * usual < top else top) or 1.0


def _stretches(which: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Return the first and the last of each stretch of neighbours that are true."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], which, [False]]).astype(np.int8)))
    yield from ((int(first), int(end) - 1) for first, end in zip(steps[::2], steps[1::2], strict=True))


def _beyond(axes: Axes, place: tuple[float, float], value: float, edge: float, colour: str) -> None:
    """Say beside bars that leave the picture how far the highest of them goes."""
    up, left = value > 0, place[0] > 0.15 * axes.get_xlim()[1]
    axes.annotate(f"{count(abs(value))}/s", (place[0] if left else place[1], edge if up else -edge),
                  xytext=(-3 if left else 3, -2 if up else 2), textcoords="offset points", fontsize=7, color=colour,
                  ha="right" if left else "left", va="top" if up else "bottom", gid="beyond",
                  bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6, "alpha": 0.85})  # fmt: skip


def _frame(axes: Axes, run: Run, time: TimeAxis) -> None:
    axes.set_xlim(0, max(run.duration, 1e-9) / time.scale)
    axes.set_xlabel(f"time ({time.unit})", labelpad=1)
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.7)
    axes.yaxis.set_major_formatter(lambda value, _: count(value))
    axes.locator_params(axis="y", nbins=4)


def _rate(value: float) -> str:
    return count(value) if value >= 10 or value == 0 else f"{value:.2g}"


def _bins(changes: Sequence[Change], duration: float) -> Times:
    """Return edges of bins: some hundred, each a whole number of the times between edits where those are regular."""
    moments = np.unique(np.concatenate([np.zeros(1), *(c.counts.time for c in changes)]))
    width = bin_width(max(duration, 1e-9), 120)
    between = float(np.median(np.diff(moments))) if moments.size > 1 else width
    if between > 0.2 * width:
        width = between * max(round(width / between), 1)
    edges = np.arange(np.ceil(max(duration, 1e-9) / width - 1e-6) + 1) * width
    edges[-1] = max(duration, 1e-9)
    return edges


def _binned(changes: Sequence[Change], which: str, edges: Times) -> NDArray[np.float64]:
    """Return how many were born or died in each bin (a, b], of all changes together."""
    total = np.zeros(edges.size - 1)
    for change in changes:
        place = np.searchsorted(edges, change.counts.time - 1e-9, side="right") - 1
        np.add.at(total, np.clip(place, 0, total.size - 1), getattr(change.counts, which))
    return total


# ---- then and now ----------------------------------------------------------------------------------------------


def _paint_distributions(panels: Sequence[Axes], result: Result, name: str, legend: bool) -> None:
    """Draw degrees and weights of one projection at the beginning, in the middle and at the end."""
    about, end = result.projections[name], result.time_reached
    found: list[tuple[float, str, EdgeTable]] = []
    why = ""
    for moment, colour in zip((0.0, end / 2, end), MOMENTS, strict=True):
        try:
            found.append((moment, colour, result.edges(name, moment)))
        except NotRecorded:
            why = "the graph was not recorded"
    unit = about.info.get("weight_unit")
    labels = ("out-degree", "in-degree", f"weight ({unit})" if unit else "weight")
    ends = ((about.source, "neurons"), (about.target, "neurons"), ("", "synapses"))
    for axes, label, (population, what), side in zip(panels, labels, ends, ("pre", "post", ""), strict=True):
        axes.set_xlabel(label, labelpad=1)
        values = []
        for moment, _, table in found:
            if side:
                values.append(_degrees(getattr(table, side), _alive(result, population, moment, getattr(table, side))))
            else:
                values.append(np.asarray(table.weight, np.float64))
        if not any(v.size for v in values):
            axes.set_xticks([])
            axes.set_yticks([])
            quiet(axes, y=False)
            note(axes, why if not found else f"no {what}")
            continue
        _outlines(axes, values, [colour for _, colour, _ in found], whole=bool(side))
        axes.set_ylabel(f"% of {what}")
    panels[0].set_title(f"{name}, then and now")
    for k, (moment, colour, _) in enumerate(found if legend else []):
        panels[2].annotate(f"at {span(moment)}", (1, 1), xycoords="axes fraction", xytext=(4, -4 - 11 * k),
                           textcoords="offset points", va="top", color=colour, fontsize=8,
                           fontweight="bold", annotation_clip=False)  # fmt: skip


def _alive(result: Result, population: str, at: float, ends: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the neurons alive at a time; those with synapses where that was not recorded."""
    try:
        return result.neurons(population, at)
    except NotRecorded:
        return np.unique(ends)


def _degrees(ends: NDArray[np.uint32], neurons: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return how many synapses each of the neurons (ascending ids) has."""
    place = np.searchsorted(neurons, ends)
    return np.bincount(place, minlength=neurons.size)[: neurons.size].astype(np.float64)


def _outlines(axes: Axes, values: list[NDArray[np.float64]], colours: list[str], whole: bool) -> None:
    """Draw histograms over a common set of bins, the first one filled."""
    joined = np.concatenate(values)
    low, high = float(joined.min()), float(joined.max())
    if whole:
        step = max(1, int(np.ceil((high - low + 1) / 28)))
        few = max(0, 5 - int(high - low)) if high - low < 5 else 0  # degrees that hardly differ get room beside them
        edges = np.arange(max(np.floor(low) - few, 0), high + few + step + 1, step) - 0.5
    else:
        spread = high - low or 0.5 * abs(high) or 1.0
        low, high = (low, high) if high > low else (low - spread, high + spread)
        edges = np.linspace(low - 0.02 * spread, high + 0.02 * spread, 33)
    for k, (v, colour) in enumerate(zip(values, colours, strict=True)):
        if v.size:
            percent = np.histogram(v, edges)[0] * (100.0 / v.size)
            axes.stairs(percent, edges, fill=True, color=colour, alpha=0.55 if k == 0 else 0.14, linewidth=0)
            axes.stairs(percent, edges, color=colour, linewidth=1.4, gid=f"moment {k}")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, None)
    axes.locator_params(axis="both", nbins=5)
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.7)

