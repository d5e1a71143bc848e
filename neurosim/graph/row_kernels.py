"""Kernels of the row store: see ``rows.py`` for the layout they work on.

Columns are moved by item size, so one compiled kernel serves any set of columns.
"""

from __future__ import annotations

import numpy as np

from neurosim.compiled import array_at, inlined, kernel, prefetch, record_at

_FIELDS = (
    "start", "ends", "size_class", "next_serial",  # per row: addresses
    "n_rows", "shards", "stride",
    "post", "weight", "delay", "serial",  # per synapse: addresses; 0 where a column does not exist
    "delay_size", "uniform_delay",  # bytes per delay, 0 when all synapses share uniform_delay
    "columns", "n_columns",  # table of (address, item size) of all columns
    "free", "top", "capacity", "live",
)  # fmt: skip
ROWS = np.dtype([(name, np.int64) for name in _FIELDS] + [("uniform_weight", np.float64)])


def _size_classes() -> np.ndarray:
    """Block sizes: multiples of 4, growing by a quarter."""
    sizes = [0, 4, 8, 12, 16]
    while sizes[-1] < 2**31:
        sizes.append((sizes[-1] * 5 // 4 + 3) // 4 * 4)
    return np.array(sizes, np.int64)


CAPACITY = _size_classes()
N_CLASSES = CAPACITY.size


@inlined
def _class_for(length):  # type: ignore[no-untyped-def]
    """The smallest size class that holds ``length`` synapses."""
    return np.searchsorted(CAPACITY, length)


@inlined
def _copy_item(size, source, i, target, j):  # type: ignore[no-untyped-def]
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
def _move(columns, source, target):  # type: ignore[no-untyped-def]
    for k in range(columns.shape[0] // 2):
        _copy_item(columns[2 * k + 1], columns[2 * k], source, columns[2 * k], target)


@inlined
def _row_end(ends, row, shards):  # type: ignore[no-untyped-def]
    return np.int64(ends[row * shards + shards - 1])


@inlined
def _allocate(rows, free, size_class):  # type: ignore[no-untyped-def]
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
def _release(rows, free, block, size_class):  # type: ignore[no-untyped-def]
    if size_class == 0:
        return
    words = array_at(rows.post, rows.capacity, np.uint32)
    link = free[size_class] + 1
    words[block] = np.uint32(link & 0xFFFFFFFF)
    words[block + 1] = np.uint32(link >> 32)
    free[size_class] = block


@inlined
def _resize(rows, columns, start, size_class, free, row, length, wanted):  # type: ignore[no-untyped-def]
    """Move a row into a block of class ``wanted``; False when the pool is full."""
    block = np.int64(0)
    if wanted > 0:
        block = _allocate(rows, free, wanted)
        if block < 0:
            return False
    old = start[row]
    for k in range(columns.shape[0] // 2):
        size = columns[2 * k + 1]
        for c in range(length):
            _copy_item(size, columns[2 * k], old + c, columns[2 * k], block + c)
    _release(rows, free, old, np.int64(size_class[row]))
    start[row] = block
    size_class[row] = wanted
    return True


@kernel
def issue_serials(store: int, n: int, row_of: int, out: int) -> None:
    """Give each new synapse the next birth number of its row."""
    rows = record_at(store, ROWS)
    row_of_ = array_at(row_of, n, np.int64)
    next_serial = array_at(rows.next_serial, rows.n_rows, np.uint32)
    serials = array_at(out, n, np.uint32)
    for i in range(n):
        row = row_of_[i]
        serials[i] = next_serial[row]
        next_serial[row] += np.uint32(1)


@kernel
def append(store: int, begin: int, n: int, row_of: int, incoming: int) -> int:
    """Append synapses ``begin … n``; returns how many are in, short of ``n`` when the pool is full.

    ``incoming`` is a table of (address, item size) like the store's own, the postsynaptic slot first.
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
    free = array_at(rows.free, N_CLASSES, np.int64)
    for i in range(begin, n):
        row = row_of_[i]
        length = _row_end(ends, row, shards)
        held = np.int64(size_class[row])
        if length == CAPACITY[held] and not _resize(
            rows, columns, start, size_class, free, row, length, held + 1
        ):
            return i
        base = start[row]
        shard = np.int64(posts[i]) // rows.stride if shards > 1 else np.int64(0)
        for t in range(shards - 1, shard, -1):  # each later shard gives its first place and takes the next one
            first, last = np.int64(ends[row * shards + t - 1]), np.int64(ends[row * shards + t])
            if first != last:
                _move(columns, base + first, base + last)
            ends[row * shards + t] += np.uint32(1)
        place = base + np.int64(ends[row * shards + shard])
        ends[row * shards + shard] += np.uint32(1)
        for k in range(rows.n_columns):
            _copy_item(columns[2 * k + 1], table[2 * k], i, columns[2 * k], place)
        rows.live += 1
    return n


@inlined
def _scan(serials, base, length, serial):  # type: ignore[no-untyped-def]
    """Place of ``serial`` in a row, or -1; looks at 32 at a time without branching."""
    c = np.int64(0)
    while c + 32 <= length:
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
def find(store: int, n: int, row_of: int, serial_of: int, out: int) -> int:
    """Places in the pool of synapses given by (row, serial); -1 for those that do not exist. Returns how many."""
    rows = record_at(store, ROWS)
    row_of_ = array_at(row_of, n, np.int64)
    serial_of_ = array_at(serial_of, n, np.uint32)
    place = array_at(out, n, np.int64)
    shards = rows.shards
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * shards, np.uint32)
    serials = array_at(rows.serial, rows.capacity, np.uint32)
    posts = array_at(rows.post, rows.capacity, np.uint32)
    found = 0
    for i in range(n):
        row = row_of_[i]
        if i + 4 < n and row_of_[i + 4] >= 0:
            prefetch(start, row_of_[i + 4])
        place[i] = -1
        if row < 0:
            continue
        length = _row_end(ends, row, shards)
        if rows.serial == 0:  # never edited: the birth number is the place
            if np.int64(serial_of_[i]) < length:
                place[i] = start[row] + np.int64(serial_of_[i])
        else:
            place[i] = _scan(serials, start[row], length, serial_of_[i])
        if place[i] >= 0:
            found += 1
            prefetch(posts, place[i])
    return found


@inlined
def _delete_place(columns, ends, row, shards, base, place):  # type: ignore[no-untyped-def]
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


@kernel
def delete(store: int, n: int, row_of: int, serial_of: int, places: int) -> int:
    """Delete synapses given by (row, serial), all of which exist; ``places`` are where they were found.

    Returns how many deletions were made (a synapse named twice is deleted once).
    """
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    row_of_ = array_at(row_of, n, np.int64)
    serial_of_ = array_at(serial_of, n, np.uint32)
    place_of = array_at(places, n, np.int64)
    shards = rows.shards
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    free = array_at(rows.free, N_CLASSES, np.int64)
    serials = array_at(rows.serial, rows.capacity, np.uint32)
    deleted = 0
    for i in range(n):
        row = row_of_[i]
        length = _row_end(ends, row, shards)
        place = place_of[i]
        inside = start[row] <= place < start[row] + length
        if not inside or serials[place] != serial_of_[i]:  # an earlier deletion moved it
            place = _scan(serials, start[row], length, serial_of_[i])
            if place < 0:
                continue
        _delete_place(columns, ends, row, shards, start[row], place)
        deleted += 1
        rows.live -= 1
        length -= 1
        held = np.int64(size_class[row])
        if held > 1 and length * 8 < CAPACITY[held - 1] * 7:
            _resize(rows, columns, start, size_class, free, row, length, held - 1)
        elif length == 0:
            _release(rows, free, start[row], held)
            size_class[row] = 0
    return deleted


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
    """Between the passes: lay the rows out one after the other; ``ends`` become the shards' first places."""
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
        size_class[row] = _class_for(length)
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
            _copy_item(columns[2 * k + 1], table[2 * k], i, columns[2 * k], place)


@kernel
def flatten(store: int, n_selected: int, selected: int, out_row: int, out_place: int) -> None:
    """Places of all synapses of the selected rows, in row order, with the row of each."""
    rows = record_at(store, ROWS)
    selected_ = array_at(selected, n_selected, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    total = 0
    for r in range(n_selected):
        total += _row_end(ends, selected_[r], rows.shards)
    row_of = array_at(out_row, total, np.int64)
    place = array_at(out_place, total, np.int64)
    k = 0
    for r in range(n_selected):
        row = selected_[r]
        for c in range(_row_end(ends, row, rows.shards)):
            row_of[k] = row
            place[k] = start[row] + c
            k += 1


@kernel
def compact(store: int, new_columns: int) -> None:
    """Copy all rows, each in its smallest size class, to the beginning of new columns."""
    rows = record_at(store, ROWS)
    columns = array_at(rows.columns, 2 * rows.n_columns, np.int64)
    fresh = array_at(new_columns, 2 * rows.n_columns, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    size_class = array_at(rows.size_class, rows.n_rows, np.uint8)
    top = np.int64(0)
    for row in range(rows.n_rows):
        length = _row_end(ends, row, rows.shards)
        for k in range(rows.n_columns):
            size = columns[2 * k + 1]
            for c in range(length):
                _copy_item(size, columns[2 * k], start[row] + c, fresh[2 * k], top + c)
        start[row] = top
        size_class[row] = _class_for(length)
        top += CAPACITY[size_class[row]]
    rows.top = top


@kernel
def relabel_posts(store: int, mapping: int, n_slots: int) -> None:
    """Rewrite every postsynaptic slot through ``mapping`` (slots keep their shard and order)."""
    rows = record_at(store, ROWS)
    new_slot = array_at(mapping, n_slots, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    posts = array_at(rows.post, rows.capacity, np.uint32)
    for row in range(rows.n_rows):
        for c in range(start[row], start[row] + _row_end(ends, row, rows.shards)):
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
        for c in range(start[row], start[row] + _row_end(ends, row, rows.shards)):
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
        for c in range(start[row], start[row] + _row_end(ends, row, rows.shards)):
            if is_marked[posts[c]]:
                if found < capacity:
                    row_of[found] = row
                    place[found] = c
                found += 1
    return found
