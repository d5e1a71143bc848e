"""The expression language: its values against numpy and Python, its units, and everything it must refuse."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurosim.errors import ExpressionError
from neurosim.expressions import BUILTINS, Expression, Function, parse
from neurosim.expressions.tree import Binary, Comparison, Constant, Symbol, walk

UNITS = {
    "x": "um", "v": "mV", "u": "mV", "tau": "ms", "rate_in": "Hz", "c": "pF", "i": "pA", "weight": "mV",
    "p": "", "id": "", "pre": "", "fired": "bool",
}  # fmt: skip
VALUES: dict[str, Any] = {
    "x": np.array([50.0, 150.0]),
    "v": np.array([1.0, 20.0]),
    "u": 4.0,
    "tau": 20.0,
    "rate_in": 5.0,
    "c": 250.0,
    "i": 500.0,
    "weight": np.array([0.1, 0.7], np.float32),
    "p": 0.5,
    "id": np.array([2**53 + 1, 2**64 - 1], np.uint64),
    "pre": np.array([1, 2], np.uint32),
    "fired": np.array([True, False]),
}


def windowed_rate(name: str, window: float) -> float:
    assert type(window) is float
    return {"exc": 57.0, "inh": 3.0}[name] * (window == 100.0)


FUNCTIONS = {"rate": Function(("name", "ms"), "Hz", windowed_rate, names=("exc", "inh"))}


def read(text: str, unit: str | None = None) -> Expression:
    return parse(text, UNITS, FUNCTIONS, unit)


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("x > 100 um", "bool", [False, True]),
        ("x > 0.1 mm and v > 10 mV", "bool", [False, True]),
        ("10 < v <= 20", "bool", [False, True]),
        ("not fired or x > 1", "bool", [True, True]),
        ("fired == (x > 100)", "bool", [False, False]),
        ("rate(exc, 100 ms) > 50 Hz", "bool", True),
        ("rate(exc, 0.1 s) >= 57", "bool", True),
        ("rate(inh, 100) < 0.0031 kHz", "bool", True),
        ("-v**2", "mV^2", [-1.0, -400.0]),
        ("2**-1 + -2**2", "", -3.5),
        ("2**3**2", "", 512.0),
        ("-7 % 3", "", 2.0),
        ("v % 3 mV", "mV", [1.0, 2.0]),
        ("(u - v)/tau + i/c", "mV/ms", [2.15, 1.2]),
        ("0.04/ms/mV*v**2 + 5/ms*v + 140 mV/ms - u/ms", "mV/ms", [141.04, 252.0]),
        ("i / 250 pA*ms", "1/ms", 2.0),  # the number takes the whole unit after it
        ("i / (250 pA*ms)", "1/ms", 2.0),
        ("5 mm**2 / (2 mm)**2", "", 1.25),
        ("x + 1 mm", "um", [1050.0, 1150.0]),
        ("1 mm + x", "mm", [1.05, 1.15]),
        ("rate_in * tau", "", 0.1),
        ("exp(rate_in * tau - 0.1)", "", 1.0),
        ("sqrt(x*x)", "um", [50.0, 150.0]),
        ("where(v > 10, x, 0)", "um", [0.0, 150.0]),
        ("where(fired, fired, v > 10)", "bool", [True, True]),
        ("max(v, 5)", "mV", [5.0, 20.0]),
        ("min(v, 3, 4 V)", "mV", [1.0, 3.0]),
        ("clip(v, 2 mV, 1 V)", "mV", [2.0, 20.0]),
        ("abs(-v) + sign(v)*mV", "mV", [2.0, 21.0]),
        ("floor(p) + ceil(p)", "", 1.0),
        ("True", "bool", True),
        ("v/0", "mV", [np.inf, np.inf]),
        ("log(p - p)", "", -np.inf),
        ("x >\n  100 um", "bool", [False, True]),
    ],
)
def test_values_and_units(text: str, unit: str, expected: Any) -> None:
    expression = read(text)
    assert expression.unit == (unit if unit != "1/ms" else "kHz")
    value = expression.evaluate(VALUES)
    assert np.allclose(value, expected, rtol=1e-14, atol=1e-15)
    if np.ndim(value):
        assert isinstance(value, np.ndarray)
        assert value.dtype == (np.bool_ if unit == "bool" else np.float64)
    else:
        assert type(value) is (bool if unit == "bool" else float)


def test_roots_of_units_meet_again() -> None:
    """Noise: a root of a time and white noise make a rate."""
    symbols = {"sigma": "mV", "tau": "ms", "xi": "1/sqrt(ms)", "rate": "Hz"}
    noise = parse("sigma*sqrt(2/tau)*xi", symbols, unit="mV/ms")
    assert noise.evaluate({"sigma": 2.0, "tau": 8.0, "xi": 3.0}) == 3.0
    assert parse("sigma*sqrt(2/tau)*xi", symbols).unit == "mV/ms"
    assert parse("sqrt(rate)*xi", symbols, unit="1/s").evaluate({"rate": 4000.0, "xi": 1.0}) == 2000.0
    assert parse("sqrt(2/tau)", symbols, halves=True).unit == "1/sqrt(ms)"
    assert parse("2*xi", symbols).unit == "1/sqrt(ms)"
    for text, said in (("sqrt(xi)", "no square root"), ("sqrt(2/tau)", "no square root"), ("xi + 1/tau", "cannot add")):
        with pytest.raises(ExpressionError, match=said):
            parse(text, symbols)


def test_growth_without_loss_near_nothing() -> None:
    near = np.array([0.0, -0.0, 1e-300, -1e-18, 1e-9, -1e-5, 1.0, -50.0, 700.0, -np.inf, np.inf, np.nan])
    got = parse("exprel(x)", {"x": ""}).evaluate({"x": near})
    wanted = [1.0, 1.0, 1.0, 1.0, 1 + 5e-10, 1 - 5e-6 + 1e-10 / 6, math.e - 1, 1 / 50, math.exp(700) / 700]
    np.testing.assert_allclose(got, [*wanted, 0.0, np.inf, np.nan], rtol=1e-14)
    assert parse("expm1(1e-20)", {}).evaluate({}) == 1e-20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id == 9007199254740993", [True, False]),
        ("id == 9007199254740992", [False, False]),
        ("id == 18446744073709551615", [False, True]),
        ("id > 99999999999999999999", [False, False]),
        ("id != -1", [True, True]),
        ("pre == 2", [False, True]),
    ],
)
def test_ids_are_compared_exactly(text: str, expected: list[bool]) -> None:
    assert read(text).evaluate(VALUES).tolist() == expected


def test_two_ids_are_compared_exactly() -> None:
    expression = parse("a == b", {"a": "", "b": ""})
    one, other = np.array([2**53 + 1], np.uint64), np.array([2**53], np.int64)
    assert expression.evaluate({"a": one, "b": other}).tolist() == [False]


def test_a_float32_weight_equals_what_it_was_set_to() -> None:
    assert read("weight >= 0.7").evaluate(VALUES).tolist() == [False, True]
    assert read("weight == 100 uV").evaluate(VALUES).tolist() == [True, False]


def test_names_are_those_that_are_read() -> None:
    assert read("where(v > u, rate(exc, 1 ms), 0) * tau").names == {"v", "u", "tau"}
    assert read("1 < 2").names == frozenset()


def test_a_wanted_unit_is_given_or_refused() -> None:
    assert read("x", "mm").evaluate(VALUES).tolist() == [0.05, 0.15]
    assert read("5", "mV").evaluate({}) == 5.0
    assert read("v > 3", "bool").unit == "bool"
    for text, unit, said in [
        ("v", "bool", "must be a condition"),
        ("v > 3", "mV", "must be in mV"),
        ("v > 3", "", "must be a number"),
        ("v", "ms", "must be a time (ms), found a voltage (mV)"),
    ]:
        with pytest.raises(ExpressionError) as caught:
            read(text, unit)
        assert said in str(caught.value)


def test_a_value_is_never_the_callers_array() -> None:
    result = read("v").evaluate(VALUES)
    result[:] = 0.0
    assert VALUES["v"].tolist() == [1.0, 20.0]


def test_the_tree_is_made_of_checked_nodes() -> None:
    tree = read("x > 0.1 mm").tree
    assert isinstance(tree, Comparison)
    assert [type(node) for node in walk(tree)] == [Comparison, Symbol, Constant]
    limit = tree.operands[1]
    assert isinstance(limit, Constant)
    assert limit.value == 100.0  # in the unit of x
    scaled = read("0.1 mm < x").tree
    assert isinstance(scaled, Comparison)
    assert isinstance(scaled.operands[1], Binary)  # a conversion is an ordinary operation


@pytest.mark.parametrize(
    ("text", "said", "caret"),
    [
        ("v > weigth", "Did you mean 'weight'?", 4),
        ("v > 10 ms", "cannot compare a voltage (mV) with a time (ms)", 2),
        ("v + tau", "cannot add a voltage (mV) and a time (ms)", 2),
        ("v > 5 MV", "no unit 'MV'. Did you mean 'mV'?", 6),
        ("tau > 20 MS", "a time (ms) with a conductance (MS)", 4),
        ("x/tau > 5", "this number needs a unit; beside it is um/ms", 8),
        ("p > 5 Hz", "cannot compare a plain number with a rate (Hz)", 2),
        ("exp(v)", "the argument of exp must be a plain number, found a voltage (mV)", 4),
        ("sqrt(v)", "has no square root", 5),
        ("v**p", "must be a whole number", 3),
        ("v**0.5", "must be a whole number", 3),
        ("2**v", "an exponent must be a plain number", 3),
        ("v**99", "exponent is too large", 3),
        ("((v**9)**9)**9", "out of all bounds", 7),
        ("fired + 1", "Write where(condition, a, b)", 0),
        ("v and fired", "a condition is needed here", 0),
        ("fired < fired", "a number is needed", 0),
        ("9**9**9**9", "not a finite number", 4),
        ("1/0", "not a finite number", 1),
        ("1e999", "not a finite number", 0),
        ("2**1000000 > p", "not a finite number", 1),
        ("rate(ecx, 1 ms)", "Known: exc, inh. Did you mean 'exc'?", 5),
        ("rate(exc)", "takes (a name, a quantity in ms), found 1", 0),
        ("rate(exc, 5 mV)", "argument 2 of rate must be a time (ms)", 10),
        ("rate(5, 5 ms)", "expected a name", 5),
        ("rate", "'rate' is a function", 0),
        ("exc", "no name 'exc'", 0),
        ("tanhh(p)", "Did you mean 'tanh'?", 0),
        ("min(v)", "at least 2 arguments", 0),
        ("2 x", "Write * between a number and 'x'", 2),
        ("x y", "an operator such as * is missing", 2),
        ("2(x)", "an operator such as * is missing", 1),
        ("(x", "ends too early: expected ')'", 2),
        ("x)", "unexpected ')'", 1),
        ("x >", "ends too early", 3),
        ("5 ms**2.5", "power of a unit", 6),
        ("1 + not fired", "in parentheses", 4),
        ("x = 1", "Write == to compare", 2),
        ("(x := 1)", "Write == to compare", 3),
        ("v ^ 2", "Write **", 2),
        ("v // 2", "Write floor", 2),
        ("fired & fired", "Write 'and'", 6),
        ("x if fired else v", "Write where", 2),
        ("x.real", "Attributes", 1),
        ("().__class__", "Attributes", 2),
        ("x[0]", "Subscripts", 1),
        ("[x for x in v]", "Subscripts and lists", 0),
        ("lambda: 1", "Functions cannot be made", 0),
        ("__import__('os')", "Texts are not part", 11),
        ("__import__(os)", "no function '__import__'", 0),
        ("f'{x}'", "Texts are not part", 1),
        ("{x}", "unexpected '{'", 0),
        ("x; v", "unexpected ';'", 1),
        ("await x", "unexpected 'await'", 0),
        ("None", "unexpected 'None'", 0),
        ("1_000", "no unit '_000'", 1),
        ("x\x00", "character U+0000", 1),
        ("x > 1\n and v > ms", "cannot compare", 13),
    ],
)
def test_what_is_not_of_the_language_is_refused_with_a_caret(text: str, said: str, caret: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        read(text)
    assert said in str(caught.value)
    assert caught.value.position == caret
    assert caught.value.text == text
    assert str(caught.value).endswith("^")


@pytest.mark.parametrize("text", ["", "  \n", "x" * 1_000_000, 5, None, True])
def test_what_is_no_expression_at_all(text: Any) -> None:
    with pytest.raises(ExpressionError) as caught:
        read(text)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "(" * 5000 + "x" + ")" * 5000,
        "-" * 9000 + "p",
        "not " * 2000 + "fired",
        "2" + "**2" * 3000,
        "p" + "+p" * 4900,
        "p" + "*v" * 400,
        "abs(" * 2000,
        "1 < " * 2000 + "1",
        "5 s" + "*s^9" * 2000,
        "5 s" + "*s^9" * 100,
        "5 s" + "*s^9" * 20 + " > v",
        "9" * 9000,
        "1e" + "9" * 5000,
        "0." + "0" * 9000 + "1 > 0 ms",
        "(p" + "**9)" * 30,
        "x" * 9_999,
        "x" * 10_000_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_texts_are_answered_at_once(text: str) -> None:
    begin = time.perf_counter()
    with contextlib.suppress(ExpressionError):
        read(text)
    assert time.perf_counter() - begin < 0.5


def test_the_longest_chain_that_is_accepted_can_be_evaluated() -> None:
    assert read("p" + "+p" * 240).evaluate(VALUES) == 120.5
    assert read(" or ".join(["fired"] * 200)).evaluate(VALUES).tolist() == [True, False]


_PIECES = [
    "x",
    "v",
    "fired",
    "p",
    "rate",
    "exc",
    "min",
    "where",
    "and",
    "or",
    "not",
    "if",
    "lambda",
    "ms",
    "mV",
    "^",
]
_PIECES += [
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "<",
    "==",
    "!=",
    ".",
    "[",
    "'",
    "1",
    "2.5",
    "1e9",
    "9",
    " ",
    "\n",
]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(_PIECES), max_size=25).map(" ".join)))
def test_any_text_is_an_expression_or_an_error(text: str) -> None:
    try:
        expression = read(text)
    except ExpressionError as error:
        assert len(str(error).splitlines()) <= 3  # noqa: PT017
    else:
        expression.evaluate(VALUES)


def test_every_function_of_the_language_works() -> None:
    calls = {
        "clip": "clip(p, 0, 1)", "max": "max(p, 1)", "min": "min(p, 1)", "where": "where(fired, p, 1)"
    }  # fmt: skip
    for name in BUILTINS:
        value = read(calls.get(name, f"{name}(p)")).evaluate(VALUES)
        assert np.isfinite(value).all()
