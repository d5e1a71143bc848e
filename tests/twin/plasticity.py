"""What one synapse learns from one event."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .grid import f32

if TYPE_CHECKING:
    from .parts import Synapse


@dataclass
class Trace:
    """An exponentially fading count of events, stored as of the last of them (law 8)."""

    tau: float  # ms
    dt: float  # ms
    value: float = 0.0
    last: int = 0  # step

    def at(self, step: int) -> float:
        """The trace at `step`. Reading writes nothing."""
        return self.value * math.exp(-((step - self.last) * self.dt) / self.tau)

    def bump(self, step: int) -> None:
        """One more event."""
        self.value, self.last = self.at(step) + 1.0, step


@dataclass(frozen=True)
class Bounds:
    """Where a projection's weights and delays (ms) may go."""

    weight: tuple[float, float] = (-math.inf, math.inf)
    delay: tuple[float, float] = (0.0, math.inf)

    def check_weight(self, weight: float) -> None:
        """Refuse an explicit weight that lies outside (law 10)."""
        check("weight", weight, self.weight)

    def check_delay(self, delay: float) -> None:
        """Refuse an explicit delay that lies outside (law 10)."""
        check("delay", delay, self.delay)

    def apply(self, synapse: Synapse) -> None:
        """Bring a synapse back inside after an event, and to the precision in which it is stored (law 9)."""
        synapse.weight = f32(clip(synapse.weight, self.weight))
        if synapse.projection.learns_delay:
            synapse.delay = f32(clip(synapse.delay, self.delay))


def clip(x: float, bounds: tuple[float, float]) -> float:
    """`x`, or the bound that it has passed."""
    return min(max(x, bounds[0]), bounds[1])


def check(name: str, x: float, bounds: tuple[float, float]) -> None:
    """Refuse `x` outside `bounds`, as both are stored: what reads back from a bound may be set again."""
    if not f32(bounds[0]) <= f32(x) <= f32(bounds[1]):
        raise ValueError(f"{name} {x} lies outside its bounds {list(bounds)}")


@dataclass(frozen=True)
class DelayShiftedStdp:
    """DS-STDP in trace form: weight and delay learn from pairs of arrival and postsynaptic spike.

    Dominijanni, Ororbia & Regan 2025, arXiv:2506.14984. The presynaptic trace counts the synapse's own
    arrivals, the postsynaptic trace counts the target's spikes. With the paper's amplitudes an arrival
    before the target's spike strengthens and shortens, an arrival after it weakens and lengthens.
    """

    weight_plus: float = 5e-4
    weight_minus: float = -5e-6
    delay_plus: float = -1.2e-2  # ms
    delay_minus: float = 1.2e-4  # ms
    tau_pre: float = 20.0  # ms
    tau_post: float = 20.0  # ms

    @property
    def writes_delay(self) -> bool:
        """Whether the delay learns at all."""
        return self.delay_plus != 0.0 or self.delay_minus != 0.0

    def on_arrival(self, synapse: Synapse, pre: Trace, post: Trace, step: int) -> None:
        """A spike of this synapse arrives."""
        synapse.weight += self.weight_minus * post.at(step)
        synapse.delay += self.delay_minus * post.at(step)
        pre.bump(step)

    def on_post(self, synapse: Synapse, pre: Trace, post: Trace, step: int) -> None:
        """The target fires. Its trace, which its synapses share, is bumped when they all have seen this."""
        synapse.weight += self.weight_plus * pre.at(step)
        synapse.delay += self.delay_plus * pre.at(step)
