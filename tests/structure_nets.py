"""Small networks for structural rules."""

from __future__ import annotations

from typing import Any

import numpy as np

import neurosim as ns

NEVER = "1000 s"
DT = 0.1
TRAINS = [[5.0, 5.1, 17.3, 160.0, 162.5, 163.0], [40.0], [], [float(t) for t in np.arange(1.0, 300.0, 2.3)]]


def between(n: int = 4, m: int = 3, **connect: Any) -> ns.Network:
    """Sources "a" that fire at given times, and neurons "b" that do not fire, all joined."""
    net = ns.Network(seed=5, dt=DT)
    net.add_population("a", n, {"spike_list": {"times": (TRAINS * n)[:n]}})
    net.add_population("b", m, {"lif_delta": {"v_th": "1000 mV"}})
    net.connect("a", "b", connect.pop("connector", "all_to_all"), name="ab", **{"weight": 1.0, "delay": 1.0, **connect})
    return net


def alone(size: int = 6, **connect: Any) -> ns.Network:
    """Silent neurons "b", all joined to all by "bb"."""
    net = ns.Network(seed=5, dt=DT)
    net.add_population("b", size, {"lif_delta": {"v_th": "1000 mV"}})
    options = {"weight": 1.0, "delay": 1.0, **connect}
    net.connect("b", "b", options.pop("connector", ns.connectors.all_to_all(autapses=True)), name="bb", **options)
    return net


def run(net: ns.Network, duration: float) -> ns.Simulation:
    sim = ns.Simulation(net, threads=1)
    sim.run(duration)
    return sim
