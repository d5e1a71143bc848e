"""The mathematics of a neuron model: its equations split into what an integrator needs, and checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.errors import ExpressionError, InvalidInput, unknown
from neurosim.expressions import Function, parse
from neurosim.expressions.statements import Statement, statements
from neurosim.expressions.tree import Call, Comparison, Node, Symbol, children, evaluate
from neurosim.models.algebra import (
    REST,
    Coefficients,
    affine,
    calls_in,
    is_number,
    names_in,
    number,
    rebuilt,
    substituted,
    symbol,
)
from neurosim.models.equations import TIME_SYMBOLS, Equations, located, read_expression

METHODS = {
    "exact": "the exact solution from step to step, for linear equations",
    "euler": "forward Euler",
    "exponential_euler": "each variable as if the others stood still; each must be linear in itself",
    "rk2": "second-order Runge-Kutta (midpoint)",
    "rk4": "fourth-order Runge-Kutta",
    "half_steps": "two half steps for the first equation, then one step for the others that sees the new value",
}

RANDOM = Function((), "", lambda: np.nan)
"""``rand()`` in a threshold: uniform in [0, 1), drawn anew for every neuron and step."""

DRAWN = "rand__"  # names of such draws in trees: rand__1, rand__2, …


@dataclass(frozen=True)
class Linear:
    """A linear system ``dx/dt = A x + b + G xi`` with coefficients that depend on parameters only.

    ``matrix`` holds A by (row, column), ``offset`` b and ``noise`` G by (row, noise); what is not there is zero.
    """

    matrix: Mapping[tuple[str, str], Node]
    offset: Mapping[str, Node]
    noise: Mapping[tuple[str, str], Node]

    def sources(self, rows: Collection[str]) -> dict[str, frozenset[str]]:
        """For each row the variables that act on it, directly or through others, itself among them."""
        direct = {row: {row} | {b for a, b in self.matrix if a == row} for row in rows}
        reached = {row: set(seen) for row, seen in direct.items()}
        while True:
            grown = {row: seen.union(*(reached.get(name, set()) for name in seen)) for row, seen in reached.items()}
            if grown == reached:
                return {row: frozenset(seen) for row, seen in grown.items()}
            reached = grown


@dataclass(frozen=True, eq=False)
class Dynamics:
    """What a model's kernel is generated from.

    ``drift`` is the right side of each differential equation without its noise, and ``noise`` what multiplies each
    white noise in it, by (variable, noise). ``named`` holds the subexpressions that these read, in order. ``linear``
    is there when the method is ``exact``, ``slopes`` (the factor of each variable in its own equation) when it is
    ``exponential_euler``.
    """

    owner: str
    equations: Equations
    method: str
    constants: frozenset[str]
    drift: Mapping[str, Node]
    noise: Mapping[tuple[str, str], Node]
    named: Mapping[str, Node]
    threshold: Node | None
    draws: int
    reset: tuple[Statement, ...]
    refractory: Node | None
    initial: Mapping[str, Node]
    linear: Linear | None
    slopes: Mapping[str, Node]

    @property
    def held(self) -> frozenset[str]:
        """The variables that stand still while the neuron is refractory."""
        return frozenset(equation.name for equation in self.equations.differentials if equation.held)

    @property
    def probabilities(self) -> tuple[Node, ...]:
        """What ``rand()`` is compared with, where that is a constant: a chance per time step, at most 1."""
        if self.threshold is None:
            return ()
        match self.threshold:
            case Comparison(operators=("<" | "<=",), operands=(Symbol(name=name), other)) if name.startswith(DRAWN):
                whole = within(other, self.named, lambda tree: names_in(tree) <= self.constants)
                return (whole,) if names_in(whole) <= self.constants else ()
        return ()

    def initial_state(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Value of each variable at birth: numbers, or arrays where parameters are."""
        with np.errstate(all="ignore"):
            return {name: evaluate(tree, parameters) for name, tree in self.initial.items()}

    def check_start(self, parameters: Mapping[str, Any], owner: str) -> None:
        """Compute every right side once, at the initial state, and complain of what is not finite.

        Raises InvalidInput that names the equation. ``parameters`` are numbers or arrays.
        """
        values = dict(parameters) | {"t": 0.0, "dt": 0.1, "i_stim": 0.0} | dict.fromkeys(self.equations.noises, 0.0)
        values |= self.initial_state(values)
        texts = {part.name: part.text for part in self.equations.subexpressions}
        texts |= {equation.name: equation.text for equation in self.equations.differentials}
        for name, start in self.initial.items():
            _check_finite(values[name], owner, f"the initial value of {name}", parameters, start)
        with np.errstate(all="ignore"):
            for part in self.equations.subexpressions:
                values[part.name] = evaluate(part.tree, values)
                _check_finite(values[part.name], owner, part.text, parameters, part.tree)
            for equation in self.equations.differentials:
                _check_finite(evaluate(equation.rate, values), owner, equation.text, parameters, equation.rate)


def _check_finite(value: Any, owner: str, what: str, parameters: Mapping[str, Any], tree: Node) -> None:
    if np.all(np.isfinite(value)):
        return
    bad = np.ravel(value)[~np.isfinite(np.ravel(value))][0]
    read = sorted(name for name in names_in(tree) & parameters.keys() if np.ndim(parameters[name]) == 0)
    given = ", ".join(f"{name} = {parameters[name]:g}" for name in read)
    hint = f" Its parameters are {given}." if given else ""
    raise InvalidInput(f"{owner}: '{what}' is {bad:g} at the start.{hint} Look for a division by zero.")


def read_dynamics(
    owner: str,
    equations: Equations,
    parameters: Mapping[str, str],
    drive: Mapping[str, str],
    threshold: str,
    reset: str,
    refractory: str,
    method: str,
    initial: Mapping[str, float | str],
) -> Dynamics:
    """Check a model's conditions and statements, and split its equations for the method.

    Parameters
    ----------
    parameters, drive : name -> unit; ``drive`` holds ``i_stim`` where there is one.
    method : one of METHODS; "" is ``exact`` and demands linear equations.
    initial : value of each variable, or an expression of parameters.

    Raises InvalidInput (ExpressionError where a place can be shown).
    """
    if method and method not in METHODS:
        raise unknown("method", method, METHODS, f"of {owner}")
    constants = frozenset({*parameters, *drive, "dt"})
    symbols = {**parameters, **drive, **TIME_SYMBOLS, **equations.symbols}
    fires, draws = _read_threshold(threshold, symbols, owner)
    resets = _read_reset(reset, symbols, equations, owner)
    held = [equation.name for equation in equations.differentials if equation.held]
    if held and not refractory:
        raise InvalidInput(f"{owner}: {held[0]} is held while refractory, but no refractory time is given.")
    hold = read_expression(refractory, parameters, "ms", f"{owner}, refractory").tree if refractory.strip() else None
    linear, slopes = None, {}
    try:
        drift, noise, named = _split(equations, owner)
        if method in ("", "exact"):
            linear = _linear(equations, drift, noise, named, constants, owner)
        elif method == "exponential_euler":
            slopes = {name: _slope(name, tree, named, owner, equations) for name, tree in drift.items()}
    except ExpressionError as error:
        raise error if error.text else ExpressionError(f"{owner}: {error.message}") from None
    return Dynamics(
        owner, equations, method or "exact", constants, drift, noise, named, fires, draws, resets, hold,
        _read_initial(initial, parameters, equations, owner), linear, slopes,
    )  # fmt: skip


def _read_threshold(text: str, symbols: Mapping[str, str], owner: str) -> tuple[Node | None, int]:
    """The condition, and how many random numbers it draws; each is a symbol in the tree."""
    if not text.strip():
        return None, 0
    owner = f"{owner}, threshold"
    try:
        tree = parse(text, symbols, {"rand": RANDOM}, unit="bool").tree
    except ExpressionError as error:
        raise located(error, owner, text) from None
    count = sum(call.name == "rand" for call in calls_in(tree))
    names = iter(f"{DRAWN}{k + 1}" for k in range(count))

    def drawn(node: Node) -> Node:
        if isinstance(node, Call) and node.name == "rand":
            return symbol(next(names))
        return rebuilt(node, [drawn(part) for part in children(node)])

    return drawn(tree), count


def _read_reset(
    text: str, symbols: Mapping[str, str], equations: Equations, owner: str
) -> tuple[Statement, ...]:
    if not text.strip():
        return ()
    try:
        return statements(text, symbols, tuple(equations.state))
    except ExpressionError as error:
        raise located(error, f"{owner}, reset", text) from None


def _read_initial(
    initial: Mapping[str, float | str], parameters: Mapping[str, str], equations: Equations, owner: str
) -> dict[str, Node]:
    trees: dict[str, Node] = {}
    for name, unit in equations.state.items():
        value = initial.get(name, 0.0)
        if isinstance(value, str):
            trees[name] = read_expression(value, parameters, unit, f"{owner}, initial {name}").tree
        else:
            trees[name] = number(float(value))
    return trees


# -- drift and noise --------------------------------------------------------------------------------------


def _split(
    equations: Equations, owner: str
) -> tuple[dict[str, Node], dict[tuple[str, str], Node], dict[str, Node]]:
    """Right sides without their noise, what multiplies each noise, and the subexpressions without any noise."""
    noises = set(equations.noises)
    noisy: dict[str, Node] = {}
    named: dict[str, Node] = {}
    for part in equations.subexpressions:
        tree = substituted(part.tree, noisy)
        (noisy if names_in(tree) & noises else named)[part.name] = tree
    drift: dict[str, Node] = {}
    noise: dict[tuple[str, str], Node] = {}
    for equation in equations.differentials:
        tree = substituted(equation.rate, noisy)
        drift[equation.name] = tree
        if not names_in(tree) & noises:
            continue
        parts = affine(tree, noises)
        if parts is None:
            message = f"the noise in d{equation.name}/dt must be a factor of a term: '… + sigma*xi'"
            raise located(ExpressionError(message), owner, equations.text, equation.position)
        drift[equation.name] = parts.pop(REST, number(0.0))
        noise |= {(equation.name, name): factor for name, factor in parts.items()}
    return drift, noise, named


def within(tree: Node, named: Mapping[str, Node], wanted: Callable[[Node], bool]) -> Node:
    """The tree with those subexpressions written out that, written out themselves, are ``wanted``."""
    written: dict[str, Node] = {}
    for name, part in named.items():
        whole = substituted(part, written)
        if wanted(whole):
            written[name] = whole
    return substituted(tree, written)


def _linear(
    equations: Equations,
    drift: Mapping[str, Node],
    noise: Mapping[tuple[str, str], Node],
    named: Mapping[str, Node],
    constants: frozenset[str],
    owner: str,
) -> Linear:
    matrix: dict[tuple[str, str], Node] = {}
    offset: dict[str, Node] = {}
    for equation in equations.differentials:
        name = equation.name
        parts = affine(within(drift[name], named, lambda tree: True), set(equations.state))
        amplitudes = {key: within(factor, named, lambda tree: True) for key, factor in noise.items() if key[0] == name}
        problem = _why_not(parts, amplitudes.values(), constants)
        if problem or parts is None:
            methods = ", ".join(method for method in METHODS if method != "exact")
            message = f"d{name}/dt {problem}, so there is no exact solution. Choose a method: {methods}."
            raise located(ExpressionError(message), owner, equations.text, equation.position)
        matrix |= {(name, other): factor for other, factor in parts.items() if other != REST}
        if REST in parts:
            offset[name] = parts[REST]
    return Linear(_without_zeros(matrix), _without_zeros(offset), {
        key: within(factor, named, lambda tree: True) for key, factor in noise.items()
    })  # fmt: skip


def _without_zeros(trees: Mapping[Any, Node]) -> dict[Any, Node]:
    return {key: tree for key, tree in trees.items() if not is_number(tree, 0.0)}


def _why_not(parts: Coefficients | None, amplitudes: Iterable[Node], constants: frozenset[str]) -> str:
    if parts is None:
        return "is not linear"
    if not all(names_in(tree) <= constants for tree in parts.values()):
        return "depends on time"
    return "" if all(names_in(tree) <= constants for tree in amplitudes) else "has noise that is not additive"


def _slope(name: str, tree: Node, named: Mapping[str, Node], owner: str, equations: Equations) -> Node:
    """What multiplies a variable in its own equation; zero if it is not there."""
    parts = affine(within(tree, named, lambda part: name in names_in(part)), {name})
    if parts is None:
        position = next(e.position for e in equations.differentials if e.name == name)
        message = f"d{name}/dt is not linear in {name}. Choose another method: rk4, rk2 or euler."
        raise located(ExpressionError(message), owner, equations.text, position)
    return parts.get(name, number(0.0))
