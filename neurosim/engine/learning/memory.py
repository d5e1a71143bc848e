"""What plasticity remembers of spikes: short histories of target neurons and of rows, as chains of entries.

Every target neuron has a *head*, its latest spike, and every piece of a row (the synapses of one source onto one
shard) has one, its latest emission. When the next one comes, the old head moves to the end of a log and the head
links to it. So the memory is as long as the spikes are many, the latest spike stands at a known place, and nothing
is allocated in a run. Logs belong to shards of the target: whoever delivers to a shard reads and writes them alone.

An entry is ``width`` words of 8 bytes: step, index of the one before (-1: none), index of the one after, then values.
Heads and logs stand in one array, so one index finds either. In a head of a row, the word for the one after (there is
none) tells the step up to which the row's synapses have been brought.
"""

from __future__ import annotations

import numpy as np

from neurosim.compiled import array_at, inlined
from neurosim.graph.chain_memory import AFTER, BEFORE, NEVER, STEP
from neurosim.functions import exp

SETTLED = AFTER  # in the head of a row
NONE = -1


@inlined
def steps_of(chain):
    """All words of a chain memory as integers."""
    return array_at(chain.entries, (chain.heads + chain.shards * chain.capacity) * chain.width, np.int64)


@inlined
def values_of(chain):
    """All words of a chain memory as doubles."""
    return array_at(chain.entries, (chain.heads + chain.shards * chain.capacity) * chain.width, np.float64)


@inlined
def push(words, chain, shard, head):
    """Move the head's entry to the end of its shard's log, if it holds one; the caller writes the new head."""
    width = chain.width
    at = head * width
    if words[at + STEP] == NEVER:
        return
    used = array_at(chain.used + 64 * shard, 1, np.int64)
    entry = chain.heads + shard * chain.capacity + used[0]
    used[0] += 1
    to = entry * width
    for k in range(width):
        words[to + k] = words[at + k]
    words[to + AFTER] = head
    before = words[at + BEFORE]
    if before >= 0:
        words[before * width + AFTER] = entry
    words[at + BEFORE] = entry


@inlined
def faded(table, steps, rate):
    """exp(-steps·rate): from a table of the first few thousand steps, else computed."""
    return table[steps] if steps < table.size else exp(-(steps * rate))
