"""Queues of spikes under way at one synapse, as kernels use them: see `neurosim.graph.waiting`."""

from __future__ import annotations

import numpy as np

from neurosim.compiled import array_at, inlined
from neurosim.graph.waiting import FREE, TAKEN, USED


@inlined
def nodes_of(pool, shard):
    """A shard's nodes as words: step of arrival, next node."""
    return array_at(pool.nodes + 16 * shard * pool.capacity, 2 * pool.capacity, np.int64)


@inlined
def enqueue(nodes, pool, shard, first, arrival):
    """Append an arrival to the queue that begins with node ``first``; returns its first node."""
    counts = array_at(pool.counts + 64 * shard, 8, np.int64)
    node = counts[FREE]
    if node >= 0:
        counts[FREE] = nodes[2 * node + 1]
    else:
        node = counts[USED]
        counts[USED] += 1
    counts[TAKEN] += 1
    nodes[2 * node], nodes[2 * node + 1] = arrival, -1
    if first < 0:
        return node
    last = first
    while nodes[2 * last + 1] >= 0:
        last = nodes[2 * last + 1]
    nodes[2 * last + 1] = node
    return first


@inlined
def released(nodes, pool, shard, first, upto):
    """Give back the nodes from ``first`` to the one before ``upto``; returns ``upto``."""
    counts = array_at(pool.counts + 64 * shard, 8, np.int64)
    while first != upto:
        after = nodes[2 * first + 1]
        nodes[2 * first + 1] = counts[FREE]
        counts[FREE] = first
        counts[TAKEN] -= 1
        first = after
    return upto
