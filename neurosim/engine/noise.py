"""Poisson inputs: random counts per neuron and step, added to the arrivals of the step."""

from __future__ import annotations

import numpy as np

from neurosim.compiled import array_at, by_address, inlined, record_at
from neurosim.engine.records import floats, integers
from neurosim.rng import philox

#: ``segments`` are runs of slots with one rate: first slots (int64 [n_segments + 1]); ``levels`` says which row of
#: thresholds each uses, -1 for none; ``table`` holds all thresholds, those of level k from ``offsets[k]`` on.
RECORD = np.dtype(
    integers("id", "n_slots", "ring", "mask", "n_segments", "segments", "levels", "offsets", "table", "purpose", "seed")
    + floats("weight")
)


@inlined
def words_of_block(words, ids, block, purpose, seed):
    """Four random words per neuron, one for each step of a block of four."""
    k0, k1 = np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32)
    c1, c2, c3 = np.uint32(block & 0xFFFFFFFF), np.uint32(block >> 32), np.uint32(purpose)
    w0, w1, w2, w3 = words[0], words[1], words[2], words[3]
    for i in range(ids.size):
        a, b, c, d = philox(ids[i], c1, c2, c3, k0, k1)
        w0[i], w1[i], w2[i], w3[i] = a, b, c, d


@inlined
def _add_counts(arriving, drawn, counts, thresholds, weight):
    """arriving += weight × count, where a neuron's count is how many thresholds its word reaches.

    All neurons are compared with one threshold after the other, four in a pass, as long as anybody reaches it.
    """
    largest = np.uint32(0)
    for i in range(counts.size):
        counts[i] = 0
        largest = max(largest, drawn[i])
    t = 0
    while t + 4 <= thresholds.size and thresholds[t] <= largest:
        t0, t1, t2, t3 = thresholds[t], thresholds[t + 1], thresholds[t + 2], thresholds[t + 3]
        for i in range(counts.size):
            u = drawn[i]
            counts[i] += np.int32(u >= t0) + np.int32(u >= t1) + np.int32(u >= t2) + np.int32(u >= t3)
        t += 4
    while t < thresholds.size and thresholds[t] <= largest:
        t0 = thresholds[t]
        for i in range(counts.size):
            counts[i] += np.int32(drawn[i] >= t0)
        t += 1
    for i in range(counts.size):
        arriving[i] += weight * np.float64(counts[i])


@by_address
def poisson_input(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """Add the input of each step of an epoch to the ring, for slots ``lo … hi``."""
    r = record_at(record, RECORD)
    segments = array_at(r.segments, r.n_segments + 1, np.int64)
    levels = array_at(r.levels, r.n_segments, np.int64)
    s = int(np.searchsorted(segments, lo, "right")) - 1
    while s < r.n_segments and segments[s] < hi:
        begin, end = max(segments[s], lo), min(segments[s + 1], hi)
        level = levels[s]
        s += 1
        if level < 0 or end <= begin:
            continue
        offsets = array_at(r.offsets, level + 2, np.int64)
        thresholds = array_at(r.table, offsets[level + 1], np.uint32)[offsets[level] :]
        ids = array_at(r.id + 4 * begin, end - begin, np.uint32)
        words = np.empty((4, end - begin), np.uint32)
        counts = np.empty(end - begin, np.int32)
        block = -1
        for j in range(n_steps):
            step = first + j
            if step >> 2 != block:
                block = step >> 2
                words_of_block(words, ids, block, r.purpose, r.seed)
            place = r.ring + 8 * ((step & r.mask) * r.n_slots + begin)
            _add_counts(array_at(place, end - begin, np.float64), words[step & 3], counts, thresholds, r.weight)
    return 0
