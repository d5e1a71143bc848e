"""Voltage-based plasticity: the published pairings, on the neuron that they were made with."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import neurosim as ns

#: Brette & Gerstner's neuron as Clopath et al. (2010) use it: a spike holds the potential at 33 mV for 2 ms; then it is
#: reset, the threshold jumps, and an after-current sets in.
NEURON = ns.models.from_equations(
    """
    dv/dt = free*(-g_l*(v - e_l) + upstroke - w + i_after)/c_m + end*(v_reset - v)/dt : mV
    upstroke = g_l*delta_t*exp(min((v - v_t)/delta_t, 20)) : pA
    dw/dt = free*(a*(v - e_l) - w)/tau_w + end*b/dt : pA
    di_after/dt = -free*i_after/tau_after + end*(i_sp - i_after)/dt : pA
    dv_t/dt = free*(v_t_rest - v_t)/tau_t + end*(v_t_max - v_t)/dt : mV
    dheld/dt = where(held > 0.5*dt, -1, 0) : ms
    free = where(held > 0.5*dt, 0, 1) : 1
    end = where(held > 0.5*dt and held <= 1.5*dt, 1, 0) : 1
    """,
    method="euler",
    threshold="v >= v_peak and held <= 0.5*dt",
    reset="v = v_peak; held = t_held",
    parameters={
        "c_m": "281 pF", "g_l": "30 nS", "e_l": "-70.6 mV", "delta_t": "2 mV", "v_t_rest": "-50.4 mV",
        "v_t_max": "30.4 mV", "tau_t": "50 ms", "tau_w": "144 ms", "a": "4 nS", "b": "0.0805 pA", "i_sp": "400 pA",
        "tau_after": "40 ms", "v_peak": "33 mV", "v_reset": "-49.6 mV", "t_held": "2 ms",
    },
    receptors={"exc": "v"},
    initial={"v": "e_l", "v_t": "v_t_rest"},
    name="clopath_neuron",
)  # fmt: skip


def paired(pre: Sequence[float], post: Sequence[float]) -> float:
    """The weight in percent after fifteen repetitions of the pairing, as the change by one is scaled up."""
    net = ns.Network(seed=1, dt=0.1)
    sources = net.add_population("sources", 2, ns.models.spike_list(times=[pre, post]))
    neuron = net.add_population("neuron", 1, NEURON)
    learned = net.connect("sources", "neuron", ns.connectors.pairs([sources.ids[0]], [neuron.ids[0]]), name="learned",
                          weight=0.5, delay=0.1, learning=["clopath"], precision="float64")  # fmt: skip
    net.connect("sources", "neuron", ns.connectors.pairs([sources.ids[1]], [neuron.ids[0]]), name="kick",
                weight=80.0, delay=0.1)  # fmt: skip
    sim = ns.Simulation(net)
    spikes = sim.record_spikes(neuron)
    sim.run(max(*pre, *post) + 10.0)
    assert len(spikes) == len(post)
    return 100.0 * 15.0 * (float(learned.weight.values[0]) - 0.5) / 0.5 + 100.0


@pytest.mark.parametrize(
    ("pre", "post", "published"),
    [
        ([29, 129, 229, 329, 429], [19, 119, 219, 319, 419], 57.82638722),
        ([29, 62.3, 95.7, 129, 162.3], [19, 52.3, 85.7, 119, 152.3], 72.16730112),
        ([29, 49, 69, 89, 109], [19, 39, 59, 79, 99], 149.43359357),
    ],
)
def test_the_published_pairings(pre: list[float], post: list[float], published: float) -> None:
    assert paired(pre, post) == pytest.approx(published, rel=0.02)
