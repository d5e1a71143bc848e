"""The picture of a model that no current drives: what it sends, and what makes it do so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UsageError
from neurosim.viz import trials
from neurosim.viz.style import FAINT, INK, SOFT, quiet, styled, titled_figure
from neurosim.viz.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurosim.models import ConfiguredModel

SENT, HEARD = "#d1495b", "#7a8490"
_ROWS, _CROWD = 25, 4000  # neurons in the raster, and in the averages
_TRAINS = ([20.0, 30.0, 40.0, 90.0], [15.0, 55.0, 56.0, 57.0], [35.0, 70.0], [10.0, 25.0, 45.0, 65.0, 85.0])


def draw_source(model: ConfiguredModel) -> Figure:
    """Draw what neurons send: those that wait for arrivals, those that have a list, those that fire by themselves."""
    with styled():
        figure = titled_figure(model.model.name, model.model.summary)
        figure.subplots_adjust(left=0.075, right=0.985, top=0.80, bottom=0.165, wspace=0.33)
        if model.model.times:
            _listed(figure.subplots(), model)
        elif model.model.receptors:
            _repeating(figure.subplots(), model)
        else:
            _random(figure, model)
    return figure


def _marks(axes: Axes, times: NDArray[np.float64], rows: NDArray[Any], colour: str, gid: str) -> None:
    axes.plot(times, rows, linestyle="none", marker="|", markersize=7, markeredgewidth=1.1, color=colour, gid=gid)
    axes.set_xlabel("time (ms)")
    quiet(axes, y=False)


def _listed(axes: Axes, model: ConfiguredModel) -> None:
    times = model.times or tuple(map(tuple, _TRAINS))
    fired, rows = trials.emitted(model.model(times=times), len(times), max(map(max, times)) + 10.0)
    _marks(axes, fired, rows, SENT, "sent")
    axes.set_yticks(range(len(times)), [", ".join(f"{t:g}" for t in row) + " ms" for row in times], fontsize=7)
    axes.set_title("Every neuron has a list")
    axes.set_ylim(len(times) - 0.4, -0.6)
    _make_room(axes)


def _repeating(axes: Axes, model: ConfiguredModel) -> None:
    trains = [list(row) for row in _TRAINS]
    fired, rows = trials.heard(model, trains, 110.0)
    _marks(axes, np.concatenate(trains), np.repeat(np.arange(4), [len(t) for t in trains]) - 0.17, HEARD, "heard")
    _marks(axes, fired, rows + 0.17, SENT, "sent")
    heights = [k + side for k in range(4) for side in (-0.17, 0.17)]
    axes.set_yticks(heights, ["sent to it", "what it sends"] * 4, fontsize=6.5)
    axes.set_title("What is sent to it arrives 10 ms later")
    axes.set_ylim(3.6, -0.6)
    axes.set_xlim(0, 112)
    _make_room(axes)


def _make_room(axes: Axes) -> None:
    axes.figure.subplots_adjust(left=0.2)


def _random(figure: Figure, model: ConfiguredModel) -> None:
    """Draw a raster, the rate of many over time, and the intervals of single neurons."""
    times, rows = trials.emitted(model, _CROWD, 1000.0)
    if not times.size:
        raise UsageError(f"{model.name} does not fire, so there is no picture of it.")
    raster, rate, intervals = figure.subplots(1, 3, width_ratios=(1.55, 1, 1))
    few = rows < _ROWS
    strokes: dict[str, Any] = {"linestyle": "none", "marker": "|", "markersize": 3.5, "markeredgewidth": 0.9}
    raster.plot(times[few], rows[few], color=SENT, gid="sent", **strokes)
    raster.set_xlabel("time (ms)")
    raster.set_ylabel(f"{_ROWS} neurons")
    raster.set_yticks([])
    raster.set_ylim(_ROWS - 0.2, -0.8)
    raster.set_xlim(0, 1000)
    raster.set_title(_settings(model))
    edges = np.arange(0.0, 1001.0, 5.0)
    hertz = np.histogram(times, edges)[0] / (_CROWD * 5e-3)
    rate.stairs(hertz, edges, baseline=None, color=INK, linewidth=1.0, gid="rate")
    rate.set_ylim(0, 1.25 * hertz.max())
    rate.set_xlim(0, 1000)
    rate.set_xlabel("time (ms)")
    rate.set_ylabel("rate (Hz)")
    rate.set_title(f"Rate, mean of {count(_CROWD)}")
    _intervals(intervals, times, rows)


def _settings(model: ConfiguredModel) -> str:
    """The parameters, in words."""
    units = {p.name: p.unit for p in model.model.parameters}
    words = [f"{name} {value:g} {units[name]}".strip() for name, value in model.parameters.items() if value]
    return ", ".join(words[:3])


def _intervals(axes: Axes, times: NDArray[np.float64], rows: NDArray[np.int64]) -> None:
    order = np.lexsort((times, rows))
    between = np.diff(times[order])[np.diff(rows[order]) == 0]
    edges = np.linspace(0.0, max(float(np.quantile(between, 0.995)), 1.0), 41) if between.size else np.arange(2.0)
    density = np.histogram(between, edges)[0] / (max(between.size, 1) * np.diff(edges)) * 1e3
    axes.stairs(density, edges, color=SENT, fill=True, alpha=0.25, linewidth=0)
    axes.stairs(density, edges, color=SENT, linewidth=1.2, gid="intervals")
    axes.set_xlim(0, edges[-1])
    axes.set_xlabel("interval within 1 s (ms)")
    axes.set_ylabel("density (1/s)")
    axes.set_title("Intervals")
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.7)
    cv = between.std() / between.mean() if between.size else np.nan
    axes.set_title(f"CV {cv:.2f}", loc="right", color=SOFT, fontsize=7.5, fontweight="normal")
