"""Kernels that add, find and delete single synapses: see ``rows.py`` for the layout they work on.

In a large network nearly every synapse that is touched stands in memory that no cache holds. The loops therefore
look ahead: they ask for the row headers of an edit to come, then for the places that it will touch, and do the
edits of many rows in the time that one would wait for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import array_at, inlined, kernel, prefetch, record_at
from neurosim.graph.row_kernels import CAPACITY, N_CLASSES, ROWS, class_for, copy_item, copy_items, row_end

Index = NDArray[np.int64]
Serials = NDArray[np.uint32]

_AHEAD = 8  # edits between asking for something and using it


@inlined
def _move(columns, source, target):
    for k in range(columns.shape[0] // 2):
        copy_item(columns[2 * k + 1], columns[2 * k], source, columns[2 * k], target)


@inlined
def _allocate(rows, free, size_class):
    """A block of the class, recycled or new; -1 when the pool has no room."""
    block = free[size_class]
    if block >= 0:  # a free block holds the next one's place in its first two words
        words = array_at(rows.post, rows.capacity, np.uint32)
        link = (np.int64(words[block + 1]) << np.int64(32)) | np.int64(words[block])
        free[size_class] = link - 1
        return block
    block = rows.top
    if block + CAPACITY[size_class] > rows.capacity:
        return np.int64(-1)
    rows.top = block + CAPACITY[size_class]
    return block


@inlined
def _release(rows, free, block, size_class):
    if size_class == 0:
        return
    words = array_at(rows.post, rows.capacity, np.uint32)
    link = free[size_class] + 1
    words[block] = np.uint32(link & 0xFFFFFFFF)
    words[block + 1] = np.uint32(link >> 32)
    free[size_class] = block


@inlined
def _resize(rows, columns, start, size_class, free, row, length, wanted):
    """Move a row into a block of class ``wanted``; False when the pool is full."""
    block = np.int64(0)
    if wanted > 0:
        block = _allocate(rows, free, wanted)
        if block < 0:
            return False
    old = start[row]
    for k in range(columns.shape[0] // 2):
        copy_items(columns[2 * k + 1], columns[2 * k], old, columns[2 * k], block, length)
    _release(rows, free, old, np.int64(size_class[row]))
    start[row] = block
    size_class[row] = wanted
    return True


@inlined
def _ask_for_header(rows, row):
    """Ask for what is known of a row: where it starts, and where its shards end."""
    prefetch(array_at(rows.start, rows.n_rows, np.int64), row)
    prefetch(array_at(rows.ends, rows.n_rows * rows.shards, np.uint32), row * rows.shards)
    prefetch(array_at(rows.next_serial, rows.n_rows, np.uint32), row)


@inlined
def _ask_for_ends(rows, columns, row, shard):
    """Ask for the ends of a row's shards from ``shard`` on, in every column: an edit of ``shard`` moves those."""
    start = array_at(rows.start, rows.n_rows, np.int64)[row]
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    for t in range(shard, rows.shards):
        place = start + np.int64(ends[row * rows.shards + t])
        for k in range(rows.n_columns):
            prefetch(array_at(columns[2 * k], 1, np.uint8), place * columns[2 * k + 1])


@kernel
def append(store: int, begin: int, n: int, row_of: int, incoming: int, numbers: int) -> int:
    """Append synapses ``begin … n``; returns how many are in, short of ``n`` when the pool is full.

    It touches nothing but their rows, unless one of them is full.
    ``incoming`` is a table of (address, item size) like the store's own, the postsynaptic slot first. Each synapse
    gets the next birth number of its row, which is written to the column at ``numbers``.
    """
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    table = array_at(incoming, 2 * rows.n_columns, np.int64)
    row_of_ = array_at(row_of, n, np.int64)
    posts = array_at(table[0], n, np.uint32)
    serials = array_at(numbers, n, np.uint32)
    shards, stride = rows.shards, np.uint32(rows.stride)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    next_serial = array_at(rows.next_serial, rows.n_rows, np.uint32)
    free = array_at(rows.free, N_CLASSES, np.int64)
    for i in range(begin, n):
        if i + 2 * _AHEAD < n:
            _ask_for_header(rows, row_of_[i + 2 * _AHEAD])
        if i + _AHEAD < n:
            _ask_for_ends(rows, columns, row_of_[i + _AHEAD], np.int64(posts[i + _AHEAD] // stride))
        row = row_of_[i]
        length = row_end(ends, row, shards)
        held = np.int64(size_class[row])
        if length == CAPACITY[held] and not _resize(rows, columns, start, size_class, free, row, length, held + 1):
            return i
        serials[i] = next_serial[row]
        next_serial[row] += np.uint32(1)
        base = start[row]
        shard = np.int64(posts[i] // stride)
        for t in range(shards - 1, shard, -1):  # each later shard gives its first place and takes the next one
            first, last = np.int64(ends[row * shards + t - 1]), np.int64(ends[row * shards + t])
            if first != last:
                _move(columns, base + first, base + last)
            ends[row * shards + t] += np.uint32(1)
        place = base + np.int64(ends[row * shards + shard])
        ends[row * shards + shard] += np.uint32(1)
        for k in range(rows.n_columns):
            copy_item(columns[2 * k + 1], table[2 * k], i, columns[2 * k], place)
    return n


@kernel
def reserve(store: int, row_of: Index) -> int:
    """Give each row room for the synapses that it is to get, those of one row together; short of all when the pool
    is full."""
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    free = array_at(rows.free, N_CLASSES, np.int64)
    n, first = row_of.size, 0
    while first < n:
        row, last = row_of[first], first + 1
        while last < n and row_of[last] == row:
            last += 1
        length = row_end(ends, row, rows.shards)
        if length + last - first > CAPACITY[size_class[row]]:
            wanted = class_for(length + last - first)
            if not _resize(rows, columns, start, size_class, free, row, length, wanted):
                return first
        first = last
    return n


@inlined
def _scan(serials, base, length, serial, ahead):
    """Place of ``serial`` in a row, or -1; looks at 32 at a time without branching, and asks for those at ``ahead``."""
    c = np.int64(0)
    while c + 32 <= length:
        prefetch(serials, ahead + c)
        prefetch(serials, ahead + c + 16)
        block = serials[base + c : base + c + 32]
        hit = np.uint32(0)
        for k in range(32):
            hit |= np.uint32(block[k] == serial)
        if hit:
            break
        c += 32
    while c < length:
        if serials[base + c] == serial:
            return base + c
        c += 1
    return np.int64(-1)


@kernel
def find(store: int, row_of: Index, serial_of: Serials, place: Index) -> int:
    """Write the ``place`` of each synapse given by row (-1: of no neuron) and serial; -1 for what does not exist.

    Returns how many there are.

    In a row that was built in one go and edited little, most synapses still stand at the place of their number.
    """
    rows = record_at(store, ROWS)
    n = row_of.size
    shards = rows.shards
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * shards, np.uint32)
    numbered = rows.serial != 0  # else never edited: the birth number is the place
    serials = array_at(rows.serial, rows.capacity, np.uint32)
    moved = np.empty(n, np.int64)
    n_moved, found = 0, 0
    for i in range(n):
        if i + 2 * _AHEAD < n and row_of[i + 2 * _AHEAD] >= 0:
            _ask_for_header(rows, row_of[i + 2 * _AHEAD])
        if numbered and i + _AHEAD < n and row_of[i + _AHEAD] >= 0:
            prefetch(serials, start[row_of[i + _AHEAD]] + np.int64(serial_of[i + _AHEAD]))
        row, number = row_of[i], np.int64(serial_of[i])
        place[i] = -1
        if row < 0:
            continue
        inside = number < row_end(ends, row, shards)
        if inside and (not numbered or serials[start[row] + number] == serial_of[i]):
            place[i] = start[row] + number
            found += 1
        elif numbered:
            moved[n_moved] = i
            n_moved += 1
    for m in range(n_moved):
        i, after = moved[m], moved[min(m + 1, n_moved - 1)]
        row = row_of[i]
        place[i] = _scan(serials, start[row], row_end(ends, row, shards), serial_of[i], start[row_of[after]])
        if place[i] >= 0:
            found += 1
    return found


@inlined
def _delete_place(columns, ends, row, shards, base, place):
    """Close the hole at ``place``: within its shard by the shard's last synapse, then shard by shard."""
    hole = place
    for t in range(shards):
        last = base + np.int64(ends[row * shards + t]) - 1
        if last < hole:
            continue
        if last != hole:
            _move(columns, last, hole)
        hole = last
        ends[row * shards + t] -= np.uint32(1)


@inlined
def _is_too_large(held, length):
    """Whether a block of class ``held`` is for a row of that length."""
    return held > 0 and (length == 0 or (held > 1 and length * 8 < CAPACITY[held - 1] * 7))


@inlined
def _shrink(rows, columns, start, size_class, free, row, length):
    """Let a row that has lost synapses take smaller blocks, class by class, while there is room for them."""
    while _is_too_large(np.int64(size_class[row]), length):
        held = np.int64(size_class[row])
        if length == 0:
            _release(rows, free, start[row], held)
            size_class[row] = 0
        elif not _resize(rows, columns, start, size_class, free, row, length, held - 1):
            break


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
    serials = array_at(rows.serial, rows.capacity, np.uint32)
    posts, stride = array_at(rows.post, rows.capacity, np.uint32), np.uint32(rows.stride)
    deleted = 0
    for i in range(n):
        if i + _AHEAD < n:
            shard = np.int64(posts[place_of[i + _AHEAD]] // stride)
            _ask_for_ends(rows, columns, row_of[i + _AHEAD], min(shard, shards - 1))
        row = row_of[i]
        length = row_end(ends, row, shards)
        place = place_of[i]
        inside = start[row] <= place < start[row] + length
        if not inside or serials[place] != serial_of[i]:  # an earlier deletion moved it
            place = _scan(serials, start[row], length, serial_of[i], start[row])
            if place < 0:
                place_of[i] = -1
                continue
        _delete_place(columns, ends, row, shards, start[row], place)
        deleted += 1
        rows.live -= 1
        _shrink(rows, columns, start, size_class, free, row, length - 1)
    return deleted


@kernel
def delete_places(store: int, begin: int, n: int, row_of: Index, place_of: Index) -> None:
    """Delete synapses ``begin … n``, given by row and place, those of a row one after the other, the last of it first.

    So no deletion moves one that is still to come. It touches nothing but their rows, which keep their blocks.
    """
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    shards = rows.shards
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * shards, np.uint32)
    for i in range(begin, n):
        if i + 4 * _AHEAD < n:
            _ask_for_header(rows, row_of[i + 4 * _AHEAD])
        if i + 2 * _AHEAD < n:
            ahead = i + 2 * _AHEAD
            for k in range(rows.n_columns):
                prefetch(array_at(columns[2 * k], 1, np.uint8), place_of[ahead] * columns[2 * k + 1])
            if row_of[ahead] != row_of[ahead - 1]:
                _ask_for_ends(rows, columns, row_of[ahead], np.int64(0))
        row = row_of[i]
        _delete_place(columns, ends, row, shards, start[row], place_of[i])


@kernel
def shrink(store: int, row_of: Index) -> None:
    """Let rows that have lost synapses take smaller blocks; those of one row stand together."""
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    free = array_at(rows.free, N_CLASSES, np.int64)
    for i in range(row_of.size):
        row = row_of[i]
        if i > 0 and row == row_of[i - 1]:
            continue
        _shrink(rows, columns, start, size_class, free, row, row_end(ends, row, rows.shards))


@kernel
def joined(store: int, row_of: Index, post_of: Index, free: NDArray[np.uint8]) -> None:
    """Set ``free`` to 0 for pairs (row, postsynaptic slot) that a synapse joins already."""
    rows = record_at(store, ROWS)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    posts = array_at(rows.post, rows.capacity, np.uint32)
    for i in range(row_of.size):
        row, wanted = row_of[i], np.uint32(post_of[i])
        shard = np.int64(wanted) // rows.stride
        begin = np.int64(ends[row * rows.shards + shard - 1]) if shard > 0 else np.int64(0)
        piece = posts[start[row] + begin : start[row] + np.int64(ends[row * rows.shards + shard])]
        hit = np.uint32(0)
        for k in range(piece.size):
            hit |= np.uint32(piece[k] == wanted)
        if hit:
            free[i] = 0
