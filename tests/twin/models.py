"""What one neuron does in one step.

Every ``advance`` follows law 2: (1) propagate to the step's end, (2) add what arrives then, (3) test the
threshold, (4) reset. Kernels keep the order of the floating-point operations, and so give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .grid import in_steps
from .parts import Neuron
from .rng import random_word


def synaptic_propagator(dt: float, tau_m: float, tau_s: float, c_m: float) -> float:
    """The mV at a step's end per pA of exponential current at its beginning (Rotter & Diesmann 1999).

    It is tau_m·tau_s/(tau_m - tau_s)·(exp(-dt/tau_m) - exp(-dt/tau_s))/c_m, written so that near and at
    tau_m = tau_s nothing cancels.
    """
    beta = (tau_m - tau_s) / (tau_m * tau_s)
    bracket = dt if beta == 0.0 else -math.expm1(-beta * dt) / beta
    return math.exp(-dt / tau_m) / c_m * bracket


class Membrane:
    """Refractoriness, as the two integrate-and-fire models share it (law 2)."""

    v_reset: float
    ref_steps: int

    def is_held(self, neuron: Neuron) -> bool:
        """Count one step of refractoriness down; True if this step is one."""
        neuron.refractory = max(neuron.refractory - 1, 0)
        return neuron.refractory > 0

    def reset(self, neuron: Neuron) -> None:
        """Hold the membrane in the `ref_steps` steps to come."""
        neuron.state["v"] = self.v_reset
        neuron.refractory = self.ref_steps + 1 if self.ref_steps > 0 else 0


@dataclass
class LifDelta(Membrane):
    """Leaky integrate-and-fire, arrivals are jumps of v (mV).

    ``dv/dt = (e_l - v)/tau_m + (i_e + stimulus)/c_m``. The propagator `p` may be replaced, and so may `rest`, the
    level that v tends to without a stimulus.
    """

    dt: float
    tau_m: float = 20.0
    c_m: float = 250.0
    e_l: float = 0.0
    v_th: float = 20.0
    v_reset: float = 0.0
    t_ref: float = 2.0
    i_e: float = 0.0
    p: float = field(init=False)
    rest: float = field(init=False)
    ref_steps: int = field(init=False)
    receives: tuple[str, ...] = field(init=False, default=("v",))

    def __post_init__(self) -> None:
        self.p = math.exp(-self.dt / self.tau_m)
        self.rest = self.e_l + self.i_e * self.tau_m / self.c_m
        self.ref_steps = in_steps(self.t_ref, self.dt)

    def newborn(self) -> dict[str, float]:
        return {"v": self.e_l}

    def advance(self, neuron: Neuron, step: int) -> bool:
        if self.is_held(neuron):
            return False  # and what arrives now is lost
        v_inf = self.rest + neuron.stimulus * self.tau_m / self.c_m
        v = v_inf + (neuron.state["v"] - v_inf) * self.p
        v = v + neuron.inbox["v"]
        neuron.state["v"] = v
        fires = v >= self.v_th
        if fires:
            self.reset(neuron)
        return fires

    def arrive_at_once(self, neuron: Neuron, variable: str, amplitude: float) -> None:
        if neuron.refractory == 0:
            neuron.state["v"] += amplitude


@dataclass
class LifExp(Membrane):
    """Leaky integrate-and-fire with exponential synaptic currents; arrivals are jumps of a current (pA).

    ``dv/dt = (e_l - v)/tau_m + (i_exc + i_inh + i_e + stimulus)/c_m``, integrated exactly. The propagators
    `p`, `p_exc`, `p_inh`, `d_exc`, `d_inh` and the level `rest` may be replaced.
    """

    dt: float
    tau_m: float = 20.0
    c_m: float = 250.0
    e_l: float = -65.0
    v_th: float = -50.0
    v_reset: float = -65.0
    t_ref: float = 2.0
    tau_exc: float = 5.0
    tau_inh: float = 10.0
    i_e: float = 0.0
    p: float = field(init=False)
    rest: float = field(init=False)
    p_exc: float = field(init=False)
    p_inh: float = field(init=False)
    d_exc: float = field(init=False)
    d_inh: float = field(init=False)
    ref_steps: int = field(init=False)
    receives: tuple[str, ...] = field(init=False, default=("i_exc", "i_inh"))

    def __post_init__(self) -> None:
        self.p = math.exp(-self.dt / self.tau_m)
        self.rest = self.e_l + self.i_e * self.tau_m / self.c_m
        self.p_exc = synaptic_propagator(self.dt, self.tau_m, self.tau_exc, self.c_m)
        self.p_inh = synaptic_propagator(self.dt, self.tau_m, self.tau_inh, self.c_m)
        self.d_exc = math.exp(-self.dt / self.tau_exc)
        self.d_inh = math.exp(-self.dt / self.tau_inh)
        self.ref_steps = in_steps(self.t_ref, self.dt)

    def newborn(self) -> dict[str, float]:
        return {"v": self.e_l, "i_exc": 0.0, "i_inh": 0.0}

    def advance(self, neuron: Neuron, step: int) -> bool:
        s = neuron.state
        held = self.is_held(neuron)
        v_inf = self.rest + neuron.stimulus * self.tau_m / self.c_m
        v = v_inf + (s["v"] - v_inf) * self.p
        v = v + s["i_exc"] * self.p_exc
        v = v + s["i_inh"] * self.p_inh
        s["i_exc"] = s["i_exc"] * self.d_exc + neuron.inbox["i_exc"]
        s["i_inh"] = s["i_inh"] * self.d_inh + neuron.inbox["i_inh"]
        if held:
            return False  # the membrane stands still, the currents do not
        s["v"] = v
        fires = v >= self.v_th
        if fires:
            self.reset(neuron)
        return fires

    def arrive_at_once(self, neuron: Neuron, variable: str, amplitude: float) -> None:
        neuron.state[variable] += amplitude


@dataclass
class Izhikevich:
    """Izhikevich 2003 (doi:10.1109/TNN.2003.820440), two half steps for v; arrivals last one step (mV/ms)."""

    dt: float
    a: float = 0.02
    b: float = 0.2
    c: float = -65.0
    d: float = 8.0
    i_e: float = 0.0
    receives: tuple[str, ...] = field(init=False, default=("i_syn",))

    def newborn(self) -> dict[str, float]:
        return {"v": -65.0, "u": -13.0, "i_syn": 0.0}

    def advance(self, neuron: Neuron, step: int) -> bool:
        v, u = neuron.state["v"], neuron.state["u"]
        constant = 140.0 + self.i_e + neuron.stimulus
        half = 0.5 * self.dt
        still = (constant - u + neuron.state["i_syn"]) * half
        for _ in range(2):  # v + half (0.04 v² + 5 v + …), in an order of its own
            v = v * v * (0.04 * half) + ((1.0 + 5.0 * half) * v + still)
        u = u + (self.dt * self.a) * (self.b * v - u)
        fires = v >= 30.0
        if fires:
            v, u = self.c, u + self.d
        neuron.state.update(v=v, u=u, i_syn=neuron.inbox["i_syn"])
        return fires

    def arrive_at_once(self, neuron: Neuron, variable: str, amplitude: float) -> None:
        neuron.state[variable] += amplitude


class Source:
    """A neuron without state that nothing can reach."""

    receives: tuple[str, ...] = ()

    def newborn(self) -> dict[str, float]:
        return {}

    def arrive_at_once(self, neuron: Neuron, variable: str, amplitude: float) -> None:
        raise TypeError("a spike source has no receptors")


@dataclass
class PoissonSource(Source):
    """Fires in each step with probability ``rate·dt`` (Hz, ms), by its own random word."""

    dt: float
    rate: float
    seed: int
    purpose: int

    def advance(self, neuron: Neuron, step: int) -> bool:
        return random_word(self.seed, self.purpose, neuron.id, step) * 2.0**-32 < self.rate * self.dt / 1000.0


@dataclass
class SpikeList(Source):
    """Fires at given `times` (ms), listed by neuron id; a neuron that is not listed is silent."""

    dt: float
    times: Mapping[int, Iterable[float]]
    steps: dict[int, set[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = {id: {in_steps(t, self.dt) for t in times} for id, times in self.times.items()}

    def advance(self, neuron: Neuron, step: int) -> bool:
        return step in self.steps.get(neuron.id, ())
