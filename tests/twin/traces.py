"""Fading memories of spikes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple


class Kernel(NamedTuple):
    """How a rule declares a trace: it fades with `tau` (ms); a spike adds 1, or sets it to 1 if `nearest`."""

    tau: float
    nearest: bool = False


@dataclass
class Trace:
    """A trace, stored as of the last event that changed it (law 8)."""

    kernel: Kernel
    dt: float  # ms
    value: float = 0.0
    last: int = 0  # step

    def at(self, step: int) -> float:
        """The trace at `step`. Reading writes nothing."""
        return self.value * math.exp(-((step - self.last) * self.dt) / self.kernel.tau)

    def bump(self, step: int, amount: float = 1.0) -> None:
        """One more spike, or a signal of some amount."""
        self.value, self.last = 1.0 if self.kernel.nearest else self.at(step) + amount, step

    def become(self, value: float, step: int) -> None:
        """Another value, as of `step`."""
        self.value, self.last = value, step


Traces = dict[str, Trace]  # of one rule, by name


def newborn(kernels: dict[str, Kernel], dt: float) -> Traces:
    """Traces that know of nothing."""
    return {name: Trace(kernel, dt) for name, kernel in kernels.items()}


def values(traces: Traces, step: int) -> dict[str, float]:
    """All of them at `step`."""
    return {name: trace.at(step) for name, trace in traces.items()}


@dataclass
class Axon:
    """What the spikes of one neuron carry along the synapses of one projection that share its traces.

    Each spike carries the traces' values after its own jump. They are kept for synapses that are born later.
    """

    traces: list[Traces]  # by rule
    sent: list[tuple[int, list[dict[str, float]]]]  # step of emission, values by rule

    def emit(self, step: int) -> list[dict[str, float]]:
        """One more spike leaves; what it carries."""
        for traces in self.traces:
            for trace in traces.values():
                trace.bump(step)
        self.sent.append((step, [values(traces, step) for traces in self.traces]))
        return self.sent[-1][1]
