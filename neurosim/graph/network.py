"""The network: populations, projections, groups and inputs by name, and the ids of all neurons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim import models, rng
from neurosim.errors import UsageError, unknown
from neurosim.graph import lookup
from neurosim.graph.build import Progress, build_synapses
from neurosim.graph.checks import whole
from neurosim.graph.connectors import connector as read_connector
from neurosim.graph.groups import Group
from neurosim.graph.history import History
from neurosim.graph.inputs import Input, read_source
from neurosim.graph.learning import bound_rules, delay_grid
from neurosim.graph.plasticity import Plasticity
from neurosim.graph.population import Ids, Population, Slots
from neurosim.graph.precision import read_precision
from neurosim.graph.projection import Projection
from neurosim.graph.receptors import choose_receptor
from neurosim.graph.structure import BoundStructure
from neurosim.graph.structure_reading import bound_structure
from neurosim.units import quantity

if TYPE_CHECKING:
    import networkx as nx

_MAX_ID = 2**32 - 1


class Network:
    """A spiking network whose structure can change at any time between two steps.

    Parameters
    ----------
    seed : of everything random in the network, from its wiring to its inputs.
    dt : time step in ms (or a quantity); may be left to the :class:`Simulation`. Delays are kept on this grid.
    progress : called as ``progress(what, done, total)`` while many synapses are made.
    """

    def __init__(self, seed: int = 1, dt: float | str | None = None, progress: Progress | None = None) -> None:
        self.seed = whole(seed, "a seed")
        if self.seed >= 2**63:
            raise UsageError(f"a seed is a whole number from 0 to 2^63 - 1; found {seed}.")
        self.dt: float | None = None
        self.populations: dict[str, Population] = {}
        self.projections: dict[str, Projection] = {}
        self.groups: dict[str, Group] = {}
        self.inputs: dict[str, Input] = {}
        self.rules: dict[str, BoundStructure] = {}
        self.history = History()
        self.progress = progress
        self.revision = 0
        self._edits = 0
        self.rules_made = 0
        self._inside_epoch = False
        self._next_id = 0
        self._owner = np.zeros(0, np.uint16)
        self._slot = np.zeros(0, np.int64)
        if dt is not None:
            self.set_grid(dt)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse to be copied: kernels know the places of a network's arrays in memory, and a copy would share them."""
        raise UsageError("a network cannot be copied or pickled; build it anew, or take its graph with `to_networkx`.")

    def __repr__(self) -> str:
        neurons = sum(p.size for p in self.populations.values())
        synapses = sum(p.size for p in self.projections.values())
        return f"<network: {neurons} neurons in {len(self.populations)} populations, {synapses} synapses>"

    @property
    def time(self) -> float:
        """Simulated time in ms."""
        return self.history.time

    @property
    def step(self) -> int:
        """Simulated time in steps; 0 as long as the time step is not known."""
        return round(self.history.time / self.dt) if self.dt else 0

    def set_grid(self, dt: float | str) -> None:
        """Fix the time step (ms); delays are rounded to it now: ``floor(d/dt + 0.5)`` steps, at least one unless 0."""
        step = quantity(dt, "ms", "dt")
        if step <= 0.0:
            raise UsageError(f"dt must be more than 0 ms; found {step:g} ms.")
        if self.dt is not None and self.dt != step:
            raise UsageError(
                f"the network's delays are on a grid of {self.dt:g} ms already; dt cannot become {step:g} ms."
            )
        if self.dt == step:
            return
        steps = [projection._on_grid(step) for projection in self.projections.values()]  # all are fine, or none is set
        for projection, (grid, stored) in zip(self.projections.values(), steps, strict=True):
            projection._set_grid(grid, stored)
        self.dt = step

    # -- building -------------------------------------------------------------------------------------

    def add_population(
        self,
        name: str,
        size: int,
        model: Any = "lif_delta",
        *,
        initial: Mapping[str, Any] | None = None,
        positions: Any = None,
    ) -> Population:
        """Add ``size`` neurons of one model.

        Parameters
        ----------
        model : a name, ``{name: {parameters}}`` or e.g. ``ns.models.izhikevich(a=0.02)``.
        initial : state variable -> number, quantity, array of shape (size,) or distribution.
        positions : a placement such as ``ns.place.ball("300 um")`` or ``{"ball": {"radius": "300 um"}}``, by which
            newborns are placed, too; or points, um or quantities, of shape (size, 2) or (size, 3).
        """
        self._check_editable()
        self._check_name(name)
        configured = models.neuron(model)
        size = whole(size, f"the size of population '{name}'")
        if configured.model.times and len(configured.times) not in (0, size):
            raise UsageError(f"population '{name}' has {size} neurons but times for {len(configured.times)}.")
        population = Population(self, name, len(self.populations), size, configured, initial or {}, positions)
        self.populations[name] = population
        self._touch()
        return population

    def connect(
        self,
        source: Population | str,
        target: Population | str,
        connector: Any,
        *,
        name: str | None = None,
        weight: Any = 1.0,
        delay: Any = 1.0,
        receptor: str | None = None,
        learning: Any = (),
        bounds: Mapping[str, Any] | None = None,
        precision: str = "float32",
        rounding: str | None = None,
    ) -> Projection:
        """Connect two populations.

        Parameters
        ----------
        connector : e.g. ``ns.connectors.fixed_indegree(100)``, ``"all_to_all"``, ``{"fixed_probability": 0.1}``.
        name : default ``source_target``.
        weight, delay : number, quantity, array (one per synapse) or distribution; unit of the receptor, and ms.
        receptor : an input of the target's model; default its only one, or ``exc``/``inh`` by the weight's sign.
        learning : learning rules in the order in which they act: ``ns.learning.stdp(tau_plus="20 ms")``, names,
            ``{name: {parameters}}``, or one of them.
        bounds : ``{"weight": (low, high), "delay": (low, high)}`` for edits and rules.
        precision : "float32" or "float64", of weights and of what the rules keep per synapse; of weights alone also
            "float16", "int8" and "ternary" (levels between ``bounds``), with ``rounding`` "stochastic" or "nearest".
        """
        self._check_editable()
        source, target = self._population(source), self._population(target)
        self._check_name(name := self._free_name(f"{source.name}_{target.name}") if name is None else name)
        limits = _read_bounds(bounds, name)
        rule = read_connector(connector)
        receptor = choose_receptor(target, receptor, weight if (own := rule.weights()) is None else own, name)
        unit = target.model.receptors[receptor].unit
        weight_bounds = _pair(limits.get("weight"), unit, f"bounds of weight of '{name}'")
        delay_bounds = _pair(limits.get("delay"), "ms", f"bounds of delay of '{name}'")
        rules = bound_rules(learning, source, target, unit, {"weight": weight_bounds, "delay": delay_bounds}, name)
        kept = read_precision(precision, rounding, weight_bounds, name)
        grid, index = delay_grid(rules, self.dt, delay_bounds, name, kept), len(self.projections)
        projection = Projection(self, name, index, source, target, receptor, grid, weight_bounds, kept)
        if rules or precision == "float64":
            projection.values.plasticity = Plasticity(projection, rules)
        build_synapses(projection, rule, weight, delay, self.progress)
        self.projections[name] = projection
        self._touch()
        return projection

    def add_group(self, name: str, population: Population | str, ids: ArrayLike) -> Group:
        """Name a fixed set of neurons of one population."""
        population = self._population(population)
        self._check_name(name)
        group = Group(name, population, population.columns["id"][population.slots(ids)])
        self.groups[name] = group
        return group

    def add_input(
        self, name: str, source: Any, targets: Any, *, weight: Any = 1.0, receptor: str | None = None
    ) -> Input:
        """Drive neurons from outside, independently for every target neuron.

        Parameters
        ----------
        source : ``ns.inputs.poisson(rate="15 kHz")`` or ``ns.inputs.current(amplitude="300 pA")``.
        targets : a population, a group, or a list of them.
        weight : of each event, in the receptor's unit (Poisson only).
        """
        self._check_editable()
        self._check_name(name)
        if isinstance(targets, (Population, Group, str)):
            targets = [targets]
        if not isinstance(targets, Iterable):
            raise UsageError(f"input '{name}' needs targets: populations, groups or their names; found {targets!r}.")
        selected = [self._population_or_group(target) for target in targets]
        drive = Input(self, name, read_source(source), selected, weight, receptor)
        self.inputs[name] = drive
        self._touch()
        return drive

    def add_rule(self, rule: Any, *where: Projection | Population | str) -> BoundStructure:
        """Let a structural rule act from now on: a configured one, ``ns.structure.prune_weak(ee, every="1 s")``,
        or as it is written, ``{"prune_weak": {…}}`` or ``{"die": …, "every": …}``, beside ``where`` it acts."""
        self._check_editable()
        bound = bound_structure(self, rule, where)
        self.rules[bound.name] = bound
        bound.settle_in()
        self._touch()
        return bound

    def remove_rule(self, rule: BoundStructure | str) -> None:
        """Let a structural rule act no more; an unknown name raises ``UnknownName``."""
        self._check_editable()
        name = rule if isinstance(rule, str) else rule.name
        if name not in self.rules:
            raise unknown("structural rule", name, self.rules)
        self.rules.pop(name).move_out()
        self._touch()

    # -- leaving --------------------------------------------------------------------------------------

    def to_networkx(self) -> nx.MultiDiGraph[int]:
        """The graph as it is now, keyed by neuron id; edge keys are synapse ids.

        Nodes carry ``population`` and, where given, ``x y z`` (um); edges ``projection``, ``receptor``, ``weight``
        and ``delay`` (ms). Synapse ids are unique within a projection; the keys of the second and later projections
        between the same two populations are ``"name/id"``.
        """
        import networkx as nx

        graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(time=self.time, seed=self.seed)
        for population in self.populations.values():
            points = population.positions
            for k, neuron in enumerate(population.ids.tolist()):
                place = {} if points is None else dict(zip("xyz", points[k].tolist(), strict=True))
                graph.add_node(neuron, population=population.name, **place)
        joined = set()
        for projection in self.projections.values():
            common = {"projection": projection.name, "receptor": projection.receptor}
            ends = projection.source.name, projection.target.name
            prefix = f"{projection.name}/" if ends in joined else ""
            joined.add(ends)
            for synapse, pre, post, weight, delay in zip(*(c.tolist() for c in projection.edges()), strict=True):
                key = f"{prefix}{synapse}" if prefix else synapse
                graph.add_edge(pre, post, key, weight=weight, delay=delay, **common)
        return graph

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that makes the network what it is now, as arrays by name (views where possible)."""
        state: dict[str, NDArray[Any]] = {
            "counters": np.array([self.seed, self._next_id, self._edits, self.rules_made]),
            "rules": np.array([(rule.number, rule.active) for rule in self.rules.values()], np.int64).reshape(-1, 2),
            "owner": self._owner[: self._next_id],
            "slot": self._slot[: self._next_id],
        }
        rooms: list[tuple[str, Any]] = [("history", self.history)]
        rooms += [(f"populations/{name}", population) for name, population in self.populations.items()]
        rooms += [(f"projections/{name}", projection) for name, projection in self.projections.items()]
        for path, room in rooms:
            state |= {f"{path}/{name}": array for name, array in room.state().items()}
        return state

    # -- names ----------------------------------------------------------------------------------------

    def _check_name(self, name: Any) -> None:
        taken = (self.populations, self.projections, self.groups, self.inputs)
        if not isinstance(name, str) or not name.isidentifier():
            raise UsageError(f"a name is letters, digits and underscores, not beginning with a digit; found {name!r}.")
        if any(name in names for names in taken):
            raise UsageError(f"the name '{name}' is taken already.")

    def _free_name(self, name: str) -> str:
        taken = {*self.populations, *self.projections, *self.groups, *self.inputs}
        candidates = (name if k == 1 else f"{name}_{k}" for k in range(1, len(taken) + 2))
        return next(candidate for candidate in candidates if candidate not in taken)

    def _population(self, population: Population | str) -> Population:
        if isinstance(population, Population):
            if population.network is not self:
                raise UsageError(f"population '{population.name}' belongs to another network.")
            return population
        if population not in self.populations:
            raise unknown("population", str(population), self.populations)
        return self.populations[population]

    def _population_or_group(self, target: Population | Group | str) -> Population | Group:
        if isinstance(target, Group):
            self._population(target.population)
            return target
        if isinstance(target, str) and target in self.groups:
            return self.groups[target]
        if isinstance(target, str) and target not in self.populations:
            raise unknown("population or group", target, [*self.populations, *self.groups])
        return self._population(target)

    # -- ids ------------------------------------------------------------------------------------------

    def _check_ids(self, n: int) -> None:
        if self._next_id + n > _MAX_ID:
            raise UsageError(f"a network has 2^32 neuron ids in its life; there are too few left for {n} neurons.")

    def _issue_ids(self, population: Population, slots: Slots) -> Ids:
        first = self._next_id
        self._check_ids(slots.size)
        self._next_id += int(slots.size)
        if self._next_id > self._slot.size:
            capacity = max(self._next_id, self._slot.size * 3 // 2)
            self._owner = np.concatenate([self._owner, np.zeros(capacity - self._owner.size, np.uint16)])
            self._slot = np.concatenate([self._slot, np.full(capacity - self._slot.size, -1, np.int64)])
        self._owner[first : self._next_id] = population.index
        self._slot[first : self._next_id] = slots
        self._touch()
        return np.arange(first, self._next_id, dtype=np.uint32)

    def _retire(self, ids: Ids) -> None:
        self._slot[ids] = -1
        self._touch()

    def _move_slots(self, ids: Ids, slots: Slots) -> None:
        self._slot[ids] = slots
        self._touch()

    def _slots_of(self, population: Population, ids: ArrayLike) -> Slots:
        """Slots of neuron ids in one population, -1 where an id is not one of its living neurons."""
        return self._look_up(population, ids)[0]

    def _look_up(self, population: Population, ids: ArrayLike) -> tuple[Slots, int]:
        """Slots as :meth:`_slots_of`, and how many are -1."""
        wanted = _whole(ids, np.int64)
        slots = np.empty(wanted.size, np.int64)
        missing = lookup.slots_of(wanted, self._owner, self._slot, population.index, self._next_id, slots)
        return slots, int(missing)

    def _rows_of(self, population: Population, ids: ArrayLike) -> tuple[Slots, NDArray[np.uint32]]:
        """Presynaptic slots (-1 where there is no such neuron) and birth numbers of synapse ids."""
        wanted = _whole(ids, np.uint64)
        rows, serials = np.empty(wanted.size, np.int64), np.empty(wanted.size, np.uint32)
        lookup.rows_of(wanted, self._owner, self._slot, population.index, self._next_id, rows, serials)
        return rows, serials

    # -- edits ----------------------------------------------------------------------------------------

    def _touch(self) -> None:
        """Something that the engine has lowered is no longer true."""
        self.revision += 1

    def _stream(self, *names: str) -> np.random.Generator:
        """A generator for one edit that may draw random values."""
        self._edits += 1
        return rng.generator(self.seed, rng.purpose(*names), self._edits)

    def _check_editable(self) -> None:
        if self._inside_epoch:
            raise UsageError("the network can be changed between epochs only: from `every`, `at` or `when` callbacks.")


def _whole(ids: ArrayLike, dtype: Any) -> NDArray[Any]:
    """Ids as a new one-dimensional array."""
    given = np.asarray(ids)
    if given.dtype.kind not in "iu" and given.size:
        if not isinstance(ids, (list, tuple)) or not all(isinstance(i, (int, np.integer)) for i in ids):
            raise UsageError(f"ids are whole numbers; found {given.dtype} values such as {given.flat[0]!r}.")
        given = np.array([int(i) for i in ids])  # numpy makes floats of Python's and its own unsigned integers
    return given.astype(dtype).reshape(-1)


def _read_bounds(bounds: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    if not isinstance(bounds, Mapping | None):
        raise UsageError(f"bounds are written as {{'weight': (low, high)}}; found {bounds!r}.")
    limits = dict(bounds or {})
    for key in limits:
        if key not in ("weight", "delay"):
            raise unknown("bound", key, ("weight", "delay"), f"in projection '{name}'")
    return limits


def _pair(bounds: Any, unit: str, what: str) -> tuple[float, float] | None:
    if bounds is None:
        return None
    if not isinstance(bounds, Iterable) or isinstance(bounds, str) or len(list(bounds)) != 2:
        raise UsageError(f"{what} are written as [low, high]; found {bounds!r}.")
    low, high = (quantity(value, unit, what) for value in bounds)
    if low > high:
        raise UsageError(f"{what}: the low bound {low:g} is above the high bound {high:g}.")
    return low, high
