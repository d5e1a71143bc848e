"""Lowering: a network becomes records and tables of addresses. It compiles nothing; it is cheap and done anew
whenever the network's ``revision`` has moved."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim import rng
from neurosim.compiled import AddressedKernel, address_of
from neurosim.engine import delivery, neurons, noise
from neurosim.engine.driver import drive
from neurosim.engine.learning.runner import Lowered
from neurosim.engine.records import DELIVERY, PLAN, POPULATION, ROUTE, TILE, filled
from neurosim.engine.rings import Rings
from neurosim.graph.inputs import Input
from neurosim.graph.network import Network
from neurosim.graph.population import Population
from neurosim.graph.projection import Projection
from neurosim.memory import WORDS, whole_lines, zeros

_MAX_EPOCH = 32
_LOGGED = 2**15  # spikes that a log has room for at the least: a breath of a small network
_MAX_LISTED = 2**21  # places in all spike lists of one epoch; bounds memory, not results
_SPINS = 2000  # looks at the barrier, some 25 µs, before a thread sleeps: to wake it costs more than a short epoch

Record = NDArray[Any]


class SpikeLog:
    """Spikes of a population since the log was last drained, and the running digest of all of them."""

    def __init__(self) -> None:
        self.steps = np.zeros(0, np.int64)
        self.ids = np.zeros(0, np.uint32)
        self.digest = zeros(WORDS, np.uint64)[:1]  # a cache line of its own: it is written at every spike

    def reserve(self, capacity: int) -> None:
        """Make room; what is logged must have been drained."""
        if self.steps.size < capacity:
            self.steps = np.empty(capacity, np.int64)
            self.ids = np.empty(capacity, np.uint32)


def epoch_length(network: Network, limit: int | None) -> int:
    """Steps per epoch: the smallest delay, within what memory allows and ``limit``."""
    delays = [p.grid.low for p in network.projections.values() if np.isfinite(p.grid.low)]
    if any(rule.captures or rule.events.get("clocked") for p in network.projections.values() for rule in p.learning):
        return 1  # they look at the state of neurons in every step
    slots = sum(population.n_slots for population in network.populations.values())
    epoch = min([_MAX_EPOCH, max(1, _MAX_LISTED // max(slots, 1)), *(max(1, int(low)) for low in delays)])
    return epoch if limit is None else max(1, min(epoch, limit))


class Plan:
    """The lowered network: records for the run loop, and every array they point to."""

    def __init__(
        self, network: Network, rings: Rings, logs: dict[str, SpikeLog], threads: int, epoch: int
    ) -> None:
        self.network, self.rings, self.logs = network, rings, logs
        self.threads = threads
        self._keep: list[Any] = []
        self.zeros = np.zeros(TILE)
        self.epoch = epoch
        populations = list(network.populations.values())
        self.populations: Record = np.zeros(max(len(populations), 1), POPULATION)
        self.logged = zeros((max(len(populations), 1), WORDS), np.int64)  # spikes in the logs, a cache line each
        self.learning: dict[str, Lowered] = {}
        inputs: list[tuple[int, int]] = []
        for population in populations:
            self._lower_population(population, inputs)
        self.inputs = np.array(inputs, np.int64).reshape(-1, 2)
        projections = list(network.projections.values())
        self.direct_tally = np.zeros((max(len(projections), 1), 4, 8), np.int64)
        self.deliveries: Record = np.zeros(len(projections), DELIVERY)
        for projection in projections:
            self._lower_projection(projection)
        self.notes = self._notes(populations)
        self.events = np.zeros((threads, 8), np.int64)
        self.arrived = np.zeros((threads, 8), np.int64)
        self.cells, self.stop = zeros(64, np.int32), zeros(whole_lines(2 * threads), np.int64)
        self._plans = {n: self._plan(populations, n) for n in {1, threads}}

    def _hold(self, array: Any) -> int:
        """Keep an array alive for as long as the plan, and return its address."""
        self._keep.append(array)
        return address_of(array)

    # -- populations ------------------------------------------------------------------------------------

    def _lower_population(self, population: Population, inputs: list[tuple[int, int]]) -> None:
        log = self.logs.setdefault(population.name, SpikeLog())
        log.reserve(4 * self.epoch * population.n_slots + _LOGGED)
        record = self.populations[population.index : population.index + 1]
        steps = whole_lines(self.epoch)  # counts of two shards share no cache line
        columns, shape = population.columns, (2, population.shards, steps)
        first_input = len(inputs)
        inputs.extend(self._inputs_of(population))
        for name, value in {
            "n_slots": population.n_slots, "shards": population.shards, "stride": population.stride,
            "used": self._hold(population.used), "id": address_of(columns["id"]), "alive": address_of(columns["alive"]),
            "ordered": population.ordered, "epoch": steps,
            "out": self._hold(zeros((*shape, population.stride), np.uint32)),
            "count": self._hold(zeros(shape, np.int64)),
            "first_input": first_input, "n_inputs": len(inputs) - first_input,
            "log_step": address_of(log.steps), "log_id": address_of(log.ids), "log_capacity": log.steps.size,
            "log_count": address_of(self.logged[population.index :]),
            "digest": address_of(log.digest), "last_spike": address_of(columns["last_spike"]),
        }.items():  # fmt: skip
            record[name] = value
        module, constants = neurons.lower(population, self.network.dt or 0.0)
        record["kernel"] = module.KERNEL.address
        record["record"] = self._hold(self._model_record(population, module.RECORD, constants, record))

    def _model_record(
        self, population: Population, dtype: np.dtype[Any], constants: dict[str, Any], record: Record
    ) -> Record:
        """The record of a model's kernel: where its arrays stand, and its constants."""
        fields: dict[str, Any] = {
            "population": record.ctypes.data,
            "mark": self._hold(zeros(population.n_slots, np.uint8)),
            "zeros": address_of(self.zeros),
            "held_until": address_of(population.columns.get("held_until")),
        }
        fields |= {f"{v.name}__all": address_of(population.columns[v.name]) for v in population.model.state}
        for variable in population.model.input_variables:
            ring = self.rings.sums.get((population.name, variable))
            fields[f"{variable}__ring"] = address_of(ring)
            fields[f"{variable}__mask"] = 0 if ring is None else ring.shape[0] - 1
        for name, value in constants.items():
            if isinstance(value, np.ndarray) and f"{name}__each" in (dtype.names or ()):
                fields[f"{name}__each"], fields[f"{name}__stride"] = self._each(value)
            else:
                fields[name] = self._hold(value) if isinstance(value, np.ndarray) else value
        return filled(dtype, **{name: fields[name] for name in dtype.names or ()})

    def _each(self, values: NDArray[Any]) -> tuple[int, int]:
        """Address and stride of a constant that may differ between neurons; one tile of it serves all who are alike."""
        if values.size == 1:
            return self._hold(np.full(TILE, values[0])), 0
        return self._hold(np.ascontiguousarray(values)), 1

    def _inputs_of(self, population: Population) -> list[tuple[int, int]]:
        """(kernel, record) of what is added to the arrivals of a population, in order of declaration."""
        lowered = []
        for (name, _), tally in self.rings.tallies.items():
            if name == population.name:
                audit = filled(
                    delivery.AUDIT, tally=address_of(tally), mask=tally.shape[0] - 1, n_slots=population.n_slots
                )
                lowered.append((delivery.count_arrivals.address, self._hold(audit)))
        for drive_input in self.network.inputs.values():
            if population.name in drive_input.receptors:
                record = self._poisson_record(drive_input, population)
                lowered.append((noise.poisson_input.address, self._hold(record)))
        return lowered

    def _poisson_record(self, source: Input, population: Population) -> Record:
        """Runs of neurons with one rate, and the thresholds of each rate."""
        rates, alive = population.columns[source.column], population.columns["alive"].view(bool)
        living = np.flatnonzero(alive)
        changes = np.flatnonzero(np.diff(rates[living])) + 1
        segments = np.concatenate([[0], living[changes], [population.n_slots]]).astype(np.int64)
        at = living[np.concatenate([[0], changes])] if living.size else np.zeros(1, np.int64)
        values, levels = np.unique(rates[at], return_inverse=True)
        dt = self.network.dt or 0.0
        tables = [rng.poisson_thresholds(rate * dt / 1000.0) for rate in values]
        offsets = np.concatenate([[0], np.cumsum([table.size for table in tables])]).astype(np.int64)
        levels = np.where(values[levels] > 0.0, levels, -1).astype(np.int64).ravel()
        variable = population.model.receptors[source.receptors[population.name]].variable
        ring = self.rings.sums[population.name, variable]
        return filled(
            noise.RECORD, id=address_of(population.columns["id"]), n_slots=population.n_slots,
            ring=address_of(ring), mask=ring.shape[0] - 1, n_segments=levels.size, segments=self._hold(segments),
            levels=self._hold(levels), offsets=self._hold(offsets), table=self._hold(np.concatenate(tables)),
            purpose=rng.purpose("input", source.name), seed=self.network.seed,
            weight=source.weights[population.name], words=self._hold(np.empty((4, population.n_slots), np.uint32)),
            block=self._hold(np.full(population.n_slots, -1)),
        )  # fmt: skip

    # -- projections ------------------------------------------------------------------------------------

    def _lower_projection(self, projection: Projection) -> None:
        target = projection.target
        receptor = target.model.receptors[projection.receptor]
        ring = self.rings.sums.get((target.name, receptor.variable))
        plasticity = projection.values.plasticity
        kernel: AddressedKernel = delivery.deliver
        route = filled(
            ROUTE, rows=projection.store.address, ring=address_of(ring), mask=0 if ring is None else ring.shape[0] - 1,
            n_slots=target.n_slots, has_zero=projection.grid.low < 1,
            direct=address_of(target.columns[receptor.variable]),
            gate=address_of(target.columns["held_until"]) if receptor.gated else 0,
        )  # fmt: skip
        held = projection.held_arrivals()
        route["held"], route["n_held"] = self._hold(held), held.shape[0]
        record = self.deliveries[projection.index : projection.index + 1]
        if plasticity is not None:
            target_record = self.populations[target.index : target.index + 1].ctypes.data
            learning = Lowered(projection, route, target_record, self.network.dt or 0.0, self.epoch)
            self.learning[projection.name] = learning
            kernel = learning.kernels.deliver
            record["period"], record["tick"] = learning.period, learning.kernels.tick.address if learning.period else 0
            record["tend"] = learning.kernels.tend.address
        if self.rings.audit:
            kernel = delivery.deliver_audited if plasticity is None else kernel
            route["tally"] = address_of(self.rings.tallies.get((target.name, receptor.variable)))
            route["direct_tally"] = address_of(self.direct_tally[projection.index])
        address = self._hold(route) if plasticity is None else self.learning[projection.name].address
        record["kernel"], record["record"] = kernel.address, address
        record["source"], record["target"] = projection.source.index, target.index

    def _notes(self, populations: list[Population]) -> NDArray[np.int64]:
        """(kernel, record) of what remembers the spikes of each population for the projections that learn from them."""
        notes: list[tuple[int, int]] = []
        for population in populations:
            record, first = self.populations[population.index], len(notes)
            for projection in self.network.projections.values():
                learning = self.learning.get(projection.name)
                if learning is not None and projection.target is population and learning.follows_spikes:
                    notes.append((learning.kernels.note_spikes.address, learning.address))
            record["first_note"], record["n_notes"] = first, len(notes) - first
        return np.array(notes, np.int64).reshape(-1, 2)

    # -- the plan ---------------------------------------------------------------------------------------

    def _plan(self, populations: list[Population], threads: int) -> Record:
        """The plan for a team of ``threads``: who owns which shards, and where everything stands."""
        share = np.zeros((threads, len(populations), 2), np.int64)
        load = np.zeros(threads)
        for p, population in enumerate(populations):
            work = self._work(population) / population.shards
            if population.shards >= threads:
                edges = np.arange(threads + 1) * population.shards // threads
                share[:, p, 0], share[:, p, 1] = edges[:-1], edges[1:]
                load += work * np.diff(edges)
                continue
            for shard in range(population.shards):  # fewer shards than threads: each to the least loaded
                thread = int(np.argmin(np.where(share[:, p, 1] > 0, np.inf, load)))
                share[thread, p] = shard, shard + 1
                load[thread] += work
        largest = max((population.n_slots for population in populations), default=1)
        return filled(
            PLAN, populations=address_of(self.populations), n_populations=len(populations),
            deliveries=address_of(self.deliveries), n_deliveries=self.deliveries.size,
            inputs=address_of(self.inputs), n_inputs=len(self.inputs),
            notes=address_of(self.notes), n_notes=len(self.notes), share=self._hold(share), epoch=self.epoch,
            cells=address_of(self.cells), stop=address_of(self.stop), events=address_of(self.events),
            arrived=address_of(self.arrived), scratch=self._hold(np.empty((threads, largest), np.uint32)),
            scratch_size=largest, spins=_SPINS, logger=int(np.argmin(load)),
        )  # fmt: skip

    def _work(self, population: Population) -> float:
        """How much work a population is, in neurons; a synapse, used now and then only, is taken for a tenth."""
        arriving = sum(one.size for one in self.network.projections.values() if one.target is population)
        return population.size + 0.1 * arriving

    def adapt(self, spikes: dict[str, int], step: int) -> None:
        """Let projections learn promptly or not, as it pays, after so many spikes of populations up to ``step``."""
        for name, learning in self.learning.items():
            projection = self.network.projections[name]
            learning.adapt(spikes.get(projection.source.name, 0), step)
            self._deliver_by(learning, self.deliveries[projection.index : projection.index + 1])

    @staticmethod
    def _deliver_by(learning: Lowered, record: Record) -> None:
        """Enter a projection's kernels."""
        prompt, kernels = learning.incoming is not None, learning.kernels
        record["kernel"] = (kernels.deliver_kept_up if prompt else kernels.deliver).address
        record["keep_up"] = kernels.keep_up.address if prompt else 0

    def run(self, thread: int, threads: int, first: int, n_steps: int) -> int:
        """One thread's part of ``n_steps`` steps from step number ``first``; see :func:`driver.drive`."""
        return int(drive(int(self._plans[threads].ctypes.data), thread, threads, first, n_steps))

    def drain(self) -> dict[str, tuple[NDArray[np.int64], NDArray[np.uint32]]]:
        """Spikes since the last call, per population: (steps, ids), ordered by (step, id)."""
        spikes = {}
        for name, population in self.network.populations.items():
            n, log = int(self.logged[population.index, 0]), self.logs[name]
            spikes[name] = log.steps[:n].copy(), log.ids[:n].copy()
            self.logged[population.index, 0] = 0
        return spikes
