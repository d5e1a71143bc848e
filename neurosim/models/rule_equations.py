"""Reads the equations of a learning rule: which traces, variables and captured values it has, and how they fade.

    dx/dt = -x/tau_plus : 1 (pre)            presynaptic trace; ``(pre, nearest)`` is set to 1 instead of raised by 1
    dy/dt = -y/tau_minus : 1 (post)          postsynaptic trace
    dR/dt = (1 - R)/tau_rec : 1              synapse variable with linear dynamics
    sd : weight                              synapse variable that is constant between events
    dd/dt = -d/tau_d : 1 (modulator)         trace of the rule's modulator: raised by the amount of each of its events
    dweight/dt = sd*(d + baseline)           the weight (or a variable) moves with products of what fades to 0
    theta = v_th_post : mV (captured)        a variable of the target neuron, as it was at its last spike
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neurosim.errors import ExpressionError, UnitError, suggest
from neurosim.expressions import BUILTINS, Expression, parse
from neurosim.expressions.tree import Binary, Node, Symbol, Unary, evaluate, walk
from neurosim.units import UNITS, parse_unit

LONGEST = 10_000  # characters of equations
_FLAGS = ("pre", "post", "modulator", "nearest", "captured")
_COMMENT = re.compile(r"#[^\n]*")
_LINE = re.compile(r"[^\n;]+")
_CHANGE = re.compile(r"\s*d(\w+)\s*/\s*dt\s*\Z")
_NAME = re.compile(r"[A-Za-z]\w*\Z", re.ASCII)
_FACTOR = re.compile(r"\s*([^\W\d_]+|1)\s*(?:(?:\^|\*\*)\s*(-?[1-9]))?\s*(\*|/|\Z)")

#: Names that have a meaning of their own in the code of rules.
RESERVED = frozenset({"weight", "delay", "w_min", "w_max", "d_min", "d_max", "dt", "t", "amount"})


@dataclass(frozen=True)
class Equation:
    """One line of equations, read but not yet checked.

    ``kind`` is "pre", "post" or "modulator" for a trace, "dynamic", "driven" or "constant" for a synapse variable, or
    "captured". What is driven moves with other values; it may be the weight, which is no variable of the rule's own.
    ``unit`` may be in terms of ``weight``. ``position`` is where ``expression`` begins in ``text``, the whole.
    """

    kind: str
    name: str
    unit: str
    expression: str
    nearest: bool
    text: str
    position: int

    @property
    def is_trace(self) -> bool:
        """Whether neurons (or a signal) have it, and synapses share it."""
        return self.kind in ("pre", "post", "modulator")

    @property
    def is_variable(self) -> bool:
        """Whether every synapse has its own value of it, which code may write."""
        return self.kind in ("dynamic", "driven", "constant") and self.name != "weight"

    def error(self, message: str, position: int | None = None) -> ExpressionError:
        """An error that points into the line; ``position`` counts from the start of ``expression``."""
        return ExpressionError(message, self.text, self.position + (position or 0))

    def parse(self, symbols: Mapping[str, str], unit: str) -> Expression:
        """The right-hand side, which must be in ``unit``."""
        try:
            return parse(self.expression, symbols, unit=unit)
        except ExpressionError as error:
            raise self.error(error.message, error.position) from None


def read_equations(text: str) -> tuple[Equation, ...]:
    """Read the equations of a rule, one per line (or between ``;``); ``#`` begins a comment.

    Raises ExpressionError, which points at the place.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"equations are written as a text, one per line; found {text!r:.60}")
    if len(text) > LONGEST:
        raise ExpressionError(f"the equations have {len(text)} characters, allowed are {LONGEST}")
    bare = _COMMENT.sub(lambda comment: " " * len(comment[0]), text)
    equations: dict[str, Equation] = {}
    for line in _LINE.finditer(bare):
        if line[0].strip():
            equation = _read_line(line[0], text, line.start())
            if equation.name in equations:
                raise ExpressionError(f"'{equation.name}' has two equations", text, line.start())
            equations[equation.name] = equation
    return tuple(equations.values())


def _read_line(line: str, text: str, start: int) -> Equation:
    left, colon, right = line.partition(":")
    if not colon:
        raise ExpressionError(
            "an equation ends with its unit: dx/dt = -x/tau : 1 (pre), or 'name : unit' where only events change it",
            text, start + len(line.rstrip()) - 1,
        )  # fmt: skip
    written, flags = _unit_and_flags(right, text, start + len(left) + 1)
    name, equals, expression = left.partition("=")
    change = _CHANGE.match(name) if equals else None
    kind = _kind(flags, bool(equals), change is not None, text, start)
    name = change[1] if change else name.strip()
    begin = start + len(line) - len(line.lstrip())
    if kind == "dynamic" and not re.search(rf"\b{name}\b", expression):
        kind = "driven"
    if (kind, name) != ("driven", "weight"):
        check_name(name, text, begin)
    position = start + len(left) - len(expression) + len(expression) - len(expression.lstrip())
    return Equation(kind, name, written, expression.strip(), "nearest" in flags, text, position)


def _unit_and_flags(right: str, text: str, start: int) -> tuple[str, set[str]]:
    unit, bracket, rest = right.partition("(")
    inside, closing, after = rest.partition(")")
    if bracket and (not closing or after.strip()):
        message = "after the unit there may be (pre), (post), (modulator) or (captured)"
        raise ExpressionError(message, text, start + len(unit))
    flags = [flag.strip() for flag in inside.split(",")] if bracket else []
    for flag in flags:
        if flag not in _FLAGS:
            message = f"no flag '{flag:.20}'. Known: {', '.join(_FLAGS)}.{suggest(flag, _FLAGS)}"
            raise ExpressionError(message, text, start + len(unit))
    if not unit.strip():
        raise ExpressionError("the unit is missing; a plain number has the unit 1", text, start)
    try:
        resolved(unit, "mV")
    except UnitError as error:
        raise ExpressionError(str(error), text, start + len(unit) - len(unit.lstrip())) from None
    return unit.strip(), set(flags)


def _kind(flags: set[str], has_expression: bool, changes: bool, text: str, start: int) -> str:
    sides = [side for side in ("pre", "post", "modulator") if side in flags]
    wanted = {"pre": changes, "post": changes, "modulator": changes, "captured": has_expression and not changes,
              "nearest": changes and bool(flags & {"pre", "post"})}  # fmt: skip
    wrong = [flag for flag in flags if not wanted[flag]]
    if wrong or len(sides) > 1:
        raise ExpressionError(
            "(pre), (post) and (modulator) mark traces, dx/dt = -x/tau : 1 (pre), one of them each; (pre, nearest) "
            "counts the last spike only; (captured) marks name = variable_post : unit",
            text, start,
        )  # fmt: skip
    if has_expression and not changes and "captured" not in flags:
        raise ExpressionError(
            "left of = stands dNAME/dt; a value of the target neuron at its spike is marked (captured)", text, start
        )
    if changes:
        return sides[0] if sides else "dynamic"
    return "captured" if has_expression else "constant"


def check_name(name: str, text: str = "", position: int | None = None) -> None:
    """Refuse a name of a variable or parameter that could not be read in code; raises ExpressionError."""
    shown = f"{name:.40}"
    if not _NAME.match(name) or len(name) > 40:
        raise ExpressionError(f"'{shown}' cannot be a name: letters, digits and _ after a letter", text, position)
    if name in RESERVED or name in BUILTINS or keyword.iskeyword(name):
        raise ExpressionError(f"'{shown}' has a meaning of its own in the code of rules", text, position)


def resolved(unit: str, weight_unit: str) -> str:
    """A unit in which ``weight`` stands for the unit of the projection's weights, as text: ``weight/ms``.

    Raises UnitError for what is no unit.
    """
    written = unit.strip()
    if written == "weight":
        parse_unit(weight_unit)
        return weight_unit
    if "weight" not in written:
        return "" if parse_unit(written).name == "" else written
    factors: list[tuple[str, int]] = []
    for name, power in _factors(written):
        if name == "weight":
            factors += [(inner, power * n) for inner, n in _factors(weight_unit)]
        elif name in UNITS:
            factors.append((name, power))
        elif name != "1":
            raise UnitError(f"no unit '{name}'.{suggest(name, [*UNITS, 'weight'])}")
    powers = {name: sum(n for other, n in factors if other == name) for name, _ in factors}
    above = "*".join(_power(name, n) for name, n in powers.items() if n > 0)
    below = "".join(f"/{_power(name, -n)}" for name, n in powers.items() if n < 0)
    return (above or "1" if below else above) + below


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}^{exponent}"


def _factors(unit: str) -> list[tuple[str, int]]:
    """The named factors of a unit with their powers; nothing for a plain number."""
    place, sign, factors = 0, 1, []
    while place < len(unit.strip()):
        factor = _FACTOR.match(unit.strip(), place)
        if factor is None:
            raise UnitError(f"cannot read the unit '{unit:.40}'. Write it like 'mV', '1/ms' or 'weight/ms'.")
        factors.append((factor[1], sign * int(factor[2] or 1)))
        place, sign = factor.end(), -1 if factor[3] == "/" else 1
    return factors


def decay(equation: Equation, tree: Node, unit: str, constants: Mapping[str, float]) -> tuple[float, float]:
    """Rate (1/ms) and target of ``dx/dt = rate·(target - x)``, for a trace or a synapse variable.

    ``tree`` is the right-hand side in ``unit``/ms, ``constants`` holds the values of what is constant in it. Raises
    ExpressionError where it is not linear in x, reads anything that changes, or lets x grow without bound.
    """
    name = equation.name
    for node in walk(tree):
        if isinstance(node, Symbol) and node.name != name and node.name not in constants:
            message = f"d{name}/dt may read {name} and parameters; '{node.name}' changes with time"
            raise equation.error(message, node.position)
    with np.errstate(all="ignore"):
        offset, slope = _affine(tree, name, constants, equation)
    if not (math.isfinite(offset) and math.isfinite(slope)):
        raise equation.error(f"with these parameters, d{name}/dt is not finite")
    if slope > 0:
        raise equation.error(f"'{name}' would grow without bound; write something like -{name}/tau")
    if slope == 0 and offset != 0:
        raise equation.error(f"'{name}' would drift without bound; d{name}/dt must fade towards a value")
    if equation.is_trace and (offset != 0 or unit):
        raise equation.error(f"a trace is a plain number (: 1) that fades to 0; write -{name}/tau")
    return (-slope + 0.0, offset / -slope + 0.0) if slope else (0.0, 0.0)


def _affine(node: Node, name: str, constants: Mapping[str, float], equation: Equation) -> tuple[float, float]:
    """(a, b) of a tree that is a + b·name."""
    if not any(isinstance(inner, Symbol) and inner.name == name for inner in walk(node)):
        return float(evaluate(node, constants)), 0.0
    match node:
        case Symbol():
            return 0.0, 1.0
        case Unary(operator="-"):
            offset, slope = _affine(node.operand, name, constants, equation)
            return -offset, -slope
        case Binary(operator="+" | "-" as sign):
            left, right = (_affine(side, name, constants, equation) for side in (node.left, node.right))
            factor = 1.0 if sign == "+" else -1.0
            return left[0] + factor * right[0], left[1] + factor * right[1]
        case Binary(operator="*"):
            (a, b), (c, d) = (_affine(side, name, constants, equation) for side in (node.left, node.right))
            if not (_reads(node.left, name) and _reads(node.right, name)):
                return a * c, a * d + b * c
        case Binary(operator="/") if not _reads(node.right, name):
            a, b = _affine(node.left, name, constants, equation)
            divisor = np.float64(evaluate(node.right, constants))
            return float(a / divisor), float(b / divisor)
    raise equation.error(f"d{name}/dt must be linear in {name}, so that it has a closed form", node.position)


def products(equation: Equation, tree: Node, constants: Mapping[str, float]) -> list[tuple[float, tuple[str, ...]]]:
    """The right-hand side of a driven equation as a sum of products: factor, and names of the values multiplied.

    Raises ExpressionError where it is none, or where a term has no value in it and would drift for ever.
    """
    with np.errstate(all="ignore"):
        terms = _products(tree, constants, equation)
    for factor, names in terms:
        if not math.isfinite(factor):
            raise equation.error(f"with these parameters, d{equation.name}/dt is not finite")
        if not names and factor:
            raise equation.error(f"'{equation.name}' would drift without bound; d{equation.name}/dt must fade")
    return [(factor, names) for factor, names in terms if names]


def _products(node: Node, constants: Mapping[str, float], equation: Equation) -> list[tuple[float, tuple[str, ...]]]:
    if all(inner.name in constants for inner in walk(node) if isinstance(inner, Symbol)):
        return [(float(evaluate(node, constants)), ())]
    match node:
        case Symbol():
            return [(1.0, (node.name,))]
        case Unary(operator="-"):
            return [(-factor, names) for factor, names in _products(node.operand, constants, equation)]
        case Binary(operator="+" | "-" as sign):
            left, right = (_products(side, constants, equation) for side in (node.left, node.right))
            return left + [(factor if sign == "+" else -factor, names) for factor, names in right]
        case Binary(operator="*"):
            left, right = (_products(side, constants, equation) for side in (node.left, node.right))
            return [(a * b, names + others) for a, names in left for b, others in right]
        case Binary(operator="/") if all(n.name in constants for n in walk(node.right) if isinstance(n, Symbol)):
            divisor = np.float64(evaluate(node.right, constants))
            return [(float(a / divisor), names) for a, names in _products(node.left, constants, equation)]
    raise equation.error(
        f"d{equation.name}/dt must be a sum of products of what fades to 0, so that it has a closed form", node.position
    )


def _reads(node: Node, name: str) -> bool:
    return any(isinstance(inner, Symbol) and inner.name == name for inner in walk(node))
