"""What the structural rules of a scenario must mean together with the rest of it. Nothing is built for it.

A rule is tried on a shadow of the network: one neuron of each population's model, no synapses. So every mistake is told
by whoever would tell it while building, in the same words. Each thing that is said of a rule is tried alone, then all
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from neurosim.errors import NeurosimError, unknown
from neurosim.graph.network import Network
from neurosim.graph.placement import placement, written
from neurosim.graph.structure import BoundStructure
from neurosim.graph.structure_reading import bound_structure
from neurosim.models import ConfiguredModel
from neurosim.models.structural import ALIASES, CLAUSES, FOR_NEURONS, FOR_SYNAPSES, OF_NEURONS, OF_SYNAPSES
from neurosim.models.structure import structural_rules
from neurosim.scenario.checker import Checker
from neurosim.scenario.fields import NAME, show
from neurosim.scenario.in_place import read_all
from neurosim.scenario.reader import Location
from neurosim.scenario.structure import CODE, WRITTEN_CLAUSES, Entry, acted_on, expanded, idle, names, read
from neurosim.units import format_quantity, quantity

_SAID_LATER = (*WRITTEN_CLAUSES, *CODE)  # of rules that are written in place: read together


def check(checker: Checker) -> None:
    """Check every rule against the rest of the scenario."""
    if not checker.spec.structure:
        return
    shadow = _shadow(checker)
    taken: dict[str, int] = {}
    for index, value in checker.spec.structure.items():
        entry = checker.attempt(("structure", index), read, value)
        if entry is None:
            continue
        _Trial(entry, index, shadow, checker).check()
        name = entry.given.get("name")
        if isinstance(name, str) and name in taken:
            checker.add((*entry.location(index), "name"), f"the name '{name}' is taken by structure.{taken[name]}")
        taken.setdefault(str(name), index)


def refer(name: str, location: Location, checker: Checker) -> bool:
    """Note a problem unless ``name`` is that of a rule, or may be that of one that could not be read."""
    known = names(checker.spec.structure)
    if name not in known and len(known) == len(checker.spec.structure):
        checker.add(location, str(unknown("structural rule", name, known)))
    return name in known


def check_set(name: str, parameter: str, value: Any, location: Location, checker: Checker) -> None:
    """Check that the protocol can set a parameter of a rule."""
    if not refer(name, location, checker):
        return
    known = names(checker.spec.structure)
    entry = read(checker.spec.structure[known[name]])
    parameters = structural_rules()[entry.kind].parameters if entry.kind else ()
    settable = [p.name for p in parameters] or list(entry.given.get("parameters") or ())
    if parameter not in settable:
        checker.add(location, str(unknown("parameter", parameter, settable, f"of structural rule '{name}'")))
        return
    _Trial(entry, known[name], _shadow(checker), checker).alone(parameter, value, location)


class _Trial:
    """One rule, tried on the shadow of the network."""

    def __init__(self, entry: Entry, index: int, shadow: Network, checker: Checker) -> None:
        self.entry, self.checker, self.shadow = entry, checker, shadow
        self.location = entry.location(index)
        self.on: list[str] | None = None  # None where what it acts on could not be understood
        self._without = ""  # what is wrong while nothing is said but where it acts

    def check(self) -> None:
        """Note all that is wrong with the rule."""
        checker, given = self.checker, self.entry.given
        before = len(checker.problems)
        self.on = self._find()
        if self.on is None:
            return
        if "every" not in given:
            checker.add(self.location, "`every` is missing: how often it acts")
        self._check_times()
        try:
            self._bound({"every": "1 s"})
        except NeurosimError as error:
            self._without = str(error)
        right = {key: value for key, value in given.items() if self._known(key) and self._fits(key, value)}
        right.setdefault("every", "1 s")
        if self.entry.kind:
            checker.attempt(self.location, self._bound, right)
            return
        code = {key: value for key, value in right.items() if key in _SAID_LATER}
        others = {key: value for key, value in right.items() if key not in code}
        if idle(code) and len(checker.problems) == before:
            checker.add(self.location, f"does nothing: give it one of {', '.join(self._clauses)}")
            return
        read_all(lambda tried: self._bound({**others, **tried}), code, self.location, checker)

    def alone(self, key: str, value: Any, location: Location) -> None:
        """Try one thing that is said of the rule, where it stands in the file."""
        if self.on is None:
            self.on = list(self.entry.on) if self.entry.of_neurons else self._projections()
        if self.entry.kind:
            self.checker.attempt(location, self._bound, {"every": "1 s", key: value})
        else:
            parameters = {**(self.entry.given.get("parameters") or {}), key: value}
            self.checker.attempt(location, self._bound, {**self.entry.given, "parameters": parameters})

    # -- what it acts on ----------------------------------------------------------------------------------

    def _find(self) -> list[str] | None:
        """Look up what the rule acts on."""
        entry, checker = self.entry, self.checker
        kind, wanted = ("neurons", "population") if entry.of_neurons else ("synapses", "projection")
        if not entry.place and not entry.kind:
            checker.add(self.location, "needs what it acts on: `projection: NAME` or `population: NAME`")
            return None
        if not entry.place.startswith(wanted) or not entry.on:
            found = f", found `{entry.place}`" if entry.place and not entry.place.startswith(wanted) else ""
            checker.add(self.location, f"{entry.kind or 'this'} is about {kind}: it needs `{wanted}: NAME`{found}")
            return None
        where = (*self.location, entry.place)
        unfound = [name for name in entry.on if not checker.refer(wanted, name, where, [f"{wanted}s"])]
        if unfound:
            return None
        if entry.of_neurons and len(entry.on) > 1:
            checker.add(where, "it acts on one population; write the rule once for each")
            return None
        names, known = (
            (list(entry.on), self.shadow.populations)
            if entry.of_neurons
            else (self._projections(), self.shadow.projections)
        )
        if any(name not in known for name in names):  # could not be understood itself, which has been told
            return None
        units = {self.shadow.projections[name].weight_unit for name in names if not entry.of_neurons}
        if len(units) > 1:
            checker.add(where, f"the weights of its projections are in different units: {', '.join(sorted(units))}")
            return None
        return names

    def _projections(self) -> list[str]:
        return expanded(self.entry, self.checker.spec)

    # -- what is said of it -------------------------------------------------------------------------------

    @property
    def _clauses(self) -> tuple[str, ...]:
        return OF_NEURONS if self.entry.of_neurons else OF_SYNAPSES

    def _known(self, key: str) -> bool:
        """Note a key that a rule of this kind does not have."""
        options = FOR_NEURONS if self.entry.of_neurons else FOR_SYNAPSES
        if self.entry.kind:
            rule = structural_rules()[self.entry.kind]
            known = [parameter.name for parameter in rule.parameters] + list(options)
        else:
            known = [*self._clauses, *CODE, *options]
        if key in known or ALIASES.get(key) in known:
            return True
        where = (*self.location, key)
        if key in CLAUSES and not self.entry.kind:
            about = ("neurons", "synapses") if self.entry.of_neurons else ("synapses", "neurons")
            self.checker.add(where, f"is said of {about[1]}; this rule is about {about[0]}")
            return False
        others = [theirs for theirs, ours in ALIASES.items() if ours in known]
        known = [name for name in known if name not in ALIASES.values()] + others
        self.checker.add(where, str(unknown("key", key, known, f"of {self.entry.kind or 'a structural rule'}")))
        return False

    def _fits(self, key: str, value: Any) -> bool:
        """Try what is said under one key alone; code that is written in place is read later, and all together."""
        where, wrong = (*self.location, key), len(self.checker.problems)
        if key == "name" and not (isinstance(value, str) and NAME.match(value)):
            self.checker.add(where, f"a name is made of letters, digits and _, and begins with no digit; {show(value)}")
        elif key in ("autapses", "multapses") and not isinstance(value, bool):
            self.checker.add(where, f"must be true or false, found {show(value)}")
        elif self.entry.kind or key not in _SAID_LATER:
            try:
                self._bound({"every": "1 s", key: value})
            except NeurosimError as error:
                if str(error) != self._without:
                    self.checker.add(where, str(error).strip())
        return len(self.checker.problems) == wrong

    def _check_times(self) -> None:
        """Check what periods and times must be to each other and to the time step."""
        times: dict[str, float] = {}
        for key in ("every", "from", "until"):
            try:
                times[key] = quantity(self.entry.given[key], "ms", "")
            except (KeyError, NeurosimError):  # told by whoever reads it
                continue
            if times[key] < 0.0 and key != "every":
                self.checker.add((*self.location, key), f"must be 0 or more, found {self.entry.given[key]}")
        step = self.checker.spec.header.dt
        if 0.0 < times.get("every", step) < 0.5 * step:
            message = f"is less than a time step ({format_quantity(step, 'ms')})"
            self.checker.add((*self.location, "every"), message)
        if times.get("until", float("inf")) <= times.get("from", 0.0):
            self.checker.add((*self.location, "until"), "must be later than `from`")

    def _bound(self, given: Mapping[str, Any]) -> BoundStructure:
        return bound_structure(self.shadow, self.entry.spec(given), acted_on(self.entry, self.on or (), self.shadow))


# -- the shadow -------------------------------------------------------------------------------------------


def _shadow(checker: Checker) -> Network:
    """A network with one neuron of each population that was understood, and with empty projections."""
    spec = checker.spec
    network = Network(dt=spec.header.dt)
    for name, population in spec.populations.items():
        if name in checker.models:
            placed = {"x", "y", "z"} <= checker.symbols(name).keys()
            positions = _positions(population.positions) if placed else None
            network.add_population(name, 1, _of_one(checker.models[name]), positions=positions)
    for name, projection in spec.projections.items():
        for full, target in projection.expand(name):
            if projection.source in network.populations and target in network.populations:
                try:
                    network.connect(
                        projection.source, target, "none", name=full, weight=_first(projection.weight),
                        delay=_first(projection.delay), receptor=projection.receptor, learning=projection.learning,
                        bounds=dict(projection.bounds.items()), precision=projection.precision,
                        rounding=projection.rounding,
                    )  # fmt: skip
                except NeurosimError:  # told where the projection is checked
                    continue
    return network


def _positions(given: Any) -> Any:
    """Where one neuron lies: by the population's own placement, if it has one."""
    try:
        if written(given) and placement(given).open:
            placement(given).check(1)
            return given
    except NeurosimError:
        pass
    return [[0.0, 0.0, 0.0]]


def _of_one(configured: ConfiguredModel) -> ConfiguredModel:
    """The model with values for one neuron."""
    spread = {name: value[:1] if isinstance(value, list) else value for name, value in configured.spread.items()}
    return replace(configured, times=configured.times[:1], spread=spread)


def _first(value: Any) -> Any:
    """The first of values that are listed; 1 where they stand in a graph file."""
    return value[0] if isinstance(value, list) else 1.0 if value is None else value
