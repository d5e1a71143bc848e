"""The raster: one row per neuron, one mark per spike, populations stacked in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurosim.viz.activity import Activity, Ids, Run, TimeAxis, Times, read
from neurosim.viz.style import EVENT, FAINT, INK, SOFT, new_figure, note, quiet, styled
from neurosim.viz.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurosim.record.result import Result

ROWS = 300  # neurons that a page can show apart
SPIKES = 200_000  # marks after which more ink shows less: then fewer neurons are chosen, but not below FEW
FEW = 40
CROWD = 8  # populations from which names need the room
_LETTER = 0.0074  # width of a letter of a mark's label, as a share of the axes
_VECTOR = 4_000  # marks up to which vector files keep them as shapes


@dataclass(frozen=True)
class Band:
    """The rows of one population: ``shown`` are the chosen ids; row ``bottom`` holds the last of them."""

    activity: Activity
    shown: Ids
    bottom: float

    @property
    def middle(self) -> float:
        """Height of the label."""
        return self.bottom + self.shown.size / 2

    def points(self) -> tuple[Times, NDArray[np.float64]]:
        """Return the times (ms) and heights of the spikes of the shown neurons; low ids stand high."""
        if not self.shown.size:
            return np.empty(0), np.empty(0)
        place = np.minimum(np.searchsorted(self.shown, self.activity.ids), self.shown.size - 1)
        hit = self.shown[place] == self.activity.ids
        return self.activity.times[hit], self.bottom + self.shown.size - 0.5 - place[hit]


def draw(result: Result) -> Figure:
    """Draw the raster of a result as a figure of its own."""
    run = read(result)
    with styled():
        figure = new_figure(10, 5.6)
        axes = figure.subplots()
        figure.subplots_adjust(left=0.13, right=0.975, top=0.84, bottom=0.1)
        bands = paint(axes, run, rows=2 * ROWS, spikes=2 * SPIKES)
        figure.text(0.02, 0.965, run.name, fontsize=14, fontweight="bold", va="top")
        figure.text(0.02, 0.915, caption(bands), color=SOFT, va="top")
    return figure


def paint(axes: Axes, run: Run, rows: int = ROWS, spikes: int = SPIKES) -> list[Band]:
    """Draw the raster of a run into axes and return what was drawn."""
    time = TimeAxis.of(run.duration)
    bands = choose(run.activities, rows, spikes)
    top = sum(band.shown.size for band in bands) + _gap(bands) * max(len(bands) - 1, 0)
    axes.set_xlim(0, max(run.duration, 1e-9) / time.scale)
    axes.set_ylim(-_gap(bands) / 2, max(top, 1) + _gap(bands) / 2)
    axes.set_xlabel(f"time ({time.unit})")
    quiet(axes, y=False)
    _paint_spikes(axes, bands, time)
    _paint_names(axes, bands)
    paint_marks(axes, run, time)
    if not any(band.activity.times.size for band in bands):
        note(axes, "no spikes" if any(a.recorded for a in run.activities) else "no spikes were recorded")
    return bands


def choose(activities: list[Activity], rows: int = ROWS, spikes: int = SPIKES) -> list[Band]:
    """Choose evenly spaced neurons of every population, silent ones too, within so many rows and spikes."""
    neurons = sum(a.size for a in activities)
    fired = sum(a.times.size for a in activities)
    rows = min(rows, neurons, max(FEW, round(neurons * spikes / max(fired, 1))))
    share, even = rows / max(neurons, 1), max(rows // max(len(activities), 1), 1)
    # Many populations get equal heights; of a few, a small one beside a large one stays visible.
    crowded = len(activities) > CROWD
    wanted = [even if crowded else max(round(a.size * share), even // 4, 1) for a in activities]
    sizes = [min(a.size, number) for a, number in zip(activities, wanted, strict=True)]
    gap = sum(sizes) * min(0.02, 0.15 / max(len(activities), 1)) + 0.5
    bands: list[Band] = []
    bottom = 0.0
    for activity, size in reversed(list(zip(activities, sizes, strict=True))):
        places = np.linspace(0, max(activity.size - 1, 0), size).round().astype(np.intp)
        bands.insert(0, Band(activity, activity.neurons[places], bottom))
        bottom += size + gap
    return bands


def caption(bands: list[Band]) -> str:
    """Say what the raster shows, and what it leaves out."""
    shown = sum(band.shown.size for band in bands)
    neurons = sum(band.activity.size for band in bands)
    if shown == neurons:
        return f"every spike of {count(neurons)} neurons"
    return f"every spike of {count(shown)} evenly chosen neurons out of {count(neurons)}"


def _gap(bands: list[Band]) -> float:
    """Return the empty height between two populations, in rows."""
    return bands[-2].bottom - bands[-1].shown.size if len(bands) > 1 else 0.5


def _paint_spikes(axes: Axes, bands: list[Band], time: TimeAxis) -> None:
    points = [band.points() for band in bands]
    row, size, alpha = _mark_sizes(axes, sum(times.size for times, _ in points))
    strokes = size > 1.5  # where there is room for them, strokes are easier to follow than dots
    for band, (times, heights) in zip(bands, points, strict=True):
        axes.plot(
            times / time.scale,
            heights,
            linestyle="none",
            color=band.activity.colour,
            zorder=2,
            alpha=alpha,
            marker="|" if strokes else "o",
            markersize=min(max(row * 0.85, 1.8 * size), 9.0) if strokes else size,
            markeredgewidth=min(size / 2, 0.9) if strokes else 0.0,
            rasterized=times.size > _VECTOR,
            gid=f"spikes {band.activity.name}",
        )


def _mark_sizes(axes: Axes, spikes: int) -> tuple[float, float, float]:
    """Return the height of a row and a size of marks, in points, and an opacity, so that ink stays alike."""
    low, high = axes.get_ylim()
    place, figure = axes.get_position(), axes.get_figure(root=True)
    wide, tall = (figure.get_size_inches() * 72) if figure else (700.0, 400.0)
    area = place.width * wide * place.height * tall
    size = float(np.clip(np.sqrt(0.05 * area / max(spikes, 1)), 1.0, 2.4))
    alpha = float(np.clip(area / max(spikes, 1), 0.25, 1.0))
    return place.height * tall / max(high - low, 1.0), size, alpha


def _paint_names(axes: Axes, bands: list[Band]) -> None:
    """Name every population at its rows, in its colour, with a bar that spans them."""
    crowded = len(bands) > CROWD
    across = axes.get_yaxis_transform()
    axes.set_yticks([])
    for band in bands:
        ends = [band.bottom, band.bottom + band.shown.size]
        axes.plot(
            [-0.008, -0.008],
            ends,
            transform=across,
            clip_on=False,
            color=band.activity.colour,
            linewidth=3,
            solid_capstyle="butt",
        )
        axes.annotate(
            _short(band.activity.name),
            (-0.016, band.middle),
            xycoords=across,
            ha="right",
            color=band.activity.colour,
            va="center" if crowded else "bottom",
            fontsize=7.5 if crowded else 9,
            fontweight="bold",
            annotation_clip=False,
        )
        if not crowded:
            axes.annotate(
                count(band.activity.size),
                (-0.016, band.middle),
                xycoords=across,
                xytext=(0, -2),
                textcoords="offset points",
                ha="right",
                va="top",
                color=SOFT,
                fontsize=7.5,
            )


def paint_marks(axes: Axes, run: Run, time: TimeAxis, labels: bool = True) -> None:
    """Shade or tick what the protocol did; labels are cut where the next mark begins."""
    above = axes.get_xaxis_transform()
    strong = 1.0 if len(run.marks) <= 12 else 0.45
    free = -1.0  # the first place, as a share of the width, where the next label may begin
    for k, mark in enumerate(run.marks):
        start, stop = mark.start / time.scale, mark.stop / time.scale
        if mark.stop > mark.start:
            axes.axvspan(start, stop, color=EVENT, alpha=0.22, linewidth=0, zorder=0)
        else:
            axes.axvline(start, color=EVENT, linewidth=1.0, alpha=strong, zorder=1)
        if not labels:
            continue
        axes.plot([start], [1.012], marker="v", markersize=4, color=EVENT, transform=above, clip_on=False)
        place = mark.start / max(run.duration, 1e-9)
        after = next((m.start for m in run.marks[k + 1 :] if m.start > mark.start), run.duration)
        room = int((after / max(run.duration, 1e-9) - place) / _LETTER - 2 * (after < run.duration))
        left = after < run.duration or room > min(len(mark.label), 12)
        room = room if left else int((place - max(free, 0.0)) / _LETTER) - 3
        text = _short(mark.label, max(room, 1))
        if place < free or not text.rstrip("…") or room < 4:
            continue
        axes.annotate(text, (start, 1.012), xycoords=above, xytext=(5 if left else -5, 0), textcoords="offset points",
                      ha="left" if left else "right", va="center", fontsize=7.5, color=INK,
                      annotation_clip=False)  # fmt: skip
        free = place + _LETTER * len(text)
    if run.marks and labels:
        axes.spines["bottom"].set_color(FAINT)


def _short(name: str, length: int = 14) -> str:
    return name if len(name) <= length else name[: length - 1].rstrip() + "…"
