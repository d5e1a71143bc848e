"""The mutable synapse store: one contiguous row per presynaptic neuron, struct-of-arrays.

A row is a block in a pool; every synapse is one place in each column (postsynaptic slot, weight, delay, and the
birth number that makes its id). Within a row synapses are ordered by the target's logical shard, so that a thread
that owns a range of shards streams one contiguous piece of each row. Appending takes the end of the shard's
segment, deleting swaps the segment's last synapse into the hole, and each later shard moves one synapse; only a
row that is full moves as a whole. Weights or delays that are all alike, and birth numbers that follow from the
place (as long as nothing was edited), take no memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import address_of
from neurosim.graph import row_blocks
from neurosim.graph import row_edits as edits
from neurosim.graph import row_kernels as kernels
from neurosim.graph import row_search as search
from neurosim.graph.crew import Crew, cuts
from neurosim.graph.precision import SINGLE, Precision
from neurosim.graph.row_kernels import N_CLASSES, ROWS

Array = NDArray[Any]
Index = NDArray[np.int64]

_POOL_GROWTH = 1.2
_SMALL_POOL = 2**17  # places; smaller ones double, for they grow often
_SLACK_OF_GROWTH = 1.25  # pool in use / what the rows need, above which it is compacted rather than enlarged
_SLACK = 1.03125  # the same, above which it is compacted now and then
_LITTLE = 2**12  # synapses; fewer are not worth looking at
_STAGED = 2**16  # synapses in the making that memory is kept for
_NARROW = 2**16  # birth numbers that two bytes can tell apart


class Block(NamedTuple):
    """Synapses in the making: presynaptic rows, postsynaptic slots, and values of the other columns."""

    rows: NDArray[np.uint32]
    posts: NDArray[np.uint32]
    values: Mapping[str, Array]


class _Stage:
    """Room for ``n`` synapses in the making, laid out like the store's columns, where the kernels can find it."""

    def __init__(self, n: int, columns: Mapping[str, Array]) -> None:
        self.n = n
        self.rows = np.empty(n, np.int64)
        self.columns = {name: np.empty(n, column.dtype) for name, column in columns.items()}
        self.number(columns["serial"].dtype)

    def number(self, dtype: Any) -> None:
        """Make room for birth numbers of this type."""
        self.columns["serial"] = np.empty(self.n, dtype)
        self._table = np.array([(column.ctypes.data, column.itemsize) for column in self.columns.values()], np.int64)
        self.addresses = self.rows.ctypes.data, self._table.ctypes.data, self.columns["serial"].ctypes.data


class RowStore:
    """Rows of synapses with columns ``post``, ``weight`` and, where needed, ``delay`` and ``serial``.

    Parameters
    ----------
    n_rows : presynaptic slots.
    shards, stride : logical shards of the target and slots per shard.
    precision : how weights are kept.
    """

    def __init__(self, n_rows: int, shards: int, stride: int, precision: Precision = SINGLE) -> None:
        self.precision = precision
        self.record: NDArray[Any] = np.zeros(1, ROWS)
        self.shards = shards
        #: What all synapses share of a variable that has no column; delays in steps, or in ms before a grid is known.
        self.uniform: dict[str, float] = {"weight": 1.0, "delay": 1}
        self.start = np.zeros(n_rows, np.int64)
        self.ends = np.zeros((n_rows, shards), np.uint32)
        self.size_class = np.zeros(n_rows, np.uint8)
        self.next_serial = np.zeros(n_rows, np.uint32)
        self.columns: dict[str, Array] = {"post": np.empty(0, np.uint32)}
        self._free = np.full(N_CLASSES, -1, np.int64)
        self._since_check = 0
        self._narrow = True
        self._stage: _Stage | None = None
        #: Moves whenever synapses may stand at other places than before.
        self.layout = 0
        #: Address of the store's record; stays the same for the store's life.
        self.address = int(self.record.ctypes.data)
        self.record["shards"], self.record["stride"] = shards, stride
        self._publish()

    # -- the record that kernels read -----------------------------------------------------------

    @property
    def live(self) -> int:
        """Number of synapses."""
        return int(self.record["live"][0])

    @property
    def capacity(self) -> int:
        """Places in the pool."""
        return int(self.columns["post"].size)

    @property
    def nbytes(self) -> int:
        """Bytes held: columns up to the top of the pool, and row headers."""
        per_place = sum(column.itemsize for column in self.columns.values())
        headers = self.start.nbytes + self.ends.nbytes + self.size_class.nbytes + self.next_serial.nbytes
        return int(self.record["top"][0]) * per_place + headers

    def _publish(self) -> None:
        """Rewrite the record after an array moved."""
        self.layout += 1
        table = [(address_of(column), column.itemsize) for column in self.columns.values()]
        self._table = np.array(table, np.int64)
        self._stage = None
        delay, serial = self.columns.get("delay"), self.columns.get("serial")
        for name, value in (
            ("start", address_of(self.start)), ("ends", address_of(self.ends)),
            ("size_class", address_of(self.size_class)), ("next_serial", address_of(self.next_serial)),
            ("n_rows", self.start.size), ("post", address_of(self.columns["post"])),
            ("weight", address_of(self.columns.get("weight"))), ("delay", address_of(delay)),
            ("serial", address_of(serial)),
            ("serial_size", 0 if serial is None else serial.itemsize),
            ("delay_size", 0 if delay is None else delay.itemsize), ("uniform_delay", int(self.uniform["delay"])),
            ("weight_size", self.precision.column.itemsize),
            ("uniform_weight", float(self.precision.shown(self._uniform_weight())[0])), *self.precision.levels.items(),
            ("columns", address_of(self._table)), ("n_columns", len(table)),
            ("free", address_of(self._free)), ("capacity", self.capacity),
        ):  # fmt: skip
            self.record[name] = value

    def _uniform_weight(self) -> Array:
        return np.array([self.uniform["weight"]]).astype(self.precision.column)

    def state(self) -> dict[str, Array]:
        """Everything in the store, as arrays by name (views)."""
        return {
            **self.columns,
            **{name: getattr(self, name) for name in ("start", "ends", "size_class", "next_serial")},
            "free": self._free,
            "top_and_live": np.array([self.record["top"][0], self.record["live"][0]]),
            "uniform": np.array([self.uniform["weight"], self.uniform["delay"]]),
            "levels": np.array(list(self.precision.levels.values())),
        }

    # -- building and growing --------------------------------------------------------------------

    def build(self, blocks: Iterable[Block], dtypes: Mapping[str, Any]) -> None:
        """Fill an empty store; ``dtypes`` names the variables that get a column (others stand in ``uniform``)."""
        blocks = list(blocks)
        for block in blocks:
            kernels.count_rows(self.address, block.rows.size, address_of(block.rows), address_of(block.posts))
        kernels.reserve_rows(self.address)
        for name, dtype in dtypes.items():
            self.columns[name] = np.empty(0, dtype)
        self._extend_pool(int(self.record["top"][0]))
        for block in blocks:
            incoming, _keep = self._incoming(block.posts, block.values)
            kernels.fill_rows(self.address, block.rows.size, address_of(block.rows), address_of(incoming))

    def append(
        self, rows: Index, posts: Index, values: Mapping[str, Array], crew: Crew | None = None
    ) -> NDArray[np.uint32]:
        """Add synapses; ``values`` (one or as many) holds those variables that have a column. Returns birth numbers.

        A ``crew`` does it together, where those of one row stand together.
        """
        self.number()
        self.layout += 1
        n = rows.size
        stage = self._stage
        if stage is None or stage.n < n:
            stage = _Stage(max(n, 64), self.columns)
            self._stage = stage if n <= _STAGED else None
        stage.rows[:n] = rows
        stage.columns["post"][:n] = posts
        for name, value in values.items():
            stage.columns[name][:n] = value
        numbers, done = np.empty(n, np.uint32), 0
        cut = cuts(rows, crew)
        together = (len(cut) > 2 or n > 4 * self.start.size) and self._reserve(rows, stage)
        if crew is not None and len(cut) > 2 and together:
            crew.share(lambda k: edits.append(self.address, cut[k], cut[k + 1], *stage.addresses, numbers))
        else:
            while (done := edits.append(self.address, done, n, *stage.addresses, numbers)) < n:
                self._make_room(rows[done:], rows[done], stage)
        self.record["live"] += n
        self._tidy(4)  # sooner than after deaths, which births mostly follow
        return numbers

    def _reserve(self, rows: Index, stage: _Stage) -> bool:
        """Give all rows room for what they are to get, if those of a row stand together; whether they do."""
        while 0 <= (done := row_blocks.reserve(self.address, rows)) < rows.size:
            self._make_room(rows, rows[done], stage)
        return bool(done >= 0)

    def _incoming(self, posts: NDArray[np.uint32], values: Mapping[str, Array]) -> tuple[Array, list[Array]]:
        """A table of (address, item size) in the order of the columns, and the arrays it points into."""
        arrays = [posts]
        for name, column in self.columns.items():
            if name != "post":
                arrays.append(np.ascontiguousarray(values[name], column.dtype))
        return np.array([(array.ctypes.data, array.itemsize) for array in arrays], np.int64), arrays

    def _make_room(self, coming: Index, row: int, stage: _Stage) -> None:
        """A ``row`` has no room for the synapses ``coming`` to it: let birth numbers be wider, or reclaim freed blocks
        when they are worth it, or take more memory."""
        more = np.bincount(coming, minlength=self.start.size)
        if self.columns["serial"].itemsize == 2 and self.next_serial[row] + more[row] > _NARROW:
            self.widen_numbers()
            stage.number(np.uint32)
            return
        if self.capacity > _SLACK_OF_GROWTH * row_blocks.needed(self.address, more) + _LITTLE:
            self._compact(more)
        longest = int(self.ends[:, -1].max(initial=0))
        growth = 2.0 if self.capacity < _SMALL_POOL else _POOL_GROWTH
        self._extend_pool(max(int(self.capacity * growth), self.capacity + 2 * longest + 4 * coming.size + 1024))

    def _extend_pool(self, capacity: int) -> None:
        for name, column in self.columns.items():
            if column.size < capacity:
                grown = np.empty(capacity, column.dtype)
                grown[: column.size] = column
                self.columns[name] = grown
        self._publish()

    def compact(self) -> None:
        """Copy all rows to the beginning of a new pool, each with the block that it should have."""
        self._compact(np.zeros(self.start.size, np.int64))

    def _compact(self, coming: Index) -> None:
        """The same, with room for as many synapses as are ``coming`` to each row."""
        needed = int(row_blocks.needed(self.address, coming))
        fresh = {name: np.empty(needed, column.dtype) for name, column in self.columns.items()}
        table = np.array([(address_of(column), column.itemsize) for column in fresh.values()], np.int64)
        row_blocks.compact(self.address, coming, address_of(table))
        self._free[:] = -1
        self.columns = fresh
        self._publish()

    def number(self) -> None:
        """Before the first edit: write down the birth numbers that were implied by the places."""
        if "serial" in self.columns:
            return
        self._narrow &= int(self.next_serial.max(initial=0)) <= _NARROW
        self.columns["serial"] = np.empty(self.capacity, np.uint16 if self._narrow else np.uint32)
        self._extend_pool(max(self.capacity, 64))
        kernels.write_serials(self.address)

    def widen_numbers(self) -> None:
        """From now on, let every birth number have four bytes."""
        self._narrow = False
        if "serial" in self.columns:
            self.spread("serial", np.dtype(np.uint32))

    def admits(self, name: str, values: Array, dtype: Any) -> bool:
        """Whether new synapses with these values need no column; otherwise there is one afterwards, of ``dtype``."""
        if name not in self.columns:
            if self.live == 0 and values.size:
                self.uniform[name] = values[0].item()
                self._publish()
            if bool((values == self.uniform[name]).all()):
                return True
        self.spread(name, dtype)
        return False

    def spread(self, name: str, dtype: Any) -> None:
        """Give every synapse its own value of a variable, in a column of ``dtype``."""
        old = self.columns.get(name)
        if old is not None and old.dtype == dtype:
            return
        column = np.full(self.capacity, self.uniform[name], dtype) if old is None else old.astype(dtype)
        self.columns[name] = column
        self._publish()

    def drop(self, name: str) -> None:
        """Give up a column that nobody reads any more."""
        del self.columns[name], self.uniform[name]
        self._publish()

    # -- finding, reading, deleting ----------------------------------------------------------------

    def find(self, rows: Index, serials: NDArray[np.uint32]) -> tuple[Index, bool]:
        """Places of synapses by (row, birth number), -1 where there is none; and whether all were found."""
        places = np.empty(rows.size, np.int64)
        return places, search.find(self.address, rows, serials, places) == rows.size

    def delete(self, rows: Index, serials: NDArray[np.uint32], places: Index) -> int:
        """Delete synapses that ``find`` found; returns how many.

        A synapse that is named twice is deleted once; its later ``places`` are -1 afterwards.
        """
        self.number()
        self.layout += 1
        deleted = int(edits.delete(self.address, rows, serials, places))
        self._since_check += deleted
        self._tidy(2)
        return deleted

    def delete_places(self, rows: Index, places: Index, crew: Crew | None = None) -> NDArray[np.uint32]:
        """Delete the synapses at ``places``, those of a row together, the last of it first. Returns birth numbers."""
        self.number()
        self.layout += 1
        numbers, loose = np.empty(rows.size, np.uint32), np.empty(rows.size, np.int64)
        begins = cuts(rows, crew)
        ends = begins[1:]

        def delete(k: int) -> None:
            ends[k] = edits.delete_places(self.address, begins[k], begins[k + 1], rows, places, numbers, loose)

        if crew is None or len(ends) == 1:
            delete(0)
        else:
            crew.share(delete)
        for begin, end in zip(begins, ends, strict=False):
            row_blocks.shrink(self.address, loose[begin:end])
        self.record["live"] -= rows.size
        self._since_check += rows.size
        self._tidy(2)
        return numbers

    def _tidy(self, after: int) -> None:
        """Compact the pool, when it is too large for what it holds and much was deleted since it was looked at."""
        if self._since_check > _LITTLE and self._since_check > self.live // after + _LITTLE:
            self._since_check = 0
            needed = row_blocks.needed(self.address, np.zeros(self.start.size, np.int64))
            if self.record["top"][0] > _SLACK * needed + _LITTLE:
                self.compact()

    def places(self, rows: Index | None = None) -> tuple[Index, Index]:
        """(row, place) of every synapse of the given rows (default: all), in row order."""
        selected = np.arange(self.start.size, dtype=np.int64) if rows is None else np.ascontiguousarray(rows, np.int64)
        total = int(self.ends[selected, -1].sum()) if self.start.size else 0
        row_of, place = np.empty(total, np.int64), np.empty(total, np.int64)
        if total:
            kernels.flatten(
                self.address, selected.size, address_of(selected), address_of(row_of), address_of(place)
            )
        return row_of, place

    def places_onto(self, marked: NDArray[np.bool_]) -> tuple[Index, Index]:
        """(row, place) of every synapse onto a marked postsynaptic slot."""
        mask = np.ascontiguousarray(marked, np.uint8)
        total = kernels.places_onto(self.address, address_of(mask), mask.size, 0, 0, 0)
        row_of, place = np.empty(total, np.int64), np.empty(total, np.int64)
        if total:
            kernels.places_onto(
                self.address, address_of(mask), mask.size, total, address_of(row_of), address_of(place)
            )
        return row_of, place

    def places_of(self, rows: Index, positions: Index) -> tuple[Index, Index]:
        """(row, place) of synapses by their ascending position among all of ``rows``, counted along one row after the
        other."""
        row_of, place = np.empty(positions.size, np.int64), np.empty(positions.size, np.int64)
        kernels.places_of(self.address, rows, positions, row_of, place)
        return row_of, place

    def serials_at(self, rows: Index, places: Index) -> NDArray[np.uint32]:
        """Birth numbers of the synapses at ``places``."""
        if "serial" in self.columns:
            return self.columns["serial"][places].astype(np.uint32)
        return (places - self.start[rows]).astype(np.uint32)

    def values_at(self, name: str, places: Index) -> Array:
        """Values of ``weight`` or ``delay`` (steps, or ms before a time grid is known) as they are kept."""
        if name in self.columns:
            return self.columns[name][places]
        return np.full(places.size, self.uniform[name], self.precision.column if name == "weight" else None)

    def in_degree(self, n_slots: int) -> Index:
        """Synapses per postsynaptic slot."""
        counts = np.zeros(n_slots, np.int64)
        kernels.count_onto(self.address, n_slots, address_of(counts))
        return counts

    # -- when slots move ---------------------------------------------------------------------------

    def relocate_rows(self, old: Index, new: Index, n_rows: int) -> None:
        """Presynaptic slots ``old`` become ``new`` among ``n_rows``; rows of other slots must be empty."""
        for name in ("start", "ends", "size_class", "next_serial"):
            array = getattr(self, name)
            moved = np.zeros((n_rows, *array.shape[1:]), array.dtype)
            moved[new] = array[old]
            setattr(self, name, moved)
        self._publish()

    def relocate_posts(self, old: Index, new: Index, n_slots: int, stride: int) -> None:
        """Postsynaptic slots ``old`` become ``new``; no synapse may end on any other slot."""
        self.layout += 1
        mapping = np.zeros(n_slots, np.int64)
        mapping[old] = new
        kernels.relabel_posts(self.address, address_of(mapping), n_slots)
        self.record["stride"] = stride
