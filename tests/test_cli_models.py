"""``neurosim models``: every declaration as a page, as JSON, as code; and its picture, which shows what is true."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from shell import folder, neurosim, only_json
from test_plots import drawn, pixels, texts

import neurosim as ns
from neurosim.errors import UsageError
from neurosim.models import neuron_models
from neurosim.models.learning import learning_rules
from neurosim.models.structure import structural_rules
from neurosim.viz import gallery, models, pairs, rules, trials

__all__ = ["folder"]  # fixtures


# ---- pages, JSON, code ---------------------------------------------------------------------------


def test_the_list_holds_every_kind() -> None:
    from neurosim.graph.connectors import connectors
    from neurosim.graph.distance_kernels import distance_kernels
    from neurosim.graph.placement import placements

    shown, facts = neurosim("models").stdout, only_json(neurosim("models", "--json"))
    declared: dict[str, Any] = {"neurons": neuron_models(), "learning": learning_rules(), "connectors": connectors()}
    declared |= {"kernels": distance_kernels(), "placements": placements()}
    for kind, names in declared.items():
        assert list(facts[kind]) == list(names)
        assert all(f"\n{name} " in f"\n{shown}" for name in names)
        assert all(about["summary"] and about["kind"] for about in facts[kind].values())


def test_a_model_is_shown_with_all_it_declares() -> None:
    facts = only_json(neurosim("models", "adex", "--json"))
    assert facts["parameters"]["tau_w"] == {
        "default": 144.0, "unit": "ms", "meaning": "time constant of the adaptation", "allowed": "0.05 ms or more"
    }  # fmt: skip
    assert (facts["method"], facts["refractory"], facts["current_unit"]) == ("rk4", "t_ref", "pA")
    page = neurosim("models", "adex").stdout
    for said in (*facts["equations"], facts["threshold"], facts["reset"], "rk4", facts["source"], "exc (pA)"):
        assert said in page


def test_a_rule_is_shown_with_all_it_declares() -> None:
    facts = only_json(neurosim("models", "stdp_buffered", "--json"))
    assert facts["events"]["every"] == ["sd *= kept", "weight += drift*w_max + sd"]
    assert facts["variables"]["sd"]["kind"] == "of the synapse"
    assert facts["variables"]["x"]["kind"] == "trace of arrivals"
    page = neurosim("models", "stdp_buffered").stdout
    for said in (*facts["equations"], "on_arrival", "sd -= a_minus*w_max*y", "period", facts["source"]):
        assert said in page
    assert only_json(neurosim("models", "ds_stdp", "--json"))["changes_delays"]


def test_a_connector_is_shown_with_what_it_needs() -> None:
    facts = only_json(neurosim("models", "fixed_indegree", "--json"))
    assert facts["parameters"] == {
        name: {"default": default, "required": default is None, "unit": "", "meaning": meaning}
        for name, default, meaning in (
            ("n", None, "synapses onto each target"),
            ("autapses", True, "whether a neuron may connect to itself"),
            ("multapses", True, "whether one pair may have several synapses"),
        )
    }
    assert "connect: {fixed_indegree: {n: …}}" in neurosim("models", "fixed_indegree").stdout
    assert neurosim("models", "none").exit_code == 0


def test_a_placement_is_shown_with_units_and_meanings() -> None:
    facts = only_json(neurosim("models", "ball", "--json"))
    assert facts["parameters"]["radius"] == {
        "default": None, "required": True, "unit": "um", "meaning": "from the centre to the outside"
    }  # fmt: skip
    assert facts["parameters"]["centre"]["default"] == [0, 0, 0]
    page = neurosim("models", "ball").stdout
    assert "positions: {ball: {radius: …}}" in page
    assert "[0, 0, 0]" in page
    from neurosim.graph.placement import placements

    for name in placements():
        assert all(about["meaning"] for about in only_json(neurosim("models", name, "--json"))["parameters"].values())


@pytest.mark.parametrize("name", [*neuron_models(), *learning_rules()])
def test_code_is_python_and_says_what_it_is_made_of(name: str) -> None:
    outcome = neurosim("models", name, "--code")
    if name == "spike_list":
        assert outcome.exit_code == 2
        assert "written by hand" in outcome.stderr
        return
    assert outcome.exit_code == 0
    tree = ast.parse(outcome.stdout)
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert ({"advance"} if name in neuron_models() else {"deliver", "settle"}) <= functions
    if name in neuron_models():
        lines = [line.split("#")[0].strip() for line in neuron_models()[name].equations.split("\n")]
        assert all(line in outcome.stdout for line in lines if "=" in line)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["stpd"], 3, "Did you mean 'stdp'?"),
        (["fixed_indegre"], 3, "Did you mean 'fixed_indegree'?"),
        (["fixed_indegree", "--code"], 2, "is a connector"),
        (["fixed_indegree", "-o", "a.png"], 2, "is a connector"),
        (["ball", "--code"], 2, "is a placement"),
        (["bal"], 3, "Did you mean 'ball'?"),
        (["--code"], 2, "need the NAME"),
        (["lif_exp", "--json", "--code"], 2, "do not go together"),
        (["lif_exp", "--picture", "none/a.png"], 2, "there is no folder none"),
        (["lif_exp", "--picture", "small.yaml"], 2, "would overwrite"),
        (["poisson", "--picture", "a.xyz"], 1, "'xyz' is not supported"),
    ],
)
def test_mistakes(folder: Path, arguments: list[str], code: int, said: str) -> None:
    outcome = neurosim("models", *arguments)
    assert outcome.exit_code == code
    assert said in outcome.stderr
    assert not outcome.stdout


def test_a_picture_is_drawn_where_it_was_asked_for(folder: Path) -> None:
    outcome = neurosim("models", "poisson", "-o", "p.png")
    assert outcome.exit_code == 0
    assert "drew p.png" in outcome.stdout
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")
    assert only_json(neurosim("models", "poisson", "--json", "--picture", "q.svg"))["name"] == "poisson"
    assert Path("q.svg").exists()


# ---- what the pictures show ----------------------------------------------------------------------


def _xy(figure: Figure, gid: str) -> tuple[Any, Any]:
    line = drawn(figure, gid)
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def _stays_on_the_page(figure: Figure) -> None:
    pixels(figure)  # gives it a canvas
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert 0.0 <= box.x0 <= box.x1 <= width
    assert 0.0 <= box.y0 <= box.y1 <= height


def test_the_picture_of_a_neuron_agrees_with_closed_forms() -> None:
    tau, resistance, v_th, t_ref = 20.0, 20.0 / 250.0, 15.0, 2.0  # ms, mV/pA, mV above rest, ms
    figure = models.draw(neuron_models()["lif_exp"]())
    currents, rates = _xy(figure, "rates")
    drive = resistance * currents
    with np.errstate(all="ignore"):
        wanted = np.where(drive > v_th, 1e3 / (t_ref + tau * np.log(drive / (drive - v_th))), 0.0)
    clear = np.abs(drive - v_th) > 0.5
    assert rates[clear] == pytest.approx(wanted[clear], rel=0.03, abs=1.0)
    times, change = _xy(figure, "answer exc")  # 100 pA through tau_exc = 5 ms
    after = times > 0
    course = 100.0 / 250.0 * (np.exp(-times / tau) - np.exp(-times / 5.0)) / (1 / 5.0 - 1 / tau)
    assert change[after] == pytest.approx(course[after], abs=1e-9)
    times, current = _xy(figure, "drive inh")
    assert current[times > 0] == pytest.approx(-50.0 * np.exp(-times[times > 0] / 10.0))
    said = texts(figure)
    for word in ("lif_exp", "time (ms)", "v (mV)", "rate (Hz)", "current (pA)", "exc, 100 pA", "inh, −50 pA"):
        assert word in said
    _stays_on_the_page(figure)


def test_spikes_that_a_reset_cuts_off_are_strokes_and_others_are_marked() -> None:
    figure = models.draw(neuron_models()["lif_delta"]())
    strokes = drawn(figure, "spikes").get_segments()
    v = _xy(figure, "state v")[1]
    assert len(strokes) == np.isnan(v).sum() > 3
    assert all(stroke[1][1] > np.nanmax(v) for stroke in strokes)
    figure = models.draw(neuron_models()["wang_buzsaki"]())
    v = _xy(figure, "state v")[1]
    assert _xy(figure, "spikes")[0].size == ((v[1:] > -20.0) & (v[:-1] <= -20.0)).sum()
    assert {drawn(figure, f"state {gate}").get_gid() for gate in "hn"} == {"state h", "state n"}


def test_a_neuron_that_fires_by_itself_is_held() -> None:
    figure = models.draw(neuron_models()["hh_cond_exp"]())
    assert "held at −" in texts(figure)
    assert _xy(figure, "spikes")[0].min() > 40.0
    currents, rates = _xy(figure, "rates")
    assert currents[0] < 0.0
    assert rates[np.argmin(np.abs(currents))] > 5.0


def test_adaptation_is_seen_in_the_rates() -> None:
    figure = models.draw(neuron_models()["adex"]())
    steady = _xy(figure, "rates")[1]
    onset = _xy(figure, "onset")[1]
    assert (onset[steady > 10.0] > 1.5 * steady[steady > 10.0]).all()
    assert _xy(figure, "state w")[1].max() > 80.5


def test_sources_show_what_they_send() -> None:
    figure = models.draw(neuron_models()["poisson"](rate=40.0))
    edges, rate = drawn(figure, "rate").get_data()[1], drawn(figure, "rate").get_data()[0]
    assert edges[0] == 0.0
    assert rate.mean() == pytest.approx(40.0, rel=0.02)
    assert "rate 40 Hz" in texts(figure)
    figure = models.draw(neuron_models()["parrot"]())
    assert np.sort(_xy(figure, "sent")[0]) == pytest.approx(np.sort(_xy(figure, "heard")[0]) + 10.0)
    figure = models.draw(neuron_models()["spike_list"](times=[[5.0], [7.0, 9.0]]))
    assert _xy(figure, "sent")[0].tolist() == pytest.approx([5.0, 7.0, 9.0])


def test_a_model_of_ones_own_has_a_picture_too() -> None:
    own = ns.models.from_equations(
        "dq/dt = (i_stim - q)/(10 ms) : 1", threshold="q > 1", reset="q = 0", receptors={"in": "q"}, name="mine"
    )
    figure = models.draw(own())
    assert "mine" in texts(figure)
    times, change = _xy(figure, "answer in")
    assert change[times > 0] == pytest.approx(0.1 * np.exp(-times[times > 0] / 10.0))
    silent = ns.models.from_equations("dq/dt = (i_stim - q)/(10 ms) : 1")
    with pytest.raises(UsageError, match="never fires"):
        models.draw(silent())


def test_the_window_of_stdp_is_what_its_equations_say() -> None:
    figure = rules.draw(learning_rules()["stdp"]())
    lags, change = _xy(figure, "window 0 +")
    assert lags[0] == 0.0
    assert change == pytest.approx(0.5 * np.exp(-lags / 20.0), rel=1e-9)
    lags, change = _xy(figure, "window 0 -")
    assert lags.max() < 0.0
    assert change == pytest.approx(-0.525 * np.exp(lags / 20.0), rel=1e-9)
    many = _xy(figure, "series 10")[1]
    assert many[0] == pytest.approx(60 * 0.5 * math.exp(-0.5), rel=1e-3)  # once a second, pairs do not meet
    assert "change (% of w_max)" in texts(figure)
    _stays_on_the_page(figure)


@pytest.mark.slow
def test_soft_bounds_are_seen_at_different_weights() -> None:
    figure = rules.draw(learning_rules()["stdp_multiplicative"]())
    tops = [_xy(figure, f"window {k} +")[1][0] for k in range(3)]
    assert tops == pytest.approx([0.45, 0.25, 0.05])
    assert "weight 0.9 w_max" in texts(figure)
    weights, change = _xy(figure, "sizes 10")
    assert change == pytest.approx(0.5 * (1 - weights) * math.exp(-0.5))


@pytest.mark.slow
def test_delays_that_learn_have_a_window_in_microseconds() -> None:
    figure = rules.draw(learning_rules()["ds_stdp"]())
    lags, change = _xy(figure, "delays +")
    assert change == pytest.approx(-12.0 * np.exp(-lags / 20.0), rel=1e-6)
    assert "change of delay (µs)" in texts(figure)


def test_trains_show_depression_and_facilitation() -> None:
    figure = rules.draw(learning_rules()["tsodyks_markram"]())
    numbers, heights = _xy(figure, "rate 20 Hz")
    available = [1.0]
    for _ in numbers[1:]:
        available.append(1 - (1 - available[-1] * 0.5) * math.exp(-50.0 / 800.0))
    assert heights == pytest.approx(0.5 * np.array(available))
    grown = [segment[1][1] for segment in drawn(figure, "train 1").get_segments()]
    assert grown[0] < grown[3] < grown[7]
    assert "facilitating" in texts(figure)
    _stays_on_the_page(figure)


def test_rules_of_all_sorts_are_measured() -> None:
    collected = pairs.pairs(learning_rules()["stdp_buffered"](), [5.0]).weight
    assert collected == pytest.approx([0.9 * 0.01 * 0.95**5])  # after one period, without the drift
    rewarded = ns.learning.from_code(
        equations="dx/dt = -x/(20 ms) : 1 (pre)\nc : weight", on_post="c += 0.1*w_max*x",
        on_modulator="weight += amount*c", modulator="reward",
    )  # fmt: skip
    assert pairs.pairs(rewarded(), [10.0, -10.0]).weight == pytest.approx([0.1 * math.exp(-0.5), 0.0])
    in_current = ns.learning.from_code(on_arrival="weight += step", parameters={"step": "1 pA"})
    assert pairs.stand_in(in_current())[1] == "pA"
    assert pairs.pairs(in_current(), 1.0, times=3).weight == pytest.approx([3.0])
    slow = ns.learning.from_code(every="weight *= 0.9", period="1 s")
    (course,) = pairs.course(slow(), [0.5, 1.0], [0.0, 5.0], ["weight"], 3, 1000.0)
    assert course == pytest.approx(np.array([[0.5, 1.0]]) * 0.9 ** np.arange(4)[:, None])
    idle = ns.learning.from_code(on_emission="weight *= 0.9")
    with pytest.raises(UsageError, match="no picture"):
        rules.draw(idle())


def test_pictures_are_small_and_not_empty() -> None:
    figure = models.draw(neuron_models()["lif_delta"]())
    assert (pixels(figure) != 255).any(axis=2).mean() > 0.02
    assert len(gallery.small_png(figure)) < 60_000


def test_noise_cancels_between_two_runs_of_one_neuron() -> None:
    answer = trials.answers(neuron_models()["lif_noise"](), 0.0)[0]
    assert np.abs(answer.drive[answer.times > 0]).max() == pytest.approx(answer.weight, rel=0.05)
    assert 0.5 < np.abs(answer.potential).max() < 2.0


@pytest.mark.slow
def test_the_gallery_is_drawn_and_stays_on_its_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Figure] = []
    small_png = gallery.small_png
    monkeypatch.setattr(gallery, "small_png", lambda figure: figures.append(figure) or small_png(figure))
    gallery.main(tmp_path)
    assert len(figures) == len(neuron_models()) + len(learning_rules()) + len(structural_rules())
    page = (tmp_path / "gallery.md").read_text(encoding="utf-8")
    assert page == (Path(__file__).parent.parent / "docs/gallery.md").read_text(encoding="utf-8")
    for figure in figures:
        _stays_on_the_page(figure)
        assert (tmp_path / "images").exists()
