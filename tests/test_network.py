"""Building a network, reading it by id, and the messages where something cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import InvalidInput, UnitError, UnknownName, UsageError
from neurosim.graph import population as population_module

Edit = Callable[[], object]


@pytest.fixture(params=[1024, 5], ids=["one shard", "several shards"])
def net(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ns.Network:
    """Two populations, 0 … 11 and 12 … 16, once with several shards."""
    monkeypatch.setattr(population_module, "_NEURONS_FOR_FOUR", request.param)
    network = ns.Network(seed=3, dt=0.1)
    network.add_population("exc", 12, "lif_delta")
    network.add_population("out", 5, "lif_exp")
    return network


# ---- populations --------------------------------------------------------------------------------------------


def test_ids_ascend_over_the_whole_network(net: ns.Network) -> None:
    exc, out = net.populations["exc"], net.populations["out"]
    assert exc.ids.tolist() == list(range(12))
    assert out.ids.tolist() == list(range(12, 17))
    assert exc.ids.dtype == np.uint32
    assert (exc.size, len(out)) == (12, 5)
    assert exc.add(3).tolist() == [17, 18, 19]
    assert out.add(2).tolist() == [20, 21]
    exc.remove([0, 18])
    assert exc.add(1).tolist() == [22]  # never again 0 or 18
    assert exc.ids.tolist() == [*range(1, 12), 17, 19, 22]
    assert repr(exc) == "<population 'exc': 14 × lif_delta>"
    assert repr(net) == "<network: 21 neurons in 2 populations, 0 synapses>"


def test_the_dead_are_gone_for_good(net: ns.Network) -> None:
    exc = net.populations["exc"]
    exc.remove(exc.ids[:10])
    exc.remove([])
    assert exc.ids.tolist() == [10, 11]
    for ids in ([0], [10, 3], [12], [99], [-1], [2**40]):
        with pytest.raises(UnknownName, match="in population 'exc'"):
            exc.remove(ids)
        with pytest.raises(UnknownName):
            exc.v[ids]
    assert exc.ids.tolist() == [10, 11]
    exc.remove([10, 11, 10])
    assert exc.size == 0
    assert exc.v.values.tolist() == []
    assert exc.where("v > -1000 mV").size == 0
    assert exc.add(2).tolist() == [17, 18]


def test_many_births_and_deaths_keep_every_value(net: ns.Network) -> None:
    """Slots move as populations grow and close ranks; ids and their values stay together."""
    exc = net.populations["exc"]
    values: dict[int, float] = {}
    rng = np.random.default_rng(1)
    exc.v = exc.ids.astype(float)
    values.update(zip(exc.ids.tolist(), exc.v.values.tolist(), strict=True))
    for _ in range(12):
        born = exc.add(40)
        exc.v[born] = born * 1.0
        values.update((int(i), float(i)) for i in born)
        dead = rng.permutation(exc.ids)[:38]
        exc.remove(dead)
        for neuron in dead.tolist():
            del values[neuron]
        assert dict(zip(exc.ids.tolist(), exc.v.values.tolist(), strict=True)) == values
        assert np.all(np.diff(exc.ids.astype(int)) > 0)


@pytest.mark.parametrize("size", [-1, 2.5, "5", None, True, float("nan"), float("inf"), [3]])
def test_a_size_is_a_whole_number(net: ns.Network, size: Any) -> None:
    with pytest.raises(UsageError, match="the size of population 'more' must be a whole number, 0 or more"):
        net.add_population("more", size)
    with pytest.raises(UsageError, match="must be a whole number"):
        net.populations["exc"].add(size)
    assert net.add_population("more", 0).size == 0


@pytest.mark.parametrize("seed", [-1, 1.5, "a", None, 2**63])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(UsageError, match="a seed"):
        ns.Network(seed=seed)


@pytest.mark.parametrize("name", ["exc", "2nd", "a b", "", "a-b", 7, None])
def test_names(net: ns.Network, name: Any) -> None:
    with pytest.raises(UsageError, match="name"):
        net.add_population(name, 3)
    with pytest.raises(UsageError, match="name"):
        net.add_group(name, "exc", [1])
    with pytest.raises(UsageError, match="name"):
        net.add_input(name, ns.inputs.poisson(10.0), "exc")


def test_names_are_looked_up_and_near_ones_offered(net: ns.Network) -> None:
    exc = net.populations["exc"]
    assert net.connect("exc", exc, "none").name == "exc_exc"
    assert net.connect("exc", exc, "none").name == "exc_exc_2"
    with pytest.raises(UnknownName, match=r"no population 'ecx'\. Known: exc, out\. Did you mean 'exc'\?"):
        net.connect("ecx", exc, "none")
    with pytest.raises(UnknownName, match="Did you mean 'lif_delta'"):
        net.add_population("more", 3, "lif_dleta")
    with pytest.raises(UnknownName, match=r"no receptor 'excc' of lif_delta.*Did you mean 'exc'"):
        net.connect(exc, exc, "none", receptor="excc")
    with pytest.raises(UnknownName, match="no population or group 'cues'"):
        net.add_input("drive", ns.inputs.poisson(1.0), ["exc", "cues"])
    with pytest.raises(UsageError, match="belongs to another network"):
        ns.Network().connect(exc, exc, "none")
    with pytest.raises(UsageError, match="belongs to another network"):
        ns.Network().add_input("drive", ns.inputs.poisson(1.0), net.add_group("cue", exc, [1]))
    assert set(net.projections) == {"exc_exc", "exc_exc_2"}
    assert not net.inputs


# ---- state, by id -------------------------------------------------------------------------------------------


def test_state_is_read_and_written_by_id(net: ns.Network) -> None:
    exc = net.populations["exc"]
    exc.v[[3, 1]] = [30.0, "10 mV"]
    exc.v[5] = "0.05 V"
    assert exc.v[[1, 3, 5, 3]].tolist() == [10.0, 30.0, 50.0, 30.0]
    assert exc.v[2].tolist() == [0.0]
    assert exc.v[[]].tolist() == []
    exc.v.set(-1.0)
    assert exc.v.values.tolist() == [-1.0] * 12
    exc.v = np.arange(12.0)
    assert exc.v.values.tolist() == list(range(12))
    exc.v = ns.uniform("1 mV", "2 mV")
    assert np.unique(exc.v.values).size == 12
    assert exc.v.values.min() >= 1.0
    assert exc.v.values.max() <= 2.0
    assert exc.variables == {"v": "mV", "i_stim": "pA"}
    assert net.populations["out"].variables["i_exc"] == "pA"
    assert repr(exc.v).startswith("<exc.v in mV")


def test_values_follow_the_order_of_ids(net: ns.Network) -> None:
    exc = net.populations["exc"]
    exc.add(9)  # newborns go to the emptiest shard, so slots are no longer in the order of ids
    exc.v.set(exc.ids.astype(float))
    assert exc.v.values.tolist() == exc.ids.tolist()
    assert exc.v[exc.ids[::-1]].tolist() == exc.ids[::-1].tolist()
    ee = net.connect(exc, exc, ns.connectors.fixed_outdegree(2), weight=ns.uniform(0, 1), delay=ns.uniform(1, 5))
    exc.add(7)
    ee.add(exc.ids[-7:], exc.ids[:7], weight=np.arange(7.0), delay=2.0)
    edges = ee.edges()
    assert np.array_equal(ee.ids, edges.id)
    assert np.array_equal(ee.weight.values, edges.weight)
    assert np.array_equal(ee.delay.values, edges.delay)
    assert np.all(np.diff(edges.pre.astype(int)) >= 0)
    ee.weight.set(np.arange(float(ee.size)))
    ee.delay.set(np.arange(1.0, ee.size + 1.0))
    assert ee.weight[ee.ids].tolist() == list(range(ee.size))
    assert ee.weight.values.tolist() == list(range(ee.size))
    assert np.allclose(ee.delay[ee.ids], np.arange(1.0, ee.size + 1.0))


def test_what_is_no_variable_is_refused(net: ns.Network) -> None:
    exc = net.populations["exc"]
    with pytest.raises(AttributeError, match=r"no variable 'V' of population 'exc'\. Known: v, i_stim\. Did you mean"):
        _ = exc.V
    with pytest.raises(AttributeError, match="Did you mean 'v'"):
        exc.V = 3.0
    with pytest.raises(UnitError, match=r"exc\.v"):
        exc.v = "3 pA"
    with pytest.raises(UnitError, match="finite"):
        exc.v[2] = float("nan")
    with pytest.raises(UnitError):
        exc.v[2] = True
    with pytest.raises(InvalidInput, match="3 values were given for 12 elements"):
        exc.v.set([1.0, 2.0, 3.0])
    with pytest.raises(UsageError, match="ids are whole numbers"):
        exc.v[[1.5]]
    with pytest.raises(UsageError, match="ids are whole numbers"):
        exc.v[exc.v.values > 1.0]  # a mask is no list of ids
    assert exc.v.values.tolist() == [0.0] * 12


def test_where(net: ns.Network) -> None:
    exc = net.populations["exc"]
    exc.v = np.arange(12.0)
    assert exc.where("v >= 3 mV and v < 0.006 V").tolist() == [3, 4, 5]
    assert exc.where("id > 9").tolist() == [10, 11]
    assert exc.where("1 > 2").tolist() == []
    assert exc.where("2 > 1").tolist() == list(range(12))
    with pytest.raises(InvalidInput, match="x"):
        exc.where("x > 1 um")
    with pytest.raises(InvalidInput):
        exc.where("v > 1 pA")


def test_initial_values(net: ns.Network) -> None:
    drawn = net.add_population("drawn", 200, "lif_exp", initial={"v": ns.normal(-60.0, 2.0), "i_exc": "1 nA"})
    assert abs(drawn.v.values.mean() + 60.0) < 0.6
    assert drawn.i_exc.values.tolist() == [1000.0] * 200
    assert drawn.i_inh.values.tolist() == [0.0] * 200
    again = ns.Network(seed=3)
    again.add_population("other", 17)
    same = again.add_population("drawn", 200, "lif_exp", initial={"v": "normal(-60 mV, 2 mV)"})
    assert np.array_equal(same.v.values, drawn.v.values)  # keyed by seed and name
    listed = net.add_population("listed", 3, {"lif_delta": {"e_l": "-70 mV"}}, initial={"v": [1, 2, 3]})
    assert listed.v.values.tolist() == [1.0, 2.0, 3.0]
    assert listed.v[listed.add(2)].tolist() == [-70.0, -70.0]  # newborns: the model's own initial state
    assert listed.v[listed.add(2, v="uniform(5 mV, 5 mV)")].tolist() == [5.0, 5.0]


def test_births_that_cannot_be_change_nothing(net: ns.Network) -> None:
    exc = net.add_population("placed", 4, positions=np.ones((4, 3)))
    before = state_of(net)
    wrong: dict[str, Any]
    for wrong in ({"v": [1.0, 2.0]}, {"v": "1 pA"}, {"u": 1.0}, {"positions": [[1.0, 2.0]]}, {"positions": [1.0, 2.0]},
                  {"positions": [["1 mV", 2.0, 3.0]] * 3}):  # fmt: skip
        with pytest.raises((UsageError, InvalidInput)):
            exc.add(3, **wrong)
        assert state_of(net) == before
    with pytest.raises(UsageError, match="has no positions"):
        net.populations["exc"].add(1, positions=[[1, 2, 3]])
    for wrong in ({"initial": {"v": [1.0]}}, {"initial": {"w": 1.0}}, {"positions": [[1.0, 2.0]]}):
        with pytest.raises((UsageError, InvalidInput)):
            net.add_population("more", 3, **wrong)
        assert state_of(net) == before
    assert net.add_population("more", 1).ids.tolist() == [21]  # no id was lost


def state_of(net: ns.Network) -> list[Any]:
    graph = net.to_networkx()
    values = [[getattr(p, name).values.tolist() for name in p.variables] for p in net.populations.values()]
    return [sorted(graph.nodes(data=True)), sorted(graph.edges(keys=True, data=True), key=str), values,
            net.history.births, net.history.deaths, list(net.inputs), list(net.groups), net._next_id]  # fmt: skip


def test_positions(net: ns.Network) -> None:
    flat = net.add_population("flat", 3, positions=[["1 mm", 2], [3, 4], [5, 6]])
    assert flat.positions is not None
    assert flat.positions.tolist() == [[1000, 2, 0], [3, 4, 0], [5, 6, 0]]
    assert flat.where("x > 100 um").tolist() == [17]
    born = flat.add(2, positions=[[7, 8, 9], [1, 1, 1]])
    assert flat.positions[-2:].tolist() == [[7, 8, 9], [1, 1, 1]]
    assert flat.z[born].tolist() == [9, 1]
    assert net.populations["exc"].positions is None
    graph = net.to_networkx()
    assert graph.nodes[17] == {"population": "flat", "x": 1000.0, "y": 2.0, "z": 0.0}
    assert graph.nodes[0] == {"population": "exc"}


# ---- groups and inputs --------------------------------------------------------------------------------------


def test_groups_are_fixed_and_lose_their_dead(net: ns.Network) -> None:
    cue = net.add_group("cue", "exc", [5, 3, 3])
    assert cue.ids.tolist() == [3, 5]
    net.populations["exc"].add(4)
    net.populations["exc"].remove([3])
    assert cue.ids.tolist() == [5]
    assert repr(cue) == "<group 'cue': 1 of 'exc'>"
    with pytest.raises(UnknownName, match="no neuron 12 in population 'exc'"):
        net.add_group("other", "exc", [1, 12])
    assert list(net.groups) == ["cue"]


def rates(net: ns.Network, population: str, name: str) -> list[float]:
    p = net.populations[population]
    return list(p.columns[f"input:{name}"][p.slots(p.ids)].tolist())


def test_an_input_has_one_rate_per_target(net: ns.Network) -> None:
    exc, cue = net.populations["exc"], net.add_group("cue", "exc", [1, 2])
    drive = net.add_input("drive", ns.inputs.poisson("1 kHz"), ["exc", "out"], weight=0.5)
    only = net.add_input("only", {"poisson": {"rate": 20}}, cue, weight=0.5)
    assert rates(net, "exc", "drive") == [1000.0] * 12
    assert rates(net, "exc", "only") == [0, 20, 20] + [0] * 9
    drive.set("rate", "2 kHz", on=cue)
    drive.set("rate", 5.0, on=[13, 0, 12])
    assert rates(net, "exc", "drive") == [5, 2000, 2000] + [1000] * 9
    assert rates(net, "out", "drive") == [5, 5, 1000, 1000, 1000]
    drive.set("rate", 7.0, on=net.populations["out"])
    exc.add(1)
    assert rates(net, "out", "drive") == [7.0] * 5
    assert rates(net, "exc", "drive")[-1] == 1000.0  # newborns get the input's own value …
    assert rates(net, "exc", "only")[-1] == 0.0  # … where all are driven
    drive.set("rate", 3.0)
    assert rates(net, "exc", "drive") == [3.0] * 13
    exc.add(1)
    assert rates(net, "exc", "drive")[-1] == 3.0
    only.set("rate", 0.0)
    assert rates(net, "exc", "only") == [0.0] * 14


def test_an_input_that_cannot_be_set_stays(net: ns.Network) -> None:
    net.add_population("other", 2)  # 17, 18: not driven
    cue = net.add_group("cue", "other", [17])
    drive = net.add_input("drive", ns.inputs.poisson(10.0), ["exc", "out"], weight=0.5)
    net.populations["exc"].remove([4])
    for ids in ([1, 17], [17], [4], [99], [-1], 2**50):
        with pytest.raises(UnknownName, match="in the populations of input 'drive'"):
            drive.set("rate", 3.0, on=ids)
    for target in (cue, net.populations["other"]):
        with pytest.raises(UsageError, match="input 'drive' does not drive"):
            drive.set("rate", 3.0, on=target)
    with pytest.raises(UsageError, match="0 Hz or more"):
        drive.set("rate", -3.0)
    with pytest.raises(UnitError):
        drive.set("rate", "3 mV", on=[1])
    with pytest.raises(UnknownName, match="no parameter 'rates' of input 'drive'"):
        drive.set("rates", 3.0)
    assert set(rates(net, "exc", "drive") + rates(net, "out", "drive")) == {10.0}


def test_an_input_that_cannot_be_made_leaves_nothing(net: ns.Network) -> None:
    net.add_population("source", 3, "poisson")
    net.add_population("izh", 3, "izhikevich")
    columns = {name: set(p.columns) for name, p in net.populations.items()}
    for source, targets, message in (
        (ns.inputs.poisson(1.0), ["exc", "source"], "takes no input"),
        (ns.inputs.current(1.0), ["exc", "source"], "no current can be injected into 'source'"),
        (ns.inputs.current("1 pA"), ["exc", "izh"], "mV/ms"),
        (ns.inputs.poisson(-1.0), ["exc"], "0 Hz or more"),
        ({"poison": 1.0}, ["exc"], "Did you mean 'poisson'"),
    ):
        with pytest.raises((UsageError, InvalidInput), match=message):
            net.add_input("drive", source, targets)
    assert {name: set(p.columns) for name, p in net.populations.items()} == columns
    assert not any(p.defaults for p in net.populations.values())
    assert not net.inputs


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


def test_learning_is_refused_until_it_is_there(net: ns.Network) -> None:
    with pytest.raises(InvalidInput, match="learning rules are announced but not built yet"):
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
    for full in (True, False):
        net = ns.Network(seed=1, dt=0.1)
        exc = net.add_population("exc", 50)
        ee = net.connect(exc, exc, ns.connectors.fixed_outdegree(20))
        net.history.full = full
        for k in range(60):
            ee.add(exc.ids, np.roll(exc.ids, k), weight=0.5)
            ee.remove(np.append(ee.ids[:300], ee.ids[:2]))
            if k == 30:
                exc.remove([3])
                exc.add(2)
            ee.add([4] * 300, np.resize(exc.ids, 300))
        assert net.history.deaths["synapses"] >= 300 * 60
        counted = sum(net.history.births.values()) + sum(net.history.deaths.values())
        assert len(net.history.events) == (counted if full else 0)
        digests.append((net.history.digest, net.history.births, net.history.deaths))
    assert digests[0] == digests[1]
