"""Checks a neuron model's declaration as a whole: its names, its units, its mathematics."""

from __future__ import annotations

from neurosim.errors import InvalidInput, unknown
from neurosim.models.declare import NeuronModel
from neurosim.models.dynamics import Dynamics, read_dynamics
from neurosim.models.equations import Equations, name_problem, read_equations
from neurosim.units import parse_unit


def dynamics_of(model: NeuronModel) -> Dynamics:
    """Read the equations of a model; raises InvalidInput for the first thing that does not fit."""
    parameters = {parameter.name: parameter.unit for parameter in model.parameters}
    if len(parameters) < len(model.parameters):
        raise InvalidInput(f"{model.name}: a parameter is declared twice.")
    for name in parameters:
        if problem := name_problem(name):
            raise InvalidInput(f"{model.name}: {problem}.")
    drive = {} if model.drive_unit is None else {"i_stim": model.drive_unit}
    equations = read_equations(model.equations, parameters | drive, model.name)
    _check_state(model, equations)
    _check_receptors(model, equations)
    initial = {variable.name: variable.initial for variable in model.state}
    dynamics = read_dynamics(
        model.name, equations, parameters, drive, model.threshold, model.reset, model.refractory, model.method, initial
    )
    dynamics.check_start({parameter.name: parameter.default for parameter in model.parameters}, model.name)
    return dynamics


def _check_state(model: NeuronModel, equations: Equations) -> None:
    """The declared state is that of the equations."""
    declared = {variable.name: variable.unit for variable in model.state}
    for name, unit in declared.items():
        if name not in equations.state:
            raise unknown("variable", name, equations.state, f"in the equations of {model.name}")
        if parse_unit(unit) != parse_unit(equations.state[name]):
            written = equations.state[name] or "1"
            raise InvalidInput(f"{model.name}: {name} is declared in {unit or '1'}, its equation is in {written}.")
    for name in equations.state:
        if name not in declared:
            raise InvalidInput(f"{model.name}: variable {name} of the equations is not declared in the state.")


def _check_receptors(model: NeuronModel, equations: Equations) -> None:
    """Receptors add to variables, in the variables' unit."""
    for name, receptor in model.receptors.items():
        if receptor.variable not in equations.state:
            raise unknown("variable", receptor.variable, equations.state, f"for receptor {name} of {model.name}")
        unit = equations.state[receptor.variable]
        if parse_unit(receptor.unit) != parse_unit(unit):
            raise InvalidInput(
                f"{model.name}: receptor {name} is in {receptor.unit or '1'}, its variable {receptor.variable} in "
                f"{unit or '1'}."
            )
