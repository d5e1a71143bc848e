"""The records that kernels are given by address: what the run loop knows of a population, a projection, a plan."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurosim.compiled import array_at, inlined

#: Neurons updated at a time, for all steps of an epoch: small enough to stay in the first-level cache.
TILE = 1024
_BYTE_OF = np.uint64(0x0001020304050607)  # 256**i times this has i in its highest byte


def integers(*names: str) -> list[tuple[str, type]]:
    """Fields of 64-bit integers: counts, and addresses of arrays."""
    return [(name, np.int64) for name in names]


def floats(*names: str) -> list[tuple[str, type]]:
    """Fields of doubles."""
    return [(name, np.float64) for name in names]


#: A population as the run loop sees it; inputs act before its neurons, notes (what learning remembers) after.
#: ``out`` holds, for two alternating epochs, the slots that fired in each step (uint32 [2, shards, epoch, stride];
#: there is room for more steps than an epoch has) and ``count`` how many (int64 [2, shards, epoch]); ``log_count``
#: points to how many spikes its log holds. What one thread writes while others read has cache lines of its own.
POPULATION = np.dtype(
    integers(
        "n_slots", "shards", "stride", "used", "id", "alive", "ordered",
        "epoch", "out", "count",
        "kernel", "record", "first_input", "n_inputs", "first_note", "n_notes", "last_spike",
        "log_step", "log_id", "log_capacity", "log_count", "digest",
    )
)  # fmt: skip

#: A projection as the run loop sees it. One that learns has a ``tick`` every ``period`` steps (0: none) before it
#: delivers, and is to be tended after every epoch (0: need not be); if it learns promptly it is to ``keep_up`` first.
DELIVERY = np.dtype(integers("kernel", "record", "source", "target", "period", "tick", "tend", "keep_up"))

#: Where a projection's weights go. ``direct`` and ``gate`` serve delays of zero: the receptor's variable, and for
#: a gated receptor the step until which each neuron is held (0 otherwise). ``tally`` and ``direct_tally`` count
#: arrivals when audited. ``held`` lists the few synapses whose delay was shortened while a spike was under way
#: (int64 [n_held, 3]: row, birth number, step before which nothing may arrive).
ROUTE = np.dtype(
    integers(
        "rows", "ring", "mask", "n_slots", "has_zero", "direct", "gate", "tally", "direct_tally", "held", "n_held"
    )
)  # fmt: skip

#: Everything one call of the run loop needs; ``logger`` is the thread that has least to do otherwise.
PLAN = np.dtype(
    integers(
        "populations", "n_populations", "deliveries", "n_deliveries", "inputs", "n_inputs",
        "notes", "n_notes", "share", "epoch", "cells", "stop", "events", "arrived", "scratch", "scratch_size", "spins",
        "logger",
    )
)  # fmt: skip


def filled(dtype: np.dtype[Any], **values: Any) -> np.ndarray[Any, Any]:
    """One record with the given fields; the others are zero."""
    record = np.zeros(1, dtype)
    for name, value in values.items():
        record[name] = value
    return record


@inlined
def arrivals(ring, mask, n_slots, zeros, step, lo, n):
    """The sums that arrive at ``n`` neurons from slot ``lo`` in ``step``; zeros where nothing can arrive."""
    if ring == 0:
        return array_at(zeros, n, np.float64)
    return array_at(ring + 8 * ((step & mask) * n_slots + lo), n, np.float64)


@inlined
def clear(values, ring):
    """Make a slice of a ring ready for its next use."""
    if ring != 0:
        for i in range(values.size):
            values[i] = 0.0


@inlined
def list_of(population, shard, parity, j):
    """Whom a shard lists as having fired in step ``j`` of the epoch: how many so far (one item), and room for all."""
    place = (parity * population.shards + shard) * population.epoch + j
    count = array_at(population.count + 8 * place, 1, np.int64)
    return count, array_at(population.out + 4 * place * population.stride, population.stride, np.uint32)


@inlined
def emit(population, mark, lo, n, shard, parity, j):
    """List the living neurons of a tile that are marked as having fired in step ``j`` of the epoch.

    Returns a view of the slots just listed.
    """
    count, fired = list_of(population, shard, parity, j)
    words = array_at(mark + lo, (n + 7) // 8, np.uint64)  # a byte is 0 or 1
    alive = array_at(population.alive, population.n_slots, np.uint8)
    before = count[0]
    k = before
    for w in range(words.size):
        word = words[np.uint64(w)]
        while word != 0:
            lowest = word & (~word + np.uint64(1))
            i = 8 * w + np.int64((lowest * _BYTE_OF) >> np.uint64(56))
            if i >= n:
                break
            fired[np.uint64(k)] = np.uint32(lo + i)
            k += np.int64(alive[np.uint64(lo + i)])  # who is dead is overwritten by the next
            word ^= lowest
    count[0] = k
    return fired[before:k]
