"""What the generated kernels of all rules share: their records, and how they get at rows, spikes and emissions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import array_at, embedded, inlined, kernel, prefetch
from neurosim.engine.records import floats, integers
from neurosim.functions import exp, expm1
from neurosim.graph import emission_memory as emission
from neurosim.graph import spike_memory as spike
from neurosim.graph.emission_memory import NEVER

_STEP, _OLDER, _SETTLED = emission.STEP, emission.OLDER, emission.SETTLED
_BEFORE, _VALUES = emission.BEFORE, emission.VALUES
_SPIKE_BEFORE, _SPIKE_NEXT = spike.BEFORE, spike.NEXT

#: Synapses that are worked on at one time: what is known of them fits into the innermost cache. A number of so many
#: bits says which of them.
BITS = 7
LANES = 1 << BITS
#: So many spikes of their targets are listed for them; where there are more, synapses are taken one by one.
FLAT = 32 * LANES

#: Of one plastic projection. ``target``: its population's record. ``spikes`` and ``emissions``: the memories of the
#: target neurons' spikes and of the rows' emissions; ``longest``: the longest delay in steps; ``remembered``: so
#: many steps back emissions are kept, as synapses with longer delays may come. ``young`` (int64 per row) is the
#: latest entry of the table of births (int64 [n_births, 3]: first birth number, step, entry before), -1 where no
#: synapse is young. ``scratch``: per shard, room for the emissions of one row (``room`` of them). ``pool`` holds
#: spikes under way where delays are learned; ``ids`` are those of the source neurons (uint32 per row). The limits
#: say when a memory is long enough to be tended. ``starts`` (0: there is none) to ``queue_room`` are the lists and
#: queues of learning without delay, see ``incoming.py``.
FIELDS = [
    *integers("route", "spikes", "emissions", "target", "longest", "remembered", "young", "births", "n_births"),
    *integers("scratch", "room", "ids", "lanes", "spike_limit", "row_limit", "settle", "pool", "needed_nodes"),
    *integers("starts", "in_places", "in_heads", "in_delays", "n_in", "queue", "queued", "queue_mask", "queue_room"),
    *floats("amount"),
]

#: Time constants after which nothing is left of a trace.
LASTS = 700.0


@embedded
def faded(steps, rate):
    """exp(-steps·rate), and 0 where it is below 1e-304."""
    by = steps * rate
    return exp(-by) if by < LASTS else 0.0


#: So many steps back the fading of traces is looked up where delays are learned.
FADINGS = 2**14


@embedded
def looked_up(table, steps, rate):
    """The same, to the bit, from a table of the first `FADINGS` steps (its address)."""
    return array_at(table, FADINGS, np.float64)[steps] if steps < FADINGS else faded(steps, rate)


@embedded
def looked_up_to(table, steps, gone):
    """The same from a table that goes on until nothing is left, which is after ``gone`` steps: without a branch."""
    return array_at(table, gone + 1, np.float64)[np.uint64(min(steps, gone))]


@kernel
def fill_fadings(rate: float, table: NDArray[np.float64]) -> None:
    """Write what `faded` says of the first steps."""
    for steps in range(table.size):
        table[steps] = faded(steps, rate)


@embedded
def gathered(steps, rate):
    """(1 - exp(-steps·rate))/rate: what a value that fades from 1 adds up to, in steps."""
    return -expm1(-(steps * rate)) / rate if rate > 0.0 else np.float64(steps)


@inlined
def spike_words(memory):
    """All words of a memory of spikes, as integers and as doubles."""
    n = (memory.slots + memory.shards * memory.capacity + 1) * memory.width
    return array_at(memory.entries, n, np.int64), array_at(memory.entries, n, np.float64)


@inlined
def recent_words(memory):
    """All words of the table of recent spikes, as integers and as doubles."""
    n = memory.slots * spike.BLOCK * (1 + memory.width - spike.VALUES)
    return array_at(memory.recent, n, np.int64), array_at(memory.recent, n, np.float64)


@inlined
def row_words(memory):
    """All words of a memory of emissions, as integers and as doubles."""
    n = (memory.heads + memory.shards * memory.capacity) * memory.width
    return array_at(memory.entries, n, np.int64), array_at(memory.entries, n, np.float64)


@inlined
def gather(words, values, memory, head, longest, steps, brought):
    """List the emissions of a row that may still matter, oldest first: ``steps`` and the ``brought`` values.

    That is those which may not all have arrived when the row was settled, and the one before. Returns how many.
    """
    width = memory.width
    n_values = memory.n_values
    at = head * width
    since = words[at + _SETTLED]
    m = 0
    step, entry = words[at + _STEP], np.int64(-1)
    while step != NEVER:
        m += 1
        if step + longest <= since:
            break
        if m == 1:
            step, entry = words[at + _OLDER], words[at + _BEFORE]
        elif entry >= 0:
            step, entry = words[entry * width + _STEP], words[entry * width + _BEFORE]
        else:
            break
    entry = words[at + _BEFORE]
    for i in range(m - 1, -1, -1):
        place = at
        if i < m - 2:
            place = entry * width
            entry = words[place + _BEFORE]
        steps[i] = words[place + (_OLDER if i == m - 2 else _STEP)]
        first = place + _VALUES + (n_values if i == m - 2 else 0)
        for k in range(n_values):
            brought[i * n_values + k] = values[first + k]
    return m


@inlined
def under_way(latest, older, longest, since, step):
    """How many spikes arrived at every synapse of a row since it was settled: 0 or 1; -1 where that is not so simple.

    It is not where some have arrived here and not there, at that time or now.
    """
    if latest + longest <= since:
        return 0
    return 1 if older + longest <= since and latest == since and latest + longest <= step else -1


@inlined
def is_young(r, row, since):
    """Whether spikes that were emitted before the latest births of a row may have arrived since it was settled."""
    entry = array_at(r.young, row + 1, np.int64)[row]
    return entry >= 0 and array_at(r.births, 3 * r.n_births, np.int64)[3 * entry + 1] + r.longest > since


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
def ask_for(address, size):
    """Ask for the cache lines of ``size`` bytes, as far as they hold the first synapses of a row."""
    lines = array_at(address, min(size, 512), np.uint8)
    for line in range((lines.size + 63) // 64):
        prefetch(lines, 64 * line)


@inlined
def piece_of(rows, row, shard):
    """First place and length of a row's piece for one shard."""
    start = array_at(rows.start, rows.n_rows, np.int64)[row]
    ends = array_at(rows.ends + 4 * row * rows.shards, rows.shards, np.uint32)
    begin = np.int64(ends[shard - 1]) if shard > 0 else np.int64(0)
    return start + begin, np.int64(ends[shard]) - begin


@inlined
def spike_seen(words, width, slot, upto):
    """The entry of a neuron's last spike up to a step."""
    entry = slot
    while words[np.uint64(entry * width)] > upto:
        entry = words[np.uint64(entry * width + _SPIKE_BEFORE)]
    return entry


@inlined
def settled_at(words, memory, at_head, shard):
    """The step up to which a piece of a row is settled."""
    return max(words[at_head + _SETTLED], array_at(memory.used + 64 * shard, 8, np.int64)[emission.KEPT_UP])


@inlined
def queue_of(r, shard):
    """A shard's queues of arrivals, one after the other, and where each of them ends."""
    n = r.queue_mask + 1
    words = n * r.queue_room
    queued = array_at(r.queued + 8 * n * shard, n, np.int64)
    return array_at(r.queue + 4 * words * shard, words, np.uint32), queued


@inlined
def emitted_by(words, memory, at_head, upto):
    """First word of the entry of a row's latest emission up to a step, among those in the log; -1: there is none."""
    entry = words[at_head + _BEFORE]
    while entry >= 0 and words[entry * memory.width + _STEP] > upto:
        entry = words[entry * memory.width + _BEFORE]
    return entry * memory.width if entry >= 0 else np.int64(-1)


@inlined
def note_emission(words, memory, shard, head, step):
    """A row emits at ``step``: of the two emissions in its head, the older one goes to the log.

    The caller writes the values.
    """
    width = memory.width
    at = head * width
    if words[at + _OLDER] != NEVER:
        used = array_at(memory.used + 64 * shard, 1, np.int64)
        entry = memory.heads + shard * memory.capacity + used[0]
        used[0] += 1
        words[entry * width + _STEP], words[entry * width + _BEFORE] = words[at + _OLDER], words[at + _BEFORE]
        n_values = memory.n_values
        for k in range(_VALUES, _VALUES + n_values):
            words[entry * width + k] = words[at + n_values + k]
        words[at + _BEFORE] = entry
    words[at + _OLDER] = words[at + _STEP]
    words[at + _STEP] = step
    words[at + _SETTLED] = step


@inlined
def note_spike(words, memory, shard, slot, step):
    """A target neuron fires at ``step``: its latest entry goes to the log. The caller writes the values."""
    width = memory.width
    used = array_at(memory.used + 64 * shard, 1, np.int64)
    entry = memory.slots + shard * memory.capacity + used[0]
    used[0] += 1
    at = slot * width
    for k in range(width):
        words[entry * width + k] = words[at + k]
    before = words[at + _SPIKE_BEFORE]
    if before == slot:  # there is none
        words[entry * width + _SPIKE_BEFORE] = entry
    else:
        words[before * width + _SPIKE_NEXT] = entry
    words[entry * width + _SPIKE_NEXT] = slot
    words[at] = step
    words[at + _SPIKE_BEFORE] = entry
    recent = recent_words(memory)[0]
    blocks = 1 + width - spike.VALUES
    for k in range(slot * blocks * spike.BLOCK, (slot + 1) * blocks * spike.BLOCK, spike.BLOCK):
        recent[k + 2] = recent[k + 1]
        recent[k + 1] = recent[k]
    older = words[entry * width + _SPIKE_BEFORE]
    recent[slot * blocks * spike.BLOCK] = step
    recent[slot * blocks * spike.BLOCK + spike.LINK] = words[older * width + _SPIKE_BEFORE]


@inlined
def forget_spikes(words, memory, shard, lo, hi):
    """Empty a shard's log when all synapses have seen all spikes: nobody goes back beyond the latest."""
    for slot in range(lo, hi):
        words[slot * memory.width + _SPIKE_BEFORE] = slot
    array_at(memory.used + 64 * shard, 1, np.int64)[0] = 0


@inlined
def forget_emissions(words, memory, shard, n_rows, remembered, now):
    """Drop from a shard's log the emissions of more than ``remembered`` steps ago, but for the latest of them in each
    row."""
    width, shards = memory.width, memory.shards
    first = memory.heads + shard * memory.capacity
    used = array_at(memory.used + 64 * shard, 1, np.int64)
    place = np.full(used[0], -1, np.int64)
    for row in range(n_rows):
        at = (row * shards + shard) * width
        newer = words[at + _OLDER]
        while newer + remembered > now and words[at + _BEFORE] >= 0:
            entry = words[at + _BEFORE]
            place[entry - first] = 0
            at = entry * width
            newer = words[at + _STEP]
        words[at + _BEFORE] = -1
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
            if words[new + _BEFORE] >= 0:
                words[new + _BEFORE] = first + place[words[new + _BEFORE] - first]
    for row in range(n_rows):
        at = (row * shards + shard) * width
        if words[at + _BEFORE] >= 0:
            words[at + _BEFORE] = first + place[words[at + _BEFORE] - first]
    used[0] = kept
