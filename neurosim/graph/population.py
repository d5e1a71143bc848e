"""A population: neurons of one model, with ids that are never reused.

Every neuron has a *slot* in the population's columns. Slots are grouped into logical shards (one contiguous range
each, its number fixed when the population is made), and within a shard ids ascend with slots: births append,
deaths leave holes, and when holes are many the shard closes ranks in order. Users see ids only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim import rng
from neurosim.errors import InvalidInput, UsageError, unknown
from neurosim.expressions import parse
from neurosim.graph import history
from neurosim.graph.checks import no_such, whole
from neurosim.graph.distributions import Distribution, Values, distribution
from neurosim.graph.placement import Placement, placement, points, written
from neurosim.graph.variable import NeuronVariable
from neurosim.memory import zeros
from neurosim.models import ConfiguredModel, is_spread

if TYPE_CHECKING:
    from neurosim.graph.network import Network

Ids = NDArray[np.uint32]
Slots = NDArray[np.int64]

_NEURONS_PER_SHARD = 1024
_NEURONS_FOR_FOUR = 16384  # every further shard makes edits dearer, so small populations have two at most
_ROUND = 64  # slots per shard are a multiple of this: cache lines of one thread, even with a byte per slot


class Watcher(Protocol):
    """What a running simulation wants to know of a population."""

    def neurons_born(self, population: Population, slots: Slots) -> None:
        """New neurons stand at ``slots``."""

    def neurons_died(self, population: Population, slots: Slots) -> None:
        """The neurons at ``slots`` are dead and their synapses gone."""

    def slots_moved(self, population: Population, old: Slots, new: Slots) -> None:
        """Neurons moved from slots ``old`` to ``new``; the columns have been moved already."""


class Population:
    """Neurons of one model. Made by :meth:`Network.add_population`.

    State variables and per-neuron values are attributes: ``pop.v[ids]``, ``pop.v.values``, ``pop.v.set(-65.0)``,
    in the units that ``pop.variables`` names. So are parameters that every neuron has its own value of; the others
    stand in ``parameters``.
    """

    def __init__(
        self,
        network: Network,
        name: str,
        index: int,
        size: int,
        configured: ConfiguredModel,
        initial: Mapping[str, Any],
        positions: Any,
    ) -> None:
        self.network = network
        self.name = name
        self.index = index
        self.configured = configured
        self.model = configured.model
        self.parameters: dict[str, float] = dict(configured.parameters)
        self.spread: dict[str, Distribution] = {
            key: distribution(value, self.model.parameter(key).unit, f"{name}.{key}")
            for key, value in configured.spread.items()
        }
        network._check_ids(size)
        self.shards = 4 if size >= _NEURONS_FOR_FOUR else 2 if size >= 2 * _NEURONS_PER_SHARD else 1
        self.used: Slots = size // self.shards + (np.arange(self.shards) < size % self.shards)
        self.stride = _rounded(int(self.used.max(initial=0)))
        self.columns: dict[str, NDArray[Any]] = {}
        self.defaults: dict[str, float] = {}
        self.watcher: Watcher | None = None
        self.placement: Placement | None = placement(positions) if written(positions) else None
        self._births = 0
        self.first_id = network._next_id
        self._cached_ids: Ids | None = None
        n = self.n_slots
        self.columns["id"] = zeros(n, np.uint32)
        self.columns["alive"] = zeros(n, np.uint8)
        self.columns["last_spike"] = zeros(n, np.int64)  # step; 0 for a neuron that has not fired
        self.columns["born"] = zeros(n, np.int64)  # step
        for key in (*(variable.name for variable in self.model.state), *self.spread):
            self.columns[key] = zeros(n)
        if self.model.refractory:
            self.columns["held_until"] = zeros(n, np.int64)  # last step of refractoriness
        if self.model.drive_unit is not None:
            self.columns["i_stim"] = zeros(n)
        slots = np.concatenate([s * self.stride + np.arange(used) for s, used in enumerate(self.used)])
        values = self._initial(size, initial) | points(self, size, positions, 0)
        self._settle(slots, network._issue_ids(self, slots), values)

    # -- what it holds --------------------------------------------------------------------------------

    @property
    def n_slots(self) -> int:
        """Places in the columns, with holes and room to grow."""
        return self.shards * self.stride

    @property
    def size(self) -> int:
        """Number of living neurons."""
        return int(self.ids.size)

    @property
    def ids(self) -> Ids:
        """Ids of the living neurons, ascending; uint32 of shape (size,)."""
        if self._cached_ids is None:
            self._cached_ids = np.sort(self.columns["id"][self.columns["alive"].view(bool)])
            self._cached_ids.setflags(write=False)
        return self._cached_ids

    @property
    def ordered(self) -> bool:
        """Whether ids ascend over all slots, so that no merging of shards is needed."""
        ids = self.columns["id"][self.columns["alive"].view(bool)]
        return self.shards == 1 or bool(np.all(ids[1:] > ids[:-1]))

    @property
    def variables(self) -> dict[str, str]:
        """Names and units of what every neuron has its own value of."""
        units = {variable.name: variable.unit for variable in self.model.state}
        units |= {name: self.model.parameter(name).unit for name in self.spread}
        if self.model.drive_unit is not None:
            units["i_stim"] = self.model.drive_unit
        if "x" in self.columns:
            units.update(x="um", y="um", z="um")
        return units

    @property
    def positions(self) -> NDArray[np.float64] | None:
        """Positions in um, shape (size, 3), in the order of ``ids``; None where there are none."""
        return self._places(self.slots(self.ids))

    def _places(self, slots: Slots) -> NDArray[np.float64] | None:
        return np.stack([self.columns[axis][slots] for axis in "xyz"], axis=1) if "x" in self.columns else None

    def __getattr__(self, name: str) -> NeuronVariable:
        if name.startswith("_") or "columns" not in self.__dict__:
            raise AttributeError(name)
        variables = self.variables
        if name not in variables:
            raise self._no_variable(name)
        return NeuronVariable(self, name, variables[name])

    def __setattr__(self, name: str, value: Any) -> None:
        if "_cached_ids" not in self.__dict__ or name in self.__dict__:
            object.__setattr__(self, name, value)
        elif name in self.variables:
            getattr(self, name).set(value)
        else:
            raise self._no_variable(name)

    def _no_variable(self, name: str) -> AttributeError:
        if name in self.parameters:
            return AttributeError(
                f"'{name}' is a parameter of population '{self.name}': read it in `parameters`, change it by "
                "`set_parameter`."
            )
        return AttributeError(str(unknown("variable", name, self.variables, f"of population '{self.name}'")))

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"<population '{self.name}': {self.size} × {self.model.name}>"

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that makes the population what it is now, as arrays by name (views where possible)."""
        return {
            **self.columns,
            "used": self.used,
            "stride_and_births": np.array([self.stride, self._births]),
            "parameters": np.array(list(self.parameters.values())),
            "defaults": np.array(list(self.defaults.values())),
        }

    # -- ids and slots --------------------------------------------------------------------------------

    def slots(self, ids: ArrayLike) -> Slots:
        """Slots of living neurons by id.

        Raises ``UnknownName`` for an id that is not a living neuron of this population.
        """
        slots, missing = self.network._look_up(self, ids)
        if missing:
            raise no_such("neuron", ids, slots < 0, f"population '{self.name}'")
        return slots

    def where(self, condition: str) -> Ids:
        """Ids of the neurons for which an expression holds, e.g. ``"v > -50 mV and x > 100 um"``.

        Known symbols: ``id``, the state variables and, where given, ``x y z``.
        """
        expression = parse(condition, {"id": "", **self.variables}, unit="bool")
        slots = self.slots(self.ids)
        values = {name: self.columns[name][slots] for name in expression.names}
        holds = np.broadcast_to(np.asarray(expression.evaluate(values), bool), slots.shape)
        ids: Ids = self.ids[holds]
        return ids

    def set_parameter(self, name: str, value: Any) -> None:
        """Change a parameter of the model from now on: one value for all, an array in the order of ``ids``, or a
        distribution, from which newborns draw too."""
        self.network._check_editable()
        parameter = self.model.parameter(name)
        if is_spread(value):
            drawn = distribution(value, parameter.unit, f"{self.name}.{name}")
            stream = self.network._stream("set", self.name, name)
            try:
                values = drawn.sample(stream, self.size, parameter.unit)
            except InvalidInput as error:
                raise InvalidInput(f"{self.name}.{name}: {error}.") from None
            self._check_values(name, values)
            column = self.columns[name] = zeros(self.n_slots)
            column[self.slots(self.ids)] = values
            self.spread[name] = drawn
            self.parameters.pop(name, None)
        else:
            given = self.parameters | {name: parameter.check(value, self.name)}
            self.parameters = {p.name: given[p.name] for p in self.model.parameters if p.name in given}
            if self.spread.pop(name, None) is not None:
                del self.columns[name]
        self.network._touch()

    def _check_values(self, name: str, values: NDArray[np.float64]) -> None:
        """Complain of values that a parameter may not have; other variables may have any."""
        for parameter in self.model.parameters:
            if parameter.name == name:
                parameter.check_all(values, self.name)

    # -- birth and death ------------------------------------------------------------------------------

    def add(self, n: int, positions: Any = None, **initial: Any) -> Ids:
        """Let ``n`` neurons be born, in the model's initial state unless ``initial`` says otherwise.

        ``positions``: points (um or quantities) of shape (n, 2) or (n, 3), or a placement such as
        ``ns.place.near(parents, "20 um")``; left out, newborns are placed as the population was.
        Returns their ids (uint32, ascending). Call between runs or in a callback.
        """
        self.network._check_ids(whole(n, f"the number of neurons to add to '{self.name}'"))
        if self.model.times:
            raise UsageError(f"'{self.name}' is a {self.model.name}: its neurons come with their times.")
        self.network._check_editable()
        event = self._births + 1
        values = self._initial(n, initial, event) | points(self, n, positions, event)
        slots = self._take_slots(n)
        ids = self.network._issue_ids(self, slots)
        self._births += 1
        self._settle(slots, ids, values)
        for projection in self.network.projections.values():
            projection._neurons_born(self, slots)
        self.network.history.neurons(history.NEURON_BIRTH, self.index, ids, self._places(slots))
        if self.watcher is not None:
            self.watcher.neurons_born(self, slots)
        return ids

    def remove(self, ids: ArrayLike) -> None:
        """Let neurons die, and with each its synapses; unknown ids raise ``UnknownName`` and change nothing."""
        slots = self.slots(np.unique(np.atleast_1d(np.asarray(ids))))
        if slots.size == 0:
            return
        self.network._check_editable()
        dead = self.columns["id"][slots]
        for projection in self.network.projections.values():
            projection._drop_neurons(self, slots)
        self.columns["alive"][slots] = 0
        self.network._retire(dead)
        self._cached_ids = None
        self.network.history.neurons(history.NEURON_DEATH, self.index, dead)
        if self.watcher is not None:
            self.watcher.neurons_died(self, slots)
        self._close_ranks()

    def _initial(self, n: int, given: Mapping[str, Any], event: int = 0) -> dict[str, Any]:
        """The state of ``n`` newborn neurons: the model's initial values, overridden by those ``given``."""
        known = [*(variable.name for variable in self.model.state), *self.spread]
        for name in given:
            if name not in known:
                raise unknown("state variable", name, known, f"of {self.model.name}")
        parameters = self.parameters | self._parameters_of_newborns(n, given, event)
        if self.spread:
            self.model.dynamics.check_start(parameters, self.name)
        values = parameters | self.model.dynamics.initial_state(parameters)
        for variable in self.model.state:
            if variable.name in given:
                values[variable.name] = self._drawn("initial", variable.name, variable.unit, given, n, event)
        return {name: values[name] for name in known}

    def _drawn(
        self, purpose: str, name: str, unit: str, given: Mapping[str, Any], n: int, event: int
    ) -> NDArray[np.float64]:
        """Values of one variable or parameter for ``n`` newborn neurons."""
        drawn = distribution(given[name], unit, f"{purpose} {name} of '{self.name}'")
        stream = rng.generator(self.network.seed, rng.purpose(purpose, self.name, name), event)
        return drawn.sample(stream, n, unit)

    def _parameters_of_newborns(self, n: int, given: Mapping[str, Any], event: int) -> dict[str, Any]:
        """Values of the parameters that every neuron has its own of: those given, or drawn as before."""
        values = {}
        for name, before in self.spread.items():
            if name not in given and event and isinstance(before, Values):
                raise UsageError(
                    f"'{self.name}': {name} was given neuron by neuron; give it for newborns, too: add(…, {name}=…)."
                )
            unit = self.model.parameter(name).unit
            values[name] = self._drawn("parameter", name, unit, {name: before} | dict(given), n, event)
            self._check_values(name, values[name])
        return values

    def _settle(self, slots: Slots, ids: Ids, values: Mapping[str, Any]) -> None:
        """Let neurons stand at ``slots``."""
        for name in values:
            if name not in self.columns:
                self.columns[name] = zeros(self.n_slots)
        for name, column in self.columns.items():
            column[slots] = values.get(name, self.defaults.get(name, 0))
        self.columns["id"][slots] = ids
        self.columns["alive"][slots] = 1
        self.columns["born"][slots] = self.network.step
        self._cached_ids = None

    # -- slots that move ------------------------------------------------------------------------------

    def _take_slots(self, n: int) -> Slots:
        """Fresh slots at the ends of the shards, always in the emptiest shard; room is made where needed."""
        used = self.used.copy()
        shard_of = np.empty(n, np.int64)
        for i in range(n):
            shard_of[i] = int(np.argmin(used))
            used[shard_of[i]] += 1
        if used.max(initial=0) > self.stride:
            slots = self._live_and_dead()
            stride = _rounded(max(int(used.max()), self.stride * 3 // 2))
            self._move(slots, slots // self.stride * stride + slots % self.stride, stride)
        offset = np.empty(n, np.int64)
        for shard in range(self.shards):
            mine = shard_of == shard
            offset[mine] = self.used[shard] + np.arange(int(mine.sum()))
        self.used = used
        return shard_of * self.stride + offset

    def _live_and_dead(self) -> Slots:
        return np.concatenate([s * self.stride + np.arange(used) for s, used in enumerate(self.used)])

    def _close_ranks(self) -> None:
        """Give back the holes of the dead when they are a quarter of the slots in use."""
        alive = self.columns["alive"].view(bool)
        if int(self.used.sum()) - int(alive.sum()) <= max(64, int(self.used.sum()) // 4):
            return
        slots = np.flatnonzero(alive)
        shard = slots // self.stride
        counts = np.bincount(shard, minlength=self.shards)
        first = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self.used = counts.astype(np.int64)
        self._move(slots, shard * self.stride + np.arange(slots.size) - first[shard], self.stride)

    def _move(self, old: Slots, new: Slots, stride: int) -> None:
        """Move neurons from slots ``old`` to ``new``, and everything that points at them."""
        before = self.n_slots
        self.stride = stride
        for name, column in self.columns.items():
            moved = zeros((self.n_slots, *column.shape[1:]), column.dtype)
            moved[new] = column[old]
            self.columns[name] = moved
        alive = self.columns["alive"][new].view(bool)
        self.network._move_slots(self.columns["id"][new[alive]], new[alive])
        for projection in self.network.projections.values():
            projection._relocate(self, old, new, before)
        if self.watcher is not None:
            self.watcher.slots_moved(self, old, new)


def _rounded(n: int) -> int:
    return max(_ROUND, -(-n // _ROUND) * _ROUND)
