"""The tree of a checked expression, and its evaluation.

Seven kinds of node are all there is: what cannot be said with them cannot be run. Every node knows its unit
(None for a truth value) and where it stands in the text. Conversions between units are nodes of their own
(a `Binary` ``*`` with a `Constant`), so that evaluating and generating code need no knowledge of units.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.units import Unit

Value = Any
"""A float, an int (compared exactly), a bool, a string (a "name" argument), or a numpy array."""


@dataclass(frozen=True)
class Constant:
    """A number or a truth value that is known. A whole number that was written as such is an int."""

    value: float | bool
    unit: Unit | None
    position: int


@dataclass(frozen=True)
class Symbol:
    """A quantity that gets its value when the expression is evaluated."""

    name: str
    unit: Unit | None
    position: int


@dataclass(frozen=True)
class Name:
    """A bare identifier, given as it is to a function that asks for a name."""

    name: str
    unit: None
    position: int


@dataclass(frozen=True)
class Unary:
    """``-x`` or ``not x``."""

    operator: str
    operand: Node
    unit: Unit | None
    position: int


@dataclass(frozen=True)
class Binary:
    """``+ - * / % **`` of two numbers, or ``and or`` of two truth values."""

    operator: str
    left: Node
    right: Node
    unit: Unit | None
    position: int


@dataclass(frozen=True)
class Comparison:
    """``a < b <= c``: one operator fewer than operands."""

    operators: tuple[str, ...]
    operands: tuple[Node, ...]
    unit: None
    position: int


@dataclass(frozen=True)
class Call:
    """A function of the language, or one that the owner of the expression gave; ``call`` is what runs."""

    name: str
    arguments: tuple[Node, ...]
    call: Callable[..., Value]
    unit: Unit | None
    position: int


Node = Constant | Symbol | Name | Unary | Binary | Comparison | Call

ARITHMETIC: dict[str, Callable[[Value, Value], Value]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
    "**": np.power,
}
LOGIC: dict[str, Callable[[Value, Value], Value]] = {"and": np.logical_and, "or": np.logical_or}
COMPARISONS: dict[str, Callable[[Value, Value], Value]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def children(node: Node) -> tuple[Node, ...]:
    """Return the operands of a node, from left to right."""
    match node:
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Comparison():
            return node.operands
        case Call():
            return node.arguments
    return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def evaluate(node: Node, values: Mapping[str, Value]) -> Value:
    """Evaluate a tree. Arithmetic is float64; comparisons take their operands as they are."""
    match node:
        case Constant():
            return node.value
        case Symbol():
            return values[node.name]
        case Name():
            return node.name
        case Unary(operator="not"):
            return np.logical_not(evaluate(node.operand, values))
        case Unary():
            return np.negative(_floats(evaluate(node.operand, values)))
        case Binary(operator=name) if name in LOGIC:
            return LOGIC[name](evaluate(node.left, values), evaluate(node.right, values))
        case Binary():
            left, right = _floats(evaluate(node.left, values)), _floats(evaluate(node.right, values))
            return ARITHMETIC[node.operator](left, right)
        case Comparison():
            return _compared(node, values)
        case Call():
            return node.call(*[_floats(evaluate(argument, values)) for argument in node.arguments])


def _floats(value: Value) -> Value:
    """Return numbers as a float or a float64 array; truth values and names as they are."""
    if isinstance(value, str) or np.asarray(value).dtype == np.bool_:
        return value
    array = np.asarray(value, np.float64)
    return array if array.ndim else float(array)


def _compared(node: Comparison, values: Mapping[str, Value]) -> Value:
    operands = [evaluate(operand, values) for operand in node.operands]
    holds: Value = True
    for name, left, right in zip(node.operators, operands, operands[1:], strict=False):
        result = COMPARISONS[name](left, right)
        holds = result if holds is True else np.logical_and(holds, result)
    return holds
