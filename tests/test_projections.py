"""Projections: synapses by id, edits and what they refuse, delays on the time grid, the log of births and deaths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest
from small import small_network, state_of

import neurosim as ns
from neurosim.errors import InvalidInput, UnknownName, UsageError

Edit = Callable[[], object]


@pytest.fixture(params=[1024, 5], ids=["one shard", "several shards"])
def net(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ns.Network:
    return small_network(monkeypatch, request.param)


# ---- projections --------------------------------------------------------------------------------------------


@pytest.fixture
def ee(net: ns.Network) -> Any:
    """0 → 1, 0 → 2 (twice), 3 → 3, 5 → 0."""
    pairs = ns.connectors.pairs([0, 0, 3, 0, 5], [1, 2, 3, 2, 0], [1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 0.1, 2.5, 1.0])
    return net.connect("exc", "exc", pairs, name="ee")


def test_synapses_by_id(ee: Any) -> None:
    edges = ee.edges()
    assert ee.size == len(ee) == 5
    assert edges.id.dtype == np.uint64
    assert (edges.id >> np.uint64(32)).tolist() == edges.pre.tolist() == [0, 0, 0, 3, 5]
    assert edges.post.tolist() == [1, 2, 2, 3, 0]
    assert edges.weight.tolist() == [1.0, 2.0, 4.0, 3.0, 5.0]
    assert edges.delay.tolist() == pytest.approx([1.0, 2.0, 2.5, 0.1, 1.0])
    assert ee.weight[edges.id[[3, 0]]].tolist() == [3.0, 1.0]
    assert ee.weight[int(edges.id[4])].tolist() == [5.0]
    assert ee.weight[[]].tolist() == []
    ee.weight[edges.id[:2]] = 0.1
    ee.delay[edges.id[1]] = "0.333 ms"
    assert ee.weight[edges.id[:2]].tolist() == [np.float32(0.1)] * 2
    assert ee.delay[edges.id[1]].tolist() == [pytest.approx(0.3)]
    ee.weight = 2.0
    assert ee.weight.values.tolist() == [2.0] * 5
    assert repr(ee) == "<projection 'ee': 5 synapses exc → exc.exc>"
    assert "in mV" in repr(ee.weight)


def test_find_and_degrees(ee: Any) -> None:
    edges = ee.edges()
    assert ee.find(0, 2).tolist() == edges.id[1:3].tolist()
    assert ee.find(pre=[5, 0, 5]).tolist() == edges.id[[0, 1, 2, 4]].tolist()
    assert ee.find(post=[3, 0]).tolist() == edges.id[[3, 4]].tolist()
    assert ee.find(1, 2).tolist() == ee.find(pre=[]).tolist() == ee.find(post=[]).tolist() == []
    assert ee.find().tolist() == ee.ids.tolist()
    assert ee.out_degree().tolist() == [3, 0, 0, 1, 0, 1] + [0] * 6
    assert ee.in_degree().tolist() == [1, 1, 2, 1] + [0] * 8
    assert ee.in_degree([2, 0]).tolist() == [2, 1]
    assert ee.out_degree(3).tolist() == [1]
    assert ee.in_degree([]).tolist() == []
    with pytest.raises(UnknownName):
        ee.find(pre=12)
    with pytest.raises(UnknownName):
        ee.in_degree([77])


def test_where_over_synapses(ee: Any) -> None:
    edges = ee.edges()
    assert ee.where("weight > 2.5 mV").tolist() == edges.id[[2, 3, 4]].tolist()
    assert ee.where("pre == post").tolist() == [edges.id[3]]
    assert ee.where("delay >= 2 ms and pre < 1").tolist() == edges.id[[1, 2]].tolist()
    assert ee.where("1 < 2").tolist() == edges.id.tolist()
    with pytest.raises(InvalidInput, match="wieght"):
        ee.where("wieght > 1")


def test_edits_of_synapses(ee: Any) -> None:
    net, before = ee.network, ee.ids
    ids = ee.add(pre=[0, 7], post=[4, 4], weight="0.25 mV", delay=1.04)
    assert ids.dtype == np.uint64
    assert (ids >> np.uint64(32)).tolist() == [0, 7]
    assert not set(ids.tolist()) & set(before.tolist())
    assert ee.delay[ids].tolist() == [1.0, 1.0]
    fan = ee.add(pre=2, post=net.populations["exc"].ids, weight=np.arange(12.0))
    assert ee.out_degree(2).tolist() == [12]
    assert ee.weight[fan].tolist() == list(range(12))
    ee.remove(ids[0])
    ee.remove(np.concatenate([fan[:3], fan[:2]]))  # named twice, removed once
    assert ee.size == 5 + 1 + 9
    assert net.history.births["synapses"] == 14
    assert net.history.deaths["synapses"] == 4
    assert len(net.history.events) == 18
    for gone in (ids[0], fan[1], 2**63, 5, 3 << 32 | 9):
        with pytest.raises(UnknownName, match=r"no synapse .* in projection 'ee'"):
            ee.remove([fan[5], gone])
    assert ee.size == 15
    assert ee.add([], [], 1.0).size == 0
    assert ee.add(1, []).size == 0


def test_edits_that_cannot_be_change_nothing(ee: Any) -> None:
    net = ee.network
    net.populations["exc"].remove([9])
    before = state_of(net)
    good = {"pre": [1, 2], "post": [3, 4], "weight": 1.0, "delay": 1.0}
    for wrong, message in (
        ({"pre": [1, 9]}, "no neuron 9 in population 'exc': never born, or dead"),
        ({"post": [1, 12]}, "no neuron 12"),
        ({"post": [9, 12]}, "no neuron 9, 12 in"),
        ({"pre": [1, 2, 3]}, "pairwise: 3 presynaptic ids do not match 2"),
        ({"pre": [1.5, 2.0]}, "whole numbers"),
        ({"delay": -0.1}, "delays are 0 ms or more"),
        ({"delay": [1.0, -1.0]}, "-1 ms"),
        ({"delay": 1e9}, "more than 65535 steps"),
        ({"delay": float("nan")}, "finite"),
        ({"delay": "1 mV"}, "ms"),
        ({"weight": float("inf")}, "finite"),
        ({"weight": 1e39}, "too large"),
        ({"weight": -1e39}, "too large"),
        ({"weight": [1.0, 2.0, 3.0]}, "3 values were given for 2"),
        ({"weight": True}, "weight of projection 'ee'"),
    ):
        with pytest.raises((UsageError, InvalidInput), match=message):
            ee.add(**{**good, **wrong})
        assert state_of(net) == before, wrong
    writes: tuple[Edit, ...] = (
        lambda: ee.delay.__setitem__(ee.ids, -1.0), lambda: ee.weight.__setitem__([1 << 40], 1.0),
        lambda: ee.weight.set([1.0]), lambda: ee.delay.set(1e9), lambda: ee.weight.set("nan"),
        lambda: ee.weight.__getitem__([1.5]), lambda: ee.remove([0.5]),
    )  # fmt: skip
    for write in writes:
        with pytest.raises((UsageError, InvalidInput)):
            write()
        assert state_of(net) == before


def test_declared_bounds(net: ns.Network) -> None:
    ee = net.connect("exc", "exc", "one_to_one", weight=0.5, delay=2.0,
                     bounds={"weight": ("0 mV", 1.0), "delay": (0.1, "10 ms")})  # fmt: skip
    before = state_of(net)
    edits: tuple[Edit, ...] = (
        lambda: ee.add(1, 2, weight=1.5), lambda: ee.add(1, 2, weight=-0.1), lambda: ee.add(1, 2, delay=10.1),
        lambda: ee.add(1, 2, delay=0.0), lambda: ee.weight.set(2.0), lambda: ee.delay.set(20.0),
    )  # fmt: skip
    for edit in edits:
        with pytest.raises(UsageError, match=r"lies outside the (declared )?bounds \["):
            edit()
        assert state_of(net) == before
    with pytest.raises(UsageError, match="outside"):
        net.connect("exc", "exc", "one_to_one", weight=2.0, bounds={"weight": (0, 1)})
    for bounds, message in (
        ({"weight": (1, 0)}, "the low bound 1 is above the high bound 0"),
        ({"weight": 3}, r"written as \[low, high\]"),
        ({"weights": (0, 1)}, "Did you mean 'weight'"),
        ({"delay": ("1 mV", 2)}, "ms"),
        ({"delay": (-1, 5)}, "0 ms or more"),
        ({"delay": (1, 1e9)}, "more than 65535 steps"),
    ):
        with pytest.raises((UsageError, InvalidInput), match=message):
            net.connect("exc", "exc", "none", bounds=bounds)
    assert list(net.projections) == ["exc_exc"]


def test_new_synapses_are_drawn_as_the_first(net: ns.Network) -> None:
    ee = net.connect("exc", "exc", "none", weight=ns.uniform(1.0, 2.0), delay=ns.uniform(3.0, 4.0))
    ids = ee.add(np.repeat(np.arange(12), 12), np.tile(np.arange(12), 12))
    assert np.unique(ee.weight[ids]).size > 100
    assert ee.weight[ids].min() >= 1.0
    assert ee.delay[ids].min() >= 3.0
    assert ee.delay[ids].max() <= 4.0
    again = ee.add(np.arange(12), np.arange(12))
    assert not set(ee.weight[again].tolist()) & set(ee.weight[ids].tolist())  # each edit draws anew


def test_the_receptor_follows_the_sign(net: ns.Network) -> None:
    assert net.connect("exc", "out", "none", weight=ns.uniform(0.0, 1.0)).receptor == "exc"
    assert net.connect("exc", "out", "none", weight=-2.0).receptor == "inh"
    assert net.connect("exc", "out", "none", weight=2.0, receptor="inh").receptor == "inh"
    assert net.connect("exc", "out", ns.connectors.pairs([1], [12], weight=["-3 pA"])).receptor == "inh"
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(5))
    graph.add_edge(0, 1, weight=-1.5)
    assert net.connect("out", "out", ns.connectors.graph(graph)).receptor == "inh"
    graph.add_edge(0, 2, weight=1.5)
    with pytest.raises(UsageError, match="name the receptor: exc, inh"):
        net.connect("out", "out", ns.connectors.graph(graph))
    with pytest.raises(UsageError, match="name the receptor"):
        net.connect("exc", "out", "none", weight=ns.normal(0.0, 1.0))
    net.add_population("sources", 3, "poisson")
    with pytest.raises(UsageError, match="takes no input"):
        net.connect("exc", "sources", "none")


def test_a_mistake_in_a_learning_rule_leaves_no_projection(net: ns.Network) -> None:
    with pytest.raises(InvalidInput, match="no learning rule 'stpd'"):
        net.connect("exc", "exc", "none", learning=["stpd"])
    with pytest.raises(InvalidInput, match="w_max is a bound of the projection's weights"):
        net.connect("exc", "exc", "none", learning=["stdp"])
    assert not net.projections


# ---- delays and the time grid -------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True], ids=["dt known", "dt known later"])
@pytest.mark.parametrize("delay", [0.0, 0.01, 0.149999, 0.15, 0.25, 1.0, 1.04, 1.05, 25.55, 25.65, 100.0])
def test_delays_are_quantised(delay: float, late: bool) -> None:
    net = ns.Network(dt=None if late else 0.1)
    exc = net.add_population("exc", 3)
    ee = net.connect(exc, exc, "all_to_all", delay=delay)
    other = net.connect(exc, exc, "all_to_all", delay=np.full(9, delay) + np.arange(9) / 2)
    if late:
        assert ee.delay.values.tolist() == [delay] * 9  # in ms, as given
        net.set_grid(0.1)
    steps = int(np.floor(delay / 0.1 + 0.5))
    if steps == 0 and delay > 0.0:
        steps = 1
    assert ee.delay.values.tolist() == [steps * 0.1] * 9
    delays = delay + np.arange(9) / 2
    expected = np.where(delays == 0, 0, np.maximum(np.floor(delays / 0.1 + 0.5), 1)) * 0.1
    assert other.delay.values.tolist() == expected.tolist()
    added = ee.add([0, 1], [1, 1], delay=[delay, delay + 40.0])
    assert ee.delay[added].tolist() == [steps * 0.1, np.floor((delay + 40.0) / 0.1 + 0.5) * 0.1]
    assert ee.delay.values.tolist().count(steps * 0.1) == 10


@pytest.mark.lane
def test_edits_before_and_after_the_grid_is_known() -> None:
    net = ns.Network()
    exc = net.add_population("exc", 4)
    ee = net.connect(exc, exc, "none", delay=1.0)
    first = ee.add([0, 1], [1, 2], delay=[0.333, 2.0])
    ee.remove(first[:1])
    ee.add(3, 3, delay=0.0)
    assert ee.delay.values.tolist() == [2.0, 0.0]
    sim = ns.Simulation(net, dt=0.5, threads=1)
    ee.add(0, 0, delay=0.3)
    assert ee.delay.values.tolist() == [0.5, 2.0, 0.0]
    sim.run(1.0)
    assert net.dt == 0.5


def test_a_grid_that_cannot_be_leaves_the_delays(net: ns.Network) -> None:
    net = ns.Network()
    exc = net.add_population("exc", 3)
    short = net.connect(exc, exc, "all_to_all", delay=ns.uniform(1.0, 2.0))
    net.connect(exc, exc, "all_to_all", delay=1000.0)
    before = short.delay.values.tolist()
    with pytest.raises(UsageError, match="more than 65535 steps"):
        net.set_grid(0.01)
    assert net.dt is None
    assert short.delay.values.tolist() == before
    net.set_grid("0.1 ms")
    net.set_grid(0.1)
    with pytest.raises(UsageError, match=r"on a grid of 0\.1 ms already"):
        net.set_grid(0.2)
    with pytest.raises(UsageError, match="more than 0 ms"):
        ns.Network(dt=0.0)


# ---- leaving ------------------------------------------------------------------------------------------------


def test_to_networkx(ee: Any) -> None:
    net = ee.network
    graph = net.to_networkx()
    assert isinstance(graph, nx.MultiDiGraph)
    assert graph.graph == {"time": 0.0, "seed": 3}
    assert list(graph.nodes) == list(range(17))
    common = {"projection": "ee", "receptor": "exc"}
    expected = {
        (int(pre), int(post), int(synapse)): {"weight": float(w), "delay": float(d), **common}
        for synapse, pre, post, w, d in zip(*ee.edges(), strict=True)
    }
    assert {(u, v, k): data for u, v, k, data in graph.edges(keys=True, data=True)} == expected
    assert all(type(k) is int for _, _, k in graph.edges(keys=True))


def test_projections_between_the_same_populations_keep_apart(ee: Any) -> None:
    """Synapse ids are unique within a projection only."""
    net = ee.network
    twin = net.connect("exc", "exc", ns.connectors.pairs([0, 0], [1, 2], [7.0, 8.0]), name="twin")
    other = net.connect("exc", "out", ns.connectors.pairs([0], [12], [9.0]), name="other")
    graph = net.to_networkx()
    assert graph.number_of_edges() == 5 + 2 + 1
    assert int(twin.ids[0]) == int(ee.ids[0])
    assert graph[0][1][0]["projection"] == "ee"
    assert graph[0][1]["twin/0"] == {"weight": 7.0, "delay": 1.0, "projection": "twin", "receptor": "exc"}
    assert graph[0][12][int(other.ids[0])]["weight"] == 9.0


# ---- while it runs ------------------------------------------------------------------------------------------


def test_edits_wait_for_the_end_of_an_epoch(net: ns.Network) -> None:
    exc = net.populations["exc"]
    ee = net.connect(exc, exc, "one_to_one", weight=0.1, delay=1.0)
    drive = net.add_input("drive", ns.inputs.poisson(50_000.0), exc, weight=5.0)
    sim = ns.Simulation(net, threads=1)
    heard = []

    def hear(sim: ns.Simulation, times: Any, ids: Any) -> None:
        edits: tuple[Edit, ...] = (
            lambda: ee.add(1, 2), lambda: ee.remove(ee.ids), lambda: exc.add(1), lambda: exc.remove([1]),
            lambda: ee.weight.set(1.0), lambda: ee.delay.set(1.0), lambda: exc.v.set(0.0),
            lambda: drive.set("rate", 1.0), lambda: exc.set_parameter("v_th", 5.0),
            lambda: net.connect(exc, exc, "none"),
            lambda: net.add_population("more", 3), lambda: net.add_input("more", ns.inputs.poisson(1.0), exc),
        )  # fmt: skip
        for edit in edits:
            with pytest.raises(UsageError, match="between epochs"):
                edit()
        heard.append(ids.size)

    sim.on_spike(exc, hear)
    sim.run(20.0)
    assert heard
    assert ee.size == 12
    assert net.history.births == {"neurons": 0, "synapses": 0}
    sim.at(25.0, lambda sim: ee.add(1, 2))
    sim.run(10.0)
    assert ee.size == 13
    assert net.history.events["time"].tolist() == [25.0]


# ---- the log ------------------------------------------------------------------------------------------------


@pytest.mark.lane
def test_the_log_lists_a_neurons_synapses_with_its_death() -> None:
    net = ns.Network(dt=0.1)
    exc = net.add_population("exc", 4)
    ee = net.connect(exc, exc, ns.connectors.pairs([0, 1, 1, 2], [1, 1, 2, 3], weight=[1, 2, 3, 4]), delay=1.0)
    empty = net.history.digest
    exc.remove([1])
    log = net.history.drain()
    assert log["kind"].tolist() == [3, 3, 3, 1]
    assert sorted(zip(log["pre"][:3].tolist(), log["post"][:3].tolist(), log["weight"][:3].tolist(), strict=True)) == [
        (0, 1, 1.0), (1, 1, 2.0), (1, 2, 3.0)
    ]  # fmt: skip
    assert log["id"][3] == 1
    assert log["delay"].tolist() == [1.0, 1.0, 1.0, 0.0]
    assert net.history.drain().size == 0
    ee.add(3, 0, weight=5.0)
    born = exc.add(2)
    log = net.history.events
    assert log["kind"].tolist() == [2, 0, 0]
    assert log["id"][1:].tolist() == born.tolist()
    assert log["weight"].tolist() == [5.0, 0.0, 0.0]
    assert net.history.deaths == {"neurons": 1, "synapses": 3}
    assert net.history.births == {"neurons": 2, "synapses": 1}
    assert net.history.digest != empty


def test_counts_and_digest_need_no_log() -> None:
    digests = []
    for mode in ("full", "counts", "off"):
        net = ns.Network(seed=1, dt=0.1)
        exc = net.add_population("exc", 50)
        ee = net.connect(exc, exc, ns.connectors.fixed_outdegree(20))
        net.history.mode = mode
        for k in range(60):
            ee.add(exc.ids, np.roll(exc.ids, k), weight=0.5)
            ee.remove(np.append(ee.ids[:300], ee.ids[:2]))
            if k == 30:
                exc.remove([3])
                exc.add(2)
            ee.add([4] * 300, np.resize(exc.ids, 300))
        assert net.history.deaths["synapses"] >= 300 * 60
        counted = sum(net.history.births.values()) + sum(net.history.deaths.values())
        assert len(net.history.events) == (counted if mode == "full" else 0)
        assert net.history.tally.rows["n"].sum() == (0 if mode == "off" else counted)
        digests.append((net.history.digest, net.history.births, net.history.deaths, net.history.since))
    assert digests[0] == digests[1] == digests[2]
    with pytest.raises(UnknownName, match=r"no mode 'count'.*counts"):
        net.history.mode = "count"
