"""Exact steps of linear systems ``dx/dt = A x + b + G xi``, computed when a network is lowered.

All functions take one matrix or a stack of them (parameters that differ from neuron to neuron), shape (…, d, d).

The exponential is computed as ``E = e^X - 1``: a short series for ``X / 2^k``, then k doublings ``E ← E (E + 2)``. In
this form a slow mode beside a fast one keeps its digits, where squaring ``1 + E`` would lose one bit of them with every
doubling; time constants may be equal, or fifteen orders of magnitude apart. What cannot be had exactly is a diagonal
element that is tiny because its mode has died out, and that one is set from its rate where the mode stands alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrices = NDArray[np.float64]
Vectors = NDArray[np.float64]

_SMALL = 0.5  # norm for which the series is used
_TERMS = 16  # 0.5^17/17! is below 1e-19
_MOST_DOUBLINGS = 1100  # a norm of 1e308 needs 1025


def _doublings(matrix: Matrices) -> int:
    norm = float(np.abs(matrix).sum(axis=-1).max(initial=0.0))
    return 0 if norm <= _SMALL else min(_MOST_DOUBLINGS, math.ceil(math.log2(norm / _SMALL)))


def expm1(matrix: Matrices) -> Matrices:
    """``e^matrix - 1``; not a number where the result is not finite."""
    k = _doublings(matrix)
    small = np.ldexp(matrix, -k)
    power = small
    total = small.copy()
    for n in range(2, _TERMS + 1):
        power = power @ small / n
        total += power
    for _ in range(k):
        total = total @ total + 2.0 * total
    return total


def propagators(matrix: Matrices, dt: float, alone: NDArray[np.bool_]) -> tuple[Matrices, Matrices]:
    """``P = e^(A dt)`` and ``Q = ∫ e^(A s) ds`` from 0 to dt, so that ``x(dt) = P x + Q b``.

    ``alone`` says which variables do not act on themselves through others: their diagonal elements are e^(a dt).
    """
    d = matrix.shape[-1]
    both = np.zeros((*matrix.shape[:-2], 2 * d, 2 * d))
    both[..., :d, :d] = matrix * dt
    both[..., :d, d:] = np.eye(d) * dt
    with np.errstate(all="ignore"):
        grown = expm1(both)
        step, integral = grown[..., :d, :d] + np.eye(d), grown[..., :d, d:]
        for i in np.flatnonzero(alone):
            step[..., i, i] = np.exp(matrix[..., i, i] * dt)
    return step, integral


def resting_state(matrix: Matrices, slope: Vectors, start: Vectors) -> Vectors | None:
    """Where the system stands still, found from ``start`` (…, d), where its slope ``A start + b`` is ``slope``.

    A neuron whose initial state is its resting state gets just that, without rounding. None where the matrix is
    singular: then there is no such state, or more than one.
    """
    try:
        away = np.linalg.solve(matrix, -slope[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return None
    rest: Vectors = start + away
    return rest


def noise_factor(matrix: Matrices, noise: Matrices, dt: float) -> Matrices:
    """Lower triangular L with ``L Lᵀ = ∫ e^(A s) G Gᵀ e^(Aᵀ s) ds`` from 0 to dt: what noise adds in a step is L N.

    ``noise`` is G, shape (…, d, noises). The integral is a series for a short step, then doubled:
    ``Σ(2h) = Σ(h) + e^(A h) Σ(h) e^(Aᵀ h)``.
    """
    k = _doublings(matrix * dt)
    h = math.ldexp(dt, -k)
    term = noise @ np.swapaxes(noise, -1, -2) * h
    covariance = term.copy()
    small = matrix * h
    for n in range(2, 2 * _TERMS):
        term = (small @ term + term @ np.swapaxes(small, -1, -2)) / n
        covariance += term
    grown = expm1(small)
    for _ in range(k):
        step = grown + np.eye(matrix.shape[-1])
        covariance = covariance + step @ covariance @ np.swapaxes(step, -1, -2)
        grown = grown @ grown + 2.0 * grown
    return _cholesky(covariance)


def _cholesky(covariance: Matrices) -> Matrices:
    """A lower triangular root of positive semidefinite matrices: directions without variance get none."""
    d = covariance.shape[-1]
    root = np.zeros(np.broadcast_shapes(covariance.shape))
    for j in range(d):
        known = root[..., j, :j]
        pivot = covariance[..., j, j] - (known * known).sum(axis=-1)
        size = np.sqrt(np.where(pivot > 1e-15 * covariance[..., j, j], pivot, 0.0))
        root[..., j, j] = size
        for i in range(j + 1, d):
            rest: Any = covariance[..., i, j] - (root[..., i, :j] * known).sum(axis=-1)
            root[..., i, j] = np.where(size > 0.0, rest / np.where(size > 0.0, size, 1.0), 0.0)
    return root
