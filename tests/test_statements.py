"""Statements: what they set, by which expression, and what is refused with a line and a caret."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurosim.errors import ExpressionError
from neurosim.expressions import Function
from neurosim.expressions.statements import OPERATORS, Statement, statements
from neurosim.units import parse_unit

SYMBOLS = {
    "v": "mV", "w": "mV", "weight": "mV", "n": "", "tau": "ms", "fired": "bool", "sigma": "mV", "xi": "1/sqrt(ms)",
}  # fmt: skip
WRITABLE = ("v", "w", "weight", "n", "fired")
RAND = {"rand": Function((), "", lambda: 0.25)}


def read(text: str) -> tuple[Statement, ...]:
    return statements(text, SYMBOLS, WRITABLE, RAND)


def run(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Carry the statements out, one after the other."""
    values = dict(values)
    for statement in read(text):
        value: Any = statement.expression.evaluate(values)
        old = values.get(statement.target)
        values[statement.target] = {
            "=": lambda old, x: x,
            "+=": lambda old, x: old + x,
            "-=": lambda old, x: old - x,
            "*=": lambda old, x: old * x,
            "/=": lambda old, x: old / x,
        }[statement.operator](old, value)
    return values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v = -70", {"v": -70.0}),
        ("v = -0.07 V", {"v": -70.0}),
        ("v += 1 V; w -= 3", {"v": 1010.0, "w": 1.0}),
        ("n *= 3\nn /= 2", {"n": 3.0}),
        ("v = w\nw = v", {"v": 4.0, "w": 4.0}),  # one after the other, not at once
        ("a = 2*v; w = a + 1 mV", {"w": 21.0, "a": 20.0}),
        ("a = v; a += 1 V; a *= 2; w = a", {"w": 2020.0}),
        ("share = w/v; v *= share", {"v": 4.0, "share": 0.4}),
        ("up = v > 3; w = where(up and not fired, v, 1)", {"w": 10.0, "up": True}),
        ("fired = v > w", {"fired": True}),
        ("w = where(v > 3,\n          v,\n  2*v)  # one statement on three lines\n\n\nn = 1", {"w": 10.0, "n": 1.0}),
        ("# nothing; but = a remark\n ; v = 1 # and (another\r\n\tw = 2;;", {"v": 1.0, "w": 2.0}),
        ("noise = sqrt(2/tau); v += sigma*noise*xi*tau", {"v": 10 + 2 * 0.5 * 3 * 8}),
        ("n = rand()", {"n": 0.25}),
        ("n=-1", {"n": -1.0}),
        ("n =- 1", {"n": -1.0}),
        ("", {}),
        ("  \n;\n", {}),
    ],
)
def test_what_statements_do(text: str, expected: dict[str, float]) -> None:
    begin = {"v": 10.0, "w": 4.0, "weight": 1.0, "n": 2.0, "tau": 8.0, "fired": False, "sigma": 2.0, "xi": 3.0}
    after = run(text, begin)
    assert {name: after[name] for name in expected} == expected
    assert {name: x for name, x in after.items() if name not in expected and name in begin} == {
        name: x for name, x in begin.items() if name not in expected
    }


def test_lines_units_and_locals_are_known() -> None:
    found = read("a = v/tau\n\nw += a*(1\n ms); n *= 2\n  weight = w")
    assert [(s.target, s.operator, s.line, s.local) for s in found] == [
        ("a", "=", 1, True), ("w", "+=", 3, False), ("n", "*=", 4, False), ("weight", "=", 5, False),
    ]  # fmt: skip
    assert [s.expression.unit for s in found] == ["mV/ms", "mV", "", "mV"]
    assert found[1].expression.names == {"a"}


@pytest.mark.parametrize(
    "expression", ["v*v", "sqrt(2/tau)", "v/tau**2", "1/sqrt(v/V)", "xi**3", "v/V", "sqrt(v)*tau", "5 nS/cm^2", "n"]
)
def test_the_unit_of_a_local_can_be_read_back(expression: str) -> None:
    (statement, _) = read(f"a = {expression}; a += a")
    unit = statement.expression.unit
    assert statement.expression.tree.unit is not None
    assert parse_unit(unit) == statement.expression.tree.unit


@pytest.mark.parametrize(
    ("text", "said", "line", "column"),
    [
        # names
        ("weigth += 1 mV", "no variable 'weigth'. Known: v, w, weight, n, fired. Did you mean 'weight'?", 1, 0),
        ("v = 1\nw = vv", "no name 'vv'", 2, 4),
        ("v = weigth", "Did you mean 'weight'?", 1, 4),
        ("w = (v +\n v +\n  q)", "no name 'q'", 3, 2),
        ("tau = 3 ms", "'tau' cannot be changed here. What can be: v, w, weight, n, fired.", 1, 0),
        ("a = v; tau = a", "What can be: v, w, weight, n, fired, a.", 1, 7),
        ("exp = 3", "'exp' is a function", 1, 0),
        ("v = 1; rand = 3", "'rand' is a function", 1, 7),
        ("ms = 3", "'ms' is a unit", 1, 0),
        ("_a = 3; n = _a", "a letter first; found '_a'", 1, 0),
        ("__import__ = 3", "found '__import__'", 1, 0),
        ("ﬁ = 3; n = ﬁ", "ASCII letters", 1, 0),
        ("a" * 61 + " = 3", "up to 60", 1, 0),
        ("a += 1; v = a", "no variable 'a'", 1, 0),
        ("v = a; a = 1", "no name 'a'", 1, 4),
        ("wieght = v\nw = 1", "'wieght' is set here, but nothing reads it. Did you mean 'weight'?", 1, 0),
        # units
        ("v += 2 ms", "the expression must be a voltage (mV), found a time (ms)", 1, 5),
        ("v *= 2 mV", "the expression must be a plain number, found a voltage (mV)", 1, 5),
        ("v = 3\n\nn = v", "the expression must be a plain number, found a voltage (mV)", 3, 4),
        ("a = 2*v; a = tau; v = a", "the expression must be a voltage (mV), found a time (ms)", 1, 13),
        ("v += fired", "it is a truth value", 1, 5),
        ("fired = v", "must be a condition", 1, 8),
        ("fired += 1", "'fired' is a truth value: it can only be set", 1, 6),
        ("n = sqrt(sqrt(v))", "has no square root", 1, 9),
        # what the language does not have
        ("v.x = 3", "unexpected '.'. Attributes", 1, 1),
        ("v = w.real", "unexpected '.'. Attributes", 1, 5),
        ("v[3] = 2", "unexpected '['. Subscripts", 1, 1),
        ("if v > 3: w = 1", "unexpected 'if'. Write where(condition, a, b).", 1, 0),
        ("v = 1\nimport os", "unexpected 'import'", 2, 0),
        ("lambda = 3", "unexpected 'lambda'", 1, 0),
        ("v = __import__('os')", "Texts are not part", 1, 15),
        ("v == 3", "Write = to set a variable.", 1, 2),
        ("v := 3", "Write = to set a variable.", 1, 2),
        ("v = w = 3", "unexpected '='", 1, 6),
        ("v **= 2", "Write the power out", 1, 2),
        ("v //= 2", "floor(x / y)", 1, 2),
        ("v, w = 3", "unexpected ',', expected =, +=, -=, *= or /= after 'v'", 1, 1),
        ("v", "expected = after 'v'", 1, 1),
        ("v = 1; w + 3", "unexpected '+', expected =", 1, 9),
        ("3 = v", "a statement begins with the name", 1, 0),
        ("= v", "a statement begins with the name", 1, 0),
        ("w = 2\nv =", "ends too early", 2, 3),
        ("v = (3\nw = 2", "unexpected '='", 2, 2),
        ("v = 3)", "unexpected ')'", 1, 5),
        ("v = 3 $", "unexpected '$'", 1, 6),
        ("v \0= 3", "unexpected 'U+0000'", 1, 2),
        ("v = 9**9**9**9", "this is not a finite number", 1, 8),
        ("v = " + "(" * 300, "nested too deeply", 1, 0),
    ],
)
def test_what_is_refused_and_where(text: str, said: str, line: int, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        read(text)
    message = str(caught.value)
    assert said in message
    assert ("\n" in text) == message.startswith(f"line {line}: ")
    if len(text) < 80:
        assert message.splitlines()[-2].strip() == text.splitlines()[line - 1].replace("\0", " ").strip()
        assert message.splitlines()[-1] == " " * (4 + column) + "^"


@pytest.mark.parametrize(
    "text",
    ["v = 1;" * 200_000, "v = " + "1 + " * 250_000 + "1", "a" * 1_000_000, "v = " + "9" * 1_000_000, "v=1;" * 101,
     "v = " + "v*" * 3000 + "v", "(" * 9_999, "v = " + "-" * 9_000 + "v", "\n" * 1_000_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_too_much_is_refused_at_once(text: str) -> None:
    begin = time.perf_counter()
    with pytest.raises(ExpressionError) as caught:
        read(text)
    assert time.perf_counter() - begin < 0.5
    assert len(str(caught.value)) < 400


def test_only_text_is_read() -> None:
    with pytest.raises(ExpressionError, match="must be a text, found 3"):
        statements(3, {}, ())  # type: ignore[arg-type]


def test_where_nothing_can_be_changed_the_message_says_so() -> None:
    with pytest.raises(ExpressionError, match="What can be: nothing but local variables"):
        statements("v = 1", {"v": "mV"}, ())


PIECES = st.sampled_from(
    ["v", "w", "n", "a", "tau", "=", "+=", "*=", "==", ";", "\n", "(", ")", "1", "2 mV", "+", "*", "#", "where", ","]
)


@given(st.lists(PIECES, max_size=12).map(" ".join) | st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_word(text: str) -> None:
    try:
        found = read(text)
    except ExpressionError as error:
        assert len(str(error).splitlines()) <= 3  # noqa: PT017
    else:
        assert all(s.operator in OPERATORS and (s.target in WRITABLE) != s.local for s in found)
