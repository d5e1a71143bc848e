"""How a distribution moves: shares as colours over time, quantiles as lines; its first and last moment beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import PowerNorm
from numpy.typing import NDArray

from neurosim.viz.activity import Run, TimeAxis
from neurosim.viz.raster import paint_marks
from neurosim.viz.structure import MOMENTS
from neurosim.viz.style import ACTIVITY, FAINT, INK, PAPER, SOFT, new_figure, note, quiet, styled
from neurosim.viz.words import count, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 48  # at most
LINES = 16  # values that are followed one by one, as lines
_QUANTILES = (0.05, 0.5, 0.95)
_WIDTH, _LEFT, _RIGHT = 10.0, 0.085, 0.975  # of a page: inches, and shares of it
_MOVING, _STILL = (0.76, 1.75), (0.74, 1.05)  # room above a row of panels, and its height (inches)
_HEAD, _FOOT = 0.52, 0.5

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evolution:
    """Values of many things at some times (ms, ascending); which things there are may differ from time to time.

    ``ids`` say what a value belongs to, where that is known; ``whole`` says that values are counts.
    """

    times: Values
    values: list[Values]
    ids: list[NDArray[Any]] | None = None
    whole: bool = False

    @property
    def moves(self) -> bool:
        """Whether the values are known at more than one time, and are not the same ones throughout."""
        if self.times.size < 2:
            return False
        first = np.sort(self.values[0])
        return any(v.size != first.size or not np.array_equal(np.sort(v), first) for v in self.values[1:])

    @property
    def constant(self) -> float | None:
        """The one value that all have, at all times; None where they differ."""
        joined = np.concatenate(self.values)
        return float(joined[0]) if joined.size and (joined == joined[0]).all() else None


@dataclass(frozen=True, eq=False)
class Panel:
    """One distribution of a page: what is said above it, the name of its values (with a unit), and what is counted."""

    title: str
    remark: str
    seen: Evolution
    label: str
    what: str


def draw_page(run: Run, about: Sequence[str], rows: Sequence[Sequence[Panel]]) -> Figure:
    """Draw rows of panels under a title and lines about it; what moves gets a map over time, the rest a histogram."""
    sizes = [_MOVING if any(panel.seen.moves for panel in row) else _STILL for row in rows]
    lines = [line for said in about if said for line in textwrap.wrap(said, 150)]
    head = _HEAD + 0.17 * (len(lines) - 1)
    tall = head + sum(map(sum, sizes)) + _FOOT
    with styled():
        figure = new_figure(_WIDTH, tall)
        figure.text(0.02, 1 - 0.2 / tall, run.name, fontsize=14, fontweight="bold", va="top")
        figure.text(0.02, 1 - 0.48 / tall, "\n".join(lines), color=SOFT, va="top", linespacing=1.45)
        bottom = tall - head
        for row, (above, height) in zip(rows, sizes, strict=True):
            bottom -= above + height
            places = len(row) if any(panel.seen.moves for panel in row) else max(len(row), 3)
            each = (_RIGHT - _LEFT + 0.075) / places
            for k, panel in enumerate(row):
                place = (_LEFT + k * each, bottom / tall, each - 0.075, height / tall)
                _draw_panel(figure, run, panel, place)
    return figure


def _draw_panel(figure: Figure, run: Run, panel: Panel, place: tuple[float, float, float, float]) -> None:
    left, bottom, width, height = place
    seen = panel.seen
    remark = panel.remark
    if not any(v.size for v in seen.values):
        axes = figure.add_axes(place)
        axes.set_xticks([])
        axes.set_yticks([])
        quiet(axes, y=False)
        note(axes, f"no {panel.what}")
    elif seen.moves:
        narrow = max(0.2 * width, 0.08)
        axes = figure.add_axes((left, bottom, width - narrow - 0.018, height))
        ends = figure.add_axes((left + width - narrow, bottom, narrow, height))
        how = paint(axes, ends, run, seen, panel.what)
        axes.set_ylabel(panel.label)
        remark = f"{how}; {remark}" if width > 0.5 else remark
    else:
        axes = figure.add_axes(place)
        paint_ends(axes, seen, bin_edges(seen), panel.what, sideways=False)
        axes.set_xlabel(panel.label, labelpad=1)
    axes.set_title(panel.title)
    if 0.095 * len(panel.title) + 0.063 * len(remark) < _WIDTH * width:  # inches, about; the title comes first
        axes.set_title(remark, loc="right", color=SOFT, fontsize=7.5, fontweight="normal")


def paint(over_time: Axes, ends: Axes, run: Run, seen: Evolution, what: str) -> str:
    """Draw an evolution into a wide axes, its first and last distribution into a narrow one; say how to read it.

    ``what`` is counted: ``synapses``, ``neurons``. The label of the values is the caller's.
    """
    time = TimeAxis.of(run.duration)
    edges = bin_edges(seen)
    if seen.ids is not None and max(v.size for v in seen.values) <= LINES:
        how = f"a line for each of {what}"
        _follow(over_time, seen, time)
    else:
        top = _map(over_time, seen, edges, time, run.duration)
        how = f"colour: share of {what}, darkest ≥ {top:.2g} %; lines: median, 5 and 95 %"
    over_time.set_xlim(0, max(run.duration, 1e-9) / time.scale)
    over_time.set_ylim(edges[0], edges[-1])
    over_time.set_xlabel(f"time ({time.unit})", labelpad=1)
    over_time.locator_params(axis="y", nbins=5)
    paint_marks(over_time, run, time, labels=False)
    paint_ends(ends, seen, edges, what)
    return how


def paint_ends(axes: Axes, seen: Evolution, edges: Values, what: str, sideways: bool = True) -> None:
    """Draw the first distribution filled and the last as an outline, in percent of ``what``."""
    chosen = [(0, MOMENTS[0]), (len(seen.values) - 1, MOMENTS[2])][: 1 + seen.moves]
    tables = [(k, place, colour, shares(seen.values[place], edges)) for k, (place, colour) in enumerate(chosen)]
    top = _height(np.concatenate([percent for *_, percent in tables]))
    for k, place, colour, percent in tables:
        look: Any = {"orientation": "horizontal" if sideways else "vertical", "color": colour}
        axes.stairs(percent, edges, fill=True, alpha=0.14 if k else 0.55, linewidth=0, **look)
        axes.stairs(percent, edges, linewidth=1.4, gid=f"moment {k}", **look)
        if seen.moves:
            axes.annotate(f"at {span(float(seen.times[place]))}", (1, 1), xycoords="axes fraction",
                          xytext=(0, 16 - 10 * k), textcoords="offset points", ha="right", va="center", color=colour,
                          fontsize=8, fontweight="bold", annotation_clip=False)  # fmt: skip
        for bar in np.flatnonzero(percent > 1.06 * top):
            _beyond(axes, 0.5 * float(edges[bar] + edges[bar + 1]), float(percent[bar]), 1.06 * top, colour, sideways)
    share, value = (axes.set_xlim, axes.set_ylim) if sideways else (axes.set_ylim, axes.set_xlim)
    share(0, 1.06 * top)
    value(edges[0], edges[-1])
    (axes.set_xlabel if sideways else axes.set_ylabel)(f"% of {what}", labelpad=1)
    axes.locator_params(axis="both", nbins=5)
    axes.locator_params(axis="x" if sideways else "y", nbins=3)
    if seen.whole:
        (axes.yaxis if sideways else axes.xaxis).get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    axes.grid(axis="x" if sideways else "y", color=FAINT, linewidth=0.5, alpha=0.7)
    if sideways:
        quiet(axes, y=False)
        axes.tick_params(labelleft=False)


def _height(percent: Values) -> float:
    """Return the height that shows all bars, or all but one or two that would dwarf the rest."""
    top = float(percent.max(initial=0.0)) or 1.0
    others = np.sort(percent[percent > 0])[:-2]
    usual = 1.5 * float(others.max(initial=0.0))
    return usual if others.size > 3 and 2 * usual < top else top


def _beyond(axes: Axes, place: float, value: float, edge: float, colour: str, sideways: bool) -> None:
    """Say how far a bar goes that leaves the picture."""
    low, high = axes.get_ylim() if sideways else axes.get_xlim()
    axes.annotate(f"{value:.0f} %", (edge, place) if sideways else (place, edge),
                  xytext=(-2, 8 if place < 0.5 * (low + high) else -8) if sideways else (4, -2),
                  textcoords="offset points", ha="right" if sideways else "left",
                  va="center" if sideways else "top", fontsize=7, color=colour)  # fmt: skip


def shares(values: Values, edges: Values) -> Values:
    """Return the percentage of values in each bin; those beyond the ends are counted in the outermost bins."""
    inside = np.clip(values, 0.5 * (edges[0] + edges[1]), 0.5 * (edges[-2] + edges[-1]))
    return np.asarray(np.histogram(inside, edges)[0] * (100.0 / max(values.size, 1)))


def bin_edges(seen: Evolution) -> Values:
    """Return bins for all moments together; of counts, each a whole number wide and around whole numbers."""
    joined = np.concatenate(seen.values)
    low, high = (float(q) for q in np.quantile(joined, [0.0005, 0.9995]))
    low, high = (low, high) if high > low else (float(joined.min()), float(joined.max()))
    bins = int(np.clip(round(3 * max(v.size for v in seen.values) ** (1 / 3)), 12, BINS))
    if seen.whole:
        low, high = np.floor(low), np.ceil(high)
        room = max(0.0, np.ceil((5 - (high - low)) / 2))
        low, high = max(low - room, 0.0), high + room
        step = max(1, int(np.ceil((high - low + 1) / bins)))
        return np.asarray(np.arange(low, high + step + 1, step) - 0.5)
    spread = 0.5 * abs(high) or 1.0
    low, high = (low, high) if high > low else (low - spread, high + spread)
    each = np.unique(joined)
    if 1 < each.size <= BINS:  # values on a lattice get a bin each, or bins would hold now one of them and now two
        apart = float(np.diff(each).min())
        place = (each - each[0]) / apart
        if place[-1] < 2 * BINS and np.allclose(place, np.round(place), atol=0.01):
            return np.asarray(each[0] + apart * (np.arange(round(float(place[-1])) + 2) - 0.5))
    return np.linspace(low, high, bins + 1)


def _follow(axes: Axes, seen: Evolution, time: TimeAxis) -> None:
    """Draw a line for each thing."""
    assert seen.ids is not None
    moments = np.repeat(seen.times, [v.size for v in seen.values]) / time.scale
    ids, values = np.concatenate(seen.ids), np.concatenate(seen.values)
    each = np.unique(ids)
    for k, one in enumerate(each):
        mine = ids == one
        colour = ACTIVITY(0.3 + 0.65 * k / max(each.size - 1, 1))
        axes.plot(moments[mine], values[mine], color=colour, linewidth=1.2, gid=f"value {k}")
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.7)


def _map(axes: Axes, seen: Evolution, edges: Values, time: TimeAxis, end: float) -> float:
    """Draw shares as colours, a column for each moment until the next, and quantiles over them; return the darkest."""
    borders = np.append(seen.times, max(end, float(seen.times[-1]))) / time.scale
    if borders[-1] <= borders[-2]:  # the last moment is the end: it gets the room of its neighbour, cut off
        borders[-1] = borders[-2] + (borders[-2] - borders[0]) / borders.size
    table = np.array([shares(v, edges) if v.size else np.zeros(edges.size - 1) for v in seen.values]).T
    top = float(np.quantile(table[table > 0], 0.985)) if (table > 0).any() else 1.0
    top = min(max(top, 300.0 / (edges.size - 1)), 100.0)  # what is spread evenly is no peak
    norm = PowerNorm(0.6, vmin=0.0, vmax=top, clip=True)  # so that thin tails are seen beside what most have
    shown = np.ma.masked_equal(table, 0.0)
    drawn = axes.pcolormesh(borders, edges, shown, cmap=ACTIVITY, norm=norm, rasterized=True, gid="shares")
    drawn.set_edgecolor("face")  # no hairlines between cells in vector files
    known = [k for k, v in enumerate(seen.values) if v.size]
    lines = np.array([np.quantile(seen.values[k], _QUANTILES) for k in known]).T
    steps = np.append(borders[known], borders[-1])
    for name, row in zip(("5 %", "median", "95 %"), lines, strict=True):
        dashes: Any = "-" if name == "median" else (0, (2.2, 1.4))
        for width, colour in ((2.6, PAPER), (1.1, INK)):
            axes.step(steps, np.append(row, row[-1]), where="post", color=colour, linewidth=width, linestyle=dashes,
                      alpha=0.7 if colour == PAPER else 1.0, gid=name if colour == INK else None)  # fmt: skip
    return top


def constants(named: Sequence[tuple[str, str]]) -> str:
    """Say in a line what need not be drawn, because it is one value throughout: pairs of a name and the value."""
    words = [f"{name} {value}" for name, value in named]
    more = f" and {count(len(words) - 6)} more" if len(words) > 6 else ""
    return f"constant: {', '.join(words[:6])}{more}" if words else ""


def left_out(names: Sequence[str]) -> str:
    """Say in a line what found no room on a page."""
    return f"not drawn for want of room: {', '.join(names[:6])}{' …' * (len(names) > 6)}" if names else ""
