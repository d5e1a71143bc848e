"""The column of a summary page that is read, not seen: sizes, counts, speed, and what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurosim.viz.style import BAD, FAINT, GOOD, INK, PENDING, SOFT
from neurosim.viz.words import sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE = 0.0265  # height of a line, as a share of a column as high as the page


@dataclass(frozen=True)
class Column:
    """A cursor that writes rows into an empty axes, from the top."""

    axes: Axes
    cursor: list[float]

    def heading(self, text: str) -> None:
        """Write a heading over a rule."""
        if self.cursor[0] < 1.0:
            self.cursor[0] -= LINE * 0.8
        self._write(0.0, text, fontweight="bold", fontsize=9.5)
        self.axes.plot([0, 1], [self.cursor[0] - LINE * 0.42] * 2, color=FAINT, linewidth=0.8, clip_on=False)
        self.cursor[0] -= LINE * 1.35

    def row(self, label: str, value: str, colour: str = INK) -> None:
        """Write a name and its value, the value flush right."""
        self._write(0.0, label, color=SOFT)
        self._write(1.0, value, ha="right", color=colour)
        self.cursor[0] -= LINE

    def remark(self, text: str, colour: str = SOFT, size: float = 7.5) -> None:
        """Write a line of small print."""
        self._write(0.0, text, color=colour, fontsize=size)
        self.cursor[0] -= LINE

    @property
    def room(self) -> int:
        """Number of lines that still fit."""
        return int(self.cursor[0] / LINE)

    def _write(self, x: float, text: str, **more: Any) -> None:
        style: dict[str, Any] = {"fontsize": 8.5, "va": "center", "color": INK} | more
        self.axes.text(x, self.cursor[0], text, **style)


def new_column(axes: Axes) -> Column:
    """Turn axes into a column."""
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return Column(axes, [1.0])


def verdict(outcome: Mapping[str, Any]) -> tuple[str, str]:
    """Return the sign and the colour for the outcome of an expectation."""
    colour = {"held": GOOD, "failed": BAD}.get(str(outcome.get("status")), PENDING)
    return sign(outcome), colour
