"""All that a simulation is stands in one place: ``Simulation.state``."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

import neurosim as ns

#: Engine objects whose arrays are derived anew from the rest, or hold what a user asked to have recorded.
DERIVED = {"Plan", "SpikeLog", "Team", "Schedule", "RateMeter", "SpikeRecorder", "StateRecorder", "_Stage",
           "NeuronTraces"}  # fmt: skip
#: Attributes that are caches, tables of addresses, or the same arrays under a second name.
CACHES = {"record", "_table", "_cached_ids", "_columns", "_live_slots", "members", "_log", "_stage"}


def _simulation() -> ns.Simulation:
    net = ns.Network(seed=3, dt=0.1)
    exc = net.add_population("exc", 60, "lif_delta", positions=np.zeros((60, 3)))
    net.add_input("drive", ns.inputs.poisson("20 kHz"), exc, weight="0.1 mV")
    net.add_input("dc", ns.inputs.current("10 pA"), exc)
    net.connect(exc, exc, ns.connectors.fixed_indegree(8), weight=0.5, delay=ns.uniform(1, 4), name="ee")
    net.add_group("some", exc, exc.ids[:5])
    net.add_rule(ns.structure.homeostatic_growth("ee", every="3 ms"))
    net.add_rule(ns.structure.prune_old("ee", lifetime="15 ms", every="4 ms"))
    net.add_rule(ns.structure.prune_weak("ee", below=0.6, lasting="30 ms", every="5 ms"))
    net.add_rule(ns.structure.maturation("exc", every="6 ms"))
    return ns.Simulation(net, threads=1, audit=True)


def _arrays(thing: Any, seen: set[int], path: str = "sim") -> dict[str, np.ndarray[Any, Any]]:
    """Every non-empty array that can be reached from an object of ours."""
    if id(thing) in seen or type(thing).__name__ in DERIVED:
        return {}
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return {path: thing} if thing.size else {}
    inside: dict[str, Any] = {}
    if isinstance(thing, dict):
        inside = {str(key): value for key, value in thing.items()}
    elif isinstance(thing, (list, tuple)):
        inside = {str(k): value for k, value in enumerate(thing)}
    elif type(thing).__module__.startswith("neurosim.") and hasattr(thing, "__dict__"):
        inside = {key: value for key, value in vars(thing).items() if key not in CACHES}
    found: dict[str, np.ndarray[Any, Any]] = {}
    for key, value in inside.items():
        found |= _arrays(value, seen, f"{path}.{key}")
    return found


def test_every_array_of_a_simulation_is_in_its_state() -> None:
    sim = _simulation()
    sim.stimulate(sim.network.groups["some"], "100 pA", "50 ms")
    sim.run("20 ms")
    sim.network.projections["ee"].remove(sim.network.projections["ee"].ids[:3])
    state = sim.state()
    missing = [
        path
        for path, array in _arrays(sim, set()).items()
        if not any(np.shares_memory(array, kept) or _holds(kept, array) for kept in state.values())
    ]
    assert not missing


def _holds(kept: np.ndarray[Any, Any], array: np.ndarray[Any, Any]) -> bool:
    """Whether all of ``array`` stands in ``kept`` as a copy."""
    return array.dtype.names is None and kept.dtype.names is None and bool(np.isin(array, kept).all())


def _digest(sim: ns.Simulation) -> str:
    digest = hashlib.sha256()
    pools = {f"projections/{p.name}/{column}" for p in sim.network.projections.values() for column in p.store.columns}
    for name, array in sorted(sim.state().items()):
        if name not in pools:  # they have places that nobody uses
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def test_equal_lives_have_equal_states_and_reading_changes_nothing() -> None:
    first, second = _simulation(), _simulation()
    for sim in (first, second):
        sim.every("5 ms", lambda sim: sim.network.projections["ee"].remove(sim.network.projections["ee"].ids[:2]))
    first.run("30 ms")
    for _ in range(30):
        second.run("1 ms")
        second.state(), second.hash(), second.network.to_networkx(), second.conservation()
    assert _digest(first) == _digest(second)
    assert first.hash() == second.hash()
