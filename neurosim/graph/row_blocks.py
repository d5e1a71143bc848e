"""The blocks that rows stand in: taken, left and recycled. See ``rows.py`` for the layout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import array_at, inlined, kernel, record_at
from neurosim.graph.row_kernels import CAPACITY, N_CLASSES, ROWS, ask_for_header, class_for, copy_items, row_end

Index = NDArray[np.int64]

_AHEAD = 16  # synapses between asking for the header of their row and using it


@inlined
def is_too_narrow(rows, number):
    """Whether the column of birth numbers cannot hold this one."""
    return rows.serial_size == 2 and number > 0xFFFF


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
def resize(rows, columns, start, size_class, free, row, length, wanted):
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
def fitting(held, length, spare):
    """The class of the block that a row should have that has one of class ``held``: a smaller one, where that leaves a
    share of ``1 / spare`` free, lest the row move to and fro."""
    if length == 0:
        return np.int64(0)
    while held > 1 and length * spare < CAPACITY[held - 1] * (spare - 1):
        held -= 1
    return held


@inlined
def shrink_row(rows, columns, start, size_class, free, row, length, wanted):
    """Let a row that has lost synapses take a smaller block, if one is free: a new one would make the pool larger."""
    held = np.int64(size_class[row])
    if wanted == 0 and held > 0:
        _release(rows, free, start[row], held)
        size_class[row] = 0
    elif wanted < held and free[wanted] >= 0:
        resize(rows, columns, start, size_class, free, row, length, wanted)


@kernel
def reserve(store: int, row_of: Index) -> int:
    """Give each row room for the synapses that it is to get, and their birth numbers.

    Returns for how many there is room: short of all when the pool is full or numbers are too narrow; -1 where those of
    a row do not stand together.
    """
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    next_serial = array_at(rows.next_serial, rows.n_rows, np.uint32)
    free = array_at(rows.free, N_CLASSES, np.int64)
    seen = np.zeros(rows.n_rows, np.uint8)
    n, first = row_of.size, 0
    while first < n:
        row, last = row_of[first], first + 1
        while last < n and row_of[last] == row:
            last += 1
        if seen[row]:
            return -1
        seen[row] = 1
        if last < n:
            ask_for_header(rows, row_of[min(last + _AHEAD, n - 1)])
        if is_too_narrow(rows, np.int64(next_serial[row]) + last - first - 1):
            return first
        length = row_end(ends, row, rows.shards)
        if length + last - first > CAPACITY[size_class[row]]:
            wanted = class_for(length + last - first)
            if not resize(rows, columns, start, size_class, free, row, length, wanted):
                return first
        first = last
    return n


@kernel
def shrink(store: int, loose: Index) -> None:
    """Let rows that have lost synapses take smaller blocks; ``loose`` holds, for each, the class that it should have
    above 32 bits of the row."""
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    free = array_at(rows.free, N_CLASSES, np.int64)
    for both in loose:
        row, wanted = both & 0xFFFFFFFF, both >> 32
        length = row_end(ends, row, rows.shards)
        wanted = wanted if length > 0 else np.int64(0)
        shrink_row(rows, columns, start, size_class, free, row, length, wanted)


@inlined
def _block_of(held, length, coming):
    """The class of the block for a row that is copied, and is to get some more."""
    if length + coming > CAPACITY[held]:
        return np.int64(class_for(length + coming))
    return fitting(held, length + coming, 32)


@kernel
def needed(store: int, coming: Index) -> int:
    """Places in all blocks, if each row had the block that it should have with those that are ``coming``."""
    rows = record_at(store, ROWS)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    places = 0
    for row in range(rows.n_rows):
        block = _block_of(np.int64(size_class[row]), row_end(ends, row, rows.shards), coming[row])
        places += int(CAPACITY[block])
    return places


@kernel
def compact(store: int, coming: Index, new_columns: int) -> None:
    """Copy all rows, each with the block that it should have, to the beginning of new columns."""
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    fresh = array_at(new_columns, 2 * rows.n_columns, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    top = np.int64(0)
    for row in range(rows.n_rows):
        length = row_end(ends, row, rows.shards)
        for k in range(rows.n_columns):
            copy_items(columns[2 * k + 1], columns[2 * k], start[row], fresh[2 * k], top, length)
        start[row] = top
        size_class[row] = _block_of(np.int64(size_class[row]), length, coming[row])
        top += CAPACITY[size_class[row]]
    rows.top = top
