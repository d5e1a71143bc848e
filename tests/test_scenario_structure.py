"""Structural rules of scenarios: what they become in the network, what the protocol does to them, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import NeurosimError, ScenarioError
from neurosim.scenario import build, describe, load, run, size

GOOD = """\
name: small
duration: 300 ms
populations:
  exc: {size: 40, model: lif_delta, positions: {ball: {radius: 100 um}}}
  inh: {size: 10, model: lif_delta}
  syn: {size: 10, model: lif_exp}
  placed: {size: 2, model: lif_delta, positions: [[0, 0], [1, 1]]}
inputs:
  drive: {poisson: {rate: 15 kHz}, to: [exc, inh], weight: 0.1 mV}
projections:
  e: {from: exc, to: [exc, inh], connect: none, weight: 0.2 mV, delay: 1 ms, bounds: {weight: [0 mV, 1 mV]}}
  i: {from: inh, to: exc, connect: {fixed_indegree: 3}, weight: -1 mV, delay: 1 ms}
  s: {from: exc, to: syn, connect: none, weight: 20 pA, delay: 1 ms}
structure:
  - homeostatic_growth: {projection: e, every: 20 ms, target_rate: {exc: 8 Hz, inh: 12 Hz}, growth_rate: 40 Hz}
  - prune_weak: {projections: [e_exc, i], every: 50 ms, below: -2 mV, for: 100 ms, name: pruning}
  - {projection: e_exc, every: 50 ms, die: "weight < least and age > 5 s", parameters: {least: 0.1 mV}}
  - {population: exc, every: 50 ms, births: "2", wire: {i: {incoming: 3}, e_exc: {outgoing: 2, weight: 0.3 mV}},
     initial: {v: 3 mV}, name: births}
protocol:
  - {at: 100 ms, set: {structure.homeostatic_growth.target_rate: 20 Hz, structure.own.least: 0.2 mV}}
  - {at: 200 ms, stop: births}
"""


def scenario(folder: Path, text: str = GOOD) -> Path:
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def rules(text: str) -> str:
    """The good scenario with other rules, and without its protocol."""
    return GOOD[: GOOD.index("structure:")] + "structure:\n" + text


def mistakes(folder: Path, text: str) -> list[str]:
    """The problems of a scenario text as ``PATH: MESSAGE``."""
    with pytest.raises(ScenarioError) as caught:
        load(scenario(folder, text))
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


# -- what becomes of them ---------------------------------------------------------------------------------


def test_rules_are_bound_with_names_and_parameters(tmp_path: Path) -> None:
    built = build(load(scenario(tmp_path)), threads=1)
    bound = built.network.rules
    assert list(bound) == ["homeostatic_growth", "pruning", "own", "births"]
    growth = bound["homeostatic_growth"]
    assert [p.name for p in growth.projections] == ["e_exc", "e_inh"]
    assert growth.constants["exc"]["target_rate"] == 8.0
    assert growth.constants["inh"]["target_rate"] == 12.0
    assert bound["pruning"].lasting == 100.0
    assert bound["births"].population is built.network.populations["exc"]


def test_the_protocol_sets_parameters_and_stops_rules(tmp_path: Path) -> None:
    built = build(load(scenario(tmp_path)), threads=1)
    exc, bound = built.network.populations["exc"], built.network.rules
    built.simulation.run(99.0)
    assert bound["homeostatic_growth"].constants["exc"]["target_rate"] == 8.0
    built.simulation.run(101.0)
    assert bound["homeostatic_growth"].constants["exc"]["target_rate"] == 20.0
    assert bound["homeostatic_growth"].constants["inh"]["target_rate"] == 20.0
    assert bound["own"].constants["exc"]["least"] == 0.2
    assert exc.size == 40 + 2 * 4, "the rule acts before the protocol of its time"
    built.simulation.run(100.0)
    assert exc.size == 48
    assert np.all(built.network.projections["e_inh"].in_degree() > 0), "growth went on"


def test_a_rule_that_resumes_acts_at_its_times(tmp_path: Path) -> None:
    text = rules('  - {population: exc, every: 50 ms, births: "1"}\n')
    text += "protocol:\n  - {at: 60 ms, stop: own}\n  - {at: 175 ms, resume: [own]}\n"
    built = build(load(scenario(tmp_path, text)), threads=1)
    built.simulation.run(300.0)
    births = [time for time, _, _, _ in _births(built)]
    assert births == [50.0, 200.0, 250.0, 300.0]


def _births(built: Any) -> list[Any]:
    net = built.network
    exc = net.populations["exc"]
    ages = (built.simulation.step - exc.columns["born"][exc.slots(exc.ids[40:])]) * net.dt
    return [(built.simulation.time - age, 0, 0, 0) for age in ages.tolist()]


def test_setting_what_is_set_already_changes_nothing(tmp_path: Path) -> None:
    same = "protocol:\n  - {at: 150 ms, set: {structure.turnover.lifetime: 1 s}}\n"
    text = rules("  - turnover: {projection: i, every: 10 ms, lifetime: 1 s}\n")
    found = [
        run(load(scenario(tmp_path, one)), tmp_path / f"{k}.nsim").summary for k, one in enumerate([text, text + same])
    ]
    assert found[0]["births"]["synapses"] > 0
    assert found[0]["hash"] == found[1]["hash"]


def test_what_a_rule_keeps_goes_on_when_a_parameter_is_set() -> None:
    """The calcium of a neuron is what it would have been; elements grow at the new rate from then on."""
    kept = []
    for changed in (False, True):
        net = ns.Network(seed=3)
        exc = net.add_population("exc", 20, ns.models.lif_delta(i_e="600 pA"))
        ee = net.connect(exc, exc, "none", weight=0.1, delay=1.0)
        rule = net.add_rule(ns.structure.homeostatic_growth(ee, every="1 s", growth_rate="1 Hz", target_rate=1e9))
        sim = ns.Simulation(net, dt=0.1, threads=1)
        sim.run(100.0)
        if changed:
            rule.set("growth_rate", "3 Hz")
        sim.run(100.0)
        kept.append(sim.structure.kept(rule, exc))
    assert np.allclose(kept[0]["calcium"], kept[1]["calcium"], rtol=1e-12)
    assert kept[0]["calcium"].min() > 0
    assert np.allclose(kept[0]["axonal"], 0.2, rtol=1e-6)
    assert np.allclose(kept[1]["axonal"], 0.1 + 0.3, rtol=1e-6)


def test_flags_name_rules(tmp_path: Path) -> None:
    path = scenario(tmp_path)
    flags = ["structure.pruning.below=-3 mV", "structure.own.least=0.3 mV", "structure.births.every=20 ms"]
    built = build(load(path, flags), threads=1)
    assert built.network.rules["pruning"].constants["exc"]["below"] == -3.0
    assert built.network.rules["own"].constants["exc"]["least"] == 0.3
    assert built.network.rules["births"].every == 20.0
    with pytest.raises(ScenarioError, match=r"structure\.pruning\.below"):
        load(path, ["structure.pruning.below=3 ms"])


def test_what_there_is_to_say(tmp_path: Path) -> None:
    loaded = load(scenario(tmp_path))
    said = json.loads(json.dumps(describe(loaded)["structure"]))
    assert list(said) == ["homeostatic_growth", "pruning", "own", "births"]
    assert said["pruning"]["rule"] == "prune_weak"
    assert said["pruning"]["on"] == ["e_exc", "i"]
    assert said["pruning"]["parameters"] == {"below": "-2 mV", "lasting": "100 ms"}
    assert said["homeostatic_growth"]["on"] == ["e_exc", "e_inh"]
    assert said["own"]["code"] == {"die": "weight < least and age > 5 s"}
    result = run(loaded, tmp_path / "a.nsim")
    assert result.recorded is not None
    assert result.recorded["structure"] == said
    assert result.summary["births"]["neurons"] == 8


def test_what_rules_keep_of_synapses_needs_memory(tmp_path: Path) -> None:
    dense = GOOD[: GOOD.index("structure:")].replace("fixed_indegree: 3", "fixed_indegree: 3000")
    needs = [size(load(scenario(tmp_path, text))).memory for text in (dense, dense + _PRUNES)]
    assert needs[1] - needs[0] == pytest.approx(120_000 * (4 + 4) * 1.1)


_PRUNES = """structure:
  - prune_weak: {projection: i, every: 50 ms, for: 100 ms}
  - prune_unused: {projection: i, every: 50 ms}
"""


# -- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "where", "said"),
    [
        ("- prun_weak: {projection: i, every: 1 s}", "", "no structural rule 'prun_weak'. Known: "),
        ("- prune_weak: {projection: ie, every: 1 s}", ".prune_weak.projection", "no projection 'ie'. Known: "),
        ("- prune_weak: {projection: i}", ".prune_weak", "`every` is missing"),
        ("- prune_weak: {projection: i, every: -1 s}", ".prune_weak.every", "must be more than 0 ms; found '-1 s'"),
        ("- prune_weak: {projection: i, every: 0.01 ms}", ".prune_weak.every", "is less than a time step (0.1 ms)"),
        ("- prune_weak: {projection: i, every: 3 mV}", ".prune_weak.every", "must be a time"),
        ("- prune_weak: {projection: i, every: 1 s, bellow: 1 mV}", ".prune_weak.bellow", "Did you mean 'below'?"),
        ("- prune_weak: {projection: i, every: 1 s, below: 1 ms}", ".prune_weak.below", "must be a voltage"),
        ("- prune_weak: {projection: i, every: 1 s, for: -1 s}", ".prune_weak.for", "allowed is 0 ms or more"),
        ("- prune_weak: {projection: i, every: 1 s, from: 2 s, until: 1 s}", ".prune_weak.until", "later than `from`"),
        ("- prune_weak: {projections: [i, s], every: 1 s}", ".prune_weak.projections", "different units: mV, pA"),
        ("- prune_weak: {population: exc, every: 1 s}", ".prune_weak", "about synapses: it needs `projection: NAME`"),
        ("- neurogenesis: {projection: i, every: 1 s}", ".neurogenesis", "about neurons: it needs `population: NAME`"),
        ("- neurogenesis: {population: ecx, every: 1 s}", ".neurogenesis.population", "Did you mean 'exc'?"),
        ("- turnover: {projection: i, every: 1 s, lifetime: -1 s}", ".turnover.lifetime", "allowed is"),
        ("- forget_weak: {projection: i, every: 1 s, at_most: -5}", ".forget_weak.at_most", "allowed is 0 or more"),
        ("- turnover: {projection: i, every: 1 s, lifetime: {ecx: 1 s}}", ".turnover.lifetime", "no population 'ecx'"),
        ("- turnover: {projection: e, every: 1 s, weight: 3 mV}", ".turnover.weight", "outside the bounds [0, 1] mV"),
        ("- turnover: {projection: e, every: 1 s, delay: -1 ms}", ".turnover.delay", "delays are 0 ms or more"),
        ("- turnover: {projection: e, every: 1 s, autapses: never}", ".turnover.autapses", "must be true or false"),
        ("- turnover: {projection: i, every: 1 s, distance: {gaussian: {sd: 1 um}}}", ".turnover.distance", ""),
        ("- turnover: {projection: i, every: 1 s, name: 3rd}", ".turnover.name", "begins with no digit"),
        ("- turnover", "", "a structural rule is written {RULE: {projection: NAME"),
        ("- {turnover: {projection: i}, every: 1 s}", "", "`every` stands beside `turnover`"),
        ("- maturation: {population: syn, every: 1 s, tau: 0 s}", ".maturation.tau", "allowed is"),
        ("- neurogenesis: {population: placed, every: 1 s}", ".neurogenesis", "newborns have nowhere to be"),
        ("- neurogenesis: {population: inh, every: 1 s, place: {ball: 1 um}}", ".neurogenesis.place", "no positions"),
        ("- neurogenesis: {population: inh, every: 1 s, initial: {w: 1}}", ".neurogenesis.initial", "variable 'w'"),
        ("- neurogenesis: {population: inh, every: 1 s, wire: {i: {incoming: 2}}}", ".neurogenesis.wire",
         "its incoming synapses are not those of 'inh'"),
        ("- neurogenesis: {population: inh, every: 1 s, wire: {ii: {incoming: 2}}}", ".neurogenesis.wire",
         "no projection 'ii'"),
        ("- {projection: i, every: 1 s}", "", "does nothing: give it one of die,"),
        ("- {every: 1 s, die: 'True'}", "", "needs what it acts on"),
        ("- {projection: i, every: 1 s, die: weigth < 0 mV}", ".die",
         "Did you mean 'weight'?\n    weigth < 0 mV\n    ^"),
        ("- {projection: i, every: 1 s, die: weight < 0 ms}", ".die", "\n    weight < 0 ms\n"),
        ("- {projection: i, every: 1 s, dye: weight < 0 mV}", ".dye", "Did you mean 'die'?"),
        ("- {projection: i, every: 1 s, update: v = 0 mV}", ".update", "said of neurons; this rule is about synapses"),
        ("- {projection: i, every: 1 s, candidates: '3'}", "", "accept is missing"),
        ("- {projection: i, every: 1 s, die: weight < p, parameters: {p: 1 pc}}", ".parameters.p", "no unit 'pc'"),
        ("- {population: exc, every: 1 s, die: v_pre > 0 mV}", ".die", "no name 'v_pre'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, rule: str, where: str, said: str) -> None:
    problems = mistakes(tmp_path, rules(f"  {rule}\n"))
    assert any(p.startswith(f"structure.0{where}: ") and said in p for p in problems), problems


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = rules(
        "  - prune_weak: {projection: ie, every: 1 s}\n"
        "  - prune_weak: {projection: i, every: -1 s, below: 1 ms, bellow: 2, name: a b}\n"
        "  - {projection: i, every: 1 s, die: weigth < 0 mV, births: deths, weight: 1 ms}\n"
        "  - turnover: {projection: i, every: 1 s, name: twin}\n"
        "  - turnover: {projection: i, every: 1 s, name: twin}\n"
        "protocol:\n"
        "  - {at: 1 s, stop: twins, set: {structure.twin.lifetme: 1 s, structure.twin.lifetime: 1 mV}}\n"
    )
    places = [problem.split(": ")[0] for problem in mistakes(tmp_path, text)]
    assert sorted(places) == sorted(
        [
            "structure.0.prune_weak.projection",
            *(f"structure.1.prune_weak.{key}" for key in ("every", "below", "bellow", "name")),
            *(f"structure.2.{key}" for key in ("die", "births", "weight")),
            "structure.4.turnover.name",
            "protocol.0.stop",
            *(f"protocol.0.set.structure.twin.{key}" for key in ("lifetme", "lifetime")),
        ]
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda n: n.add_rule(ns.structure.prune_weak("exc", every="1 s")), "about synapses"),
        (lambda n: n.add_rule(ns.structure.neurogenesis("i", every="1 s")), "about neurons"),
        (lambda n: n.add_rule(ns.structure.prune_weak("i", "s", every="1 s")), "are in mV, pA"),
        (lambda n: n.add_rule(ns.structure.prune_weak("i", every="1 s", below="1 ms")), "must be a voltage"),
        (lambda n: n.add_rule(ns.structure.forget_weak("i", every="1 s", at_most=-1)), "allowed is 0 or more"),
        (lambda n: n.add_rule(ns.structure.prune_weak("i")), "every="),
        (lambda n: n.add_rule(ns.structure.prune_weak("i", every="0.01 ms")), "less than a time step"),
        (lambda n: n.add_rule(ns.structure.prune_weak("i", every=1.0, until=-1.0)), "before it begins"),
        (lambda n: n.add_rule(ns.structure.turnover("e_exc", every="1 s", weight="3 mV")), "outside the bounds"),
        (lambda n: n.add_rule(ns.structure.turnover("e_exc", every="1 s", delay=-1.0)), "delays are 0 ms or more"),
        (lambda n: n.add_rule(ns.structure.turnover("i", every="1 s", multapses="no")), "must be true or false"),
        (lambda n: n.add_rule(ns.structure.neurogenesis("placed", every="1 s")), "nowhere to be"),
        (lambda n: n.add_rule(ns.structure.neurogenesis("exc", every="1 s", initial={"w": 0})), "variable 'w'"),
        (lambda n: n.add_rule(ns.structure.neurogenesis("exc", every=1.0, wire={"s": {"incoming": 1}})), "not those"),
        (lambda n: n.add_rule({"die": "weigth < 1 mV", "every": "1 s"}, "i"), "Did you mean 'weight'?"),
        (lambda n: n.add_rule({"die": "age > 1 mV", "every": "1 s"}, "exc"), "structural rule 'own_2', die"),
        (lambda n: n.add_rule({"turnover": {"every": "1 s", "name": "own"}}, "i"), "'own' already"),
        (lambda n: n.rules["own"].set("leest", "1 mV"), "Did you mean 'least'?"),
        (lambda n: n.rules["own"].set("least", "1 ms"), "must be a voltage"),
        (lambda n: n.rules["pruning"].set("lasting", 0.0), "cannot become"),
    ],
)
def test_a_rule_that_is_refused_changes_nothing(tmp_path: Path, make: Any, said: str) -> None:
    net = build(load(scenario(tmp_path)), threads=1).network
    before = {name: array.copy() for name, array in net.state().items()}
    names = list(net.rules)
    constants = {name: dict(rule.constants) for name, rule in net.rules.items()}
    with pytest.raises(NeurosimError) as caught:
        make(net)
    assert said in str(caught.value)
    assert list(net.rules) == names
    assert {name: dict(rule.constants) for name, rule in net.rules.items()} == constants
    after = net.state()
    assert after.keys() == before.keys()
    assert all(np.array_equal(array, after[name], equal_nan=True) for name, array in before.items())
