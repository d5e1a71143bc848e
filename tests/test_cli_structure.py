"""Structural rules on the command line: pages, code and pictures; what `info` and `check` say of them."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from shell import folder, neurosim, only_json

from neurosim.models.structure import structural_rules
from neurosim.viz import structural_rules as pictures
from neurosim.viz.structure_trials import SETTINGS, code, observe

__all__ = ["folder"]  # fixtures

SCENARIO = """\
duration: 200 ms
populations:
  exc: {size: 20, model: lif_delta}
projections:
  ee: {from: exc, to: exc, connect: {fixed_indegree: 5}, weight: 0.1 mV, delay: 1 ms}
structure:
  - turnover: {projection: ee, every: 10 ms, lifetime: 100 ms}
  - neurogenesis: {population: exc, every: 50 ms, rate: {exc: 20 Hz}, name: births}
"""


def test_every_rule_is_listed_and_shown() -> None:
    listed, facts = neurosim("models").stdout, only_json(neurosim("models", "--json"))["structure"]
    assert list(facts) == list(structural_rules())
    for name, rule in structural_rules().items():
        assert f"\n{name} " in listed
        assert facts[name]["about"] == ("neurons" if rule.of_neurons else "synapses")
        assert facts[name]["source"]
        assert facts[name]["clauses"].keys() == set(rule.clauses)
        assert all(about["meaning"] for about in facts[name]["parameters"].values())
    assert facts["forget_weak"]["parameters"]["at_most"]["default"] is None
    page = neurosim("models", "homeostatic_growth").stdout
    for said in ("dcalcium/dt = (spikes - calcium)/tau_calcium : Hz", "offers_pre", "axonal", "target_rate", "Hz",
                 "homeostatic_growth: {projection: NAME, every: TIME}"):  # fmt: skip
        assert said in page
    assert "no limit" in neurosim("models", "neurogenesis").stdout


def test_code_is_what_the_rule_says() -> None:
    text = neurosim("models", "prune_weak", "--code").stdout
    ast.parse(text)
    assert "holds = weight_here < below_given" in text
    assert "def advance" in code(structural_rules()["homeostatic_growth"])
    refused = neurosim("models", "turnover", "--code")
    assert refused.exit_code == 2
    assert "no kernel is generated" in refused.stderr


def test_a_picture_shows_what_is_true(folder: Path) -> None:
    assert neurosim("models", "prune_weak", "-o", "p.png").exit_code == 0
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")
    trial = observe(structural_rules()["prune_weak"])
    assert trial.sizes[0] == 2000
    assert trial.sizes[-1] == trial.first[-1] == 2000 - trial.deaths[-1]
    weak = trial.times < 2.0
    assert np.all(trial.deaths[weak] == 0), "they must have been weak for 2 s"
    assert np.all(trial.looked[1] >= 0.3 * 0.99**21 * 0.999), "at most 20 looks ago they were not weak yet"


def test_growth_reaches_its_target() -> None:
    trial = observe(structural_rules()["homeostatic_growth"])
    assert trial.rate[-20:].mean() == pytest.approx(10.0, rel=0.1)
    figure = pictures.draw(structural_rules()["homeostatic_growth"])
    (line,) = [one for axes in figure.axes for one in axes.lines if one.get_gid() == "growth"]
    rates, growth = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert np.allclose(growth, 2.0 * (1.0 - rates / 10.0))


def test_every_setting_is_of_a_rule() -> None:
    assert not sorted(set(SETTINGS) - set(structural_rules()))
    without = {name for name in structural_rules() if name not in SETTINGS}
    assert all(structural_rules()[name].update for name in without)


def test_info_lists_the_rules_of_scenarios_and_results(folder: Path) -> None:
    Path("s.yaml").write_text(SCENARIO, encoding="utf-8")
    facts = only_json(neurosim("info", "s.yaml", "--json"))["structure"]
    assert facts["births"] == {
        "rule": "neurogenesis", "on": ["exc"], "every_ms": 50.0,
        "parameters": {"rate": {"exc": "20 Hz"}, "at_most": None},
    }  # fmt: skip
    said = neurosim("info", "s.yaml").stdout
    assert "turnover" in said
    assert "20 Hz (exc)" in said
    ran = only_json(neurosim("run", "s.yaml", "-o", "r.nsim", "--json"))
    assert ran["births"]["neurons"] == 4
    assert ran["births"]["synapses"] == ran["deaths"]["synapses"] > 0
    assert only_json(neurosim("info", "r.nsim", "--json"))["structure"] == facts
    assert "neurogenesis" in neurosim("info", "r.nsim").stdout


def test_check_finds_what_is_wrong_with_a_rule(folder: Path) -> None:
    Path("s.yaml").write_text(SCENARIO.replace("lifetime", "lifetmie"), encoding="utf-8")
    checked = neurosim("check", "s.yaml")
    assert checked.exit_code == 3
    assert "s.yaml:7: structure.0.turnover.lifetmie: " in checked.stderr
    assert "Did you mean 'lifetime'?" in checked.stderr
