"""The picture of a rule that acts periodically: what becomes of a weight in the course of many periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurosim.viz import pairs
from neurosim.viz.style import FAINT, INK
from neurosim.viz.words import span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurosim.models.rules import ConfiguredRule

PERIODS = 1000
_BEGIN, _MOVED = 0.3, 0.8  # the weight, and what something else has made of it
_OTHERS = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95)
_RATES = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0)  # Hz, of the target
_COLOURS = ("#5e1a54", "#8c2f5d", "#b5485a", "#d1694f", "#e08a45", "#e8a33d", "#c9b458", "#9fb86a")


def draw(rule: ConfiguredRule, axes: list[Axes]) -> None:
    """Fill three panels: a weight that was moved, others moved by more or less, and targets of different rates."""
    bound, unit = pairs.stand_in(rule)
    period = bound.period or 1.0
    left, middle, right = axes
    shown = ["weight", *(v.name for v in bound.variables if v.unit == unit and unit)]
    moved = pairs.course(rule, [_BEGIN], [0.0], shown, PERIODS, period, moved=_MOVED)
    for name, values, colour in zip(shown, moved, (INK, *_COLOURS), strict=False):
        width = 1.8 if name == "weight" else 1.2
        left.plot(np.arange(values.shape[0]) + 1, values[:, 0], color=colour, label=name, linewidth=width)
    left.set_title("Moved by something else")
    left.legend(loc="upper right", fontsize=6.5, handlelength=1.0, labelspacing=0.2, ncols=2)
    left.set_ylim(_BEGIN - 0.05, _MOVED + 0.18)
    n = len(_OTHERS)
    course, slow = pairs.course(rule, [_BEGIN] * n, [0.0] * n, [shown[0], shown[-1]], PERIODS, period, moved=_OTHERS)
    for k, colour in enumerate(_COLOURS[:n]):
        middle.plot(np.arange(course.shape[0]) + 1, course[:, k], color=colour)
        if len(shown) == 2:
            middle.plot(np.arange(slow.shape[0]) + 1, slow[:, k], color=colour, linewidth=1.0, linestyle="--")
    middle.set_title("Moved by more or less")
    middle.set_ylabel("weight")
    for panel in (left, middle):
        panel.set_xscale("log")
        panel.set_xlabel(f"periods of {span(period)}")
    left.set_ylabel("weight")
    (course,) = pairs.course(rule, [_BEGIN] * len(_RATES), _RATES, ["weight"], PERIODS, period)
    right.plot(_RATES, 100.0 * (course[-1] / _BEGIN - 1.0), color=INK, marker="o", markersize=3)
    right.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    right.set_title(f"After {PERIODS} periods")
    right.set_xlabel("rate of the target (Hz)")
    right.set_ylabel("change (% of the weight)")
