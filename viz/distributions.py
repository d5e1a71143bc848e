"""How the neurons of a population differ: rates and the irregularity of their spike trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from neurosim.viz.activity import Activity, Run, Times, interval_cv, neuron_rates
from neurosim.viz.style import FAINT, SOFT, note, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OUTLINES = 4  # populations whose histograms can lie over one another
ENOUGH = 5  # spikes of a neuron from which its intervals are worth a number


def paint_rates(axes: Axes, run: Run) -> None:
    """Draw the distribution of the neurons' rates over the whole run."""
    axes.set_title("Rate per neuron")
    if len(run.activities) <= OUTLINES:
        axes.set_title("▲ mean", loc="right", color=SOFT, fontsize=7.5, fontweight="normal")
    _paint(axes, run, neuron_rates, "rate (Hz)", "no spikes", 1e3 / max(run.duration, 1e-9))


def paint_irregularity(axes: Axes, run: Run) -> None:
    """Draw the distribution of the CV of interspike intervals: 0 is a clock, 1 a Poisson process."""
    axes.set_title("Irregularity")
    axes.set_title(f"neurons with ≥ {ENOUGH} spikes", loc="right", color=SOFT, fontsize=7.5, fontweight="normal")
    empty = f"no neuron fired {ENOUGH} times"
    if _paint(axes, run, lambda activity: interval_cv(activity, ENOUGH), "CV of interspike intervals", empty):
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, 0.0), max(high, 1.15))
        axes.axvline(1.0, color=SOFT, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
        axes.annotate(
            "Poisson",
            (1.0, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, -1),
            color=SOFT,
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7,
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85},
        )
        axes.locator_params(axis="x", nbins=6)


def _paint(
    axes: Axes, run: Run, measure: Callable[[Activity], Times], label: str, empty: str, quantum: float = 0.0
) -> bool:
    """Draw one distribution per population; return False where there is nothing to draw.

    ``quantum`` is the step between possible values: bins of a whole number of steps show no gaps that are not there.
    """
    recorded = [activity for activity in run.activities if activity.recorded]
    values = [(activity, measure(activity)) for activity in recorded]
    axes.set_xlabel(label)
    if not any(v.size and v.max() > 0 for _, v in values):
        axes.set_xticks([])
        axes.set_yticks([])
        quiet(axes, y=False)
        note(axes, empty)
        return False
    if len(values) <= OUTLINES:
        _histograms(axes, values, quantum)
    else:
        _spreads(axes, values)
    return True


def _histograms(axes: Axes, values: list[tuple[Activity, Times]], quantum: float) -> None:
    """Draw outlines over a common set of bins, in percent of each population's neurons."""
    edges = _edges(np.concatenate([v for _, v in values]), quantum)
    for activity, v in values:
        if not v.size:
            continue
        percent = np.histogram(np.minimum(v, 0.5 * (edges[-2] + edges[-1])), edges)[0] * (100.0 / v.size)
        axes.stairs(percent, edges, color=activity.colour, fill=True, alpha=0.16, linewidth=0)
        axes.stairs(percent, edges, color=activity.colour, linewidth=1.3, gid=f"histogram {activity.name}")
        axes.plot([v.mean()], [0], marker="^", markersize=5, color=activity.colour, clip_on=False, zorder=5)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, 1.12 * axes.get_ylim()[1])
    axes.set_ylabel("% of neurons")
    axes.locator_params(axis="y", nbins=4)
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.7)


def _spreads(axes: Axes, values: list[tuple[Activity, Times]]) -> None:
    """Draw, for many populations, a row each: 5 to 95 % thin, the middle half thick, the median as a dot."""
    for row, (activity, v) in enumerate(values):
        if not v.size:
            continue
        q = np.quantile(v, [0.05, 0.25, 0.5, 0.75, 0.95])
        axes.plot(q[[0, 4]], [row, row], color=activity.colour, linewidth=1.0, solid_capstyle="butt")
        axes.plot(q[[1, 3]], [row, row], color=activity.colour, linewidth=3.5, solid_capstyle="butt")
        axes.plot(
            q[[2]],
            [row],
            marker="o",
            markersize=3.4,
            color="white",
            markeredgecolor=activity.colour,
            markeredgewidth=1.0,
        )
    axes.set_ylim(len(values) - 0.4, -0.8 - 0.1 * len(values))
    axes.set_yticks(range(len(values)), [activity.name for activity, _ in values])
    quiet(axes, y=False)
    for tick, (activity, _) in zip(axes.get_yticklabels(), values, strict=True):
        tick.set(color=activity.colour, fontsize=min(7.5, 110 / len(values)))
    axes.set_xlim(min(axes.get_xlim()[0], 0.0), None)
    axes.grid(axis="x", color=FAINT, linewidth=0.5, alpha=0.7)


def _edges(values: Times, quantum: float) -> Times:
    """Return the edges of enough bins to see a shape, few enough to see no noise; from 0 where values come near it."""
    low, high, most = float(values.min()), float(values.max()), float(np.quantile(values, 0.999))
    high = high if high < 1.3 * most else most  # a lone outlier is counted in the last bin
    low = 0.0 if low < 0.35 * high else low
    high = max(high, low * 1.2, low + 1e-6)
    width = (high - low) / np.clip(round(2 * values.size ** (1 / 3)), 8, 40)
    if quantum:
        width = max(round(width / quantum), 1) * quantum
    bins = np.ceil((high - low) / width * (1 + 1e-9))
    return np.asarray(low + np.arange(bins + 1) * width - 1e-9 * quantum)
