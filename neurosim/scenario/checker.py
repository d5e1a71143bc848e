"""What checks need: the names, models and sizes of a scenario, and a place for the problems they find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from neurosim.errors import NeurosimError, Problem, unknown
from neurosim.expressions import parse
from neurosim.graph.rule_names import named
from neurosim.models import ConfiguredModel
from neurosim.scenario.graphfile import GraphFile, position_columns, read_graph
from neurosim.scenario.reader import Document, Location
from neurosim.scenario.schema import Spec
from neurosim.scenario.schema_network import Selection
from neurosim.units import quantity

T = TypeVar("T")

NEURONS = ("populations", "groups")  # the sections whose names stand for neurons


class Checker:
    """Collects problems while the parts of a scenario look each other up.

    ``models`` and ``sizes`` hold the populations that could be understood; a name that stands in the file but
    not there had a problem of its own, so nobody complains about it twice. ``rules`` holds the learning rules of
    projections (by full name), bound to their populations, likewise.
    """

    def __init__(self, document: Document, spec: Spec) -> None:
        self.document = document
        self.spec = spec
        self.folder = Path(document.file).parent
        self.problems: list[Problem] = []
        self.models: dict[str, ConfiguredModel] = {}
        self.sizes: dict[str, int] = {}
        self.rules: dict[str, list[Any]] = {}
        self._files: dict[Path, GraphFile | None] = {}

    def add(self, location: Location, message: str) -> None:
        """Note a problem at ``location``."""
        self.problems.append(self.document.problem(location, message))

    def attempt(self, location: Location, action: Callable[..., T], *arguments: Any) -> T | None:
        """Return what ``action(*arguments)`` returns; None, after noting what it raised, if it fails."""
        try:
            return action(*arguments)
        except NeurosimError as error:
            self.add(location, str(error).strip())
            return None

    # -- names ----------------------------------------------------------------------------------------

    def declared(self, *sections: str) -> list[str]:
        """Return the names in these sections of the file, valid or not."""
        found: list[str] = []
        for section in sections:
            entries = self.document.data.get(section)
            found += [str(name) for name in entries] if isinstance(entries, dict) else []
        return found

    def projections(self) -> list[str]:
        """Return the names of all projections, also of those that `to:` lists expand to."""
        expanded = [full for one, p in self.spec.projections.items() for full, _ in p.expand(one)]
        return list(dict.fromkeys([*self.declared("projections"), *expanded]))

    def refer(self, kind: str, name: str, location: Location, sections: Iterable[str]) -> bool:
        """Note a problem unless ``name`` stands in one of ``sections``; a projection may be an expanded one."""
        names = self.declared(*sections)
        names += [name for name in self.projections() if name not in names] if "projections" in sections else []
        if name not in names:
            self.add(location, str(unknown(kind, name, names)))
        return name in names

    def refer_neurons(self, name: str, location: Location) -> bool:
        """Note a problem unless ``name`` is a population or group."""
        return self.refer("population or group", name, location, NEURONS)

    def population_of(self, name: str) -> str:
        """Return the population of a group; ``name`` itself if it is none."""
        return self.spec.groups[name].population if name in self.spec.groups else name

    def model_of(self, name: str) -> ConfiguredModel | None:
        """Return the model of a population or group, if it could be understood."""
        return self.models.get(self.population_of(name))

    # -- units ----------------------------------------------------------------------------------------

    def variables(self, name: str) -> dict[str, str]:
        """Return what every neuron of a population or group has its own value of: state, and parameters that differ."""
        configured = self.model_of(name)
        if configured is None:
            return {}
        differing = {key: configured.model.parameter(key).unit for key in configured.spread}
        return {v.name: v.unit for v in configured.model.state} | differing

    def neuron_values(self, name: str) -> dict[str, str]:
        """Return what every neuron of a population has its own value of, with units, as far as rules can read it."""
        symbols = self.symbols(name)
        symbols.pop("id")
        configured = self.model_of(name)
        drive = configured.model.drive_unit if configured is not None else None
        return symbols if drive is None else {**symbols, "i_stim": drive}

    def symbols(self, name: str) -> dict[str, str]:
        """Return what a condition on the neurons of a population or group can name, with units."""
        symbols = {"id": "", **self.variables(name)}
        known = self.population_of(name) in self.spec.populations
        return symbols | ({"x": "um", "y": "um", "z": "um"} if known and self.placed(name) else {})

    def placed(self, name: str) -> bool:
        """Return whether the neurons of a population or group have positions; True if it could not be understood."""
        population = self.spec.populations.get(self.population_of(name))
        if population is None:
            return True
        file = self._files.get(self.folder / population.file) if population.file else None
        return population.positions is not None or bool(position_columns(None, file))

    def synapse_symbols(self, name: str) -> dict[str, str]:
        """Return what a condition on the synapses of a projection can name; empty if it was not understood."""
        variables = self.synapse_variables(name)
        return {"pre": "", "post": "", **variables} if variables else {}

    def synapse_variables(self, name: str) -> dict[str, str]:
        """Return what each synapse of a projection has, with units; empty if it was not understood."""
        unit = self.weight_unit(name)
        if unit is None:
            return {}
        units = {"weight": unit, "delay": "ms"}
        for one, projection in self.spec.projections.items():
            for full, _ in projection.expand(one):
                if name in (one, full):
                    if len(self.rules.get(full, ())) < len(projection.learning):
                        return {}
                    for one_rule in named(self.rules.get(full, ())):
                        units |= {one_rule.shown[v.name]: v.unit for v in one_rule.rule.variables}
        return units

    def ends(self, name: str) -> list[str]:
        """Return the populations that a projection joins: its source, and its targets."""
        for one, projection in self.spec.projections.items():
            targets = [target for full, target in projection.expand(one) if name in (one, full)]
            if targets:
                return [projection.source, *targets]
        return []

    def weight_unit(self, name: str) -> str | None:
        """Return the unit of a projection's weights, if its target could be understood."""
        for one, projection in self.spec.projections.items():
            for full, target in projection.expand(one):
                configured = self.models.get(target)
                if name in (one, full) and configured is not None and configured.model.receptors:
                    receptors = configured.model.receptors
                    named = projection.receptor if projection.receptor in receptors else None
                    return receptors[named or next(iter(receptors))].unit
        return None

    # -- checks that several sections share -----------------------------------------------------------

    def synapse_variable(self, name: str, variables: Iterable[str], location: Location) -> None:
        """Check that the synapses of a projection have these variables."""
        known = self.synapse_variables(name)
        for index, variable in enumerate(variables if known else ()):
            if variable not in known:
                self.add((*location, index), str(unknown("synapse variable", variable, known, f"of {name}")))

    def graph(self, file: str, location: Location) -> GraphFile | None:
        """Return a graph file, read once; its path is relative to the scenario's folder."""
        path = self.folder / file
        if path not in self._files:
            self._files[path] = self.attempt(location, read_graph, path)
        return self._files[path]

    def condition(
        self, text: str, symbols: Mapping[str, str], location: Location, functions: Mapping[str, Any] | None = None
    ) -> None:
        """Check an expression that must be true or false."""
        self.attempt(location, parse, text, symbols, functions or {}, "bool")

    def rate(self, value: Any, location: Location) -> None:
        """Check a rate: Hz, not negative."""
        rate = self.attempt(location, quantity, value, "Hz", "")
        if rate is not None and rate < 0:
            self.add(location, f"must be 0 or more, found {value}")

    def selection(self, chosen: Selection, population: str, location: Location) -> None:
        """Check which neurons of ``population`` are chosen."""
        size = self.sizes.get(population)
        for way in ("first", "last", "random"):
            count = getattr(chosen, way)
            if count is not None and size is not None and count > size:
                self.add((*location, way), f"asks for {count} neurons, but {population} has {size}")
        if chosen.slice is not None and size is not None and chosen.slice[1] > size:
            reached = f"reaches to {chosen.slice[1]}, but {population} has {size} neurons"
            self.add((*location, "slice"), reached)
        if chosen.where is not None and population in self.models:
            self.condition(chosen.where, self.symbols(population), (*location, "where"))
