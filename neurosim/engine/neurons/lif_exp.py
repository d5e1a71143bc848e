"""Leaky integrate-and-fire with exponential currents, integrated exactly (Rotter & Diesmann 1999, section 3.1)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim.compiled import array_at, by_address, inlined, record_at
from neurosim.engine.neurons.lif_delta import drive_of, reset, steps_held
from neurosim.engine.records import POPULATION, arrivals, clear, emit, floats, integers
from neurosim.graph.population import Population

RECORD = np.dtype(
    integers(
        "population", "mark", "v", "i_exc", "i_inh", "held_until", "drive", "drive_stride", "zeros",
        "ring_i_exc", "mask_i_exc", "ring_i_inh", "mask_i_inh", "held_for",
    )
    + floats("decay", "decay_exc", "decay_inh", "exc_to_v", "inh_to_v", "v_th", "v_reset")
)  # fmt: skip


@inlined
def _propagate(r, step, v, i_exc, i_inh, held_until, mark, drive, v_rest, exc, inh):
    """One step of all neurons of a tile, without branches.

    ``drive``, ``exc`` and ``inh`` are None where they are the same for all: ``v_rest``, and no arrivals. Memory is
    what a step costs, so what need not be read is left out.
    """
    decay, decay_exc, decay_inh = r.decay, r.decay_exc, r.decay_inh
    exc_to_v, inh_to_v, v_th = r.exc_to_v, r.inh_to_v, r.v_th
    for i in range(v.size):
        free = held_until[i] < step
        v_inf = v_rest if drive is None else drive[i]
        x = ((v_inf + (v[i] - v_inf) * decay) + i_exc[i] * exc_to_v) + i_inh[i] * inh_to_v
        i_exc[i] = i_exc[i] * decay_exc + (0.0 if exc is None else exc[i])
        i_inh[i] = i_inh[i] * decay_inh + (0.0 if inh is None else inh[i])
        x = x if free else v[i]
        v[i] = x
        mark[i] = free and x >= v_th


@by_address
def advance(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """Membrane and currents by their propagators; the membrane is held while refractory, the currents go on."""
    r = record_at(record, RECORD)
    population = record_at(r.population, POPULATION)
    n = hi - lo
    v = array_at(r.v + 8 * lo, n, np.float64)
    i_exc = array_at(r.i_exc + 8 * lo, n, np.float64)
    i_inh = array_at(r.i_inh + 8 * lo, n, np.float64)
    held_until = array_at(r.held_until + 8 * lo, n, np.int64)
    drive = array_at(r.drive + 8 * lo * r.drive_stride, n, np.float64)
    mark = array_at(r.mark + lo, n, np.uint8)
    for j in range(n_steps):
        step = first + j
        if r.ring_i_exc == 0 and r.ring_i_inh == 0 and r.drive_stride == 0:
            _propagate(r, step, v, i_exc, i_inh, held_until, mark, None, drive[0], None, None)
        else:
            exc = arrivals(r.ring_i_exc, r.mask_i_exc, population.n_slots, r.zeros, step, lo, n)
            inh = arrivals(r.ring_i_inh, r.mask_i_inh, population.n_slots, r.zeros, step, lo, n)
            _propagate(r, step, v, i_exc, i_inh, held_until, mark, drive, 0.0, exc, inh)
            clear(exc, r.ring_i_exc)
            clear(inh, r.ring_i_inh)
        for slot in emit(population, r.mark, lo, n, shard, parity, j):
            reset(v, held_until, np.int64(slot) - lo, step, r.v_reset, r.held_for)
    return 0


KERNEL = advance


def current_to_voltage(tau_m: float, tau_s: float, c_m: float, dt: float) -> float:
    """Voltage after ``dt`` per unit of a current that decays with ``tau_s`` (mV/pA); stable where the two are equal."""
    beta = (tau_m - tau_s) / (tau_m * tau_s)
    if beta * dt < -100.0:  # far apart: the difference cancels nothing, and the other form would overflow
        return (math.exp(-dt / tau_s) - math.exp(-dt / tau_m)) / -beta / c_m
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
        "held_for": steps_held(p["t_ref"], dt),
        "drive": drive_of(population),
    }
