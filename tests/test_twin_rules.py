"""The learning rules in the naive twin, against closed forms."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twin import (
    Bounds,
    DsStdp,
    LifDelta,
    Reward,
    Rule,
    SpikeList,
    Stdp,
    StdpBuffered,
    StdpMultiplicative,
    StdpNearest,
    StdpNearestReduced,
    StdpPowerLaw,
    TsodyksMarkram,
    World,
)
from twin.cases import DRUM, TARGET, TEACHER, classroom

PLUS, MINUS, TAU_PLUS, TAU_MINUS = 0.25, 0.125, 20.0, 30.0
WIDE = Bounds(weight=(-16.0, 16.0))
VALUES = {"a_plus": PLUS / 16, "a_minus": MINUS / 16, "tau_plus": TAU_PLUS, "tau_minus": TAU_MINUS}
PAIR = Stdp(**VALUES)


def grown(world: World, steps: int = 200, id: int = 0) -> float:
    """How much a synapse of "p" that was born with weight 1 has gained after `steps` more steps."""
    world.run(steps)
    return world.projections["p"].synapses[id].weight - 1.0


def doubles(
    pre: Sequence[float], post: Sequence[float], *rules: Rule, delay: float | None = 3.0, dt: float = 1.0
) -> World:
    """A classroom whose synapse keeps its weight in float64."""
    return classroom(pre, post, rules, delay, WIDE, precision="float64", dt=dt)


def window(lag: float) -> float:
    """What a pair changes; `lag` is from arrival to postsynaptic spike (ms)."""
    return PLUS * math.exp(-lag / TAU_PLUS) if lag >= 0 else -MINUS * math.exp(lag / TAU_MINUS)


# ---- spike timing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [-40.0, -12.5, -0.5, 0.0, 0.5, 7.0, 60.0])
@pytest.mark.parametrize("dt", [0.5, 0.125])
def test_the_window_of_stdp(lag: float, dt: float) -> None:
    world = doubles([50.0], [53.0 + lag], PAIR, dt=dt)
    assert grown(world, int(150 / dt)) == pytest.approx(window(lag), rel=1e-12)


trains = st.lists(st.integers(2, 60).map(float), max_size=12, unique=True)


@given(pre=trains, post=trains, delay=st.integers(1, 9).map(float))
def test_all_pair_with_all(pre: list[float], post: list[float], delay: float) -> None:
    pairs = [b - (a + delay) for a in pre for b in post]  # also where a burst is faster than the delay
    assert grown(doubles(pre, post, PAIR, delay=delay)) == pytest.approx(sum(map(window, pairs)), abs=1e-12)


@given(pre=trains, post=trains)
def test_with_nearest_traces_the_latest_partner_counts(pre: list[float], post: list[float]) -> None:
    rule = StdpNearest(**VALUES)
    arrivals = [a + 3.0 for a in pre]
    expected = 0.0
    for b in post:
        expected += window(b - max((a for a in arrivals if a <= b), default=-math.inf))
    for a in arrivals:
        expected += window(max((b for b in post if b < a), default=-math.inf) - a)
    assert grown(doubles(pre, post, rule)) == pytest.approx(expected, abs=1e-12)


@given(pre=trains, post=trains)
def test_with_reduced_nearest_pairs_only_neighbours_pair(pre: list[float], post: list[float]) -> None:
    rule = StdpNearestReduced(**VALUES)
    events = sorted([(a + 3.0, 0) for a in pre] + [(b, 1) for b in post])  # an arrival comes first
    expected = 0.0
    for (t0, side0), (t1, side1) in itertools.pairwise(events):
        if side0 != side1:
            expected += window(t1 - t0 if side1 else t0 - t1)
    assert grown(doubles(pre, post, rule)) == pytest.approx(expected, abs=1e-12)


@given(pre=trains, post=trains, delay=st.integers(1, 9).map(float))
def test_where_delays_stand_still_it_does_not_matter_whose_trace_it_is(
    pre: list[float], post: list[float], delay: float
) -> None:
    @dataclass(frozen=True)
    class Mover(Rule):  # which does not move
        writes_delay = True

    own = classroom(pre, post, [PAIR, Mover()], delay, Bounds(WIDE.weight, (1.0, 20.0)), "float64")
    assert grown(own) == pytest.approx(grown(doubles(pre, post, PAIR, delay=delay)), abs=1e-12)


def test_steps_shrink_towards_the_bounds() -> None:
    rule = StdpMultiplicative(a_plus=PLUS, a_minus=MINUS, mu_plus=1.0, mu_minus=0.5)
    bounds = Bounds(weight=(0.0, 4.0))
    world = classroom([10.0], [15.0], [rule], bounds=bounds, precision="float64")  # arrival at 13
    assert grown(world) == pytest.approx(PLUS * (4.0 - 1.0) * math.exp(-2 / 20))
    world = classroom([10.0], [8.0], [rule], bounds=bounds, precision="float64")
    assert grown(world) == pytest.approx(-MINUS * 4.0 * math.sqrt(1.0 / 4.0) * math.exp(-5 / 20))


def test_changes_by_a_power() -> None:
    world = doubles([10.0, 30.0], [15.0], StdpPowerLaw(rate=0.1, alpha=0.5, mu=0.4, w_0=3.0))  # arrivals at 13, 33
    w = 1.0 + 0.1 * 3.0**0.6 * math.exp(-2 / 20)
    w -= 0.1 * 0.5 * w * math.exp(-18 / 20)
    assert 1.0 + grown(world) == pytest.approx(w, rel=1e-14)


def test_pairs_wait_for_their_second() -> None:
    rule = StdpBuffered(20.0, 20.0, a_plus=PLUS / 16, a_minus=0.5, period=100.0, drift=0.125 / 16, kept=0.75)
    world = doubles([10.0], [15.0, 110.0], rule)
    sd = PLUS * math.exp(-2 / 20)
    assert grown(world, 99) == 0.0
    assert grown(world, 1) == pytest.approx(0.125 + 0.75 * sd)
    later = 0.75 * sd + PLUS * math.exp(-97 / 20)
    assert grown(world, 100) == pytest.approx(0.25 + 0.75 * sd + 0.75 * later)
    assert world.variables("p")["sd"] == {0: pytest.approx(0.75 * later)}


def test_weights_and_delays_learn_from_one_pair() -> None:
    rule = DsStdp(20.0, 30.0, a_plus=PLUS / 16, a_minus=MINUS / 16, b_plus=0.5, b_minus=0.75)
    bounds = Bounds((-16.0, 16.0), (1.0, 20.0))
    for post, gain, slower in ((15.0, window(2.0), -0.5 * math.exp(-2 / 20)),
                               (11.0, window(-2.0), 0.75 * math.exp(-2 / 30))):  # fmt: skip
        world = classroom([10.0], [post], [rule], bounds=bounds, precision="float64")
        assert grown(world) == pytest.approx(gain, rel=1e-13)
        assert world.projections["p"].synapses[0].delay == pytest.approx(3.0 + slower)


# ---- many synapses ---------------------------------------------------------------------------------------------------


def test_parallel_synapses_learn_by_themselves() -> None:
    world = doubles([10.0, 20.0], [15.0, 26.0], PAIR)
    for id, delay in ((1, 1.0), (2, 8.0)):
        world.add_synapse("p", id, 0, TARGET, 1.0, delay)
    world.run(100)
    for synapse in world.projections["p"].synapses.values():
        pairs = [b - (a + synapse.delay) for a in (10.0, 20.0) for b in (15.0, 26.0)]
        assert synapse.weight == pytest.approx(1.0 + sum(map(window, pairs)), rel=1e-13)


def test_an_autapse_pairs_with_itself() -> None:
    world = World(1.0)
    world.add_population("teacher", SpikeList(1.0, {TEACHER: [9.0, 20.0]}), [TEACHER])
    world.add_population("n", LifDelta(1.0, v_th=500.0, t_ref=0.0), [TARGET])
    world.add_projection("t", "teacher", "n", "v")
    world.add_projection("p", "n", "n", "v", [PAIR], WIDE, "float64")
    world.add_synapse("t", 0, TEACHER, TARGET, 1000.0, 1.0)
    world.add_synapse("p", 0, TARGET, TARGET, 1.0, 3.0)
    lags = [b - (a + 3.0) for a in (10.0, 21.0) for b in (10.0, 21.0)]
    assert grown(world) == pytest.approx(sum(map(window, lags)), rel=1e-13)


# ---- whose past a newborn has ----------------------------------------------------------------------------------------


def born(at: int, post: float) -> float:
    """The gain of a synapse born at step `at`, whose source has fired at 10 and 12."""
    world = doubles([10.0, 12.0], [post], PAIR, delay=None)
    world.run(at)
    world.add_synapse("p", 0, 0, TARGET, 1.0, 3.0)
    return grown(world)


def test_a_newborn_has_the_trace_of_its_neuron_as_it_comes_through_its_delay() -> None:
    x = [math.exp(-(t - 13) / 20) for t in (20, 18)]  # the arrivals would have been at 13 and 15
    for birth in (10, 12, 14, 15, 19):
        assert born(at=birth, post=20) == pytest.approx(PLUS * (x[0] + x[1]))
    assert born(at=12, post=13) == pytest.approx(PLUS)
    assert born(at=12, post=12) == 0.0  # that was before its birth


def test_a_newborn_sees_no_arrival_of_what_was_sent_before() -> None:
    for birth, gain in ((9, window(-2.0) + window(-4.0)), (10, window(-4.0)), (12, 0.0)):
        assert born(at=birth, post=11) == pytest.approx(gain)


def test_a_spike_after_birth_brings_the_whole_trace_of_its_neuron() -> None:
    world = doubles([10.0, 12.0, 20.0], [30.0], PAIR, delay=None)
    world.run(11)
    world.add_synapse("p", 0, 0, TARGET, 1.0, 3.0)  # it carries the spikes of 12 and 20 itself
    assert grown(world) == pytest.approx(PLUS * sum(math.exp(-(30 - t) / 20) for t in (13, 15, 23)))


def test_a_shared_trace_travels_with_its_spike() -> None:
    world = doubles([10.0, 12.0], [25.0], PAIR)  # arrivals at 13 and 22
    world.run(11)
    world.set_delay("p", 0, 10.0)
    x = 1.0 + math.exp(-2 / 20)  # as it was when the second was emitted
    assert grown(world) == pytest.approx(PLUS * x * math.exp(-3 / 20))


def test_an_edited_delay_is_what_the_trace_of_the_neuron_is_seen_through() -> None:
    for delay, arrival in ((1.0, 11.0), (9.0, 19.0)):
        world = doubles([10.0], [18.0, 25.0], PAIR)
        world.run(15)
        world.set_delay("p", 0, delay)
        lags = [t - arrival for t in (18.0, 25.0) if t >= arrival]
        assert grown(world) == pytest.approx(sum(map(window, lags)))


def test_rules_without_code_for_an_event_store_nothing() -> None:
    world = doubles([10.0], [], Reward())
    world.run(12)
    synapse = world.projections["p"].synapses[0]
    assert synapse.at == 0
    world.step()
    assert synapse.at == 13
    world.modulate("applause", 1.0)
    world.run(10)
    assert synapse.at == 13


# ---- what changes between events -------------------------------------------------------------------------------------


def test_depression_comes_to_its_steady_state() -> None:
    interval, u, tau = 30.0, 0.4, 200.0
    times = [interval * (1 + k) for k in range(60)]
    world = World(1.0)
    world.add_population("in", SpikeList(1.0, {0: times}), [0])
    world.add_population("out", DRUM, [TARGET])
    world.add_projection("p", "in", "out", "i_syn", [TsodyksMarkram(u, tau)], precision="float64")
    world.add_synapse("p", 0, 0, TARGET, 8.0, 2.0)
    heard = []
    for _ in range(1900):
        world.step()
        heard.append(world.state("out", "i_syn")[TARGET])
    e = math.exp(-interval / tau)
    steady = (1.0 - e) / (1.0 - (1.0 - u) * e)
    for k, t in enumerate(times):
        resources = steady + (1.0 - steady) * ((1.0 - u) * e) ** k
        assert heard[int(t) + 1] == pytest.approx(8.0 * u * resources, rel=1e-12)
    assert heard[int(times[-1]) + 1] == pytest.approx(8.0 * u * steady, rel=1e-6)


def test_facilitation_by_its_recursion() -> None:
    world = doubles([10.0, 20.0, 30.0], [], TsodyksMarkram(0.1, tau_rec=1e-3, tau_facil=100.0))  # never exhausted
    u = 0.0
    for step in (10, 20, 30):
        world.run(step - world.now)
        u += 0.1 * (1.0 - u)
        ((spike,),) = world.queue.values()
        assert spike.amplitude == pytest.approx(u)
        u *= math.exp(-10 / 100)


def test_a_reward_finds_what_is_left_of_the_eligibility() -> None:
    world = doubles([10.0], [15.0], Reward(tau_c=100.0, gain=0.25 / 16))
    world.run(65)
    c = 0.25 * math.exp(-2 / 20) * math.exp(-50 / 100)
    assert world.variables("p")["c"][0] == pytest.approx(c)
    assert grown(world, 0) == 0.0
    world.modulate("reward", 2.0)
    assert grown(world, 0) == pytest.approx(2.0 * c)
    world.modulate("reward", -1.0)
    assert grown(world, 50) == pytest.approx(c)
    assert world.variables("p")["c"][0] == pytest.approx(c * math.exp(-50 / 100))
