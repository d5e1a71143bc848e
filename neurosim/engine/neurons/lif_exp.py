"""Leaky integrate-and-fire with exponential currents, integrated exactly (Rotter & Diesmann 1999, section 3.1)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim.compiled import array_at, by_address, record_at
from neurosim.engine.neurons.lif_delta import drive_of, held_for
from neurosim.engine.records import POPULATION, arrivals, clear, emit, floats, integers
from neurosim.graph.population import Population

RECORD = np.dtype(
    integers(
        "population", "mark", "v", "i_exc", "i_inh", "refractory", "drive", "drive_stride", "zeros",
        "ring_i_exc", "mask_i_exc", "ring_i_inh", "mask_i_inh", "hold",
    )
    + floats("decay", "decay_exc", "decay_inh", "exc_to_v", "inh_to_v", "v_th", "v_reset")
)  # fmt: skip


@by_address
def advance(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """Membrane and currents by their propagators; the membrane is held while refractory, the currents go on."""
    r = record_at(record, RECORD)
    population = record_at(r.population, POPULATION)
    n = hi - lo
    v = array_at(r.v + 8 * lo, n, np.float64)
    i_exc = array_at(r.i_exc + 8 * lo, n, np.float64)
    i_inh = array_at(r.i_inh + 8 * lo, n, np.float64)
    refractory = array_at(r.refractory + 4 * lo, n, np.int32)
    v_inf = array_at(r.drive + 8 * lo * r.drive_stride, n, np.float64)
    mark = array_at(r.mark + lo, n, np.uint8)
    decay, decay_exc, decay_inh = r.decay, r.decay_exc, r.decay_inh
    exc_to_v, inh_to_v, v_th, v_reset, hold = r.exc_to_v, r.inh_to_v, r.v_th, r.v_reset, np.int32(r.hold)
    for j in range(n_steps):
        exc = arrivals(r.ring_i_exc, r.mask_i_exc, population.n_slots, r.zeros, first + j, lo, n)
        inh = arrivals(r.ring_i_inh, r.mask_i_inh, population.n_slots, r.zeros, first + j, lo, n)
        for i in range(v.size):
            left = refractory[i] - np.int32(1) if refractory[i] > 0 else np.int32(0)
            free = left == 0
            x = ((v_inf[i] + (v[i] - v_inf[i]) * decay) + i_exc[i] * exc_to_v) + i_inh[i] * inh_to_v
            i_exc[i] = i_exc[i] * decay_exc + exc[i]
            i_inh[i] = i_inh[i] * decay_inh + inh[i]
            x = x if free else v[i]
            fires = free and x >= v_th
            v[i] = v_reset if fires else x
            refractory[i] = hold if fires else left
            mark[i] = fires
        clear(exc, r.ring_i_exc)
        clear(inh, r.ring_i_inh)
        emit(population, r.mark, lo, n, shard, parity, j)
    return 0


KERNEL = advance


def current_to_voltage(tau_m: float, tau_s: float, c_m: float, dt: float) -> float:
    """Voltage after ``dt`` per unit of a current that decays with ``tau_s`` (mV/pA); stable where the two are equal."""
    beta = (tau_m - tau_s) / (tau_m * tau_s)
    grown = dt if beta == 0.0 else -math.expm1(-beta * dt) / beta
    return math.exp(-dt / tau_m) / c_m * grown


def lower(population: Population, dt: float) -> dict[str, Any]:
    """Propagators and constants for time step ``dt``."""
    p = population.parameters
    return {
        "decay": math.exp(-dt / p["tau_m"]),
        "decay_exc": math.exp(-dt / p["tau_exc"]),
        "decay_inh": math.exp(-dt / p["tau_inh"]),
        "exc_to_v": current_to_voltage(p["tau_m"], p["tau_exc"], p["c_m"], dt),
        "inh_to_v": current_to_voltage(p["tau_m"], p["tau_inh"], p["c_m"], dt),
        "v_th": p["v_th"],
        "v_reset": p["v_reset"],
        "hold": held_for(p["t_ref"], dt),
        "drive": drive_of(population),
    }
