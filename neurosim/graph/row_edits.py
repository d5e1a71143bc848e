"""Kernels that add and delete single synapses: see ``rows.py`` for the layout they work on.

In a large network nearly every synapse that is touched stands in memory that no cache holds, so edits are made a batch
at a time. First it is *planned* what moves where: that takes the headers of rows alone, which were asked for before.
Then the places are asked for, in all columns; and while they come, the batch before is *carried out*, column by column.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import array_at, inlined, kernel, prefetch_far, record_at
from neurosim.graph.row_blocks import fitting, is_too_narrow, resize, shrink_row
from neurosim.graph.row_kernels import (
    CAPACITY,
    N_CLASSES,
    ROWS,
    ask_for_header,
    class_for,
    copy_item,
    number_at,
    row_end,
)
from neurosim.graph.row_search import scan

Index = NDArray[np.int64]
Serials = NDArray[np.uint32]

_BATCH = 32  # edits


@inlined
def _carry_out(columns, incoming, source, target, n):
    """Make ``n`` planned moves in all columns, one after the other: from place to place, or (below 0: -1 for the first)
    from what is ``incoming``."""
    for k in range(columns.shape[0] // 2):
        here, new, size = columns[2 * k], incoming[2 * k] - columns[2 * k + 1], columns[2 * k + 1]
        if size == 4:
            for m in range(n):
                origin = here + 4 * source[m] if source[m] >= 0 else new - 4 * source[m]
                array_at(here + 4 * target[m], 1, np.uint32)[0] = array_at(origin, 1, np.uint32)[0]
        elif size == 2:
            for m in range(n):
                origin = here + 2 * source[m] if source[m] >= 0 else new - 2 * source[m]
                array_at(here + 2 * target[m], 1, np.uint16)[0] = array_at(origin, 1, np.uint16)[0]
        elif size == 1:
            for m in range(n):
                origin = here + source[m] if source[m] >= 0 else new - source[m]
                array_at(here + target[m], 1, np.uint8)[0] = array_at(origin, 1, np.uint8)[0]
        else:
            for m in range(n):
                origin = here + 8 * source[m] if source[m] >= 0 else new - 8 * source[m]
                array_at(here + 8 * target[m], 1, np.uint64)[0] = array_at(origin, 1, np.uint64)[0]


@inlined
def _ask_for(columns, places, n):
    """Ask for places in all columns."""
    for k in range(columns.shape[0] // 2):
        here, size = array_at(columns[2 * k], 1, np.uint8), columns[2 * k + 1]
        for m in range(n):
            prefetch_far(here, size * places[m])


@kernel
def append(store: int, begin: int, n: int, row_of: int, incoming: int, staged: int, numbers: Serials) -> int:
    """Append synapses ``begin … n``; returns how many are in, short of ``n`` when the pool is full or the next birth
    number is too large for its column.

    It touches nothing but their rows, unless one of them is full.
    ``incoming`` is a table of (address, item size) like the store's own, the postsynaptic slot first. Each synapse gets
    the next birth number of its row, which is written to ``numbers`` and to the incoming column at ``staged``.
    """
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    table = array_at(incoming, 2 * rows.n_columns, np.int64)
    row_of_ = array_at(row_of, n, np.int64)
    posts = array_at(table[0], n, np.uint32)
    shards = rows.shards
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    next_serial = array_at(rows.next_serial, rows.n_rows, np.uint32)
    free = array_at(rows.free, N_CLASSES, np.int64)
    source, target = np.empty((2, _BATCH * shards + 1), np.int64), np.empty((2, _BATCH * shards + 1), np.int64)
    now, planned, before = 0, 0, 0  # which half is planned, and how many moves: of this batch, and of the one before
    for i in range(begin, n):
        if i + 2 * _BATCH < n:
            ask_for_header(rows, row_of_[i + 2 * _BATCH])
        row = row_of_[i]
        length, held, number = row_end(ends, row, shards), np.int64(size_class[row]), next_serial[row]
        if length == CAPACITY[held] or is_too_narrow(rows, number):
            _carry_out(columns, table, source[1 - now], target[1 - now], before)
            _carry_out(columns, table, source[now], target[now], planned)
            planned = before = 0
            if is_too_narrow(rows, number):
                return i
            larger = class_for(length + length // 4 + 1)
            if not resize(rows, columns, start, size_class, free, row, length, larger):
                return i
        numbers[i] = number
        if rows.serial_size == 2:
            array_at(staged, n, np.uint16)[i] = np.uint16(number)
        else:
            array_at(staged, n, np.uint32)[i] = number
        next_serial[row] = number + np.uint32(1)
        base, post, shard = start[row], np.int64(posts[i]), row * shards
        for t in range(shards - 1, 0, -1):  # each later shard gives its first place and takes the next one
            is_later = int(post < t * rows.stride)  # counted rather than branched upon: chance decides
            source[now, planned] = base + np.int64(ends[row * shards + t - 1])
            target[now, planned] = base + np.int64(ends[row * shards + t])
            ends[row * shards + t] += np.uint32(is_later)
            planned += is_later
            shard += 1 - is_later
        source[now, planned], target[now, planned] = -1 - i, base + np.int64(ends[shard])
        ends[shard] += np.uint32(1)
        planned += 1
        if (i - begin) % _BATCH == _BATCH - 1:
            _ask_for(columns, target[now], planned)
            _carry_out(columns, table, source[1 - now], target[1 - now], before)
            now, before, planned = 1 - now, planned, 0
    _carry_out(columns, table, source[1 - now], target[1 - now], before)
    _carry_out(columns, table, source[now], target[now], planned)
    return n


@inlined
def _delete_place(columns, ends, row, shards, base, place):
    """Close the hole at ``place``: within its shard by the shard's last synapse, then shard by shard."""
    hole = place
    for t in range(shards):
        last = base + np.int64(ends[row * shards + t]) - 1
        if last < hole:
            continue
        if last != hole:
            for k in range(columns.shape[0] // 2):
                copy_item(columns[2 * k + 1], columns[2 * k], last, columns[2 * k], hole)
        hole = last
        ends[row * shards + t] -= np.uint32(1)


@kernel
def delete(store: int, row_of: Index, serial_of: Serials, place_of: Index) -> int:
    """Delete synapses given by row and serial, all of which exist; ``place_of`` is where they were found.

    Returns how many deletions were made: a synapse named twice is deleted once, and its later places become -1.
    """
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    n = row_of.size
    shards = rows.shards
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    free = array_at(rows.free, N_CLASSES, np.int64)
    deleted = 0
    for i in range(n):
        if i + _BATCH < n:
            _ask_for_deletion(rows, columns, start, ends, row_of[i + _BATCH], place_of[i + _BATCH])
        row = row_of[i]
        length = row_end(ends, row, shards)
        place = place_of[i]
        inside = start[row] <= place < start[row] + length
        if not inside or number_at(rows, place) != serial_of[i]:  # an earlier deletion moved it
            place = scan(rows, start[row], length, serial_of[i], start[row])
            if place < 0:
                place_of[i] = -1
                continue
        _delete_place(columns, ends, row, shards, start[row], place)
        deleted += 1
        rows.live -= 1
        wanted = fitting(np.int64(size_class[row]), length - 1, 8)
        shrink_row(rows, columns, start, size_class, free, row, length - 1, wanted)
    return deleted


@inlined
def _ask_for_deletion(rows, columns, start, ends, row, place):
    """Ask for a place and for the ends of its row's shards from there on, in all columns: a deletion moves those."""
    for k in range(rows.n_columns):
        prefetch_far(array_at(columns[2 * k], 1, np.uint8), place * columns[2 * k + 1])
    for t in range(rows.shards):
        end = start[row] + np.int64(ends[row * rows.shards + t])
        if end > place:
            for k in range(rows.n_columns):
                prefetch_far(array_at(columns[2 * k], 1, np.uint8), (end - 1) * columns[2 * k + 1])


@kernel
def delete_places(
    store: int, begin: int, n: int, row_of: Index, place_of: Index, numbers: Serials, loose: Index
) -> int:
    """Delete synapses ``begin … n``, given by row and place, those of a row one after the other, the last of it first.

    So no deletion moves one that is still to come. It touches nothing but their rows, which keep their blocks. Birth
    ``numbers`` are written down, and (from ``begin`` on, until what is returned) ``loose``: which rows had blocks that
    were too large *before*, as births mostly follow deaths, and should have which; see ``shrink``.
    """
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    shards = rows.shards
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    source, target = np.empty((2, _BATCH * shards + 1), np.int64), np.empty((2, _BATCH * shards + 1), np.int64)
    end_of_loose = begin
    now, before, first = 0, 0, begin  # which half is planned; moves of the batch before, which began at ``first``
    for batch in range(begin, n, _BATCH):
        after, planned = min(batch + _BATCH, n), 0
        for i in range(batch, after):
            if i + 2 * _BATCH < n:
                ask_for_header(rows, row_of[i + 2 * _BATCH])
            row, hole = row_of[i], place_of[i]
            if i == begin or row_of[i - 1] != row:
                held = np.int64(size_class[row])
                wanted = fitting(held, row_end(ends, row, shards), 32)
                if wanted < held:
                    loose[end_of_loose] = wanted << 32 | row
                    end_of_loose += 1
            for t in range(shards):
                last = start[row] + np.int64(ends[row * shards + t]) - 1
                if last >= hole:
                    source[now, planned], target[now, planned] = last, hole
                    ends[row * shards + t] -= np.uint32(1)
                    hole = last
                    planned += 1
        _ask_for(columns, target[now], planned)
        _ask_for(columns, source[now], planned)
        for i in range(first, batch):
            numbers[i] = number_at(rows, place_of[i])
        _carry_out(columns, columns, source[1 - now], target[1 - now], before)
        now, before, first = 1 - now, planned, batch
    for i in range(first, n):
        numbers[i] = number_at(rows, place_of[i])
    _carry_out(columns, columns, source[1 - now], target[1 - now], before)
    return end_of_loose
