"""The row store against a plain Python model: the same synapses, the same order, and no place used twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurosim.graph.row_kernels import CAPACITY
from neurosim.graph.rows import Block, RowStore

STRIDE = 16
ROWS = 5
Synapse = tuple[int, int, float, int]  # birth number, postsynaptic slot, weight, delay


class Model:
    """Rows as lists of segments, one per shard. What the store does with places follows from three sentences: a
    newcomer takes the end of its segment, and each later segment hands its first synapse to its end; a hole is filled
    by its segment's last synapse, and each later segment hands its last synapse to its front."""

    def __init__(self, shards: int) -> None:
        self.rows: list[list[list[Synapse]]] = [[[] for _ in range(shards)] for _ in range(ROWS)]
        self.born = [0] * ROWS

    def append(self, row: int, post: int, weight: float, delay: int, shift: bool = True) -> int:
        segments, shard = self.rows[row], post // STRIDE
        serial = self.born[row]
        self.born[row] += 1
        segments[shard].append((serial, post, weight, delay))
        for later in segments[shard + 1 :] if shift else ():
            later[:] = later[1:] + later[:1]
        return serial

    def delete(self, row: int, serial: int) -> None:
        segments = self.rows[row]
        shard = next(t for t, segment in enumerate(segments) if any(s[0] == serial for s in segment))
        segment = segments[shard]
        place = [s[0] for s in segment].index(serial)
        last = segment.pop()
        if place < len(segment):
            segment[place] = last
        for later in segments[shard + 1 :]:
            later[:] = later[-1:] + later[:-1]

    def row(self, row: int) -> list[Synapse]:
        return [synapse for segment in self.rows[row] for synapse in segment]

    def ids(self) -> list[tuple[int, int]]:
        return [(row, synapse[0]) for row in range(ROWS) for synapse in self.row(row)]


class Backwards:
    """A crew whose last thread is the first."""

    threads = 3

    def share(self, work: Callable[[int], Any]) -> None:
        for k in reversed(range(self.threads)):
            work(k)


class Pair:
    """A store and its model, edited alike."""

    def __init__(self, shards: int, dtype: Any = np.uint8) -> None:
        self.shards = shards
        self.store, self.model = RowStore(ROWS, shards, STRIDE), Model(shards)
        self.dtypes = {"weight": np.float32, "delay": dtype}

    def build(self, synapses: Sequence[tuple[int, int]], blocks: int = 2) -> None:
        parts = []
        for part in np.array_split(np.array(synapses, np.uint32).reshape(-1, 2), blocks):
            weights, delays = part[:, 1] / 4.0, part[:, 0] + 1
            parts.append(Block(part[:, 0].copy(), part[:, 1].copy(), {"weight": weights, "delay": delays}))
        self.store.build(parts, self.dtypes)
        for row, post in synapses:
            self.model.append(row, post, post / 4.0, row + 1, shift=False)
        for segments in self.model.rows:  # a fresh row is numbered by its places
            numbers = iter(range(sum(map(len, segments))))
            for segment in segments:
                segment[:] = [(next(numbers), *synapse[1:]) for synapse in segment]

    def append(self, synapses: Sequence[tuple[int, int, float, int]], crew: Backwards | None = None) -> None:
        rows, posts, weights, delays = (np.array(column) for column in zip(*synapses, strict=True))
        values: dict[str, Any] = {"weight": weights.astype(np.float32), "delay": delays.astype(np.uint8)}
        serials = self.store.append(rows.astype(np.int64), posts.astype(np.int64), values, crew)
        assert serials.tolist() == [self.model.append(*synapse) for synapse in synapses]

    def delete(self, ids: Sequence[tuple[int, int]]) -> None:
        rows, serials = np.array([r for r, _ in ids], np.int64), np.array([s for _, s in ids], np.uint32)
        places, complete = self.store.find(rows, serials)
        assert complete
        assert self.store.delete(rows, serials, places) == len(set(ids))
        first = [ids.index(synapse) == k for k, synapse in enumerate(ids)]
        assert (places >= 0).tolist() == first  # only the first mention of each deletes it
        for row, serial in dict.fromkeys(ids):
            self.model.delete(row, serial)

    def delete_places(self, ids: Iterable[tuple[int, int]], crew: Backwards | None) -> None:
        rows, serials = (np.array(side) for side in zip(*set(ids), strict=True))
        places = self.store.find(rows.astype(np.int64), serials.astype(np.uint32))[0]
        order = np.lexsort((places, rows))[::-1]  # the last of a row first
        self.store.delete_places(rows[order].astype(np.int64), places[order], crew)
        for k in order.tolist():
            self.model.delete(int(rows[k]), int(serials[k]))

    def age(self, born: int) -> None:
        """As if every row had borne so many synapses before, most of which have died."""
        self.store.number()
        self.model.born = [max(born, number) for number in self.model.born]
        self.store.next_serial[:] = self.model.born

    def check(self) -> None:
        store, columns = self.store, self.store.columns
        assert store.live == sum(len(self.model.row(row)) for row in range(ROWS))
        rows, places = store.places()
        serials = store.serials_at(rows, places)
        found = [
            (row, int(serial), int(columns["post"][place]), float(w), int(d))
            for row, serial, place, w, d in zip(
                rows.tolist(), serials, places, store.values_at("weight", places), store.values_at("delay", places),
                strict=True,
            )
        ]  # fmt: skip
        assert found == [(row, *synapse) for row in range(ROWS) for synapse in self.model.row(row)]
        lengths = [np.cumsum([len(segment) for segment in segments]).tolist() for segments in self.model.rows]
        assert store.ends.tolist() == lengths
        assert np.array_equal(store.find(rows, serials)[0], places)
        if "serial" in columns:
            assert store.next_serial.tolist() == self.model.born
            assert columns["serial"].itemsize == (2 if max(self.model.born) <= 2**16 else 4)
        degrees = np.bincount([s[2] for s in found], minlength=self.shards * STRIDE) if found else 0
        assert np.all(store.in_degree(self.shards * STRIDE) == degrees)
        self._check_blocks()

    def _check_blocks(self) -> None:
        """Rows and free blocks lie apart, below the top of the pool."""
        store = self.store
        blocks = [(int(s), int(CAPACITY[c])) for s, c in zip(store.start, store.size_class, strict=True) if c]
        words = store.columns["post"].astype(np.int64)
        for size_class, head in enumerate(store._free.tolist()):
            while head >= 0:
                blocks.append((head, int(CAPACITY[size_class])))
                head = int(words[head] | words[head + 1] << 32) - 1
        blocks.sort()
        ends = [begin + size for begin, size in blocks]
        assert all(end <= begin for end, (begin, _) in zip(ends, blocks[1:], strict=False))
        assert max(ends, default=0) <= store.record["top"][0] <= store.capacity
        assert all(column.size == store.capacity for column in store.columns.values())
        assert np.all(store.ends[:, -1] <= CAPACITY[store.size_class])


@pytest.fixture(autouse=True)
def crews_share_everything() -> Iterator[None]:
    with patch("neurosim.graph.crew._SHARED", 1):
        yield


SHARDS = st.integers(1, 4)


@st.composite
def lives(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]], list[tuple[str, int]]]:
    shards = draw(SHARDS)
    built = st.tuples(st.integers(0, ROWS - 1), st.integers(0, shards * STRIDE - 1))
    kinds = ["append", "delete", "compact", "append_together", "delete_together", "age"]
    edits = st.tuples(st.sampled_from(kinds), st.integers(0, 2**32 - 1))
    return shards, draw(st.lists(built, max_size=30)), draw(st.lists(edits, max_size=12))


def live(pair: Pair, kind: str, seed: int, most: int = 12) -> None:
    chance = random.Random(seed)
    if kind == "compact":
        pair.store.compact()
    elif kind == "age":
        pair.age(chance.choice([2**16 - 9, 2**16 - 1, 2**16]))
    elif kind.startswith("append"):
        slots, crew = pair.shards * STRIDE, Backwards() if kind == "append_together" else None
        new = [(chance.randrange(ROWS), chance.randrange(slots), chance.randrange(9) / 8, chance.randrange(256))
               for _ in range(chance.randint(1, most))]  # fmt: skip
        pair.append(sorted(new, key=lambda synapse: synapse[0]) if crew and chance.random() < 0.8 else new, crew)
    elif ids := pair.model.ids():
        chosen = [chance.choice(ids) for _ in range(chance.randint(1, most))]
        if kind == "delete":
            pair.delete(chosen)
        else:
            pair.delete_places(chosen, Backwards() if chance.random() < 0.5 else None)


@given(life=lives())
def test_any_life_leaves_the_rows_of_the_model(life: tuple[int, list[tuple[int, int]], list[tuple[str, int]]]) -> None:
    shards, built, edits = life
    pair = Pair(shards)
    pair.build(built)
    pair.check()
    for kind, seed in edits:
        live(pair, kind, seed)
        pair.check()


@pytest.mark.lane
@pytest.mark.parametrize("shards", [1, 3])
def test_a_short_life(shards: int) -> None:
    chance = random.Random(shards)
    pair = Pair(shards)
    pair.build([(chance.randrange(ROWS), chance.randrange(shards * STRIDE)) for _ in range(20)])
    pair.check()
    lived = "delete append append_together delete_together compact append delete_together delete"
    for kind in lived.split():
        live(pair, kind, chance.getrandbits(32))
        pair.check()


@pytest.mark.lane
@pytest.mark.parametrize("together", [False, True])
def test_birth_numbers_outgrow_two_bytes(together: bool) -> None:
    pair, crew = Pair(2), Backwards() if together else None
    pair.build([(row, post) for row in range(ROWS) for post in (3, 9, 20)])
    pair.age(2**16 - 4)
    pair.append([(row, post, 0.5, 3) for row in (1, 3) for post in (2, 30, 5, 6)], crew)
    pair.check()
    assert pair.store.columns["serial"].itemsize == 2
    pair.delete([(1, 0), (3, 2**16 - 1)])
    before = pair.store.state()["serial"].copy()
    pair.append([(row, post, 0.5, 3) for row in (0, 1, 4) for post in (2, 30)], crew)  # the second row passes 65 535
    pair.check()
    assert pair.store.columns["serial"].itemsize == 4 > before.itemsize
    for kind in ("delete", "delete_together", "append", "delete_together"):
        live(pair, kind, 5)
        pair.check()
    assert not pair.store.find(np.array([0, 1]), np.array([2**16 + 7, 2**32 - 1], np.uint32))[1]


@pytest.mark.parametrize("shards", [1, 2, 4])
def test_a_long_life_grows_shrinks_and_compacts(shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compactions: list[int] = []
    monkeypatch.setattr(RowStore, "compact", _counted(RowStore.compact, compactions))
    chance = random.Random(shards)
    pair = Pair(shards)
    pair.build([(chance.randrange(ROWS), chance.randrange(shards * STRIDE)) for _ in range(100)])
    for trend in ("append", "delete") * 3:
        for k in range(40):
            kind = trend + chance.choice(["", "_together"]) if chance.random() < 0.85 else "append"
            live(pair, kind, chance.getrandbits(32), most=300)
            if k % 10 == 9:
                pair.check()
        while trend == "delete" and pair.store.live:
            pair.delete(pair.model.ids()[:2000])
        pair.check()
        assert pair.store.capacity <= 8 * 6000 + 4 * 300 + 10_000
    assert compactions


def _counted(method: Any, calls: list[int]) -> Any:
    def counted(self: RowStore) -> None:
        calls.append(self.live)
        method(self)

    return counted


@pytest.mark.parametrize("shards", [1, 4])
def test_turnover_leaves_little_slack(shards: int) -> None:
    rng = np.random.default_rng(1)
    n_rows, n, stride = 2_000, 200_000, 512
    store = RowStore(n_rows, shards, stride)
    rows, posts = rng.integers(0, n_rows, n, np.uint32), rng.integers(0, shards * stride, n, np.uint32)
    store.build([Block(rows, posts, {"weight": rng.random(n, np.float32)})], {"weight": np.float32})
    for _ in range(30):
        at, places = store.places()
        chosen = rng.permutation(at.size)[: n // 10]
        at, serials = at[chosen], store.serials_at(at[chosen], places[chosen])
        store.delete(at, serials, store.find(at, serials)[0])
        fresh = rng.integers(0, n_rows, n // 10), rng.integers(0, shards * stride, n // 10)
        store.append(*fresh, {"weight": rng.random(n // 10, np.float32)})
        assert store.live == n
        assert store.record["top"][0] <= 1.5 * n
    assert store.nbytes <= 1.5 * (12 * n + store.start.nbytes + store.ends.nbytes + 5 * n_rows)


@pytest.mark.lane
def test_what_is_alike_for_all_takes_no_column() -> None:
    store = RowStore(2, 1, STRIDE)
    store.build([Block(np.zeros(3, np.uint32), np.arange(3, dtype=np.uint32), {})], {})
    store.uniform["weight"] = 0.5
    assert set(store.columns) == {"post"}
    rows, places = store.places()
    assert store.values_at("weight", places).tolist() == [0.5, 0.5, 0.5]
    assert store.serials_at(rows, places).tolist() == [0, 1, 2]
    assert store.admits("weight", np.array([0.5]), np.float32)
    assert not store.admits("weight", np.array([0.5, 0.25]), np.float32)
    store.append(np.array([1, 1]), np.array([4, 5]), {"weight": np.array([0.5, 0.25])})
    rows, places = store.places()
    assert store.values_at("weight", places).tolist() == [0.5, 0.5, 0.5, 0.5, 0.25]
    assert store.values_at("delay", places).tolist() == [1] * 5


@pytest.mark.lane
def test_an_empty_store_grows() -> None:
    pair = Pair(2)
    pair.build([])
    pair.store.compact()
    pair.check()
    pair.append([(0, 3, 1.0, 2)])
    pair.check()
    pair.delete([(0, 0)])
    pair.store.compact()
    pair.append([(0, 31, 1.0, 2), (4, 0, 0.5, 3)])
    pair.check()
    assert pair.store.places(np.array([4]))[0].tolist() == [4]


@pytest.mark.lane
def test_what_does_not_exist_is_not_found() -> None:
    pair = Pair(2)
    pair.build([(0, 1), (0, 20), (3, 2)])
    for _ in range(2):  # numbers implied by the places, then written down
        places, complete = pair.store.find(np.array([0, 0, -1, 3, 4]), np.array([1, 2, 0, 0, 0], np.uint32))
        assert not complete
        assert (places >= 0).tolist() == [True, False, False, True, False]
        places, _ = pair.store.find(np.array([0, 3]), np.array([2**16, 2**16 + 1], np.uint32))  # beyond two bytes
        assert places.tolist() == [-1, -1]
        pair.append([(1, 1, 0.5, 1)])


@pytest.mark.lane
def test_columns_of_every_item_size_travel_together() -> None:
    shards = 2
    store = RowStore(3, shards, STRIDE)
    dtypes: dict[str, Any] = {"weight": np.float32, "delay": np.uint16, "tag": np.uint8, "trace": np.float64}
    rng = np.random.default_rng(3)
    posts = rng.integers(0, shards * STRIDE, 40).astype(np.uint32)
    rows = rng.integers(0, 3, 40).astype(np.uint32)
    values: dict[str, Any] = {"weight": posts / 8, "delay": posts * 100, "tag": posts + 1, "trace": posts / 3}
    store.build([Block(rows, posts, values)], dtypes)
    fresh = rng.integers(0, shards * STRIDE, 30)
    more: dict[str, Any] = {"weight": fresh / 8, "delay": fresh * 100, "tag": fresh + 1, "trace": fresh / 3}
    store.append(rng.integers(0, 3, 30), fresh, more)
    at, places = store.places()
    serials = store.serials_at(at, places)
    gone = rng.permutation(70)[:35]
    store.delete(at[gone], serials[gone], places[gone])
    store.compact()
    _, places = store.places()
    post = store.columns["post"][places]
    assert post.size == 35
    for name, expected in (("weight", post / 8), ("delay", post * 100), ("tag", post + 1), ("trace", post / 3)):
        assert np.array_equal(store.columns[name][places], expected.astype(dtypes[name])), name


@pytest.mark.lane
def test_slots_that_move_take_their_rows_along() -> None:
    pair = Pair(2)
    pair.build([(0, 1), (0, 20), (3, 2), (3, 17), (3, 30)])
    store = pair.store
    before = store.ends.copy(), store.start.copy()
    old, new = np.array([0, 3, 4]), np.array([6, 2, 1])
    store.relocate_rows(old, new, 8)
    assert np.array_equal(store.ends[new], before[0][old])
    assert np.array_equal(store.start[new], before[1][old])
    assert store.ends[[0, 3, 4, 5, 7]].sum() == 0
    slots = np.array([1, 2, 17, 20, 30])
    moved = np.array([0, 1, 32, 33, 40])
    store.relocate_posts(slots, moved, 32, 32)
    posts = store.columns["post"][store.places(np.array([2]))[1]]
    assert posts.tolist() == [1, 32, 40]
    assert store.append(np.array([2]), np.array([31]), {"weight": np.ones(1), "delay": np.ones(1)}).tolist() == [3]
    assert store.columns["post"][store.places(np.array([2]))[1]].tolist() == [1, 31, 40, 32]
