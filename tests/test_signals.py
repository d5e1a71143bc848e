"""What the network's own spikes say to it: conditions on who follows whom, and populations that send modulators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import ScenarioError
from neurosim.scenario import build, load

SCENARIO = """
duration: 1 s
populations:
  a: {size: 1, model: {spike_list: {times: [[100 ms, 300 ms, 500 ms, 700 ms]]}}}
  b: {size: 1, model: {spike_list: {times: [[95 ms, 300 ms, 520 ms, 721 ms, 722 ms]]}}}
  heard: {size: 1, model: lif_exp}
projections:
  learned: {from: a, to: heard, connect: all_to_all, weight: 50 pA, delay: 1 ms, bounds: {weight: [0 pA, 100 pA]},
            precision: float64, learning: {on_modulator: weight += amount*step, modulator: joy,
                                   parameters: {step: 1 pA}}}
MORE
"""


def run(tmp_path: Path, more: str, duration: float = 1000.0) -> Any:
    path = tmp_path / "s.yaml"
    path.write_text(SCENARIO.replace("MORE", more), encoding="utf-8")
    built = build(load(path))
    built.simulation.run(duration)
    return built


def weight(built: Any) -> float:
    return float(built.network.projections["learned"].weight.values[0])


@pytest.mark.parametrize(
    ("condition", "times"),
    [("b within 20 ms after a", 1), ("b within 22 ms after a", 2), ("a within 5 ms after b", 1),
     ("not b within 20 ms after a", 2), ("b within 20 ms after a and time > 600 ms", 0)],
)  # fmt: skip
@pytest.mark.parametrize("every", ["1 ms", "7 ms", "50 ms"])
def test_one_after_another(tmp_path: Path, condition: str, times: int, every: str) -> None:
    built = run(tmp_path, f"protocol: [{{when: {condition}, every: {every}, modulate: {{joy: 1}}}}]")
    assert weight(built) == 50.0 + times


def test_what_is_done_later(tmp_path: Path) -> None:
    built = run(tmp_path, "protocol: [{when: b within 20 ms after a, after: 100 ms, modulate: {joy: 1}}]", 619.0)
    assert weight(built) == 50.0
    built.simulation.run("3 ms")
    assert weight(built) == 51.0
    drawn = "protocol: [{every: 100 ms, after: 'uniform(0 ms, 900 ms)', modulate: {joy: 1}}]"
    first, again = (weight(run(tmp_path, drawn)) for _ in range(2))
    assert first == again
    assert 50.0 < first < 60.0


def test_a_population_sends_a_modulator(tmp_path: Path) -> None:
    built = run(tmp_path, "modulators: {joy: {from: b, amount: 0.5, every: 10 ms}}", 520.0)
    assert weight(built) == 50.0 + 0.5 * 3
    built.simulation.run("480 ms")
    assert weight(built) == 50.0 + 0.5 * 5


def test_a_group_sends_a_modulator() -> None:
    net = ns.Network(seed=1, dt=0.1)
    senders = net.add_population("senders", 2, ns.models.spike_list(times=[[10.0, 20.0], [15.0]]))
    target = net.add_population("target", 1, "parrot")
    rule = {"on_modulator": "weight += amount", "modulator": "joy"}
    synapse = net.connect(senders, target, "all_to_all", weight=0.0, delay=1.0, learning=[rule])
    group = net.add_group("one", senders, senders.ids[1:])
    sim = ns.Simulation(net)
    sim.modulate_by(group, "joy", 2.0, every="5 ms")
    sim.run("100 ms")
    assert np.all(synapse.weight.values == 2.0)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("protocol: [{when: b within 20 ms after c, modulate: {joy: 1}}]", "no name 'c'"),
        ("protocol: [{when: b within 20 mV after a, modulate: {joy: 1}}]", "argument 2 of within"),
        ("protocol: [{when: b within 20 ms of a, modulate: {joy: 1}}]", "expected 'after'"),
        ("protocol: [{when: b within 20 ms after a, after: 3 mV, modulate: {joy: 1}}]", "after"),
        ("modulators: {joy: {from: c}}", "no population or group 'c'"),
        ("modulators: {jay: {from: b}}", "no modulator 'jay'.*Did you mean 'joy'"),
        ("modulators: {joy: {from: b, amount: 3 mV}}", "plain number"),
    ],
)
def test_mistakes(tmp_path: Path, more: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        run(tmp_path, more)
