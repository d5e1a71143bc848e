"""What the rules of the library must do by their papers or by a closed form, one synapse at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from rule_pair import Pair

import neurosim as ns
from neurosim.models.rules import BoundRule

RNG = np.random.default_rng


def bound(spec: Any, weight: tuple[float, float] = (0.0, 10.0)) -> BoundRule:
    return ns.learning.rule(spec).bind("mV", {"weight": weight, "delay": (0.1, 50.0)})


def poisson(rate: float, duration: float, seed: int) -> np.ndarray:
    """Times (ms) of a Poisson train of ``rate`` Hz."""
    rng = RNG(seed)
    return np.sort(rng.uniform(0.0, duration, rng.poisson(rate * duration / 1000.0)))


# ---- pairs and triplets ------------------------------------------------------------------------------


def test_triplets_are_those_of_the_paper() -> None:
    """Two spikes and an arrival between them, and two arrivals and a spike, by the paper's equations."""
    p = {"a2_plus": 0.01, "a3_plus": 0.02, "a2_minus": 0.03, "a3_minus": 0.04}
    rule = bound({"triplet_stdp": p})
    weight = Pair(rule, 5.0).play([110.0], [100.0, 125.0]).weight
    change = -0.03 * math.exp(-10 / 33.7) + math.exp(-15 / 16.8) * (0.01 + 0.02 * math.exp(-25 / 125.0))
    assert weight - 5.0 == pytest.approx(10.0 * change, rel=1e-12)
    weight = Pair(rule, 5.0).play([100.0, 125.0], [110.0]).weight
    change = 0.01 * math.exp(-10 / 16.8) - math.exp(-15 / 33.7) * (0.03 + 0.04 * math.exp(-25 / 101.0))
    assert weight - 5.0 == pytest.approx(10.0 * change, rel=1e-12)


def test_triplets_depend_on_the_rate_as_synapses_do() -> None:
    """Sixty arrivals 10 ms before spikes: nothing at 0.1 Hz, much at 50 Hz; the other order is always less."""

    def change(rate: float, lag: float) -> float:
        arrivals = 1000.0 + np.arange(60) * 1000.0 / rate
        return Pair(bound("triplet_stdp"), 5.0).play(arrivals, arrivals + lag).weight / 5.0 - 1.0

    assert abs(change(0.1, 10.0)) < 0.01
    assert change(10.0, 10.0) < change(20.0, 10.0) < change(50.0, 10.0)
    assert change(50.0, 10.0) > 0.5
    assert all(change(rate, -10.0) < change(rate, 10.0) for rate in (0.1, 10.0, 20.0, 50.0))
    assert change(0.1, -10.0) < -0.2


def test_inhibition_rests_where_its_target_fires_at_the_rate_wanted() -> None:
    """Independent trains change it by 2 eta tau r (s - rho_0) per ms; the pair window is symmetric."""
    rule = bound({"vogels_inhibitory": {"rho_0": 0.0}})
    for lag in (-8.0, 8.0):
        assert Pair(rule, 5.0).play([100.0], [100.0 + lag]).weight == pytest.approx(5.0 + 0.01 * math.exp(-8.0 / 20.0))
    assert Pair(bound("vogels_inhibitory"), 5.0).play([100.0]).weight == pytest.approx(5.0 - 0.01 * 0.12)
    duration = 400_000.0
    for target_rate in (8.0, 15.0):
        pair = Pair(bound({"vogels_inhibitory": {"eta": 1e-3, "rho_0": "8 Hz"}}), 5.0)
        pair.play(poisson(20.0, duration, 1), poisson(target_rate, duration, 2))
        expected = 2 * 1e-3 * 20.0 * 0.02 * (target_rate - 8.0) / 1000.0 * duration
        assert pair.weight - 5.0 == pytest.approx(expected, abs=0.2)


def test_hebb_grows_with_the_product_of_the_rates() -> None:
    duration = 300_000.0
    pair = Pair(bound({"hebb": {"eta": 1e-5}}), 5.0).play(poisson(20.0, duration, 3), poisson(10.0, duration, 4))
    assert pair.weight - 5.0 == pytest.approx(2 * 1e-5 * 10.0 * 20.0 * 0.02 * 0.01 * duration, rel=0.08)


def test_oja_goes_to_the_ratio_of_the_rates() -> None:
    duration = 600_000.0
    posts = poisson(20.0, duration, 5)
    for rate in (5.0, 15.0):
        pair = Pair(bound({"oja": {"eta": 1e-3}}), 0.2).play(poisson(rate, duration, 6), posts)
        assert pair.weight == pytest.approx(rate / 20.0, rel=0.1)


def test_oja_finds_the_first_principal_component() -> None:
    """A neuron that adds up what it gets: volleys of inputs, each of which shares most of them with its group."""
    rng, volleys, n = RNG(7), 3000, 6
    common = [rng.random(volleys) < 0.3 for _ in range(2)]
    groups = [0, 0, 0, 0, 1, 1]  # the larger group carries more variance
    spikes = np.array([np.where(rng.random(volleys) < 0.8, common[g], rng.random(volleys) < 0.3) for g in groups])
    pairs = [Pair(bound({"oja": {"eta": 0.01}}), 0.3) for _ in range(n)]
    for k in range(volleys):
        fired = rng.poisson(sum(pair.weight * spike for pair, spike in zip(pairs, spikes[:, k], strict=True)))
        for pair, spike in zip(pairs, spikes[:, k], strict=True):
            pair.play([200.0 * k] * int(spike), 200.0 * k + 0.1 * np.arange(fired))
    weights = np.array([pair.weight for pair in pairs])
    component = np.linalg.eigh(spikes @ spikes.T / volleys)[1][:, -1]
    assert abs(component @ weights) / np.linalg.norm(weights) > 0.95
    assert np.linalg.norm(weights) == pytest.approx(math.sqrt(2.0), rel=0.25)  # pairs of spikes are half their square


def test_the_threshold_of_bcm_slides_with_the_square_of_the_rate() -> None:
    """In the mean theta is s^2 tau/rate_0, and the weight moves as x y (y - theta) would."""
    duration = 200_000.0
    for rate, sign in ((5.0, 1.0), (20.0, -1.0)):
        pair = Pair(bound({"bcm": {"eta": 1e-5, "tau_theta": "40 s"}}), 5.0)
        pair.play(poisson(20.0, duration, 8), poisson(rate, duration, 9))
        assert pair["theta"] == pytest.approx(rate**2 / 1000.0 / 10.0 * 50.0, rel=0.2)
        assert sign * (pair.weight - 5.0) > 0


def test_scaling_is_the_integral_it_is_said_to_be() -> None:
    """A silent target: short = goal - a; what is missing adds up; all weights by the same factor."""
    rule = bound({"synaptic_scaling": {"beta": 1e-3, "gamma": "1e-4 1/s", "period": "1 s"}})
    pairs = [Pair(rule, weight).play(until=3000.0) for weight in (2.0, 4.0)]
    factor = math.prod(1 + 1e-3 * 5.0 + 1e-4 * 5.0 * k for k in (1, 2, 3))
    assert [pair.weight for pair in pairs] == pytest.approx([2.0 * factor, 4.0 * factor], rel=1e-12)
    busy = Pair(rule, 2.0).play(posts=np.arange(0.0, 500_000.0, 50.0), until=500_000.0)
    assert busy.weight < 2.0


# ---- consolidation -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("begin", "end"), [(0.2, 0.0), (0.3, 0.5), (0.7, 0.5)])
def test_the_double_well_has_two_ends_and_a_watershed(begin: float, end: float) -> None:
    rule = bound({"double_well": {"tau": "20 s", "period": "100 ms", "beta": 1.0}})
    posts = np.sort(np.concatenate([np.arange(0.0, 200_000.0, 100.0) + shift for shift in (0.0, 2.0)]))
    pair = Pair(rule, begin).play(posts=posts, until=200_000.0)
    assert pair["reference"] == pytest.approx(end, abs=0.02)
    assert pair.weight == pytest.approx(end, abs=0.02)


def test_the_cascade_loses_nothing_and_follows_its_recursion() -> None:
    rule = bound("benna_fusi", weight=(-10.0, 10.0))
    pair = Pair(rule, 0.0, bounds=(-10.0, 10.0))
    pair.values["weight"] = 1.0
    u = np.zeros(8)
    u[0] = 1.0
    for step in range(1, 501):
        pair.play(until=0.0)
        pair._happen(1000.0 * step, "every", 0.0)
        before = u.copy()
        for k in range(1, 9):
            left = before[k - 2] - before[k - 1] if k > 1 else 0.0
            right = before[k] - before[k - 1] if k < 8 else 0.0
            u[k - 1] += 0.25 * (2.0 ** (-2 * k + 2) * left + 2.0 ** (-2 * k + 1) * right)
    ours = np.array([pair.weight, *(pair[f"u_{k}"] for k in range(2, 9))])
    assert ours == pytest.approx(u, rel=1e-11)
    assert ours @ 2.0 ** np.arange(8) == pytest.approx(1.0, rel=1e-12)


def test_tagged_changes_fade_unless_proteins_come() -> None:
    rule = bound({"tagging_and_capture": {"tau": "1 h", "period": "1 min", "least": "0.5 mV"}})
    hour = 3_600_000.0

    def potentiated(by: float, amount: float) -> Pair:
        pair = Pair(rule, 2.0)
        pair.values["weight"] += by
        pair._happen(0.5 * hour - 1.0, "modulator", amount)
        return pair.play(until=5 * hour)

    assert potentiated(1.0, 0.0).weight == pytest.approx(2.0 + math.exp(-5.0), rel=1e-9)
    captured = potentiated(1.0, 0.6)
    assert captured["stable"] == pytest.approx(2.6)
    assert captured.weight == pytest.approx(2.6 + 0.4 * math.exp(-5.0), rel=1e-9)
    assert potentiated(0.4, 1.0)["stable"] == 2.0  # too small a change to be tagged


# ---- delays ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [-30.0, -5.0, 0.0, 5.0, 30.0])
def test_delay_related_stdp_shortens_what_came_before_the_spike(distance: float) -> None:
    pair = Pair(bound("dr_stdp"), weight=4.0, delay=3.0).play([100.0], [100.0 + distance])
    size = 0.01 * math.exp(-abs(distance) / 10.0)
    assert pair["delay"] - 3.0 == pytest.approx(-size if distance >= 0 else size, rel=1e-9)
    weight = 0.05 * math.exp(-distance / 20.0) if distance >= 0 else -0.0525 * math.exp(distance / 20.0)
    assert pair.weight - 4.0 == pytest.approx(weight, rel=1e-9)


def test_alignment_slows_what_is_early_and_hastens_what_is_late() -> None:
    rule = bound({"delay_alignment": {"spring": 0.0}})
    for distance in (-12.0, -5.0, 0.0, 5.0, 12.0):
        pair = Pair(rule, weight=4.0, delay=20.0).play([100.0], [100.0 + distance])
        shift = 0.5 * (math.exp(-abs(distance) / 10.0) - math.exp(-abs(distance) / 5.0))
        assert pair["delay"] - 20.0 == pytest.approx(math.copysign(shift, distance), abs=1e-12)
    sprung = Pair(bound("delay_alignment"), 4.0, delay=30.0).play([], [100.0])
    assert sprung["delay"] == pytest.approx(30.0 - 0.002 * 10.0)


def test_myelin_moves_axons_towards_each_other_and_knows_not_itself() -> None:
    """Axon A passes 5 ms before axon B; the cell answers both. An axon alone does not move."""
    rule = bound("myelin")
    window = 0.02 * (math.exp(-5.0 / 20.0) - math.exp(-5.0 / 2.0))
    early = Pair(rule, 1.0, delay=5.0).play([100.0], [100.0, 105.0])
    late = Pair(rule, 1.0, delay=5.0).play([105.0], [100.0, 105.0])
    assert early["delay"] - 5.0 == pytest.approx(window, rel=1e-9)
    assert late["delay"] - 5.0 == pytest.approx(-window, rel=1e-9)
    own = poisson(30.0, 20_000.0, 10)
    assert Pair(rule, 1.0, delay=5.0).play(own, own)["delay"] == pytest.approx(5.0, abs=1e-9)


# ---- neurons -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("drive", ["500 Hz", "1 kHz"])
def test_intrinsic_plasticity_holds_the_target_rate(drive: str) -> None:
    net = ns.Network(seed=1, dt=0.1)
    cells = net.add_population("cells", 100, ns.models.lif_intrinsic(target="8 Hz"))
    net.add_input("noise", ns.inputs.poisson(drive), cells, weight="60 pA", receptor="exc")
    sim = ns.Simulation(net)
    sim.run("60 s")
    spikes = sim.record_spikes(cells)
    sim.run("40 s")
    assert len(spikes) / 100 / 40 == pytest.approx(8.0, rel=0.03)


# ---- reward ------------------------------------------------------------------------------------------


def test_a_reward_finds_what_was_eligible() -> None:
    """One pair at t0 and one reward at t1: in the end c_0 a exp(-(t1 - t0)/tau_c) tau_c tau_d/(tau_c + tau_d)."""
    rule = bound({"reward_stdp": {"baseline": 0.0, "unit_time": "1 s"}})
    pair = Pair(rule, 5.0).play([95.0], [100.0], modulations=[(600.0, 0.5)])
    pair._happen(20_000.0, "modulator", 0.0)
    eligible = 0.25 * math.exp(-5.0 / 20.0) * math.exp(-500.0 / 1000.0)
    assert pair.weight - 5.0 == pytest.approx(eligible * 0.5 * (1000 * 200 / 1200) / 1000.0, rel=3e-4)
