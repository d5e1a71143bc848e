"""Kernels that look for synapses: by birth number, or by the neurons that they join. See ``rows.py``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import array_at, inlined, kernel, prefetch, prefetch_far, record_at
from neurosim.graph.row_kernels import ROWS, ask_for_header, number_at, row_end

Index = NDArray[np.int64]
Serials = NDArray[np.uint32]

_AHEAD = 32  # synapses between asking for something and using it


@inlined
def _scan_column(serials, base, length, serial, ahead):
    """Looks at 32 at a time without branching, and asks for those at ``ahead``."""
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


@inlined
def scan(rows, base, length, serial, ahead):
    """Place of a birth number in a row, or -1; the row that is looked through next begins ``ahead``."""
    if rows.serial_size == 4:
        return _scan_column(array_at(rows.serial, rows.capacity, np.uint32), base, length, serial, ahead)
    if serial > 0xFFFF:
        return np.int64(-1)
    return _scan_column(array_at(rows.serial, rows.capacity, np.uint16), base, length, np.uint16(serial), ahead)


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
    bytes_ = array_at(rows.serial, rows.capacity * rows.serial_size, np.uint8)
    moved = np.empty(n, np.int64)
    n_moved, found = 0, 0
    for i in range(n):
        if i + 2 * _AHEAD < n and row_of[i + 2 * _AHEAD] >= 0:
            ask_for_header(rows, row_of[i + 2 * _AHEAD])
        if numbered and i + _AHEAD < n and row_of[i + _AHEAD] >= 0:
            place_ahead = start[row_of[i + _AHEAD]] + np.int64(serial_of[i + _AHEAD])
            prefetch_far(bytes_, place_ahead * rows.serial_size)
        row, number = row_of[i], np.int64(serial_of[i])
        place[i] = -1
        if row < 0:
            continue
        inside = number < row_end(ends, row, shards)
        if inside and (not numbered or number_at(rows, start[row] + number) == serial_of[i]):
            place[i] = start[row] + number
            found += 1
        elif numbered:
            moved[n_moved] = i
            n_moved += 1
    for m in range(n_moved):
        i, after = moved[m], moved[min(m + 1, n_moved - 1)]
        row = row_of[i]
        place[i] = scan(rows, start[row], row_end(ends, row, shards), serial_of[i], start[row_of[after]])
        if place[i] >= 0:
            found += 1
    return found


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
