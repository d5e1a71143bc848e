"""Algebra on the trees of checked expressions: substitution, coefficients, and constants brought together.

Units have been checked and converted when a tree comes here, so nodes that are made here are plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import reduce

from neurosim.errors import ExpressionError
from neurosim.expressions import BUILTINS
from neurosim.expressions.tree import Binary, Call, Comparison, Constant, Node, Symbol, Unary, children, walk
from neurosim.units import PLAIN

Coefficients = dict[str, Node]
"""Coefficient of each variable in a sum; that of ``REST`` is what holds no variable. What is not there is zero."""

LARGEST = 20_000
"""Nodes of a tree; subexpressions that are written out in each other can double with every line."""

REST = ""


def number(value: float) -> Node:
    """A constant."""
    return Constant(value, PLAIN, 0)


def symbol(name: str) -> Node:
    """A symbol that holds a plain number."""
    return Symbol(name, PLAIN, 0)


def call(name: str, *arguments: Node) -> Node:
    """A call of a function of the language."""
    return Call(name, arguments, BUILTINS[name][2], PLAIN, 0)


def is_number(node: Node, value: float) -> bool:
    """Whether a node is the constant ``value``."""
    return isinstance(node, Constant) and node.unit is not None and node.value == value


def names_in(node: Node) -> frozenset[str]:
    """The symbols that a tree reads."""
    return frozenset(part.name for part in walk(node) if isinstance(part, Symbol))


def calls_in(node: Node) -> list[Call]:
    """The calls in a tree."""
    return [part for part in walk(node) if isinstance(part, Call)]


def rebuilt(node: Node, parts: Iterable[Node]) -> Node:
    """The node with other operands."""
    given = tuple(parts)
    if all(new is old for new, old in zip(given, children(node), strict=True)):
        return node
    match node:
        case Unary():
            return replace(node, operand=given[0])
        case Binary():
            return replace(node, left=given[0], right=given[1])
        case Comparison():
            return replace(node, operands=given)
        case Call():
            return replace(node, arguments=given)
    return node


def substituted(node: Node, values: Mapping[str, Node]) -> Node:
    """The tree with symbols replaced by trees; raises ExpressionError where it grows out of all bounds."""
    found = _replaced(node, values) if values else node
    if _size(found, {}) > LARGEST:
        raise ExpressionError("the equations grow out of all bounds once they are written out")
    return found


def _replaced(node: Node, values: Mapping[str, Node]) -> Node:
    if isinstance(node, Symbol):
        return values.get(node.name, node)
    return rebuilt(node, (_replaced(part, values) for part in children(node)))


def _size(node: Node, known: dict[int, int]) -> int:
    """Nodes of a tree; a part that stands in it many times is counted as often, but looked at once."""
    if id(node) not in known:
        known[id(node)] = 1 + sum(_size(part, known) for part in children(node))
    return known[id(node)]


# -- making nodes, with what is trivial left out ----------------------------------------------------------


def add(left: Node, right: Node) -> Node:
    """``left + right``."""
    if isinstance(left, Constant) and isinstance(right, Constant):
        return number(left.value + right.value)
    if is_number(left, 0.0):
        return right
    if is_number(right, 0.0):
        return left
    if isinstance(right, Unary) and right.operator == "-":
        return subtract(left, right.operand)
    return Binary("+", left, right, PLAIN, left.position)


def subtract(left: Node, right: Node) -> Node:
    """``left - right``."""
    if isinstance(left, Constant) and isinstance(right, Constant):
        return number(left.value - right.value)
    if is_number(right, 0.0):
        return left
    return negate(right) if is_number(left, 0.0) else Binary("-", left, right, PLAIN, left.position)


def negate(node: Node) -> Node:
    """``-node``."""
    if isinstance(node, Constant):
        return replace(node, value=-node.value)
    if isinstance(node, Unary) and node.operator == "-":
        return node.operand
    return Unary("-", node, PLAIN, node.position)


def multiply(left: Node, right: Node) -> Node:
    """``left * right``."""
    if isinstance(left, Constant) and isinstance(right, Constant):
        return number(left.value * right.value)
    for one, other in ((left, right), (right, left)):
        if is_number(one, 1.0):
            return other
        if is_number(one, -1.0):
            return negate(other)
        if is_number(one, 0.0):
            return one
    return Binary("*", left, right, PLAIN, left.position)


def divide(left: Node, right: Node) -> Node:
    """``left / right``."""
    if isinstance(left, Constant) and isinstance(right, Constant) and right.value:
        return number(left.value / right.value)
    return left if is_number(right, 1.0) else Binary("/", left, right, PLAIN, left.position)


# -- coefficients -----------------------------------------------------------------------------------------


def affine(node: Node, variables: Collection[str]) -> Coefficients | None:
    """The coefficients of a tree that is a sum of ``variables``, each times something without them; else None."""
    if not names_in(node) & set(variables):
        return {} if is_number(node, 0.0) else {REST: node}
    match node:
        case Symbol():
            return {node.name: number(1.0)}
        case Unary(operator="-"):
            inner = affine(node.operand, variables)
            return None if inner is None else {name: negate(factor) for name, factor in inner.items()}
        case Binary(operator="+" | "-" | "*" | "/"):
            left, right = affine(node.left, variables), affine(node.right, variables)
            if left is None or right is None:
                return None
            return _joined(node.operator, left, right)
    return None


def _joined(operator: str, left: Coefficients, right: Coefficients) -> Coefficients | None:
    if operator in "+-":
        join = add if operator == "+" else subtract
        nothing = number(0.0)
        return {name: join(left.get(name, nothing), right.get(name, nothing)) for name in {**left, **right}}
    if set(right) <= {REST}:
        factor = right.get(REST, number(0.0))
        scale = multiply if operator == "*" else divide
        return {name: scale(value, factor) for name, value in left.items()}
    if operator == "*" and set(left) <= {REST}:
        factor = left.get(REST, number(0.0))
        return {name: multiply(factor, value) for name, value in right.items()}
    return None


# -- constants --------------------------------------------------------------------------------------------


def collected(node: Node, is_constant: Callable[[Node], bool]) -> Node:
    """The tree with the constants of each sum and product brought together, so that they can be computed once.

    Two or more constant terms of a sum become one, at the place of the first; constant factors of a product become
    one at its end, so that products that differ in nothing else are computed once; a division by a constant becomes a
    product with its inverse.
    """
    if is_constant(node):
        return node
    if isinstance(node, Binary) and node.operator in ("+", "-"):
        return _collected_sum(node, is_constant)
    if isinstance(node, Binary) and node.operator in ("*", "/"):
        return _collected_product(node, is_constant)
    return rebuilt(node, (collected(part, is_constant) for part in children(node)))


def terms_of(node: Node, sign: int = 1) -> list[tuple[int, Node]]:
    """The terms of a sum, in order, each with its sign."""
    if isinstance(node, Binary) and node.operator in ("+", "-"):
        return terms_of(node.left, sign) + terms_of(node.right, sign if node.operator == "+" else -sign)
    if isinstance(node, Unary) and node.operator == "-":
        return terms_of(node.operand, -sign)
    return [(sign, node)]


def _collected_sum(node: Binary, is_constant: Callable[[Node], bool]) -> Node:
    terms = terms_of(node)
    constants = [k for k, (_, term) in enumerate(terms) if is_constant(term)]
    if len(constants) < 2:
        return rebuilt(node, (collected(part, is_constant) for part in children(node)))
    sum_of_constants = sum_of(terms[k] for k in constants)
    kept = []
    for k, (sign, term) in enumerate(terms):
        if k == constants[0]:
            kept.append((1, sum_of_constants))
        elif k not in constants:
            kept.append((sign, collected(term, is_constant)))
    return sum_of(kept)


def sum_of(terms: Iterable[tuple[int, Node]]) -> Node:
    """The sum of at least one term."""
    total: Node | None = None
    for sign, term in terms:
        if total is None:
            total = term if sign > 0 else negate(term)
        else:
            total = Binary("+" if sign > 0 else "-", total, term, PLAIN, total.position)
    assert total is not None
    return total


def _factors(node: Node, power: int) -> list[tuple[int, Node]]:
    if isinstance(node, Binary) and node.operator in ("*", "/"):
        return _factors(node.left, power) + _factors(node.right, power if node.operator == "*" else -power)
    return [(power, node)]


def _collected_product(node: Binary, is_constant: Callable[[Node], bool]) -> Node:
    factors = _factors(node, 1)
    sign = number(1.0)
    plain: list[tuple[int, Node]] = []
    for power, factor in factors:
        if isinstance(factor, Unary) and factor.operator == "-":
            sign, factor = negate(sign), factor.operand
        plain.append((power, factor))
    constants = [(power, factor) for power, factor in plain if is_constant(factor)]
    others = [(power, collected(factor, is_constant)) for power, factor in plain if not is_constant(factor)]
    constant = multiply(sign, _product(constants)) if constants else sign
    return _product(others, constant)


def _product(factors: Iterable[tuple[int, Node]], last: Node | None = None) -> Node:
    """A product of factors to the power 1 or -1, and a last one: all multiplications, then one division."""
    above = [factor for power, factor in factors if power > 0]
    below = [factor for power, factor in factors if power < 0]
    numerator = reduce(multiply, above if last is None else [*above, last], number(1.0))
    return divide(numerator, reduce(multiply, below)) if below else numerator
