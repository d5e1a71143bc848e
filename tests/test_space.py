"""Who is near whom: the index against all pairs, and kernels against what they say."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neurosim as ns
from neurosim.errors import NeurosimError, UsageError
from neurosim.graph import space
from neurosim.graph.distance_kernels import distance_kernel, distance_kernels

SITES = st.lists(st.tuples(*[st.integers(-3, 3)] * 3), max_size=30)  # whole numbers, so that some lie on the border


@given(SITES, SITES, st.sampled_from([0.5, 1.0, 2.0, 3.0, 20.0]), st.integers(1, 40))
def test_neighbours_are_all_within_the_radius(centres: Any, points: Any, radius: float, about: int) -> None:
    a, b = np.array(centres, float).reshape(-1, 3), np.array(points, float).reshape(-1, 3)
    apart = np.linalg.norm(a[:, None] - b[None], axis=2)
    found = space.neighbours(a, b, radius)
    assert found.indptr[0] == 0
    assert found.indptr.size == len(a) + 1
    pairs = list(zip(found.centres.tolist(), found.indices.tolist(), strict=True))
    assert pairs == [(i, j) for i in range(len(a)) for j in range(len(b)) if apart[i, j] <= radius]
    assert found.distance == pytest.approx([apart[pair] for pair in pairs])
    seen = 0
    for part, some in space.chunks(a, b, radius, about):
        assert part.start == seen
        seen = part.stop
        inside = slice(found.indptr[part.start], found.indptr[part.stop])
        assert np.array_equal(some.indices, found.indices[inside])
        assert np.array_equal(some.distance, found.distance[inside])
        assert some.indices.size <= about + max(np.diff(some.indptr))
    assert seen == len(a)


def test_chunks_bound_what_is_held() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 100, (2000, 3))
    sizes = [part.indices.size for _, part in space.chunks(points, points, 20.0, 5000)]
    assert sum(sizes) == space.neighbours(points, points, 20.0).indices.size
    assert max(sizes) < 5000 + 400


def test_positions_are_asked_for() -> None:
    net = ns.Network()
    with pytest.raises(UsageError, match="population 'a' has no positions, which distances need"):
        space.points_at(net.add_population("a", 3), np.arange(3))


# ---- kernels ------------------------------------------------------------------------------------------------

KERNELS = [
    ns.kernels.exponential("100 um"), ns.kernels.gaussian("0.1 mm"), ns.kernels.linear(100), ns.kernels.step(100),
    ns.kernels.power_law(10, exponent=2),
]  # fmt: skip


def test_kernels_are_what_they_say() -> None:
    r = np.array([0.0, 50.0, 100.0, 200.0])
    exponential, gaussian, linear, step, power_law = KERNELS
    assert exponential(r) == pytest.approx(np.exp([0, -0.5, -1, -2]))
    assert gaussian(r) == pytest.approx(np.exp([0, -0.125, -0.5, -2]))
    assert linear(r).tolist() == [1, 0.5, 0, 0]
    assert step(r).tolist() == [1, 1, 1, 0]
    assert power_law(r) == pytest.approx([1, 1 / 36, 1 / 121, 1 / 441])
    assert {kernel.name for kernel in KERNELS} == distance_kernels().keys()


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_kernels_fall_and_end(kernel: Any) -> None:
    r = np.linspace(0, 2 * kernel.reach, 1001)
    values = kernel(r)
    assert values[0] == 1.0
    assert np.all(np.diff(values) <= 0)
    assert np.all(values[r > kernel.reach] == 0)
    assert np.all(values[r < kernel.reach] > 0)
    if kernel.name in ("exponential", "gaussian", "power_law"):
        assert kernel(kernel.reach * (1 - 1e-12)) == pytest.approx(1e-3)
        shorter = dataclasses.replace(kernel, cutoff=7)
        assert (shorter.reach, float(shorter(7.1)), float(shorter(6.9))) == (7.0, 0.0, float(kernel(6.9)))


def test_ways_to_write_a_kernel() -> None:
    made = ns.kernels.exponential(100)
    assert distance_kernel(made) is made
    for spec in ({"exponential": "0.1 mm"}, {"exponential": {"scale": 100}}):
        assert distance_kernel(spec) == made


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"exponental": 3}, "no distance kernel 'exponental'.*Did you mean 'exponential'"),
        ("gaussian", "distance kernel gaussian needs sigma"),
        ({"gaussian": {"scale": 3}}, "no parameter 'scale' of distance kernel gaussian. Known: sigma, cutoff"),
        ({"gaussian": "3 ms"}, "gaussian.sigma must be a length"),
        ({"step": 0}, "step.radius must be more than 0"),
        ({"exponential": {"scale": 1, "cutoff": "0 um"}}, "exponential.cutoff must be more than 0"),
        ({"power_law": {"scale": 1, "exponent": 0}}, "power_law.exponent is 0.1 to 100; found 0"),
        (3, "a distance kernel is written as a name or as"),
    ],
)
def test_kernels_that_cannot_be(spec: Any, message: str) -> None:
    with pytest.raises(NeurosimError, match=message):
        distance_kernel(spec)
