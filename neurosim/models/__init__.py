"""Declarations of models. One model = one file; adding a file to ``models/neurons`` adds a model.

>>> from neurosim import models
>>> models.lif_delta(tau_m="20 ms")        # a configured model
>>> models.neuron_models()                 # name -> declaration
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

from neurosim.errors import InvalidInput, unknown
from neurosim.models import neurons
from neurosim.models.declare import (
    ConfiguredModel,
    NeuronModel,
    Parameter,
    Receptor,
    StateVariable,
    configure,
)

__all__ = [
    "ConfiguredModel", "NeuronModel", "Parameter", "Receptor", "StateVariable", "configure", "neuron", "neuron_models",
]  # fmt: skip


@cache
def neuron_models() -> dict[str, NeuronModel]:
    """Every neuron model of the library, by name."""
    found = {}
    for module in pkgutil.iter_modules(neurons.__path__):
        model = importlib.import_module(f"{neurons.__name__}.{module.name}").MODEL
        found[model.name] = model
    return dict(sorted(found.items()))


def neuron(spec: str | Mapping[str, Any] | ConfiguredModel | NeuronModel) -> ConfiguredModel:
    """Read a model from ``"lif_delta"``, ``{"lif_delta": {"tau_m": "20 ms"}}`` or a configured model.

    Raises ``UnknownName`` for a model or parameter that does not exist, ``InvalidInput`` for anything else.
    """
    if isinstance(spec, ConfiguredModel):
        return spec
    if isinstance(spec, NeuronModel):
        return spec()
    written: Any = {spec: {}} if isinstance(spec, str) else spec
    if not isinstance(written, Mapping) or len(written) != 1:
        raise InvalidInput(f"a model is written as a name or as {{name: {{parameters}}}}; found {spec!r}.")
    ((name, parameters),) = written.items()
    if name not in neuron_models():
        raise unknown("neuron model", str(name), neuron_models())
    parameters = {} if parameters is None else parameters
    if not isinstance(parameters, Mapping):
        raise InvalidInput(f"parameters of {name} are written as {{name: value}}; found {parameters!r}.")
    return configure(neuron_models()[name], parameters)


def __getattr__(name: str) -> NeuronModel:
    if not name.startswith("_") and name in neuron_models():
        return neuron_models()[name]
    raise AttributeError(f"neurosim.models has no model {name!r}; known: {', '.join(neuron_models())}")
