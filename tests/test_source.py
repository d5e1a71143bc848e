"""Source written from trees: how it looks, that it means the same, and that it runs alike wherever it runs."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_expressions_random import _ARRAYS, _CONDITIONS, _SUMS, _Reference
from uncompiled import compute_plainly

from neurosim.compiled import JIT
from neurosim.errors import ExpressionError
from neurosim.expressions import Function, parse
from neurosim.expressions import tree as trees
from neurosim.expressions.source import FUNCTIONS, LONGEST, functions_in, source
from neurosim.generated import module

SYMBOLS = {"v": "mV", "e_l": "mV", "g": "nS", "m": "", "h": "", "tau": "ms", "on": "bool"}


def written(text: str) -> str:
    return source(parse(text, SYMBOLS).tree, {name: name for name in SYMBOLS})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("g*m**3*h*(50 mV - v)", "g*(m*m*m)*h*(50.0 - v)"),
        ("m**3", "m*m*m"),
        ("-m**2", "-(m*m)"),
        ("m**-1", "1.0/m"),
        ("h/m**-2", "h/(1.0/(m*m))"),
        ("m**0 + m**1", "1.0 + m"),
        ("m**0.5", "sqrt(m)"),
        ("(m + h)**2 + (m + h)**3 - (m*h)**4", "square(m + h) + cube(m + h) - fourth(m*h)"),
        ("m**5", "pow_(m, 5.0)"),
        ("m**h**2", "pow_(m, h*h)"),
        ("v - (e_l - (v + 1 mV))", "v - (e_l - (v + 1.0))"),
        ("v - e_l - v", "v - e_l - v"),
        ("m/(h/m)*h", "m/(h/m)*h"),
        ("m*(h*m)", "m*(h*m)"),
        ("m*-2", "m*-2.0"),
        ("- -m", "-(-m)"),
        ("m - -2", "m - -2.0"),
        ("-(m + h)", "-(m + h)"),
        ("m % (h + 1)", "mod(m, h + 1.0)"),
        ("0.1*m + 1e-7", "0.1*m + 1e-07"),
        ("tau/(1 s)", "tau/1.0/1000.0"),
        ("exp(-(v - e_l)/(10 mV))", "exp(-(v - e_l)/10.0)"),
        ("abs(m) + sqrt(h)", "abs(m) + sqrt(h)"),
        ("max(m, h, 3) - min(m, 1)", "maximum(maximum(m, h), 3.0) - minimum(m, 1.0)"),
        ("v >= e_l", "v >= e_l"),
        ("v > e_l and m < 1", "(v > e_l) & (m < 1.0)"),
        ("v > e_l or m < 1 and on", "(v > e_l) | (m < 1.0) & on"),
        ("(v > e_l or on) and m < 1", "((v > e_l) | on) & (m < 1.0)"),
        ("not (on and m > 1)", "not on & (m > 1.0)"),
        ("(not on) and m > 1", "(not on) & (m > 1.0)"),
        ("0 < m <= h < 1", "(0.0 < m) & (m <= h) & (h < 1.0)"),
        ("(m < 1) == (h < 1)", "(m < 1.0) == (h < 1.0)"),
        ("on == True", "on == True"),
        ("where(on, m, h)", "m if on else h"),
        ("2*where(m > 1, where(on, m, h), -m)", "2.0*((m if on else h) if m > 1.0 else -m)"),
        ("where(on, m > 1, not on)", "m > 1.0 if on else not on"),
    ],
)
def test_it_looks_as_a_person_would_write_it(text: str, expected: str) -> None:
    assert written(text) == expected
    assert ast.unparse(ast.parse(expected, mode="eval"))


def test_names_stand_for_any_expression() -> None:
    tree = parse("h*tau**2 - m**2*h", {"tau": "", "m": "", "h": ""}).tree
    assert source(tree, {"h": "h[i]", "tau": "p.tau", "m": "1.0 - m"}) == "h[i]*(p.tau*p.tau) - square(1.0 - m)*h[i]"
    given_one = Function(("", "name"), "", max, names=("exc",))
    tree = parse("2*rand(m, exc)", SYMBOLS, {"rand": given_one}).tree
    assert source(tree, {"m": "m", "rand": "drawn"}) == "2.0*drawn(m, exc)"


def test_a_function_of_the_owner_hides_the_builtin() -> None:
    own = Function(("",), "", abs)
    assert source(parse("exp(m)", SYMBOLS, {"exp": own}).tree, {"m": "m", "exp": "my_exp"}) == "my_exp(m)"
    assert source(parse("exp(exp)", {"exp": ""}).tree, {"exp": "p_exp"}) == "exp(p_exp)"


def test_what_a_text_calls() -> None:
    text = written("exp(m) + exprel(m**7) - abs(h % 3) + max(m, h)")
    assert functions_in(text) == ["exp", "exprel", "maximum", "mod", "pow_"]
    assert functions_in("my_exp(exp) + x.log(y)") == []


def test_what_doubles_with_every_level_is_bounded() -> None:
    text = "m"
    for _ in range(18):
        text = f"where(0<{text}<1,m,h)"
    with pytest.raises(ExpressionError, match="too long once it is written out"):
        written(text)
    assert len(written("+".join(["m"] * 250))) < LONGEST


# ---- the same values ------------------------------------------------------------------------------------


class _Written(_Reference):
    """Evaluates the text of a source with numpy."""

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        return np.where(self.visit(node.test), self.visit(node.body), self.visit(node.orelse))

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        if isinstance(node.op, ast.BitAnd | ast.BitOr):
            join = np.logical_and if isinstance(node.op, ast.BitAnd) else np.logical_or
            return join(self.visit(node.left), self.visit(node.right))
        assert isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div)
        return super().visit_BinOp(node)

    def visit_Compare(self, node: ast.Compare) -> Any:
        assert len(node.ops) == 1  # a chain would be a branch
        return super().visit_Compare(node)

    def visit_Call(self, node: ast.Call) -> Any:
        assert isinstance(node.func, ast.Name)
        arguments = [self.visit(argument) for argument in node.args]
        return _MEANT.get(node.func.id, getattr(np, node.func.id, None))(*arguments)  # type: ignore[misc]


def _products(base: Any, exponent: Any) -> Any:
    """Powers as the source writes them."""
    if not np.isscalar(exponent) or abs(float(exponent)) not in (0, 0.5, 1, 2, 3, 4):  # type: ignore[arg-type]
        return np.power(base, exponent)
    power = float(exponent)  # type: ignore[arg-type]
    if power in (0.0, 0.5):
        return np.sqrt(base) if power else np.ones_like(base)
    product = base
    for _ in range(int(abs(power)) - 1):
        product = product * base
    return product if power > 0 else np.power(base, power) if power == -0.5 else 1.0 / product


_MEANT = {
    "pow_": np.power,
    "square": lambda x: _products(x, 2.0),
    "cube": lambda x: _products(x, 3.0),
    "fourth": lambda x: _products(x, 4.0),
}


@given(st.one_of(_SUMS, _CONDITIONS, st.tuples(_CONDITIONS, _SUMS, _SUMS).map("where({0[0]}, {0[1]}, {0[2]})".format)))
def test_a_source_means_what_its_tree_means(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(trees.ARITHMETIC, "**", _products)
        try:
            expression = parse(text, dict.fromkeys(_ARRAYS, ""))
        except ExpressionError as error:
            assert "not a finite number" in error.message or "too deeply" in error.message  # noqa: PT017
            return
        value = expression.evaluate(_ARRAYS)
    with np.errstate(all="ignore"):
        found = _Written().visit(ast.parse(source(expression.tree, {name: name for name in _ARRAYS}), mode="eval"))
    np.testing.assert_array_equal(found, value)


TEXTS = [
    "0.32*(13 + a)/(1 - exp(-(13 + a)/4))",
    "1.28/exprel(-(13 + a)/4) + expm1(b) - exprel(c)",
    "0.128*exp((17 - a)/18)/(4/(1 + exp((40 - b)/5)))",
    "tanh((a + 1.2)/18)/cosh((b - 2)/60)",
    "log(1 + exp(a)) - log(abs(b))",
    "abs(a)**0.7*abs(b)**-1.3 + 2**c",
    "a**2 + b**3 + c**4 - a**7 + 1/(2 + b**-2)",
    "(a + b)**2*(b - c)**3 + (a*b)**-4 + abs(a)**0.5",
    "sin(a)*cos(b) + sin(100*c)",
    "a % 0.3 + (-a) % b + floor(c) - ceil(b)",
    "where(a > 0 and b > 0 or not c > 0, a, where(0 < b <= 1, b, -c))",
    "min(a, b, c) + max(a, b) - clip(c, -1, a) + sign(b)",
    "where(a < b < c, 1, 0) + where((a < b) == (b < c), 2, 0)",
    "a/(b - b) + exp(1000*a)",
    "-(-a)*-2 - -b/-3",
]  # fmt: skip


def _module_text() -> str:
    lines = [source(parse(text, dict.fromkeys("abc", "")).tree, {n: n for n in "abc"}) for text in TEXTS]
    body = "".join(f"        out[{k}, i] = {line}\n" for k, line in enumerate(lines))
    return (
        f"from neurosim.compiled import kernel\nfrom neurosim.functions import {', '.join(functions_in(body))}\n\n\n"
        "@kernel\ndef compute(rows, out):\n    for i in range(rows.shape[1]):\n"
        f"        a, b, c = rows[0, i], rows[1, i], rows[2, i]\n{body}"
    )


@pytest.mark.lane
def test_compiled_values_are_those_of_evaluation(tmp_path: Path) -> None:
    assert set(functions_in(_module_text())) == FUNCTIONS
    draw = np.random.default_rng(4)
    rows = draw.uniform(-3, 3, (3, 61))
    rows[:, :4] = [[0, 1, -1, 0.5], [0, -1, 1, 0], [1, 1, 0, 0]]
    out = np.empty((len(TEXTS), rows.shape[1]))
    with np.errstate(all="ignore"):
        module("expressions", _module_text()).compute(rows, out)
    values = dict(zip("abc", rows, strict=True))
    expected = np.array([parse(text, dict.fromkeys("abc", "")).evaluate(values) for text in TEXTS])
    # where a result is far smaller than its terms, these rounded differently: at most 3**7 here
    np.testing.assert_allclose(out, expected, rtol=1e-14, atol=1e-12)
    if JIT:
        plain = compute_plainly(_module_text(), rows, out.shape, tmp_path)
        np.testing.assert_array_equal(plain, out)
