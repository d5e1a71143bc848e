"""The row store as kernels see it, and what is done to it as a whole: see ``rows.py`` for the layout.

Columns are moved by item size, so one compiled kernel serves any set of columns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import array_at, inlined, kernel, prefetch, record_at

Index = NDArray[np.int64]

_FIELDS = (
    "start", "ends", "size_class", "next_serial",  # per row: addresses
    "n_rows", "shards", "stride",
    "post", "weight", "delay", "serial",  # per synapse: addresses; 0 where a column does not exist
    "serial_size",  # bytes per birth number: 2, or 4 where some have grown large
    "delay_size", "uniform_delay",  # bytes per delay, 0 when all synapses share uniform_delay
    "weight_size",  # bytes per weight: 8, 4 or 2 of a floating-point number, 1 of a level (see ``precision.py``)
    "columns", "n_columns",  # table of (address, item size) of all columns
    "free", "top", "capacity", "live",
)  # fmt: skip
_REALS = ("uniform_weight", "least_weight", "most_weight", "weight_step")
ROWS = np.dtype([(name, np.int64) for name in _FIELDS] + [(name, np.float64) for name in _REALS])


def _size_classes() -> np.ndarray:
    """Block sizes: multiples of 4, growing by a sixteenth, very large ones by a quarter; fewer than 256."""
    sizes = [0, 4, 8, 12, 16]
    while sizes[-1] < 2**31:
        larger = sizes[-1] * 17 // 16 if sizes[-1] < 2**20 else sizes[-1] * 5 // 4
        sizes.append((larger + 4) // 4 * 4)
    return np.array(sizes, np.int64)


CAPACITY = _size_classes()
N_CLASSES = CAPACITY.size


@inlined
def class_for(length):
    """The smallest size class that holds ``length`` synapses."""
    return np.searchsorted(CAPACITY, length)


@inlined
def copy_item(size, source, i, target, j):
    """Copy one item of 1, 2, 4 or 8 bytes from ``source[i]`` to ``target[j]`` (addresses)."""
    if size == 4:
        array_at(target, j + 1, np.uint32)[j] = array_at(source, i + 1, np.uint32)[i]
    elif size == 1:
        array_at(target, j + 1, np.uint8)[j] = array_at(source, i + 1, np.uint8)[i]
    elif size == 8:
        array_at(target, j + 1, np.uint64)[j] = array_at(source, i + 1, np.uint64)[i]
    else:
        array_at(target, j + 1, np.uint16)[j] = array_at(source, i + 1, np.uint16)[i]


@inlined
def copy_items(size, source, i, target, j, n):
    """Copy ``n`` items of 1, 2, 4 or 8 bytes from ``source[i:]`` to ``target[j:]`` (addresses)."""
    if size == 4:
        array_at(target + 4 * j, n, np.uint32)[:] = array_at(source + 4 * i, n, np.uint32)
    elif size == 1:
        array_at(target + j, n, np.uint8)[:] = array_at(source + i, n, np.uint8)
    elif size == 8:
        array_at(target + 8 * j, n, np.uint64)[:] = array_at(source + 8 * i, n, np.uint64)
    else:
        array_at(target + 2 * j, n, np.uint16)[:] = array_at(source + 2 * i, n, np.uint16)


@inlined
def row_end(ends, row, shards):
    """How many synapses a row has: the end of its last shard."""
    return np.int64(ends[row * shards + shards - 1])


@inlined
def number_at(rows, place):
    """The birth number at a place, where they are written down."""
    if rows.serial_size == 2:
        return np.uint32(array_at(rows.serial, rows.capacity, np.uint16)[place])
    return array_at(rows.serial, rows.capacity, np.uint32)[place]


@inlined
def ask_for_header(rows, row):
    """Ask for what is known of a row: where it starts, where its shards end, and its next birth number."""
    prefetch(array_at(rows.start, rows.n_rows, np.int64), row)
    prefetch(array_at(rows.ends, rows.n_rows * rows.shards, np.uint32), row * rows.shards)
    prefetch(array_at(rows.next_serial, rows.n_rows, np.uint32), row)


@kernel
def count_rows(store: int, n: int, row_of: int, posts: int) -> None:
    """First pass of a bulk build: synapses per (row, shard), counted into ``ends``."""
    rows = record_at(store, ROWS)
    row_of_ = array_at(row_of, n, np.uint32)
    posts_ = array_at(posts, n, np.uint32)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    shards, stride = np.uint32(rows.shards), np.uint32(rows.stride)
    for i in range(n):
        shard = posts_[i] // stride if shards > 1 else np.uint32(0)
        ends[np.int64(row_of_[i]) * rows.shards + shard] += np.uint32(1)


@kernel
def reserve_rows(store: int) -> None:
    """Between the passes: lay the rows out one after the other, with room to grow by a sixteenth; ``ends`` become the
    shards' first places."""
    rows = record_at(store, ROWS)
    shards = rows.shards
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    next_serial = array_at(rows.next_serial, rows.n_rows, np.uint32)
    top = np.int64(0)
    for row in range(rows.n_rows):
        length = np.uint32(0)
        for t in range(shards):
            count = ends[row * shards + t]
            ends[row * shards + t] = length
            length += count
        size_class[row] = class_for(length + length // 16)
        start[row] = top
        next_serial[row] = length
        top += CAPACITY[size_class[row]]
        rows.live += length
    rows.top = top


@kernel
def fill_rows(store: int, n: int, row_of: int, incoming: int) -> None:
    """Second pass of a bulk build: put each synapse at the next place of its (row, shard)."""
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    table = array_at(incoming, 2 * rows.n_columns, np.int64)
    row_of_ = array_at(row_of, n, np.uint32)
    posts = array_at(table[0], n, np.uint32)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    shards, stride = np.uint32(rows.shards), np.uint32(rows.stride)
    for i in range(n):
        row = np.int64(row_of_[i])
        shard = posts[i] // stride if shards > 1 else np.uint32(0)
        cursor = row * rows.shards + shard
        place = start[row] + np.int64(ends[cursor])
        ends[cursor] += np.uint32(1)
        for k in range(rows.n_columns):
            copy_item(columns[2 * k + 1], table[2 * k], i, columns[2 * k], place)


@kernel
def write_serials(store: int) -> None:
    """Write down the birth numbers that were implied by the places of synapses."""
    rows = record_at(store, ROWS)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    wide = array_at(rows.serial, rows.capacity if rows.serial_size == 4 else 0, np.uint32)
    narrow = array_at(rows.serial, rows.capacity if rows.serial_size == 2 else 0, np.uint16)
    for row in range(rows.n_rows):
        length = row_end(ends, row, rows.shards)
        if rows.serial_size == 2:
            for c in range(length):
                narrow[start[row] + c] = np.uint16(c)
        else:
            for c in range(length):
                wide[start[row] + c] = np.uint32(c)


@kernel
def flatten(store: int, n_selected: int, selected: int, out_row: int, out_place: int) -> None:
    """Places of all synapses of the selected rows, in row order, with the row of each."""
    rows = record_at(store, ROWS)
    selected_ = array_at(selected, n_selected, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    total = 0
    for r in range(n_selected):
        total += row_end(ends, selected_[r], rows.shards)
    row_of = array_at(out_row, total, np.int64)
    place = array_at(out_place, total, np.int64)
    k = 0
    for r in range(n_selected):
        row = selected_[r]
        for c in range(row_end(ends, row, rows.shards)):
            row_of[k] = row
            place[k] = start[row] + c
            k += 1


@kernel
def places_of(store: int, selected: Index, position: Index, row_of: Index, place: Index) -> None:
    """Row and place of synapses by ascending ``position`` among all of the selected rows."""
    rows = record_at(store, ROWS)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    k, first = 0, np.int64(0)
    for row in selected:
        after = first + row_end(ends, row, rows.shards)
        while k < position.size and position[k] < after:
            row_of[k], place[k] = row, start[row] + position[k] - first
            k += 1
        first = after


@kernel
def relabel_posts(store: int, mapping: int, n_slots: int) -> None:
    """Rewrite every postsynaptic slot through ``mapping`` (slots keep their shard and order)."""
    rows = record_at(store, ROWS)
    new_slot = array_at(mapping, n_slots, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    posts = array_at(rows.post, rows.capacity, np.uint32)
    for row in range(rows.n_rows):
        for c in range(start[row], start[row] + row_end(ends, row, rows.shards)):
            posts[c] = np.uint32(new_slot[posts[c]])


@kernel
def count_onto(store: int, n_slots: int, out: int) -> None:
    """In-degree: how many synapses each postsynaptic slot has."""
    rows = record_at(store, ROWS)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    posts = array_at(rows.post, rows.capacity, np.uint32)
    counts = array_at(out, n_slots, np.int64)
    for row in range(rows.n_rows):
        for c in range(start[row], start[row] + row_end(ends, row, rows.shards)):
            counts[posts[c]] += 1


@kernel
def places_onto(store: int, marked: int, n_slots: int, capacity: int, out_row: int, out_place: int) -> int:
    """Rows and places of all synapses onto marked slots; returns how many there are (may exceed ``capacity``)."""
    rows = record_at(store, ROWS)
    is_marked = array_at(marked, n_slots, np.uint8)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    posts = array_at(rows.post, rows.capacity, np.uint32)
    row_of = array_at(out_row, capacity, np.int64)
    place = array_at(out_place, capacity, np.int64)
    found = 0
    for row in range(rows.n_rows):
        for c in range(start[row], start[row] + row_end(ends, row, rows.shards)):
            if is_marked[posts[c]]:
                if found < capacity:
                    row_of[found] = row
                    place[found] = c
                found += 1
    return found
