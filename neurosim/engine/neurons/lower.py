"""Computes what a generated kernel is given: its constants, from the parameters of a population as they are now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from neurosim import rng
from neurosim.engine.neurons.constants import Propagator, Recipe, Steps
from neurosim.engine.neurons.generate import program
from neurosim.engine.neurons.powers import FARTHEST
from neurosim.engine.neurons.propagators import Matrices, noise_factor, propagators, resting_state
from neurosim.errors import UsageError
from neurosim.expressions.tree import Node, evaluate
from neurosim.graph.population import Population
from neurosim.models.algebra import names_in
from neurosim.models.dynamics import Dynamics

Values = Mapping[str, Any]
"""Numbers, or arrays of one value per living neuron."""


def lower(population: Population, dt: float) -> tuple[ModuleType, dict[str, Any]]:
    """The module that runs a population, and its part of the kernel's record.

    Constants are numbers; those of ``each`` neuron are arrays of one value per slot, those that injected currents make
    different are given as such arrays too where they are, else as an array of one value.

    Raises ``UsageError`` for constants that are not finite, and chances above 1.
    """
    dynamics = population.model.dynamics
    values = parameters_of(population, dt)
    exact = None if dynamics.linear is None else _Exact(population, dynamics, values, dt)
    asked = population.model.input_variables, frozenset(population.spread), exact is None or exact.resting
    made = program(dynamics, *asked)
    with np.errstate(all="ignore"):
        for name, tree in made.defined.items():
            values[name] = evaluate(tree, values)
    if any(np.any(~(np.abs(evaluate(span, values)) <= FARTHEST)) for span in made.spans):
        made = program(dynamics, *asked, sharing=False)
    fields: dict[str, Any] = {"seed": population.network.seed}
    for stream in made.streams:
        fields[f"{stream}__purpose"] = rng.purpose("draw", population.name, stream)
    alive = population.columns["alive"].view(bool)
    with np.errstate(all="ignore"):
        for name, recipe in made.recipes.items():
            value = _value(recipe, values, exact, dt)
            _check(population, name, recipe, value)
            fields[name] = _one(value) if recipe.scope == "one" else _column(value, alive, recipe.scope == "each")
        for chance in dynamics.probabilities:
            _check_chance(population, evaluate(chance, values), dt)
    return made.module, fields


def parameters_of(population: Population, dt: float) -> dict[str, Any]:
    """What constants are made of: parameters, ``dt`` and ``i_stim``, one value per living neuron where they differ."""
    alive = population.columns["alive"].view(bool)
    values: dict[str, Any] = {name: np.float64(value) for name, value in population.parameters.items()}
    values |= {name: population.columns[name][alive] for name in population.spread}
    values["dt"] = np.float64(dt)
    if population.model.drive_unit is not None:
        current = injected(population)[alive]
        alike = current.size == 0 or bool(np.all(current == current[0]))
        values["i_stim"] = np.float64(current[0] if current.size else 0.0) if alike else current
    return values


def injected(population: Population) -> Any:
    """Sum of the currents injected into each neuron."""
    total = population.columns["i_stim"]
    for name, column in population.columns.items():
        if name.startswith("input:") and population.network.inputs[name[6:]].source.kind == "current":
            total = total + column
    return total


def steps_held(time: Any, dt: float) -> Any:
    """Steps for which a neuron that fired is held; a very long time is for ever."""
    return np.floor(np.minimum(np.asarray(time) / dt + 0.5, 2.0**62)).astype(np.int64)


def _value(recipe: Recipe, values: Values, exact: _Exact | None, dt: float) -> Any:
    if isinstance(recipe.what, Propagator):
        assert exact is not None
        return exact.element(recipe.what)
    if isinstance(recipe.what, Steps):
        return steps_held(evaluate(recipe.what.tree, values), dt)
    return evaluate(recipe.what, values)


def _one(value: Any) -> float | int:
    """A constant that is the same for all; a stack of exact steps repeats it for every neuron."""
    values = np.ravel(value)
    return values[0].item() if values.size else 0.0


def _column(found: Any, alive: NDArray[np.bool_], each: bool) -> NDArray[Any]:
    """One value per slot (those of the dead are somebody's, so that they can be computed with), or one for all."""
    value: NDArray[Any] = np.asarray(found)
    if value.ndim == 0 and not each:
        return value.reshape(1)
    column: NDArray[Any] = np.full(alive.size, value.flat[0] if value.size else 0, value.dtype)
    column[alive] = value
    return column


def _check(population: Population, name: str, recipe: Recipe, value: Any) -> None:
    if np.all(np.isfinite(value)):
        return
    what = f"its constant {name}"
    if isinstance(recipe.what, Propagator):
        what = f"the exact step of {recipe.what.row}"
    because = "the injected current is too large to compute with" if recipe.scope == "drive" else (
        f"{what} is not finite with these parameters and this time step"
    )  # fmt: skip
    raise UsageError(f"population '{population.name}': {because}.")


def _check_chance(population: Population, chance: Any, dt: float) -> None:
    largest = float(np.max(chance, initial=0.0))
    if largest > 1.0:
        raise UsageError(
            f"population '{population.name}' ({population.model.name}): the chance of a spike in a time step of "
            f"{dt:g} ms is {largest:g}; at most 1 is possible. Lower the rate or the time step."
        )


class _Exact:
    """The exact step of a population's linear system, free and with its held variables standing still."""

    def __init__(self, population: Population, dynamics: Dynamics, values: Values, dt: float) -> None:
        assert dynamics.linear is not None
        self._dynamics, self._linear, self._values, self._dt = dynamics, dynamics.linear, values, dt
        self._population = population
        self._rows = [equation.name for equation in dynamics.equations.differentials]
        self._rest = self._resting_state() if self._rows else None
        self.resting = self._rest is not None

    def _resting_state(self) -> NDArray[np.float64] | None:
        values = dict(self._values) | {"t": 0.0}
        values |= self._dynamics.initial_state(values) | dict.fromkeys(self._dynamics.equations.plain, 0.0)
        with np.errstate(all="ignore"):
            for name, tree in self._dynamics.named.items():
                values[name] = evaluate(tree, values)
            slope = _stacked([evaluate(self._dynamics.drift[row], values) for row in self._rows])
            start = _stacked([values[row] for row in self._rows])
            return resting_state(self._matrix(self._rows, self._rows), slope, start)

    def _evaluated(self, tree: Node | None) -> Any:
        return 0.0 if tree is None else evaluate(tree, self._values)

    def _matrix(self, rows: Iterable[str], columns: Iterable[str]) -> Matrices:
        trees = [[self._linear.matrix.get((row, column)) for column in columns] for row in rows]
        return _stacked([_stacked([self._evaluated(tree) for tree in row]) for row in trees], axis=-2)

    def element(self, what: Propagator) -> Any:
        """One element of the step."""
        row = self._rows.index(what.row)
        if what.kind == "rest":
            assert self._rest is not None
            return self._rest[..., row]
        if what.kind == "noise":
            return self._remembered("noise", what.held, self._noise)[..., row, self._rows.index(what.column)]
        step, integral = self._remembered("step", what.held, self._steps)
        if what.kind == "from" and what.column in self._rows:
            return step[..., row, self._rows.index(what.column)]
        if what.kind == "from":  # a variable without an equation acts like a constant
            gains = [self._evaluated(self._linear.matrix.get((name, what.column))) for name in self._free(what.held)]
        else:
            gains = [self._evaluated(self._linear.offset.get(name)) for name in self._free(what.held)]
        places = [self._rows.index(name) for name in self._free(what.held)]
        return sum(integral[..., row, place] * gain for place, gain in zip(places, gains, strict=True))

    def _free(self, held: bool) -> list[str]:
        return [row for row in self._rows if not (held and row in self._dynamics.held)]

    def _system(self, held: bool) -> Matrices:
        """The matrix, with the rows of held variables zero."""
        matrix = self._matrix(self._rows, self._rows).copy()
        for k, row in enumerate(self._rows):
            if held and row in self._dynamics.held:
                matrix[..., k, :] = 0.0
        return matrix

    def _steps(self, held: bool) -> tuple[Matrices, Matrices]:
        sources, rows = self._linear.sources(self._rows), set(self._rows)
        alone = [all(row not in sources[other] for other in (sources[row] & rows) - {row}) for row in self._rows]
        return propagators(self._system(held), self._dt, np.array(alone, bool))

    def _noise(self, held: bool) -> Matrices:
        noises = self._dynamics.equations.noises
        rows = [
            _stacked([self._evaluated(self._linear.noise.get((row, xi)) if row in free else None) for xi in noises])
            for free in [set(self._free(held))] for row in self._rows
        ]  # fmt: skip
        return noise_factor(self._system(held), _stacked(rows, axis=-2), self._dt)

    def _remembered(self, kind: str, held: bool, compute: Callable[[bool], Any]) -> Any:
        """What was computed for the same parameters before."""
        trees = [*self._linear.matrix.values(), *(self._linear.noise.values() if kind == "noise" else ())]
        read = sorted(frozenset().union(*(names_in(tree) for tree in trees)) | {"dt"})
        inputs = [(name, self._values[name]) for name in read]
        memory = _memory.setdefault(self._population, {})
        if (kind, held) in memory:
            before, result = memory[kind, held]
            if len(before) == len(inputs) and all(
                a == b and np.array_equal(x, y) for (a, x), (b, y) in zip(before, inputs, strict=True)
            ):
                return result
        result = compute(held)
        memory[kind, held] = [(name, np.array(value)) for name, value in inputs], result
        return result


_memory: WeakKeyDictionary[Population, dict[Any, Any]] = WeakKeyDictionary()


def _stacked(values: Iterable[Any], axis: int = -1) -> NDArray[np.float64]:
    """Numbers and arrays of one value per neuron side by side in a new last axis (or rows in the one before)."""
    arrays = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in values))
    return np.stack(arrays, axis=axis)


def constants(population: Population, dt: float) -> dict[str, Any]:
    """The constants that a population's kernel computes with, by name (see `neurosim.engine.neurons.code`)."""
    return lower(population, dt)[1]

