"""What a synapse of the naive twin knows and when, by a rule that writes delays: pairs of spikes worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from twin import Bounds, LifDelta, Rule, Shifting, SpikeList, Stdp, World, cases, f32, in_steps
from twin.cases import TARGET

PAIR = Shifting(0.25, -0.125, -0.5, 0.75, tau_pre=20.0, tau_post=30.0)
WIDE = Bounds(weight=(-10.0, 10.0), delay=(1.0, 20.0))


def classroom(
    pre: Sequence[float],
    post: Sequence[float],
    delay: float | None = 3.0,
    rule: Rule = PAIR,
    bounds: Bounds = WIDE,
) -> World:
    """One synapse that learns by one rule; see ``cases``."""
    return cases.classroom(pre, post, [rule], delay, bounds)


def learned(world: World, steps: int = 40, id: int = 0) -> tuple[float, float]:
    """Weight and delay (ms) of a synapse of "p" after `steps` more steps."""
    world.run(steps)
    synapse = world.projections["p"].synapses[id]
    return synapse.weight, synapse.delay


def test_arrival_before_spike() -> None:
    world = classroom(pre=[10], post=[15])  # arrives at 13
    x = math.exp(-2 / 20)
    assert learned(world) == (f32(1.0 + 0.25 * x), f32(3.0 - 0.5 * x))
    assert world.spikes["out"] == [(15, TARGET)]


def test_arrival_after_spike() -> None:
    y = math.exp(-2 / 30)
    assert learned(classroom(pre=[10], post=[11])) == (f32(1.0 - 0.125 * y), f32(3.0 + 0.75 * y))


def test_an_arrival_comes_before_a_spike_of_the_same_time() -> None:
    assert learned(classroom(pre=[10], post=[13])) == (1.25, 2.5)


def test_traces_add_up_and_every_event_is_stored() -> None:
    # Arrivals at 13 and 15: the delay that is shorter since 14 comes too late for the second.
    world = classroom(pre=[10, 12], post=[14, 20])
    w, d = f32(1 + 0.25 * math.exp(-1 / 20)), f32(3 - 0.5 * math.exp(-1 / 20))
    w, d = f32(w - 0.125 * math.exp(-1 / 30)), f32(d + 0.75 * math.exp(-1 / 30))
    x = (math.exp(-2 / 20) + 1.0) * math.exp(-5 / 20)
    assert learned(world) == (f32(w + 0.25 * x), f32(d - 0.5 * x))


def test_a_spike_is_sent_with_what_the_synapse_knows_of_its_time() -> None:
    world = classroom(pre=[10, 20], post=[20])  # arrival at 13, spike and second emission at 20
    world.run(19)
    assert world.projections["p"].synapses[0].weight == 1.0
    world.step()
    x = math.exp(-7 / 20)
    ((arrival, spikes),) = world.queue.items()
    assert arrival == 20 + in_steps(3.0 - 0.5 * x, 1.0)
    assert [spike.amplitude for spike in spikes] == [f32(1.0 + 0.25 * x)]


def test_an_arrival_due_at_emission_is_known_to_it() -> None:
    world = classroom(pre=[10, 13], post=[12])  # the first spike arrives when the second is emitted
    world.run(13)
    y = math.exp(-1 / 30)
    assert [spike.amplitude for spike in world.queue[13 + in_steps(3.0 + 0.75 * y, 1.0)]] == [
        f32(1.0 - 0.125 * y)
    ]


def test_an_autapse_hears_its_own_spike_before_it_sends_it() -> None:
    world = World(1.0)
    world.add_population("drive", SpikeList(1.0, {0: [1, 10]}), [0])
    world.add_population("n", LifDelta(1.0, v_th=500.0, t_ref=0.0), [TARGET])
    world.add_projection("d", "drive", "n", "v")
    world.add_projection("p", "n", "n", "v", [PAIR], WIDE)
    world.add_synapse("d", 0, 0, TARGET, 1000.0, 1.0)
    world.add_synapse("p", 0, TARGET, TARGET, 1.0, 3.0)
    world.run(11)  # spike at 2, its arrival at 5, spike at 11
    y, x = math.exp(-3 / 30), math.exp(-6 / 20)
    weight = f32(f32(1.0 - 0.125 * y) + 0.25 * x)
    assert [spike.amplitude for spikes in world.queue.values() for spike in spikes] == [weight]


def test_a_zero_delay_arrival_comes_after_the_spike_of_its_time() -> None:
    world = classroom(pre=[10], post=[10], delay=0.0, rule=Stdp(a_plus=0.25, a_minus=0.125), bounds=Bounds((0.0, 1.0)))
    world.run(10)
    assert world.state("out", "v")[TARGET] == 1.0  # sent with the weight before
    assert learned(world) == (1.0 - 0.125, 0.0)


def test_a_learned_delay_shrinks_and_arrivals_do_not_overtake() -> None:
    rule = Shifting(0.0, 0.0, -6.0, 0.0)
    world = classroom(pre=[1, 10, 11, 13], post=[12], delay=8.0, rule=rule)  # arrivals at 9, 18, 19
    world.run(12)
    delay = f32(8.0 - 6.0 * math.exp(-3 / 20))  # 2.8 ms, so that the last spike alone would arrive at 16
    assert learned(world, 1) == (1.0, delay)
    assert {k: len(spikes) for k, spikes in world.queue.items()} == {18: 1, 19: 2}


def test_plasticity_sees_the_arrival_that_was_fixed_at_emission() -> None:
    world = classroom(pre=[10], post=[15])
    world.run(11)
    world.set_delay("p", 0, 9.0)
    x = math.exp(-2 / 20)  # still at 13
    assert learned(world) == (f32(1.0 + 0.25 * x), f32(9.0 - 0.5 * x))


def test_a_dead_synapse_learns_nothing_from_its_last_arrival() -> None:
    world = classroom(pre=[10], post=[12])
    synapse = world.projections["p"].synapses[0]
    world.run(11)
    world.remove_synapse("p", 0)
    world.run(20)
    assert (synapse.weight, synapse.delay) == (1.0, 3.0)
    assert world.conservation()["delivered"] == 2


def test_a_newborn_knows_no_spike_emitted_before_its_birth() -> None:
    world = classroom(pre=[10], post=[15], delay=None)
    world.run(10)
    world.add_synapse("p", 1, 0, TARGET, 1.0, 3.0)
    assert learned(world, id=1) == (1.0, 3.0)


def test_a_newborn_reads_the_trace_of_its_target_as_it_stands() -> None:
    world = classroom(pre=[10], post=[5], delay=None)
    world.run(9)
    world.add_synapse("p", 1, 0, TARGET, 1.0, 3.0)
    y = math.exp(-8 / 30)
    assert learned(world, id=1) == (f32(1.0 - 0.125 * y), f32(3.0 + 0.75 * y))


def test_bounds_hold_after_every_event() -> None:
    bounds = Bounds(weight=(0.95, 1.1), delay=(2.75, 3.5))
    world = classroom(pre=[10, 30], post=[13, 32], bounds=bounds)
    assert learned(world, 12) == (1.0, 3.0)
    assert learned(world, 1) == (f32(1.1), 2.75)  # rather than 1.25, 2.5
    assert learned(world, 20) == (f32(0.95), 3.5)  # rather than about 0.9, 3.9


def test_explicit_values_outside_the_bounds_are_refused() -> None:
    world = classroom(pre=[], post=[])
    with pytest.raises(ValueError, match="weight 11"):
        world.set_weight("p", 0, 11.0)
    with pytest.raises(ValueError, match="delay 0"):
        world.add_synapse("p", 1, 0, TARGET, 1.0, 0.5)
    with pytest.raises(ValueError, match="at least dt"):
        world.add_projection("q", "in", "out", "v", [PAIR], Bounds(delay=(0.5, 2.0)))


def test_two_rules_act_in_turn_and_the_bounds_once() -> None:
    world = classroom(pre=[10], post=[13], delay=None)
    up, down = Stdp(a_plus=1.5, a_minus=0.0), Stdp(a_plus=-1.25, a_minus=0.0)
    world.add_projection("both", "in", "out", "v", [up, down], Bounds(weight=(0.0, 2.0)))
    synapse = world.add_synapse("both", 0, 0, TARGET, 1.0, 3.0)
    world.run(20)
    assert synapse.weight == 1.5  # 1 + 3 - 2.5; with bounds between the rules it would be 0
