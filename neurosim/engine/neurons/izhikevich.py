"""Izhikevich's simple model: two half steps for v, one step for u, then the test (Izhikevich 2003)."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.compiled import array_at, by_address, record_at
from neurosim.engine.neurons.lif_delta import injected
from neurosim.engine.records import POPULATION, arrivals, clear, emit, floats, integers
from neurosim.graph.population import Population

RECORD = np.dtype(
    integers("population", "mark", "v", "u", "i_syn", "drive", "drive_stride", "zeros", "ring_i_syn", "mask_i_syn")
    + floats("half", "rate", "b", "c", "d")
)

PEAK = 30.0  # mV, where the model's spike is cut


@by_address
def advance(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """v' = 0.04v² + 5v + 140 - u + I, u' = a(bv - u); what arrived in the last step is this step's current."""
    r = record_at(record, RECORD)
    population = record_at(r.population, POPULATION)
    n = hi - lo
    v = array_at(r.v + 8 * lo, n, np.float64)
    u = array_at(r.u + 8 * lo, n, np.float64)
    i_syn = array_at(r.i_syn + 8 * lo, n, np.float64)
    drive = array_at(r.drive + 8 * lo * r.drive_stride, n, np.float64)
    mark = array_at(r.mark + lo, n, np.uint8)
    half, rate, b, c, d = r.half, r.rate, r.b, r.c, r.d
    for j in range(n_steps):
        a = arrivals(r.ring_i_syn, r.mask_i_syn, population.n_slots, r.zeros, first + j, lo, n)
        for i in range(v.size):
            current = i_syn[i] + drive[i]
            x = v[i]
            x = x + half * (((((0.04 * x) * x) + 5.0 * x) + 140.0) - u[i] + current)
            x = x + half * (((((0.04 * x) * x) + 5.0 * x) + 140.0) - u[i] + current)
            y = u[i] + rate * (b * x - u[i])
            i_syn[i] = a[i]
            v[i] = x
            u[i] = y
            mark[i] = x >= PEAK
        clear(a, r.ring_i_syn)
        for slot in emit(population, r.mark, lo, n, shard, parity, j):
            v[np.int64(slot) - lo] = c
            u[np.int64(slot) - lo] += d
    return 0


KERNEL = advance


def lower(population: Population, dt: float) -> dict[str, Any]:
    """Constants for time step ``dt``."""
    p = population.parameters
    return {
        "half": 0.5 * dt,
        "rate": dt * p["a"],
        "b": p["b"],
        "c": p["c"],
        "d": p["d"],
        "drive": p["i_e"] + injected(population),
    }
