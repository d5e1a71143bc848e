"""The price of a living structure: synapses added and deleted, their memory, and what edits leave behind."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neurosim as ns
from neurosim.benchmarks.peers import Peer
from neurosim.benchmarks.rows import Progress, Row

SUMMARY = "synapses added and deleted by id in networks of 0.1 to 10 M, bytes per synapse, speed after turnover"

BATCH = 10_000
SINGLES = 2_000
_DELETED_IN_NEST = 200
TURNOVERS = 10
_MOST_HELD = 2**20  # births and deaths
SOURCE_RATE = 500.0  # Hz: so many events that little else counts
WEIGHTS, DELAYS = (0.05, 0.15), (1.0, 5.0)  # mV, ms; nothing is alike, which is the dearest to store
Ids = NDArray[np.uint64]


@dataclass(frozen=True)
class Size:
    """Neurons, and outgoing synapses of each; the most that a deletion may take (µs)."""

    neurons: int
    outdegree: int
    delete_limit: float

    @property
    def synapses(self) -> int:
        """In the whole network."""
        return self.neurons * self.outdegree

    def __str__(self) -> str:
        return f"{self.neurons} × {self.outdegree}"


SIZES = (Size(1_000, 100, 0.15), Size(10_000, 100, 0.3), Size(10_000, 1_000, 0.5), Size(100_000, 100, 0.5))


def run(
    against: Sequence[str],
    progress: Progress,
    sizes: Sequence[Size] = SIZES,
    batch: int = BATCH,
    turnovers: int = TURNOVERS,
) -> list[Row]:
    """Measure every size; NEST is the one peer that can delete synapses, between runs."""
    rows: list[Row] = []
    for size in sizes:
        rows += _measure(size, min(batch, size.synapses // 10), turnovers, progress)
        if "nest" in against:
            rows += _beside_nest(size, min(batch, size.synapses // 10), rows, progress)
    return rows


def _beside_nest(size: Size, batch: int, ours: Sequence[Row], progress: Progress) -> Iterator[Row]:
    """The same edits in NEST: a batch added, some deleted (they take milliseconds each), and the run after that."""
    progress(f"structure: {size} in NEST")
    numbers = {"neurons": size.neurons, "outdegree": size.outdegree, "batch": batch, "deleted": _DELETED_IN_NEST}
    with Peer("nest", "edit", {**numbers, "dt": 0.1}) as peer:
        edits = peer.run(1).edits
    known = {row.what: row.value for row in ours if row.simulator == "neurosim"}
    for what, mine, note in (
        ("add", "add", f"batches of {batch}"),
        ("delete", "delete by id", f"{_DELETED_IN_NEST} at a time"),
    ):
        value = edits[what] * 1e6
        ratio = value / known[f"{size}: {mine}"]
        yield Row("structure", f"{size}: {mine}", "nest", 1, value, "µs/synapse", ratio, note)
    note = "after an addition; neurosim has nothing to rebuild"
    yield Row("structure", f"{size}: beginning of the next run", "nest", 1, edits["next run"] * 1e3, "ms", None, note)


def _measure(size: Size, batch: int, turnovers: int, progress: Progress) -> Iterator[Row]:
    def row(what: str, value: float, unit: str, limit: float | None = None, note: str = "") -> Row:
        return Row("structure", f"{size}: {what}", "neurosim", 1, value, unit, None, note, limit)

    progress(f"structure: {size} builds")
    garden = Garden(size)
    large = size.synapses >= 10_000_000
    note = f"batches of {batch}"
    yield row("memory per synapse, fresh", garden.bytes_per_synapse, "B", 10.0 if large else None)
    fresh = garden.traversal()
    progress(f"structure: {size}, batches of {batch}")
    _, first = garden.replace(1, batch)  # writes down the birth numbers that were implied so far
    yield row("first batch deleted", first * batch * 1e3, "ms", None, note)
    add, delete = garden.replace(40, batch)
    yield row("add", add * 1e6, "µs/synapse", 0.1, note)
    yield row("delete by id", delete * 1e6, "µs/synapse", size.delete_limit, note)
    add, delete = garden.replace(SINGLES, 1)
    yield row("add one", add * 1e6, "µs", 20.0, "from Python")
    yield row("delete one by id", delete * 1e6, "µs", 20.0, "from Python")
    large_batch = max(batch, size.synapses // 100)
    for turnover in range(turnovers):
        progress(f"structure: {size}, turnover {turnover + 1} of {turnovers}")
        garden.replace(size.synapses // large_batch, large_batch)
    after = f"after {turnovers} turnovers"
    yield row(f"memory per synapse, {after}", garden.bytes_per_synapse, "B")
    yield row("traversal, fresh", fresh, "M/s")
    yield row(f"traversal, {after}", garden.traversal(), "M/s")


class Garden:
    """A network whose synapses are replaced at random: random partners, random victims."""

    def __init__(self, size: Size) -> None:
        self._rng = np.random.default_rng(1)
        self._network = ns.Network(seed=1, dt=0.1)
        sources = self._network.add_population("sources", size.neurons, ns.models.poisson(rate=SOURCE_RATE))
        targets = self._network.add_population("targets", size.neurons, ns.models.lif_delta(v_th=1e6))
        self.projection = self._network.connect(
            sources,
            targets,
            ns.connectors.fixed_outdegree(size.outdegree),
            weight=ns.uniform(*WEIGHTS),
            delay=ns.uniform(*DELAYS),
        )
        self._sources, self._targets = sources.ids, targets.ids
        self._simulation = ns.Simulation(self._network, dt=0.1, threads=1)

    @property
    def bytes_per_synapse(self) -> float:
        """Memory of the store, slack and row headers included, by synapse."""
        return float(self.projection.store.nbytes / self.projection.size)

    def traversal(self) -> float:
        """Synaptic events per second while all sources fire, in millions."""
        before, busy = self._simulation.events, self._simulation.timings["sim_s"]
        events_per_ms = self.projection.size * SOURCE_RATE / 1000.0
        self._simulation.run(max(20.0, 20e6 / events_per_ms))
        seconds: float = self._simulation.timings["sim_s"] - busy
        return float((self._simulation.events - before) / seconds / 1e6)

    def replace(self, count: int, batch: int) -> tuple[float, float]:
        """Delete and add ``count`` batches; median seconds per synapse of adding and of deleting."""
        adding, deleting = [], []
        for victims in itertools.islice(self._victims(batch), count):
            deleting.append(_timed(self.projection.remove, victims) / batch)
            adding.append(_timed(self.projection.add, *self._newborn(batch)) / batch)
            if self._network.history.events.size > _MOST_HELD:
                self._network.history.drain()  # as a run does when it writes its result file
        return statistics.median(adding), statistics.median(deleting)

    def _victims(self, batch: int) -> Iterator[Ids]:
        while True:
            order = self._rng.permutation(self.projection.ids)
            yield from (order[k : k + batch] for k in range(0, order.size - batch + 1, batch))

    def _newborn(self, n: int) -> tuple[Any, ...]:
        """Random partners, weights and delays, as the network was built with; one comes as plain numbers."""
        partners = self._rng.choice(self._sources, n), self._rng.choice(self._targets, n)
        columns = (*partners, self._rng.uniform(*WEIGHTS, n), self._rng.uniform(*DELAYS, n))
        return columns if n > 1 else tuple(column.item() for column in columns)


def _timed(action: Callable[..., object], *arguments: Any) -> float:
    start = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - start
