"""What structural rules keep of neurons: traces, and elements that grow by them, against closed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from structure_nets import DT, NEVER, TRAINS, alone, between, run

import neurosim as ns


def _calcium(train: list[float], until: float, tau: float) -> float:
    return sum(1000.0 / tau * math.exp(-(until - t) / tau) for t in train if t <= until)


@pytest.mark.parametrize("until", [4.9, 5.0, 100.0, 163.0, 301.7, 2500.0])
def test_calcium_is_exact(until: float) -> None:
    net = between()
    rule = net.add_rule(ns.structure.homeostatic_growth("ab", tau_calcium="130 ms", every=NEVER))
    kept = run(net, until).structure.kept(rule, net.populations["a"])
    assert kept.keys() == {"calcium", "axonal"}
    expected = [_calcium(train, round(until / DT) * DT, 130.0) for train in TRAINS]
    np.testing.assert_allclose(kept["calcium"], expected, rtol=1e-12, atol=1e-300)


def _linear(train: list[float], until: float, tau: float, nu: float, target: float, z: float) -> float:
    """z(t) = max(0, z + nu·(t - t0) + nu·tau·(Ca(t) - Ca0)/target) from spike to spike; ``nu`` per ms."""
    calcium, last = 0.0, 0.0
    for t in [*(t for t in train if t <= until), until]:
        after = calcium * math.exp(-(t - last) / tau)
        z = max(0.0, z + nu * (t - last) + nu * tau * (after - calcium) / target)
        calcium, last = after + 1000.0 / tau, t
    return z


@pytest.mark.parametrize("until", [4.9, 5.0, 100.0, 163.0, 301.7, 2500.0])
@pytest.mark.parametrize(("target", "nu"), [(8.0, 4.0), (60.0, 31.0), (0.5, 400.0)])
def test_linear_growth_is_its_closed_form(until: float, target: float, nu: float) -> None:
    net = between()
    growth = ns.structure.homeostatic_growth
    rule = net.add_rule(growth("ab", target_rate=target, growth_rate=nu, tau_calcium="130 ms", every=NEVER))
    sim = run(net, until)
    axons = sim.structure.kept(rule, net.populations["a"])["axonal"]
    expected = [_linear(train, until, 130.0, nu / 1000.0, target, 3.0) for train in TRAINS]
    np.testing.assert_allclose(axons, expected, rtol=1e-12, atol=1e-12)
    dendrites = sim.structure.kept(rule, net.populations["b"])["dendritic"]  # of neurons that never fire
    np.testing.assert_allclose(dendrites, 4.0 + nu / 1000.0 * until, rtol=1e-12)


CURVES: dict[str, Any] = {
    "homeostatic_growth_gaussian": lambda c: 2 * math.exp(-((c - 7.0) ** 2) / (25.0 / math.log(2))) - 1,
    "homeostatic_growth_sigmoid": lambda c: 2 / (1 + math.exp((c - 12.0) / 1.5)) - 1,
}
GIVEN: dict[str, dict[str, float]] = {
    "homeostatic_growth_gaussian": {"target_rate": 12.0, "least_rate": 2.0},
    "homeostatic_growth_sigmoid": {"target_rate": 12.0, "slope": 1.5},
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("until", [100.0, 301.7, 2500.0])
def test_curves_are_integrated(name: str, until: float) -> None:
    net, tau, nu = between(), 130.0, 30.0
    written = {name: {**GIVEN[name], "growth_rate": nu, "tau_calcium": tau, "every": NEVER}}
    rule = net.add_rule(written, "ab")
    axons = run(net, until).structure.kept(rule, net.populations["a"])["axonal"]
    for k, train in enumerate(TRAINS):
        z, calcium, last = 3.0, 0.0, 0.0
        for t in [*(t for t in train if t <= until), until]:
            curve = lambda s, c=calcium: CURVES[name](c * math.exp(-s / tau))  # noqa: E731
            grown = quad(curve, 0.0, t - last, epsabs=1e-12, epsrel=1e-12, limit=500)[0]
            z = max(0.0, z + nu / 1000.0 * grown)
            calcium, last = calcium * math.exp(-(t - last) / tau) + 1000.0 / tau, t
        assert axons[k] == pytest.approx(z, rel=1e-9, abs=1e-9)


def test_looking_writes_nothing() -> None:
    """Neither reading what is kept nor the times at which a rule looks change a bit of it."""
    found = []
    for every, cuts in ((NEVER, 1), ("0.1 ms", 1), ("7 ms", 50)):
        net = between()
        rule = net.add_rule(ns.structure.homeostatic_growth("ab", growth_rate=0.0, every=every))
        sim = ns.Simulation(net, threads=1)
        for _ in range(cuts):
            sim.run(300.0 / cuts)
            sim.structure.kept(rule, net.populations["a"])
        found.append(sim.structure.kept(rule, net.populations["a"])["calcium"].tobytes())
    assert len(set(found)) == 1


def test_what_newborns_have() -> None:
    """Newborns begin without traces and elements; those that were there begin with the synapses they have."""
    net = alone(4, connector=ns.connectors.fixed_indegree(2))
    rule = net.add_rule(ns.structure.homeostatic_growth("bb", growth_rate="10 Hz", every=NEVER))
    sim = run(net, 50.0)
    net.populations["b"].add(30)  # which also moves slots
    sim.run(20.0)
    kept = sim.structure.kept(rule, net.populations["b"])
    np.testing.assert_allclose(kept["dendritic"], [2.5 + 0.2] * 4 + [0.2] * 30, rtol=1e-12)
    np.testing.assert_allclose(kept["axonal"][:4], net.projections["bb"].out_degree()[:4] + 0.7, rtol=1e-12)


def test_parameters_by_population() -> None:
    net = between()
    growth = ns.structure.homeostatic_growth
    rule = net.add_rule(growth("ab", growth_rate={"a": "10 Hz", "b": "20 Hz"}, every=NEVER))
    sim = run(net, 1.0)
    assert sim.structure.kept(rule, net.populations["a"])["axonal"][0] == pytest.approx(3.01)
    assert sim.structure.kept(rule, net.populations["b"])["dendritic"][0] == pytest.approx(4.02)
