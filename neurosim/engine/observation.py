"""What can be asked of a running simulation: recorders and rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.engine.rates import RateMeter
from neurosim.engine.recorders import SpikeRecorder, StateRecorder, SynapseRecorder
from neurosim.engine.schedule import Order, Schedule
from neurosim.engine.signals import Following
from neurosim.engine.targets import Neurons, neurons_of, population_of, projection_of
from neurosim.errors import UsageError
from neurosim.graph.groups import Group
from neurosim.graph.network import Network
from neurosim.graph.population import Population
from neurosim.graph.projection import Projection
from neurosim.units import quantity

_MOST_STEPS = 2**62

Listener = Callable[[NDArray[np.int64], NDArray[np.uint32]], Any]


class Observation:
    """The observing side of a :class:`Simulation`, which knows the time."""

    network: Network
    dt: float
    step: int
    schedule: Schedule
    _happened: bool

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}  # ours: recorders and meters
        self._observers: dict[str, list[Listener]] = {}  # the user's, which may fail
        self._meters: dict[tuple[str, int], RateMeter] = {}
        self._followings: dict[tuple[str, int, str], Following] = {}
        self.captions: list[tuple[float, str]] = []  # (ms, what is said from then on)

    @property
    def time(self) -> float:
        """Simulated time in ms."""
        return self.step * self.dt

    def steps(self, duration: Any, what: str = "duration") -> int:
        """A duration (ms or a quantity) in time steps."""
        value = quantity(duration, "ms", what)
        if value < 0.0:
            raise UsageError(f"{what} is {value:g} ms; time does not run backwards.")
        if value / self.dt > _MOST_STEPS:
            raise UsageError(f"{what} is {value:g} ms, more time steps of {self.dt:g} ms than can be counted.")
        return math.floor(value / self.dt + 0.5)

    def _period(self, period: Any, what: str) -> int:
        """A period in time steps, at least one."""
        steps = self.steps(period, what)
        if steps < 1:
            raise UsageError(f"{what} is less than a time step ({self.dt:g} ms); found {period!r}.")
        return steps

    def caption(self, text: str) -> None:
        """Say what happens from now on: shown by whoever draws and kept in the result, no part of what is simulated."""
        self.captions.append((self.time, str(text)))

    def _listen(self, target: Population | Group, listener: Listener, listeners: dict[str, list[Listener]]) -> None:
        listeners.setdefault(population_of(target).name, []).append(listener)

    def record_spikes(self, target: Neurons) -> SpikeRecorder:
        """Record the spikes of a population or group from now on."""
        recorder = SpikeRecorder(neurons_of(self.network, target), self.dt)
        self._listen(recorder.target, recorder.take, self._listeners)
        return recorder

    def record_state(
        self, population: Population | str, variables: str | Sequence[str], select: Any = "all", every: Any = "1 ms"
    ) -> StateRecorder:
        """Sample state variables now and ``every`` so often (ids, a group, "all" or an expression select)."""
        neurons = neurons_of(self.network, population)
        if isinstance(neurons, Group):
            raise UsageError(f"'{neurons.name}' is a group; write record_state(population, …, select=group).")
        recorder = StateRecorder(neurons, variables, select)
        self._sample(recorder, every)
        return recorder

    def record_synapses(
        self,
        projection: Projection | str,
        variables: str | Sequence[str] = ("weight", "delay"),
        every: Any = "1 s",
        sample: Any = None,
    ) -> SynapseRecorder:
        """Sample synapses now and ``every`` so often: all, a random ``sample`` of that many, or those given by id."""
        recorder = SynapseRecorder(projection_of(self.network, projection), variables, sample)
        self._sample(recorder, every)
        return recorder

    def _sample(self, recorder: StateRecorder | SynapseRecorder, every: Any) -> None:
        steps = self._period(every, "every")
        self.network._check_editable()
        if self._happened:
            recorder.sample(self.time)
            first = self.step + steps
        else:
            first = self.step
        self.schedule.every(steps, lambda: recorder.sample(self.time), Order.RECORD, first=first)

    def rate(self, target: Neurons, window: Any = "100 ms") -> float:
        """Mean rate (Hz per neuron) over the last ``window``; counted from the first time it is asked for."""
        steps = max(1, self.steps(window, "window"))
        target = neurons_of(self.network, target)
        key = target.name, steps
        if key not in self._meters:
            self._meters[key] = RateMeter(target, steps, self.step)
            self._listen(target, self._meters[key].take, self._listeners)
        return self._meters[key].rate(self.step, self.dt)

    def followed(self, later: Neurons, window: Any, earlier: Neurons) -> bool:
        """Whether ``later`` has fired at most ``window`` after ``earlier``, since this was last asked for.

        Spikes count from the first time it is asked for. A spike at the same time as the other comes after nothing.
        """
        first, second = neurons_of(self.network, earlier), neurons_of(self.network, later)
        key = second.name, max(1, self.steps(window, "window")), first.name
        if key not in self._followings:
            following = self._followings[key] = Following(second, key[1], first)
            self._listen(first, following.earlier.take, self._listeners)
            self._listen(second, following.later.take, self._listeners)
        return self._followings[key].asked(self.step)
