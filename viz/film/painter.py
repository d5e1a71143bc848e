"""From scenes and frames to images: neurons that glow, synapses that are born and die, spikes under way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.viz.film import light
from neurosim.viz.film.camera import Camera, Projected
from neurosim.viz.film.state import State
from neurosim.viz.live.frame import Frame, Scene

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

NIGHT, DUSK = "#04060c", "#101a30"  # the ground: at the edge, and behind the network
BORN, LOST = light.linear("#b9ffd9"), light.linear("#ff5fd2")
_SLEEP, _WAKE = 0.24, 1.9  # the light of a neuron that is silent, and what a spike adds
_INK = 0.042  # light of synapses per pixel of the picture, however many there are
_STREAKS = 12_000  # spikes on their way, at most, in one image


class Painter:
    """Paints what it has been shown: `advance` takes a frame and the scene after it, `paint` makes an image."""

    def __init__(self, width: int = 1280, height: int = 720) -> None:
        self.width, self.height = width, height
        self.state = State()
        self._ground = _ground(width, height)

    def advance(self, scene: Scene, frame: Frame) -> None:
        """Take over what a frame says."""
        self.state.take(scene, frame)

    def paint(self, camera: Camera) -> Image:
        """Return an image of (height, width, 3) bytes."""
        picture = self._ground.copy()
        seen = camera.project(self.state.neurons.position, self.width, self.height)
        self._paint_synapses(picture, seen)
        self._paint_deaths(picture, seen)
        self._paint_spikes(picture, seen)
        self._paint_neurons(picture, seen)
        return light.expose(picture)

    def _paint_neurons(self, picture: Floats, seen: Projected) -> None:
        state = self.state
        alive = state.neurons.alive.astype(bool)
        glow, young = state.glow()[alive], state.young[alive]
        white = np.minimum(0.34 * glow**2 + 0.8 * young, 0.9)[:, None]
        strength = (_SLEEP + _WAKE * glow**1.6 + 2.0 * young) * (0.35 + 0.85 * seen.nearness[alive])
        colour = (state.looks[state.neurons.module[alive]] * (1 - white) + white) * strength[:, None]
        width = np.clip(0.040 * state.spacing * seen.scale[alive], 0.8, 5.0) * (1.0 + 0.35 * glow + 0.5 * young)
        parts = (seen.x[alive], seen.y[alive], width, colour)
        light.sprites(picture, *(np.ascontiguousarray(part, np.float32) for part in parts))

    def _paint_synapses(self, picture: Floats, seen: Projected) -> None:
        """Draw all synapses, brighter where they were just born or their source has just fired."""
        state = self.state
        used = np.flatnonzero(state.used)
        pre, post = state.pre[used], state.post[used]
        weight = np.abs(state.weight[used])
        heavy = float(np.quantile(weight, 0.95)) if weight.size else 0.0
        covered = float(np.hypot(seen.x[pre] - seen.x[post], seen.y[pre] - seen.y[post]).sum())
        ink = min(_INK * self.width * self.height / max(covered, 1.0), 0.16)
        inks = ink * (0.45 + 0.55 * np.minimum(weight / (heavy or 1.0), 1.0)) * (0.25 + 1.1 * seen.nearness[pre])
        source, lit, flash = state.looks[state.neurons.module[pre]], state.lit[used], state.flash[used]
        inks /= 0.3 + 0.7 * (1.0 + 1.6 * float(lit.mean())) if lit.size else 1.0  # nor where all neurons fire at once
        flash = flash * min(0.30, 60.0 / max(float(flash.sum()), 1.0))  # where very many are born it must not blind
        first = source * (inks * (1.0 + 3.2 * lit))[:, None] + np.outer(flash, BORN)
        last = source * (inks * (0.35 + 1.6 * lit))[:, None] + np.outer(0.7 * flash, BORN)
        _lines(picture, seen.x[pre], seen.y[pre], seen.x[post], seen.y[post], first, last)

    def _paint_deaths(self, picture: Floats, seen: Projected) -> None:
        for pre, post, age in self.state.dying:
            shared = min(0.26, 60.0 / max(pre.size, 1)) * age
            colour = np.tile(np.array(LOST, np.float32) * shared, (pre.size, 1))
            _lines(picture, seen.x[pre], seen.y[pre], seen.x[post], seen.y[post], colour, colour)

    def _paint_spikes(self, picture: Floats, seen: Projected) -> None:
        """Draw the part of their way that spikes have gone since the image before, as bright streaks."""
        state = self.state
        if not state.under_way:
            return
        slot, begin, end = state.on_their_way(_STREAKS)
        pre, post = state.pre[slot], state.post[slot]
        x, y, dx, dy = seen.x[pre], seen.y[pre], seen.x[post] - seen.x[pre], seen.y[post] - seen.y[pre]
        shared = min(0.35, 130.0 / max(slot.size, 1)) * (0.3 + seen.nearness[pre])
        colour = (0.45 + 0.55 * state.looks[state.neurons.module[pre]]) * shared[:, None]
        _lines(picture, x + begin * dx, y + begin * dy, x + end * dx, y + end * dy, 0.2 * colour, colour)


def _lines(picture: Floats, *parts: NDArray[np.floating]) -> None:
    light.strokes(picture, *(np.ascontiguousarray(part, np.float32) for part in parts))


def _ground(width: int, height: int) -> Floats:
    """A night that is a little lighter in the middle."""
    down, along = np.mgrid[0:height, 0:width]
    away = np.hypot((along - width / 2) / width, (down - height / 2) / height)
    share = np.exp(-((away / 0.42) ** 2))[..., None]
    return np.asarray(share * light.linear(DUSK) + (1 - share) * light.linear(NIGHT), np.float32)
