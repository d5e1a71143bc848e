"""Delays that grow with distance: at connecting, for synapses added later, when set, and in scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import InvalidInput, ScenarioError, UsageError
from neurosim.graph.distributions import distribution
from neurosim.scenario import load
from neurosim.scenario.builder import build

DT = 0.1


def expected(projection: Any, velocity: float, offset: float) -> Any:
    """Delays on the grid, from the positions."""
    edges = projection.edges()
    ends = []
    for population, ids in ((projection.source, edges.pre), (projection.target, edges.post)):
        ends.append(np.stack([getattr(population, axis)[ids] for axis in "xyz"], axis=1))
    steps = np.floor((offset + np.linalg.norm(ends[0] - ends[1], axis=1) / velocity) / DT + 0.5)
    return np.maximum(steps, 1) * DT


@pytest.fixture
def net() -> ns.Network:
    net = ns.Network(seed=1, dt=DT)
    net.add_population("a", 60, positions=ns.place.ball("1 mm"))
    net.add_population("b", 20, positions=ns.place.box(["1 mm", "2 mm"]))
    return net


@pytest.mark.lane
def test_delays_are_offset_and_way(net: ns.Network) -> None:
    a, b = net.populations["a"], net.populations["b"]
    made = net.connect(a, b, ns.connectors.fixed_indegree(7), delay=ns.distance("0.3 mm/ms", "0.5 ms"))
    assert np.array_equal(made.delay.values, expected(made, 300.0, 0.5))
    assert np.ptp(made.delay.values) > 2.0
    near = ns.connectors.distance_outdegree(5, ns.kernels.gaussian("300 um"))
    close = net.connect(a, b, near, delay={"distance": {"velocity": "0.3 m/s"}})
    assert np.array_equal(close.delay.values, expected(close, 300.0, 0.0))
    assert close.delay.values.mean() < made.delay.values.mean()


def test_synapses_added_later_know_their_way(net: ns.Network) -> None:
    a, b = net.populations["a"], net.populations["b"]
    made = net.connect(a, b, "none", delay=ns.distance(200))
    made.add(pre=a.ids[0], post=b.ids)
    born = a.add(3)
    made.add(pre=born, post=b.ids[:3])
    b.remove(b.ids[:5])
    made.add(pre=born, post=b.ids[:3])
    assert made.size == 20 + 3 + 3 - 5 - 3
    assert np.array_equal(made.delay.values, expected(made, 200.0, 0.0))
    some = made.add(pre=born, post=b.ids[:3], delay="2 ms")
    assert made.delay[some].tolist() == [2.0] * 3
    made.delay.set(ns.distance("1 m/s", offset=1))
    assert np.array_equal(made.delay.values, expected(made, 1000.0, 1.0))
    b.x.set(5000.0)  # moving does not change delays; setting them does
    assert made.delay.values.max() < 5.0
    made.delay[made.ids[:4]] = ns.distance("1 m/s")
    assert (made.delay[made.ids[:4]] > 4.0).all()


def test_no_distance_takes_a_step_not_none(net: ns.Network) -> None:
    """A delay of exactly 0 would arrive within the step, and make every epoch one step long."""
    a = net.populations["a"]
    made = net.connect(a, a, "one_to_one", delay=ns.distance(300))
    assert made.delay.values.tolist() == [DT] * 60
    late = ns.Network(seed=1)
    b = late.add_population("b", 3, positions=ns.place.ball(10))
    later = late.connect(b, b, "one_to_one", delay=ns.distance(300))
    late.set_grid(DT)
    assert later.delay.values.tolist() == [DT] * 3


def test_bounds_hold(net: ns.Network) -> None:
    a = net.populations["a"]
    with pytest.raises(UsageError, match="lies outside the declared bounds"):
        net.connect(a, a, "all_to_all", delay=ns.distance(300), bounds={"delay": (0.1, 2.0)})
    made = net.connect(
        a, a, ns.connectors.distance_probability(ns.kernels.step("500 um")), delay=ns.distance(300, offset=0.1),
        learning=ns.learning.ds_stdp(), bounds={"weight": (0, 2), "delay": (0.1, 2.0)}, receptor="exc",
    )  # fmt: skip
    assert made.delay.values.max() == pytest.approx(0.1 + 500 / 300, rel=0.02)  # delays that learn are not on the grid


def test_only_delays_of_synapses_between_placed_neurons(net: ns.Network) -> None:
    a, bare = net.populations["a"], net.add_population("bare", 3)
    for options, message in (
        ({"weight": ns.distance(300)}, "weight of 'p': a distance is between two neurons"),
        ({"delay": ns.distance(0)}, "the velocity must be more than 0"),
        ({"delay": ns.distance("1 ms")}, "velocity of delay of projection 'p' must be a velocity in um/ms"),
        ({"delay": ns.distance(1, -1)}, "the offset must not be negative"),
        ({"delay": {"distance": {"speed": 3}}}, r"distance takes \(velocity, offset\)"),
    ):
        with pytest.raises(InvalidInput, match=message):
            net.connect(a, a, "all_to_all", name="p", receptor="exc", **options)  # type: ignore[arg-type]
    for source, target in ((a, bare), (bare, a)):
        with pytest.raises(UsageError, match="population 'bare' has no positions"):
            net.connect(source, target, "all_to_all", delay=ns.distance(300))
    with pytest.raises(InvalidInput, match="only delays of synapses can depend on it"):
        net.add_population("c", 3, {"lif_delta": {"tau_m": ns.distance(300)}})
    with pytest.raises(InvalidInput, match="a distance is between two neurons"):
        a.v.set(ns.distance(300))
    assert not net.projections
    assert distribution("distance(0.3 mm/ms, 0.5 ms)", "ms", of_pairs=True).low == 0.5


SCENARIO = """\
duration: 10 ms
populations:
  a: {size: 50, model: lif_delta, positions: {box: {size: [1 mm, 1 mm]}}}
  bare: {size: 5, model: lif_delta}
projections:
  aa: {from: a, to: a, connect: all_to_all, weight: 1 mV, delay: {distance: {velocity: 0.3 mm/ms, offset: 0.5 ms}}}
  ab: {from: a, to: bare, connect: {fixed_indegree: 5}, weight: 1 mV, delay: 1 ms}
protocol:
  - {at: 5 ms, set: {projections.aa.delay: "distance(0.6 mm/ms, 1 ms)"}}
"""


def test_a_scenario_has_such_delays(tmp_path: Path) -> None:
    path = tmp_path / "ways.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    built = build(load(path))
    made = built.network.projections["aa"]
    assert np.array_equal(made.delay.values, expected(made, 300.0, 0.5))
    built.simulation.run(10.0)
    assert np.array_equal(made.delay.values, expected(made, 600.0, 1.0))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("velocity: 0.3 mm/ms", "velocity: 0.3 mm", "6: projections.aa.delay: velocity of delay must be a velocity in"),
        ("velocity: 0.3 mm/ms", "speed: 1", "6: projections.aa.delay: delay: distance takes (velocity, offset)"),
        ("velocity: 0.3 mm/ms, ", "", "6: projections.aa.delay: delay: distance takes (velocity, offset)"),
        ("offset: 0.5 ms", "offset: -1 ms", "6: projections.aa.delay: delay: the offset must not be negative"),
        ("delay: 1 ms", "delay: distance(9)", "7: projections.ab.delay: a delay by distance needs distances; 'bare'"),
        ("projections.aa.delay", "projections.ab.delay", "9: protocol.0.set.projections.ab.delay: a delay by distance"),
        ("weight: 1 mV, delay: {", "weight: distance(9), delay: {", "6: projections.aa.weight: weight: a distance is"),
        ("lif_delta, pos", "{lif_delta: {tau_m: distance(9)}}, pos",
         "3: populations.a.model.lif_delta.tau_m: lif_delta.tau_m: a distance is between two neurons"),
    ],
)  # fmt: skip
def test_scenarios_that_cannot_be(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "ways.yaml"
    path.write_text(SCENARIO.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    lines = [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]
    assert any(line.startswith(message) for line in lines), lines
