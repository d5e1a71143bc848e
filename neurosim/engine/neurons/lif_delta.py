"""Leaky integrate-and-fire with delta synapses: one multiplication and two additions per step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim.compiled import array_at, by_address, inlined, record_at
from neurosim.engine.records import POPULATION, arrivals, clear, emit, floats, integers
from neurosim.errors import UsageError
from neurosim.graph.population import Population

RECORD = np.dtype(
    integers("population", "mark", "v", "held_until", "drive", "drive_stride", "zeros", "ring_v", "mask_v", "held_for")
    + floats("decay", "v_th", "v_reset")
)


@inlined
def reset(v, held_until, i, step, v_reset, held_for):
    """Neuron ``i`` has fired in ``step``: put its membrane back and hold it for ``held_for`` steps."""
    v[i] = v_reset
    if held_for > 0:
        held_until[i] = step + held_for


@by_address
def advance(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """v ← v∞ + (v - v∞)·e^(-dt/τ), plus what arrives; held while refractory.

    The loop over neurons has no branches; the few that fired are reset one by one afterwards.
    """
    r = record_at(record, RECORD)
    population = record_at(r.population, POPULATION)
    n = hi - lo
    v = array_at(r.v + 8 * lo, n, np.float64)
    held_until = array_at(r.held_until + 8 * lo, n, np.int64)
    v_inf = array_at(r.drive + 8 * lo * r.drive_stride, n, np.float64)
    mark = array_at(r.mark + lo, n, np.uint8)
    decay, v_th = r.decay, r.v_th
    for j in range(n_steps):
        step = first + j
        a = arrivals(r.ring_v, r.mask_v, population.n_slots, r.zeros, step, lo, n)
        for i in range(v.size):
            free = held_until[i] < step
            x = (v_inf[i] + (v[i] - v_inf[i]) * decay) + a[i]
            x = x if free else v[i]
            v[i] = x
            mark[i] = free and x >= v_th
        clear(a, r.ring_v)
        for slot in emit(population, r.mark, lo, n, shard, parity, j):
            reset(v, held_until, np.int64(slot) - lo, step, r.v_reset, r.held_for)
    return 0


KERNEL = advance


def steps_held(t_ref: float, dt: float) -> int:
    """Steps for which a neuron that fired is held; a very long time is for ever."""
    return math.floor(min(t_ref / dt + 0.5, 2.0**62))


def drive_of(population: Population) -> Any:
    """Resting level of the membrane, e_l + R·I, per neuron (mV)."""
    p = population.parameters
    with np.errstate(over="ignore"):
        level = p["e_l"] + (p["i_e"] + injected(population)) * p["tau_m"] / p["c_m"]
    if not np.isfinite(level).all():
        raise UsageError(f"population '{population.name}': the injected current is too large to compute with.")
    return level


def injected(population: Population) -> Any:
    """Sum of the currents injected into each neuron."""
    total = population.columns["i_stim"]
    for name, column in population.columns.items():
        if name.startswith("input:") and population.network.inputs[name[6:]].source.kind == "current":
            total = total + column
    return total


def lower(population: Population, dt: float) -> dict[str, Any]:
    """Propagator and constants for time step ``dt``."""
    p = population.parameters
    return {
        "decay": math.exp(-dt / p["tau_m"]),
        "v_th": p["v_th"],
        "v_reset": p["v_reset"],
        "held_for": steps_held(p["t_ref"], dt),
        "drive": drive_of(population),
    }
