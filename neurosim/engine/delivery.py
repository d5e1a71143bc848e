"""Delivery: each spike streams its row once and adds the weights to the rings of arrivals.

A delay of zero goes to the receptor's variable directly: the run loop delivers a step's spikes after the step and
before anything looks at it, which is where the law puts such arrivals.
"""

from __future__ import annotations

import numpy as np

from neurosim.compiled import array_at, by_address, embedded, inlined, prefetch, record_at
from neurosim.engine.low_bit import from_half, from_level
from neurosim.engine.records import ROUTE
from neurosim.graph.row_kernels import ROWS, number_at


@inlined
def _piece(rows, row, s_lo, s_hi):
    """Places of a row's synapses onto shards ``s_lo … s_hi``."""
    start = array_at(rows.start, rows.n_rows, np.int64)[row]
    ends = array_at(rows.ends + 4 * row * rows.shards, rows.shards, np.uint32)
    begin = start + np.int64(ends[s_lo - 1]) if s_lo > 0 else start
    return begin, start + np.int64(ends[s_hi - 1])


# A row's `weights` are None where all synapses of the projection share one: a column less to stream. Where they are of
# few bits they become numbers on the way. `kept` says how: (the shared one, lowest level, highest, step).


@embedded
def _weight(weights, c, kept):
    """The weight number ``c`` of a row; which way is settled when this is compiled."""
    if weights is None:
        return kept[0]
    if weights.itemsize == 4:
        return np.float64(weights[c])
    if weights.itemsize == 1:
        return from_level(weights[c], kept[1], kept[2], kept[3])
    return from_half(np.int64(weights[c]))


@inlined
def _add_direct(route, step, post, weight):
    """An arrival without delay: a current always, a jump of the membrane unless the neuron is refractory."""
    variable = array_at(route.direct, route.n_slots, np.float64)
    if route.gate == 0 or array_at(route.gate, route.n_slots, np.int64)[post] < step:
        variable[post] += np.float64(weight)


@inlined
def _deliver_row_direct(route, step, posts, weights, kept):
    for c in range(posts.size):
        _add_direct(route, step, posts[c], _weight(weights, c, kept))


@inlined
def _deliver_row_one_delay(route, step, delay, posts, weights, kept):
    slot = (step + delay) & route.mask
    ring = array_at(route.ring + 8 * slot * route.n_slots, route.n_slots, np.float64)
    for c in range(posts.size):
        ring[posts[c]] += _weight(weights, c, kept)


@inlined
def _deliver_row(route, step, delays, posts, weights, kept):
    ring = array_at(route.ring, (route.mask + 1) * route.n_slots, np.float64)
    mask, n_slots = np.uint64(route.mask), np.uint64(route.n_slots)
    now = np.uint64(step)
    for c in range(posts.size):
        slot = (now + np.uint64(delays[c])) & mask
        ring[slot * n_slots + np.uint64(posts[c])] += _weight(weights, c, kept)


@inlined
def _deliver_row_with_zeros(route, step, delays, posts, weights, kept):
    ring = array_at(route.ring, (route.mask + 1) * route.n_slots, np.float64)
    for c in range(posts.size):
        weight = _weight(weights, c, kept)
        if delays[c] == 0:
            _add_direct(route, step, posts[c], weight)
        else:
            slot = (step + np.int64(delays[c])) & route.mask
            ring[slot * route.n_slots + np.int64(posts[c])] += weight


@inlined
def _by_delay(route, rows, step, begin, posts, weights, kept):
    """One piece of a row, in the way that the projection's delays ask for."""
    if rows.delay_size == 0:
        if rows.uniform_delay > 0:
            _deliver_row_one_delay(route, step, rows.uniform_delay, posts, weights, kept)
        else:
            _deliver_row_direct(route, step, posts, weights, kept)
    elif rows.delay_size == 1:
        delays = array_at(rows.delay + begin, posts.size, np.uint8)
        if route.has_zero:
            _deliver_row_with_zeros(route, step, delays, posts, weights, kept)
        else:
            _deliver_row(route, step, delays, posts, weights, kept)
    else:
        wide = array_at(rows.delay + 2 * begin, posts.size, np.uint16)
        if route.has_zero:
            _deliver_row_with_zeros(route, step, wide, posts, weights, kept)
        else:
            _deliver_row(route, step, wide, posts, weights, kept)


@inlined
def _dispatch(route, rows, step, begin, end):
    posts = array_at(rows.post + 4 * begin, end - begin, np.uint32)
    kept = rows.uniform_weight, rows.least_weight, rows.most_weight, rows.weight_step
    if rows.weight == 0:
        _by_delay(route, rows, step, begin, posts, None, kept)
    elif rows.weight_size == 4:
        _by_delay(route, rows, step, begin, posts, array_at(rows.weight + 4 * begin, end - begin, np.float32), kept)
    elif rows.weight_size == 1:
        _by_delay(route, rows, step, begin, posts, array_at(rows.weight + begin, end - begin, np.uint8), kept)
    else:
        _by_delay(route, rows, step, begin, posts, array_at(rows.weight + 2 * begin, end - begin, np.uint16), kept)


@inlined
def _fetch_ahead(rows, row):
    """Ask for the first lines of the row that comes next."""
    begin = array_at(rows.start, rows.n_rows, np.int64)[row]
    posts = array_at(rows.post, rows.capacity, np.uint32)
    for line in range(8):
        prefetch(posts, begin + 16 * line)
    if rows.weight != 0:
        weights = array_at(rows.weight, rows.capacity * rows.weight_size, np.uint8)
        for line in range(2 * rows.weight_size):
            prefetch(weights, begin * rows.weight_size + 64 * line)


@inlined
def _arrival(route, rows, row, c, step):
    """When the spike of ``step`` arrives over the synapse at place ``c``: none overtakes another at one synapse."""
    delay = rows.uniform_delay
    if rows.delay_size == 1:
        delay = np.int64(array_at(rows.delay + c, 1, np.uint8)[0])
    elif rows.delay_size == 2:
        delay = np.int64(array_at(rows.delay + 2 * c, 1, np.uint16)[0])
    arrival = step + delay
    held = array_at(route.held, 3 * route.n_held, np.int64)
    for h in range(route.n_held):
        if held[3 * h] == row:
            serial = c - array_at(rows.start, rows.n_rows, np.int64)[row]
            if rows.serial != 0:
                serial = np.int64(number_at(rows, c))
            if held[3 * h + 1] == serial:
                arrival = max(arrival, held[3 * h + 2])
    return arrival


@inlined
def _deliver_held(route, rows, row, step, begin, end):
    """One piece of a row of which some synapse still has a spike of an earlier, longer delay under way."""
    posts = array_at(rows.post, rows.capacity, np.uint32)
    ring = array_at(route.ring, (route.mask + 1) * route.n_slots, np.float64)
    kept = rows.uniform_weight, rows.least_weight, rows.most_weight, rows.weight_step
    for c in range(begin, end):
        weight, at = rows.uniform_weight, rows.weight + rows.weight_size * c
        if rows.weight != 0 and rows.weight_size == 4:
            weight = _weight(array_at(at, 1, np.float32), 0, kept)
        elif rows.weight != 0 and rows.weight_size == 1:
            weight = _weight(array_at(at, 1, np.uint8), 0, kept)
        elif rows.weight != 0:
            weight = _weight(array_at(at, 1, np.uint16), 0, kept)
        arrival = _arrival(route, rows, row, c, step)
        if arrival == step:
            _add_direct(route, step, posts[c], weight)
        else:
            ring[(arrival & route.mask) * route.n_slots + np.int64(posts[c])] += weight


@inlined
def _deliver_piece(route, rows, row, step, begin, end):
    held = array_at(route.held, 3 * route.n_held, np.int64)
    for h in range(route.n_held):
        if held[3 * h] == row:
            _deliver_held(route, rows, row, step, begin, end)
            return
    _dispatch(route, rows, step, begin, end)


@by_address
def deliver(record: int, step: int, fired: int, n_fired: int, s_lo: int, s_hi: int, unused: int) -> int:
    """Deliver the spikes of ``fired`` (slots, in order of ids) emitted in ``step`` to shards ``s_lo … s_hi``.

    Returns the number of synaptic events.
    """
    route = record_at(record, ROUTE)
    rows = record_at(route.rows, ROWS)
    slots = array_at(fired, n_fired, np.uint32)
    events = 0
    for k in range(n_fired):
        row = np.int64(slots[k])
        if k + 1 < n_fired:
            _fetch_ahead(rows, np.int64(slots[k + 1]))
        begin, end = _piece(rows, row, s_lo, s_hi)
        if end > begin:
            _deliver_piece(route, rows, row, step, begin, end)
            events += end - begin
    return events


@by_address
def deliver_audited(record: int, step: int, fired: int, n_fired: int, s_lo: int, s_hi: int, unused: int) -> int:
    """Like ``deliver``, and counts every arrival: per target and time in ``tally``, or in ``direct_tally``."""
    route = record_at(record, ROUTE)
    rows = record_at(route.rows, ROWS)
    slots = array_at(fired, n_fired, np.uint32)
    posts = array_at(rows.post, rows.capacity, np.uint32)
    tally = array_at(route.tally, (route.mask + 1) * route.n_slots, np.uint32)
    direct_tally = array_at(route.direct_tally, 8 * (s_lo + 1), np.int64)
    events = 0
    for k in range(n_fired):
        row = np.int64(slots[k])
        begin, end = _piece(rows, row, s_lo, s_hi)
        if end > begin:
            _deliver_piece(route, rows, row, step, begin, end)
            events += end - begin
        for c in range(begin, end):
            arrival = _arrival(route, rows, row, c, step)
            if arrival == step:
                direct_tally[8 * s_lo] += 1
            else:
                tally[(arrival & route.mask) * route.n_slots + np.int64(posts[c])] += np.uint32(1)
    return events


AUDIT = np.dtype([("tally", np.int64), ("mask", np.int64), ("n_slots", np.int64)])


@by_address
def count_arrivals(record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int) -> int:
    """Take what arrives at slots ``lo … hi`` in the coming steps off the tally; returns how many arrivals."""
    r = record_at(record, AUDIT)
    arrived = 0
    for j in range(n_steps):
        place = r.tally + 4 * (((first + j) & r.mask) * r.n_slots + lo)
        counts = array_at(place, hi - lo, np.uint32)
        for i in range(counts.size):
            arrived += int(counts[i])
            counts[i] = 0
    return arrived
