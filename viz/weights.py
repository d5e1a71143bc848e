"""Weights: how those of each projection are distributed, and how that moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.viz import values

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neurosim.record.result import Result


def draw(result: Result) -> Figure:
    """Draw the weights of a result; raises NotRecorded where none are known."""
    return values.draw(result, "weight")
