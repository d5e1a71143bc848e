"""Declarations of models. One model = one file; adding a file to ``models/neurons`` adds a model.

>>> from neurosim import models
>>> models.lif_delta(tau_m="20 ms")        # a configured model
>>> models.neuron_models()                 # name -> declaration
>>> models.from_equations("dv/dt = -v/tau : mV", parameters={"tau": "20 ms"}, threshold="v > 1 mV", reset="v = 0")
>>> models.add_folder("my_models")         # files of your own, each with its MODEL
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from neurosim.errors import InvalidInput, UsageError, unknown
from neurosim.models import neurons
from neurosim.models.declare import (
    ConfiguredModel,
    NeuronModel,
    Parameter,
    Receptor,
    StateVariable,
    configure,
    is_spread,
)
from neurosim.models.own import configured, from_equations

__all__ = [
    "ConfiguredModel", "NeuronModel", "Parameter", "Receptor", "StateVariable", "add_folder", "configure",
    "from_equations", "is_spread", "neuron", "neuron_models",
]  # fmt: skip


@cache
def neuron_models() -> dict[str, NeuronModel]:
    """Every neuron model of the library, and of the folders that were added, by name."""
    found: dict[str, NeuronModel] = {}
    for module in pkgutil.iter_modules(neurons.__path__):
        model = _read_file(module.name)
        if model.name in found:
            raise InvalidInput(f"there are two neuron models named '{model.name}'.")
        found[model.name] = model
    return dict(sorted(found.items()))


def _read_file(name: str) -> NeuronModel:
    try:
        module = importlib.import_module(f"{neurons.__name__}.{name}")
    except (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError) as error:
        raise InvalidInput(f"the model file {name}.py cannot be read: {error}.") from error
    model = getattr(module, "MODEL", None)
    if not isinstance(model, NeuronModel):
        raise InvalidInput(f"{module.__file__}: a model file holds MODEL = NeuronModel(…).")
    return model


def add_folder(path: str | Path) -> None:
    """Add the model files of a folder to the library of this process: one model a file, holding ``MODEL``.

    Raises ``UsageError`` where there is no such folder.
    """
    folder = Path(path).resolve()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {path}.")
    if str(folder) not in neurons.__path__:
        neurons.__path__.append(str(folder))
        importlib.invalidate_caches()
        neuron_models.cache_clear()


def neuron(spec: str | Mapping[str, Any] | ConfiguredModel | NeuronModel) -> ConfiguredModel:
    """Read a model from ``"lif_delta"``, ``{"lif_delta": {"tau_m": "20 ms"}}`` or a configured model.

    A mapping with the key ``equations`` is a model of its own; its keys are the arguments of `from_equations`.

    Raises ``UnknownName`` for a model or parameter that does not exist, ``InvalidInput`` for anything else.
    """
    if isinstance(spec, ConfiguredModel):
        return spec
    if isinstance(spec, NeuronModel):
        return spec()
    if isinstance(spec, Mapping) and "equations" in spec:
        return configured(spec)
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
