"""Learning rules as their papers have them, one synapse at a time: windows, pairings, recursions."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from rule_pair import Pair

import neurosim as ns
from neurosim.models.rules import BoundRule

PAIR_RULES = ["stdp", "stdp_multiplicative", "stdp_power_law", "stdp_nearest", "stdp_nearest_reduced", "ds_stdp"]


def bound(spec: Any) -> BoundRule:
    return ns.learning.rule(spec).bind("mV", {"weight": (0.0, 10.0), "delay": (0.1, 10.0)})


@pytest.mark.parametrize("name", PAIR_RULES)
@pytest.mark.parametrize("distance", [-30.0, -5.0, -0.1, 0.0, 0.1, 5.0, 30.0])
def test_the_window_of_a_pair(name: str, distance: float) -> None:
    """Steps fall off exponentially with the distance; a spike at the time of an arrival comes after it."""
    rule = bound({name: {"tau_plus": 15.0, "tau_minus": 25.0}})
    pair = Pair(rule, weight=4.0, delay=3.0).play([100.0], [100.0 + distance])
    p = rule.constants
    if name == "stdp_power_law":
        plus, minus = p["rate"] * 4.0**p["mu"], p["rate"] * p["alpha"] * 4.0
    elif name == "stdp_multiplicative":
        plus, minus = p["a_plus"] * 6.0, p["a_minus"] * 4.0
    else:
        plus, minus = p["a_plus"] * 10.0, p["a_minus"] * 10.0
    step = plus * math.exp(-distance / 15.0) if distance >= 0 else -minus * math.exp(distance / 25.0)
    assert pair.weight - 4.0 == pytest.approx(step, rel=1e-12)
    if name == "ds_stdp":
        shift = -0.012 * math.exp(-distance / 15.0) if distance >= 0 else 1.2e-4 * math.exp(distance / 25.0)
        assert pair["delay"] - 3.0 == pytest.approx(shift, rel=1e-12)


def _trains() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return np.sort(rng.uniform(0, 200, 25)), np.sort(rng.uniform(0, 200, 20))


def test_all_pairs_count_in_stdp() -> None:
    arrivals, posts = _trains()
    weight = Pair(bound("stdp"), 5.0).play(arrivals, posts).weight
    distance = posts[:, None] - arrivals[None, :]
    steps = np.where(distance >= 0, 0.05 * np.exp(-distance / 20.0), -0.0525 * np.exp(distance / 20.0))
    assert weight - 5.0 == pytest.approx(steps.sum(), rel=1e-12)


def test_the_last_partner_counts_in_nearest_stdp() -> None:
    arrivals, posts = _trains()
    weight = Pair(bound("stdp_nearest"), 5.0).play(arrivals, posts).weight
    change = sum(0.05 * math.exp((max(arrivals[arrivals <= t]) - t) / 20) for t in posts if (arrivals <= t).any())
    change -= sum(0.0525 * math.exp((max(posts[posts < t]) - t) / 20) for t in arrivals if (posts < t).any())
    assert weight - 5.0 == pytest.approx(change, rel=1e-12)


def test_only_neighbours_count_in_reduced_stdp() -> None:
    arrivals, posts = _trains()
    weight = Pair(bound("stdp_nearest_reduced"), 5.0).play(arrivals, posts).weight
    events = sorted([(t, 0) for t in arrivals] + [(t, 1) for t in posts])
    change = 0.0
    for (before, first), (after, second) in pairwise(events):
        if first != second:
            change += (0.05 if second else -0.0525) * math.exp((before - after) / 20)
    assert weight - 5.0 == pytest.approx(change, rel=1e-12)
    assert change != pytest.approx(Pair(bound("stdp_nearest"), 5.0).play(arrivals, posts).weight - 5.0)


def test_multiplicative_stdp_is_additive_with_mu_0_and_stays_sane_at_its_bounds() -> None:
    arrivals, posts = _trains()
    additive = Pair(bound("stdp"), 5.0).play(arrivals, posts).weight
    flat = bound({"stdp_multiplicative": {"mu_plus": 0, "mu_minus": 0}})
    assert Pair(flat, 5.0).play(arrivals, posts).weight == pytest.approx(additive, rel=1e-12)
    soft = bound({"stdp_multiplicative": {"mu_plus": 0.4, "mu_minus": 0.4}})
    beyond = np.nextafter(10.0, 11.0)
    assert Pair(soft, beyond).play([1.0], [2.0]).weight == beyond
    assert Pair(soft, -1e-9).play([2.0], [1.0]).weight == -1e-9


@pytest.mark.parametrize(("share", "direction"), [(0.9, 1.0), (1.0, 0.0), (1.1, -1.0)])
def test_power_law_stdp_has_its_fixed_point(share: float, direction: float) -> None:
    """Equal numbers of pairs of both kinds cancel at w_0 alpha^(1/(mu - 1)), and drive weights there."""
    rule = bound({"stdp_power_law": {"rate": 1e-5, "alpha": 0.5, "w_0": 2.0}})
    weight = share * 2.0 * 0.5 ** (1 / (0.4 - 1))
    times = 1000.0 * np.arange(1, 6)
    synapse = Pair(rule, weight).play([*times, *times + 505.0], [*times + 5.0, *times + 500.0])
    assert np.sign(round((synapse.weight - weight) / (5e-5 * weight), 2)) == direction


def test_tsodyks_markram_is_the_published_recursion() -> None:
    """Eq. 3.1 to 3.3 of Tsodyks, Pawelzik & Markram 1998: what is released at each spike of a train."""
    parameters = {"U": 0.03, "tau_rec": 130.0, "tau_facil": 530.0}
    times = [10.0, 15.0, 60.0, 61.0, 300.0, 2000.0]
    u, r = parameters["U"], 1.0
    wanted = [1540.0 * u * r]
    for gap in np.diff(times):
        r = r * (1 - u) * math.exp(-gap / 130.0) + 1 - math.exp(-gap / 130.0)
        u = u * math.exp(-gap / 530.0) + 0.03 * (1 - u * math.exp(-gap / 530.0))
        wanted.append(1540.0 * u * r)
    synapse = Pair(ns.learning.tsodyks_markram(**parameters).bind("pA"), 1540.0).play(emissions=times)
    assert synapse.sent == pytest.approx(wanted, rel=1e-12)


def test_a_synapse_that_only_depresses_reaches_its_steady_state() -> None:
    synapse = Pair(bound("tsodyks_markram"), 1.0).play(emissions=50.0 * np.arange(400))
    left = math.exp(-50.0 / 800.0)
    assert synapse.sent[0] == 0.5
    assert synapse.sent[-1] == pytest.approx(0.5 * (1 - left) / (1 - 0.5 * left), rel=1e-12)


def test_buffered_stdp_is_the_published_program() -> None:
    """One synapse of Izhikevich's loop in steps of 1 ms, as poly_spnet.cpp has it, against the rule's arrivals."""
    rng = np.random.default_rng(8)
    steps, delay = 2999, 5
    pre, post = rng.random(steps) < 0.03, rng.random(steps) < 0.03
    fired = np.flatnonzero(pre)
    ltp, ltd, sd, s = np.zeros(steps + 1), 0.0, 0.0, 6.0
    for t in range(steps):
        if t and t % 1000 == 0:  # the program does this before the spikes of that time, we do it after them
            assert not post[t]
            assert t - delay not in fired
            sd *= 0.9
            s = min(max(s + 0.01 + sd, 0.0), 10.0)
        ltp[t] = 0.1 if pre[t] else ltp[t]
        if post[t]:
            ltd = 0.12
            sd += ltp[t - delay] if t >= delay else 0.0
        if t - delay + 1 in fired:  # drives the step from t to t + 1, when the target can answer: it arrives at t + 1
            sd -= ltd
        ltp[t + 1], ltd = 0.95 * ltp[t], 0.95 * ltd
    synapse = Pair(bound("stdp_buffered"), 6.0, delay, (0.0, 10.0))
    synapse.play(fired[fired + delay <= steps] + float(delay), np.flatnonzero(post).astype(float), until=steps)
    assert synapse.weight == pytest.approx(s, rel=1e-12)
    assert synapse["sd"] == pytest.approx(sd, rel=1e-12)
    assert s != 6.0


def test_reward_modulation() -> None:
    """A pair leaves an eligibility that fades; a signal turns what is left of it into weight."""
    rule = ns.learning.from_code(
        equations="dx/dt = -x/tau : 1 (pre)\ndc/dt = -c/tau_c : weight",
        on_post="c += a*x", on_modulator="weight += amount*c", modulator="dopamine",
        parameters={"tau": "20 ms", "tau_c": "1 s", "a": "0.1 mV"},
    )  # fmt: skip
    synapse = Pair(rule().bind("mV"), 1.0).play([10.0], [15.0], modulations=[(500.0, 2.0)])
    left = 0.1 * math.exp(-5.0 / 20.0) * math.exp(-485.0 / 1000.0)
    assert synapse.weight == pytest.approx(1.0 + 2.0 * left, rel=1e-12)
