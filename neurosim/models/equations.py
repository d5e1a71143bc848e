"""Reads the equations of a neuron model, in the field's notation (Brian2's), one per line:

    dv/dt = (e_l - v)/tau_m + (i_exc + i_stim)/c_m : mV (unless refractory)     a differential equation
    i_na = g_na*m**3*h*(e_na - v) : pA                                          a name for an expression
    i_syn : mV/ms                                                               a variable that only events change

The unit stands after the colon: that of the variable itself, so that the right side of its differential equation must
be that per ms. ``xi`` (and ``xi_name``, independent of each other) is white noise of unit variance, in 1/sqrt(ms).
A ``#`` begins a comment; an equation whose parentheses are open goes on in the next line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from neurosim.errors import ExpressionError, NeurosimError, unknown
from neurosim.expressions import BUILTINS, Expression, parse
from neurosim.expressions.tree import Node
from neurosim.models.algebra import names_in
from neurosim.units import PLAIN, parse_unit

LONGEST = 20_000  # characters of all equations of a model
MOST = 200  # equations

TIME_SYMBOLS = MappingProxyType({"t": "ms", "dt": "ms"})
NOISE_UNIT = "1/sqrt(ms)"

# What populations call their own, and what the language means by itself.
RESERVED = frozenset({
    "t", "dt", "xi", "rand", "id", "i_stim", "alive", "last_spike", "held_until", "x", "y", "z", "ids", "name", "size",
    "index", "model", "configured", "network", "parameters", "columns", "defaults", "variables", "positions", "state",
    "where", "add", "remove", "set_parameter", "slots", "used", "shards", "stride", "n_slots", "ordered", "watcher",
    "first_id", "spread", "placement",
})  # fmt: skip

_NAME = r"[^\W\d_]\w*"
_KINDS = {
    "differential": re.compile(rf"\s*d({_NAME})\s*/\s*dt\s*="),
    "definition": re.compile(rf"\s*({_NAME})\s*=(?!=)"),
    "plain": re.compile(rf"\s*({_NAME})\s*:"),
}
_UNIT = re.compile(r"([^()]*)(?:\(([^()]*)\))?\s*")
_NOISE = re.compile(r"(?<!\w)xi(?:_\w+)?(?!\w)")


class _Line(NamedTuple):
    """A written equation; ``start`` is where its right side begins in the whole text."""

    kind: str
    name: str
    right: str
    start: int
    unit: str
    flags: tuple[str, ...]
    position: int
    text: str


@dataclass(frozen=True)
class Differential:
    """``d name/dt = rate``; ``rate`` is in the variable's unit per ms. A ``held`` one stands still while refractory."""

    name: str
    unit: str
    rate: Node
    held: bool
    text: str
    position: int


@dataclass(frozen=True)
class Subexpression:
    """A name for an expression, evaluated wherever it is read."""

    name: str
    unit: str
    tree: Node
    text: str


@dataclass(frozen=True)
class Equations:
    """The equations of a model, read and checked; subexpressions come after those that they read."""

    text: str
    differentials: tuple[Differential, ...]
    subexpressions: tuple[Subexpression, ...]
    plain: Mapping[str, str]
    noises: tuple[str, ...]

    @property
    def state(self) -> dict[str, str]:
        """Name and unit of each variable, differential equations first."""
        return {equation.name: equation.unit for equation in self.differentials} | dict(self.plain)

    @property
    def named(self) -> dict[str, Node]:
        """The tree of each subexpression."""
        return {part.name: part.tree for part in self.subexpressions}

    @property
    def symbols(self) -> dict[str, str]:
        """Name and unit of everything that conditions and resets may read of the equations."""
        return self.state | {part.name: part.unit for part in self.subexpressions}


def located(error: NeurosimError, owner: str, text: str, start: int = 0) -> ExpressionError:
    """An error in a part of ``text`` as one of the whole, with the number of its line."""
    message, position = str(error), start
    if isinstance(error, ExpressionError):
        message, position = error.message, start + (error.position or 0)
    line = text.count("\n", 0, position) + 1
    where = f"{owner}, line {line}" if "\n" in text.strip() else owner
    return ExpressionError(f"{where}: {message}", text, position)


def read_equations(text: str, symbols: Mapping[str, str], owner: str) -> Equations:
    """Read and check equations.

    Parameters
    ----------
    symbols : name -> unit of what they may read besides each other: parameters, and ``i_stim`` where there is one.
    owner : the model's name, for messages.

    Raises ExpressionError, which points at the line and the place in it.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"{owner}: equations must be a text, found {text!r:.60}")
    if len(text) > LONGEST:
        raise ExpressionError(f"{owner}: the equations have {len(text)} characters, allowed are {LONGEST}")
    lines = [_read_line(part, start, owner, text) for start, part in _logical_lines(text)]
    if len(lines) > MOST:
        raise ExpressionError(f"{owner}: there are {len(lines)} equations, allowed are {MOST}")
    _check_names(lines, symbols, owner, text)
    noises = tuple(dict.fromkeys(m[0] for line in lines for m in _NOISE.finditer(line.right) if m[0] not in symbols))
    known = {**symbols, **TIME_SYMBOLS, **{line.name: line.unit for line in lines}}
    known |= {name: NOISE_UNIT for name in noises if name not in known}
    differentials, parts, plain = [], [], {}
    for line in lines:
        if line.kind == "plain":
            plain[line.name] = line.unit
        elif line.kind == "differential":
            per_ms = "1/ms" if parse_unit(line.unit) == PLAIN else f"{line.unit}/ms"
            tree = _parsed(line, known, per_ms, owner, text)
            held = line.flags == ("unless refractory",)
            differentials.append(Differential(line.name, line.unit, tree, held, line.text, line.position))
        else:
            tree = _parsed(line, known, line.unit, owner, text)
            parts.append((line, Subexpression(line.name, line.unit, tree, line.text)))
    return Equations(text, tuple(differentials), _in_order(parts, owner, text), MappingProxyType(plain), noises)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(position, text) of every equation; comments are blank, open parentheses join lines."""
    bare = re.sub(r"#[^\n]*", lambda comment: " " * len(comment[0]), text)
    start, opened = 0, 0
    for end in [*(m.start() for m in re.finditer("\n", bare)), len(bare)]:
        part = bare[start:end]
        opened = part.count("(") - part.count(")")
        if opened > 0 and end < len(bare):
            continue
        if part.strip():
            yield start, part
        start = end + 1


def _read_line(part: str, start: int, owner: str, text: str) -> _Line:
    here = start + len(part) - len(part.lstrip())
    shown = " ".join(part.split())
    found = [(kind, match) for kind, pattern in _KINDS.items() if (match := pattern.match(part)) is not None]
    if not found:
        message = "write an equation as 'dv/dt = … : mV', 'name = … : mV' or 'name : mV'"
        raise located(ExpressionError(message), owner, text, here)
    kind, match = found[0]
    colon = part.rfind(":") if kind != "plain" else match.end() - 1
    if colon < match.end() - 1:
        message = f"the unit of {match[1]} is missing; write it after a colon: '… : mV', or '… : 1' for a plain number"
        raise located(ExpressionError(message), owner, text, start + len(part.rstrip()) - 1)
    after = _UNIT.fullmatch(part[colon + 1 :])
    if after is None:
        message = "after the unit only '(unless refractory)' may stand"
        raise located(ExpressionError(message), owner, text, start + colon)
    flags = tuple(flag.strip() for flag in (after[2] or "").split(",") if flag.strip())
    allowed = ("unless refractory",) if kind == "differential" else ()
    for flag in flags:
        if flag not in allowed:
            at = start + part.find(flag, colon)
            raise located(unknown("flag", flag, allowed, f"of {match[1]}"), owner, text, at)
    written = after[1].strip()
    unit = "bool" if kind == "definition" and written in ("bool", "boolean") else _read_unit(
        written, owner, text, start + colon + 1
    )
    return _Line(kind, match[1], part[match.end() : colon], start + match.end(), unit, flags, here, shown)


def _read_unit(written: str, owner: str, text: str, position: int) -> str:
    try:
        parse_unit(written)
    except NeurosimError as error:
        raise located(error, owner, text, position + 1) from None
    return "" if written == "1" else written


def _check_names(lines: Iterable[_Line], symbols: Mapping[str, str], owner: str, text: str) -> None:
    seen: dict[str, str] = dict.fromkeys(symbols, "a parameter")
    for line in lines:
        problem = ""
        if line.name in seen:
            problem = f"'{line.name}' is {seen[line.name]} already"
        else:
            problem = name_problem(line.name)
        if problem:
            raise located(ExpressionError(problem), owner, text, line.position)
        seen[line.name] = "defined"


def name_problem(name: str) -> str:
    """What speaks against a name for a parameter or variable of a model; nothing if it may be used."""
    if not re.fullmatch(_NAME, name, re.ASCII):
        return f"'{name}' is no name: letters (a to z), digits and underscores, beginning with a letter"
    if "__" in name:
        return f"'{name}': two underscores in a row are kept for generated code"
    if name in RESERVED or name.startswith("xi_"):
        return f"'{name}' has a meaning of its own here; choose another name"
    return f"'{name}' is a function; choose another name" if name in BUILTINS else ""


def _parsed(line: _Line, symbols: Mapping[str, str], unit: str, owner: str, text: str) -> Node:
    try:
        return parse(line.right, symbols, unit=unit).tree
    except NeurosimError as error:
        raise located(error, owner, text, line.start) from None


def _in_order(
    parts: list[tuple[_Line, Subexpression]], owner: str, text: str
) -> tuple[Subexpression, ...]:
    """Subexpressions after those they read; raises ExpressionError that names a circle."""
    known = {part.name: (line, part) for line, part in parts}
    ordered: dict[str, Subexpression] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        line, part = known[name]
        if name in above:
            circle = " → ".join([*above[above.index(name) :], name])
            message = f"these depend on each other in a circle: {circle}. Make one of them a differential equation."
            raise located(ExpressionError(message), owner, text, line.position)
        if name not in ordered:
            for other in sorted(names_in(part.tree) & known.keys()):
                visit(other, (*above, name))
            ordered[name] = part

    for name in known:
        visit(name, ())
    return tuple(ordered.values())


def read_expression(text: str, symbols: Mapping[str, str], unit: str, owner: str) -> Expression:
    """Read one expression of a model; ``owner`` says which, for messages."""
    try:
        return parse(text, symbols, unit=unit)
    except ExpressionError as error:
        raise located(error, owner, text) from None
