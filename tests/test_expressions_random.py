"""Random expressions have the values that Python's own parser and numpy give them."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neurosim.errors import ExpressionError
from neurosim.expressions import parse

_NUMBERS = st.sampled_from(["1", "2", "0.5", "3.25", "1e-3", "7"])
_ARRAYS = {name: np.random.default_rng(k).uniform(-3, 3, 5) for k, name in enumerate("abc")}


def _arithmetic(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "%", "**"]), inner).map(" ".join),
        inner.map("-{}".format),
        inner.map("({})".format),
        st.tuples(st.sampled_from(["abs", "tanh", "floor", "sign", "sin"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        ),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
    )


_SUMS = st.recursive(st.one_of(_NUMBERS, st.sampled_from("abc")), _arithmetic, max_leaves=8)
_COMPARED = st.tuples(_SUMS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _SUMS).map(" ".join)
_CONDITIONS = st.recursive(
    _COMPARED,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        inner.map("not {}".format),
        inner.map("({})".format),
    ),
    max_leaves=4,
)


_FUNCTIONS = {"abs": np.abs, "tanh": np.tanh, "floor": np.floor, "sign": np.sign, "sin": np.sin,
              "min": np.minimum, "max": np.maximum}  # fmt: skip
_BINARY = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
           ast.Mod: np.mod, ast.Pow: np.power}  # fmt: skip
_COMPARISONS = {ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal,
                ast.Eq: np.equal, ast.NotEq: np.not_equal}  # fmt: skip


class _Reference(ast.NodeVisitor):
    """Evaluates Python's own tree of the same text, with numpy."""

    def visit_Expression(self, node: ast.Expression) -> Any:
        return self.visit(node.body)

    def visit_Constant(self, node: ast.Constant) -> Any:
        return np.float64(node.value)  # type: ignore[arg-type]

    def visit_Name(self, node: ast.Name) -> Any:
        return _ARRAYS[node.id]

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        return _BINARY[type(node.op)](self.visit(node.left), self.visit(node.right))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.visit(node.operand)
        return np.logical_not(value) if isinstance(node.op, ast.Not) else np.negative(value)

    def visit_Call(self, node: ast.Call) -> Any:
        assert isinstance(node.func, ast.Name)
        return _FUNCTIONS[node.func.id](*[self.visit(argument) for argument in node.args])

    def visit_Compare(self, node: ast.Compare) -> Any:
        values = [self.visit(operand) for operand in [node.left, *node.comparators]]
        steps = zip(node.ops, values, values[1:], strict=False)
        return np.logical_and.reduce([_COMPARISONS[type(op)](a, b) for op, a, b in steps])

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return join.reduce([np.broadcast_to(self.visit(value), 5) for value in node.values])


@given(st.one_of(_SUMS, _CONDITIONS))
def test_values_are_those_of_python_and_numpy(text: str) -> None:
    try:
        value = parse(text, dict.fromkeys(_ARRAYS, "")).evaluate(_ARRAYS)
    except ExpressionError as error:
        assert "not a finite number" in error.message or "too deeply" in error.message  # noqa: PT017
        return
    with np.errstate(all="ignore"):
        reference = _Reference().visit(ast.parse(text, mode="eval"))
    np.testing.assert_array_equal(value, reference)
