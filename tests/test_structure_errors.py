"""Every mistake in a structural rule is told in one message, and the network is as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import NeurosimError
from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

S = ns.structure


def _network() -> ns.Network:
    """Two populations, one with positions and one of given times; two projections join the first to itself."""
    net = ns.Network(seed=1, dt=0.1)
    net.add_population("a", 4, "lif_delta", positions=np.zeros((4, 3)))
    net.add_population("c", 4, {"lif_exp": {}})
    net.add_population("times", 2, {"spike_list": {"times": [[1.0], [2.0]]}})
    net.connect("a", "a", "all_to_all", name="aa", weight=0.5, delay=1.0, bounds={"weight": (0, 2), "delay": (1, 3)})
    net.connect("a", "a", "all_to_all", name="more", weight=0.5, delay=1.0)
    net.connect("a", "c", "all_to_all", name="ac", weight=50.0, delay=1.0, receptor="exc")
    net.add_rule(S.prune_weak("aa", below=0.1, every="1 ms", name="first"))
    return net


def _own(*where: Any, **written: Any) -> Callable[[ns.Network], Any]:
    """A rule of one's own on projections or a population, by name."""
    return lambda net: net.add_rule({"every": "1 ms", **written}, *where)


MISTAKES: list[tuple[Callable[[ns.Network], Any], str]] = [
    # where it acts
    (lambda net: net.add_rule(S.turnover("ab", every=1)), "no projection 'ab'.*aa"),
    (lambda net: net.add_rule(S.competition("aa", every=1)), "about neurons: give it one population"),
    (lambda net: net.add_rule(S.competition("a", "c", every=1)), "about neurons: give it one population"),
    (lambda net: net.add_rule(S.competition("b", every=1)), "no population 'b'"),
    (lambda net: net.add_rule(S.turnover("a", every=1)), "about synapses: give it one or several projections"),
    (lambda net: net.add_rule(S.turnover(every=1)), "about synapses: give it one or several projections"),
    (lambda net: net.add_rule(S.turnover("aa", "ac", every=1)), "weights of its projections are in mV, pA"),
    (lambda net: net.add_rule(S.turnover("aa", "more", every=1)), "two of its projections join the same populations"),
    (lambda net: net.add_rule(S.prune_weak(_network().projections["aa"], every=1)), "belongs to another network"),
    # when
    (lambda net: net.add_rule(S.turnover("aa")), "say how often it acts: every="),
    (lambda net: net.add_rule(S.turnover("aa", every=0)), "every must be more than 0 ms"),
    (lambda net: net.add_rule(S.turnover("aa", every="1 mV")), "every"),
    (lambda net: net.add_rule(S.turnover("aa", every="0.04 ms")), "less than a time step"),
    (_own("aa", births="1", **{"from": "-1 ms"}), "cannot act from -1 ms"),
    (_own("aa", births="1", **{"from": "5 ms"}, until="5 ms"), "ends .until. before it begins"),
    (_own("aa", die="weight < 0.1 mV", **{"for": "-5 ms"}), "for is -5 ms"),
    # names and values
    (lambda net: net.add_rule({"prune_week": {"every": 1}}, "aa"), "no structural rule 'prune_week'.*prune_weak"),
    (lambda net: net.add_rule(S.prune_weak("aa", bellow=1, every=1)), "no parameter of prune_weak 'bellow'.*'below'"),
    (lambda net: net.add_rule(S.turnover("aa", lifetime="-1 s", every=1)), "turnover.lifetime"),
    (lambda net: net.add_rule(S.turnover("aa", lifetime="1 mV", every=1)), "lifetime"),
    (lambda net: net.add_rule(S.prune_weak("aa", below="3 pA", every=1)), "below"),
    (lambda net: net.add_rule(S.turnover("aa", every=1, name="first")), "there is a structural rule 'first'"),
    (lambda net: net.add_rule(S.turnover("aa", lifetime={"b": 1}, every=1)), "no population 'b'"),
    (lambda net: net.add_rule(S.prune_unused("ac", idle={"a": "1 s"}, every=1)), "idle must be the same for all"),
    (lambda net: net.add_rule(S.hebbian_growth("ac", contacts={"a": 3}, every=1)), "contacts must be the same"),
    (lambda net: net.add_rule(S.neurogenesis("c", at_most=-1, every=1)), "at_most"),
    (lambda net: net.add_rule(S.forget_weak("aa", memory=-1, every=1)), "memory"),
    (lambda net: net.add_rule("turnover", "aa"), "a structural rule is written as"),
    (lambda net: net.add_rule({"turnover": 3}, "aa"), "parameters of turnover are written as"),
    # expressions
    (_own("aa", die="wieght < 1 mV"), "die: .*wieght"),
    (_own("aa", die="weight < 1 ms"), "die: "),
    (_own("aa", die="weight"), "die: "),
    (_own("aa", die="weight <"), "die: "),
    (_own("aa", births="weight"), "births: "),
    (_own("aa", births="1 ms"), "births: "),
    (_own("aa", die="True", chance="age"), "chance: "),
    (_own("aa", die="u_pre > 1"), "die: "),
    (_own("ac", die="distance > 1 um"), "die: .*distance"),
    (_own("a", die="in_degree_pre > 1", about_neurons=True), "die: "),
    (_own("aa", die=[1]), "die is an expression"),
    (_own("aa", births="1", parameters=[1]), "parameters are written as"),
    (_own("a", update="nothing = 1"), "update: "),
    (_own("a", update="v_th = 1 ms"), "update: "),
    # clauses
    (_own("aa", parameters={}), "does nothing: give it one of"),
    (_own("aa", rank="weight"), "rank and surplus go together; surplus is missing"),
    (_own("aa", accept="1"), "candidates and accept go together; candidates is missing"),
    (_own("aa", offers_pre="1"), "offers_pre and offers_post go together; offers_post is missing"),
    (_own("aa", births="1", chance="0.5"), "chance belongs to `die`"),
    (_own("aa", births="1", **{"for": "1 ms"}), "lasting belongs to `die`"),
    (_own("aa", births="1", candidates="1", accept="1"), "births says how many are born, candidates how many"),
    (_own("a", most_pre="1", about_neurons=True), "about neurons; `most_pre` is said of synapses"),
    (_own("aa", births="1", update="v = 0 mV", about_neurons=False), "about synapses; `update` is said of neurons"),
    (_own("aa", birth="1"), "birth"),
    # equations
    (_own("aa", births="1", equations="dx/dt = x/(1 ms) : 1"), "'x' must fade"),
    (_own("aa", births="1", equations="dx/dt = -x**2/(1 ms) : 1"), "must be linear"),
    (_own("aa", births="1", equations="dx/dt = -x*v/(1 ms)/mV : 1"), "x"),
    (_own("aa", births="1", equations="dx/dt = (spikes - x)/(1 ms) : mV"), "x"),
    (_own("aa", births="1", equations="x : 1"), "keeps dNAME/dt"),
    (_own("aa", births="1", equations="dx/dt = 1/(1 ms) : 1\ndz/dt = x/(1 ms) : 1"), "reads 'x', which is an integral"),
    (_own("aa", births="1", equations="dx/dt = -x/tau : 1", parameters={"tau": "0 ms"}), "not finite"),
    (_own("aa", births="1", equations="dx/dt = -x/(1 ms) : 1", initial={"y": 1}), "no variable of .* 'y'"),
    (_own("aa", births="1", equations="dx/dt = -x/(1 ms) : 1", initial={"x": "1 ms"}), "initial x: "),
    (_own("aa", births="1", equations="dx/dt = -x/(1 ms) : 1\ndx/dt = -x/(2 ms) : 1"), "'x' has two equations"),
    (_own("aa", births="1", equations="dx/dt = -x/(1 ms) : 1", parameters={"x": 1}), "'x' stands for two things"),
    # newborns
    (_own("aa", births="1", weight=3.0), "outside the bounds"),
    (_own("aa", births="1", weight=ns.uniform(1.0, 3.0)), "outside the bounds"),
    (_own("aa", births="1", weight="1 pA"), "weight of structural rule"),
    (_own("aa", births="1", weight=[0.1, 0.2]), "a list; newborns need one"),
    (_own("aa", births="1", delay=0.5), "bounds"),
    (_own("aa", births="1", autapses="no"), "autapses of .* must be true or false"),
    (_own("ac", births="1", distance={"exponential": "10 um"}), "'c' has no positions"),
    (_own("aa", births="1", distance={"expo": "10 um"}), "distance kernel"),
    (lambda net: net.add_rule(S.neurogenesis("a", every=1)), "newborns have nowhere to be"),
    (lambda net: net.add_rule(S.neurogenesis("c", every=1, place={"near": "1 um"})), "'c' has no positions"),
    (lambda net: net.add_rule(S.neurogenesis("c", every=1, initial={"u": 1})), "no state variable 'u'"),
    (lambda net: net.add_rule(S.neurogenesis("c", every=1, initial={"v": [1.0, 2.0]})), "a list; newborns need one"),
    (lambda net: net.add_rule(S.neurogenesis("c", every=1, wire={"ab": {"incoming": 1}})), "no projection 'ab'"),
    (lambda net: net.add_rule(S.neurogenesis("c", every=1, wire={"ac": {"outgoing": 1}})), "outgoing synapses are not"),
    (lambda net: net.add_rule(S.neurogenesis("c", every=1, wire={"ac": {"in": 1}})), "no key 'in'"),
    (lambda net: net.add_rule(S.neurogenesis("c", every=1, wire={"ac": {}})), "say how many"),
    (lambda net: net.add_rule(S.neurogenesis("c", every=1, wire=3)), "wire is written as"),
    (lambda net: net.add_rule(S.neurogenesis("c", every=1, wire={"ac": {"incoming": -1}})), "incoming"),
    (lambda net: net.add_rule(S.neurogenesis("c", every=1, wire={"ac": {"incoming": 1, "weight": "1 mV"}})), "weight"),
    (lambda net: net.add_rule(S.neurogenesis(
        "a", every=1, place={"near": "1 um"}, wire={"aa": {"incoming": 1, "weight": 9.0}})), "outside the bounds"),
    (lambda net: net.add_rule(S.neurogenesis("times", every=1)), "come with their times"),
    # going
    (lambda net: net.remove_rule("second"), "no structural rule 'second'.*first"),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_a_mistake_is_told_and_changes_nothing(mistake: Callable[[ns.Network], Any], said: str) -> None:
    net = _network()
    before = {name: array.copy() for name, array in net.state().items()}
    rules, made, revision = dict(net.rules), net.rules_made, net.revision
    columns = [sorted(net.populations[name].columns) for name in net.populations]
    with pytest.raises(NeurosimError, match=said):
        mistake(net)
    after = net.state()
    assert before.keys() == after.keys()
    assert all(np.array_equal(array, after[name]) for name, array in before.items())
    assert (net.rules, net.rules_made, net.revision) == (rules, made, revision)
    assert columns == [sorted(net.populations[name].columns) for name in net.populations]


def test_values_given_neuron_by_neuron_are_not_there_for_newborns() -> None:
    net = ns.Network(seed=1, dt=0.1)
    net.add_population("a", 3, {"lif_delta": {"v_th": [1.0, 2.0, 3.0]}})
    with pytest.raises(NeurosimError, match="v_th of 'a' was given neuron by neuron"):
        net.add_rule(S.neurogenesis("a", every=1))
    net.add_rule(S.neurogenesis("a", every=1, initial={"v_th": 2.5}))


def test_rules_come_and_go_between_epochs_only() -> None:
    net = _network()
    sim = ns.Simulation(net, threads=1)
    seen = []

    def hear(sim: ns.Simulation, times: Any, ids: Any) -> None:
        for act in (lambda: net.add_rule(S.turnover("ac", every=1)), lambda: net.remove_rule("first")):
            with pytest.raises(NeurosimError, match="between epochs"):
                act()
            seen.append(act)

    sim.on_spike("times", hear)
    sim.run(3.0)
    assert len(seen) >= 2
    assert list(net.rules) == ["first"]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"name": "2x", "die": "True"}, "2x"),
        ({"name": "x", "die": 3}, "die must be a text"),
        ({"name": "x"}, "does nothing"),
        ({"name": "x", "die": "True", "parameters": (Parameter("p", 1.0, "", ""),) * 2}, "'p' stands for two things"),
        ({"name": "x", "die": "True", "equations": "dx/dt = "}, "equations"),
    ],
    ids=str,
)
def test_mistakes_in_declarations(declared: dict[str, Any], said: str) -> None:
    with pytest.raises(NeurosimError, match=said):
        StructuralRule(**declared)
