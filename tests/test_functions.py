"""The functions of kernels: how exact, at the edges, in vector loops, and with the same bits everywhere."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from uncompiled import compute_plainly

from neurosim import functions
from neurosim.compiled import JIT
from neurosim.expressions.checks import BUILTINS
from neurosim.expressions.source import CALLS
from neurosim.generated import module

pytestmark = pytest.mark.lane

Floats = NDArray[np.float64]

ONE = (
    "ceil", "cos", "cosh", "cube", "exp", "expm1", "exprel", "floor", "fourth", "log", "per_exprel", "sign", "sin",
    "sqrt", "square", "tanh",
)  # fmt: skip
TWO = ("maximum", "minimum", "mod", "pow_")
INF, NAN = math.inf, math.nan
SPECIAL = np.array([0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1e300, -1e300, INF, -INF, NAN])
N = 40_000 if JIT else 600


def _module() -> ModuleType:
    """A module with ``NAME_all(x, y, out)`` for every function."""
    lines = ["from neurosim.compiled import kernel", f"from neurosim.functions import {', '.join(functions.__all__)}"]
    for name in functions.__all__:
        arguments = "x[i]" if name in ONE else "x[i], y[i]" if name in TWO else "x[i], y[i], 2.0"
        lines += ["", "@kernel", f"def {name}_all(x, y, out):"]
        lines += ["    for i in range(x.size):", f"        out[i] = {name}({arguments})"]
    return module("functions_of_kernels", "\n".join(lines) + "\n")


def every(name: str, x: Any, y: Any = 0.0) -> Floats:
    """The function of each element, by a loop in a kernel."""
    x, y = (np.ascontiguousarray(a, np.float64) for a in np.broadcast_arrays(x, y))
    out = np.empty(x.size)
    loop: Callable[..., None] = getattr(_module(), f"{name}_all")
    with np.errstate(all="ignore"):
        loop(x.ravel(), y.ravel(), out)
    return out.reshape(x.shape)


def spread(low: float, high: float, *tens: float) -> Floats:
    """Numbers from low to high, and of both signs at the powers of ten given."""
    draw = np.random.default_rng(3)
    powers = [sign * 10.0**k * draw.uniform(1, 10, 200) for k in tens for sign in (1.0, -1.0)]
    numbers = np.concatenate([draw.uniform(low, high, N), *powers])
    return numbers[(numbers >= low) & (numbers <= high)]


def _exprel(x: Any) -> Any:
    return np.expm1(x) / x


def _per_exprel(x: Any) -> Any:
    return x / np.expm1(x)


ACCURACY = [
    ("exp", np.exp, spread(-708.0, 709.78, -20, -3, 0), 1.2),
    ("expm1", np.expm1, spread(-40.0, 709.78, -300, -20, -3, -1, 0), 2.6),
    ("expm1", np.expm1, spread(-2.0, 2.0), 2.6),
    ("exprel", _exprel, spread(-700.0, 700.0, -300, -18, -17, -3, 0), 2.6),
    ("exprel", _exprel, spread(-2.0, 2.0), 2.6),
    ("per_exprel", _per_exprel, spread(-700.0, 700.0, -300, -18, -17, -3, 0), 2.6),
    ("log", np.log, spread(0.0, 4.0, -300, -20, -3), 0.8),
    ("log", np.log, spread(5e-324, 1e308, -320, -308, 20, 307), 0.8),
    ("tanh", np.tanh, spread(-25.0, 25.0, -300, -20, -3, 0), 2.6),
    ("cosh", np.cosh, spread(-709.0, 709.0, -3, 0), 1.5),
    ("sin", np.sin, spread(-10.0, 10.0, -300, -3), 0.85),
    ("sin", np.sin, spread(-1.6e6, 1.6e6), 0.85),
    ("cos", np.cos, spread(-10.0, 10.0, -3), 0.85),
    ("cos", np.cos, spread(-1.6e6, 1.6e6), 0.85),
]  # fmt: skip


def ulps(found: Floats, exact: Any) -> float:
    """The largest error, in units of the last place of the exact result."""
    return float(np.max(np.abs(found - exact) / np.spacing(np.abs(exact).astype(np.float64))))


@pytest.mark.parametrize(("name", "reference", "x", "most"), ACCURACY)
def test_accuracy(name: str, reference: Any, x: Floats, most: float) -> None:
    assert ulps(every(name, x), reference(x.astype(np.longdouble))) < most


def test_accuracy_of_powers() -> None:
    draw = np.random.default_rng(5)
    x, y = np.exp(draw.uniform(-300, 300, N)), draw.uniform(-30, 30, N)
    moderate = np.abs(y * np.log(x)) < 700
    x, y = x[moderate], y[moderate]
    assert ulps(every("pow_", x, y), np.power(x.astype(np.longdouble), y.astype(np.longdouble))) < 3.0
    x, y = draw.uniform(0.0, 4.0, N), draw.uniform(-5, 5, N)
    assert ulps(every("pow_", x, y), np.power(x.astype(np.longdouble), y.astype(np.longdouble))) < 1.5
    x = draw.uniform(-4.0, 4.0, 500)
    for whole in (-5.0, 5.0, 6.0, 21.0):
        assert ulps(every("pow_", x, whole), np.power(x.astype(np.longdouble), np.longdouble(whole))) < 1.5
    for power, name in enumerate(("square", "cube", "fourth"), start=2):
        assert ulps(every(name, x), x.astype(np.longdouble) ** power) < 1.7


def test_remainders_are_exact() -> None:
    draw = np.random.default_rng(6)
    x, y = draw.uniform(-1e6, 1e6, N), draw.choice([-1.0, 1.0], N) * np.exp(draw.uniform(-9, 9, N))
    np.testing.assert_array_equal(every("mod", x, y), np.mod(x, y))
    x = np.round(x) * 0.25
    for step in (0.25, -0.25, 0.1, 25.0, 1.0 / 3.0):
        np.testing.assert_array_equal(every("mod", x, step), np.mod(x, step))


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("exp", [-INF, -1e300, -746.0, 709.79, 1e300, INF, NAN], [0, 0, 0, INF, INF, INF, NAN]),
        ("exp", [0.0, -0.0, 5e-324], [1, 1, 1]),
        ("expm1", [-INF, -1e300, 0.0, 710.0, INF, NAN], [-1, -1, 0, INF, INF, NAN]),
        ("exprel", [-INF, 0.0, 5e-324, 1e-17, 1e300, INF, NAN], [0, 1, 1, 1, INF, INF, NAN]),
        ("per_exprel", [-1e300, 0.0, 5e-324, 1e-17, 1e300, INF, NAN], [1e300, 1, 1, 1, 0, 0, NAN]),
        ("log", [0.0, -0.0, -1.0, -INF, 1.0, INF, NAN], [-INF, -INF, NAN, NAN, 0, INF, NAN]),
        ("tanh", [-INF, -1e300, 0.0, 1e300, INF, NAN], [-1, -1, 0, 1, 1, NAN]),
        ("cosh", [-INF, -1e300, 0.0, INF, NAN], [INF, INF, 1, INF, NAN]),
        ("sin", [0.0, INF, -INF, NAN], [0, NAN, NAN, NAN]),
        ("cos", [0.0, INF, -INF, NAN], [1, NAN, NAN, NAN]),
    ],
)  # fmt: skip
def test_edges(name: str, x: list[float], expected: list[float]) -> None:
    np.testing.assert_array_equal(every(name, x), expected)


@pytest.mark.parametrize(
    ("name", "reference"),
    [("sqrt", np.sqrt), ("floor", np.floor), ("ceil", np.ceil), ("sign", np.sign), ("minimum", np.minimum),
     ("maximum", np.maximum), ("mod", np.mod), ("pow_", np.power)],
)  # fmt: skip
def test_special_numbers_are_treated_as_numpy_does(name: str, reference: Any) -> None:
    x = SPECIAL[:, None] * np.ones(SPECIAL.size)
    with np.errstate(all="ignore"):
        expected = reference(x) if name in ONE else reference(x, x.T)
    found = every(name, x, x.T)
    if name == "mod":  # a quotient that large has no remainder worth the name
        found, expected = np.where(np.abs(x) == 1e300, 0.0, found), np.where(np.abs(x) == 1e300, 0.0, expected)
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_clip_is_numpys() -> None:
    y = np.array([-3.0, 2.5, NAN])
    x = SPECIAL[:, None] * np.ones(y.size)
    np.testing.assert_array_equal(every("clip", x, np.broadcast_to(y, x.shape)), np.clip(x, y, 2.0))


def test_angles_beyond_all_use_stay_bounded() -> None:
    far = np.array([2e6, 1e9, 1e15, 1e17, 1e100, 1e300])
    for name in ("sin", "cos"):
        assert np.all(np.abs(every(name, far)) <= 1.0)
    turns = np.random.default_rng(2).uniform(2e6, 1e9, N)
    assert np.max(np.abs(every("sin", turns) - np.sin(turns))) < 1.5e-7  # the spacing at 1e9


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"abs", "clip", "max", "min"}))
def test_evaluation_and_kernels_agree(name: str) -> None:
    x = spread(-30.0, 30.0, -18, -5, 0)
    x = np.abs(x) if name in ("log", "sqrt") else x
    evaluated = BUILTINS[name][2](x)
    np.testing.assert_allclose(every(CALLS[name], x), evaluated, rtol=8e-16, atol=1e-300)


@pytest.mark.skipif(not JIT, reason="compares with what is compiled")
def test_same_bits_in_vectors_in_remainders_and_uncompiled(tmp_path: Path) -> None:
    names = [*ONE, *TWO, "clip"]
    draw = np.random.default_rng(8)
    more = [1e-310, -1e-310, 1e7, 709.5, -708.2]
    x = np.concatenate([draw.uniform(-20, 20, 59), np.repeat(SPECIAL, SPECIAL.size), more])
    y = np.concatenate([draw.uniform(-20, 20, 59), np.tile(SPECIAL, SPECIAL.size), np.ones(5)])
    together = np.array([every(name, x, y) for name in names])
    alone = np.array([[every(name, x[i : i + 1], y[i : i + 1])[0] for i in range(x.size)] for name in names])
    calls = [f"{n}(x, y, 2.0)" if n == "clip" else f"{n}(x, y)" if n in TWO else f"{n}(x)" for n in names]
    source = f"from neurosim.functions import {', '.join(names)}\n\n\ndef compute(rows, out):\n"
    source += "    for i in range(rows.shape[1]):\n        x, y = rows[0, i], rows[1, i]\n"
    source += "".join(f"        out[{k}, i] = {call}\n" for k, call in enumerate(calls))
    plain = compute_plainly(source, np.array([x, y]), together.shape, tmp_path)
    for other in (alone, plain):
        np.testing.assert_array_equal(other, together)
        np.testing.assert_array_equal(np.signbit(other) & (together == 0), np.signbit(together) & (together == 0))


@pytest.mark.skipif(not JIT, reason="looks at what is compiled")
def test_loops_run_on_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop with all of them has a vector's body, and calls nothing but what is one instruction."""
    monkeypatch.setenv("NEUROSIM_CACHE_DIR", str(tmp_path))  # what comes from the cache cannot be looked at
    names = functions.__all__
    calls = [f"{n}(x, y, 2.0)" if n == "clip" else f"{n}(x, y)" if n in TWO else f"{n}(x)" for n in names]
    text = f"from neurosim.compiled import kernel\nfrom neurosim.functions import {', '.join(names)}\n\n\n@kernel\n"
    text += "def compute(rows, out):\n    for i in range(out.size):\n        x, y = rows[0, i], rows[1, i]\n"
    text += f"        out[i] = {' + '.join(calls)}\n"
    compute = module("all_together", text).compute
    compute(np.ones((2, 3)), np.ones(3))
    (found,) = compute.inspect_llvm().values()
    assert "vector.body" in found
    single = {"sqrt"} | {f"llvm.{name}.f64" for name in ("fabs", "floor", "fma", "ceil", "sqrt")}
    assert set(re.findall(r"call .*?double @([\w.]+)", found)) <= single
