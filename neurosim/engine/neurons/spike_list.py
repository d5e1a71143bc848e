"""Sources that fire at given times: a sorted list of (step, slot)."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.compiled import array_at, by_address, record_at
from neurosim.engine.records import POPULATION, integers, list_of
from neurosim.graph.population import Population

#: ``reached`` (int64 [n_slots]) is the place in the list that each tile has come to, at its first slot.
RECORD = np.dtype(integers("population", "n_spikes", "steps", "slots", "reached"))


@by_address
def advance(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """List the neurons step by step."""
    r = record_at(record, RECORD)
    population = record_at(r.population, POPULATION)
    steps = array_at(r.steps, r.n_spikes, np.int64)
    slots = array_at(r.slots, r.n_spikes, np.int64)
    alive = array_at(population.alive, population.n_slots, np.uint8)
    reached = array_at(r.reached, population.n_slots, np.int64)
    k = reached[lo]
    if k > 0 and steps[k - 1] >= first:  # the list is new
        k = np.int64(0)
    if k == 0:
        k = np.int64(np.searchsorted(steps, first))
    for j in range(n_steps):
        count, fired = list_of(population, shard, parity, j)
        n, last = count[0], np.int64(-1)
        while k < r.n_spikes and steps[k] <= first + j:
            slot = slots[k]
            if lo <= slot < hi and steps[k] == first + j and slot != last and alive[slot]:
                fired[n] = np.uint32(slot)
                n += 1
                last = slot  # twice within a step is once
            k += 1
        count[0] = n
    reached[lo] = k
    return 0


KERNEL = advance


def lower(population: Population, dt: float) -> dict[str, Any]:
    """Spike times of the living neurons on the grid, ``floor(t/dt + 0.5)``, in order."""
    times = population.configured.times
    first_id = population.first_id
    alive = set(population.ids.tolist())
    listed = [
        (int(min(np.floor(t / dt + 0.5), 2.0**62)), first_id + k)
        for k, row in enumerate(times) if first_id + k in alive for t in row
    ]  # fmt: skip
    listed.sort()
    steps = np.array([max(step, 1) for step, _ in listed], np.int64)
    slots = population.slots(np.array([neuron for _, neuron in listed], np.int64))
    return {"n_spikes": steps.size, "steps": steps, "slots": slots, "reached": np.zeros(population.n_slots, np.int64)}
