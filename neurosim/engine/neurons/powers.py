"""Exponentials that are powers of each other are computed once.

The rates of Hodgkin and Huxley's kind of models hold ``exp((u - 40 mV)/(5 mV))`` beside ``exp((15 mV - u)/(5 mV))``:
the second is a constant divided by the first. And ``exp((10 mV - u)/(40 mV))`` is the eighth root of such a one, so
three squarings lead there from it. An exponential costs as much as twenty products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from neurosim.compiled import embedded
from neurosim.expressions.source import source
from neurosim.expressions.tree import Binary, Call, Constant, Node, Unary, children, walk
from neurosim.models.algebra import (
    REST,
    add,
    affine,
    call,
    divide,
    multiply,
    names_in,
    number,
    rebuilt,
    subtract,
    symbol,
)
from neurosim.models.dynamics import Dynamics
from neurosim.units import PLAIN

#: The largest distance between exponents that share: beyond, one might vanish where another matters.
FARTHEST = 40.0

#: The highest power that is made of products: errors of an exponential grow with it, to 6e-15 here.
HIGHEST = 16

_NEAR_0 = 2e-3


@embedded
def exprel_of(x, power):
    """``(power - 1)/x`` where ``power`` is ``e**x``; exact to 11 digits."""
    near = abs(x) < _NEAR_0
    value = (power - 1.0) / (1.0 if near else x)
    series = 1.0 + x * (0.5 + x * (0.16666666666666666 + x * 0.041666666666666664))
    return series if near else value


@embedded
def per_exprel_of(x, power):
    """``x/(power - 1)`` where ``power`` is ``e**x``; exact to 11 digits."""
    near = abs(x) < _NEAR_0
    value = x / (1.0 if near else power - 1.0)
    series = 1.0 + x * (x * 0.08333333333333333 - 0.5)
    return series if near else value


@dataclass
class _Group:
    """Exponents ``sign × size × variable + offset``; ``power``, the exponential of one of them, stands for all."""

    name: str
    power: Node
    sign: int
    offset: Node
    members: set[str] = field(default_factory=set)


def with_shared_powers(dynamics: Dynamics, is_constant: Callable[[Node], bool]) -> tuple[Dynamics, tuple[Node, ...]]:
    """A model's mathematics with exponentials shared, and how far apart their exponents are (constant trees)."""
    sharing = _Sharing(is_constant)
    trees = [*dynamics.named.values(), *dynamics.drift.values()]
    for tree in trees:
        sharing.find(tree)
    powers = sharing.settle()
    if not powers:
        return dynamics, ()
    named = {name: sharing.rewritten(tree) for name, tree in dynamics.named.items()}
    drift = {name: sharing.rewritten(tree) for name, tree in dynamics.drift.items()}
    return replace(dynamics, named=_in_order(named, powers), drift=drift), tuple(sharing.spans)


def _in_order(named: Mapping[str, Node], powers: Mapping[str, Node]) -> dict[str, Node]:
    """Subexpressions with the powers before what reads them."""
    ordered: dict[str, Node] = {}

    def take(name: str, tree: Node) -> None:
        for power in powers:
            if power in names_in(tree) and power not in ordered:
                take(power, powers[power])
        ordered[name] = tree

    for name, tree in [*named.items(), *powers.items()]:
        if name not in ordered:
            take(name, tree)
    return ordered


class _Sharing:
    def __init__(self, is_constant: Callable[[Node], bool]) -> None:
        self.groups: dict[tuple[str, str], _Group] = {}
        self.spans: list[Node] = []
        self._is_constant = is_constant

    def find(self, tree: Node) -> None:
        """Note the exponentials of a tree."""
        for node, (key, sign, offset) in self._exponentials(tree):
            argument = node.arguments[0]
            name = f"power__{len(self.groups) + 1}"
            group = self.groups.setdefault(key, _Group(name, call("exp", argument), sign, offset))
            group.members.add(_text(argument))

    def settle(self) -> dict[str, Node]:
        """Keep the groups that save an exponential; returns what the names of powers stand for."""
        powers: dict[str, Node] = {}
        raised: set[str] = set()
        kept = {group.name for group in self.groups.values() if len(group.members) > 1}
        sizes = {key: size for key in self.groups if (size := _number(key[1])) > 0.0}
        for low in sorted(sizes, key=sizes.__getitem__):
            base = self.groups[low]
            for key in sizes:
                times, group = round(sizes[key] / sizes[low]), self.groups[key]
                alike = abs(sizes[key] - times * sizes[low]) <= 1e-14 * sizes[key]
                if key[0] != low[0] or not 1 < times <= HIGHEST or not alike or {base.name, group.name} & raised:
                    continue
                group.sign, group.offset = base.sign, multiply(number(float(times)), base.offset)
                group.power = _raised(base.name, times, powers)
                raised.add(group.name)
                kept |= {base.name, group.name}
        self.groups = {key: group for key, group in self.groups.items() if group.name in kept}
        return powers | {group.name: group.power for group in self.groups.values()}

    def _exponentials(self, tree: Node) -> Iterator[tuple[Call, tuple[tuple[str, str], int, Node]]]:
        for node in walk(tree):
            if isinstance(node, Call) and node.name in ("exp", "exprel") and (found := self._read(node.arguments[0])):
                yield node, found

    def _read(self, argument: Node) -> tuple[tuple[str, str], int, Node] | None:
        """(variable, size of the factor), sign of the factor, offset; None for what is no line in one variable."""
        changing = [name for name in names_in(argument) if not self._is_constant(symbol(name))]
        parts = affine(argument, set(changing)) if len(changing) == 1 else None
        if parts is None or changing[0] not in parts:
            return None
        sign, size = _unsigned(parts[changing[0]])
        return (changing[0], _text(size)), sign, parts.get(REST, number(0.0))

    def rewritten(self, node: Node) -> Node:
        """A tree that reads the shared exponentials."""
        if isinstance(node, Binary) and node.operator == "/" and isinstance(node.right, Call):
            power = self._power(node.right) if node.right.name == "exprel" else None
            if power is not None:
                left, argument = self.rewritten(node.left), node.right.arguments[0]
                return multiply(left, Call("per_exprel_of", (argument, power), np.divide, PLAIN, node.position))
        power = self._power(node) if isinstance(node, Call) else None
        if power is not None and isinstance(node, Call):
            if node.name == "exp":
                return power
            return Call("exprel_of", (node.arguments[0], power), np.divide, PLAIN, node.position)
        return rebuilt(node, (self.rewritten(part) for part in children(node)))

    def _power(self, node: Call) -> Node | None:
        """An exponential in terms of the one that its group shares."""
        read = self._read(node.arguments[0]) if node.name in ("exp", "exprel") else None
        group = None if read is None else self.groups.get(read[0])
        if read is None or group is None:
            return None
        _, sign, offset = read
        shared = symbol(group.name)
        span = subtract(offset, group.offset) if sign == group.sign else add(offset, group.offset)
        if sign == group.sign and _text(offset) == _text(group.offset):
            return shared
        self.spans.append(span)
        ratio = call("exp", span)
        return multiply(ratio, shared) if sign == group.sign else divide(ratio, shared)


def _raised(name: str, times: int, powers: dict[str, Node]) -> Node:
    """A power of a power, by repeated squaring; the squares join ``powers``."""
    square, result, k = symbol(name), None, 1
    while True:
        if times & k:
            result = square if result is None else multiply(result, square)
        k *= 2
        if k > times:
            return square if result is None else result
        powers.setdefault(f"{name}__{k}", multiply(square, square))
        square = symbol(f"{name}__{k}")


def _number(text: str) -> float:
    """The number that a text is, 0 for any other text."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def _text(node: Node) -> str:
    return source(node, {name: name for name in names_in(node)})


def _unsigned(node: Node) -> tuple[int, Node]:
    """The sign that a tree is written with, and the rest."""
    match node:
        case Constant() if node.value < 0:
            return -1, number(-node.value)
        case Unary(operator="-"):
            sign, inner = _unsigned(node.operand)
            return -sign, inner
        case Binary(operator="*" | "/"):
            left_sign, left = _unsigned(node.left)
            right_sign, right = _unsigned(node.right)
            return left_sign * right_sign, rebuilt(node, (left, right))
    return 1, node

