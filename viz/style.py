"""How every picture looks: one palette, one set of type sizes, and nothing that carries no data."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from neurosim.errors import NeurosimError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Role = Literal["excitatory", "inhibitory", "source"]

INK = "#1f2933"  # text and data without a colour of their own
SOFT = "#66727f"  # labels, units, everything that explains
FAINT = "#d5dbe1"  # axes and rules
PAPER = "#ffffff"
GOOD, BAD, PENDING = "#1b7f5c", "#b3261e", "#8a6d1f"
EVENT = "#e9b949"  # protocol entries on the time axis

# A vermilion and a blue: far apart for every common kind of colour blindness. Further populations of a role
# walk away from the first in hue and lightness, warm with warm and cool with cool.
_FAMILIES: Mapping[Role, tuple[str, ...]] = {
    "excitatory": ("#d1495b", "#e07a3f", "#a3324a", "#e8a33d", "#7d2240", "#f08a7b"),
    "inhibitory": ("#2f6f9f", "#2a9d8f", "#1d4570", "#6aaed6", "#14746f", "#8187c9"),
    "source": ("#7a8490", "#a39a8b", "#59636e", "#b5bcc4", "#8c7f6d", "#474f58"),
}

ACTIVITY = LinearSegmentedColormap.from_list(
    "neurosim_activity", ["#f7f8fa", "#fbe3c8", "#f4b183", "#e0705a", "#b03060", "#5e1a54", "#260d33"]
)

_RC: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 7,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "pdf.fonttype": 42,  # text stays text
    "svg.fonttype": "none",
}

DPI = 160  # of pictures made of pixels, and of the dots inside vector ones


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the house style; matplotlib's own settings are as they were afterwards."""
    with mpl.rc_context(_RC):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of ``width`` × ``height`` inches that no global state knows about."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI)


def titled_figure(name: str, about: str) -> Figure:
    """Return the small figure of a gallery: a name, what it is, and room below for a row of panels."""
    from matplotlib.text import Annotation

    figure = new_figure(8.2, 2.9)
    title = figure.text(0.012, 0.975, name, fontsize=11.5, fontweight="bold", va="top")
    room = (7.9 - 0.112 * len(name)) / 0.058  # characters; the name's are wider
    size = 8.0 * min(max(room / max(len(about), 1), 0.8), 1.0)
    short = about if len(about) <= room * 8.0 / size else f"{about[: int(room * 8.0 / size) - 1]}…"
    figure.add_artist(Annotation(
        short, (1, 0), xycoords=title, xytext=(7, 1.5), textcoords="offset points", color=SOFT, fontsize=size,
        va="bottom",
    ))  # fmt: skip
    return figure


def save(figure: Figure, path: str | PathLike[str]) -> None:
    """Write a figure; the suffix names the format (png, pdf, svg …).

    Raises
    ------
    NeurosimError : the format is unknown or the file cannot be written.
    """
    try:
        with styled():
            figure.savefig(path, dpi=DPI)
    except ValueError as failure:
        raise NeurosimError(f"cannot draw to {path}: {str(failure).splitlines()[0]}") from failure
    except OSError as failure:
        raise NeurosimError(f"cannot write {path}: {failure.strerror or failure}") from failure


def colours(roles: Mapping[str, Role]) -> dict[str, str]:
    """Give each population a colour of its role's family, in order; the same input gives the same colours."""
    seen: dict[Role, int] = {}
    given = {}
    for name, role in roles.items():
        given[name] = _member(_FAMILIES[role], seen.get(role, 0))
        seen[role] = seen.get(role, 0) + 1
    return given


def _member(family: Sequence[str], index: int) -> str:
    """Return colour ``index`` of a family; after the last it starts again, a little lighter or darker."""
    turn, place = divmod(index, len(family))
    hue, light, saturation = colorsys.rgb_to_hls(*to_rgb(family[place]))
    light = min(0.8, max(0.2, light + (0.13 if turn % 2 else -0.13) * ((turn + 1) // 2)))
    red, green, blue = colorsys.hls_to_rgb(hue, light, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def quiet(axes: Axes, *, x: bool = True, y: bool = True) -> None:
    """Take away the ticks and the line of an axis that says nothing."""
    if not x:
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="x", length=0, labelbottom=False)
    if not y:
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)


def note(axes: Axes, text: str, *, x: float = 0.5, y: float = 0.5, **more: Any) -> None:
    """Write a remark in axes coordinates, where data would stand or beside it."""
    style: dict[str, Any] = {"ha": "center", "va": "center", "color": SOFT, "fontsize": 9} | more
    axes.text(x, y, text, transform=axes.transAxes, **style)
