"""The language of what happens at an event: ``v = v_reset; w += b``.

A statement sets a variable by one expression; statements stand on lines of their own or between semicolons, and a
``#`` begins a remark. A line may go on within parentheses. A name that is no symbol becomes a local variable when it
is first set; it has the unit of its expression and can be read and changed from then on. There is nothing else: no
branches (``where(condition, a, b)`` chooses), no loops, no calls but in expressions.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from neurosim.errors import ExpressionError, suggest, unknown
from neurosim.expressions import BUILTINS, Expression, Function, parse
from neurosim.expressions.parser import LONGEST, unexpected
from neurosim.units import UNITS

__all__ = ["OPERATORS", "Statement", "statements"]

OPERATORS = ("=", "+=", "-=", "*=", "/=")
MOST = 100  # statements

_NO_FUNCTIONS: Mapping[str, Function] = MappingProxyType({})
_REMARK = re.compile(r"#[^\n]*")
_TARGET = re.compile(r"\s*(?P<name>[^\W\d]\w*)\s*")
_OPERATOR = re.compile(r"(?P<operator>[-+*/]?=)(?!=)")
_LONGEST_NAME = 60
_LOCAL = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{_LONGEST_NAME - 1}}}")
_SIGN = re.compile(r"\*\*=|//=|[%&|^:!<>=]=|[<>]|\*\*|//|\w+|\S")
_INSTEAD = {
    "==": "Write = to set a variable.",
    ":=": "Write = to set a variable.",
    "**=": "Write the power out: x = x**2.",
    "//=": "Write x = floor(x / y).",
    "%=": "Write the remainder out: x = x % y.",
    "&=": "Write x = x and y.",
    "|=": "Write x = x or y.",
}


@dataclass(frozen=True)
class Statement:
    """``target operator expression``.

    ``operator`` is one of `OPERATORS`. The expression is in the unit of the target; with ``*=`` and ``/=`` it is a
    plain number. ``line`` counts from 1. ``local`` tells whether the target is a local variable, whose unit is that
    of the first expression it is set to.
    """

    target: str
    operator: str
    expression: Expression
    line: int
    local: bool = False


def statements(
    text: str,
    symbols: Mapping[str, str],
    writable: Collection[str],
    functions: Mapping[str, Function] = _NO_FUNCTIONS,
) -> tuple[Statement, ...]:
    """Parse statements and check names and units.

    Parameters
    ----------
    text : the statements; none at all is allowed.
    symbols : the unit of each symbol that may be read; ``""`` for a number, ``"bool"`` for a truth value.
    writable : those of ``symbols`` that may be changed.
    functions : functions beyond those of the language.

    Raises ExpressionError, which points at the line and the place in it and gives the nearest name. A local variable
    that is never read is an error: it is most likely a slip of the pen.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"statements must be a text, found {text!r:.60}")
    if len(text) > LONGEST:
        raise ExpressionError(f"the statements have {len(text)} characters, allowed are {LONGEST}")
    reader = _Reader(symbols, writable, functions)
    found: list[Statement] = []
    for begin, piece in _pieces(text):
        line = text.count("\n", 0, begin) + 1
        if len(found) == MOST:
            raise _located(ExpressionError(f"there are too many statements (more than {MOST})"), text, begin)
        try:
            found.append(reader.statement(piece, line))
        except ExpressionError as error:
            raise _located(error, text, begin) from None
        reader.begins.setdefault(found[-1].target, begin)
    for name in reader.unread:
        hint = suggest(name, writable)
        slip = ExpressionError(f"the local variable '{name}' is set here, but nothing reads it.{hint}")
        raise _located(slip, text, reader.begins[name])
    return tuple(found)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield where each statement begins, and its text; positions in it are those in the whole."""
    text = _REMARK.sub(lambda remark: " " * len(remark[0]), text)
    begin, depth = 0, 0
    for place, sign in enumerate(f"{text};"):
        depth = max(depth + (sign == "(") - (sign == ")"), 0)
        if sign == ";" or (sign == "\n" and depth == 0):
            piece = text[begin:place]
            if piece.strip():
                spaces = len(piece) - len(piece.lstrip())
                yield begin + spaces, piece[spaces:].rstrip()
            begin, depth = place + 1, 0


def _located(error: ExpressionError, text: str, begin: int) -> ExpressionError:
    """Return an error of one piece as one of the whole text, with the number of the line if there are several."""
    position = begin + (error.position or 0)
    line = text.count("\n", 0, position) + 1
    where = f"line {line}: " if "\n" in text.strip() else ""
    return ExpressionError(f"{where}{error.message}", text, position)


class _Reader:
    """Reads one statement after the other; knows the local variables so far."""

    def __init__(
        self, symbols: Mapping[str, str], writable: Collection[str], functions: Mapping[str, Function]
    ) -> None:
        self.symbols = dict(symbols)
        self.writable = tuple(name for name in symbols if name in writable)
        self.functions = functions
        self.locals: dict[str, str] = {}
        self.unread: dict[str, None] = {}
        self.begins: dict[str, int] = {}

    def statement(self, piece: str, line: int) -> Statement:
        """Read ``target operator expression``."""
        target, operator, begin = self.split(piece)
        local = target in self.locals or target not in self.symbols
        wanted = None if local and target not in self.locals else self.symbols[target]
        if operator != "=" and wanted == "bool":
            place = begin - len(operator)
            raise ExpressionError(f"'{target}' is a truth value: it can only be set, with =", position=place)
        if operator in ("*=", "/="):
            wanted = ""
        expression = self.expression(piece, begin, wanted)
        for name in expression.names:
            self.unread.pop(name, None)
        if local and target not in self.locals:
            self.symbols[target] = self.locals[target] = expression.unit
            self.unread[target] = None
        return Statement(target, operator, expression, line, local)

    def split(self, piece: str) -> tuple[str, str, int]:
        """Return the target, the operator, and where the expression begins."""
        match = _TARGET.match(piece)
        if match is None:
            raise ExpressionError("a statement begins with the name of what it sets", position=0)
        name = match["name"]
        if keyword.iskeyword(name):
            raise unexpected(name, match.start("name"))
        operator = _OPERATOR.match(piece, match.end())
        if operator is None:
            raise _no_operator(piece, match.end(), name)
        self.check_target(name, operator["operator"])
        return name, operator["operator"], operator.end()

    def check_target(self, name: str, operator: str) -> None:
        """Refuse what cannot be set."""
        if name in self.locals or name in self.writable:
            return
        if name in self.symbols:
            others = ", ".join([*self.writable, *self.locals]) or "nothing but local variables"
            raise ExpressionError(f"'{name}' cannot be changed here. What can be: {others}.", position=0)
        if name in self.functions or name in BUILTINS:
            raise ExpressionError(f"'{name}' is a function and cannot be set", position=0)
        if operator != "=":
            known = [*self.writable, *self.locals]
            raise ExpressionError(str(unknown("variable", name, known)), position=0)
        if name in UNITS:
            raise ExpressionError(f"'{name}' is a unit: give the local variable another name", position=0)
        if not _LOCAL.fullmatch(name):
            wanted = f"up to {_LONGEST_NAME} ASCII letters, digits and underscores, a letter first"
            raise ExpressionError(f"the name of a local variable has {wanted}; found '{name:.60}'", position=0)

    def expression(self, piece: str, begin: int, wanted: str | None) -> Expression:
        text = piece[begin:]
        if not text.strip():
            raise ExpressionError("the statement ends too early: expected an expression", position=len(piece))
        spaces = len(text) - len(text.lstrip())
        try:
            return parse(text.strip(), self.symbols, self.functions, wanted, halves=True)
        except ExpressionError as error:
            raise ExpressionError(error.message, position=begin + spaces + (error.position or 0)) from None


def _no_operator(piece: str, place: int, name: str) -> ExpressionError:
    """Return the error for a statement that does not go on with an operator after its target."""
    found = _SIGN.match(piece, place)
    if found is None:
        return ExpressionError(f"a statement sets something: expected = after '{name}'", position=place)
    if found[0] in _INSTEAD:
        return ExpressionError(f"unexpected '{found[0]}'. {_INSTEAD[found[0]]}", position=place)
    if found[0] in (".", "["):
        return unexpected(found[0], place)
    expected = f"expected {', '.join(OPERATORS[:-1])} or {OPERATORS[-1]} after '{name:.60}'"
    shown = found[0][:60] if found[0].isprintable() else f"U+{ord(found[0][0]):04X}"
    return ExpressionError(f"unexpected '{shown}', {expected}", position=place)
