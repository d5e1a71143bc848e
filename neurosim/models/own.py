"""Users' own neuron models, made from equations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from neurosim.errors import ExpressionError, InvalidInput, NeurosimError, UnitError, UsageError, unknown
from neurosim.expressions import parse
from neurosim.expressions.tree import Constant
from neurosim.models.declare import (
    ConfiguredModel,
    NeuronModel,
    Parameter,
    Receptor,
    StateVariable,
    configure,
    is_spread,
)
from neurosim.models.equations import Equations, read_equations
from neurosim.units import parse_unit

_DRIVES = ("pA", "mV/ms", "mV", "1/ms", "")  # what an injected current may be in; the equations tell which
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s+(\S.*)\Z")


def from_equations(
    equations: str,
    threshold: str = "",
    reset: str = "",
    refractory: str = "",
    method: str = "",
    parameters: Mapping[str, Any] | None = None,
    receptors: Mapping[str, str] | None = None,
    initial: Mapping[str, Any] | None = None,
    name: str = "own",
    drive_unit: str | None = None,
) -> NeuronModel:
    """Make a neuron model.

    Parameters
    ----------
    equations : one per line, see `neurosim.models.equations`.
    threshold, reset : a condition, and statements; both may be left out.
    refractory : a time, e.g. ``"t_ref"`` or ``"2 ms"``, for which variables marked ``(unless refractory)`` are held.
    method : one of `neurosim.models.dynamics.METHODS`; "" for the exact solution of linear equations.
    parameters : name -> value with its unit, e.g. ``"20 ms"``; the unit becomes the parameter's.
    receptors : name -> the variable that arriving weights are added to.
    initial : variable -> number, quantity or expression of parameters; 0 where nothing is said.
    drive_unit : unit of ``i_stim``; found from the equations where they read it.

    Raises InvalidInput, with the line and place where there is one.
    """
    if not str(name).isidentifier():
        raise UsageError(f"a model's name is letters, digits and underscores; found {name!r}.")
    declared = tuple(_parameter(name, key, value) for key, value in _mapping(parameters, name, "parameters").items())
    units = {parameter.name: parameter.unit for parameter in declared}
    read, drive = _read(equations, units, name, drive_unit)
    begin = _mapping(initial, name, "initial")
    for variable in begin:
        if variable not in read.state:
            raise unknown("variable", variable, read.state, f"in the equations of {name}")
    ends = _mapping(receptors, name, "receptors")
    for receptor, variable in ends.items():
        if variable not in read.state:
            raise unknown("variable", str(variable), read.state, f"for receptor {receptor} of {name}")
    model = NeuronModel(
        name=name,
        summary="",
        source="",
        parameters=declared,
        equations=equations,
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        method=method,
        state=tuple(StateVariable(key, unit, "", _initial(begin.get(key, 0.0))) for key, unit in read.state.items()),
        receptors={str(key): Receptor(variable, read.state[variable]) for key, variable in ends.items()},
        drive_unit=drive,
    )
    _ = model.dynamics  # complain now
    return model


def configured(spec: Mapping[str, Any]) -> ConfiguredModel:
    """Read a model written as ``{equations: …, threshold: …, parameters: …}``.

    Keys are the arguments of `from_equations`. A parameter may be a distribution or an array here: every neuron has
    its own value.
    """
    given = {str(key): value for key, value in spec.items()}
    known = from_equations.__code__.co_varnames[: from_equations.__code__.co_argcount]
    for key in given:
        if key not in known:
            raise unknown("key", key, known, "of a model with equations")
    parameters = _mapping(given.get("parameters"), str(given.get("name", "own")), "parameters")
    one = {key: _first(value) for key, value in parameters.items()}
    model = from_equations(**given | {"parameters": one})
    return configure(model, {key: value for key, value in parameters.items() if is_spread(value)})


def _mapping(value: Any, owner: str, what: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{owner}: {what} are written as {{name: value}}; found {value!r:.60}.")
    return {str(key): item for key, item in value.items()}


def _parameter(owner: str, name: str, value: Any) -> Parameter:
    """A parameter with the unit that its value is written in."""
    if is_spread(value):
        raise InvalidInput(
            f"{owner}.{name}: give one value here; values that differ between neurons are given with the population."
        )
    try:
        number, unit = _quantity(value)
    except NeurosimError as error:
        message = error.message if isinstance(error, ExpressionError) else str(error)
        raise InvalidInput(f"{owner}.{name}: {message}; write a number with its unit, e.g. '20 ms'.") from None
    return Parameter(name, number, unit, "")


def _initial(value: Any) -> float | str:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _first(value: Any) -> Any:
    """One of many values, which tells their unit."""
    if isinstance(value, str) and is_spread(value):
        return value[value.index("(") + 1 : value.rindex(")")].split(",")[0]
    while is_spread(value):
        if isinstance(value, Mapping):
            value = next(iter(value.values()), None)
        elif hasattr(value, "sample"):
            value = next(iter(vars(value).values()), None)
        else:
            value = value[0] if len(value) else None
    return value


def _quantity(value: Any) -> tuple[float, str]:
    if isinstance(value, bool) or value is None:
        raise InvalidInput(f"{value!r} is no quantity")
    if isinstance(value, int | float):
        return float(value), ""
    written = _NUMBER.match(str(value))
    if written is not None:  # "0.02 1/ms", which as an expression would lack a sign
        try:
            return float(written[1]), str(parse_unit(written[2]))
        except UnitError:
            pass
    tree = parse(str(value), {})
    if not isinstance(tree.tree, Constant) or tree.unit == "bool":
        raise InvalidInput(f"{value!r} is no quantity")
    return float(tree.tree.value), tree.unit


def _read(equations: str, units: Mapping[str, str], owner: str, drive: str | None) -> tuple[Equations, str | None]:
    """The equations, and the unit of ``i_stim`` with which they fit."""
    if drive is not None:
        return read_equations(equations, {**units, "i_stim": drive}, owner), drive
    if "i_stim" not in str(equations):
        return read_equations(equations, units, owner), None
    failure: ExpressionError | None = None
    for unit in _DRIVES:
        try:
            return read_equations(equations, {**units, "i_stim": unit}, owner), unit
        except ExpressionError as error:
            if failure is None or (error.position or 0) > (failure.position or 0):
                failure = error  # the one that came furthest
    assert failure is not None
    raise failure
