"""Connectors that look at distance: exact where they promise it, and in law what the kernel says, for every pair."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import neurosim as ns
from neurosim.errors import NeurosimError, ScenarioError, UsageError
from neurosim.graph import proximity
from neurosim.graph.connectors import connector
from neurosim.graph.distance_kernels import DistanceKernel
from neurosim.graph.proximity import Proximity
from neurosim.scenario import load
from neurosim.scenario.builder import build
from neurosim.scenario.estimate import size

kernels, rules, place = ns.kernels, ns.connectors, ns.place


def two(points: Any, others: Any = None, seed: int = 1) -> tuple[Any, Any]:
    net = ns.Network(seed=seed, dt=0.1)
    a = net.add_population("a", len(points), positions=points)
    return a, a if others is None else net.add_population("b", len(others), positions=others)


def apart(a: Any, b: Any) -> Any:
    return np.linalg.norm(a.positions[:, None] - b.positions[None], axis=2)


def counted(draw: Any, n_seeds: int) -> Counter[tuple[int, int]]:
    """How often each pair is drawn over many seeds."""
    counts: Counter[tuple[int, int]] = Counter()
    for seed in range(n_seeds):
        for own, other in draw(np.random.default_rng(seed)):
            counts.update(zip(own.tolist(), other.tolist(), strict=True))
    return counts


CLOUD = np.random.default_rng(3).uniform(0, 100, (24, 3))
SHAPES = {
    "cloud": CLOUD,
    "plane": CLOUD * (1, 1, 0),
    "line": CLOUD * (0, 1, 0),
    "clumps": np.concatenate([CLOUD[:12] / 20, CLOUD[12:] / 20 + 90]),
    "lattice": np.stack(np.meshgrid(range(0, 100, 20), range(0, 100, 20), [0]), -1).reshape(-1, 3).astype(float),
}
KERNELS = [kernels.exponential(30), kernels.gaussian(25), kernels.linear(60), kernels.step(40),
           kernels.power_law(20, 3, cutoff=70)]  # fmt: skip


@pytest.fixture(params=["fine", "coarse", "far apart"])
def lattice(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells so fine that bounds differ between them, as in a large network; or those that few neurons get.

    Where neurons lie far apart, a lattice has no table of its cells.
    """
    if request.param != "coarse":
        monkeypatch.setattr(proximity, "_CROWD", 0)
    if request.param == "far apart":
        monkeypatch.setattr(proximity, "_LATTICE", 0)


# ---- the law -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("lattice")
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("shape", SHAPES)
def test_each_pair_has_its_probability(shape: str, kernel: DistanceKernel) -> None:
    a, b = two(SHAPES[shape], SHAPES[shape][::2] + 5.0)
    near, p, seeds = Proximity(a, b, kernel), 0.6, 400
    counts = counted(lambda rng: near.bernoulli(p, rng), seeds)
    expected = p * kernel(apart(a, b))
    made = np.array([[counts[i, j] for j in range(b.size)] for i in range(a.size)])
    assert not made[expected == 0].any()
    assert made.max() <= seeds
    open_ = (expected > 0) & (expected < 1)
    z = (made - seeds * expected)[open_] / np.sqrt(seeds * (expected * (1 - expected))[open_])
    assert np.abs(z).max() < 6.5
    assert stats.chi2.sf((z**2).sum(), z.size) > 1e-4
    assert stats.chi2.cdf((z**2).sum(), z.size) > 1e-4  # independent, neither drawn together nor spread out


@pytest.mark.usefixtures("lattice")
@pytest.mark.parametrize("listed", [False, True], ids=["proposed", "listed"])
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_partners_are_drawn_in_proportion(kernel: Any, listed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if listed:
        monkeypatch.setattr(proximity, "_ROUNDS", 0)
    a, b = two(SHAPES["plane"], SHAPES["lattice"])
    near, n, seeds = Proximity(a, b, kernel), 7, 150
    counts = counted(lambda rng: near.partners(n, rng, skip_self=False, multapses=True), seeds)
    share = kernel(apart(a, b))
    share /= share.sum(axis=1, keepdims=True)
    made = np.array([[counts[i, j] for j in range(b.size)] for i in range(a.size)])
    assert (made.sum(axis=1) == n * seeds).all()
    assert not made[share == 0].any()
    expected = n * seeds * share
    large = expected > 1
    statistic = ((made - expected) ** 2 / np.where(large, expected, 1))[large].sum()
    assert stats.chi2.sf(statistic, large.sum() - a.size) > 1e-4


@pytest.mark.parametrize("rounds", [0, 1, 100])
def test_different_partners_are_drawn_one_after_the_other(rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of four, in proportion to what is left: P(first i, then j) = w_i w_j/(1 - w_i)."""
    monkeypatch.setattr(proximity, "_ROUNDS", rounds)
    kernel = kernels.exponential(10)
    a, b = two(np.zeros((1, 3)), np.array([[0, 0, 0], [3, 0, 0], [8, 0, 0], [15, 0, 0]]))
    near = Proximity(a, b, kernel)
    sets: Counter[tuple[int, ...]] = Counter()
    for seed in range(4000):
        ((_, drawn),) = near.partners(2, np.random.default_rng(seed), skip_self=False, multapses=False)
        sets[tuple(sorted(drawn.tolist()))] += 1
    w = kernel(apart(a, b))[0]
    w /= w.sum()
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    expected = [4000 * (w[i] * w[j] / (1 - w[i]) + w[j] * w[i] / (1 - w[j])) for i, j in pairs]
    assert stats.chisquare([sets[pair] for pair in pairs], expected).pvalue > 1e-3


def test_the_number_of_neighbours_is_that_of_the_closed_form() -> None:
    """In a plane a Gaussian of p and sigma connects p·2π·sigma²·density neighbours, away from the borders."""
    net = ns.Network(seed=2, dt=0.1)
    cells = net.add_population("cells", 20_000, positions=place.box([2000, 2000]))
    kernel = kernels.gaussian(50)
    made = net.connect(cells, cells, rules.distance_probability(kernel, p=0.3, autapses=False))
    inside = (np.abs(cells.positions[:, :2]) < 800).all(axis=1)
    degrees = made.out_degree()[inside]
    expected = 0.3 * 2 * np.pi * 50**2 * (20_000 / 2000**2) * (1 - 1e-3)  # a thousandth lies beyond the cutoff
    assert degrees.mean() == pytest.approx(expected, rel=0.01)
    edges = made.edges()
    r = np.linalg.norm(cells.positions[edges.pre] - cells.positions[edges.post], axis=1)[inside[edges.pre]]
    assert r.max() <= kernel.reach
    law = stats.rayleigh(scale=50)
    largest, _ = stats.kstest(r, lambda x: law.cdf(x) / law.cdf(kernel.reach))
    assert largest < 0.005  # pairs share neurons: no test of independent draws


def test_connectivity_in_a_ball_agrees_with_its_closed_form() -> None:
    """Two random points of a ball lie nearer than r with probability q³(1 - 9q/16 + q³/32), q = r/radius."""
    net = ns.Network(seed=4, dt=0.1)
    a = net.add_population("a", 3000, positions=place.ball(100))
    made = net.connect(a, a, rules.distance_probability(kernels.step(30), autapses=False)).size
    q = 0.3
    share = q**3 * (1 - 9 * q / 16 + q**3 / 32)
    assert made == pytest.approx(3000 * 2999 * share, rel=0.02)


# ---- what is exact -------------------------------------------------------------------------------------------


@given(st.integers(1, 25), st.integers(1, 25), st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_degrees(
    n: int, m: int, incoming: bool, recurrent: bool, autapses: bool, multapses: bool, data: st.DataObject
) -> None:
    net = ns.Network(seed=data.draw(st.integers(0, 99)), dt=0.1)
    a = net.add_population("a", n, positions=place.disc(10))
    b = a if recurrent else net.add_population("b", m, positions=place.ball(10))
    others = (a if incoming else b).size - (recurrent and not autapses)
    number = data.draw(st.integers(0, (30 if multapses else others) if others else 0))
    kind = "distance_indegree" if incoming else "distance_outdegree"
    rule = connector({kind: {"n": number, "kernel": {"gaussian": 8}, "autapses": autapses, "multapses": multapses}})
    made = net.connect(a, b, rule)
    degrees = made.in_degree() if incoming else made.out_degree()
    assert degrees.tolist() == [number] * (b if incoming else a).size
    assert made.size == rule.expected(a.size, b.size)
    pairs = list(zip(made.edges().pre.tolist(), made.edges().post.tolist(), strict=True))
    if recurrent and not autapses:
        assert all(x != y for x, y in pairs)
    if not multapses:
        assert len(set(pairs)) == len(pairs)


def test_certainty_and_impossibility() -> None:
    a, b = two(SHAPES["lattice"])
    net = a.network
    within = [(i, j) for i, j in zip(*np.nonzero(apart(a, b) <= 20.0), strict=True)]
    all_near = net.connect(a, a, rules.distance_probability(kernels.step(20))).edges()
    assert sorted(zip(all_near.pre, all_near.post, strict=True)) == sorted(within)
    others = net.connect(a, a, rules.distance_probability(kernels.step(20), autapses=False))
    assert others.size == len(within) - a.size
    assert net.connect(a, a, rules.distance_probability(kernels.step(20), p=0)).size == 0
    assert net.connect(a, a, rules.distance_probability(kernels.step(1e-3), autapses=False)).size == 0


RANDOM: list[Any] = [
    rules.distance_probability({"gaussian": 20}, p=0.5), rules.distance_indegree(5, {"exponential": 9}),
    rules.distance_outdegree(5, {"step": 50}, multapses=False),
]  # fmt: skip


@pytest.mark.parametrize("rule", RANDOM, ids=lambda rule: rule.name)
def test_the_same_seed_makes_the_same_graph(rule: Any) -> None:
    def made(seed: int) -> Any:
        net = ns.Network(seed=seed, dt=0.1)
        a = net.add_population("a", 300, positions=place.ball(100))
        return [column.tolist() for column in net.connect(a, a, rule, weight=ns.uniform(0, 1)).edges()]

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proximity, "_TABLE", 8)
    monkeypatch.setattr(proximity, "_CROWD", 1)
    a, b = two(np.random.default_rng(1).uniform(0, 100, (200, 3)))
    net = a.network
    assert net.connect(a, b, rules.distance_indegree(9, kernels.gaussian(20))).in_degree().tolist() == [9] * 200
    made = net.connect(a, b, rules.distance_probability(kernels.step(30)))
    assert made.size == (apart(a, b) <= 30).sum()


def test_neurons_that_were_born_and_died_are_seen() -> None:
    net = ns.Network(seed=1, dt=0.1)
    a = net.add_population("a", 20, positions=place.ball(100))
    a.remove(a.ids[::3])
    a.add(5, positions=np.full((5, 3), 500.0))
    made = net.connect(a, a, rules.distance_probability(kernels.step(30)))
    edges = made.edges()
    near = {(i, j) for i, row in zip(a.ids, apart(a, a) <= 30, strict=True) for j in a.ids[row]}
    assert set(zip(edges.pre, edges.post, strict=True)) == near


@pytest.mark.parametrize("n", [(0, 0), (3, 0), (0, 3)])
def test_empty_populations(n: tuple[int, int]) -> None:
    net = ns.Network()
    a, b = (net.add_population(name, size, positions=place.ball(9)) for name, size in zip("ab", n, strict=True))
    kernel = kernels.step(99)
    assert net.connect(a, b, rules.distance_probability(kernel)).size == 0
    assert net.connect(a, b, rules.distance_indegree(0, kernel)).size == 0
    for rule, own in ((rules.distance_indegree(2, kernel), b), (rules.distance_outdegree(2, kernel), a)):
        if own.size:
            with pytest.raises(UsageError, match="nobody to connect to"):
                net.connect(a, b, rule)
        else:
            assert net.connect(a, b, rule).size == 0


# ---- what cannot be -----------------------------------------------------------------------------------------


def test_nobody_is_near_enough() -> None:
    a, b = two([[0, 0, 0], [1000, 0, 0]], [[1, 0, 0], [2, 0, 0]])
    net = a.network
    for rule, message in (
        (rules.distance_outdegree(1, kernels.step(5)), "neuron 1 of 'a' has nobody of 'b' within 5 um, the reach"),
        (rules.distance_outdegree(3, kernels.step(5e3), multapses=False),
         "neuron 0 of 'a' wants 3 different partners; there are 2 of 'b' within 5000 um"),
        (rules.distance_indegree(2, kernels.step(5), multapses=False),
         "neuron 2 of 'b' wants 2 different partners; there are 1 of 'a'"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=message):
            net.connect(a, b, rule, name="p")
    assert not net.projections
    with pytest.raises(UsageError, match="neuron 0 of 'a' has nobody of 'a' within 5 um"):
        net.connect(a, a, rules.distance_indegree(1, kernels.step(5), autapses=False))
    bare = net.add_population("bare", 3)
    for source, target in ((a, bare), (bare, a)):
        with pytest.raises(UsageError, match="population 'bare' has no positions, which distances need"):
            net.connect(source, target, rules.distance_probability(kernels.step(5)))


SCENARIO = """\
duration: 10 ms
populations:
  a: {size: 500, model: lif_delta, positions: {box: {size: [1 mm, 1 mm]}}}
  b: {size: 100, model: lif_delta, positions: {grid: 100 um}}
  bare: {size: 5, model: lif_delta}
projections:
  ab: {from: a, to: b, connect: {distance_probability: {kernel: {gaussian: 50 um}}}, weight: 1 mV, delay: 1 ms}
  aa: {from: a, to: a, connect: {distance_outdegree: {n: 5, kernel: {step: 1 mm}}}, weight: 1 mV, delay: 1 ms}
"""


def test_a_scenario_is_estimated_and_built(tmp_path: Path) -> None:
    path = tmp_path / "near.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    scenario = load(path)
    guessed = size(scenario).synapses
    built = build(scenario).network.projections
    assert guessed["aa"] == built["aa"].size == 2500
    assert guessed["ab"] == pytest.approx(built["ab"].size, rel=0.2)
    assert 500 < built["ab"].size < 1000


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("gaussian: 50 um", "gausian: 50 um", "7: projections.ab.connect: no distance kernel 'gausian'"),
        ("gaussian: 50 um", "gaussian: 50 mV", "7: projections.ab.connect: gaussian.sigma must be a length"),
        ("kernel: {gaussian: 50 um}", "p: 0.1", "7: projections.ab.connect: connector distance_probability needs ker"),
        ("to: b", "to: bare", "7: projections.ab.connect: distance_probability needs distances; 'bare' has no `pos"),
        ("from: a, to: b", "from: bare, to: b", "7: projections.ab.connect: distance_probability needs distances; 'b"),
        ("{n: 5,", "{n: 600, multapses: false,", "8: projections.aa.connect: asks for 600 different partners; there"),
        ("step: 1 mm", "step: 0.1 um", "8: projections.aa: neuron 278 of 'a' has nobody of 'a' within 0.1 um"),
    ],
)
def test_scenarios_that_cannot_be(tmp_path: Path, old: str, new: str, expected: str) -> None:
    path = tmp_path / "near.yaml"
    path.write_text(SCENARIO.replace(old, new).replace("kernel: {step: 0", "autapses: false, kernel: {step: 0"))
    with pytest.raises(ScenarioError) as caught:
        build(load(path))
    assert str(caught.value).removeprefix(f"{path}:").startswith(expected)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("distance_probability", "connector distance_probability needs kernel"),
        ({"distance_probability": {"kernel": {"gaussian": 3}, "p": 1.5}}, "distance_probability.p is 0 to 1"),
        ({"distance_indegree": {"kernel": {"gaussian": 3}}}, "connector distance_indegree needs n"),
        ({"distance_indegree": {"n": 3, "kernel": "gaussian"}}, "distance kernel gaussian needs sigma"),
        ({"distance_indegree": {"n": -3, "kernel": {"gaussian": 1}}}, "distance_indegree.n must be a whole number"),
        ({"distance_outdegree": {"n": 3, "kernel": {"gausian": 1}}}, "Did you mean 'gaussian'"),
    ],
)
def test_connectors_that_cannot_be(spec: Any, message: str) -> None:
    with pytest.raises(NeurosimError, match=message):
        connector(spec)
