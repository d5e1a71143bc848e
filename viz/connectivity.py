"""Who is connected to whom: synapses per pair of neurons and their mean weight, by population and group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import FuncNorm, LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neurosim.record.archive import NotRecorded
from neurosim.viz.activity import Run, read
from neurosim.viz.style import ACTIVITY, FAINT, INK, PAPER, SOFT, new_figure, styled
from neurosim.viz.words import span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurosim.record.result import Result

Table = NDArray[np.float64]

SETS = 24  # populations and groups on a side
_WIDTH, _CELL, _LEAST, _MOST = 10.0, 0.62, 1.5, 3.35  # inches: the page, a cell, and the sides of a matrix
WEIGHTS = LinearSegmentedColormap.from_list("neurosim_weights", ["#123a63", "#5b9bc8", "#ffffff", "#e58a76", "#8f1d33"])


@dataclass(frozen=True, eq=False)
class Set:
    """A population, or a group of one, whose neurons are a row or a column."""

    name: str
    population: str
    ids: NDArray[np.uint32]
    colour: str

    @property
    def is_group(self) -> bool:
        """Whether it is a part of its population."""
        return self.name != self.population


@dataclass(frozen=True, eq=False)
class Matrix:
    """Synapses per pair of different neurons, and mean weights (NaN where there are none), rows by columns.

    ``units`` are those of the weights; empty where there are none, or of several kinds.
    """

    at: float
    rows: list[Set]
    columns: list[Set]
    number: Table
    weight: Table
    units: list[list[str]]

    @property
    def unit(self) -> str | None:
        """The unit that all weights share; None where they differ."""
        found = {unit for row in self.units for unit in row if unit}
        return next(iter(found), "") if len(found) < 2 else None

    @property
    def shares(self) -> Table:
        """Weights as they are coloured: as they are in one unit, else each as a share of the largest in its unit."""
        if self.unit is not None:
            return self.weight
        units, shown = np.array(self.units).reshape(self.weight.shape), self.weight.copy()
        for unit in set(units.ravel().tolist()) - {"mixed"}:
            mine = units == unit
            shown[mine] /= float(np.nanmax(np.abs(shown[mine]), initial=0.0)) or 1.0
        return shown


def draw(result: Result, at: float | None = None) -> Figure:
    """Draw the matrices at a time (ms), by default at the beginning and, if anything changed, at the end.

    Raises NotRecorded where the graph was not kept.
    """
    run = read(result)
    if not result.projections:
        raise NotRecorded(f"{result.path.name} has no projections, so nobody is connected.")
    changed = bool(run.changes) or any(p.info.get("learning") for p in result.projections.values())
    moments = [at] if at is not None else [0.0, run.duration] if changed else [run.duration]
    matrices = [measure(result, run, moment) for moment in moments]
    side = float(np.clip(_CELL * max(len(matrices[0].rows), len(matrices[0].columns)), _LEAST, _MOST))
    tall = 0.75 + len(matrices) * (side + 1.15)
    with styled():
        figure = new_figure(_WIDTH, tall)
        figure.text(0.02, 1 - 0.2 / tall, run.name, fontsize=14, fontweight="bold", va="top")
        said = "who is connected to whom: rows send, columns receive"
        figure.text(0.02, 1 - 0.48 / tall, said, color=SOFT, va="top")
        most = max(float(matrix.number.max(initial=0.0)) for matrix in matrices) or 1.0  # one scale for all moments
        heaviest = max(float(np.nanmax(np.abs(matrix.shares), initial=0.0)) for matrix in matrices) or 1.0
        for k, matrix in enumerate(matrices):
            bottom = (tall - 0.75 - (k + 1) * (side + 1.15) + 0.5) / tall
            _paint(figure, matrix, bottom, side, tall, (most, heaviest), changed)
    return figure


def measure(result: Result, run: Run, at: float) -> Matrix:
    """Count the synapses between populations and groups at a time (ms), and average their weights."""
    projections = result.projections
    colours = {activity.name: activity.colour for activity in run.activities}
    sets = {name: _sets(result, name, colours[name], at) for name in result.populations}
    rows = [one for name in sets if any(p.source == name for p in projections.values()) for one in sets[name]][:SETS]
    columns = [one for name in sets if any(p.target == name for p in projections.values()) for one in sets[name]][:SETS]
    number, total = (np.zeros((len(rows), len(columns))) for _ in range(2))
    units = [["" for _ in columns] for _ in rows]
    for name, about in projections.items():
        table = result.edges(name, at)
        unit = str(about.info.get("weight_unit") or "")
        sending = [(k, np.isin(table.pre, row.ids)) for k, row in enumerate(rows) if row.population == about.source]
        taking = [(k, np.isin(table.post, col.ids)) for k, col in enumerate(columns) if col.population == about.target]
        others = table.pre != table.post
        for i, pre in sending:
            for k, post in taking:
                chosen = pre & post & others
                count = int(chosen.sum())
                if count:
                    number[i, k] += count
                    total[i, k] += float(table.weight[chosen].astype(np.float64).sum())
                    units[i][k] = unit if units[i][k] in ("", unit) else "mixed"
    pairs = np.array([[row.ids.size * col.ids.size - np.intersect1d(row.ids, col.ids).size for col in columns]
                      for row in rows], np.float64)  # fmt: skip
    weight = np.divide(total, number, out=np.full(number.shape, np.nan), where=number > 0)
    weight[np.array(units) == "mixed"] = np.nan
    per_pair = np.divide(number, pairs, out=np.zeros(number.shape), where=pairs > 0)
    return Matrix(at, rows, columns, per_pair, weight, units)


def _sets(result: Result, name: str, colour: str, at: float) -> list[Set]:
    living = result.neurons(name, at)
    whole = Set(name, name, living, colour)
    groups = [
        Set(group, name, np.intersect1d(ids, living), colour)
        for group, (population, ids) in result.groups.items()
        if population == name
    ]
    return [whole, *groups]


def _paint(
    figure: Figure, matrix: Matrix, bottom: float, side: float, tall: float, tops: tuple[float, float], when: bool
) -> None:
    """Paint the two matrices of one moment beside each other; ``tops`` are the ends of their scales."""
    moment = f", at {span(matrix.at)}" if when else ""
    left = 0.13
    for k, (title, table) in enumerate((("Synapses per pair", matrix.number), ("Mean weight", matrix.weight))):
        axes = figure.add_axes((left + 0.46 * k, bottom, 0.335, side / tall))
        bar = figure.add_axes((left + 0.46 * k + 0.342, bottom, 0.01, side / tall))
        if k == 0:
            drawn = _grid(axes, np.where(table > 0, table, np.nan), ACTIVITY, FuncNorm(_ROOT, 0.0, tops[0]))
            _numbers(axes, table, [[_short(v) if v else "–" for v in row] for row in table], drawn)
            _bar(figure, drawn, bar, "per pair")
        else:
            _weights(figure, axes, bar, matrix, tops[1])
        _names(axes, matrix, rows=k == 0)
        axes.set_title(f"{title}{moment}")


def _weights(figure: Figure, axes: Axes, bar: Axes, matrix: Matrix, top: float) -> None:
    """Paint mean weights: warm above zero, cool below; one scale for each unit."""
    table, shown = matrix.weight, matrix.shares
    drawn = _grid(axes, shown, WEIGHTS, FuncNorm(_ROOT, -top, top))
    words = [[_word(value, unit, matrix.unit is None) for value, unit in zip(row, names, strict=True)]
             for row, names in zip(table, matrix.units, strict=True)]  # fmt: skip
    _numbers(axes, shown, words, drawn)
    if matrix.unit is None:
        bar.set_axis_off()
        return
    _bar(figure, drawn, bar, f"weight ({matrix.unit})" if matrix.unit else "weight")


# Small values are told apart beside large ones, and zero stays where it is.
_ROOT: Any = (lambda x: np.sign(x) * np.sqrt(np.abs(x)), lambda y: np.sign(y) * y**2)


def _grid(axes: Axes, table: Table, colours: Any, norm: Any) -> Any:
    axes.set_facecolor("#f3f4f6")
    drawn = axes.pcolormesh(np.ma.masked_invalid(table), cmap=colours, norm=norm, edgecolor=PAPER, linewidth=1.4)
    axes.invert_yaxis()
    for place in ("left", "bottom"):
        axes.spines[place].set_visible(False)
    return drawn


def _numbers(axes: Axes, table: Table, words: list[list[str]], drawn: Any) -> None:
    """Write what the colours mean into the cells, where there is room."""
    longest = max([3, *(len(word) for row in words for word in row)])
    size = 72 * axes.get_position().width * _WIDTH / max(len(words[0]), 1) / longest
    if size < 4.5:
        return
    for i, row in enumerate(words):
        for k, word in enumerate(row):
            red, green, blue, _ = drawn.to_rgba(table[i, k] if np.isfinite(table[i, k]) else 0.0)
            dark = word != "–" and 0.3 * red + 0.6 * green + 0.1 * blue < 0.55
            axes.text(k + 0.5, i + 0.5, word, ha="center", va="center", fontsize=min(size * 1.2, 9.0),
                      color=SOFT if word == "–" else PAPER if dark else INK)  # fmt: skip


def _names(axes: Axes, matrix: Matrix, rows: bool) -> None:
    """Name the columns, and the rows where they are not named by the matrix beside."""
    axes.set_xticks(np.arange(len(matrix.columns)) + 0.5, [one.name for one in matrix.columns])
    axes.set_yticks(np.arange(len(matrix.rows)) + 0.5, [one.name for one in matrix.rows])
    axes.tick_params(length=0)
    crowded = len(matrix.columns) > 6 or max(len(one.name) for one in matrix.columns) > 8
    size = min(8.5, 130 / max(len(matrix.rows), len(matrix.columns)))
    for labels, sets in ((axes.get_xticklabels(), matrix.columns), (axes.get_yticklabels(), matrix.rows)):
        for label, one in zip(labels, sets, strict=True):
            label.set(color=one.colour, fontsize=size, fontweight="normal" if one.is_group else "bold")
    if crowded:
        for label in axes.get_xticklabels():
            label.set(rotation=35, ha="right", rotation_mode="anchor")
    axes.tick_params(labelleft=rows)
    axes.set_ylabel("from" if rows else "", labelpad=2)
    axes.set_xlabel("to", labelpad=2)


def _bar(figure: Figure, drawn: Any, place: Axes, label: str) -> None:
    bar = figure.colorbar(drawn, cax=place)
    bar.outline.set_visible(False)
    bar.locator = MaxNLocator(4)
    bar.update_ticks()
    bar.set_label(label, color=SOFT, labelpad=2)
    place.tick_params(labelsize=7.5, length=2, color=FAINT)


def _word(value: float, unit: str, with_unit: bool) -> str:
    if unit == "mixed":
        return "units differ"
    if not np.isfinite(value):
        return "–"
    return f"{_short(value)} {unit}".strip() if with_unit else _short(value)


def _short(value: float) -> str:
    return f"{value:.3g}".replace("e-0", "e-").replace("-", "−")
