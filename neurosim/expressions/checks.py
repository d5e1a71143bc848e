"""Makes nodes, and refuses those whose units or kinds do not fit.

The rules: what is added, compared or chosen between must have one dimension, and is brought to one unit;
products and powers make new units; functions such as ``exp`` take plain numbers. A number written without a
unit takes the unit of the symbol or function that it meets in a sum or comparison (``weight < 0.1``);
beside a unit that only arises in the expression (``1/tau > 5``) it must be written with one, except 0.
Constants are folded, so ``9**9**9**9`` is refused for not being finite when it is parsed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np

from neurosim.errors import ExpressionError
from neurosim.expressions.tree import (
    Binary,
    Call,
    Comparison,
    Constant,
    Node,
    Unary,
    children,
    evaluate,
)
from neurosim.units import PLAIN, Unit, convert, parse_unit

_LARGEST_POWER = 20  # of a dimension; bounds the work that nested powers of units can ask for
_VERBS = {"+": "add", "-": "subtract", "%": "divide"}


@dataclass(frozen=True)
class Function:
    """A function that the owner of an expression gives to it.

    Parameters
    ----------
    arguments : the unit of each argument; ``"name"`` for a bare identifier, passed on as a string.
    unit : unit of the result, or ``"bool"``.
    call : gets floats or float64 arrays in those units, and strings.
    names : the identifiers that "name" arguments may be; None if the function checks them itself.
    """

    arguments: tuple[str, ...]
    unit: str
    call: Callable[..., Any]
    names: tuple[str, ...] | None = None


def unit_of(text: str) -> Unit | None:
    """Read the unit of a symbol; None for ``"bool"``."""
    return None if text == "bool" else parse_unit(text)


def describe(node: Node) -> str:
    """Say what a node is: ``a voltage (mV)``."""
    if node.unit is None:
        return "a truth value"
    return _in_words(node.unit)


def _in_words(unit: Unit) -> str:
    named = unit.meaning.endswith(str(unit))  # a dimension without a name of its own is called by its unit
    return unit.meaning if named else f"{unit.meaning} ({unit})"


def constant(value: float, unit: Unit, position: int) -> Node:
    """Return a number that was written."""
    return Constant(_finite(value, position), _bounded(unit, position), position)


def plus(operand: Node) -> Node:
    """Return ``+operand``, which is the operand."""
    _number(operand)
    return operand


def negation(operand: Node, position: int) -> Node:
    """Return ``-operand``."""
    return _folded(Unary("-", operand, _number(operand), position))


def inversion(operand: Node, position: int) -> Node:
    """Return ``not operand``."""
    return _folded(Unary("not", _truth(operand), None, position))


def logic(name: str, left: Node, right: Node, position: int) -> Node:
    """Return ``left and right`` or ``left or right``."""
    return _folded(Binary(name, _truth(left), _truth(right), None, position))


def comparison(operators: Sequence[str], operands: Sequence[Node], position: int) -> Node:
    """Return a chained comparison of operands brought to one unit; truth values can only be equal or not."""
    if all(operand.unit is None for operand in operands) and set(operators) <= {"==", "!="}:
        return _folded(Comparison(tuple(operators), tuple(operands), None, position))
    return _folded(Comparison(tuple(operators), aligned(operands, position, "compare"), None, position))


def arithmetic(name: str, left: Node, right: Node, position: int) -> Node:
    """Return a sum, difference, remainder, product, quotient or power."""
    if name in _VERBS:
        left, right = aligned((left, right), position, _VERBS[name])
        return _folded(Binary(name, left, right, left.unit, position))
    left_unit, right_unit = _number(left), _number(right)
    if name == "**":
        return _power(left, right, position)
    if right_unit == PLAIN:
        unit = left_unit
    elif name == "*":
        unit = right_unit if left_unit == PLAIN else left_unit * right_unit
    else:
        unit = left_unit / right_unit
    return _folded(Binary(name, left, right, _bounded(unit, position), position))


def _power(base: Node, exponent: Node, position: int) -> Node:
    exponent = converted(exponent, PLAIN, "an exponent")
    unit = _number(base)
    if unit.dimension == PLAIN.dimension:
        base = converted(base, PLAIN, "")
        return _folded(Binary("**", base, exponent, PLAIN, position))
    if not isinstance(exponent, Constant) or exponent.value != int(exponent.value):
        raise ExpressionError(
            f"the power of {describe(base)} must be a whole number", position=exponent.position
        )
    if abs(exponent.value) > _LARGEST_POWER:
        raise ExpressionError(
            "the exponent is too large for a quantity with a unit", position=exponent.position
        )
    unit = _bounded(unit ** int(exponent.value), position)
    return _folded(Binary("**", base, exponent, unit, position))


def _bounded(unit: Unit, position: int) -> Unit:
    if any(abs(Fraction(n)) > _LARGEST_POWER for n in unit.dimension) or not 1e-99 < unit.scale < 1e99:
        raise ExpressionError("the units here grow out of all bounds", position=position)
    return unit


def _number(node: Node) -> Unit:
    if node.unit is None:
        raise ExpressionError(
            "a number is needed here, this is a truth value. Write where(condition, a, b) to choose by one.",
            position=node.position,
        )
    return node.unit


def _truth(node: Node) -> Node:
    if node.unit is not None:
        raise ExpressionError(
            f"a condition is needed here, this is {describe(node)}. Compare it with something.",
            position=node.position,
        )
    return node


def aligned(nodes: Sequence[Node], position: int, verb: str) -> tuple[Node, ...]:
    """Bring nodes to one unit: that of the first which is more than a number written without one."""
    units = [_number(node) for node in nodes]
    first = next((node for node in nodes if not _adopts(node)), nodes[0])
    target = _number(first)
    for node, unit in zip(nodes, units, strict=True):
        if not _adopts(node) and unit.dimension != target.dimension:
            left, right = describe(first), describe(node)
            raise ExpressionError(f"cannot {verb} {left} {_JOINED[verb]} {right}", position=position)
    return tuple(converted(node, target, "this") for node in nodes)


_JOINED = {"compare": "with", "add": "and", "subtract": "and", "divide": "by", "choose between": "and"}


def _adopts(node: Node) -> bool:
    return isinstance(node, Constant) and node.unit == PLAIN


def converted(node: Node, target: Unit, what: str) -> Node:
    """Return the node in another unit of its dimension; a number without a unit takes it on."""
    unit = _number(node)
    if isinstance(node, Constant) and unit == PLAIN and target.dimension != PLAIN.dimension:
        if not target.name and node.value != 0:
            raise ExpressionError(f"this number needs a unit; beside it is {target}", position=node.position)
        return replace(node, unit=target)
    if unit.dimension != target.dimension:
        raise ExpressionError(
            f"{what} must be {_in_words(target)}, found {describe(node)}", position=node.position
        )
    if unit.scale == target.scale:
        return node
    if isinstance(node, Constant):
        return Constant(_finite(convert(node.value, unit, target), node.position), target, node.position)
    ratio = unit.scale / target.scale
    # dividing by a whole number rounds once, where multiplying by its inverse rounds twice
    name, factor = ("*", ratio) if ratio >= 1 else ("/", 1 / ratio)
    return Binary(name, node, Constant(float(factor), PLAIN, node.position), target, node.position)


def _finite(value: float, position: int) -> float:
    if not math.isfinite(value):
        raise ExpressionError("this is not a finite number", position=position)
    return value


def _folded(node: Node) -> Node:
    """Replace an operation on constants by its result."""
    if not all(isinstance(child, Constant) for child in children(node)):
        return node
    with np.errstate(all="ignore"):
        value = evaluate(node, {})
    if node.unit is None:
        return Constant(bool(value), None, node.position)
    return Constant(_finite(float(value), node.position), node.unit, node.position)


# Functions of the language: how many arguments, the rule for their units, and what computes them.


def _plain(name: str, arguments: Sequence[Node], position: int) -> tuple[tuple[Node, ...], Unit]:
    return tuple(converted(a, PLAIN, f"the argument of {name}") for a in arguments), PLAIN


def _same(name: str, arguments: Sequence[Node], position: int) -> tuple[tuple[Node, ...], Unit]:
    arguments = aligned(arguments, position, "compare")
    return arguments, _number(arguments[0])


def _any(name: str, arguments: Sequence[Node], position: int) -> tuple[tuple[Node, ...], Unit]:
    for argument in arguments:
        _number(argument)
    return tuple(arguments), PLAIN


def _root(name: str, arguments: Sequence[Node], position: int) -> tuple[tuple[Node, ...], Unit]:
    (argument,) = arguments
    unit = _number(argument).coherent
    if unit.root is None:
        raise rootless(argument)
    return (converted(argument, unit, name),), unit.root


def rootless(argument: Node) -> ExpressionError:
    """Return the error for a root that cannot be taken: units have half powers, but no quarters."""
    return ExpressionError(f"{describe(argument)} has no square root", position=argument.position)


def _choice(name: str, arguments: Sequence[Node], position: int) -> tuple[tuple[Node, ...], Unit | None]:
    condition, *choices = arguments
    _truth(condition)
    if all(choice.unit is None for choice in choices):
        return tuple(arguments), None
    choices = list(aligned(choices, position, "choose between"))
    return (condition, *choices), choices[0].unit


_Rule = Callable[[str, Sequence[Node], int], tuple[tuple[Node, ...], Unit | None]]


def _least(*values: Any) -> Any:
    return reduce(np.minimum, values)


def _most(*values: Any) -> Any:
    return reduce(np.maximum, values)


def _relative_growth(x: Any) -> Any:
    """``(exp(x) - 1)/x``, which is 1 at 0."""
    flat = np.abs(x) < 1e-17
    value = np.expm1(x) / np.where(flat, 1.0, np.minimum(x, 710.0))
    return np.where(flat, 1.0, value)


BUILTINS: dict[str, tuple[range, _Rule, Callable[..., Any]]] = {
    "abs": (range(1, 2), _same, np.absolute),
    "ceil": (range(1, 2), _plain, np.ceil),
    "clip": (range(3, 4), _same, np.clip),
    "cos": (range(1, 2), _plain, np.cos),
    "cosh": (range(1, 2), _plain, np.cosh),
    "exp": (range(1, 2), _plain, np.exp),
    "expm1": (range(1, 2), _plain, np.expm1),
    "exprel": (range(1, 2), _plain, _relative_growth),
    "floor": (range(1, 2), _plain, np.floor),
    "log": (range(1, 2), _plain, np.log),
    "max": (range(2, 100), _same, _most),
    "min": (range(2, 100), _same, _least),
    "sign": (range(1, 2), _any, np.sign),
    "sin": (range(1, 2), _plain, np.sin),
    "sqrt": (range(1, 2), _root, np.sqrt),
    "tanh": (range(1, 2), _plain, np.tanh),
    "where": (range(3, 4), _choice, np.where),
}


def builtin(name: str, arguments: Sequence[Node], position: int) -> Node:
    """Return a call of a function of the language."""
    counts, rule, call = BUILTINS[name]
    if len(arguments) not in counts:
        wanted = str(counts[0]) if len(counts) == 1 else f"at least {counts[0]}"
        raise ExpressionError(f"{name} takes {wanted} arguments, found {len(arguments)}", position=position)
    checked, unit = rule(name, arguments, position)
    return _folded(Call(name, checked, call, unit, position))


def given(name: str, function: Function, arguments: Sequence[Node], position: int) -> Node:
    """Return a call of a function that the owner of the expression gave. It is never folded."""
    if len(arguments) != len(function.arguments):
        kinds = {"name": "a name", "bool": "a condition", "": "a number"}
        signature = ", ".join(kinds.get(unit, f"a quantity in {unit}") for unit in function.arguments)
        raise ExpressionError(
            f"{name} takes ({signature}), found {len(arguments)} arguments", position=position
        )
    checked: list[Node] = []
    for place, (argument, unit) in enumerate(zip(arguments, function.arguments, strict=True), start=1):
        if unit == "bool":
            argument = _truth(argument)
        elif unit != "name":
            argument = converted(argument, parse_unit(unit), f"argument {place} of {name}")
        checked.append(argument)
    return Call(name, tuple(checked), function.call, unit_of(function.unit), position)
