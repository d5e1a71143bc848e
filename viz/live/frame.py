"""What a renderer is given: a scene, and frame after frame what has changed.

Neurons are drawn by *index*, their place in the scene's arrays; an index is never given to another neuron within one
version of the scene. Synapses are drawn by *slot*: of a network with more of them than the budget allows only some
are drawn, and a slot may be given to another synapse later. A renderer that keeps buffers applies the changes of each
frame; one that does not asks for the scene again. When `Frame.version` is not the scene's, it must do so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PopulationLook:
    """A population: its name, model, colour (``#rrggbb``, for dark ground) and what it does to others."""

    name: str
    model: str
    role: str
    colour: str


@dataclass(frozen=True)
class ProjectionLook:
    """A projection between populations (by number), onto a receptor; its weights are in ``unit``."""

    name: str
    source: int
    target: int
    receptor: str
    unit: str


class Neurons(NamedTuple):
    """Neurons, arrays of equal length in the order of their indices."""

    id: NDArray[np.uint32]
    population: NDArray[np.uint16]
    module: NDArray[np.uint16]
    position: NDArray[np.float32]  # (n, 3), um
    born: NDArray[np.float64]  # ms
    alive: NDArray[np.uint8]


class Synapses(NamedTuple):
    """Synapses that are drawn, arrays of equal length; ``pre`` and ``post`` are indices of neurons."""

    slot: NDArray[np.uint32]
    id: NDArray[np.uint64]
    projection: NDArray[np.uint16]
    pre: NDArray[np.uint32]
    post: NDArray[np.uint32]
    weight: NDArray[np.float32]
    delay: NDArray[np.float32]  # ms
    born: NDArray[np.float64]  # ms; 0 for what was there when the watching began


class Hidden(NamedTuple):
    """Slots whose synapses are drawn no more: because they ``died``, or to make room for more active ones."""

    slot: NDArray[np.uint32]
    died: NDArray[np.uint8]


class SynapseValues(NamedTuple):
    """Weights and delays of drawn synapses that may have changed."""

    slot: NDArray[np.uint32]
    weight: NDArray[np.float32]
    delay: NDArray[np.float32]  # ms


@dataclass(frozen=True)
class Scene:
    """Everything that is drawn, as it is at ``time`` (ms).

    ``slots`` is how many slots there are for synapses, ``total`` how many synapses the network has; where that is
    more than are drawn, ``sampled`` is True.
    """

    version: int
    time: float
    populations: tuple[PopulationLook, ...]
    projections: tuple[ProjectionLook, ...]
    modules: tuple[str, ...]
    neurons: Neurons
    synapses: Synapses
    slots: int
    total: int

    @property
    def sampled(self) -> bool:
        """Whether only some of the synapses are drawn."""
        return self.total > self.synapses.slot.size


@dataclass(frozen=True)
class Frame:
    """What happened after ``before`` and until ``time`` (ms).

    ``spike_time`` (ms, ascending) and ``spike_neuron`` (indices) are the spikes, of very many a part: ``spikes`` says
    how many there were. ``activity`` (uint8, an entry per index) is a glow that each spike lights and that fades.
    ``rates`` (Hz) and ``neurons`` are per population, ``synapses`` per projection, ``births`` and ``deaths`` count
    neurons and synapses since the frame before.
    """

    version: int
    time: float
    before: float
    spikes: int
    spike_time: NDArray[np.float64]
    spike_neuron: NDArray[np.uint32]
    activity: NDArray[np.uint8]
    rates: NDArray[np.float32]
    neurons: NDArray[np.int64]
    synapses: NDArray[np.int64]
    births: tuple[int, int]
    deaths: tuple[int, int]
    born: Neurons  # they follow the neurons that were there
    died: NDArray[np.uint32]  # indices
    hidden: Hidden  # before `shown`: a slot may be used again at once
    shown: Synapses
    values: SynapseValues
    caption: str = ""
    traces: dict[str, Any] = field(default_factory=dict)


def merged(frames: list[Frame]) -> Frame:
    """Several frames of one version, one after the other, as one: for a viewer that could not follow."""
    first, last = frames[0], frames[-1]
    if len(frames) == 1:
        return first
    kept = _last_shown(frames)
    return Frame(
        last.version, last.time, first.before,
        sum(frame.spikes for frame in frames),
        np.concatenate([frame.spike_time for frame in frames]),
        np.concatenate([frame.spike_neuron for frame in frames]),
        last.activity, last.rates, last.neurons, last.synapses,
        (sum(frame.births[0] for frame in frames), sum(frame.births[1] for frame in frames)),
        (sum(frame.deaths[0] for frame in frames), sum(frame.deaths[1] for frame in frames)),
        Neurons._make(map(np.concatenate, zip(*(frame.born for frame in frames), strict=True))),
        np.concatenate([frame.died for frame in frames]),
        *kept,
        last.caption,
        {name: [*first.traces.get(name, []), *trace] for name, trace in last.traces.items()} if last.traces else {},
    )  # fmt: skip


def thinned(frame: Frame, most: int) -> Frame:
    """A frame with at most so many of its spikes, evenly chosen."""
    n = frame.spike_time.size
    if n <= most:
        return frame
    some = np.arange(most) * n // most
    return replace(frame, spike_time=frame.spike_time[some], spike_neuron=frame.spike_neuron[some])


def _last_shown(frames: list[Frame]) -> tuple[Hidden, Synapses, SynapseValues]:
    """What the slots of several frames come to hold, the last word of each."""
    hidden = Hidden._make(map(np.concatenate, zip(*(frame.hidden for frame in frames), strict=True)))
    shown = Synapses._make(map(np.concatenate, zip(*(frame.shown for frame in frames), strict=True)))
    values = SynapseValues._make(map(np.concatenate, zip(*(frame.values for frame in frames), strict=True)))
    turn_shown = np.repeat(np.arange(len(frames)), [frame.shown.slot.size for frame in frames])
    turn_hidden = np.repeat(np.arange(len(frames)), [frame.hidden.slot.size for frame in frames])
    # In a frame hiding comes first: so what was hidden later than it was last shown is not shown.
    at = {int(slot): int(turn) for slot, turn in zip(hidden.slot, turn_hidden, strict=True)}
    newest = {int(slot): k for k, slot in enumerate(shown.slot)}
    keep = np.array([k for slot, k in newest.items() if at.get(slot, -1) <= turn_shown[k]], np.int64)
    return hidden, Synapses._make(column[keep] for column in shown), values
