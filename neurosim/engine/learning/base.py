"""What the generated kernels of all rules share: their records, and how they get at rows, spikes and emissions."""

from __future__ import annotations

import numpy as np

from neurosim.compiled import array_at, inlined
from neurosim.engine.learning.memory import NONE, SETTLED, push
from neurosim.engine.records import floats, integers
from neurosim.graph.chain_memory import AFTER, BEFORE, NEVER, STEP, VALUES

LATER = 2**62  # a step that never comes

#: Of one plastic projection. ``target``: its population's record. ``posts`` and ``emissions``: chain memories of the
#: target neurons' spikes and of the rows' emissions; ``longest``: the longest delay in steps. ``young`` (int64 per
#: row) is the latest entry of the table of births (int64 [n_births, 3]: first birth number, step, entry before), -1
#: where no synapse is young. ``scratch``: per shard, room for the emissions of one row (``room`` of them). ``pool``
#: holds spikes under way where delays are learned. The limits say when a memory is long enough to be tended.
FIELDS = [
    *integers("route", "posts", "emissions", "target", "longest", "young", "births", "n_births", "scratch", "room"),
    *integers("post_limit", "row_limit", "settle", "pool", "needed_nodes"),
    *floats("amount"),
]


@inlined
def spikes_since(words, width, target, since):
    """Entries of a target's chain: the last one up to step ``since``, and the first one after it (-1: none)."""
    if words[target * width + STEP] <= since:
        return (target if words[target * width + STEP] != NEVER else NONE), NONE
    coming = target
    before = words[target * width + BEFORE]
    while before >= 0 and words[before * width + STEP] > since:
        coming = before
        before = words[before * width + BEFORE]
    return before, coming


@inlined
def spike_after(words, width, heads, entry):
    """The entry after ``entry`` in its chain, -1 for a head."""
    return words[entry * width + AFTER] if entry >= heads else NONE


@inlined
def gather(words, values, chain, head, longest, steps, brought):
    """List the emissions of a row that may still matter, oldest first: ``steps`` and the ``brought`` values.

    That is those which may not all have arrived when the row was settled, and the one before. Returns how many.
    """
    width = chain.width
    n_values = width - VALUES
    since = words[head * width + SETTLED]
    m = 0
    entry = head if words[head * width + STEP] != NEVER else NONE
    while entry >= 0:
        m += 1
        if words[entry * width + STEP] + longest <= since:
            break
        entry = words[entry * width + BEFORE]
    entry = head
    for i in range(m - 1, -1, -1):
        at = entry * width
        steps[i] = words[at + STEP]
        for k in range(n_values):
            brought[i * n_values + k] = values[at + VALUES + k]
        entry = words[at + BEFORE]
    return m


@inlined
def born_at(r, row, serial):
    """The step at which a young synapse was born, -1 for one that is old enough."""
    entry = array_at(r.young, row + 1, np.int64)[row]
    births = array_at(r.births, 3 * r.n_births, np.int64)
    while entry >= 0:
        if np.int64(serial) >= births[3 * entry]:
            return births[3 * entry + 1]
        entry = births[3 * entry + 2]
    return np.int64(-1)


@inlined
def column(rows, k):
    """Address of the store's column number ``k``."""
    return array_at(rows.columns, 2 * rows.n_columns, np.int64)[2 * k]


@inlined
def piece_of(rows, row, shard):
    """First place and length of a row's piece for one shard."""
    start = array_at(rows.start, rows.n_rows, np.int64)[row]
    ends = array_at(rows.ends + 4 * row * rows.shards, rows.shards, np.uint32)
    begin = np.int64(ends[shard - 1]) if shard > 0 else np.int64(0)
    return start + begin, np.int64(ends[shard]) - begin


@inlined
def remember(words, chain, shard, head, step):
    """Make room in a head for what happens now; the caller writes the values."""
    push(words, chain, shard, head)
    at = head * chain.width
    if words[at + STEP] == NEVER:
        words[at + BEFORE] = NONE
    words[at + STEP] = step


@inlined
def forget_posts(words, chain, shard, lo, hi):
    """Empty a shard's log of target spikes when all rows have been settled; the heads stay."""
    for head in range(lo, hi):
        words[head * chain.width + BEFORE] = NONE
    array_at(chain.used + 64 * shard, 1, np.int64)[0] = 0


@inlined
def forget_emissions(words, chain, shard, n_rows, longest, now):
    """Drop from a shard's log the emissions that have arrived everywhere, but for the latest of them in each row."""
    width, shards = chain.width, chain.shards
    first = chain.heads + shard * chain.capacity
    used = array_at(chain.used + 64 * shard, 1, np.int64)
    place = np.full(used[0], NONE, np.int64)
    for row in range(n_rows):
        head = row * shards + shard
        entry = words[head * width + BEFORE]
        if words[head * width + STEP] == NEVER or words[head * width + STEP] + longest <= now:
            words[head * width + BEFORE] = NONE
            continue
        while entry >= 0:
            place[entry - first] = 0
            if words[entry * width + STEP] + longest <= now:
                words[entry * width + BEFORE] = NONE
                break
            entry = words[entry * width + BEFORE]
    kept = 0
    for i in range(used[0]):
        if place[i] >= 0:
            place[i] = kept
            kept += 1
    for i in range(used[0]):
        if place[i] >= 0:
            old, new = (first + i) * width, (first + place[i]) * width
            for k in range(width):
                words[new + k] = words[old + k]
            if words[new + BEFORE] >= 0:
                words[new + BEFORE] = first + place[words[new + BEFORE] - first]
            if words[new + AFTER] >= chain.heads:
                words[new + AFTER] = first + place[words[new + AFTER] - first]
    for row in range(n_rows):
        at = (row * shards + shard) * width
        if words[at + STEP] != NEVER and words[at + BEFORE] >= 0:
            words[at + BEFORE] = first + place[words[at + BEFORE] - first]
    used[0] = kept
