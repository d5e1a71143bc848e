"""What it costs that kernels are generated from equations: beside two that were written by hand, in the same run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

import neurosim as ns
from neurosim.benchmarks import by_hand
from neurosim.benchmarks.rows import Progress, Row
from neurosim.compiled import address_of, array_at, call, kernel
from neurosim.engine.lowering import Plan
from neurosim.engine.neurons import lower
from neurosim.engine.records import TILE, filled
from neurosim.engine.rings import Rings

SUMMARY = "declared: an update of a neuron by generated kernels, beside kernels written by hand"

NEURONS = TILE  # of one shard
EPOCHS = 160
REPEATS = 25
EPOCH = 32

#: Generated model -> its kernel by hand, that one's record, and its constants: by hand -> generated.
YARDSTICKS: dict[str, tuple[Any, Any, dict[str, str]]] = {
    "lif_delta": (by_hand.lif_delta, by_hand.LIF_DELTA, {"decay": "v__from__v"}),
    "lif_exp": (
        by_hand.lif_exp,
        by_hand.LIF_EXP,
        {"decay": "v__from__v", "decay_exc": "i_exc__from__i_exc", "decay_inh": "i_inh__from__i_inh",
         "exc_to_v": "v__from__i_exc", "inh_to_v": "v__from__i_inh"},
    ),
}  # fmt: skip
OTHERS = ("izhikevich", "adex", "hh_cond_exp")


@kernel
def _epochs(address: int, record: int, count: int, n_counts: int, neurons: int, epochs: int) -> None:
    """Advance neurons by whole epochs, tile by tile, as the run loop does."""
    counts = array_at(count, n_counts, np.int64)
    for e in range(epochs):
        for k in range(n_counts):
            counts[k] = 0
        for lo in range(0, neurons, TILE):
            call(address, record, 1 + e * EPOCH, EPOCH, lo, min(lo + TILE, neurons), 0, 0)


class _Bench:
    """A population of one model, with its records as the engine makes them."""

    def __init__(self, model: str, neurons: int, arrivals: bool) -> None:
        network = ns.Network(seed=1, dt=0.1)
        self.population = network.add_population("cells", neurons, model)
        if arrivals:
            source = network.add_population("source", 1, ns.models.spike_list(times=[[]]))
            for receptor in self.population.model.receptors:
                network.connect(
                    source, self.population, "all_to_all", name=receptor, weight=0.0, delay=3.2, receptor=receptor
                )
        self.rings = Rings(network, False)
        self.rings.prepare(0, EPOCH)
        self.plan = Plan(network, self.rings, {}, 1, EPOCH)
        self.record = self.plan.populations[0]

    def by_hand(self) -> tuple[int, Any]:
        """The kernel that was written by hand, and its record."""
        population, columns = self.population, self.population.columns
        made, dtype, names = YARDSTICKS[population.model.name]
        constants = lower(population, 0.1)[1]
        fields: dict[str, Any] = {
            "population": self.plan.populations[0:1].ctypes.data,
            "held_until": address_of(columns["held_until"]),
            "zeros": address_of(self.plan.zeros),
            "held_for": constants["held__for"],
            **{ours: constants[theirs] for ours, theirs in names.items()},
            **{name: constants[name] for name in ("v_th", "v_reset")},
        }
        self._kept = np.zeros(population.n_slots, np.uint8), np.full(TILE, constants["v__rest"][0])
        fields["mark"], fields["drive"] = (address_of(array) for array in self._kept)
        for variable in population.model.state:
            fields[variable.name] = address_of(columns[variable.name])
            ring = self.rings.sums.get((population.name, variable.name))
            if ring is not None:
                fields[f"ring_{variable.name}"], fields[f"mask_{variable.name}"] = address_of(ring), ring.shape[0] - 1
        return made.address, filled(dtype, **fields)

    def seconds(self, address: int, record: int, epochs: int) -> float:
        """Processor time of some epochs."""
        begin = time.process_time()
        _epochs(address, record, int(self.record["count"]), EPOCH, self.population.size, epochs)
        return time.process_time() - begin


def run(
    against: Sequence[str], progress: Progress, neurons: int = NEURONS, epochs: int = EPOCHS, repeats: int = REPEATS
) -> list[Row]:
    """Nanoseconds per neuron and step; the two kinds of kernel take turns. ``against`` is ignored."""
    rows = []
    for model in YARDSTICKS:
        for arrivals in (False, True):
            what = f"{model}, {'with' if arrivals else 'no'} arrivals"
            progress(f"declared: {what}")
            bench = _Bench(model, neurons, arrivals)
            address, record = bench.by_hand()
            contestants = {
                "neurosim": (int(bench.record["kernel"]), int(bench.record["record"])),
                "by hand": (address, int(record.ctypes.data)),
            }
            best = _fastest(bench, contestants, epochs, repeats)
            ratio = best["by hand"] / best["neurosim"]
            rows.append(Row("declared", what, "neurosim", 1, best["neurosim"], "ns"))
            rows.append(Row("declared", what, "by hand", 1, best["by hand"], "ns", ratio=ratio))
    for model in OTHERS:
        progress(f"declared: {model}")
        bench = _Bench(model, neurons, arrivals=True)
        mine = {"neurosim": (int(bench.record["kernel"]), int(bench.record["record"]))}
        value = _fastest(bench, mine, max(1, epochs // 8), repeats)["neurosim"]
        rows.append(Row("declared", f"{model}, with arrivals", "neurosim", 1, value, "ns"))
    return rows


def _fastest(bench: _Bench, contestants: dict[str, tuple[int, int]], epochs: int, repeats: int) -> dict[str, float]:
    """The least time of each, in ns per neuron and step."""
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(repeats):
        for name, (address, record) in contestants.items():
            taken = bench.seconds(address, record, epochs)
            best[name] = min(best[name], taken / (epochs * EPOCH * bench.population.size) * 1e9)
    return best
