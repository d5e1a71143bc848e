"""The simulation as users drive it: what happens when, and what is recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neurosim as ns
from neurosim.engine.schedule import Order


def noisy(n: int = 40, seed: int = 3, **options: Any) -> tuple[ns.Network, ns.Simulation]:
    """A small network that fires."""
    net = ns.Network(seed=seed)
    a = net.add_population("a", n, initial={"v": ns.uniform(0, 20)})
    net.connect(a, a, ns.connectors.fixed_indegree(5), name="aa", weight=0.5, delay=ns.uniform(0.5, 4.0))
    net.add_input("drive", ns.inputs.poisson("12 kHz"), a, weight=0.1)
    return net, ns.Simulation(net, **options)


def quiet(n: int = 3) -> tuple[ns.Population, ns.Simulation]:
    """Neurons to which nothing happens."""
    net = ns.Network()
    population = net.add_population("a", n)
    return population, ns.Simulation(net)


# -- what happens when ------------------------------------------------------------------------------------


@pytest.mark.lane
def test_what_is_due_at_one_time_happens_in_the_order_of_the_law() -> None:
    _, sim = quiet()
    log: list[str] = []

    def note(what: str) -> Callable[[ns.Simulation], None]:
        return lambda sim: log.append(f"{what}@{sim.time:g}")

    sim.at(2.0, note("first"))
    sim.every(1.0, note("every"))
    sim.at(2.0, note("protocol"), order=Order.PROTOCOL)
    sim.at(2.0, note("structure"), order=Order.STRUCTURE)
    sim.at(2.0, note("last"))
    sim.run(2.0)
    assert log == ["every@1", "structure@2", "protocol@2", "first@2", "every@2", "last@2"]


def test_every_begins_after_one_period_and_ends_before_until() -> None:
    _, sim = quiet()
    times: list[tuple[str, float]] = []
    sim.every("2 ms", lambda sim: times.append(("plain", sim.time)), until=6.0)
    sim.every(2.0, lambda sim: times.append(("started", sim.time)), start=3.0, until=7.1)
    sim.run(10.0)
    sim.every(3.0, lambda sim: times.append(("late", sim.time)), start=0.0)  # goes on in its own rhythm
    sim.run(5.0)
    assert times == [("plain", 2), ("plain", 4), ("started", 5), ("started", 7), ("late", 12), ("late", 15)]


def test_what_is_registered_for_now_happens_once_and_first() -> None:
    _, sim = quiet()
    times: list[float] = []
    sim.at(0.0, lambda sim: times.append(sim.time))
    sim.run(0.0)
    sim.run(1.0)
    sim.at(sim.time, lambda sim: times.append(sim.time))
    sim.at(1.5, lambda sim: sim.at(sim.time, lambda sim: times.append(sim.time)))
    sim.run(1.0)
    assert times == [0.0, 1.0, 1.5]


def test_when_acts_each_time_its_condition_becomes_true() -> None:
    population, sim = quiet()
    times: list[float] = []
    sim.at(2.5, lambda sim: population.v.set(7.0))
    sim.at(5.5, lambda sim: population.v.set(0.0))
    sim.at(7.5, lambda sim: population.v.set(7.0))
    sim.when(lambda sim: population.v.values[0] > 1.0, lambda sim: times.append(sim.time))
    sim.run(12.0)
    assert times == [3.0, 8.0]


def test_stop_ends_the_run_after_what_is_due_now() -> None:
    _, sim = quiet()
    log: list[float] = []
    sim.at(3.0, lambda sim: sim.stop())
    sim.at(3.0, lambda sim: log.append(sim.time))
    sim.run(10.0)
    assert (sim.time, log) == (3.0, [3.0])
    sim.run(2.0)
    assert sim.time == 5.0


@pytest.mark.lane
def test_callbacks_may_edit_and_the_edit_counts_from_then_on() -> None:
    net = ns.Network(dt=0.1)
    source = net.add_population("s", 1, ns.models.spike_list(times=[[1.0, 2.0, 3.0]]))
    target = net.add_population("t", 1, ns.models.lif_delta(tau_m=1e9))
    projection = net.connect(source, target, "all_to_all", weight=1.0, delay=1.0)
    sim = ns.Simulation(net)
    v = sim.record_state(target, "v", every=1.0)
    sim.at(2.0, lambda sim: projection.weight.set(4.0))  # knows no spike of 2.0: it was emitted before
    sim.run(4.0)
    assert v["v"].round(6).tolist() == [0, 0, 1, 2, 6]


@pytest.mark.parametrize("cuts", [[0.1] * 300, [29.9, 0.0, 0.1], [7.3, 0.04, 0.06, 12.6, 10.0]])
def test_how_a_run_is_cut_does_not_matter(cuts: list[float]) -> None:
    _, whole = noisy()
    spikes, v = whole.record_spikes("a"), whole.record_state("a", "v", every=3.0)
    whole.run(30.0)
    _, cut = noisy()
    pieces, w = cut.record_spikes("a"), cut.record_state("a", "v", every=3.0)
    for piece in cuts:
        cut.run(round(piece, 1))
    assert cut.time == pytest.approx(30.0)
    assert len(spikes) > 20
    assert cut.hash() == whole.hash()
    np.testing.assert_array_equal(pieces.steps, spikes.steps)
    np.testing.assert_array_equal(w["v"], v["v"])
    assert np.unique(w["time"]).round(6).tolist() == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30]


def test_seeds_make_the_difference() -> None:
    hashes = []
    for seed in (3, 3, 4):
        _, sim = noisy(seed=seed)
        sim.run(20.0)
        hashes.append(sim.hash())
    assert hashes[0] == hashes[1] != hashes[2]


def test_simulations_side_by_side_do_not_disturb_each_other() -> None:
    _, alone = noisy()
    alone.run(30.0)
    (_, first), (_, second) = noisy(), noisy(seed=5)
    runs = [threading.Thread(target=sim.run, args=(30.0,)) for sim in (first, second)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert first.hash() == alone.hash() != second.hash()


# -- what is recorded ---------------------------------------------------------------------------------------


def test_recorders_sample_at_the_beginning_and_before_edits() -> None:
    population, sim = quiet(2)
    early = sim.record_state(population, "v", every=1.0)
    population.v.set(3.0)
    sim.at(2.0, lambda sim: population.v.set(9.0))
    sim.run(2.0)
    late = sim.record_state(population, ["v"], select=population.ids[:1], every=0.5)
    sim.run(1.0)
    assert early["time"][::2].tolist() == [0, 1, 2, 3]
    decay = np.exp(-1.0 / 20.0)
    np.testing.assert_allclose(early["v"][::2], [3, 3 * decay, 3 * decay**2, 9 * decay], rtol=1e-12)
    assert late["time"].tolist() == [2.0, 2.5, 3.0]
    assert late["v"][0] == 9.0


@pytest.mark.lane
def test_a_rule_takes_newborns_in_and_fixed_ids_do_not() -> None:
    population, sim = quiet(2)
    everyone = sim.record_state("a", "v", every=1.0)
    fixed = sim.record_state("a", "v", select=population.ids, every=1.0)
    sim.at(1.0, lambda sim: population.add(1))
    sim.at(2.0, lambda sim: population.remove(population.ids[:1]))
    sim.run(3.0)
    assert everyone["id"].tolist() == [0, 1, 0, 1, 0, 1, 2, 1, 2]
    assert fixed["id"].tolist() == [0, 1, 0, 1, 0, 1, 1]


def test_rates_counts_and_recorders_agree() -> None:
    net, sim = noisy()
    group = net.add_group("some", "a", net.populations["a"].ids[:10])
    every, some = sim.record_spikes("a"), sim.record_spikes(group)
    seen: list[float] = []
    sim.on_spike("a", lambda sim, times, ids: seen.extend(times))
    assert sim.rate("some", "10 ms") == 0.0
    sim.run(50.0)
    assert sim.spike_counts == {"a": len(every)}
    np.testing.assert_array_equal(seen, every.times)
    np.testing.assert_array_equal(some.ids, every.ids[every.ids < 10])
    assert sim.rate(group, 10.0) == pytest.approx((some.steps > 400).sum() / 10 / 0.01)
    steps, ids = every.drain()
    assert (steps.size, ids.size, len(every)) == (sim.spike_counts["a"], sim.spike_counts["a"], 0)


def test_currents_add_up_and_end_to_the_bit() -> None:
    net = ns.Network(dt=0.1)
    a = net.add_population("a", 3, ns.models.lif_delta(v_th=1e6))
    net.add_group("left", a, [0, 1])
    net.add_input("steady", ns.inputs.current("25 pA"), a)
    sim = ns.Simulation(net)
    seen = []
    for t in (0.5, 2.0, 3.5, 6.0):
        sim.at(t, lambda sim: seen.append(a.i_stim.values.tolist()))
    sim.at(1.0, lambda sim: sim.stimulate("left", 0.3, 2.0))
    sim.at(1.5, lambda sim: sim.stimulate((a, [1, 2]), "0.1 pA", "3 ms"))
    sim.run(10.0)
    assert seen == [[0, 0, 0], [0.3, 0.3 + 0.1, 0.1], [0, 0.1, 0.1], [0, 0, 0]]
    assert (a.i_stim.values == 0.0).all()
    lone, tau = 25.0 * 20.0 / 250.0, 20.0
    kick = 0.3 * tau / 250.0 * (np.exp(-7.0 / tau) - np.exp(-9.0 / tau))
    assert a.v[0] == pytest.approx(lone * (1 - np.exp(-10.0 / tau)) + kick, abs=1e-12)


def test_an_input_can_be_set_for_a_group_in_the_middle_of_a_run() -> None:
    net = ns.Network(dt=0.1)
    a = net.add_population("a", 60, ns.models.lif_delta(tau_m=1e9, v_th=1e9))
    half = net.add_group("half", a, a.ids[:30])
    drive = net.add_input("drive", ns.inputs.poisson(1000.0), a, weight=1.0)
    sim = ns.Simulation(net)
    sim.at(500.0, lambda sim: drive.set("rate", "3 kHz", on=half))
    sim.at(500.0, lambda sim: drive.set("rate", 0.0, on=a.ids[45:]))
    sim.run(500.0)
    before = a.v.values
    sim.run(500.0)
    gained = a.v.values - before
    for counts, mean in ((before, 500), (gained[:30], 1500), (gained[30:45], 500)):
        assert abs(counts.mean() - mean) < 5 * np.sqrt(mean / counts.size)
    assert np.abs(gained[45:]).max() < 1e-3


def test_delays_may_widen_in_the_middle_of_a_run() -> None:
    """Rings grow and epochs shrink; a network that has had room for all delays from the start gives the same bits."""

    def run(roomy: bool) -> tuple[Any, Any]:
        net, _ = noisy(60, seed=9)
        a, aa = net.populations["a"], net.projections["aa"]
        if roomy:
            net.connect(a, a, "none", name="room", bounds={"delay": [0.1, 60.0]})
        sim = ns.Simulation(net, audit=True)
        spikes = sim.record_spikes(a)
        longer = np.linspace(2.0, 50.0, 100)
        sim.at(11.3, lambda sim: aa.delay.__setitem__(aa.ids[:100], longer))
        sim.at(23.7, lambda sim: aa.add(a.ids[:30], a.ids[30:], weight=2.0, delay=0.1))
        sim.at(31.1, lambda sim: a.add(40, v=19.0))  # more than the stride has room for
        sim.at(35.0, lambda sim: aa.add(a.ids[60:], a.ids[:40], weight=3.0, delay=55.0))
        sim.at(41.9, lambda sim: a.remove(a.ids[10:80:2]))
        sim.at(43.0, lambda sim: aa.add(a.ids[:20], a.ids[20:40], weight=1.0, delay=0.0))
        sim.run(120.0)
        counts = sim.conservation()
        assert counts["emitted"] == counts["delivered"] + counts["in_flight"] + counts["dropped"]
        assert counts["dropped"] > 0
        return spikes, a.v.values

    (spikes, v), (expected, w) = run(roomy=False), run(roomy=True)
    assert len(spikes) > 200
    np.testing.assert_array_equal(spikes.steps, expected.steps)
    np.testing.assert_array_equal(spikes.ids, expected.ids)
    np.testing.assert_array_equal(v, w)
