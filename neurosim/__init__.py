"""neurosim: spiking networks whose structure is alive.

>>> import neurosim as ns
>>> net = ns.Network(seed=1)
>>> exc = net.add_population("exc", 800, ns.models.izhikevich(a=0.02))
>>> ee = net.connect(exc, exc, ns.connectors.fixed_outdegree(100), weight=6.0, delay=ns.uniform("1 ms", "20 ms"))
>>> sim = ns.Simulation(net, dt=0.1)
>>> sim.run("1 s")
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

#: Public name -> where it lives. Loaded on first use, so that ``import neurosim`` stays light.
_PUBLIC = {
    "Network": "neurosim.graph.network",
    "Population": "neurosim.graph.population",
    "Projection": "neurosim.graph.projection",
    "Group": "neurosim.graph.groups",
    "Simulation": "neurosim.engine.simulation",
    "Result": "neurosim.record",
    "run": "neurosim.scenario",
    "read_graph": "neurosim.formats",
    "export": "neurosim.formats",
    "constant": "neurosim.graph.distributions",
    "uniform": "neurosim.graph.distributions",
    "normal": "neurosim.graph.distributions",
    "truncated_normal": "neurosim.graph.distributions",
    "lognormal": "neurosim.graph.distributions",
    "exponential": "neurosim.graph.distributions",
    "balanced": "neurosim.graph.distributions",
    "distance": "neurosim.graph.distributions",
    "NeurosimError": "neurosim.errors",
    "UsageError": "neurosim.errors",
    "InvalidInput": "neurosim.errors",
    "ScenarioError": "neurosim.errors",
}
_MODULES = {
    "models": "neurosim.models",
    "learning": "neurosim.models.learning",
    "structure": "neurosim.models.structure",
    "connectors": "neurosim.graph.connectors",
    "inputs": "neurosim.graph.inputs",
    "kernels": "neurosim.graph.distance_kernels",
    "place": "neurosim.graph.placement",
}
#: Names that later versions bring; asking for one says so.
_ANNOUNCED = ("restore",)

__all__ = [*_PUBLIC, *_MODULES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    announced = f"neurosim.{name} is announced but not built yet" if name in _ANNOUNCED else ""
    raise AttributeError(announced or f"module 'neurosim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
