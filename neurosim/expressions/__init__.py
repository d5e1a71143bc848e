"""The language of conditions and formulas: ``x > 100 um and v > 10 mV``, ``rate(exc, 100 ms) > 50 Hz``.

Expressions are read by a parser of their own into a small tree (`neurosim.expressions.tree`); no part of a
user's text is ever run as Python. Units are checked when an expression is parsed, and evaluation works on
numpy arrays.

* Numbers carry the whole unit written after them: ``w / 2 mV/ms`` divides by 2 mV/ms. Unit names also stand
  alone (``0.04/ms/mV``) where no symbol has the name.
* A number without a unit takes that of the symbol it is compared with or added to.
* Operators ``+ - * / % **``, comparisons (also chained), ``and or not``, all element by element, with
  Python's precedence. Functions: see `BUILTINS`.
* Arithmetic is float64 and follows numpy: a division by zero gives inf or nan, silently.
* Comparisons take symbols as they are: integers are compared exactly (64-bit ids, also with a number written
  without a point), and a float32 array with a constant in float32, so ``weight >= 0.7`` holds for a weight
  that was set to 0.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from neurosim.errors import ExpressionError
from neurosim.expressions.checks import BUILTINS, Function, converted, describe, rootless, unit_of
from neurosim.expressions.parser import read
from neurosim.expressions.tree import Call, Node, Symbol, evaluate, walk
from neurosim.units import UNITS

__all__ = ["BUILTINS", "Expression", "Function", "parse"]

_NO_FUNCTIONS: Mapping[str, Function] = MappingProxyType({})


@dataclass(frozen=True)
class Expression:
    """A parsed and checked expression.

    ``unit`` is that of its value: ``"bool"`` for a condition, ``""`` for a plain number. ``names`` are the
    symbols it reads. ``tree`` is what code is generated from.
    """

    text: str
    tree: Node
    unit: str
    names: frozenset[str]

    def evaluate(self, values: Mapping[str, Any]) -> float | bool | npt.NDArray[Any]:
        """Evaluate the expression.

        ``values`` holds a number or an array for each of ``names``, in the units of the symbols; arrays are
        broadcast against each other. Returns a float or bool if no array takes part, otherwise a new array of
        float64 or bool.
        """
        kind = np.bool_ if self.unit == "bool" else np.float64
        with np.errstate(all="ignore"):
            result: npt.NDArray[Any] = np.array(evaluate(self.tree, values), dtype=kind)
        return result if result.ndim else result.item()


def parse(
    text: str,
    symbols: Mapping[str, str],
    functions: Mapping[str, Function] = _NO_FUNCTIONS,
    unit: str | None = None,
    halves: bool = False,
) -> Expression:
    """Parse an expression and check its units.

    Parameters
    ----------
    text : the expression.
    symbols : the unit of each symbol that it may read; ``""`` for a number, ``"bool"`` for a truth value.
    functions : functions beyond those of the language.
    unit : what the value must be (converted if need be); None to accept any.
    halves : whether any includes half powers of units. Roots such as ``sqrt(2/tau)`` are meant to meet another
        (``*xi``, white noise), so a whole that is one is a slip, unless more is to come.

    Raises ExpressionError, which points at the place with a caret and gives the nearest name.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an expression must be a text, found {text!r:.60}")
    try:
        tree = read(text, {name: unit_of(declared) for name, declared in symbols.items()}, functions)
        tree = _settled(tree, unit)
        if unit is None and not halves:
            _check_roots(tree)
    except ExpressionError as error:
        raise ExpressionError(error.message, text, error.position) from None
    names = frozenset(node.name for node in walk(tree) if isinstance(node, Symbol))
    return Expression(text, tree, "bool" if tree.unit is None else str(tree.unit), names)


def _check_roots(tree: Node) -> None:
    if tree.unit is None or not tree.unit.is_half:
        return
    for node in walk(tree):
        if isinstance(node, Call) and node.name == "sqrt" and node.unit is not None and node.unit.is_half:
            raise rootless(node.arguments[0])


def _settled(tree: Node, wanted: str | None) -> Node:
    """Bring the whole to the unit that is wanted, or to one that can be named."""
    if wanted is None:
        if tree.unit is None or tree.unit.name or tree.unit in UNITS.values():
            return tree
        return converted(tree, tree.unit.coherent, "the expression")
    if (tree.unit is None) != (wanted == "bool"):
        kind = "a condition (true or false)" if wanted == "bool" else f"in {wanted}" if wanted else "a number"
        raise ExpressionError(
            f"the expression must be {kind}, it is {describe(tree)}", position=tree.position
        )
    target = unit_of(wanted)
    return tree if target is None else converted(tree, target, "the expression")
