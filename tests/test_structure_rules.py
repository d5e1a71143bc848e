"""What structural rules do: who dies, who is born, who changes, and when."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structure_nets import DT, alone, between, run

import neurosim as ns
from neurosim.graph.strides import hits
from neurosim.models import structure

# -- who dies -------------------------------------------------------------------------------------------------------


def test_turnover_gives_exponential_lifetimes() -> None:
    net = alone(70)
    first = set(net.projections["bb"].ids.tolist())
    net.add_rule(ns.structure.turnover("bb", lifetime="20 ms", every="1 ms", autapses=True))
    run(net, 100.0)
    assert net.projections["bb"].size == len(first) == 4900  # as many are born
    events = net.history.events
    kinds, ids, times = (events[name].tolist() for name in ("kind", "id", "time"))
    died = {synapse: time for kind, synapse, time in zip(kinds, ids, times, strict=True) if kind == 3}
    lives = np.sort([died.get(synapse, math.inf) for synapse in first])
    ticks = np.arange(1.0, 101.0)
    empirical = np.searchsorted(lives, ticks + 0.05) / len(first)
    assert np.abs(empirical - (1.0 - np.exp(-ticks / 20.0))).max() < 1.95 / math.sqrt(len(first))  # p = 0.001
    born = Counter(np.diff(net.projections["bb"].in_degree()).tolist())
    assert len(born) > 10  # and they do not all go to the same


@pytest.mark.parametrize("chance", [1e-4, 0.01, 0.3, 0.9])
def test_gaps_between_hits_are_geometric(chance: float) -> None:
    n = 200_000
    found = hits(n, chance, np.random.default_rng(3))
    assert (np.diff(found) > 0).all()
    assert found.min() >= 0
    assert found.max() < n
    assert abs(found.size - n * chance) < 4 * math.sqrt(n * chance * (1 - chance))
    halves = np.histogram(found, [0, n // 2, n])[0]
    assert abs(halves[0] - halves[1]) < 4 * math.sqrt(n * chance)
    assert np.mean(np.diff(found) == 1) == pytest.approx(chance, abs=4 * math.sqrt(chance / max(n * chance, 1)) + 1e-3)


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 0), (1.0, 9), (2.0, 9), (-1.0, 0), (math.nan, 0)])
def test_chances_at_their_ends(chance: float, expected: int) -> None:
    assert hits(9, chance, np.random.default_rng(1)).size == expected


@pytest.mark.parametrize(
    ("lasting", "dies"), [("0 ms", 1.0), ("0.1 ms", 2.0), ("3 ms", 4.0), ("1.1 ms", 3.0), ("3.1 ms", 5.0)]
)
def test_how_long_a_synapse_must_have_been_weak(lasting: str, dies: float) -> None:
    """The first look sees it weak; it dies at the first that is so much later."""
    net = alone()
    net.add_rule(ns.structure.prune_weak("bb", below="2 mV", lasting=lasting, every="1 ms"))
    sim = ns.Simulation(net, threads=1)
    sim.run(dies - 0.1)
    assert net.projections["bb"].size == 36
    sim.run(0.1)
    assert net.projections["bb"].size == 0


@pytest.mark.parametrize("every", [0.1, 0.3, 0.7])
@pytest.mark.parametrize("times", [1, 3, 7, 11])
def test_durations_that_are_no_sums_of_floats(every: float, times: int) -> None:
    net = alone()
    net.add_rule(ns.structure.prune_weak("bb", below=2, lasting=every * times, every=every))
    sim = ns.Simulation(net, threads=1)
    sim.run(every * times + 0.01)
    assert net.projections["bb"].size == 36
    sim.run(every)
    assert net.projections["bb"].size == 0


def test_a_synapse_that_was_strong_in_between_begins_anew() -> None:
    net = alone()
    wires = net.projections["bb"]
    wires.weight = 0.5
    net.add_rule(ns.structure.prune_weak("bb", below=1, **{"for": "3 ms"}, every="1 ms"))
    sim = ns.Simulation(net, threads=1)
    sim.at(2.5, lambda sim: wires.weight.set(np.where(np.arange(36) < 6, 1.0, 0.5)))
    sim.at(3.5, lambda sim: wires.weight.set(0.5))
    sim.run(4.0)
    assert wires.size == 6
    sim.run(2.9)
    assert wires.size == 6
    sim.run(0.1)
    assert wires.size == 0


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("weight", [0.7, 0.1, 1.0 / 3.0])
def test_a_weight_is_not_below_what_it_was_set_to(precision: str, weight: float) -> None:
    net = alone(weight=weight, precision=precision)
    net.add_rule(ns.structure.prune_weak("bb", below=weight, every="1 ms"))
    net.add_rule(ns.structure.from_code("bb", die="weight > most", parameters={"most": f"{weight} mV"}, every="1 ms"))
    sim = run(net, 1.0)
    assert net.projections["bb"].size == 36
    net.add_rule(ns.structure.deep_rewiring("bb", least=weight, every="1 ms", weight=5.0))
    sim.run(1.0)
    assert (net.projections["bb"].weight.values == 5.0).sum() == net.history.births["synapses"]
    assert (net.projections["bb"].weight.values < 5.0).sum() == 0


def test_ranks_and_ties() -> None:
    """Of equals, those that come first die; the weakest in all projections together."""
    net = alone(5)
    wires = net.projections["bb"]
    wires.weight = np.repeat([3.0, -1.0, 1.0, 2.0, 4.0], 5)  # by source
    ids = wires.ids.tolist()
    net.connect("b", "b", "all_to_all", name="more", weight=0.5)
    net.add_rule(ns.structure.prune_weakest("bb", "more", share=0.64, every="1 ms"))
    run(net, 1.0)
    assert net.projections["more"].size == 0  # 25 of 32
    assert sorted(wires.ids.tolist()) == sorted(ids[:5] + ids[12:])


def test_a_budget_is_kept() -> None:
    net = alone(10)
    net.add_rule(ns.structure.from_code("bb", births="20", every="1 ms"))
    net.add_rule(ns.structure.forget_unused("bb", at_most=77, every="1 ms"))
    sim = ns.Simulation(net, threads=1)
    sizes = []
    sim.every("1 ms", lambda sim: sizes.append(net.projections["bb"].size))
    sim.run(5.0)
    assert sizes == [97, 97, 97, 97, 97]  # the newborns of a time are counted at the next


def test_unused_synapses_are_those_whose_source_was_silent() -> None:
    net = between()
    net.add_rule(ns.structure.prune_unused("ab", idle="30 ms", every="10 ms"))
    sim = run(net, 30.0)
    assert net.projections["ab"].out_degree().tolist() == [3, 0, 0, 3]
    sim.run(20.0)  # the last spike of the first was at 17.3 ms
    assert net.projections["ab"].out_degree().tolist() == [0, 0, 0, 3]


@pytest.mark.parametrize(
    ("side", "most"), [("pre", 4), ("post", 4), ("pre", 2.9), ("post", 0), ("pre", -1), ("post", 1e300)]
)
def test_a_neuron_has_so_many_synapses_at_the_most(side: str, most: float) -> None:
    net = alone()
    net.add_rule({f"most_{side}": "most", "parameters": {"most": most}, "every": 1.0}, "bb")
    run(net, 1.0)
    wires = net.projections["bb"]
    degrees = wires.out_degree() if side == "pre" else wires.in_degree()
    assert degrees.tolist() == [max(0, math.floor(min(most, 6)))] * 6
    others = wires.in_degree() if side == "pre" else wires.out_degree()
    assert most not in (4, 2.9) or others.tolist() != degrees.tolist()  # which ones die is drawn


# -- who is born ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("autapses", [False, True])
@pytest.mark.parametrize("multapses", [False, True])
@pytest.mark.parametrize("clause", ["births", "candidates", "offers"])
def test_autapses_and_multapses(clause: str, autapses: bool, multapses: bool) -> None:
    net = alone(8, connector=ns.connectors.fixed_total(10, autapses=autapses, multapses=False))
    clauses = {"births": {"births": "200"}, "candidates": {"candidates": "400", "accept": "0.9"},
               "offers": {"offers_pre": "30", "offers_post": "30"}}[clause]  # fmt: skip
    net.add_rule({**clauses, "autapses": autapses, "multapses": multapses, "every": "1 ms"}, "bb")
    run(net, 3.0)
    edges = net.projections["bb"].edges()
    pairs = Counter(zip(edges.pre.tolist(), edges.post.tolist(), strict=True))
    assert any(pre == post for pre, post in pairs) is autapses
    assert (max(pairs.values()) > 1) is multapses
    if not multapses and clause != "offers":
        assert len(pairs) == (64 if autapses else 56)  # all that can be had
    if multapses and clause == "births":
        assert len(edges.pre) == 610


def test_offers_are_taken_up() -> None:
    net = alone(20, connector="none")
    net.add_rule({"offers_pre": "5 + id - id", "offers_post": "3", "every": "1 ms", "autapses": True}, "bb")
    run(net, 1.0)
    wires = net.projections["bb"]
    assert wires.in_degree().tolist() == [3] * 20
    assert wires.out_degree().max() <= 5


def test_newborn_neurons_are_wired_and_placed() -> None:
    net = ns.Network(seed=5, dt=DT)
    net.add_population("b", 6, {"lif_delta": {"v_th": "1000 mV"}}, positions=np.full((6, 3), 100.0))
    net.connect("b", "b", "none", name="bb", weight=1.0, delay=1.0)
    how = {"initial": {"v": 3.0}, "place": {"near": {"spread": "5 um"}},
           "wire": {"bb": {"incoming": 4, "outgoing": 2, "weight": 0.5}}}  # fmt: skip
    net.add_rule(ns.structure.neurogenesis("b", rate="1000 Hz", at_most=9, every="1 ms", **how))
    run(net, 10.0)
    b, wires = net.populations["b"], net.projections["bb"]
    assert b.ids.tolist() == list(range(9))
    assert b.v.values[:6].tolist() == [0.0] * 6
    assert (b.v.values[6:] > 0.0).all()
    positions = b.positions
    assert positions is not None
    assert 0.0 < np.abs(positions[6:] - 100.0).max() < 40.0
    edges = wires.edges()
    assert wires.size == 3 * 6
    assert (edges.pre != edges.post).all()
    assert set(edges.weight.tolist()) == {0.5}
    assert wires.in_degree([6, 7, 8]).min() >= 4


def test_distance_decides_who_joins() -> None:
    net = ns.Network(seed=5, dt=DT)
    line = np.stack([np.arange(50) * 10.0, np.zeros(50)], axis=1)
    net.add_population("b", 50, {"lif_delta": {"v_th": "1000 mV"}}, positions=line)
    for name in ("births", "offers"):
        net.connect("b", "b", "none", name=name, weight=1.0, delay=1.0)
    near = {"distance": {"step": "25 um"}, "every": "1 ms"}
    net.add_rule({"births": "400", **near}, "births")
    net.add_rule({"offers_pre": "4", "offers_post": "4", **near}, "offers")
    net.add_rule({"die": "distance > far", "parameters": {"far": "15 um"}, "every": "2 ms"}, "births")
    sim = run(net, 1.0)
    for name in ("births", "offers"):
        edges = net.projections[name].edges()
        apart = np.abs(edges.pre.astype(int) - edges.post)
        assert set(apart.tolist()) == {1, 2}
    assert net.projections["births"].size == 400
    sim.run(1.0)
    edges = net.projections["births"].edges()
    old = edges.id[np.abs(edges.pre.astype(int) - edges.post) > 1]
    assert (old >> np.uint64(32) == edges.pre[np.abs(edges.pre.astype(int) - edges.post) > 1]).all()
    assert np.abs(edges.pre.astype(int) - edges.post).max() == 2  # those born at 2 ms


# -- neurons --------------------------------------------------------------------------------------------------------


def test_neurons_mature() -> None:
    net = alone(3, connector="none")
    net.add_rule(ns.structure.maturation("b", threshold="20 mV", excitability="6 mV", tau="10 ms", every="1 ms"))
    sim = run(net, 5.0)
    net.populations["b"].add(2)
    sim.run(7.0)
    expected = 20.0 - 6.0 * np.exp(-np.array([12.0] * 3 + [7.0] * 2) / 10.0)
    np.testing.assert_allclose(net.populations["b"].v_th.values, expected, rtol=1e-14)
    net.populations["b"].set_parameter("v_th", "30 mV")  # one for all again, until the rule acts
    sim.run(1.0)
    assert net.populations["b"].v_th.values[0] == pytest.approx(20.0 - 6.0 * math.exp(-1.3))


def test_competition_and_death() -> None:
    net = between(n=4, m=1)
    net.add_rule(ns.structure.competition("a", room=2, grace="100 ms", tau_rate="50 ms", every="10 ms"))
    sim = run(net, 99.0)
    assert net.populations["a"].size == 4
    sim.run(1.0)
    assert net.populations["a"].ids.tolist() == [0, 3]  # those that had fired least are dead
    assert net.projections["ab"].edges().pre.tolist() == [0, 3]


# -- when -----------------------------------------------------------------------------------------------------------


def test_when_a_rule_acts() -> None:
    """After one period, or at its start; ``until`` is exclusive; also where it comes or goes in the middle of a run."""
    acted: dict[str, list[float]] = {}
    net = alone(1, connector="none")
    rule = ns.structure.from_code
    options: list[dict[str, Any]] = [
        {}, {"from": "1 ms"}, {"from": "1.1 ms", "until": "2.3 ms"}, {"until": "1.2 ms"}, {"from": 1, "until": 1.1},
    ]  # fmt: skip
    for k, option in enumerate(options):
        net.connect("b", "b", "none", name=f"p{k}", weight=1.0, delay=1.0)
        net.add_rule(rule(f"p{k}", name=f"r{k}", births="1", autapses=True, every="0.4 ms", **option))
    sim = ns.Simulation(net, threads=1)

    def come(sim: ns.Simulation) -> None:
        net.remove_rule("r0")
        net.add_rule(rule("p0", name="late", births="2", autapses=True, every="0.5 ms"))

    sim.at(2.0, come)
    sim.run(3.0)
    events = net.history.events
    for owner, time in zip(events["owner"].tolist(), events["time"].tolist(), strict=True):
        acted.setdefault(f"p{owner - net.projections['p0'].index}", []).append(round(time, 6))
    assert acted["p0"] == [0.4, 0.8, 1.2, 1.6, 2.0, 2.5, 2.5, 3.0, 3.0]
    assert acted["p1"] == [1.0, 1.4, 1.8, 2.2, 2.6, 3.0]
    assert acted["p2"] == [1.1, 1.5, 1.9]
    assert acted["p3"] == [0.4, 0.8]
    assert acted["p4"] == [1.0]


def test_rules_due_at_one_time_see_one_snapshot() -> None:
    """Births see the pairs that die now, deaths see none of the newborns, and the dead die once."""
    net = alone()
    wires, code = net.projections["bb"], ns.structure.from_code
    net.add_rule(code("bb", births="7", every="1 ms", weight=0.1, autapses=True))
    net.add_rule(code("bb", name="one", die="size == 36", every="1 ms"))
    net.add_rule(code("bb", name="two", die="True", every="1 ms"))
    net.add_rule(code("bb", name="three", births="3", multapses=False, autapses=True, every="1 ms"))
    run(net, 1.0)
    assert wires.size == 7
    assert net.history.deaths["synapses"] == 36
    assert net.history.births["synapses"] == 7


def test_a_run_that_goes_on_after_an_error_keeps_its_rules() -> None:
    net = alone(connector="none")
    net.add_rule(ns.structure.from_code("bb", births="1", autapses=True, every="1 ms"))
    net.add_rule(ns.structure.from_code(net.populations["b"], update="t_ref = low*(time - two)", every="1 ms",
                                        parameters={"low": 1.0, "two": "1.5 ms"}))  # fmt: skip
    sim = ns.Simulation(net, threads=1)
    with pytest.raises(ns.errors.UsageError, match="t_ref"):
        sim.run(4.0)
    assert net.projections["bb"].size == 0  # all rules of that time, or none
    sim.run(3.0)
    assert net.projections["bb"].size == 3


# -- rules of one's own ---------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that the library looks into, too."""
    monkeypatch.setattr(structure, "__path__", [*structure.__path__, str(tmp_path)])
    structure.structural_rules.cache_clear()
    yield tmp_path
    structure.structural_rules.cache_clear()


def test_adding_a_rule_touches_one_file(folder: Path) -> None:
    (folder / "prune_even.py").write_text(
        "from neurosim.models.declare import Parameter\n"
        "from neurosim.models.structural import StructuralRule\n"
        "RULE = StructuralRule(name='prune_even', summary='every so many die',\n"
        "    parameters=(Parameter('n', 2.0, '', 'every which one', low=1.0),),\n"
        "    die='floor(id_post/n)*n == id_post')\n"
    )
    net = alone()
    net.add_rule(ns.structure.prune_even("bb", n=3, every="1 ms"))
    net.add_rule({"prune_even": {"n": 2, "every": "2 ms"}}, "bb")
    assert list(net.rules) == ["prune_even", "prune_even_2"]
    sim = run(net, 1.0)
    assert set(net.projections["bb"].edges().post.tolist()) == {1, 2, 4, 5}
    sim.run(1.0)
    assert set(net.projections["bb"].edges().post.tolist()) == {1, 5}


def test_a_rule_that_is_gone_leaves_nothing() -> None:
    net = alone(connector=ns.connectors.fixed_indegree(2))
    wires, b = net.projections["bb"], net.populations["b"]
    columns, names = set(wires.store.columns), set(b.columns)
    sim = ns.Simulation(net, threads=1)
    net.add_rule(ns.structure.homeostatic_growth("bb", every="1 ms"))
    net.add_rule(ns.structure.prune_weak("bb", below=0, lasting="5 ms", every="1 ms"))
    sim.run(3.0)
    for name in list(net.rules):
        net.remove_rule(name)
    assert set(b.columns) == names
    assert set(wires.store.columns) - {"serial"} == columns - {"serial"}
    assert not b.defaults
    sim.run(3.0)
    assert sim._listeners["b"] == []
