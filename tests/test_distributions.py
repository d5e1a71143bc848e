"""Distributions: what they draw, how they are written, what they refuse."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import neurosim.graph.distributions as d
from neurosim.errors import InvalidInput
from neurosim.graph.distributions import Distribution, distribution

N = 20_000


def drawn(spec: Any, unit: str = "ms", n: int = N) -> np.ndarray:
    values = distribution(spec, unit).sample(np.random.default_rng(1), n, unit)
    assert values.dtype == np.float64
    assert values.shape == (n,)
    return values


@pytest.mark.parametrize(
    ("spec", "mean", "sd"),
    [
        (d.uniform("1 ms", "0.005 s"), 3.0, 4 / math.sqrt(12)),
        (d.normal(10, "2 ms"), 10.0, 2.0),
        (d.lognormal("5 ms", "3 ms"), 5.0, 3.0),
        (d.lognormal(-5, 3), -5.0, 3.0),
        (d.exponential("4 ms"), 4.0, 4.0),
        (d.exponential(-4), -4.0, 4.0),
        (d.truncated_normal(0, 1, 0), math.sqrt(2 / math.pi), math.sqrt(1 - 2 / math.pi)),
        (d.constant("2 ms"), 2.0, 0.0),
        (d.lognormal(5, 0), 5.0, 0.0),
        (d.uniform(2, 2), 2.0, 0.0),
    ],
)
def test_moments(spec: Distribution, mean: float, sd: float) -> None:
    values = drawn(spec)
    assert values.mean() == pytest.approx(mean, abs=5 * sd / math.sqrt(N) + 1e-12)
    assert values.std() == pytest.approx(sd, rel=0.06, abs=1e-9)


@pytest.mark.parametrize(
    ("spec", "low", "high"),
    [
        ("uniform(1 ms, 5 ms)", 1.0, 5.0),
        ("3 ms", 3.0, 3.0),
        ([3, "0.001 s", 2], 1.0, 3.0),
        ({"normal": [1, 1]}, None, None),
        ({"truncated_normal": [1, 1, 0.5, 2]}, 0.5, 2.0),
        ({"truncated_normal": [1, 1, 0.5]}, 0.5, None),
        ({"lognormal": [1, 1]}, 0.0, None),
        ({"lognormal": [-1, 1]}, None, 0.0),
        ({"exponential": "2 ms"}, 0.0, None),
        (np.zeros(0), None, None),
    ],
)
def test_bounds_hold(spec: Any, low: float | None, high: float | None) -> None:
    bound = distribution(spec, "ms")
    assert (bound.low, bound.high) == (low, high)
    values = drawn(spec, n=len(spec) if isinstance(spec, list | np.ndarray) else N)
    assert low is None or values.min() >= low
    assert high is None or values.max() <= high


@pytest.mark.parametrize(
    "spec",
    [
        "uniform(1 ms, 5 ms)",
        " uniform ( 1,0.005 s ) ",
        {"uniform": ["1 ms", "5 ms"]},
        {"uniform": {"minimum": "1 ms", "maximum": 5}},
        d.uniform("1 ms", "5 ms"),
        d.Uniform(1, 5),
    ],
)
def test_all_spellings_are_one_distribution(spec: Any) -> None:
    assert distribution(spec, "ms") == d.Uniform(1.0, 5.0)


def test_the_unit_comes_when_it_is_known() -> None:
    free = d.uniform("1 ms", 20)
    assert free.sample(np.random.default_rng(1), 5, "ms").max() <= 20.0
    assert free.bind("s") == d.Uniform(0.001, 20.0)
    with pytest.raises(InvalidInput, match="minimum of weight must be a voltage"):
        free.bind("mV", "weight")


def test_arrays_are_given_one_by_one() -> None:
    given = np.array([1.0, 2.0, 3.0])
    values = drawn(given, n=3)
    values[0] = 9.0
    assert given[0] == 1.0
    with pytest.raises(InvalidInput, match="3 values were given for 4 elements"):
        distribution(given, "ms").sample(np.random.default_rng(1), 4, "ms")


def test_equal_streams_draw_equal_values() -> None:
    assert (drawn("normal(1, 2)") == drawn({"normal": [1, 2]})).all()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("uniform(5 ms, 1 ms)", "minimum 5 ms is above the maximum 1 ms"),
        ("uniform(1 mV, 5 mV)", "minimum of delay must be a time"),
        ("uniform(1 ms)", "uniform takes (minimum, maximum)"),
        ("uniform()", "uniform takes"),
        ("uniform", "write uniform(minimum, maximum)"),
        ("unifrom(1, 2)", "Did you mean 'uniform'?"),
        ({"uniform": {"low": 1, "high": 2}}, "uniform takes (minimum, maximum)"),
        ({"uniform": None}, "uniform takes"),
        ({"uniform": [1, 2], "normal": [1, 2]}, "found 2 keys"),
        ({}, "found 0 keys"),
        ({"normal": [1, -1]}, "must not be negative"),
        ({"lognormal": [0, 1]}, "must not be 0"),
        ({"truncated_normal": [0, 1, 5, 6]}, "within bounds"),
        ({"truncated_normal": [0, 0, 5, 6]}, "within bounds"),
        ({"normal": ["__import__('os')", 1]}, "must be a time"),
        ("uniform(uniform(1, 2), 3)", "must be a time"),
        ([[1, 2], [3, 4]], "shape (2, 2)"),
        ([1, math.inf], "finite"),
        (True, "must be a time"),
        (None, "must be a time"),
        (object(), "must be a time"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused_with_a_word(spec: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        distribution(spec, "ms", "delay")
    assert said in str(caught.value)
    assert "delay" in str(caught.value)


# -- each equally often -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec",
    [
        {"balanced": ["1 ms", "0.002 s", 3]},
        {"balanced": {"from": "1 ms", "to": "3 ms", "steps": 3}},
        "balanced(1 ms, 2, 3)",
        d.balanced([1, 2, "3 ms"]),
        d.balanced(np.array([1.0, 2.0, 3.0])),
    ],
)
def test_balanced_values_come_equally_often(spec: Any) -> None:
    values = drawn(spec, n=3000)
    deals = np.sort(values.reshape(-1, 3), axis=1)
    assert (deals == [1.0, 2.0, 3.0]).all()
    orders, counts = np.unique(values.reshape(-1, 3), axis=0, return_counts=True)
    assert len(orders) == 6
    assert counts.min() > 1000 / 6 - 5 * math.sqrt(1000 * 5 / 36)
    rest = drawn(spec, n=10)
    assert np.unique(rest[:9], return_counts=True)[1].tolist() == [3, 3, 3]
    assert drawn(spec, n=0).size == 0
    bound = distribution(spec, "ms")
    assert (bound.low, bound.high) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"balanced": []}, "a list of 1 to 100000 values"),
        ({"balanced": [[1, 2], [3, 4]]}, "found shape (2, 2)"),
        ({"balanced": ["1 mV"]}, "must be a time"),
        ({"balanced": {"from": 1, "to": 2}}, "{from: a, to: b, steps: n}"),
        ({"balanced": {"from": 1, "to": 2, "steps": 0}}, "steps is a whole number from 1"),
        ({"balanced": {"from": 1, "to": 2, "steps": True}}, "steps is a whole number from 1"),
        ({"balanced": {"from": 1, "to": "2 mV", "steps": 3}}, "to of delay must be a time"),
        ("balanced", "write balanced(values)"),
    ],
)
def test_balanced_says_what_it_takes(spec: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(said)):
        distribution(spec, "ms", "delay")
