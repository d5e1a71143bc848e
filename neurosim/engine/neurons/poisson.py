"""Poisson sources: one random word per neuron and step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim import rng
from neurosim.compiled import array_at, by_address, record_at
from neurosim.engine.noise import words_of_block
from neurosim.engine.records import POPULATION, emit, integers
from neurosim.errors import UsageError
from neurosim.graph.population import Population

RECORD = np.dtype(integers("population", "mark", "threshold", "purpose", "seed"))


@by_address
def advance(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """A neuron fires when its word of the step is below the threshold."""
    r = record_at(record, RECORD)
    population = record_at(r.population, POPULATION)
    n = hi - lo
    ids = array_at(population.id + 4 * lo, n, np.uint32)
    mark = array_at(r.mark + lo, n, np.uint8)
    threshold = np.uint64(r.threshold)
    words = np.empty((4, n), np.uint32)
    block = -1
    for j in range(n_steps):
        step = first + j
        if step >> 2 != block:
            block = step >> 2
            words_of_block(words, ids, block, r.purpose, r.seed)
        drawn = words[step & 3]
        for i in range(n):
            mark[i] = np.uint64(drawn[i]) < threshold
        emit(population, r.mark, lo, n, shard, parity, j)
    return 0


KERNEL = advance


def lower(population: Population, dt: float) -> dict[str, Any]:
    """Probability of a spike per step, as a threshold for a 32-bit word."""
    rate = population.parameters["rate"]
    probability = rate * dt / 1000.0
    if probability > 1.0:
        raise UsageError(
            f"population '{population.name}': {rate:g} Hz is more than one spike per time step of {dt:g} ms; "
            f"allowed is up to {1000.0 / dt:g} Hz."
        )
    return {
        "threshold": math.floor(probability * 2**32 + 0.5),
        "purpose": rng.purpose("poisson", population.name),
        "seed": population.network.seed,
    }
