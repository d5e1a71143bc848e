"""What a picture remembers from image to image: who glows, what was just born, what just died, what is on its way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.viz.film import light
from neurosim.viz.live.frame import Frame, Neurons, Scene, Synapses

COOL = 0.62  # what is left of a neuron's light in the next image
FADE = 0.80  # of what was born, has died or was lit
_GROUPS = {
    "excitatory": ("#ffc15e", "#f6a5c0", "#e0e36b"),
    "inhibitory": ("#5fe0c6", "#9db4ff", "#b48cff"),
    "source": ("#e6e2d8", "#c9d6df", "#d9c7a8"),
}

Floats = NDArray[np.float32]
Places = NDArray[np.int64]


class State:
    """The network as it is drawn, in columns by the index of a neuron and by the slot of a synapse.

    Attributes
    ----------
    heat, young : light of the spikes of a neuron; how new it is, from 1.
    pre, post, weight, delay, used : of the synapse in each slot.
    flash, lit : how new a synapse is; how lately its source has fired.
    dying : sources, targets and freshness of synapses that have died lately.
    under_way : times (ms) and neurons of spikes that may still be on their way.
    span : the time (ms) from the image before to this one.
    looks : linear light of each module, (n, 3).
    """

    neurons: Neurons
    heat: Floats
    young: Floats
    pre: Places
    post: Places
    weight: Floats
    delay: Floats
    used: NDArray[np.bool_]
    flash: Floats
    lit: Floats
    dying: list[tuple[Places, Places, float]]
    under_way: list[tuple[NDArray[np.float64], Places]]
    span: tuple[float, float]
    looks: Floats
    spacing: float

    def __init__(self) -> None:
        self.version = -1

    def take(self, scene: Scene, frame: Frame) -> bool:
        """Take over what a frame says, or, where indices have changed, all that is there; whether it was all."""
        if frame.version != self.version:
            self._begin(scene)
            self.heat = np.asarray(frame.activity / np.float32(255), np.float32)
            self.span = (frame.before, frame.time)
            return True
        self.heat, self.young = COOL * self.heat, FADE * self.young
        self.flash *= FADE
        self.lit *= FADE
        self.dying = [(pre, post, FADE * age) for pre, post, age in self.dying if age > 0.03]
        if frame.born.id.size:
            pairs: list[Any] = list(zip(self.neurons, frame.born, strict=True))
            self.neurons = Neurons._make(np.concatenate(pair) for pair in pairs)
            self.young = np.concatenate([self.young, np.ones(frame.born.id.size, np.float32)])
            self.heat = np.concatenate([self.heat, np.zeros(frame.born.id.size, np.float32)])
        self.neurons.alive[frame.died] = 0
        dead = frame.hidden.slot[frame.hidden.died.astype(bool)]
        if dead.size:
            self.dying.append((self.pre[dead], self.post[dead], 1.0))
        self.used[frame.hidden.slot] = False
        self._put(frame.shown)
        self.flash[frame.shown.slot[frame.shown.born > frame.before]] = 1.0
        self.weight[frame.values.slot], self.delay[frame.values.slot] = frame.values.weight, frame.values.delay
        self._fire(frame)
        return False

    def _begin(self, scene: Scene) -> None:
        n = scene.neurons.id.size
        self.version = scene.version
        self.looks = np.array([light.linear(colour) for colour in module_colours(scene)], np.float32).reshape(-1, 3)
        self.neurons = Neurons._make(column.copy() for column in scene.neurons)
        self.heat = np.zeros(n, np.float32)
        self.young = np.zeros(n, np.float32)
        self.pre, self.post = (np.zeros(scene.slots, np.int64) for _ in range(2))
        self.weight, self.delay = (np.zeros(scene.slots, np.float32) for _ in range(2))
        self.used = np.zeros(scene.slots, bool)
        self.flash, self.lit = (np.zeros(scene.slots, np.float32) for _ in range(2))
        self.dying = []
        self.under_way = []
        self.spacing = _spacing(self.neurons)
        self._put(scene.synapses)

    def _put(self, synapses: Synapses) -> None:
        slot = synapses.slot
        self.pre[slot], self.post[slot] = synapses.pre, synapses.post
        self.weight[slot], self.delay[slot] = synapses.weight, synapses.delay
        self.used[slot] = True
        self.flash[slot] = self.lit[slot] = 0.0

    def _fire(self, frame: Frame) -> None:
        """Heat the neurons that fired, light what they send to, and keep the spikes that may still be on their way."""
        self.span = (frame.before, frame.time)
        longest = float(self.delay[self.used].max(initial=0.0))
        times, neurons = frame.spike_time, frame.spike_neuron.astype(np.int64)
        kept = [(t[t > frame.before - longest], n[t > frame.before - longest]) for t, n in self.under_way]
        self.under_way = [*(pair for pair in kept if pair[0].size), (times, neurons)]
        fired = np.bincount(neurons, minlength=self.neurons.id.size).astype(np.float32)
        self.heat += fired
        used = np.flatnonzero(self.used)
        self.lit[used] = np.minimum(self.lit[used] + fired[self.pre[used]], 1.5)

    def glow(self) -> Floats:
        """The light of each neuron, 0 to 1, beside that of the others: where all fire, those that fire most."""
        alive = self.neurons.alive.astype(bool)
        usual = float(self.heat[alive].mean()) if alive.any() else 0.0
        return np.asarray(np.minimum(1.4 * self.heat / (self.heat + 1.0 + 2.0 * usual), 1.0), np.float32)

    def on_their_way(self, most: int) -> tuple[Places, NDArray[np.float64], NDArray[np.float64]]:
        """Slots of synapses along which spikes run now, and from where to where since the image before (0 to 1)."""
        times, sources = (np.concatenate(column) for column in zip(*self.under_way, strict=True))
        used = np.flatnonzero(self.used)
        used = used[np.argsort(self.pre[used], kind="stable")]
        starts, ends = np.searchsorted(self.pre[used], sources), np.searchsorted(self.pre[used], sources, side="right")
        number = ends - starts
        each = np.repeat(np.arange(sources.size), number)
        within = np.arange(each.size) - np.repeat(np.cumsum(number) - number, number)
        slot = used[np.repeat(starts, number) + within]
        if slot.size > most:
            some = np.arange(most) * slot.size // most
            slot, each = slot[some], each[some]
        delay = np.maximum(self.delay[slot], 1e-3)
        begin, end = (np.clip((moment - times[each]) / delay, 0.0, 1.0) for moment in self.span)
        moving = end > begin
        return slot[moving], begin[moving], end[moving]


def module_colours(scene: Scene) -> list[str]:
    """A colour for every module: a population's own, and for its groups others of its family."""
    colours = [look.colour for look in scene.populations]
    owner = dict(zip(scene.neurons.module.tolist(), scene.neurons.population.tolist(), strict=True))
    groups = [0] * len(colours)
    for number in range(len(colours), len(scene.modules)):
        population = owner.get(number, 0)
        family = _GROUPS[scene.populations[population].role]
        colours.append(family[groups[population] % len(family)])
        groups[population] += 1
    return colours


def _spacing(neurons: Neurons) -> float:
    """About how far neurons lie apart (um)."""
    alive = neurons.position[neurons.alive.astype(bool)]
    if len(alive) < 2:
        return 30.0
    extent = np.sort(np.ptp(alive, axis=0))[::-1]
    filled = extent[extent > 0.05 * max(float(extent[0]), 1e-9)]
    return float((np.prod(filled.astype(np.float64)) / len(alive)) ** (1 / filled.size)) if filled.size else 30.0
