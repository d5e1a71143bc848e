"""Exact steps of linear systems: against scipy's exponential, high precision, and integrals."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, linalg

from neurosim.engine.neurons.propagators import expm1, noise_factor, propagators, resting_state

Matrix = NDArray[np.float64]


def stable(draw: np.random.Generator, d: int, size: float) -> Matrix:
    """A random matrix whose modes decay."""
    matrix = draw.normal(size=(d, d)) * size
    decay: Matrix = matrix - np.eye(d) * np.abs(matrix).sum(axis=1).max() * draw.uniform(0.5, 2.0)
    return decay


@given(seed=st.integers(0, 2**32), d=st.integers(1, 6), size=st.floats(-6, 1.5))
def test_the_step_is_scipys_exponential(seed: int, d: int, size: float) -> None:
    matrix = stable(np.random.default_rng(seed), d, 10.0**size)
    step, integral = propagators(matrix, 0.1, np.zeros(d, bool))
    np.testing.assert_allclose(step, linalg.expm(matrix * 0.1), rtol=0, atol=1e-13)
    both = np.block([[matrix * 0.1, np.eye(d) * 0.1], [np.zeros((d, 2 * d))]])
    np.testing.assert_allclose(integral, linalg.expm(both)[:d, d:], rtol=0, atol=1e-13)


@pytest.mark.parametrize("tau_m", [1e-6, 1e-4, 0.1, 5.0 - 1e-9, 5.0, 5.0 + 1e-9, 20.0, 1e9])
@pytest.mark.parametrize("dt", [1e-3, 0.1, 10.0])
def test_a_synaptic_current_is_precise_for_all_time_constants(tau_m: float, dt: float) -> None:
    """Equal, nearly equal, and ten orders of magnitude apart; digits of the result, not of its size."""
    with localcontext(prec=60):
        m, s, h = Decimal(tau_m), Decimal(5), Decimal(dt)
        exact = h * (-h / m).exp() if m == s else m * s / (m - s) * ((-h / m).exp() - (-h / s).exp())
    step, _ = propagators(np.array([[-1.0 / tau_m, 1.0], [0.0, -0.2]]), dt, np.ones(2, bool))
    assert step[0, 1] == pytest.approx(float(exact), rel=1e-13)
    assert step[1, 1] == np.exp(-0.2 * dt)
    assert step[1, 0] == 0.0


def test_three_equal_time_constants() -> None:
    """A chain of three: t²/2 e^(-t/tau)."""
    chain = np.array([[-0.1, 1.0, 0.0], [0.0, -0.1, 1.0], [0.0, 0.0, -0.1]])
    step, _ = propagators(chain, 2.0, np.ones(3, bool))
    assert step[0, 2] == pytest.approx(2.0 * np.exp(-0.2), rel=1e-14)


def test_growing_and_huge_systems() -> None:
    assert propagators(np.array([[0.3]]), 10.0, np.zeros(1, bool))[0] == pytest.approx(np.exp(3.0), rel=1e-14)
    assert np.exp(-1e12) == propagators(np.array([[-1e13]]), 0.1, np.zeros(1, bool))[0]
    assert not np.isfinite(propagators(np.array([[1e13]]), 0.1, np.zeros(1, bool))[0]).any()
    assert expm1(np.zeros((0, 0))).shape == (0, 0)


def test_a_stack_is_computed_like_its_members() -> None:
    draw = np.random.default_rng(5)
    stack = np.stack([stable(draw, 3, 10.0**size) for size in (-3, -1, 0, 1)])
    steps, integrals = propagators(stack, 0.1, np.zeros(3, bool))
    for k, matrix in enumerate(stack):
        step, integral = propagators(matrix, 0.1, np.zeros(3, bool))
        np.testing.assert_allclose(steps[k], step, rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(integrals[k], integral, rtol=1e-13, atol=1e-15)


def test_where_a_system_rests() -> None:
    matrix, offset = np.array([[-0.05, 0.002], [0.1, -0.2]]), np.array([-3.0, 0.7])
    start = np.array([-65.0, 0.0])
    rest = resting_state(matrix, matrix @ start + offset, start)
    assert rest is not None
    np.testing.assert_allclose(matrix @ rest + offset, 0.0, atol=1e-13)
    found = resting_state(matrix, np.zeros(2), start)  # the initial state is at rest: not one bit moves
    assert found is not None
    assert found.tolist() == start.tolist()
    assert resting_state(np.array([[0.0]]), np.array([1.0]), np.array([0.0])) is None


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
def test_the_covariance_of_noise_is_its_integral(scale: float) -> None:
    draw = np.random.default_rng(2)
    matrix, noise = stable(draw, 3, scale), draw.normal(size=(3, 2))

    def grown(s: float) -> Matrix:
        spread: Matrix = linalg.expm(matrix * s) @ noise
        return spread @ spread.T

    covariance, _ = integrate.quad_vec(grown, 0.0, 0.1, epsabs=1e-14, epsrel=1e-12)
    root = noise_factor(matrix, noise, 0.1)
    np.testing.assert_allclose(root @ root.T, covariance, rtol=1e-9, atol=1e-14)
    assert np.all(root[np.triu_indices(3, 1)] == 0.0)


def test_directions_without_noise_get_none() -> None:
    matrix = np.diag([-0.1, -0.2, -0.3])
    root = noise_factor(matrix, np.array([[0.0], [2.0], [0.0]]), 0.5)
    expected = np.zeros((3, 3))
    expected[1, 1] = 2.0 * np.sqrt((1 - np.exp(-0.2)) / 0.4)
    np.testing.assert_allclose(root, expected, rtol=1e-13)
