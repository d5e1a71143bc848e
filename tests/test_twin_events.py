"""What else rules can say, in the naive twin: modulators, periods, every step, and how a synapse's state is kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from twin import Bounds, Clocked, Kernel, LifDelta, Moment, Rule, Stdp, TsodyksMarkram, Variable, World, f32
from twin.cases import TARGET, classroom

WIDE = Bounds(weight=(-16.0, 16.0))


def grown(world: World, steps: int = 200, id: int = 0) -> float:
    """How much a synapse of "p" that was born with weight 1 has gained after `steps` more steps."""
    world.run(steps)
    return world.projections["p"].synapses[id].weight - 1.0


def doubles(pre: Sequence[float], post: Sequence[float], *rules: Rule, delay: float = 3.0) -> World:
    """A classroom whose synapse keeps its weight in float64."""
    return classroom(pre, post, rules, delay, WIDE, precision="float64")


# ---- when ------------------------------------------------------------------------------------------------------------


def test_a_modulator_comes_after_the_emission_of_its_step() -> None:
    @dataclass(frozen=True)
    class Loud(Rule):
        modulator = "reward"

        def on_modulator(self, s: Moment) -> None:
            s.weight += s.amount

    world = doubles([10.0, 11.0], [], Loud())
    world.run(10)
    world.modulate("reward", 4.0)
    world.step()
    assert [spike.amplitude for spikes in world.queue.values() for spike in spikes] == [1.0, 5.0]


@dataclass(frozen=True)
class Tick(Rule):
    """Changes the weight periodically."""

    period: float = 10.0
    step: float = 1.0

    def every(self, s: Moment) -> None:
        s.weight += self.step


def test_periods_are_counted_from_time_zero() -> None:
    world = doubles([10.0, 19.0], [], Tick())
    world.run(7)
    world.add_synapse("p", 1, 0, TARGET, 1.0, 3.0)
    world.run(12)
    amplitudes = [spike.amplitude for spikes in world.queue.values() for spike in spikes]
    assert amplitudes == [2.0, 2.0]  # those of 10 have arrived; the tick of 10 came before
    assert grown(world, 1) == 2.0
    assert grown(world, 0, id=1) == 2.0


def test_a_tick_comes_before_the_emission_of_its_step() -> None:
    world = doubles([10.0], [], Tick())
    world.run(10)
    ((spike,),) = world.queue.values()
    assert spike.amplitude == 2.0


def test_several_rules_tick_in_one_event() -> None:
    up, down = Tick(10.0), Tick(5.0)
    world = classroom([], [], [up, down, up], bounds=Bounds(weight=(0.0, 3.5)))
    assert grown(world, 5) == 1.0
    assert grown(world, 5) == 2.5  # 2 + 3, and then the bounds
    down = Tick(10.0, -3.0)
    world = classroom([], [], [up, down, up], bounds=Bounds(weight=(0.0, 3.5)))
    assert grown(world, 10) == -1.0  # 1 + 1 - 3 + 1


def test_a_clocked_rule_follows_the_potential() -> None:
    world = doubles([10.0], [], Clocked(tau=30.0, eta=1e-3 / 16))
    world.populations["out"].neurons[TARGET].state["v"] = 100.0
    x, v, slow, gain = 0.0, 100.0, 0.0, 0.0
    for step in range(1, 60):
        v, x, slow = v * math.exp(-1 / 20), x * math.exp(-1 / 30), slow * math.exp(-1 / 50)
        if step == 13:  # the arrival is learnt from first, and is in v already
            gain -= 1e-3 * slow
            v, x = v + 1.0, 1.0
        slow += 0.01 * v
        gain += 1e-3 * x * v / 30.0
    assert grown(world, 59) == pytest.approx(gain, rel=1e-12)
    assert world.variables("p")["v_slow"][0] == pytest.approx(slow, rel=1e-12)


def test_captured_values_are_those_after_the_reset_of_the_spike() -> None:
    @dataclass(frozen=True)
    class Snapshot(Rule):
        def captures(self, state: dict[str, float]) -> dict[str, float]:
            return {"twice": 2.0 * state["v"]}

        def variables(self) -> dict[str, Variable]:
            return {"seen": Variable(-1.0)}

        def on_post(self, s: Moment) -> None:
            s.var["seen"] = s.captured["twice"]

    world = doubles([10.0, 15.0], [15.0], Snapshot(), delay=0.0)  # the jump of 15 comes after the spike of 15
    world.populations["out"].model = LifDelta(1.0, v_th=500.0, v_reset=8.0, t_ref=0.0)
    world.run(14)
    assert world.variables("p")["seen"][0] == -1.0
    world.step()
    assert world.variables("p")["seen"][0] == 16.0
    assert world.state("out", "v")[TARGET] == 9.0


# ---- how things are kept ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wear(Rule):
    """A variable that fades; its event does nothing at all."""

    tau: float

    def variables(self) -> dict[str, Variable]:
        return {"c": Variable(1.0, self.tau)}

    def on_arrival(self, s: Moment) -> None:
        pass


def test_every_event_is_kept_in_single_precision_unless_double_is_asked_for() -> None:
    single, double = (classroom([10.0, 20.0], [], [Wear(7.0)], precision=p) for p in ("float32", "float64"))
    single.run(23), double.run(23)
    kept = f32(f32(math.exp(-13 / 7)) * math.exp(-10 / 7))
    assert single.projections["p"].synapses[0].variables == [{"c": kept}]
    assert double.variables("p")["c"][0] == pytest.approx(math.exp(-23 / 7), rel=1e-15)
    single.run(5)
    assert single.variables("p")["c"][0] == kept * math.exp(-5 / 7)


def test_an_event_of_one_rule_is_an_event_of_the_synapse() -> None:
    world = classroom([10.0], [15.0], [Wear(7.0), Stdp()], bounds=WIDE)
    world.run(15)
    synapse = world.projections["p"].synapses[0]
    assert synapse.at == 15
    assert synapse.variables[0]["c"] == f32(f32(math.exp(-13 / 7)) * math.exp(-2 / 7))


def test_a_variable_that_is_set_leaves_the_others() -> None:
    world = doubles([], [], Wear(7.0), TsodyksMarkram())
    world.run(10)
    world.set_variable("p", 0, "R", 0.25)
    found = world.variables("p")
    assert found["R"][0] == 0.25
    assert found["c"][0] == pytest.approx(math.exp(-10 / 7))
    world.run(10)
    assert world.variables("p")["R"][0] == pytest.approx(1.0 - 0.75 * math.exp(-10 / 800))


def test_the_rest_of_an_emission_finds_the_spike_on_its_way() -> None:
    @dataclass(frozen=True)
    class Haste(Rule):
        writes_delay = True

        def pre(self) -> dict[str, Kernel]:
            return {"x": Kernel(20.0)}

        def on_emission(self, s: Moment) -> None:
            s.delay, s.weight = s.delay - 2.0, s.weight + 1.0

    world = classroom([10.0, 11.0], [], [Haste()], 8.0, Bounds(delay=(1.0, 20.0)))
    world.run(11)
    assert {k: [spike.amplitude for spike in spikes] for k, spikes in world.queue.items()} == {18: [1.0, 2.0]}


def test_only_one_rule_says_what_is_transmitted() -> None:
    with pytest.raises(ValueError, match="more than one rule"):
        classroom([], [], [TsodyksMarkram(), TsodyksMarkram()])
