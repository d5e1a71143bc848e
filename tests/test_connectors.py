"""Connection rules: what they promise exactly, what they promise on average, and what they refuse."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import neurosim as ns
from neurosim.errors import InvalidInput, UnitError, UnknownName, UsageError
from neurosim.graph.connectors import base, connector, connectors
from neurosim.graph.connectors.base import Connector

rules = ns.connectors


def connected(rule: Any, n: int = 30, m: int | None = None, seed: int = 1, **options: Any) -> Any:
    """A projection within a population of ``n``, or from ``n`` to ``m`` others."""
    net = ns.Network(seed=seed, dt=0.1)
    source = net.add_population("a", n)
    target = source if m is None else net.add_population("b", m)
    return net.connect(source, target, rule, **options)


def pairs_of(projection: Any) -> list[tuple[int, int]]:
    edges = projection.edges()
    return list(zip(edges.pre.tolist(), edges.post.tolist(), strict=True))


# ---- what is exact ------------------------------------------------------------------------------------------


def test_none() -> None:
    assert connected("none").size == 0


@pytest.mark.parametrize("autapses", [True, False])
def test_all_to_all(autapses: bool) -> None:
    made = pairs_of(connected(rules.all_to_all(autapses=autapses), 12))
    assert sorted(made) == [(a, b) for a in range(12) for b in range(12) if autapses or a != b]
    made = pairs_of(connected(rules.all_to_all(autapses=autapses), 3, 5))  # nobody here is connected to itself
    assert sorted(made) == [(a, b) for a in range(3) for b in range(3, 8)]


def test_one_to_one() -> None:
    assert pairs_of(connected("one_to_one", 4, 4)) == [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert pairs_of(connected("one_to_one", 3)) == [(0, 0), (1, 1), (2, 2)]
    with pytest.raises(UsageError, match="'a' has 4 neurons, 'b' has 5"):
        connected("one_to_one", 4, 5)


KINDS = st.sampled_from(["fixed_indegree", "fixed_outdegree", "fixed_total"])


@given(KINDS, st.integers(1, 25), st.integers(1, 25), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_fixed_numbers(
    kind: str, n: int, m: int, recurrent: bool, autapses: bool, multapses: bool, data: st.DataObject
) -> None:
    m = n if recurrent else m
    skip_self = recurrent and not autapses
    own = int(skip_self)
    partners = {"fixed_indegree": n - own, "fixed_outdegree": m - own, "fixed_total": n * (m - own)}[kind]
    number = data.draw(st.integers(0, (40 if multapses else partners) if partners else 0))
    rule = connector({kind: {"n": number, "autapses": autapses, "multapses": multapses}})
    projection = connected(rule, n, None if recurrent else m)
    made = pairs_of(projection)
    if kind == "fixed_indegree":
        assert projection.in_degree().tolist() == [number] * m
    elif kind == "fixed_outdegree":
        assert projection.out_degree().tolist() == [number] * n
    assert len(made) == {"fixed_indegree": number * m, "fixed_outdegree": number * n, "fixed_total": number}[kind]
    assert len(made) == rule.expected(n, m)
    if skip_self:
        assert all(a != b for a, b in made)
    if not multapses:
        assert len(set(made)) == len(made)


def test_all_partners_without_multapses() -> None:
    """The largest number there is: everybody."""
    everybody = sorted((a, b) for a in range(8) for b in range(8) if a != b)
    for kind, n in (("fixed_indegree", 7), ("fixed_outdegree", 7), ("fixed_total", 56)):
        rule = connector({kind: {"n": n, "autapses": False, "multapses": False}})
        assert sorted(pairs_of(connected(rule, 8))) == everybody


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certain_probabilities(p: float) -> None:
    assert connected(rules.fixed_probability(p), 9, 7).size == 63 * p
    assert connected(rules.fixed_probability(p, autapses=False), 9).size == 72 * p
    assert connected(rules.fixed_probability(1e-300), 9).size == 0


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many synapses are made block by block; degrees and totals are as exact as in one go."""
    for module in ("connectors.base", "connectors.fixed_total", "strides"):
        monkeypatch.setattr(sys.modules[f"neurosim.graph.{module}"], "BLOCK", 64)
    done: list[float] = []
    net = ns.Network(seed=1, progress=lambda what, n, of: done.append(n / of))
    a, b = net.add_population("a", 40), net.add_population("b", 20)
    assert net.connect(a, b, rules.fixed_indegree(9)).in_degree().tolist() == [9] * 20
    assert net.connect(a, b, rules.fixed_outdegree(9, multapses=False)).out_degree().tolist() == [9] * 40
    assert net.connect(a, b, rules.fixed_total(500)).size == 500
    assert net.connect(a, b, "all_to_all").size == 800
    some = net.connect(a, b, rules.fixed_probability(0.5), weight=ns.uniform(0, 1))
    assert len(set(pairs_of(some))) == some.size
    assert 320 < some.size < 480
    assert len(done) > 30
    assert 0.0 < min(done) <= max(done) == 1.0


# ---- what holds on average -----------------------------------------------------------------------------------


def test_fixed_probability_is_binomial() -> None:
    n, m, p = 300, 200, 0.1
    projection = connected(rules.fixed_probability(p), n, m)
    made = pairs_of(projection)
    assert len(set(made)) == len(made)
    assert stats.binomtest(len(made), n * m, p).pvalue > 1e-3
    for degrees, partners in ((projection.out_degree(), m), (projection.in_degree(), n)):
        law = stats.binom(partners, p)
        cuts = law.ppf(np.linspace(0, 1, 9)[1:-1])
        observed = np.bincount(np.searchsorted(cuts, degrees), minlength=8)
        expected = np.diff(np.concatenate([[0], law.cdf(cuts), [1]])) * degrees.size
        assert stats.chisquare(observed, expected).pvalue > 1e-3


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("multapses", [True, False])
@pytest.mark.parametrize("kind", ["fixed_indegree", "fixed_outdegree", "fixed_total"])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_no_pair_is_favoured(kind: str, multapses: bool, autapses: bool, share: float) -> None:
    """Every possible pair is equally likely, over 600 seeds."""
    n = 6
    number = max(1, round(share * (n * n if kind == "fixed_total" else n)))
    rule = connector({kind: {"n": number, "autapses": autapses, "multapses": multapses}})
    population = ns.Network().add_population("a", n)
    counts: Counter[int] = Counter()
    for seed in range(600):
        for pairs in rule.pairs(population, population, np.random.default_rng(seed)):
            counts.update((pairs.pre * n + pairs.post).tolist())
    possible = [a * n + b for a in range(n) for b in range(n) if autapses or a != b]
    assert set(counts) <= set(possible)
    observed = np.array([counts[pair] for pair in possible])
    chi_square, _ = stats.chisquare(observed)
    assert stats.chi2.sf(chi_square, len(possible) - 1) > 1e-3


def test_numbers_without_repetition_are_uniform_sets() -> None:
    rng = np.random.default_rng(1)
    for n in (2, 4):  # by drawing again, and by shuffling
        sets = Counter(tuple(sorted(row)) for row in base.distinct(rng, 6000, n, 7).tolist())
        assert all(len(set(row)) == n for row in sets)
        assert stats.chisquare(list(sets.values())).pvalue > 1e-3
        assert len(sets) == {2: 21, 4: 35}[n]


# ---- seeds ---------------------------------------------------------------------------------------------------

RANDOM = [rules.fixed_probability(0.2), rules.fixed_indegree(4), rules.fixed_outdegree(4, multapses=False),
          rules.fixed_total(90)]  # fmt: skip


@pytest.mark.parametrize("rule", RANDOM)
def test_the_same_seed_makes_the_same_graph(rule: Connector) -> None:
    def made(seed: int, name: str = "p") -> tuple[Any, ...]:
        options = {"weight": ns.lognormal(1.0, 0.5), "delay": ns.uniform(1.0, 3.0), "name": name}
        return tuple(column.tolist() for column in connected(rule, seed=seed, **options).edges())

    assert made(1) == made(1)
    assert made(1) != made(2)
    assert made(1)[1:3] != made(1, "q")[1:3]  # keyed by name, so one projection's draws do not depend on another's


def test_one_projection_does_not_depend_on_another() -> None:
    net = ns.Network(seed=5)
    a = net.add_population("a", 20)
    net.connect(a, a, rules.fixed_probability(0.3), name="first")
    second = net.connect(a, a, rules.fixed_probability(0.3), name="second")
    alone = ns.Network(seed=5)
    b = alone.add_population("a", 20)
    assert pairs_of(alone.connect(b, b, rules.fixed_probability(0.3), name="second")) == pairs_of(second)


# ---- weights and delays --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "law"),
    [(ns.uniform(1.0, 3.0), stats.uniform(1.0, 2.0)), (ns.normal("5 mV", "2 mV"), stats.norm(5.0, 2.0)),
     ({"exponential": 2.0}, stats.expon(scale=2.0)), ("uniform(-2 mV, 1000 uV)", stats.uniform(-2.0, 3.0))],
)  # fmt: skip
def test_weights_follow_their_distribution(weight: Any, law: Any) -> None:
    projection = connected(rules.fixed_total(4000), weight=weight, receptor="exc")
    assert stats.kstest(projection.weight.values, law.cdf).pvalue > 1e-3
    edges = projection.edges()
    assert abs(np.corrcoef(edges.weight, edges.post)[0, 1]) < 0.06


def test_delays_follow_their_distribution_on_the_grid() -> None:
    delays = connected(rules.fixed_total(4000), delay=ns.uniform("1 ms", "3 ms")).delay.values
    steps = np.round(delays / 0.1).astype(int)
    assert np.array_equal(delays, steps * 0.1)
    expected = np.full(21, 200.0)
    expected[[0, -1]] = 100.0  # the ends of the range round to half a bin each
    assert stats.chisquare(np.bincount(steps - 10, minlength=21), expected).pvalue > 1e-3
    with pytest.raises(UsageError, match="delays are 0 ms or more"):
        connected(rules.fixed_total(4000), delay=ns.normal(1.0, 1.0))


def test_equal_values_take_no_memory() -> None:
    projection = connected(rules.fixed_total(500), weight=0.3, delay="1.5 ms")
    assert set(projection.store.columns) == {"post"}
    assert projection.weight.values.tolist() == [float(np.float32(0.3))] * 500
    assert projection.delay.values.tolist() == [1.5] * 500
    heterogeneous = connected(rules.fixed_total(500), weight=ns.uniform(0, 1), delay=ns.uniform(1, 5))
    assert heterogeneous.store.columns["delay"].dtype == np.uint8
    assert connected(rules.fixed_total(500), delay=ns.uniform(1, 50)).store.columns["delay"].dtype == np.uint16


def test_values_listed_in_the_order_of_pairs() -> None:
    projection = connected(rules.pairs([4, 1, 4], [0, 2, 0]), weight=[1.0, 2.0, "3 mV"], delay=[1.0, "0.002 s", 3.0])
    edges = projection.edges()
    assert edges.pre.tolist() == [1, 4, 4]
    assert edges.weight.tolist() == [2.0, 1.0, 3.0]
    assert edges.delay.tolist() == [2.0, 1.0, 3.0]
    for wrong in ([1.0, 2.0], [1.0] * 4):
        with pytest.raises(UsageError, match="weight of projection 'a_a'"):
            connected(rules.pairs([4, 1, 4], [0, 2, 0]), weight=wrong)


def test_a_projection_that_fails_leaves_nothing() -> None:
    net = ns.Network()
    a = net.add_population("a", 5)
    for wrong in ({"delay": -1.0}, {"weight": "1 pA"}, {"weight": [1.0]}, {"weight": 1e40},
                  {"bounds": {"weight": (5, 6)}}):  # fmt: skip
        with pytest.raises((UsageError, InvalidInput)):
            net.connect(a, a, "all_to_all", name="p", **wrong)
    assert not net.projections
    assert net.connect(a, a, "all_to_all", name="p").size == 25


# ---- from lists and graphs -----------------------------------------------------------------------------------


def test_pairs_are_given_by_id() -> None:
    net = ns.Network()
    a, b = net.add_population("a", 3), net.add_population("b", 3)
    b.remove([4])
    b.add(2)
    made = net.connect(a, b, rules.pairs(np.array([0, 2, 2, 2]), [3, 6, 6, 5], weight=["1 mV", 2, 3, 4], delay="2 ms"))
    assert sorted(pairs_of(made)) == [(0, 3), (2, 5), (2, 6), (2, 6)]
    assert dict(zip(pairs_of(made), made.weight.values, strict=True))[0, 3] == 1.0
    assert made.delay.values.tolist() == [2.0] * 4
    assert net.connect(a, b, rules.pairs([], [])).size == 0
    assert net.connect(a, b, rules.pairs(1, 3)).size == 1
    for pre, post, message in (([0, 1], [3], "equal length"), ([0], [4], "no neuron 4 in population 'b'"),
                               ([9], [3], "no neuron 9 in population 'a'"), ([0.5], [3], "whole numbers")):  # fmt: skip
        with pytest.raises((UsageError, UnknownName), match=message):
            net.connect(a, b, rules.pairs(pre, post))
    with pytest.raises(UsageError, match="2 values of weight for 3 synapses"):
        net.connect(a, b, rules.pairs([0, 0, 0], [3, 3, 3], weight=[1.0, 2.0]))
    with pytest.raises(UnitError, match="weight of 'a_b_"):
        net.connect(a, b, rules.pairs([0], [3], weight="1 ms"))


def test_from_a_directed_graph() -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from("zyx")  # the k-th node is the k-th neuron, whatever its name
    graph.add_edge("z", "x", weight="0.002 V", delay=2.0)
    graph.add_edge("x", "x", weight=0.5, delay="3 ms")
    graph.add_edge("y", "z", weight=0.25, delay=4.04)
    edges = connected(rules.graph(graph), 3).edges()
    assert edges.pre.tolist() == [0, 1, 2]
    assert edges.post.tolist() == [2, 0, 2]
    assert edges.weight.tolist() == [2.0, 0.25, 0.5]
    assert edges.delay.tolist() == [2.0, 4.0, 3.0]
    edges = connected(rules.graph(graph, weight=None, delay=None), 3, weight=7.0, delay=1.0).edges()
    assert (set(edges.weight.tolist()), set(edges.delay.tolist())) == ({7.0}, {1.0})


def test_from_an_undirected_multigraph() -> None:
    graph: nx.MultiGraph[int] = nx.MultiGraph()
    graph.add_nodes_from(range(3))
    graph.add_edges_from([(0, 1, {"w": 1.0}), (0, 1, {"w": 2.0}), (2, 2, {"w": 3.0})])
    projection = connected(rules.graph(graph, weight="w"), 3, delay=1.5)
    found = sorted((a, b, w) for (a, b), w in zip(pairs_of(projection), projection.weight.values, strict=True))
    assert found == [(0, 1, 1.0), (0, 1, 2.0), (1, 0, 1.0), (1, 0, 2.0), (2, 2, 3.0)]
    assert projection.delay.values.tolist() == [1.5] * 5
    assert connected(rules.graph(nx.empty_graph(3)), 3).size == 0


def test_a_network_can_be_made_again_from_its_graph() -> None:
    first = connected(rules.fixed_total(200), weight=ns.uniform(0, 1), delay=ns.uniform(1, 5), name="p")
    graph = first.network.to_networkx()
    second = connected(rules.graph(graph), name="p")
    ours, theirs = (sorted(zip(*(c.tolist() for c in p.edges()[1:]), strict=True)) for p in (first, second))
    assert ours == theirs


def test_graphs_that_do_not_fit() -> None:
    with pytest.raises(UsageError, match="the graph has 3 nodes, but 'a' has 4 neurons"):
        connected(rules.graph(nx.path_graph(3)), 4)
    with pytest.raises(UsageError, match=r"wants a networkx graph; found 'net\.graphml'"):
        rules.graph("net.graphml")
    graph = nx.DiGraph([("p", "q", {"weight": 1.0}), ("q", "p", {})])
    with pytest.raises(InvalidInput, match="edge q → p of the graph has no 'weight', but other edges do"):
        connected(rules.graph(graph), 2)
    graph["q"]["p"]["weight"] = "3 ms"
    with pytest.raises(UnitError, match="weight of 'a_a' must be a voltage"):
        connected(rules.graph(graph), 2)


# ---- how rules are written -----------------------------------------------------------------------------------


def test_ways_to_name_a_rule() -> None:
    rule = rules.fixed_indegree(4)
    assert connector(rule) is rule
    assert connector({"fixed_indegree": 4}) == connector({"fixed_indegree": {"n": 4}}) == rule
    for spec in ("all_to_all", {"all_to_all": None}, rules.all_to_all):
        assert connector(spec) == rules.all_to_all()
    assert set(connectors()) == {"all_to_all", "distance_indegree", "distance_outdegree", "distance_probability",
                                 "fixed_indegree", "fixed_outdegree", "fixed_probability", "fixed_total",
                                 "graph", "none", "one_to_one", "pairs"}  # fmt: skip
    assert all(rule.name == name and rule.__doc__ for name, rule in connectors().items())
    with pytest.raises(AttributeError, match="no rule 'small_world'"):
        _ = rules.small_world


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fixed_indgree", "Did you mean 'fixed_indegree'"),
        ({"fixed_indegree": {"m": 4}}, r"no parameter 'm' of connector fixed_indegree\. Known: n, autapses, multapses"),
        ("fixed_indegree", "connector fixed_indegree needs n"),
        ({"fixed_indegree": -1}, "must be a whole number, 0 or more; found -1"),
        ({"fixed_indegree": 2.5}, "must be a whole number"),
        ({"fixed_outdegree": "3"}, "must be a whole number"),
        ({"fixed_total": float("nan")}, "must be a whole number"),
        ({"fixed_total": True}, "must be a whole number"),
        ({"fixed_probability": 1.5}, "a connection probability is 0 to 1; found 1.5"),
        ({"fixed_probability": -0.1}, "0 to 1"),
        ({"fixed_probability": float("nan")}, "0 to 1"),
        ({"fixed_probability": "0.1"}, "0 to 1"),
        ({"fixed_probability": [0.1]}, "0 to 1"),
        ({"fixed_indegree": 1, "fixed_outdegree": 1}, "written as a name or as"),
        (7, "written as a name or as"),
    ],
)
def test_rules_that_cannot_be(spec: Any, message: str) -> None:
    with pytest.raises((UsageError, InvalidInput), match=message):
        connector(spec)


@pytest.mark.parametrize(
    ("rule", "n", "m", "message"),
    [
        (rules.fixed_indegree(4, multapses=False), 3, 5, "cannot draw 4 different partners out of 3"),
        (rules.fixed_outdegree(3, autapses=False, multapses=False), 3, None, "3 different partners out of 2"),
        (rules.fixed_total(10, multapses=False), 3, 3, "10 different"),
        (rules.fixed_indegree(1), 0, 5, "nobody to connect to"),
        (rules.fixed_outdegree(1, autapses=False), 1, None, "nobody to connect to"),
        (rules.fixed_total(1), 0, 5, "no pair can be made between 'a' and 'b'"),
    ],
)
def test_numbers_that_do_not_fit(rule: Connector, n: int, m: int | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        connected(rule, n, m)


@pytest.mark.parametrize("rule", [rule for rule in connectors().values() if not rule.needs_positions])
def test_empty_populations(rule: Any) -> None:
    arguments = {"fixed_probability": (0.5,), "pairs": ([], []), "graph": (nx.empty_graph(0),)}
    fallback = (0,) if rule.name.startswith("fixed") else ()
    made = rule(*arguments.get(rule.name, fallback))
    assert connected(made, 0, 0).size == 0


@pytest.mark.lane
def test_rows_lie_in_shard_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """With several shards the synapses of a row are ordered by the shard of their target."""
    monkeypatch.setattr("neurosim.graph.population._NEURONS_FOR_FOUR", 16)
    projection = connected(rules.fixed_outdegree(9), 16, weight=ns.uniform(0, 1), delay=ns.uniform(1, 5))
    edges = projection.edges()
    shard = projection.target.slots(edges.post) // projection.target.stride
    assert projection.target.shards == 4
    assert (edges.id & np.uint64(0xFFFFFFFF)).tolist() == list(range(9)) * 16
    for row in range(16):
        assert np.all(np.diff(shard[9 * row : 9 * row + 9]) >= 0)
