"""Leaky integrate-and-fire with delta synapses: one multiplication and two additions per step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim.compiled import array_at, by_address, record_at
from neurosim.engine.records import POPULATION, arrivals, clear, emit, floats, integers
from neurosim.graph.population import Population

RECORD = np.dtype(
    integers("population", "mark", "v", "refractory", "drive", "drive_stride", "zeros", "ring_v", "mask_v", "hold")
    + floats("decay", "v_th", "v_reset")
)


@by_address
def advance(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """v ← v∞ + (v - v∞)·e^(-dt/τ), plus what arrives; held while refractory."""
    r = record_at(record, RECORD)
    population = record_at(r.population, POPULATION)
    n = hi - lo
    v = array_at(r.v + 8 * lo, n, np.float64)
    refractory = array_at(r.refractory + 4 * lo, n, np.int32)
    v_inf = array_at(r.drive + 8 * lo * r.drive_stride, n, np.float64)
    mark = array_at(r.mark + lo, n, np.uint8)
    decay, v_th, v_reset, hold = r.decay, r.v_th, r.v_reset, np.int32(r.hold)
    for j in range(n_steps):
        a = arrivals(r.ring_v, r.mask_v, population.n_slots, r.zeros, first + j, lo, n)
        for i in range(v.size):
            left = refractory[i] - np.int32(1) if refractory[i] > 0 else np.int32(0)
            free = left == 0
            x = (v_inf[i] + (v[i] - v_inf[i]) * decay) + a[i]
            x = x if free else v[i]
            fires = free and x >= v_th
            v[i] = v_reset if fires else x
            refractory[i] = hold if fires else left
            mark[i] = fires
        clear(a, r.ring_v)
        emit(population, r.mark, lo, n, shard, parity, j)
    return 0


KERNEL = advance


def held_for(t_ref: float, dt: float) -> int:
    """What a neuron's refractory counter is set to when it fires: steps held, plus the one that fires; 0 for none."""
    steps = math.floor(t_ref / dt + 0.5)
    return steps + 1 if steps > 0 else 0


def drive_of(population: Population) -> Any:
    """Resting level of the membrane, e_l + R·I, per neuron (mV)."""
    p = population.parameters
    current = p["i_e"] + injected(population)
    return p["e_l"] + current * p["tau_m"] / p["c_m"]


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
        "hold": held_for(p["t_ref"], dt),
        "drive": drive_of(population),
    }
