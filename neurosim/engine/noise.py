"""Poisson inputs: random counts per neuron and step, added to the arrivals of the step."""

from __future__ import annotations

import numpy as np

from neurosim.compiled import array_at, by_address, inlined, record_at
from neurosim.engine.records import floats, integers
from neurosim.rng import philox

#: ``segments`` are runs of slots with one rate: first slots (int64 [n_segments + 1]); ``levels`` says which row of
#: thresholds each uses, -1 for none; ``table`` holds all thresholds, those of level k from ``offsets[k]`` on.
#: ``words`` (uint32 [n_slots × 4]) keeps the words of four steps, for epochs may be shorter; ``block`` (int64
#: [n_slots]) says which four they are, at the first slot of each piece.
RECORD = np.dtype(
    integers("id", "n_slots", "ring", "mask", "n_segments", "segments", "levels", "offsets", "table", "purpose", "seed")
    + integers("words", "block")
    + floats("weight")
)
_RARE = np.uint32(0xFA000000)  # where the first threshold lies above, fewer than one neuron in 40 receives anything


@inlined
def words_of_block(words, ids, block, purpose, seed):
    """Four random words per neuron, one for each step of a block of four."""
    w0, w1, w2, w3 = words[0], words[1], words[2], words[3]
    k0, k1 = np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32)
    c1, c2, c3 = np.uint32(block & 0xFFFFFFFF), np.uint32(block >> 32), np.uint32(purpose)
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


@inlined
def _add_rare_counts(arriving, drawn, thresholds, weight):
    """The same where hardly any neuron receives anything: look at 64 words at a time, and closer only at a hit."""
    for first in range(0, drawn.size, 64):
        piece = drawn[first : first + 64]
        largest = np.uint32(0)
        for i in range(piece.size):
            largest = max(largest, piece[i])
        if largest >= thresholds[0]:
            for i in range(piece.size):
                if piece[i] >= thresholds[0]:
                    count = 1
                    while count < thresholds.size and piece[i] >= thresholds[count]:
                        count += 1
                    arriving[first + i] += weight * np.float64(count)


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
        n = end - begin
        ids = array_at(r.id + 4 * begin, n, np.uint32)
        words = array_at(r.words + 16 * begin, 4 * n, np.uint32).reshape(4, n)
        known = array_at(r.block + 8 * begin, 1, np.int64)
        counts = np.empty(0 if thresholds[0] >= _RARE else n, np.int32)
        for j in range(n_steps):
            step = first + j
            if step >> 2 != known[0]:
                known[0] = step >> 2
                words_of_block(words, ids, known[0], r.purpose, r.seed)
            place = r.ring + 8 * ((step & r.mask) * r.n_slots + begin)
            arriving = array_at(place, n, np.float64)
            drawn = words[step & 3]
            if thresholds[0] >= _RARE:
                _add_rare_counts(arriving, drawn, thresholds, r.weight)
            else:
                _add_counts(arriving, drawn, counts, thresholds, r.weight)
    return 0
