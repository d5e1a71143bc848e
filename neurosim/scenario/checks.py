"""What populations, groups, inputs and projections must mean together. Nothing is built for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurosim.errors import InvalidInput, unknown
from neurosim.graph.connectors import Connector, connector
from neurosim.graph.distributions import distribution
from neurosim.graph.placement import placement
from neurosim.graph.precision import read_precision
from neurosim.models import ConfiguredModel, Parameter, configure, neuron, neuron_models
from neurosim.models.declare import is_spread
from neurosim.scenario.checker import Checker
from neurosim.scenario.fields import Kind, show
from neurosim.scenario.graphfile import (
    GraphFile,
    column_of,
    graph_arguments,
    graph_columns,
    position_columns,
)
from neurosim.scenario.in_place import read_all
from neurosim.scenario.reader import Location
from neurosim.scenario.schema_network import Input, Population, Projection
from neurosim.units import quantities, quantity

_INPUTS = {"poisson": "rate", "current": "amplitude"}  # kind -> its one parameter


def check(checker: Checker) -> None:
    """Check the network that a scenario describes."""
    if not checker.declared("populations"):
        checker.add((), "needs `populations:` with at least one population")
    _distinct(checker)
    for name, population in checker.spec.populations.items():
        _population(name, population, checker)
    for name, group in checker.spec.groups.items():
        location: Location = ("groups", name)
        if checker.refer("population", group.population, (*location, "population"), ["populations"]):
            checker.selection(group, group.population, location)
    for name, drive in checker.spec.inputs.items():
        _input(drive, ("inputs", name), checker)
    for name, projection in checker.spec.projections.items():
        _projection(projection, ("projections", name), checker)


def _distinct(checker: Checker) -> None:
    """Names are what recorders, protocols and expressions go by: each may stand for one thing only."""
    seen: dict[str, str] = {}
    for section in ("populations", "groups", "inputs", "projections"):
        for name in checker.declared(section):
            if name in seen:
                checker.add((section, name), f"the name '{name}' is taken: it stands in {seen[name]} too")
            seen.setdefault(name, section)
    for name, projection in checker.spec.projections.items():
        for full, _ in projection.expand(name):
            if full != name and full in seen:
                checker.add(("projections", name), f"expands to '{full}', which stands in {seen[full]} already")
            seen.setdefault(full, "projections")


# -- populations ------------------------------------------------------------------------------------------


def _population(name: str, population: Population, checker: Checker) -> None:
    location: Location = ("populations", name)
    file, nodes = None, None
    if population.file is not None:
        file = checker.graph(population.file, (*location, "from"))
        nodes = None if file is None else checker.attempt((*location, "nodes"), file.select, population.nodes)
        if nodes is not None:
            checker.sizes[name] = len(nodes)
    elif population.size is not None:
        checker.sizes[name] = population.size
    if population.model is not None:
        model = _model(population.model, (*location, "model"), checker)
    else:
        model = read_all(neuron, population.spec(name), location, checker)
        for key, value in ({} if model is None else model.spread).items():
            assert model is not None
            checker.attempt((*location, "parameters", key), check_parameter, model.model.parameter(key), value, name)
    if model is None:
        return
    checker.models[name] = model
    if model.times and name in checker.sizes and len(model.times) != checker.sizes[name]:
        message = f"has times for {len(model.times)} neurons, but {name} has {checker.sizes[name]}"
        checker.add((*location, "model"), message)
    units = checker.variables(name)
    for variable, value in population.each_initial.items():
        where = (*location, "initial", variable)
        if variable not in units:
            checker.add(where, str(unknown("state variable", variable, units, f"of {model.name}")))
        elif column := column_of(value):
            _column(file, nodes, column, units[variable], where, checker)
        else:
            checker.attempt(where, distribution, value, units[variable], variable)
    if population.positions is not None:
        _positions(population.positions, file, nodes, name, (*location, "positions"), checker)


def _model(kind: Kind, location: Location, checker: Checker) -> ConfiguredModel | None:
    if kind.name not in neuron_models():
        checker.add(location, str(unknown("neuron model", kind.name, neuron_models())))
        return None
    model, inner = neuron_models()[kind.name], (*location, kind.name)
    if not isinstance(kind.arguments, Mapping):
        checker.add(inner, f"parameters are written as {{name: value}}, found {show(kind.arguments)}")
        return None
    before = len(checker.problems)
    for key, value in kind.arguments.items():
        if key == "times" and model.times:
            checker.attempt((*inner, key), configure, model, {"times": value})
            continue
        parameter = checker.attempt((*inner, key), model.parameter, key)
        if parameter is not None:
            checker.attempt((*inner, key), check_parameter, parameter, value, model.name)
    return configure(model, kind.arguments) if len(checker.problems) == before else None


def check_parameter(parameter: Parameter, value: Any, model: str) -> None:
    """Check the value of a parameter, or the values where every neuron has its own."""
    if not is_spread(value):
        parameter.check(value, model)
        return
    spread = distribution(value, parameter.unit, f"{model}.{parameter.name}")
    ends = [end for end in (spread.low, spread.high) if end is not None]
    parameter.check_all(np.array(ends), model)


def _positions(
    positions: Any,
    file: GraphFile | None,
    nodes: list[Any] | None,
    population: str,
    location: Location,
    checker: Checker,
) -> None:
    if columns := position_columns(positions, None):
        for column in columns:
            _column(file, nodes, column, "um", location, checker)
        return
    size = checker.sizes.get(population)
    if not isinstance(positions, list):
        placed = checker.attempt(location, placement, positions)
        if placed is not None and size is not None:
            checker.attempt(location, placed.check, size)
        return
    for index, point in enumerate(positions):
        if not isinstance(point, list) or len(point) not in (2, 3):
            checker.add((*location, index), f"a point is [x, y] or [x, y, z], found {show(point)}")
            return
        checker.attempt((*location, index), quantities, point, "um", "a point")
    if size is not None and len(positions) != size:
        checker.add(location, f"has {len(positions)} points for {size} neurons")


def _column(
    file: GraphFile | None,
    nodes: list[Any] | None,
    column: str,
    unit: str,
    location: Location,
    checker: Checker,
) -> None:
    if file is None:
        checker.add(location, "a column is read from a graph file; this population has no `from`")
    elif nodes is not None:
        checker.attempt(location, file.node_values, nodes, column, unit)


# -- inputs -----------------------------------------------------------------------------------------------


def _input(drive: Input, location: Location, checker: Checker) -> None:
    parameter, inner = _INPUTS[drive.kind], (*location, drive.kind)
    for key in drive.arguments:
        if key != parameter:
            checker.add((*inner, key), str(unknown("parameter", key, [parameter], f"of {drive.kind}")))
    value = drive.arguments.get(parameter)
    if value is None:
        checker.add(inner, f"`{parameter}` is missing")
    elif drive.kind == "poisson":
        checker.rate(value, (*inner, parameter))
    for target in drive.to:
        configured = checker.model_of(target) if checker.refer_neurons(target, (*location, "to")) else None
        if configured is None:
            continue
        unit = configured.model.drive_unit
        if drive.kind == "poisson":
            _weight(drive.weight, drive.receptor, target, location, checker, constant=True)
        elif unit is None:
            checker.add((*location, "to"), f"'{target}' is a {configured.name}, which takes no current")
        elif value is not None:
            checker.attempt((*inner, parameter), quantity, value, unit, "")


def _weight(
    value: Any, receptor: str | None, target: str, location: Location, checker: Checker, constant: bool = False
) -> None:
    """Check the weight and receptor of what arrives at ``target``."""
    configured = checker.model_of(target)
    if configured is None:
        return
    receptors = configured.model.receptors
    if not receptors:
        checker.add((*location, "to"), f"'{target}' is a {configured.name}, which takes no input")
        return
    if receptor is not None and receptor not in receptors:
        known = unknown("receptor", receptor, receptors, f"of {configured.name}")
        checker.add((*location, "receptor"), str(known))
        return
    if value is None:
        return
    unit, where = receptors[receptor or next(iter(receptors))].unit, (*location, "weight")
    if constant and checker.attempt(where, quantity, value, unit, "") is None:
        return
    drawn = checker.attempt(where, distribution, value, unit, "weight")
    if drawn is None or receptor is not None or not {"exc", "inh"} <= set(receptors):
        return
    if not (drawn.low is not None and drawn.low >= 0) and not (drawn.high is not None and drawn.high <= 0):
        checker.add(where, f"has no one sign; name the receptor: {', '.join(receptors)}")


# -- projections ------------------------------------------------------------------------------------------


def _projection(projection: Projection, location: Location, checker: Checker) -> None:
    known = checker.refer("population", projection.source, (*location, "from"), ["populations"])
    targets = [t for t in projection.to if checker.refer("population", t, (*location, "to"), ["populations"])]
    columns: Mapping[str, str] = {}
    if projection.connect.name == "graph":
        columns = _graph(projection, targets if known else [], location, checker)
    else:
        rule = checker.attempt((*location, "connect"), _connector, projection.connect.spec)
        if rule is not None and rule.needs_positions:
            need_positions([projection.source, *projection.to], rule.name, (*location, "connect"), checker)
    for key in ("weight", "delay"):
        given = getattr(projection, key) is not None
        if given and key in columns:
            checker.add((*location, key), f"is given twice: here, and as '{columns[key]}' of the graph file")
        elif not given and key not in columns:
            checker.add((*location, key), "is missing")
    if projection.delay is not None:
        check_delay(projection.delay, [projection.source, *projection.to], (*location, "delay"), checker)
    for target in targets:
        _weight(projection.weight, projection.receptor, target, location, checker)
    weight_bounds: tuple[float, float] | None = None
    for key, limits in projection.bounds.items():
        unit = "ms" if key == "delay" else checker.weight_unit(str(location[-1])) or ""
        if key == "delay" or unit:
            read = checker.attempt((*location, "bounds", key), quantities, list(limits), unit, "bounds")
            if key == "weight" and read is not None:
                weight_bounds = float(read[0]), float(read[1])
    if weight_bounds is not None or "weight" not in projection.bounds:  # else they are told already
        name = str(location[-1])
        checker.attempt((*location, "precision"), read_precision, projection.precision, projection.rounding,
                        weight_bounds, name)  # fmt: skip


def need_positions(populations: list[str], what: str, location: Location, checker: Checker) -> None:
    """Check that the neurons of some populations lie somewhere."""
    for name in dict.fromkeys(populations):
        if not checker.placed(name):
            checker.add(location, f"{what} needs distances; '{name}' has no `positions`")


def _connector(spec: Mapping[str, Any]) -> Connector:
    try:
        return connector(spec)
    except (TypeError, ValueError, OverflowError):  # a list, a mapping or infinity where a number belongs
        raise InvalidInput(f"cannot be read as a connector, found {show(dict(spec))}") from None


def check_delay(value: Any, populations: list[str], location: Location, checker: Checker) -> None:
    """Check a delay or a distribution of delays between neurons of ``populations``: ms, not negative."""
    drawn = checker.attempt(location, lambda: distribution(value, "ms", "delay", of_pairs=True))
    if drawn is not None and drawn.of_pairs:
        need_positions(populations, "a delay by distance", location, checker)
    if drawn is None or (drawn.low is not None and drawn.low >= 0):
        return
    if drawn.low is None:
        message = "can become negative; use truncated_normal, uniform or another that is bounded"
    else:
        message = f"must be 0 or more, found {show(value)}"
    checker.add(location, message)


def _graph(projection: Projection, targets: list[str], location: Location, checker: Checker) -> Mapping[str, str]:
    """Check ``connect: {graph: …}``; return which of weight and delay the file gives, and by which attribute."""
    where = (*location, "connect", "graph")
    arguments = graph_arguments(projection.connect)
    known = ["file", "weight", "delay"]
    for key in arguments:
        if key not in known:
            checker.add((*where, key), str(unknown("parameter", key, known, "of graph")))
    if not isinstance(arguments.get("file"), str):
        checker.add(where, "`file` is missing: the graph file, relative to the scenario")
        return {}
    file = checker.graph(arguments["file"], where)
    if file is None:  # said already; weight and delay may well be in it
        return {key: key for key in ("weight", "delay") if getattr(projection, key) is None}
    columns = graph_columns(projection, file)
    for target in targets:
        _edges(projection, target, file, columns, where, checker)
    return columns


def _edges(
    projection: Projection,
    target: str,
    file: GraphFile,
    columns: Mapping[str, str],
    where: Location,
    checker: Checker,
) -> None:
    sides = []
    for name in (projection.source, target):
        population = checker.spec.populations.get(name)
        if population is None or name not in checker.sizes:
            return
        if population.file is None and population.size != len(file.nodes):
            message = f"{name} has {population.size} neurons, the graph has {len(file.nodes)} nodes"
            checker.add(where, message)
            return
        if population.file is not None and checker.folder / population.file != file.path:
            checker.add(where, f"{name} was read from another file, {population.file}")
            return
        sides.append(file.select(population.nodes))
    configured = checker.models.get(target)
    if configured is None or not configured.model.receptors:
        return
    unit = next(iter(configured.model.receptors.values())).unit
    edges = checker.attempt(where, file.edges, *sides, columns, {"weight": unit, "delay": "ms"})
    if edges is None:
        return
    if "delay" in columns and edges.values["delay"].min() < 0:
        least = edges.values["delay"].min()
        checker.add(where, f"'{columns['delay']}' holds a negative delay ({least:g} ms)")
    if "weight" in columns:
        _weight(edges.values["weight"], projection.receptor, target, where, checker)
