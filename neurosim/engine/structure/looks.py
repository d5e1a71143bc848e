"""What a structural rule sees: numbers of neurons and of pairs, as they are now. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim import rng
from neurosim.expressions import Expression
from neurosim.graph.population import Population, Slots
from neurosim.graph.projection import Projection
from neurosim.graph.structure import BoundStructure

if TYPE_CHECKING:
    from neurosim.engine.structure.dynamics import NeuronTraces

Values = NDArray[np.float64]

UNUSED = np.inf  # ms since the last spike of a neuron that has never fired


class Look:
    """One rule's look at the network at one time.

    ``traces`` is what the rule keeps of each population's neurons; ``needed``: looks in a row at which ``die`` must
    have held. Columns are by slot, float64.
    """

    def __init__(self, rule: BoundStructure, traces: Mapping[str, NeuronTraces], needed: int) -> None:
        self.rule = rule
        self.needed = needed
        self.network = rule.network
        self.now = self.network.step
        self.dt = self.network.dt or 0.0
        self._traces = traces
        self._shown: dict[str, dict[str, Values]] = {}
        self._columns: dict[tuple[str, str], Values] = {}
        self._living: dict[str, Slots] = {}

    def stream(self, clause: str) -> np.random.Generator:
        """The generator for the draws of one clause at this time."""
        return rng.generator(self.network.seed, rng.purpose("structure", self.rule.name, clause), self.now)

    @property
    def always(self) -> dict[str, float]:
        """What every expression may read."""
        return {"time": self.network.time, "every": self.rule.every}

    # -- neurons ------------------------------------------------------------------------------------------------

    def living(self, population: Population) -> Slots:
        """Slots of the living, by id."""
        if population.name not in self._living:
            self._living[population.name] = population.slots(population.ids)
        return self._living[population.name]

    def column(self, population: Population, name: str) -> Values:
        """One number of every slot of a population."""
        key = population.name, name
        if key not in self._columns:
            self._columns[key] = self._column(population, name)
        return self._columns[key]

    def _column(self, population: Population, name: str) -> Values:
        if name in self.rule.dynamics[population.name].variables:
            return self._kept(population)[name]
        if name in population.parameters:
            return np.full(population.n_slots, population.parameters[name])
        if name == "age":
            return (self.now - population.columns["born"]) * self.dt
        if name == "silence":
            last = population.columns["last_spike"]
            return np.where(last > 0, (self.now - last) * self.dt, UNUSED)
        if name in ("in_degree", "out_degree"):
            return self._degree(population, name).astype(np.float64)
        return np.ascontiguousarray(population.columns[name], np.float64)

    def _kept(self, population: Population) -> dict[str, Values]:
        if population.name not in self._shown:
            self._shown[population.name] = self._traces[population.name].shown(self.now)
        return self._shown[population.name]

    def _degree(self, population: Population, name: str) -> NDArray[np.int64]:
        """Synapses of each slot: of the rule's projections, or of all for a rule about neurons."""
        projections = self.rule.projections or tuple(self.network.projections.values())
        degree = np.zeros(population.n_slots, np.int64)
        for projection in projections:
            if name == "in_degree" and projection.target is population:
                degree += projection.store.in_degree(population.n_slots)
            if name == "out_degree" and projection.source is population:
                degree += projection.store.ends[:, -1]
        return degree

    def of_neurons(self, clause: str, population: Population, slots: Slots) -> Values:
        """A clause worked out for neurons; float64 (or bool), shape as ``slots``."""
        expression = self.rule.expressions[clause, population.name]
        return self.evaluated(expression, population, slots)

    def evaluated(
        self, expression: Expression, population: Population, slots: Slots, known: Mapping[str, Any] | None = None
    ) -> Values:
        """An expression worked out for neurons."""
        values: dict[str, Any] = {**self.always, **self.rule.constants[population.name], **(known or {})}
        values.setdefault("size", float(population.size))
        for name in expression.names - set(values):
            values[name] = self.column(population, name)[slots]
        result = expression.evaluate({name: values[name] for name in expression.names})
        values_of_each = np.asarray(result)
        return values_of_each if values_of_each.shape == slots.shape else np.broadcast_to(values_of_each, slots.shape)

    # -- pairs and totals -----------------------------------------------------------------------------------------

    def pair_columns(self, projection: Projection, names: frozenset[str]) -> dict[str, tuple[Population, str]]:
        """Which of ``names`` are numbers of one neuron of a pair: symbol -> (population, column)."""
        found = {}
        for name in names:
            for suffix, population in (("_pre", projection.source), ("_post", projection.target)):
                base = name.removesuffix(suffix)
                if name.endswith(suffix) and base in self.rule.neuron_symbols(population):
                    found[name] = (population, base)
        return found

    def of_pairs(self, clause: str, projection: Projection, rows: Slots, posts: Slots) -> Values:
        """A clause worked out for pairs of neurons (slots)."""
        expression = self.rule.expressions[clause, projection.name]
        constants = self.rule.shared(expression.names & set(self.rule.units))
        values: dict[str, Any] = {**self.always, **constants, "size": float(projection.size)}
        for name, (population, column) in self.pair_columns(projection, expression.names).items():
            values[name] = self.column(population, column)[rows if name.endswith("_pre") else posts]
        if "distance" in expression.names:
            values["distance"] = self.distance(projection, rows, posts)
        result = expression.evaluate({name: values[name] for name in expression.names})
        return np.broadcast_to(np.asarray(result, np.float64), rows.shape)

    def distance(self, projection: Projection, rows: Slots, posts: Slots) -> Values:
        """Distance of pairs (um)."""
        squares = np.zeros(rows.shape)
        for axis in "xyz":
            squares += np.square(projection.source.columns[axis][rows] - projection.target.columns[axis][posts])
        return np.sqrt(squares)

    def total(self, clause: str, size: float, deaths: float = 0.0, **others: float) -> float:
        """A clause worked out for all together; at least 0."""
        expression, population = self.rule.expressions[clause, ""], self.rule.population
        values = {"size": size, "deaths": deaths, **others, **self.always}
        values |= self.rule.shared(expression.names & set(self.rule.units))
        for name in expression.names - set(values):
            assert population is not None
            known = self.column(population, name.removeprefix("mean_"))[self.living(population)]
            values[name] = float(known.mean()) if known.size else 0.0
        number = float(expression.evaluate({name: values[name] for name in expression.names}))
        return max(number, 0.0) if np.isfinite(number) else 0.0


def rounded(number: float, stream: np.random.Generator) -> int:
    """A whole number: a part of one is there with that probability."""
    whole = int(number)
    return whole + int(stream.random() < number - whole)

