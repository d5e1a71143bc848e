"""Population rates in bins of time: lines for a few populations, a map for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.viz.activity import Activity, Run, TimeAxis, bin_width, population_rate, read
from neurosim.viz.raster import paint_marks
from neurosim.viz.style import ACTIVITY, FAINT, SOFT, new_figure, note, quiet, styled
from neurosim.viz.words import count, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurosim.record.result import Result

LINES = 6  # populations whose lines can still be told apart


def draw(result: Result) -> Figure:
    """Draw the rates of a result as a figure of its own: a panel per population, or a map for many."""
    run = read(result)
    width = bin_width(run.duration, 400)
    with styled():
        few = len(run.activities) <= LINES
        panels = max(len(run.activities), 1) if few else 1
        height = 1.35 * panels + 1.4 if few else 0.22 * len(run.activities) + 2.2
        figure = new_figure(10, height)
        figure.subplots_adjust(left=0.1, right=0.97, top=1 - 0.95 / height, bottom=0.55 / height, hspace=0.28)
        figure.text(0.02, 1 - 0.2 / height, run.name, fontsize=14, fontweight="bold", va="top")
        figure.text(0.02, 1 - 0.48 / height, f"population rates in bins of {span(width)}", color=SOFT, va="top")
        if few:
            _panels(figure, run, panels, width)
        else:
            figure.subplots_adjust(right=0.92)
            paint_map(figure.subplots(), run, width)
    return figure


def paint(axes: Axes, run: Run, width: float | None = None) -> float:
    """Draw the rates of all populations into one axes and return the bin width, ms."""
    width = width or bin_width(run.duration)
    if len(run.activities) > LINES:
        paint_map(axes, run, width)
        return width
    paint_lines(axes, run, run.activities, width)
    names = 0.0
    for activity in reversed(run.activities):  # right-aligned, in order, each in its colour
        axes.annotate(
            activity.name,
            (1, 1),
            xycoords="axes fraction",
            xytext=(-names, 7),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=activity.colour,
            fontsize=8,
            fontweight="bold",
        )
        names += 5.6 * len(activity.name) + 10
    return width


def paint_lines(axes: Axes, run: Run, activities: list[Activity], width: float) -> None:
    """Draw rates as lines over a faint fill."""
    time = TimeAxis.of(run.duration)
    highest = 0.0
    for activity in activities:
        if not activity.recorded:
            continue
        edges, rate = population_rate(activity, run.duration, width)
        axes.stairs(rate, edges / time.scale, color=activity.colour, fill=True, alpha=0.14, linewidth=0)
        axes.stairs(
            rate,
            edges / time.scale,
            color=activity.colour,
            linewidth=1.1,
            baseline=None,
            gid=f"rate {activity.name}",
        )
        highest = max(highest, float(rate.max(initial=0.0)))
    axes.set_xlim(0, max(run.duration, 1e-9) / time.scale)
    axes.set_ylim(0, highest * 1.06 or 1.0)
    axes.set_xlabel(f"time ({time.unit})")
    axes.set_ylabel("rate (Hz)")
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.7)
    axes.locator_params(axis="y", nbins=4 if len(activities) > 1 else 3)
    paint_marks(axes, run, time, labels=False)
    if highest == 0:
        axes.set_yticks([0])
        note(axes, "no spikes")


def paint_map(axes: Axes, run: Run, width: float) -> None:
    """Draw rates as colours: a row per population, time along it."""
    time = TimeAxis.of(run.duration)
    table = [population_rate(activity, run.duration, width) for activity in run.activities]
    rates = np.array([rate for _, rate in table])
    edges = table[0][0] / time.scale
    rows = np.arange(len(table) + 1)
    top = float(np.quantile(rates, 0.998)) or float(rates.max()) or 1.0  # one burst must not bleach the rest
    drawn = axes.pcolormesh(edges, rows, rates, cmap=ACTIVITY, vmin=0, vmax=top, rasterized=True)
    axes.set_ylim(len(table), 0)
    axes.set_xlim(0, max(run.duration, 1e-9) / time.scale)
    axes.set_xlabel(f"time ({time.unit})")
    axes.set_yticks(rows[:-1] + 0.5, [activity.name for activity in run.activities])
    quiet(axes, y=False)
    size = min(8.0, 72 * axes.get_position().height * axes.figure.bbox.height / axes.figure.dpi / len(table))
    for label, activity in zip(axes.get_yticklabels(), run.activities, strict=True):
        label.set(color=activity.colour, fontsize=size, fontweight="bold")
    bar = axes.figure.colorbar(
        drawn,
        cax=axes.inset_axes((1.012, 0.0, 0.011, 1.0)),
        extend="max" if rates.max() > top else "neither",
        extendfrac=0.03,
    )
    bar.outline.set_visible(False)
    bar.set_label("rate (Hz)", color=SOFT)
    bar.ax.tick_params(labelsize=7.5, length=2)


def _panels(figure: Figure, run: Run, panels: int, width: float) -> None:
    grid = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    for axes, activity in zip(grid, run.activities, strict=False):
        paint_lines(axes, run, [activity], width)
        axes.set_title(f"{activity.name}", color=activity.colour, pad=4)
        axes.set_title(
            f"{count(activity.size)} neurons", loc="right", color=SOFT, fontsize=8, fontweight="normal", pad=4
        )
    for axes in grid[:-1]:
        axes.set_xlabel("")
