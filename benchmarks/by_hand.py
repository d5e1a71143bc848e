"""Kernels of two neuron models written by hand: what generated ones are measured against."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.compiled import array_at, by_address, inlined, record_at
from neurosim.engine.records import POPULATION, arrivals, clear, emit, floats, integers

LIF_EXP = np.dtype(
    integers(
        "population", "mark", "v", "i_exc", "i_inh", "held_until", "drive", "drive_stride", "zeros",
        "ring_i_exc", "mask_i_exc", "ring_i_inh", "mask_i_inh", "held_for",
    )
    + floats("decay", "decay_exc", "decay_inh", "exc_to_v", "inh_to_v", "v_th", "v_reset")
)  # fmt: skip

LIF_DELTA = np.dtype(
    integers("population", "mark", "v", "held_until", "drive", "drive_stride", "zeros", "ring_v", "mask_v", "held_for")
    + floats("decay", "v_th", "v_reset")
)


@inlined
def _reset(v: Any, held_until: Any, i: Any, step: Any, v_reset: Any, held_for: Any) -> None:
    v[i] = v_reset
    if held_for > 0:
        held_until[i] = step + held_for


@inlined
def _propagate(
    r: Any, step: Any, v: Any, i_exc: Any, i_inh: Any, held_until: Any, mark: Any, drive: Any, v_rest: Any, exc: Any,
    inh: Any,
) -> None:  # fmt: skip
    """One step of all neurons of a tile; ``drive``, ``exc`` and ``inh`` are None where they are the same for all."""
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
def lif_exp(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """Membrane and currents by their propagators; the membrane is held while refractory, the currents go on."""
    r = record_at(record, LIF_EXP)
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
            _reset(v, held_until, np.int64(slot) - lo, step, r.v_reset, r.held_for)
    return 0


@by_address
def lif_delta(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """v ← v∞ + (v - v∞)·e^(-dt/τ), plus what arrives; held while refractory."""
    r = record_at(record, LIF_DELTA)
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
            _reset(v, held_until, np.int64(slot) - lo, step, r.v_reset, r.held_for)
    return 0
