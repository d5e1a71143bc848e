"""The protocol acts when it says, on whom it says, and in the order of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neurosim.record import Result
from neurosim.scenario import load, run

FIRE = "set: {populations.a.v: 25 mV}"  # above the threshold: every neuron fires one step (0.1 ms) later


def play(folder: Path, *entries: str, duration: str = "45 ms", more: str = "") -> Result:
    """Run five neurons that fire only when the protocol makes them."""
    lines = "\n".join(f"  - {{{entry}}}" for entry in entries)
    text = f"""\
name: play
duration: {duration}
populations:
  a: {{size: 5, model: lif_delta}}
  b: {{size: 5, model: lif_delta}}
groups:
  few: {{population: a, first: 2}}
projections:
  ab: {{from: a, to: b, connect: one_to_one, weight: 1 mV, delay: 1 ms}}
record:
  spikes: [a, b]
  state: {{a: {{variables: [v], every: 1 ms}}, b: {{variables: [v], every: 1 ms}}}}
protocol:
{lines}
{more}"""
    path = folder / "play.yaml"
    path.write_text(text, encoding="utf-8")
    return run(path, folder / "play.nsim", overwrite=True)


def spikes_at(result: Result, population: str = "a") -> list[float]:
    """The times (ms) at which the population fires, each once."""
    return sorted({round(time, 6) for time in result.spikes(population)[0].tolist()})


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (f"at: 7 ms, {FIRE}", [7.1]),
        (f"at: 0 ms, {FIRE}", [0.1]),
        (f"at: 45 ms, {FIRE}", []),  # done, but no step is left to see it
        (f"every: 10 ms, {FIRE}", [10.1, 20.1, 30.1, 40.1]),
        (f"every: 10 ms, from: 5 ms, until: 25 ms, {FIRE}", [5.1, 15.1]),
        (f"every: 10 ms, until: 20 ms, {FIRE}", [10.1]),
        (f'when: "time >= 12.5 ms", {FIRE}', [13.1]),
        (f'when: "time >= 12.5 ms", every: 4 ms, {FIRE}', [16.1]),
        (f'when: "time >= 12.5 ms", until: 10 ms, {FIRE}', []),
        (f'when: "time > 3 ms and time < 6 ms or time > 20 ms", {FIRE}', [4.1, 21.1]),  # each time it becomes true
        (f'when: "rate(a, 5 ms) > 0 Hz", {FIRE}', []),
    ],
)
def test_times(tmp_path: Path, entry: str, expected: list[float]) -> None:
    assert spikes_at(play(tmp_path, entry)) == expected


def test_conditions_on_rates_and_sizes(tmp_path: Path) -> None:
    fire_few = "at: 10 ms, set: {populations.a.v: 25 mV}, on: few"
    result = play(tmp_path, fire_few, f'when: "rate(few, 5 ms) > 50 Hz and rate(a, 5 ms) < 500 Hz", {FIRE}')
    assert spikes_at(result)[:2] == [10.1, 11.1]
    result = play(tmp_path, "at: 5 ms, lesion: {group: few}", f'when: "neurons(a) < 5 and synapses(ab) == 3", {FIRE}')
    assert spikes_at(result) == [5.1]


def test_simultaneous_entries_act_in_the_order_of_the_file(tmp_path: Path) -> None:
    rest = "at: 5 ms, set: {populations.a.v: 0 mV}"
    fire = f"at: 5 ms, {FIRE}"
    assert spikes_at(play(tmp_path, rest, fire)) == [5.1]
    assert spikes_at(play(tmp_path, fire, rest)) == []
    lesion, watch = "at: 5 ms, lesion: {group: few}", f'when: "neurons(a) < 5", {FIRE}'
    assert spikes_at(play(tmp_path, lesion, watch)) == [5.1]
    assert spikes_at(play(tmp_path, watch, lesion)) == [6.1]


def test_recorders_sample_before_the_edits_of_their_time(tmp_path: Path) -> None:
    state = play(tmp_path, "at: 5 ms, set: {populations.a.v: 10 mV}, on: few").state("a")
    ids = np.unique(state["id"])
    for time, expected in ((5.0, 0.0), (6.0, 10 * np.exp(-1 / 20))):
        v = state["v"][np.isclose(state["time"], time)]
        np.testing.assert_allclose(v, np.where(ids < ids[2], expected, 0.0), rtol=1e-12)


def test_stimulate_is_a_current_for_a_time(tmp_path: Path) -> None:
    result = play(tmp_path, "at: 5 ms, stimulate: {group: few, current: 200 pA, for: 10 ms}")
    state = result.state("a")
    one = state["id"] == state["id"].min()
    time, v = state["time"][one], state["v"][one]
    top = 200 * 20 / 250  # I tau / c
    during, after = np.clip(time - 5, 0, 10), np.clip(time - 15, 0, None)
    np.testing.assert_allclose(v, top * (1 - np.exp(-during / 20)) * np.exp(-after / 20), atol=1e-9)
    assert not state["v"][state["id"] == state["id"].max()].any()


def test_stimulate_a_population_again_and_again(tmp_path: Path) -> None:
    entry = "every: 10 ms, from: 10 ms, until: 30 ms, do: [{stimulate: {population: a, current: 2 nA, for: 5 ms}}]"
    result = play(tmp_path, entry)
    times = np.array(spikes_at(result))
    assert times[0] < 15 < 20 < times[-1]
    assert np.all(((times > 10) & (times < 15.2)) | ((times > 20) & (times < 25.2)))


def test_lesions(tmp_path: Path) -> None:
    result = play(tmp_path, "at: 5 ms, lesion: {population: a, where: 'id > 2'}", f"at: 10 ms, {FIRE}")
    assert result.summary["deaths"] == {"neurons": 2, "synapses": 2}
    assert sorted(set(result.spikes("a")[1].tolist())) == [0, 1, 2]
    result = play(tmp_path, "at: 5 ms, lesion: {group: few, where: 'id == 1'}")
    assert result.summary["deaths"] == {"neurons": 1, "synapses": 1}
    result = play(tmp_path, "at: 5 ms, lesion: {population: a}")
    assert result.summary["neurons"] == 5
    result = play(tmp_path, "at: 5 ms, lesion: {projection: ab, where: 'pre < 2 and weight > 0.5 mV'}")
    assert result.summary["deaths"] == {"neurons": 0, "synapses": 2}
    result = play(tmp_path, "at: 5 ms, lesion: {projection: ab}")
    assert (result.summary["synapses"], result.graph(at="6 ms").number_of_edges()) == (0, 0)
    assert result.graph(at="4 ms").number_of_edges() == 5


def test_weights_and_delays_can_be_set(tmp_path: Path) -> None:
    changes = "at: 5 ms, set: {projections.ab.weight: 30 mV, projections.ab.delay: 3 ms}"
    result = play(tmp_path, changes, f"at: 10 ms, {FIRE}")
    assert spikes_at(result, "b") == [13.1]
    assert spikes_at(play(tmp_path, f"at: 10 ms, {FIRE}"), "b") == []


def test_inputs_can_be_set_for_some(tmp_path: Path) -> None:
    more = "inputs: {noise: {poisson: {rate: 0 Hz}, to: [a], weight: 30 mV}, push: {current: {amplitude: 0 pA}, to: b}}"
    result = play(
        tmp_path,
        "at: 10 ms, do: [{set: {inputs.noise.rate: 10 kHz}, on: few}, {set: {inputs.push.amplitude: 1 nA}}]",
        "at: 30 ms, set: {inputs.noise.rate: 0 Hz, inputs.push.amplitude: 0 pA}",
        more=more,
    )
    times, ids = result.spikes("a")
    assert set(ids.tolist()) == {0, 1}
    assert times.min() > 10
    assert times.max() <= 30.05
    times, ids = result.spikes("b")
    assert len(set(ids.tolist())) == 5
    assert (times > 10).all()
    assert (times <= 30.05).all()


def test_what_lies_beyond_the_run_is_noted(tmp_path: Path) -> None:
    result = play(tmp_path, f"at: 40 ms, {FIRE}", duration="20 ms")
    assert spikes_at(result) == []
    assert "40 ms lies beyond the run (20 ms): not reached" in result.messages[0]["text"]
    assert load(tmp_path / "play.yaml", duration="50 ms").notes == []
