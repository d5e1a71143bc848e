"""Scenarios with learning rules and with models that are written in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurosim.errors import ScenarioError
from neurosim.record import Result
from neurosim.scenario import build, describe, load, run, size
from neurosim.scenario.synapse_values import bimodality

LEARNING = """\
name: small
duration: 300 ms
populations:
  src: {size: 30, model: {poisson: {rate: 40 Hz}}}
  exc: {size: 20, model: {lif_delta: {v_th: 10 mV}}}
  inh: {size: 10, model: lif_delta}
groups:
  cue: {population: exc, first: 5}
projections:
  plastic:
    from: src
    to: exc
    connect: {fixed_outdegree: {n: 8, multapses: false}}
    weight: "uniform(0 mV, 2 mV)"
    delay: {balanced: [1 ms, 2 ms]}
    bounds: {weight: [0 mV, 2 mV]}
    precision: float64
    learning:
      - stdp: {tau_plus: 15 ms}
      - name: counter
        equations: |
          arrived : 1
          u : weight
        on_arrival: arrived += 1
        on_modulator: u += amount*weight
        modulator: reward
  fixed: {from: exc, to: inh, connect: all_to_all, weight: 0.5 mV, delay: 1 ms}
"""

OWN = """\
name: own
duration: 200 ms
populations:
  a:
    size: 5
    equations: |
      dv/dt = (e_l - v)/tau_m + current/c_m : mV (unless refractory)
      dg/dt = -g/tau_g : pA
      current = g + i_e : pA
    threshold: v > v_th
    reset: |
      v = v_reset
      g *= 0.5
    refractory: 2 ms
    parameters: {e_l: -65 mV, tau_m: 20 ms, c_m: 250 pF, tau_g: 5 ms, v_th: -50 mV, v_reset: -65 mV, i_e: 300 pA}
    receptors: {exc: g}
    initial: {v: e_l}
  b: {size: 4, model: lif_exp}
projections:
  ab: {from: a, to: b, connect: all_to_all, weight: 10 pA, delay: 1 ms}
  ba:
    from: b
    to: a
    connect: all_to_all
    weight: 10 pA
    delay: 1 ms
    bounds: {weight: [0 pA, 20 pA], delay: [0.1 ms, 5 ms]}
    learning:
      - equations: |
          dx/dt = -x/tau : 1 (pre)
          dy/dt = -y/tau : 1 (post)
        on_arrival: |
          step = a*y
          weight -= step
          delay += 0.1 ms
        on_post: weight += a*x
        parameters: {tau: 20 ms, a: 0.1 pA}
"""

A, B, RULE = "populations.a", "populations.b", "projections.ba.learning.0"
FIRST, NAMED = "- equations", "model: lif_exp"  # what is put before, or instead of them


def written(folder: Path, text: str) -> Path:
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def ran(folder: Path, text: str, **options: Any) -> Result:
    return run(written(folder, text), folder / "small.nsim", overwrite=True, **options)


def mistakes(folder: Path, text: str) -> list[str]:
    """The problems of a scenario text as `LINE: path: message`, each on one line."""
    with pytest.raises(ScenarioError) as caught:
        load(written(folder, text))
    return [f"{p.line}: {p.path}: {p.message.splitlines()[0]}" for p in caught.value.problems]


# -- what is written is what is built ---------------------------------------------------------------------


def test_rules_bounds_and_precision_are_those_of_the_file(tmp_path: Path) -> None:
    plastic = build(load(written(tmp_path, LEARNING))).network.projections["plastic"]
    assert [rule.name for rule in plastic.learning] == ["stdp", "counter"]
    assert plastic.learning[0].constants["tau_plus"] == 15
    assert plastic.weight_bounds == (0, 2)
    assert plastic.variables == {"weight": "mV", "delay": "ms", "arrived": "", "u": "mV"}
    weights = plastic.weight.values
    assert (weights != weights.astype(np.float32)).any()


def test_balanced_delays_are_equally_frequent_in_every_row(tmp_path: Path) -> None:
    edges = build(load(written(tmp_path, LEARNING))).network.projections["plastic"].edges()
    for source in np.unique(edges.pre):
        assert np.bincount(edges.delay[edges.pre == source].astype(int)).tolist() == [0, 4, 4]
    short = np.array([edges.post[(edges.pre == s) & (edges.delay == 1)].min() for s in np.unique(edges.pre)])
    assert np.unique(short).size > 3  # not always the first target that has the shortest delay


def test_a_model_in_place_is_that_model(tmp_path: Path) -> None:
    """The library's equations, written into the file, give the same spikes."""
    from neurosim.models import neuron_models

    model = neuron_models()["lif_exp"]
    lines = "\n".join(f"      {line}" for line in model.equations.splitlines()).replace(" + i_stim", "")
    values = ", ".join(f"{p.name}: {p.default} {p.unit}" for p in model.parameters)
    named = LEARNING.replace("model: {lif_delta: {v_th: 10 mV}}", "model: lif_exp")
    named = named.replace("2 mV", "400 pA").replace("0 mV", "0 pA")
    own = named.replace(
        "exc: {size: 20, model: lif_exp}",
        f"exc:\n    size: 20\n    equations: |\n{lines}\n    threshold: {model.threshold}\n    reset: {model.reset}\n"
        f"    refractory: {model.refractory}\n    parameters: {{{values}}}\n"
        "    receptors: {exc: i_exc, inh: i_inh}\n    initial: {v: e_l}",
    )
    assert own != named
    results = [ran(tmp_path, text).spikes("exc") for text in (named, own)]
    assert results[0][0].size > 20
    for left, right in zip(*results, strict=True):
        np.testing.assert_array_equal(left, right)


def test_every_neuron_may_have_its_own_parameters(tmp_path: Path) -> None:
    text = OWN.replace("tau_m: 20 ms", 'tau_m: "normal(20 ms, 2 ms)"')
    text = text.replace("model: lif_exp", "model: {lif_exp: {i_e: [0 pA, 300 pA, 350 pA, 400 pA]}}")
    result = ran(tmp_path, text)
    counts = [np.sum(result.spikes("b")[1] == neuron) for neuron in range(5, 9)]
    assert counts[0] < counts[1] < counts[2] < counts[3]
    first = [result.spikes("a")[0][result.spikes("a")[1] == neuron][0] for neuron in range(5)]
    assert len(set(first)) == 5


SETTING = """\
groups: {some: {population: b, last: 2}}
protocol:
  - {at: 100 ms, set: {populations.a.i_e: 0 pA}}
  - {at: 100 ms, set: {populations.b.i_e: 0 pA}, on: some}
"""


def test_parameters_can_be_set_for_all_and_where_they_differ_for_some(tmp_path: Path) -> None:
    text = OWN.replace(NAMED, 'model: {lif_exp: {i_e: "uniform(390 pA, 400 pA)"}}') + SETTING
    result = ran(tmp_path, text.replace("weight: 10 pA", "weight: 0 pA"))
    before, after = {}, {}
    for name in ("a", "b"):
        times, ids = result.spikes(name)
        before[name], after[name] = np.unique(ids[times < 100]), np.unique(ids[times > 102])
    assert (before["a"].tolist(), after["a"].tolist()) == ([0, 1, 2, 3, 4], [])
    assert (before["b"].tolist(), after["b"].tolist()) == ([5, 6, 7, 8], [5, 6])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("populations.a.i_e", "populations.a.i_ee", "no variable or parameter 'i_ee' of a. Known: v, g, e_l,"),
        ("populations.a.i_e: 0 pA", "populations.a.i_e: 0 mV", "a.i_e must be a current"),
        ("on: some", "on: some", "`on` is for what differs between neurons; 'i_e' of b is one value for all"),
    ],
)
def test_mistakes_in_setting_parameters(tmp_path: Path, old: str, new: str, said: str) -> None:
    shared = "{lif_exp: {i_e: 300 pA}}" if old == new else '{lif_exp: {i_e: "uniform(1 pA, 2 pA)"}}'
    assert old in OWN + SETTING
    found = mistakes(tmp_path, OWN.replace(NAMED, f"model: {shared}") + SETTING.replace(old, new))
    assert any(said in problem for problem in found)


def test_what_is_described_and_estimated(tmp_path: Path) -> None:
    scenario, plain = load(written(tmp_path, LEARNING)), LEARNING.replace("precision: float64", "precision: float32")
    assert describe(scenario)["projections"]["plastic"]["learning"] == ["stdp", "counter"]
    own = describe(load(written(tmp_path, OWN.replace("tau_m: 20 ms", 'tau_m: "normal(20 ms, 2 ms)"'))))
    assert own["populations"]["a"]["parameters"]["tau_m"] == "normal(20 ms, 2 ms)"
    assert size(scenario).memory > size(load(written(tmp_path, plain))).memory


# -- what happens -----------------------------------------------------------------------------------------


MORE = """\
protocol:
  - {at: 100 ms, modulate: {reward: 0.5}}
  - {at: 150 ms, set: {projections.plastic.arrived: 100}}
  - {at: 200 ms, lesion: {projection: plastic, where: "arrived < 101 and pre < 10"}}
record:
  spikes: [src, exc]
  synapses: {plastic: {variables: [weight, arrived, u], every: 50 ms}}
expect:
  - {variables: {projection: plastic, variable: arrived, statistic: min}, at: 150 ms, between: [100, 100]}
  - {variables: {projection: plastic, variable: arrived, statistic: max}, at: 100 ms, between: [1, 50]}
  - {variables: {projection: plastic, variable: u, statistic: sd}, at: 50 ms, between: [0 mV, 0 mV]}
  - {weights: {projection: plastic, above: 1 mV}, at: 300 ms, between: [0, 1]}
  - {weights: {projection: plastic, above: 0.5 mV, below: 1500 uV, to: cue}, between: [0, 1]}
  - {weights: {projection: plastic, statistic: mean}, at: 50 ms, between: [0 mV, 2000 uV]}
  - {delays: {projection: plastic, statistic: median}, between: [1 ms, 0.002 s]}
  - {weights: {projection: plastic, from: src, statistic: bimodality}, between: [0, 1]}
"""


def test_what_rules_keep_is_recorded_set_and_expected(tmp_path: Path) -> None:
    result = ran(tmp_path, LEARNING + MORE)
    found = result.summary["expect"]
    assert [one["status"] for one in found] == ["held"] * 8
    assert [one["unit"] for one in found] == ["", "", "mV", "", "", "mV", "ms", ""]
    samples = result.synapses("plastic")
    at = {time: samples["time"] == time for time in (50.0, 100.0, 150.0, 300.0)}
    before = {name: column[at[100.0]] for name, column in samples.items()}
    assert before["u"].max() == 0  # recorders see a time before its edits
    after = {name: column[at[150.0]] for name, column in samples.items()}
    assert after["arrived"].max() < 100
    np.testing.assert_allclose(after["u"], before["weight"] / 2, rtol=1e-12)
    assert found[5]["value"] == pytest.approx(samples["weight"][at[50.0]].mean())
    last = samples["weight"][at[300.0]]
    assert last.size < 240
    assert found[3]["value"] == pytest.approx(np.mean(last > 1))
    assert found[7]["value"] == pytest.approx(bimodality(last))
    assert found[3]["text"] == "share of weights of plastic above 1 mV at 300 ms"
    assert found[4]["text"] == "share of weights of plastic to cue above 0.5 mV below 1500 uV"
    assert found[6]["text"] == "median of delays of plastic"
    assert result.projections["plastic"].info["learning"] == ["stdp", "counter"]


def test_arrivals_are_counted_as_they_are(tmp_path: Path) -> None:
    text = LEARNING + "record: {synapses: {plastic: {variables: [arrived], every: 300 ms}}}\n"
    result = ran(tmp_path, text)
    times, ids = result.spikes("src")
    samples, graph = result.synapses("plastic"), result.graph(at=0)
    ends = {key: (pre, post, delay) for pre, post, key, delay in graph.edges(keys=True, data="delay")}
    last = samples["time"] == 300
    for synapse, arrived in zip(samples["id"][last].tolist(), samples["arrived"][last].tolist(), strict=True):
        pre, _, delay = ends[synapse]
        assert arrived == np.sum(times[ids == pre] + delay < 300.05)


def test_bimodality_knows_its_landmarks() -> None:
    rng = np.random.default_rng(1)
    assert bimodality(rng.normal(size=200_000)) == pytest.approx(1 / 3, abs=0.01)
    assert bimodality(rng.uniform(size=200_000)) == pytest.approx(5 / 9, abs=0.01)
    assert bimodality(np.repeat([0.0, 1.0], [30, 70])) == pytest.approx(1)
    assert np.isnan(bimodality(np.ones(5)))


def test_what_is_measured_of_no_synapses_has_failed(tmp_path: Path) -> None:
    more = "protocol: [{at: 10 ms, lesion: {projection: plastic}}]\n"
    more += "expect: [{weights: {projection: plastic, statistic: mean}, between: [0 mV, 2 mV]}]\n"
    (found,) = ran(tmp_path, LEARNING + more).summary["expect"]
    assert (found["status"], found["value"]) == ("failed", None)


def test_overrides_reach_parameters_in_place(tmp_path: Path) -> None:
    settings = ["populations.a.tau_m=10 ms", "projections.ba.learning.0.parameters.a=1 pA"]
    net = build(load(written(tmp_path, OWN), settings)).network
    assert net.populations["a"].parameters["tau_m"] == 10
    assert net.projections["ba"].learning[0].constants["a"] == 1


# -- mistakes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [LEARNING, LEARNING + MORE, OWN], ids=["learning", "more", "own"])
def test_the_good_ones_are_good(tmp_path: Path, text: str) -> None:
    load(written(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        # models in place
        ("(e_l - v)", "(e_ll - v)", 7, f"{A}.equations: no name 'e_ll'."),
        ("-g/tau_g : pA", "-g : pA", 8, f"{A}.equations: the expression must be"),
        ("v > v_th", "v > v_tt", 10, f"{A}.threshold: no name 'v_tt'."),
        ("g *= 0.5", "gg *= 0.5", 13, f"{A}.reset: no variable 'gg'."),
        ("refractory: 2 ms", "refractory: t_rf", 14, f"{A}.refractory: no name 't_rf'."),
        ("{exc: g}", "{exc: gg}", 16, f"{A}.receptors.exc: no variable 'gg' for receptor exc of a."),
        ("refractory: 2 ms", "refractory: 2 ms\n    method: exactly", 15, f"{A}.method: no method 'exactly'"),
        ("tau_g: 5 ms", "tau_g: 5 mss", 15, f"{A}.parameters.tau_g: "),
        ("tau_g: 5 ms", "tau_g: [1 ms, 2 ms, 3 ms, 4 mV, 5 ms]", 15, f"{A}.parameters.tau_g: "),
        ("tau_g: 5 ms", "tau_g: [1 ms, 2 ms, 3 ms]", 15, f"{A}.parameters.tau_g: has 3 values for 5 neurons"),
        ("    refractory: 2 ms\n", "", 4, f"{A}: v is held while refractory"),
        ("{v: e_l}", "{vv: e_l}", 17, f"{A}.initial.vv: no variable 'vv'"),
        ("{v: e_l}", "{v: e_ll}", 17, f"{A}.initial.v: "),
        ("{v: e_l}", '{v: "uniform(1 mV, 2 ms)"}', 17, f"{A}.initial.v: maximum of v must be a voltage"),
        ("    equations", f"    {NAMED}\n    equations", 4, f"{A}: `equations` belongs to a model that"),
        (NAMED, "threshold: v > 1", 18, f"{B}: `equations` is missing, to which `threshold` belongs"),
        (NAMED, 'model: {lif_exp: {tau_m: "normal(20 ms, 2 mV)"}}', 18, f"{B}.model.lif_exp.tau_m: sd of"),
        (NAMED, "model: {lif_exp: {tau_m: [20 ms, 10 ms]}}", 18, f"{B}.model.lif_exp.tau_m: has 2 values"),
        (NAMED, 'model: {lif_exp: {t_ref: "uniform(-2, 1)"}}', 18, f"{B}.model.lif_exp.t_ref: lif_exp.t_ref is -2 ms"),
        # rules in place
        ("-x/tau", "-x/tua", 30, f"{RULE}.equations: no name 'tua'."),
        ("weight -= step", "weigth -= step", 34, f"{RULE}.on_arrival: no variable 'weigth'."),
        ("delay += 0.1 ms", "delay += 0.1 pA", 35, f"{RULE}.on_arrival: the expression must be a time"),
        ("a*x\n", "a*xx\n", 36, f"{RULE}.on_post: no name 'xx'."),
        ("a*x\n", "a*x*w_max\n", 36, f"{RULE}.on_post: the expression must be a current"),
        ("on_post: weight", "on_pots: weight", 36, f"{RULE}.on_pots: unknown key 'on_pots'."),
        ("on_post: weight += a*x", "on_post: 3", 36, f"{RULE}.on_post: must be text, found 3"),
        (", delay: [0.1 ms, 5 ms]", "", 21, "projections.ba: 'own' writes delays: `bounds: {delay"),
        ("[0.1 ms, 5 ms]", "[0 ms, 5 ms]", 27, "projections.ba.bounds.delay: 'own' writes delays: they are at least"),
        # rules of the library
        (FIRST, f"- spdt\n      {FIRST}", 29, f"{RULE}: no learning rule 'spdt'."),
        (FIRST, f"- stdp: {{tau: 3}}\n      {FIRST}", 29, f"{RULE}.stdp.tau: no parameter of stdp"),
        (FIRST, f"- stdp: [3]\n      {FIRST}", 29, f"{RULE}.stdp: parameters are written as"),
        (FIRST, f"- 3\n      {FIRST}", 29, f"{RULE}: must be a kind"),
    ],
)
def test_each_mistake_is_found_at_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in OWN
    (found,) = mistakes(tmp_path, OWN.replace(old, new, 1))
    assert found.startswith(f"{line}: {said}")


def test_bounds_that_a_rule_reads_must_be_there(tmp_path: Path) -> None:
    text = OWN.replace("weight: [0 pA, 20 pA], ", "").replace(FIRST, f"- stdp\n      {FIRST}")
    (found,) = mistakes(tmp_path, text)
    assert found.startswith(f"29: {RULE}: ")
    assert "w_max" in found


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = OWN.replace("(e_l - v)", "(e_ll - v)").replace("-g/tau_g", "-g/tau_q").replace("v > v_th", "v > 3 ms")
    text = text.replace("{exc: g}", "{exc: gg}").replace("v_reset: -65 mV", "v_reset: -65 mVV")
    text = text.replace("v = v_reset", "v = v_rest").replace("-x/tau", "-x/tua").replace("-y/tau", "-y/a")
    text = text.replace("weight -= step", "weight -= 1 ms").replace("delay += 0.1 ms", "delya += 0.1 ms")
    text += "record: {synapses: {ab: {variables: [delya], every: 1 s}}}\n"
    text += "expect:\n  - {weights: {projection: abc, above: 1 pA}, between: [0, 1]}\n"
    found = mistakes(tmp_path, text)
    lines = [int(problem.split(":")[0]) for problem in found]
    assert lines == [7, 8, 10, 12, 15, 16, 30, 31, 34, 35, 38, 40]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("modulate: {reward: 0.5}", "modulate: {rewrad: 0.5}", "no modulator 'rewrad' that a learning rule"),
        ("modulate: {reward: 0.5}", "modulate: {reward: 5 mV}", "must be a plain number"),
        ("projections.plastic.arrived", "projections.plastic.arived", "no synapse variable 'arived' of plastic."),
        ("arrived < 101", "arrive < 101", "no name 'arrive'."),
        ("[weight, arrived, u]", "[weight, arrived, uu]", "plastic.variables.2: no synapse variable 'uu'"),
        ("variable: u,", "variable: ub,", "no synapse variable 'ub' of plastic."),
        ("variable: u,", "", "`variable` says which of `variables`"),
        ("above: 1 mV}", "above: 1 ms}", "expect.3.weights.above: must be a voltage"),
        ("above: 1 mV}", "from: cuee, above: 1 mV}", "expect.3.weights.from: no population or group 'cuee'."),
        ("above: 1 mV}", "statistic: mode}", "must be 'mean', 'sd', 'median', 'min', 'max' or 'bimodality'"),
        ("above: 1 mV}", "above: 1 mV, statistic: sd}", "needs either `above` and/or `below`"),
        ("[0 mV, 2000 uV]", "[0 ms, 2 ms]", "expect.5.between: must be a voltage"),
        ("at: 50 ms, between: [0 mV, 0", "over: [0 ms, 50 ms], between: [0 mV, 0", "`variables` is measured at a time"),
    ],
)
def test_mistakes_about_what_rules_keep(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in MORE
    (found,) = mistakes(tmp_path, LEARNING + MORE.replace(old, new))
    assert expected in found
