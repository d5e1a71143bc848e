"""Writes a checked tree as Python source: one expression that a kernel computes for each neuron.

The text is for people too: few parentheses, constants as they print, ``v*v*v`` for ``v**3``. It has no branches, so
that a loop over neurons runs on many at once: conditions are joined by ``&`` and ``|``, and `where` becomes
``a if condition else b``, which the compiler makes a selection of.

Values are float64 and truth values; they are those of `neurosim.expressions.tree.evaluate` to within a few ulp.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from neurosim.errors import ExpressionError
from neurosim.expressions.checks import BUILTINS
from neurosim.expressions.tree import Binary, Call, Comparison, Constant, Name, Node, Symbol, Unary

LONGEST = 100_000
"""Characters; what a chained comparison writes twice could double with every level."""

# How tightly things bind in Python.
_CHOICE, _NOT, _COMPARISON, _OR, _AND, _SUM, _PRODUCT, _SIGN, _ATOM = range(9)
_BINDING = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "and": _AND, "or": _OR}
_SPELLED = {"+": " + ", "-": " - ", "*": "*", "/": "/", "and": " & ", "or": " | "}

CALLS: Mapping[str, str] = MappingProxyType(
    {name: name for name in BUILTINS if name != "where"} | {"max": "maximum", "min": "minimum"}
)
"""Function of the language -> the name in `neurosim.functions`, or Python's abs, that it is written as."""

FUNCTIONS = frozenset(CALLS.values()) - {"abs"} | {"cube", "fourth", "mod", "per_exprel", "pow_", "square"}
"""Names from `neurosim.functions` that generated source may call."""

_POWERS = {1: "{}", 2: "square({})", 3: "cube({})", 4: "fourth({})"}
_SIMPLE = re.compile(r"[^\W\d]\w*(?:\.\w+|\[\w+\])*")
_CALLED = re.compile(r"(?<![\w.])[a-z]\w*(?=\()")


class _Written(NamedTuple):
    """A piece of source and how tightly its outermost operation binds."""

    text: str
    binding: int

    def at(self, binding: int) -> str:
        """The text for a place that needs at least this binding."""
        return self.text if self.binding >= binding else f"({self.text})"


def source(node: Node, names: Mapping[str, str]) -> str:
    """Write a tree as the text of a Python expression.

    Parameters
    ----------
    node : the tree of a checked `Expression`.
    names : symbol -> the Python expression that stands for it: a name, an element (``v[i]``), or anything else,
        which is put in parentheses. A function that the owner of the expression gave has its name here too;
        ``"name"`` arguments are written as they are.

    The text may call names of `FUNCTIONS`; see `functions_in`. Raises ExpressionError if it grows out of all bounds.
    """
    return _write(node, names).text


def functions_in(text: str) -> list[str]:
    """Return, in order, which of `FUNCTIONS` a generated text calls and so must import."""
    return sorted(FUNCTIONS.intersection(_CALLED.findall(text)))


def _write(node: Node, names: Mapping[str, str]) -> _Written:
    match node:
        case Constant():
            return _constant(node.value)
        case Symbol():
            text = names[node.name]
            return _Written(text, _ATOM if _SIMPLE.fullmatch(text) else _CHOICE)
        case Name():
            return _Written(names.get(node.name, node.name), _ATOM)
        case Unary(operator="not"):
            return _Written(f"not {_write(node.operand, names).at(_NOT)}", _NOT)
        case Unary():
            operand = _write(node.operand, names)
            return _Written(f"-{operand.at(_ATOM if operand.text.startswith('-') else _SIGN)}", _SIGN)
        case Binary(operator="**"):
            return _power(node, names)
        case Binary():
            return _binary(node, names)
        case Comparison():
            return _comparison(node, names)
        case Call():
            return _call(node, names)


def _constant(value: float | bool) -> _Written:
    if isinstance(value, bool):
        return _Written(repr(value), _ATOM)
    number = float(value)
    return _Written(repr(number), _SIGN if repr(number).startswith("-") else _ATOM)


def _binary(node: Binary, names: Mapping[str, str]) -> _Written:
    left, right = _write(node.left, names), _write(node.right, names)
    if node.operator == "%":
        return _Written(f"mod({left.text}, {right.text})", _ATOM)
    binding = _BINDING[node.operator]
    if node.operator == "/" and isinstance(node.right, Call) and node.right.name == "exprel":
        return _Written(_bounded(f"{left.at(binding)}*per_{right.text}", node), binding)
    # Python groups to the left; a sum of sums would round differently if the right one lost its parentheses
    text = f"{left.at(binding)}{_SPELLED[node.operator]}{right.at(binding + 1)}"
    return _Written(_bounded(text, node), binding)


def _power(node: Binary, names: Mapping[str, str]) -> _Written:
    base, exponent = _write(node.left, names), node.right
    power = exponent.value if isinstance(exponent, Constant) else None
    if power == 0.5:
        return _Written(f"sqrt({base.text})", _ATOM)
    if power == 0:
        return _Written("1.0", _ATOM)
    if power is None or abs(power) not in _POWERS:
        return _Written(_bounded(f"pow_({base.text}, {_write(exponent, names).text})", node), _ATOM)
    size = int(abs(power))
    if _SIMPLE.fullmatch(base.text):
        product = _Written("*".join([base.text] * size), _PRODUCT if size > 1 else _ATOM)
    elif size == 1:
        product = base
    else:
        product = _Written(_POWERS[size].format(base.text), _ATOM)
    return product if power > 0 else _Written(f"1.0/{product.at(_SIGN)}", _PRODUCT)


def _comparison(node: Comparison, names: Mapping[str, str]) -> _Written:
    """``a < b < c`` as ``(a < b) & (b < c)``: Python's chain is a branch."""
    operands = [_write(operand, names).at(_OR) for operand in node.operands]
    pairs = [
        f"{left} {operator} {right}"
        for left, operator, right in zip(operands, node.operators, operands[1:], strict=False)
    ]
    if len(pairs) == 1:
        return _Written(_bounded(pairs[0], node), _COMPARISON)
    return _Written(_bounded(" & ".join(f"({pair})" for pair in pairs), node), _AND)


def _call(node: Call, names: Mapping[str, str]) -> _Written:
    arguments = [_write(argument, names) for argument in node.arguments]
    if node.name == "where":
        condition, chosen, other = arguments
        text = f"{chosen.at(_NOT)} if {condition.at(_NOT)} else {other.at(_NOT)}"
        return _Written(_bounded(text, node), _CHOICE)
    if node.name in ("min", "max"):
        return _Written(_bounded(_nested(CALLS[node.name], arguments), node), _ATOM)
    ours = node.name in BUILTINS and node.call is BUILTINS[node.name][2]
    name = CALLS[node.name] if ours else names[node.name]
    return _Written(_bounded(f"{name}({', '.join(a.text for a in arguments)})", node), _ATOM)


def _nested(name: str, arguments: list[_Written]) -> str:
    """``f(f(a, b), c)``: the order in which numpy reduces."""
    text = arguments[0].text
    for argument in arguments[1:]:
        text = f"{name}({text}, {argument.text})"
    return text


def _bounded(text: str, node: Node) -> str:
    if len(text) > LONGEST:
        raise ExpressionError("the expression is too long once it is written out", position=node.position)
    return text
