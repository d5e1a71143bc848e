"""Reads the text of an expression into a checked tree.

The grammar is the whitelist: numbers with units, symbols, the operators of Python with Python's precedence,
and calls of known functions. There is no way to write anything else, so there is nothing to filter and
nothing that runs a user's text. The parser is a precedence climber, linear in the text, and bounded in
length, tokens and nesting.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from typing import NamedTuple

from neurosim.errors import ExpressionError, suggest, unknown
from neurosim.expressions import checks
from neurosim.expressions.checks import BUILTINS, Function
from neurosim.expressions.tree import COMPARISONS, Constant, Name, Node, Symbol
from neurosim.units import PLAIN, UNITS, Unit

LONGEST = 10_000  # characters
MOST_TOKENS = 500  # bounds the depth of a chain such as 1 + 1 + 1 + …
DEEPEST = 40  # parentheses, calls, signs and powers within each other

# How tightly operators bind, as in Python; "not" and signs are prefixes.
_NOT, _COMPARISON, _SIGN, _POWER = 3, 4, 7, 8
_BINDING = {"or": 1, "and": 2, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "**": _POWER}
_BINDING |= dict.fromkeys(COMPARISONS, _COMPARISON)

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>\*\*|//|:=|[<>=!]=|[-+*/%<>(),^])"
)
_SPACE = re.compile(r"\s*")
_WORDS = {"and", "or", "not", "True", "False"}
_INSTEAD = {
    ".": "Attributes are not part of expressions.",
    "[": "Subscripts and lists are not part of expressions.",
    "'": "Texts are not part of expressions; names are written without quotes.",
    '"': "Texts are not part of expressions; names are written without quotes.",
    "=": "Write == to compare.",
    ":=": "Write == to compare.",
    "^": "Write ** for a power.",
    "//": "Write floor(a / b).",
    "&": "Write 'and'.",
    "|": "Write 'or'.",
    "!": "Write 'not'.",
    "~": "Write 'not'.",
    "if": "Write where(condition, a, b).",
    "else": "Write where(condition, a, b).",
    "is": "Write == to compare.",
    "lambda": "Functions cannot be made in expressions.",
    "for": "Expressions have no loops; they act on all elements at once.",
}


class Token(NamedTuple):
    """A piece of the text; ``kind`` is number, name, sign or end."""

    kind: str
    text: str
    position: int


def read(text: str, symbols: Mapping[str, Unit | None], functions: Mapping[str, Function]) -> Node:
    """Parse and check ``text``; raises ExpressionError without its text."""
    parser = _Parser(_tokens(text), symbols, functions)
    tree = parser.expression(0)
    parser.expect("end")
    return tree


def _tokens(text: str) -> list[Token]:
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression has {len(text)} characters, allowed are {LONGEST}")
    tokens: list[Token] = []
    place = _end_of_space(text, 0)
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise unexpected(text[place], place)
        kind = str(match.lastgroup)
        if kind == "name" and keyword.iskeyword(match[0]) and match[0] not in _WORDS:
            raise unexpected(match[0], place)
        tokens.append(Token(kind, match[0], place))
        if len(tokens) > MOST_TOKENS:
            raise ExpressionError(
                f"the expression is too long (more than {MOST_TOKENS} parts)", position=place
            )
        place = _end_of_space(text, match.end())
    if not tokens:
        raise ExpressionError("the expression is empty")
    return [*tokens, Token("end", "", len(text))]


def _end_of_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def unexpected(found: str, position: int) -> ExpressionError:
    """Make the error for something that no expression has in it, with what to write instead."""
    instead = _INSTEAD.get(found, "")
    shown = repr(found) if found.isprintable() else f"character U+{ord(found):04X}"
    return ExpressionError(f"unexpected {shown}. {instead}".rstrip(), position=position)


class _Parser:
    def __init__(
        self, tokens: list[Token], symbols: Mapping[str, Unit | None], functions: Mapping[str, Function]
    ) -> None:
        self.tokens = tokens
        self.place = 0
        self.nesting = 0
        self.symbols = symbols
        self.functions = functions

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.tokens[self.place]
        self.place += 1
        return token

    def expect(self, wanted: str) -> Token:
        """Take the sign ``wanted`` (or the end), or say what stands there instead."""
        token = self.next
        if (token.kind if wanted == "end" else token.text) != wanted:
            raise self.surprise(token, "" if wanted == "end" else f"expected '{wanted}'")
        self.place = min(self.place + 1, len(self.tokens) - 1)
        return token

    def surprise(self, token: Token, expected: str) -> ExpressionError:
        if token.kind == "end":
            return ExpressionError(f"the expression ends too early: {expected}", position=token.position)
        error = unexpected(token.text, token.position)
        if expected and token.text not in _INSTEAD:
            error = ExpressionError(f"unexpected '{token.text}', {expected}", position=token.position)
        elif token.kind == "name" or token.text == "(":
            error = ExpressionError(
                f"unexpected '{token.text}': an operator such as * is missing", position=token.position
            )
        return error

    def expression(self, binding: int) -> Node:
        """Read operands and the operators between them that bind at least as tightly as ``binding``."""
        self.nesting += 1
        if self.nesting > DEEPEST:
            raise ExpressionError(
                f"nested too deeply (more than {DEEPEST} levels)", position=self.next.position
            )
        left = self.operand(binding)
        while (bound := _BINDING.get(self.next.text, -1)) >= binding:
            if bound == _COMPARISON:
                left = self.comparison(left)
                continue
            sign = self.take()
            # a power's right side may carry a sign and groups to the right; all others group to the left
            right = self.expression(_SIGN if bound == _POWER else bound + 1)
            join = checks.logic if sign.text in ("and", "or") else checks.arithmetic
            left = join(sign.text, left, right, sign.position)
        self.nesting -= 1
        return left

    def comparison(self, left: Node) -> Node:
        operators, operands, position = [], [left], self.next.position
        while self.next.text in COMPARISONS:
            operators.append(self.take().text)
            operands.append(self.expression(_COMPARISON + 1))
        return checks.comparison(operators, operands, position)

    def operand(self, binding: int) -> Node:
        token = self.take()
        if token.kind == "number":
            return self.number(token)
        if token.text in ("-", "+"):
            operand = self.expression(_SIGN)
            return checks.negation(operand, token.position) if token.text == "-" else checks.plus(operand)
        if token.text == "not":
            if binding > _NOT:
                raise ExpressionError("put 'not …' in parentheses here", position=token.position)
            return checks.inversion(self.expression(_NOT), token.position)
        if token.text == "(":
            inner = self.expression(0)
            self.expect(")")
            return inner
        if token.kind == "name" and token.text not in ("and", "or"):
            return self.called(token) if self.next.text == "(" else self.named(token)
        self.place -= 1
        raise self.surprise(token, "expected a number, a name or '('")

    def number(self, token: Token) -> Node:
        """Read a number with the whole unit that is written after it: ``0.5 mV/ms``."""
        if self.next.kind == "name" and self.next.text not in _WORDS:
            unit = self.factor()
            while self.next.text in ("*", "/") and self.is_unit(self.tokens[self.place + 1]):
                divides = self.take().text == "/"
                unit = unit / self.factor() if divides else unit * self.factor()
            return checks.constant(float(token.text), unit, token.position)
        whole = token.text.isdigit() and len(token.text) <= 20  # ids have 64 bits
        return checks.constant(int(token.text) if whole else float(token.text), PLAIN, token.position)

    def is_unit(self, token: Token) -> bool:
        return token.text in UNITS and token.text not in self.symbols and token.text not in self.functions

    def factor(self) -> Unit:
        """Read one unit and its power: ``cm^2``."""
        token = self.take()
        if token.text not in UNITS:
            hint = suggest(token.text, UNITS)
            if token.text in self.symbols:
                hint = f" Write * between a number and '{token.text}'."
            raise ExpressionError(f"no unit '{token.text}'.{hint}", position=token.position)
        unit = UNITS[token.text]
        if self.next.text not in ("^", "**"):
            return unit
        self.take()
        sign = "-" if self.next.text == "-" else ""
        power = self.tokens[self.place + len(sign)]
        if not re.fullmatch("[1-9]", power.text):
            raise ExpressionError(
                "the power of a unit is a whole number up to 9; to raise a quantity, put it in parentheses",
                position=power.position,
            )
        self.place += 1 + len(sign)
        return unit ** int(sign + power.text)

    def named(self, token: Token) -> Node:
        name = token.text
        if self.next.text == "within" and "within" in self.functions:
            return self.followed()
        if name in ("True", "False"):
            return Constant(name == "True", None, token.position)
        if name in self.symbols:
            return Symbol(name, self.symbols[name], token.position)
        if name in self.functions or name in BUILTINS:
            raise ExpressionError(f"'{name}' is a function: write {name}(…)", position=token.position)
        if name in UNITS:
            return Constant(1.0, UNITS[name], token.position)
        raise ExpressionError(str(unknown("name", name, self.symbols)), position=token.position)

    def followed(self) -> Node:
        """Read ``NAME within TIME after NAME``, which is ``within(NAME, TIME, NAME)``."""
        function = self.functions["within"]
        self.place -= 1
        later = self.identifier(function)
        position = self.take().position
        window = self.expression(_SIGN)
        self.expect("after")
        return checks.given("within", function, [later, window, self.identifier(function)], position)

    def called(self, token: Token) -> Node:
        function = self.functions.get(token.text)
        if function is None and token.text not in BUILTINS:
            known = [*self.functions, *BUILTINS]
            raise ExpressionError(str(unknown("function", token.text, known)), position=token.position)
        self.expect("(")
        arguments: list[Node] = []
        while self.next.text != ")":
            if arguments:
                self.expect(",")
            wants = function.arguments[len(arguments) : len(arguments) + 1] if function else ()
            arguments.append(
                self.identifier(function) if function and wants == ("name",) else self.expression(0)
            )
        self.expect(")")
        if function is None:
            return checks.builtin(token.text, arguments, token.position)
        return checks.given(token.text, function, arguments, token.position)

    def identifier(self, function: Function) -> Name:
        token = self.take()
        if token.kind != "name" or token.text in _WORDS:
            self.place -= 1
            raise self.surprise(token, "expected a name")
        if function.names is not None and token.text not in function.names:
            raise ExpressionError(str(unknown("name", token.text, function.names)), position=token.position)
        return Name(token.text, None, token.position)
