"""Populations, groups and inputs: built, read by id, and the messages where something cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small import small_network, state_of

import neurosim as ns
from neurosim.errors import InvalidInput, UnitError, UnknownName, UsageError


@pytest.fixture(params=[1024, 5], ids=["one shard", "several shards"])
def net(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ns.Network:
    return small_network(monkeypatch, request.param)


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
