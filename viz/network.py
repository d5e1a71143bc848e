"""The network in space, as it is at one moment: neurons that glow as they fire, and the synapses between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosim.record.archive import NotRecorded
from neurosim.viz.film.movie import Look, of_result
from neurosim.viz.style import DPI, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neurosim.record.result import Result

WIDTH, HEIGHT = 10.0, 6.25  # inches
_FRAMES, _STEP = 12, 20.0  # frames (and ms from one to the next) until the light of spikes is that of the moment


def draw(result: Result, at: float | None = None) -> Figure:
    """Draw the network at a time (ms), by default at the end.

    Raises NotRecorded where there are no neurons to draw, UsageError for a time that the run has not reached.
    """
    from neurosim.viz.live.replay import Replay

    end = result.time_reached if at is None else at
    if not any(result.neurons(name, end).size for name in result.populations):
        raise NotRecorded(f"{result.path.name} has no neurons to draw.")
    replay = Replay(result)
    step = min(_STEP, end / _FRAMES)
    replay.seek(end - _FRAMES * step)
    look = Look(round(WIDTH * DPI), round(HEIGHT * DPI), 1.0, 0.0)
    director = of_result(result, look)
    image = director.image(replay.scene(), replay.frame(end - _FRAMES * step))
    for k in range(1, _FRAMES + 1):
        frame = replay.frame(end - (_FRAMES - k) * step)
        image = director.image(replay.scene(), frame)
    with styled():
        figure = new_figure(WIDTH, HEIGHT)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.imshow(image, interpolation="none", aspect="auto", gid="network")
    return figure
