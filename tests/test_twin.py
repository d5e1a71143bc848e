"""The naive twin against closed forms and hand-made cases: what is tested against it stands on these."""

from __future__ import annotations

import ast
import itertools
import math
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from twin import (
    Izhikevich,
    LifDelta,
    LifExp,
    PoissonSource,
    SpikeList,
    World,
    delay_in_steps,
    f32,
    in_steps,
    philox4x32,
    random_word,
    synaptic_propagator,
)
from twin.cases import DRUM, TARGET, Edge, arrivals, follow, network


def test_the_twin_shares_no_code_with_what_it_judges() -> None:
    for file in Path(__file__).with_name("twin").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            else:
                continue
            assert {module.split(".")[0] for module in modules} <= {*sys.stdlib_module_names, "numpy"}


# ---- grid and random words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delay", "steps"),
    [(0.0, 0), (1e-9, 1), (0.04, 1), (0.1, 1), (0.149, 1), (0.1501, 2), (1.5, 15), (20, 200)],
)
def test_delays_round_to_steps_and_only_zero_is_zero(delay: float, steps: int) -> None:
    assert delay_in_steps(delay, 0.1) == steps


def test_halves_round_up() -> None:
    assert [in_steps(t, 0.5) for t in (0.25, 0.75, 1.25)] == [1, 2, 3]


@pytest.mark.parametrize("delay", [-0.1, math.nan, math.inf])
def test_impossible_delays_are_refused(delay: float) -> None:
    with pytest.raises(ValueError, match="delay"):
        delay_in_steps(delay, 0.1)


def test_float32_is_what_a_weight_is_stored_in() -> None:
    assert f32(0.5) == 0.5
    assert f32(0.1) == 0.100000001490116119384765625
    assert f32(1.0 + 2**-24) == 1.0


def test_philox_known_answers() -> None:
    ones = 0xFFFFFFFF
    assert philox4x32((0, 0, 0, 0), (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert philox4x32((ones,) * 4, (ones,) * 2) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)


def test_one_block_of_words_serves_four_steps() -> None:
    step = (5 << 34) + (7 << 2)
    block = philox4x32((9, 7, 5, 3), (1, 2))
    assert tuple(random_word((2 << 32) + 1, 3, 9, step + i) for i in range(4)) == block


# ---- neurons alone ---------------------------------------------------------------------------------------


def alone(model: LifDelta | LifExp | Izhikevich, **state: float) -> World:
    """One neuron of `model` and nothing else."""
    world = World(model.dt)
    world.add_population("n", model)
    world.add_neuron("n", TARGET, **state)
    return world


def test_lif_decays_as_its_closed_form() -> None:
    world = alone(LifDelta(0.1, i_e=100.0, e_l=-3.0), v=12.0)
    v_inf = -3.0 + 100.0 * 20.0 / 250.0
    for k in range(1, 1000):
        world.step()
        exact = v_inf + (12.0 - v_inf) * math.exp(-k * 0.1 / 20.0)
        assert world.state("n", "v")[TARGET] == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("model", [LifDelta, LifExp])
@pytest.mark.parametrize("t_ref", [0.0, 0.1, 2.0, 2.06])
def test_driven_lif_fires_by_the_textbook(model: type[LifDelta | LifExp], t_ref: float) -> None:
    world = alone(model(0.1, e_l=0.0, v_th=20.0, v_reset=0.0, i_e=350.0, t_ref=t_ref))
    world.run(1000)
    rise = math.ceil(20.0 * math.log(28.0 / (28.0 - 20.0)) / 0.1)  # steps from reset to threshold
    assert [step for step, _ in world.spikes["n"]] == list(range(rise, 1001, rise + in_steps(t_ref, 0.1)))


def test_a_stimulus_adds_to_the_models_own_current() -> None:
    driven, stimulated = alone(LifExp(0.1, i_e=500.0)), alone(LifExp(0.1))
    stimulated.populations["n"].neurons[TARGET].stimulus = 500.0
    driven.run(300)
    stimulated.run(300)
    assert driven.spikes["n"] == stimulated.spikes["n"] != []


def test_izhikevich_takes_two_half_steps() -> None:
    world = alone(Izhikevich(1.0, i_e=10.0), v=-60.0, u=-12.0)
    world.step()
    v = -60.0 + 0.5 * (0.04 * 3600.0 - 300.0 + 140.0 + 12.0 + 10.0)
    v = v + 0.5 * (0.04 * v * v + 5.0 * v + 140.0 + 12.0 + 10.0)
    assert world.state("n", "v")[TARGET] == pytest.approx(v, abs=1e-12)
    assert world.state("n", "u")[TARGET] == pytest.approx(-12.0 + 0.02 * (0.2 * v + 12.0), abs=1e-12)


def test_izhikevich_resets_at_30_mv_in_the_step_that_reaches_it() -> None:
    for v, fires in ((29.9, False), (30.0, True), (30.1, True)):
        slow = Izhikevich(2.0**-40)  # a step so short that v hardly moves
        world = alone(slow, v=v, u=1.0)
        world.step()
        assert (world.spikes["n"] == [(1, TARGET)]) == fires
        assert world.state("n", "v")[TARGET] == pytest.approx(-65.0 if fires else v)
        assert world.state("n", "u")[TARGET] == pytest.approx(9.0 if fires else 1.0)


def test_izhikevich_fires_tonically_under_constant_current() -> None:
    world = alone(Izhikevich(1.0, i_e=10.0))
    world.run(1000)
    spikes = [step for step, _ in world.spikes["n"]]
    intervals = [b - a for a, b in itertools.pairwise(spikes)]
    assert 15 < len(spikes) < 40
    assert min(intervals[1:]) > intervals[0]  # it adapts


@pytest.mark.parametrize("tau_s", [2.0, 20.0 * (1 + 1e-12), 20.0, 35.0])
def test_the_propagator_of_a_current_solves_its_equation(tau_s: float) -> None:
    steps, dt = 2000, 0.5
    v, current, h = 0.0, 1.0, dt / steps
    for _ in range(steps):  # midpoint rule
        v_mid, i_mid = v + h / 2 * (current / 250.0 - v / 20.0), current * (1 - h / 2 / tau_s)
        v, current = v + h * (i_mid / 250.0 - v_mid / 20.0), current - h * i_mid / tau_s
    assert synaptic_propagator(dt, 20.0, tau_s, 250.0) == pytest.approx(v, rel=1e-7)


# ---- delivery --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("variable", "tau_s"), [("i_exc", 5.0), ("i_inh", 10.0)])
def test_postsynaptic_potential_is_its_closed_form(variable: str, tau_s: float) -> None:
    world = network(LifExp(0.1), variable, {0: [1.0]}, Edge(0, 40.3, 1.5))
    arrival = 25
    for k, v in enumerate(follow(world, 600, "v"), start=1):
        t = max(k - arrival, 0) * 0.1
        psp = f32(40.3) / 250.0 * 20.0 * tau_s / (20.0 - tau_s) * (math.exp(-t / 20.0) - math.exp(-t / tau_s))
        assert v == pytest.approx(-65.0 + psp, abs=1e-12)


def test_a_delta_arrival_is_seen_by_the_threshold_of_its_own_step() -> None:
    world = network(LifDelta(0.1), "v", {0: [1.0]}, Edge(0, 21.0, 1.5))
    world.run(40)
    assert world.spikes["out"] == [(25, TARGET)]
    assert world.state("out", "v")[TARGET] == 0.0


def test_every_spike_arrives_once_after_its_own_delay() -> None:
    edges = Edge(0, 1.0, 2), Edge(0, 2.0, 5), Edge(1, 4.0, 1), Edge(1, 8.0, 0)
    world = network(DRUM, "i_syn", {0: [3, 4], 1: [4]}, *edges)
    assert arrivals(world, 20) == {4: 8.0, 5: 1.0 + 4.0, 6: 1.0, 8: 2.0, 9: 2.0}


def test_jumps_are_lost_in_the_refractory_steps_and_only_there() -> None:
    times = {0: [4.0], 1: [5.0, 6.0, 7.0], 2: [8.0]}
    world = network(LifDelta(1.0, t_ref=3.0), "v", times, Edge(0, 50.0), Edge(1, 1.0), Edge(2, 2.0))
    v = follow(world, 9, "v")
    assert world.spikes["out"] == [(5, TARGET)]
    assert v[5:8] == [0.0, 0.0, 0.0]
    assert v[8] == 2.0


def test_synaptic_currents_go_on_through_refractoriness() -> None:
    model = LifExp(1.0, t_ref=3.0)
    world = network(model, "i_exc", {0: [2]}, Edge(0, 100.0))
    world.populations["out"].neurons[TARGET].state["v"] = -40.0
    v = follow(world, 5, "v")
    assert world.spikes["out"] == [(1, TARGET)]
    assert v[:4] == [-65.0] * 4  # it fired in step 1 and is held in 2, 3, 4; the spike arrives in 3
    assert v[4] == -65.0 + 100.0 * math.exp(-1 / 5.0) * model.p_exc


@pytest.mark.parametrize("target", [LifDelta(1.0), LifExp(1.0, e_l=0.0), DRUM])
def test_a_zero_delay_arrival_is_seen_from_the_next_step_on(target: LifDelta | LifExp | Izhikevich) -> None:
    variable = target.receives[0]
    at_once = network(target, variable, {0: [3]}, Edge(0, 7.0, 0.0))
    values = follow(at_once, 3, variable)
    assert values[1:] == [0.0, 7.0]
    later = network(target, variable, {0: [2]}, Edge(0, 7.0, 1.0))  # another way to the same time
    later.run(3)
    first, second = (follow(world, 10, "v") for world in (at_once, later))
    assert first == second


def test_a_zero_delay_jump_is_tested_in_the_next_step() -> None:
    world = network(LifDelta(1.0), "v", {0: [3]}, Edge(0, 50.0, 0.0))
    world.run(5)
    assert world.spikes["out"] == [(4, TARGET)]


@pytest.mark.parametrize(("t_ref", "v"), [(2.0, 0.0), (0.0, 7.0)])
def test_a_zero_delay_jump_onto_a_neuron_that_just_fired(t_ref: float, v: float) -> None:
    edges = Edge(0, 50.0, 1.0), Edge(1, 7.0, 0.0)
    world = network(LifDelta(1.0, t_ref=t_ref), "v", {0: [3], 1: [4]}, *edges)
    world.run(4)
    assert world.spikes["out"] == [(4, TARGET)]
    assert world.state("out", "v")[TARGET] == v


def test_zero_delays_close_no_loop_within_a_step() -> None:
    world = World(1.0)
    world.add_population("n", LifDelta(1.0, t_ref=0.0))
    world.add_neuron("n", 1, v=50.0)
    world.add_neuron("n", 2)
    world.add_projection("p", "n", "n", "v")
    world.add_synapse("p", 0, 1, 2, 50.0, 0.0)
    world.add_synapse("p", 1, 2, 1, 50.0, 0.0)
    world.run(4)
    assert world.spikes["n"] == [(1, 1), (2, 2), (3, 1), (4, 2)]


BIG = 2.0**60  # in float64, BIG + 1 - BIG is 0, and BIG - BIG + 1 is 1


def test_sums_are_taken_by_emission_time_first() -> None:
    edges = Edge(0, 1.0, 1), Edge(1, BIG, 3), Edge(2, -BIG, 2)
    world = network(DRUM, "i_syn", {0: [5], 1: [3], 2: [4]}, *edges)
    assert arrivals(world, 10) == {6: 1.0}


def test_sums_are_taken_by_projection_then_source_then_row() -> None:
    def total(first: Sequence[Edge], second: Sequence[Edge], reverse: bool = False) -> float:
        world = network(DRUM, "i_syn", {0: [3], 1: [3], 2: [3]}, *first)
        world.add_projection("q", "in", "out", "i_syn")
        for id, edge in enumerate(second):
            world.add_synapse("q", id, edge.source, TARGET, edge.weight, edge.delay)
        if reverse:
            world.projections["p"].rows[0].reverse()
        return arrivals(world, 5).get(4, 0.0)

    assert total([Edge(1, BIG), Edge(0, -BIG)], [Edge(0, 1.0)]) == 1.0  # declaration of the projection
    assert total([Edge(1, BIG), Edge(0, 1.0)], [Edge(0, -BIG)]) == 0.0
    assert total([Edge(2, 1.0), Edge(1, -BIG), Edge(0, BIG)], []) == 1.0  # source
    assert total([Edge(2, -BIG), Edge(1, 1.0), Edge(0, BIG)], []) == 0.0
    assert total([Edge(0, BIG), Edge(0, -BIG), Edge(0, 1.0)], []) == 1.0  # row
    assert total([Edge(0, 1.0), Edge(0, -BIG), Edge(0, BIG)], []) == 0.0
    assert total([Edge(0, 1.0), Edge(0, -BIG), Edge(0, BIG)], [], reverse=True) == 1.0


def test_inputs_are_added_after_spikes_in_order_of_declaration() -> None:
    world = network(DRUM, "i_syn", {0: [3]}, Edge(0, 1.0))
    world.add_poisson_input("out", "i_syn", BIG, [0], purpose=1)  # the word is always >= 0: one in every step
    world.add_poisson_input("out", "i_syn", -BIG, [0], purpose=2)
    assert arrivals(world, 6) == {}  # the 1 comes first and is lost in the sum
    world = network(DRUM, "i_syn", {0: [3]}, Edge(0, BIG))
    world.add_poisson_input("out", "i_syn", -BIG, [0], purpose=1)
    world.add_poisson_input("out", "i_syn", 1.0, [0], purpose=2)
    assert arrivals(world, 4)[4] == 1.0


# ---- sources and inputs ----------------------------------------------------------------------------------


def test_a_spike_list_fires_on_the_grid() -> None:
    world = World(0.5)
    world.add_population("s", SpikeList(0.5, {3: [0.0, 1.0, 1.74, 2.25], 1: [1.1]}), [1, 2, 3])
    world.run(10)
    assert world.spikes["s"] == [(2, 1), (2, 3), (3, 3), (5, 3)]


def test_poisson_sources_have_their_rate_and_are_independent() -> None:
    world = World(0.1, seed=4)
    world.add_population("s", PoissonSource(0.1, 1000.0, seed=4, purpose=9), range(20))
    world.run(1000)
    counts = Counter(id for _, id in world.spikes["s"])
    assert sum(counts.values()) == pytest.approx(2000, abs=4 * math.sqrt(2000))
    assert len(set(counts.values())) > 5
    together = sum(n * (n - 1) / 2 for n in Counter(step for step, _ in world.spikes["s"]).values())
    assert together == pytest.approx(1900, abs=4 * math.sqrt(1900))  # 190 pairs, 1000 steps, 0.1 squared


def test_a_word_counts_the_thresholds_that_it_reaches() -> None:
    world = World(1.0, seed=11)
    world.add_population("out", DRUM, [TARGET, TARGET + 1])
    thresholds = [1 << 30, 1 << 31, 3 << 30]
    world.add_poisson_input("out", "i_syn", 0.5, thresholds, purpose=7, ids=[TARGET])
    for k in range(1, 50):
        world.step()
        expected = 0.5 * (random_word(11, 7, TARGET, k) >> 30)
        assert world.state("out", "i_syn") == {TARGET: expected, TARGET + 1: 0.0}


def test_a_source_cannot_be_a_target() -> None:
    world = World(1.0)
    world.add_population("s", SpikeList(1.0, {}), [1])
    with pytest.raises(ValueError, match="receives"):
        world.add_projection("p", "s", "s", "v")
