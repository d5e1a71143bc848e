"""What happens during a run: ``at``, ``every`` and ``when``; ``set``, ``stimulate``, ``lesion`` and so on.

Entries due at one time act in the order of the file, after the recorders have sampled that time. ``every`` alone
acts first after one period; with ``from`` it acts at that time and then every period, before ``until``. ``when`` is
looked at every millisecond (or every ``every``) and acts each time its condition *becomes* true: once, and again
only after it has been false in between. With ``after`` all of it is done that much later, a time that may be drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim import rng
from neurosim.engine.schedule import Order
from neurosim.engine.simulation import Simulation
from neurosim.errors import unknown
from neurosim.expressions import Function, parse
from neurosim.graph.distributions import distribution
from neurosim.graph.groups import Group
from neurosim.scenario import structure_checks
from neurosim.scenario.checker import NEURONS, Checker
from neurosim.scenario.checks import check_delay, check_parameter
from neurosim.scenario.reader import Location
from neurosim.scenario.schema import Action, Entry, Lesion, Spec, Stimulate
from neurosim.units import quantity

if TYPE_CHECKING:
    from neurosim.graph.network import Network
    from neurosim.graph.population import Population
    from neurosim.graph.projection import Projection

CHECK_EVERY = 1.0  # ms, of `when`
SETTABLE = (
    "inputs.NAME.(rate|amplitude), populations.NAME.(VARIABLE|PARAMETER), "
    "projections.NAME.(weight|delay|VARIABLE), structure.NAME.PARAMETER"
)


@dataclass(frozen=True)
class Cast:
    """The built things that a scenario's names stand for.

    ``projections`` maps the name in the file to all projections that its ``to:`` list expanded to.
    """

    network: Network
    projections: Mapping[str, Sequence[Projection]]

    def neurons(self, name: str) -> Population | Group:
        """Return the group or population of that name."""
        return self.network.groups.get(name) or self.network.populations[name]

    @property
    def names(self) -> list[str]:
        """Every name that `synapses` knows."""
        return [*self.projections, *self.network.projections]

    def synapses(self, name: str) -> Sequence[Projection]:
        """Return the projections of that name: all of an expanded one, or one of them by its full name."""
        return self.projections.get(name) or [self.network.projections[name]]


# -- while it runs ----------------------------------------------------------------------------------------


def install(spec: Spec, simulation: Simulation, cast: Cast) -> None:
    """Register modulators, and the entries of the protocol in order, with a simulation."""
    for name, modulator in spec.modulators.items():
        amount = quantity(modulator.amount, "", name)
        simulation.modulate_by(cast.neurons(modulator.source), name, amount, every=modulator.every)
    protocol = spec.protocol.values()
    for number, entry in enumerate(protocol):
        act = _later(entry, number, performer(entry.actions, cast), cast.network.seed)
        if entry.at is not None:
            simulation.at(entry.at, act, order=Order.PROTOCOL)
            continue
        if entry.when is not None:
            condition = _condition(entry.when, simulation, cast)
            simulation.when(
                condition,
                act,
                every=entry.every or CHECK_EVERY,
                start=entry.start,
                until=entry.until,
                order=Order.PROTOCOL,
            )
        else:
            if entry.start is not None:  # `from` is the first time; `every` alone begins after one period
                simulation.at(entry.start, act, order=Order.PROTOCOL)
            simulation.every(entry.every, act, start=entry.start, until=entry.until, order=Order.PROTOCOL)


def _later(
    entry: Entry, number: int, act: Callable[[Simulation], None], seed: int
) -> Callable[[Simulation], None]:
    """What an entry does, after its delay; drawn delays are keyed by the entry's place and how often it has acted."""
    if entry.after is None:
        return act
    delay = distribution(entry.after, "ms", "after")
    purpose = rng.purpose("protocol", str(number), "after")
    acted = count()

    def wait(simulation: Simulation) -> None:
        drawn = float(delay.sample(rng.generator(seed, purpose, next(acted)), 1, "ms")[0])
        simulation.at(simulation.time + max(drawn, 0.0), act, order=Order.PROTOCOL)

    return wait


def _condition(text: str, simulation: Simulation, cast: Cast) -> Callable[[Simulation], bool]:
    neurons = {**cast.network.populations, **cast.network.groups}
    expression = parse(text, {"time": "ms"}, _functions(neurons, cast.names, cast, simulation), unit="bool")

    def holds(simulation: Simulation) -> bool:
        return bool(expression.evaluate({"time": simulation.time}))

    holds(simulation)  # rates are counted from the first time they are asked for
    return holds


def _functions(
    neurons: Iterable[str], synapses: Iterable[str], cast: Cast | None = None, simulation: Simulation | None = None
) -> dict[str, Function]:
    """Return what conditions can ask for, and of which names; without a simulation they can only be parsed."""

    def rate_of(name: str, window: float) -> float:
        assert cast is not None
        assert simulation is not None
        return simulation.rate(cast.neurons(name), window)

    def neurons_of(name: str) -> float:
        assert cast is not None
        return float(cast.neurons(name).size)

    def synapses_of(name: str) -> float:
        assert cast is not None
        return float(sum(projection.size for projection in cast.synapses(name)))

    def follows(later: str, window: float, earlier: str) -> bool:
        assert cast is not None
        assert simulation is not None
        return simulation.followed(cast.neurons(later), window, cast.neurons(earlier))

    return {
        "within": Function(("name", "ms", "name"), "bool", follows, names=tuple(neurons)),
        "rate": Function(("name", "ms"), "Hz", rate_of, names=tuple(neurons)),
        "neurons": Function(("name",), "", neurons_of, names=tuple(neurons)),
        "synapses": Function(("name",), "", synapses_of, names=tuple(synapses)),
    }


def performer(actions: Sequence[Action], cast: Cast) -> Callable[[Simulation], None]:
    """What carries actions out, between epochs."""

    def act(simulation: Simulation) -> None:
        for action in actions:
            for path, value in (action.set or {}).items():
                _set(path, value, action.on, cast)
            if action.stimulate is not None:
                stimulate = action.stimulate
                simulation.stimulate(cast.neurons(stimulate.target), stimulate.current, stimulate.duration)
            if action.lesion is not None:
                _lesion(action.lesion, cast)
            for signal, amount in (action.modulate or {}).items():
                simulation.modulate(signal, quantity(amount, "", signal))
            for name in action.stop or ():
                cast.network.rules[name].stop()
            for name in action.resume or ():
                cast.network.rules[name].resume()
            if action.caption is not None:
                simulation.caption(" ".join(action.caption.split()))

    return act


def _set(path: str, value: Any, on: Sequence[str] | None, cast: Cast) -> None:
    section, name, key = path.split(".")
    if section == "structure":
        cast.network.rules[name].set(key, value)
        return
    if section == "projections":
        for projection in cast.synapses(name):
            getattr(projection, key).set(value)
        return
    places: list[Any] = [None] if on is None else [cast.neurons(target) for target in on]
    for place in places:
        if section == "inputs":
            cast.network.inputs[name].set(key, value, on=place)
        else:
            population = cast.network.populations[name]
            if key in population.variables:
                getattr(population, key)[population.ids if place is None else place.ids] = value
            else:
                population.set_parameter(key, value)


def _lesion(lesion: Lesion, cast: Cast) -> None:
    if lesion.projection is not None:
        for projection in cast.synapses(lesion.projection):
            projection.remove(projection.where(lesion.where) if lesion.where else projection.ids)
        return
    chosen = cast.neurons(lesion.population or lesion.group or "")
    population = chosen.population if isinstance(chosen, Group) else chosen
    ids = chosen.ids
    if lesion.where:
        ids = np.intersect1d(ids, population.where(lesion.where))
    population.remove(ids)


# -- before it runs ---------------------------------------------------------------------------------------


def check(checker: Checker) -> None:
    """Check every entry of the protocol, and every modulator, against the rest of the scenario."""
    for name, modulator in checker.spec.modulators.items():
        checker.refer_neurons(modulator.source, ("modulators", name, "from"))
        _check_signal(name, modulator.amount, ("modulators", name), checker)
    for index, entry in checker.spec.protocol.items():
        location: Location = ("protocol", index)
        if entry.when is not None:
            functions = _functions(checker.declared(*NEURONS), checker.projections())
            checker.condition(entry.when, {"time": "ms"}, (*location, "when"), functions)
        if entry.after is not None:
            checker.attempt((*location, "after"), distribution, entry.after, "ms", "after")
        _check_action(entry, location, checker)
        for number, action in enumerate(entry.do):
            _check_action(action, (*location, "do", number), checker)


def _check_action(action: Action, location: Location, checker: Checker) -> None:
    on = [name for name in action.on or [] if checker.refer_neurons(name, (*location, "on"))]
    for path, value in (action.set or {}).items():
        _check_set(path, value, on, (*location, "set", path), checker)
    if action.stimulate is not None:
        _check_stimulate(action.stimulate, (*location, "stimulate"), checker)
    if action.lesion is not None:
        _check_lesion(action.lesion, (*location, "lesion"), checker)
    for signal, amount in (action.modulate or {}).items():
        _check_signal(signal, amount, (*location, "modulate", signal), checker)
    for way in ("stop", "resume"):
        for name in getattr(action, way) or ():
            structure_checks.refer(name, (*location, way), checker)


def _check_signal(signal: str, amount: Any, place: Location, checker: Checker) -> None:
    heard = {rule.modulator for rules in checker.rules.values() for rule in rules if rule.modulator}
    if signal not in heard:
        checker.add(place, str(unknown("modulator", signal, heard, "that a learning rule listens to")))
    checker.attempt(place, quantity, amount, "", "")


def _check_set(path: str, value: Any, on: Sequence[str], location: Location, checker: Checker) -> None:
    parts = path.split(".")
    kinds = {"inputs": _set_input, "populations": _set_population, "projections": _set_projection}
    if len(parts) == 3 and parts[0] == "structure":
        structure_checks.check_set(parts[1], parts[2], value, location, checker)
        if on:
            checker.add(location, "`on` names neurons; a rule is set as a whole, or {population: value, …}")
    elif len(parts) != 3 or parts[0] not in kinds:
        checker.add(location, f"cannot be set during a run. What can: {SETTABLE}")
    elif checker.refer(parts[0][:-1], parts[1], location, [parts[0]]):
        kinds[parts[0]](parts[1], parts[2], value, on, location, checker)


def _set_input(name: str, key: str, value: Any, on: Sequence[str], location: Location, checker: Checker) -> None:
    drive = checker.spec.inputs.get(name)
    if drive is None:
        return
    parameter = {"poisson": "rate", "current": "amplitude"}[drive.kind]
    if key != parameter:
        checker.add(location, str(unknown("parameter", key, [parameter], f"of input '{name}' that can be set")))
        return
    driven = {checker.population_of(target) for target in drive.to}
    for target in on:
        if checker.population_of(target) not in driven:
            message = f"input '{name}' does not drive '{target}' (it goes to {', '.join(drive.to)})"
            checker.add(location, message)
    if drive.kind == "poisson":
        checker.rate(value, location)
        return
    models = [checker.model_of(target) for target in drive.to]
    units = {configured.model.drive_unit for configured in models if configured is not None}
    for unit in units - {None}:
        checker.attempt(location, quantity, value, unit, "")


def _set_population(name: str, key: str, value: Any, on: Sequence[str], location: Location, checker: Checker) -> None:
    configured = checker.models.get(name)
    if configured is None:
        return
    variables = checker.variables(name)
    if key in variables:
        checker.attempt(location, distribution, value, variables[key], key)
    elif key in configured.parameters:
        checker.attempt(location, check_parameter, configured.model.parameter(key), value, configured.name)
        if on:
            checker.add(location, f"`on` is for what differs between neurons; '{key}' of {name} is one value for all")
    else:
        known = [*variables, *configured.parameters]
        checker.add(location, str(unknown("variable or parameter", key, known, f"of {configured.name}")))
    for target in on:
        if checker.population_of(target) != name:
            checker.add(location, f"'{target}' is not a group of {name}")


def _set_projection(name: str, key: str, value: Any, on: Sequence[str], location: Location, checker: Checker) -> None:
    if on:
        checker.add(location, "`on` names neurons; all synapses of a projection are set together")
    known = checker.synapse_variables(name)
    if key == "delay":
        check_delay(value, checker.ends(name), location, checker)
    elif key in known:
        checker.attempt(location, distribution, value, known[key], key)
    elif known:
        checker.add(location, str(unknown("synapse variable", key, known, f"of {name}")))


def _check_stimulate(stimulate: Stimulate, location: Location, checker: Checker) -> None:
    key = "group" if stimulate.group is not None else "population"
    if not checker.refer(key, stimulate.target, (*location, key), [f"{key}s"]):
        return
    configured = checker.model_of(stimulate.target)
    if configured is None:
        return
    unit = configured.model.drive_unit
    if unit is None:
        checker.add(location, f"'{stimulate.target}' is a {configured.name}, which takes no current")
    else:
        checker.attempt((*location, "current"), quantity, stimulate.current, unit, "")


def _check_lesion(lesion: Lesion, location: Location, checker: Checker) -> None:
    for key in ("population", "group", "projection"):
        name = getattr(lesion, key)
        if name is None or not checker.refer(key, name, (*location, key), [f"{key}s"]):
            continue
        if key == "projection":
            symbols = checker.synapse_symbols(name)
        else:
            symbols = checker.symbols(name) if checker.model_of(name) is not None else {}
        if lesion.where is not None and symbols:
            checker.condition(lesion.where, symbols, (*location, "where"))
