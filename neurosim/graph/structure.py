"""A structural rule that belongs to a network: every expression checked, every parameter in its unit.

What it says is worked out between epochs by the engine (`neurosim.engine.structure`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import ExpressionError, InvalidInput, UsageError, unknown
from neurosim.expressions import Expression, parse
from neurosim.expressions.statements import Statement, statements
from neurosim.graph.distributions import Constant
from neurosim.graph.population import Population
from neurosim.graph.projection import Projection
from neurosim.graph.structure_equations import Dynamics, read_dynamics
from neurosim.graph.structure_options import Keeper, check_neurons, check_newborns, check_times, truth
from neurosim.graph.wiring import Wire, read_kernel, read_place, read_wires
from neurosim.models.rule_equations import resolved
from neurosim.models.structural import ConfiguredStructure, StructuralRule, checked
from neurosim.units import quantity

if TYPE_CHECKING:
    from neurosim.graph.network import Network

_OF_NEURONS = {"age": "ms", "in_degree": "", "out_degree": "", "id": ""}
_OF_SYNAPSES = {"age": "ms", "last_use": "ms"}
_TOTALS = {"size": "", "deaths": ""}
_OF_ALL_SYNAPSES = {"n_pre": "", "n_post": "", "bytes_per_synapse": ""}
_ALWAYS = {"time": "ms", "every": "ms"}

# Clauses by what they are worked out for, with their units.
PER_SYNAPSE = {"die": "bool", "chance": "", "rank": None}
PER_PAIR = {"accept": ""}
PER_NEURON = {"most_pre": "", "most_post": "", "offers_pre": "", "offers_post": ""}
IN_TOTAL = {"surplus": "", "births": "", "candidates": ""}


class BoundStructure:
    """One structural rule of a network.

    Attributes
    ----------
    name : unique among the network's rules; ``number`` counts them in the order in which they were added.
    projections, population : what it acts on; ``population`` is None for a rule about synapses.
    every, start, until : when (ms); ``until`` is infinite where it is not said.
    constants : parameters, by population and name.
    dynamics : what is kept of neurons, by population.
    expressions : by clause and population or projection ("" for all together).
    updates : statements for the neurons.
    active : whether it acts; a rule that is stopped still follows the neurons, and changes nothing.
    keeper : who works out what it keeps of neurons while a simulation runs.
    """

    active = True
    keeper: Keeper | None = None

    def __init__(self, network: Network, configured: ConfiguredStructure, name: str, number: int) -> None:
        self.network = network
        self.configured = configured
        self.rule: StructuralRule = configured.rule
        self.options: Mapping[str, Any] = configured.options
        self.name, self.number = name, number
        self.every = configured.every
        self.start = self._time("start", 0.0)
        self.until = self._time("until", float("inf"))
        self.population: Population | None = None
        self.projections: tuple[Projection, ...] = ()
        self._find(configured.where)
        self.constants = {p.name: self._constants(configured.parameters, p) for p in self.populations}
        self.units = {p.name: self._unit(p.unit) for p in self.rule.parameters}
        self.dynamics = {p.name: self._dynamics(p) for p in self.populations}
        self.expressions: dict[tuple[str, str], Expression] = {}
        self.updates: tuple[Statement, ...] = ()
        self._parse()
        self.lasting = self._lasting()
        owner = f"structural rule '{name}'"
        births = self.rule.of_neurons and "births" in self.rule.clauses
        self.place = read_place(self.population, self.options.get("place"), owner) if births else None
        self.kernel = read_kernel(self.projections, self.options.get("distance"), owner)
        self.autapses = truth(self.options, "autapses", self.rule.autapses, owner)
        self.multapses = truth(self.options, "multapses", self.rule.multapses, owner)
        self.wires = self._wires()
        check_times(self, network.dt, owner)
        check_newborns(self.projections, self.options, self.weight_unit, owner)
        check_neurons(self.population if births else None, self.options.get("initial"), owner)

    # -- what it keeps --------------------------------------------------------------------------------------------

    def column(self, name: str) -> str:
        """What a column of the rule's own is called among those of neurons or synapses."""
        return f"_rule{self.number}_{name}"

    def settle_in(self) -> None:
        """Make room for what the rule keeps of neurons and synapses."""
        for population in self.populations:
            columns, dynamics = population.columns, self.dynamics[population.name]
            for name in dynamics.variables:
                newborn, living = self._initial(name, population)
                columns[self.column(name)] = living
                population.defaults[self.column(name)] = newborn
            if dynamics:
                columns[self.column("seen")] = np.full(population.n_slots, self.network.step)
        self.spread_parameters()
        if self.population is not None and self.lasting:
            self.population.columns[self.column("held")] = np.zeros(self.population.n_slots, np.int64)
        for projection in self.projections:
            read = {n for (_, of), e in self.expressions.items() if of == projection.name for n in e.names}
            if read & {"age", "last_use"}:
                projection.values.keep("_born", np.uint32, self._this_step)
            if self.lasting:
                projection.values.keep(self.column("held"), np.uint32, int)

    def spread_parameters(self) -> None:
        """Give each neuron its own value of the parameters that the rule sets, where they have one for all."""
        for target in dict.fromkeys(statement.target for statement in self.updates if not statement.local):
            if self.population is not None and target in self.population.parameters:
                self.population.set_parameter(target, Constant(self.population.parameters[target]))

    def _initial(self, name: str, population: Population) -> tuple[float, NDArray[np.float64]]:
        """What a variable begins with: in a newborn, and in every slot as it is now."""
        expression = self.expressions.get((f"initial {name}", population.name))
        if expression is None:
            return 0.0, np.zeros(population.n_slots)
        values: dict[str, Any] = {**self.constants[population.name], "in_degree": 0.0, "out_degree": 0.0}
        newborn = float(expression.evaluate({name: values[name] for name in expression.names}))
        values["in_degree"], values["out_degree"] = np.zeros(population.n_slots), np.zeros(population.n_slots)
        for projection in self.projections:
            if projection.target is population:
                values["in_degree"] += projection.store.in_degree(population.n_slots)
            if projection.source is population:
                values["out_degree"] += projection.store.ends[:, -1]
        living = expression.evaluate({name: values[name] for name in expression.names})
        return newborn, np.array(np.broadcast_to(np.asarray(living, np.float64), population.n_slots))

    def _this_step(self) -> int:
        """The present step as synapses keep it, modulo 2^32: ages are right up to that many steps."""
        return self.network.step & 0xFFFFFFFF

    def move_out(self) -> None:
        """Give that room back."""
        self.keeper = None
        for population in self.populations:
            for name in [name for name in population.columns if name.startswith(self.column(""))]:
                del population.columns[name]
                population.defaults.pop(name, None)
        for projection in self.projections:
            projection.values.forget(self.column("held"))

    # -- while it acts --------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Change nothing from now on."""
        self.active = False

    def resume(self) -> None:
        """Act again, at the times at which it would have acted."""
        self.active = True

    def set(self, parameter: str, value: Any) -> None:
        """Change a parameter from now on: a quantity, or a mapping of one for each population.

        What the rule keeps of neurons goes on from where it is. Raises what `Network.add_rule` raises, and changes
        nothing then.
        """
        new = checked(self.rule.parameter(parameter), {parameter: value}, self.name)
        given = {**self.configured.parameters, parameter: new}
        changed = BoundStructure(self.network, replace(self.configured, parameters=given), self.name, self.number)
        if bool(changed.lasting) != bool(self.lasting):
            raise UsageError(f"{self.name}.{parameter} cannot become, or cease to be, 0 ms.")
        if self.keeper is not None:
            self.keeper.settle()
        for kept in ("configured", "constants", "dynamics", "expressions", "updates", "lasting"):
            setattr(self, kept, getattr(changed, kept))
        if self.keeper is not None:
            self.keeper.renew()

    # -- where ------------------------------------------------------------------------------------------------

    def _find(self, where: Iterable[Any]) -> None:
        """Look up what the rule acts on."""
        found = [self._named(one) for one in where]
        if self.rule.of_neurons:
            if len(found) != 1 or not isinstance(found[0], Population):
                raise InvalidInput(f"structural rule '{self.name}' is about neurons: give it one population.")
            self.population = found[0]
            return
        projections = [one for one in found if isinstance(one, Projection)]
        if not found or len(projections) < len(found):
            raise InvalidInput(f"structural rule '{self.name}' is about synapses: give it one or several projections.")
        units = {projection.weight_unit for projection in projections}
        if len(units) > 1:
            listed = ", ".join(sorted(units))
            raise InvalidInput(f"structural rule '{self.name}': the weights of its projections are in {listed}.")
        self.projections = tuple(dict.fromkeys(projections))
        ends = {(projection.source, projection.target) for projection in self.projections}
        if len(ends) < len(self.projections) and {"births", "candidates", "offers_pre"} & set(self.rule.clauses):
            raise InvalidInput(
                f"structural rule '{self.name}': two of its projections join the same populations, so it cannot know "
                "in which of them a synapse is to be born; give each a rule of its own."
            )

    def _named(self, one: Any) -> Population | Projection:
        network = self.network
        if isinstance(one, Population | Projection):
            if one.network is not network:
                raise UsageError(f"'{one.name}' belongs to another network.")
            return one
        named: dict[str, Population | Projection] = {**network.populations, **network.projections}
        if one not in named:
            known = network.populations if self.rule.of_neurons else network.projections
            raise unknown("population" if self.rule.of_neurons else "projection", str(one), known)
        return named[one]

    @cached_property
    def sources(self) -> list[Population]:
        """Presynaptic populations, each once, in the order of the projections."""
        return list(dict.fromkeys(projection.source for projection in self.projections))

    @cached_property
    def targets(self) -> list[Population]:
        """Postsynaptic populations, likewise."""
        return list(dict.fromkeys(projection.target for projection in self.projections))

    @cached_property
    def populations(self) -> list[Population]:
        """Every population whose neurons the rule looks at."""
        if self.population is not None:
            return [self.population]
        return list(dict.fromkeys([*self.sources, *self.targets]))

    @property
    def weight_unit(self) -> str:
        """Of its projections; "" for a rule about neurons."""
        return self.projections[0].weight_unit if self.projections else ""

    # -- parameters ---------------------------------------------------------------------------------------------

    def _time(self, key: str, default: float) -> float:
        value = self.options.get(key)
        return default if value is None else quantity(value, "ms", f"{self.name}.{key}")

    def _unit(self, written: str) -> str:
        if "weight" in written and not self.projections:
            raise InvalidInput(f"structural rule '{self.name}' is about neurons and knows no unit '{written}'.")
        return resolved(written, self.weight_unit) if written else ""

    def _constants(self, given: Mapping[str, Any], population: Population) -> dict[str, float]:
        constants = {}
        for parameter in self.rule.parameters:
            value = given[parameter.name]
            if isinstance(value, Mapping):
                names = [p.name for p in self.populations]
                for name in value:
                    if name not in names:
                        raise unknown("population", str(name), names, f"of structural rule '{self.name}'")
                value = value.get(population.name, parameter.default)
            unit, what = self._unit(parameter.unit), f"{self.name}.{parameter.name}"
            is_default = isinstance(value, float) and value == parameter.default  # which may be infinite
            constants[parameter.name] = value if is_default else quantity(value, unit, what)
        return constants

    def shared(self, names: Iterable[str]) -> dict[str, float]:
        """Parameters that are read for all together: they must be the same in every population."""
        values: dict[str, float] = {}
        for name in names:
            several = {self.constants[p.name][name] for p in self.populations}
            if len(several) > 1:
                raise InvalidInput(f"structural rule '{self.name}': {name} must be the same for all populations.")
            values[name] = several.pop()
        return values

    def _lasting(self) -> float:
        """How long ``die`` must have held (ms)."""
        text = self.rule.lasting.strip()
        if not text:
            return 0.0
        expression = self._read("lasting", text, {**self.units, **_ALWAYS}, "ms")
        values = {**self.shared(expression.names & set(self.units)), "every": self.every, "time": 0.0}
        return float(expression.evaluate({name: values[name] for name in expression.names}))

    def _dynamics(self, population: Population) -> Dynamics:
        """What is kept of a population's neurons: what is said of one side only is kept on that side only."""
        read = read_dynamics(self.rule.lines, self.units, self.constants[population.name])
        sides = {"": True, "pre": population in self.sources, "post": population in self.targets}
        return replace(read, integrals=tuple(item for item in read.integrals if sides[item.side]))

    def _wires(self) -> tuple[Wire, ...]:
        """How newborn neurons are wired."""
        if self.population is None:
            return ()
        return read_wires(self.network, self.population, self.options.get("wire"), f"structural rule '{self.name}'")

    # -- expressions ----------------------------------------------------------------------------------------------

    def neuron_symbols(self, population: Population) -> dict[str, str]:
        """Units of what can be read of a neuron."""
        model = {p.name: p.unit for p in population.model.parameters if p.name in population.parameters}
        return {**model, **population.variables, **_OF_NEURONS, **self.dynamics[population.name].variables}

    def pair_symbols(self, projection: Projection) -> dict[str, str]:
        """Units of what can be read of a pair of neurons."""
        sides = (("pre", projection.source), ("post", projection.target))
        symbols = {
            f"{name}_{side}": unit
            for side, population in sides
            for name, unit in self.neuron_symbols(population).items()
        }
        placed = all("x" in population.columns for _, population in sides)
        return {**symbols, **({"distance": "um"} if placed else {})}

    def _parse(self) -> None:
        for population in self.populations:
            for name, text in self.rule.initial.items():
                if name in self.dynamics[population.name].variables:
                    unit = self.dynamics[population.name].variables[name]
                    symbols = {"in_degree": "", "out_degree": "", **self.units}
                    read = self._read(f"initial {name}", str(text), symbols, unit)
                    self.expressions[f"initial {name}", population.name] = read
        for clause in self.rule.clauses:
            text = getattr(self.rule, clause)
            if clause == "update":
                self._parse_update(text)
            elif clause in IN_TOTAL:
                self._parse_total(clause, text)
            elif self.population is not None and clause in PER_SYNAPSE:
                symbols = {**self.neuron_symbols(self.population), "size": "", **_ALWAYS, **self.units}
                self.expressions[clause, self.population.name] = self._read(clause, text, symbols, PER_SYNAPSE[clause])
            elif clause in PER_NEURON:
                for population in self.sources if clause.endswith("_pre") else self.targets:
                    symbols = {**self.neuron_symbols(population), **_ALWAYS, **self.units}
                    self.expressions[clause, population.name] = self._read(clause, text, symbols, "")
            elif clause in PER_PAIR or clause in PER_SYNAPSE:
                self._parse_each(clause, text)

    def _parse_total(self, clause: str, text: str) -> None:
        symbols = {**_TOTALS, **_ALWAYS, **self.units}
        if self.population is None:
            symbols |= _OF_ALL_SYNAPSES
        else:
            symbols |= {f"mean_{name}": unit for name, unit in self.neuron_symbols(self.population).items()}
        expression = self.expressions[clause, ""] = self._read(clause, text, symbols, "")
        self.shared(expression.names & set(self.units))

    def _parse_each(self, clause: str, text: str) -> None:
        for projection in self.projections:
            symbols = {**self.pair_symbols(projection), "size": "", **_ALWAYS, **self.units}
            if clause in PER_SYNAPSE:
                symbols |= {**projection.variables, **_OF_SYNAPSES}
            unit = PER_PAIR[clause] if clause in PER_PAIR else PER_SYNAPSE[clause]
            expression = self._read(clause, text, symbols, unit)
            self.shared(expression.names & set(self.units))
            self.expressions[clause, projection.name] = expression

    def _parse_update(self, text: str) -> None:
        assert self.population is not None
        known = self.neuron_symbols(self.population)
        settable = [*self.population.variables, *self.population.parameters]
        symbols = {**known, **_ALWAYS, **self.units}
        try:
            self.updates = statements(text, symbols, settable)
        except ExpressionError as error:
            raise self._located("update", error) from None

    def _read(self, clause: str, text: str, symbols: Mapping[str, str], unit: str | None) -> Expression:
        try:
            return parse(text, symbols, unit=unit)
        except ExpressionError as error:
            raise self._located(clause, error) from None

    def _located(self, clause: str, error: ExpressionError) -> ExpressionError:
        message = f"structural rule '{self.name}', {clause}: {error.message}"
        return ExpressionError(message, error.text, error.position)

    def __repr__(self) -> str:
        where = self.population.name if self.population else ", ".join(p.name for p in self.projections)
        return f"<structural rule '{self.name}' of {where}, every {self.every:g} ms>"
