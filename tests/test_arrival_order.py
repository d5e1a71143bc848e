"""Arrivals at one synapse keep the order of their spikes, and a synapse knows only spikes since its birth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import neurosim as ns

DT = 0.1


def arrivals(spikes: list[float], acts: dict[float, Callable[[ns.Network], Any]], delay: float | None) -> list[float]:
    """When spikes of one neuron arrive at another that only counts them; ``delay`` of its synapse from the start."""
    net = ns.Network(dt=DT)
    source = net.add_population("source", 1, ns.models.spike_list(times=[spikes]))
    target = net.add_population("target", 1, ns.models.lif_exp(tau_exc=1e9, v_th=1e9))
    other = net.add_population("other", 1)
    net.connect(source, target, "none" if delay is None else "all_to_all", name="st", weight=1.0, delay=delay or 1.0)
    net.connect(source, other, "all_to_all", name="so", weight=1.0, delay=0.5)
    sim = ns.Simulation(net)
    current = sim.record_state(target, "i_exc", every=DT)
    for t, act in acts.items():
        sim.at(t, lambda sim, act=act: act(net))
    sim.run(100.0)
    heard = current["i_exc"].round().astype(int)
    return [float(t) for t, gained in zip(current["time"][1:].round(6), heard[1:] - heard[:-1]) for _ in range(gained)]


def set_delay(delay: float) -> Callable[[ns.Network], Any]:
    """Set all delays of the synapses onto the target."""
    return lambda net: net.projections["st"].delay.set(delay)


def birth(delay: float) -> Callable[[ns.Network], Any]:
    """Give birth to the synapse."""
    return lambda net: net.projections["st"].add(0, 1, weight=1.0, delay=delay)


@pytest.mark.lane
def test_a_spike_never_overtakes_an_earlier_one() -> None:
    acts = {12.0: set_delay(1.0), 15.0: set_delay(2.0)}
    assert arrivals([10.0, 12.5, 16.0, 70.0], acts, delay=40.0) == [50.0, 50.0, 50.0, 72.0]


@pytest.mark.lane
@pytest.mark.parametrize("between", [[], [11.0], [11.0, 11.5]])
def test_a_synapse_waits_for_no_spike_from_before_its_birth(between: list[float]) -> None:
    edits = {t: lambda net, t=t: net.projections["st"].add(0, 1, weight=0.0, delay=t / 100) for t in between}
    acts = {10.0: birth(50.0), **edits, 12.0: set_delay(1.0)}
    assert arrivals([9.5, 12.5], acts, delay=None) == [13.5]


def test_nor_does_it_when_another_synapse_was_edited_meanwhile() -> None:
    def both(net: ns.Network) -> None:
        net.projections["st"].add([0, 0], [1, 1], weight=[1.0, 0.0], delay=[50.0, 0.3])

    def second(net: ns.Network) -> None:
        projection = net.projections["st"]
        projection.delay[projection.ids[1:]] = 0.4

    assert arrivals([9.5, 12.5], {10.0: both, 11.0: second, 12.0: set_delay(1.0)}, delay=None) == [13.5]


def test_nor_for_one_from_before_its_delay_was_lengthened() -> None:
    def second(net: ns.Network) -> None:
        net.projections["st"].add(0, 1, weight=0.0, delay=0.3)

    def edit(net: ns.Network) -> None:
        projection = net.projections["st"]
        projection.delay[projection.ids[1:]] = 0.4

    acts = {5.0: second, 10.0: lambda net: set_first(net, 50.0), 11.0: edit, 12.0: lambda net: set_first(net, 1.0)}
    assert arrivals([9.5, 12.5], acts, delay=0.2) == [9.7, 13.5]


def set_first(net: ns.Network, delay: float) -> None:
    """Set the delay of the first synapse only."""
    projection = net.projections["st"]
    projection.delay[projection.ids[:1]] = delay


def test_a_projection_made_in_the_middle_of_a_run_is_newborn() -> None:
    def connect(net: ns.Network) -> None:
        net.connect("source", "target", "all_to_all", name="late", weight=1.0, delay=50.0)

    acts = {10.0: connect, 12.0: lambda net: net.projections["late"].delay.set(1.0)}
    assert arrivals([9.5, 12.5], acts, delay=None) == [13.5]
