"""What a projection with learning rules has beyond weights and delays: variables, and memories of spikes.

The rules' code runs in the engine. Here stands what it works on, so that neurons and synapses can be born, move and
die: columns of the row store, histories of the target's spikes and of each row's emissions, and who was born lately.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UsageError
from neurosim.graph.emission_memory import KEPT_UP, SETTLED, EmissionMemory
from neurosim.graph.rule_names import named
from neurosim.graph.spike_memory import SpikeMemory
from neurosim.graph.waiting import WaitingSpikes
from neurosim.models.rules import BoundRule

if TYPE_CHECKING:
    from neurosim.graph.projection import Projection

Array = NDArray[Any]
Index = NDArray[np.int64]

_LOG = 2**14  # entries of a log at the least


class Runner(Protocol):
    """Whoever simulates the network: it knows what has happened to synapses since their rows were last touched."""

    def settle(self, projection: Projection, rows: Index | None) -> None:
        """Bring rows (default: all) up to now, in place."""

    def peek(self, projection: Projection, rows: Index, places: Index) -> dict[str, NDArray[np.float64]]:
        """Values of synapses as they are now, by name; writes nothing."""


class Plasticity:
    """The learning side of one projection.

    Parameters
    ----------
    rules : in the order in which they act.
    """

    def __init__(self, projection: Projection, rules: Sequence[BoundRule]) -> None:
        self.projection = projection
        self.rules = tuple(rules)
        self.named = named(self.rules)
        self.precision = projection.values.precision
        self.runner: Runner | None = None
        self.learns_delay = any(rule.writes_delay for rule in rules)
        pre = [(rule, trace) for rule in rules for trace in rule.traces if trace.side == "pre"]
        post = [trace for rule in rules for trace in rule.traces if trace.side == "post"]
        captures = [capture for rule in rules for capture in rule.captures]
        source, target, now = projection.source, projection.target, projection._now()
        shards = target.shards
        self.posts = SpikeMemory(target.n_slots, len(post) + len(captures), shards, _LOG)
        self.emissions = EmissionMemory(source.n_slots * shards, len(pre), shards, _LOG, now)
        self.waiting = WaitingSpikes(shards) if self.learns_delay else None
        projection.store.widen_numbers()  # as the rules' kernels read them
        self.young = np.full(source.n_slots, -1, np.int64)
        self._births, self._n_births = np.zeros((64, 3), np.int64), 0  # with room to grow
        self._most_births = 0
        self.variables = {one.shown[v.name]: v for one in self.named for v in one.rule.variables}
        own = [f"_{one[t.name]}_kept" for one in self.named for t in one.rule.traces if t.side == "pre"]
        self.own_traces = own if self.learns_delay else []
        self.moves = any(rule.drives for rule in rules) or any(v.rate is not None for v in self.variables.values())
        self.drives_weight = any(drive.target == "weight" for rule in rules for drive in rule.drives)
        #: Traces of modulators, by their names in kernels: value after their last event, and its step.
        signals = [one[t.name] for one in self.named for t in one.rule.traces if t.side == "modulator"]
        self.signals = {name: np.zeros(2) for name in signals}

    # -- columns --------------------------------------------------------------------------------------------

    @property
    def columns(self) -> dict[str, Any]:
        """Types of the row store's columns that learning adds, in order."""
        columns: dict[str, Any] = dict.fromkeys(self.variables, self.precision.real)
        if self.learns_delay:
            columns |= dict.fromkeys(self.own_traces, np.dtype(np.float64))
            columns |= {"_seen": np.dtype(np.uint32)} if self.own_traces else {}
            columns |= {"_due": np.dtype(np.uint32), "_waiting": np.dtype(np.int32)}
        columns |= {"_at": np.dtype(np.uint32)} if self.moves else {}
        return columns

    def initial(self, weights: NDArray[np.float64], delays: NDArray[np.float64], n: int) -> dict[str, Array]:
        """What ``n`` newborn synapses with these weights and delays (ms) hold in those columns."""
        values: dict[str, Array] = {}
        for one in self.named:
            known = {**one.rule.constants, "weight": np.asarray(weights, np.float64), "delay": np.asarray(delays)}
            for variable in one.rule.variables:
                value = variable.initial.evaluate({name: known[name] for name in variable.initial.names})
                values[one.shown[variable.name]] = np.broadcast_to(np.asarray(value, np.float64), (n,))
        now = self.projection._now()
        other = {"_at": now, "_waiting": -1}
        for name, dtype in self.columns.items():
            if name not in values:
                values[name] = np.full(n, other.get(name, 0), dtype)
        return values

    @property
    def births(self) -> Index:
        """Who was born lately: birth number of its row from which on, step, and the row's entry before (-1: none)."""
        return self._births[: self._n_births]

    # -- births, deaths, moves --------------------------------------------------------------------------------

    def synapses_born(self, rows: Index, serials: NDArray[np.uint32]) -> None:
        """Synapses with these birth numbers were added to rows: they know no spike emitted so far."""
        now = self.projection._now()
        distinct, first = np.unique(rows, return_index=True)
        if self._n_births > max(4 * self.young.size + 2**16, self._most_births):
            self._forget_births(now)
        entries = np.stack([serials[first].astype(np.int64), np.full(distinct.size, now), self.young[distinct]], axis=1)
        self.young[distinct] = self._n_births + np.arange(distinct.size)
        begin, self._n_births = self._n_births, self._n_births + distinct.size
        if self._n_births > self._births.shape[0]:
            grown = np.zeros((self._n_births * 5 // 4, 3), np.int64)
            grown[:begin] = self._births[:begin]
            self._births = grown
        self._births[begin : self._n_births] = entries
        self.projection.network._touch()

    def delays_edited(self, rows: Index) -> None:
        """Synapses of these rows have other delays: what has arrived does not arrive again where they are longer."""
        if not self.learns_delay:
            self.projection.store.number()  # which is what births are told apart by
            self.synapses_born(rows, np.zeros(rows.size, np.uint32))

    def synapses_die(self, places: Index) -> None:
        """Synapses at these places are about to be removed."""
        if self.waiting is None:
            return
        columns, stride = self.projection.store.columns, self.projection.target.stride
        for place in places[columns["_waiting"][places] >= 0]:
            self.waiting.drop(int(columns["post"][place]) // stride, int(columns["_waiting"][place]))
            columns["_waiting"][place] = -1

    def bring_up(self, rows: Index, places: Index) -> None:
        """Store what moves of settled synapses as it is now."""
        if self.runner is None or not self.moves:
            return
        known, columns = self.runner.peek(self.projection, rows, places), self.projection.store.columns
        for name in self.variables:
            columns[name][places] = known[name]
        if self.drives_weight:
            columns["weight"][places] = self.precision.stored(known["weight"])
        columns["_at"][places] = self.projection._now()

    def raise_signals(self, modulator: str, amount: float, step: int, dt: float) -> None:
        """An event of a modulator, of which all synapses know: the rules' traces of it are raised."""
        for one in self.named:
            for trace in one.rule.traces:
                if trace.side == "modulator" and one.rule.modulator == modulator:
                    signal = self.signals[one[trace.name]]
                    faded = signal[0] * math.exp(-trace.rate * (step - signal[1]) * dt)
                    signal[:] = faded + amount, step

    def check_silent(self, rows: Index) -> None:
        """Raise ``UsageError`` if a spike is under way in one of these rows, whose delays are about to be edited."""
        if self.learns_delay or rows.size == 0:
            return
        emitted, longest = self.projection.source.columns["last_spike"][rows], max(self.projection.grid.high, 0)
        busy = int(np.unique(rows[(emitted > 0) & (emitted + longest > self.projection._now())]).size)
        if busy:
            raise UsageError(
                f"projection '{self.projection.name}': delays of synapses that learn can be edited only when no spike "
                f"is under way at them; one is for {busy} source neurons. Let a rule write the delay, or wait."
            )

    def _forget_births(self, now: int) -> None:
        """Drop births after which everything emitted before has arrived and been seen."""
        if self.runner is not None:
            self.runner.settle(self.projection, None)
        longest = int(max(self.projection.grid.high, 0))
        kept = self.births[:, 1] + longest > now
        place = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
        births = self.births[kept]
        births[:, 2] = place[births[:, 2]]
        self._n_births = births.shape[0]
        self._births[: self._n_births] = births
        self._most_births = 2 * self._n_births  # looking again sooner would find as little to drop
        self.young = place[self.young]

    def neurons_born(self, population: Any, slots: Index) -> None:
        """Neurons begin their histories at ``slots``."""
        now = self.projection._now()
        if population is self.projection.target:
            self.posts.forget(slots)
        if population is self.projection.source:
            shards = self.emissions.shards
            self.emissions.forget((slots[:, None] * shards + np.arange(shards)).ravel(), now)
            self.young[slots] = -1

    def relocate(self, population: Any, old: Index, new: Index) -> None:
        """Slots of a population have moved from ``old`` to ``new``."""
        now = self.projection._now()
        if population is self.projection.target:
            self.posts.move(old, new, population.n_slots)
        if population is self.projection.source:
            shards = np.arange(self.emissions.shards)
            heads = [(slots[:, None] * shards.size + shards).ravel() for slots in (old, new)]
            self.emissions.move(heads[0], heads[1], population.n_slots * shards.size, now)
            young = np.full(population.n_slots, -1, np.int64)
            young[new] = self.young[old]
            self.young = young

    def reserve_spikes(self, capacity: int) -> None:
        """Make room for so many spikes of each shard of the target."""
        self.posts.reserve(capacity)

    def settled_at(self) -> Index:
        """The step up to which each row is settled, by shard of the target; int64 (rows, shards)."""
        heads = self.emissions.entries[: self.emissions.heads, SETTLED]
        kept_up: Index = self.emissions.used[:, KEPT_UP]
        settled: Index = np.maximum(heads.reshape(-1, self.emissions.shards), kept_up)
        return settled

    def state(self) -> dict[str, Array]:
        """Everything that learning needs to go on, as arrays by name."""
        state = {f"spikes/{key}": value for key, value in self.posts.state().items()}
        state |= {f"emissions/{key}": value for key, value in self.emissions.state().items()}
        if self.waiting is not None:
            state |= {f"waiting/{key}": value for key, value in self.waiting.state().items()}
        state |= {f"signals/{name}": signal for name, signal in self.signals.items()}
        return {**state, "young": self.young, "births": self.births}
