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
def is_too_large(held, length):
    """Whether a block of class ``held`` is for a row of that length."""
    return held > 0 and (length == 0 or (held > 1 and length * 8 < CAPACITY[held - 1] * 7))


@inlined
def shrink_row(rows, columns, start, size_class, free, row, length):
    """Let a row that has lost synapses take smaller blocks, class by class, while there is room for them."""
    while is_too_large(np.int64(size_class[row]), length):
        held = np.int64(size_class[row])
        if length == 0:
            _release(rows, free, start[row], held)
            size_class[row] = 0
        elif not resize(rows, columns, start, size_class, free, row, length, held - 1):
            break


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
    """Let these rows, which have lost synapses, take smaller blocks."""
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    free = array_at(rows.free, N_CLASSES, np.int64)
    for row in loose:
        shrink_row(rows, columns, start, size_class, free, row, row_end(ends, row, rows.shards))
