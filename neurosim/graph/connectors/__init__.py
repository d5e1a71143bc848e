"""Connection rules, one per file.

>>> from neurosim import connectors
>>> connectors.fixed_indegree(100, autapses=False)
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from neurosim.errors import InvalidInput, UsageError, unknown
from neurosim.graph.connectors.base import Connector

__all__ = ["Connector", "connector", "connectors"]


def connectors() -> dict[str, type[Connector]]:
    """Every connection rule, by name."""
    return dict(_RULES)


def connector(spec: Any) -> Connector:
    """Read ``"all_to_all"``, ``{"fixed_indegree": 100}`` or ``{"fixed_indegree": {"n": 100, "autapses": False}}``.

    Raises ``UnknownName`` for a rule or parameter that does not exist, ``UsageError`` for a value out of range.
    """
    if isinstance(spec, Connector):
        return _checked(spec)
    if isinstance(spec, type) and issubclass(spec, Connector):
        return spec()
    if isinstance(spec, str):
        spec = {spec: {}}
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise InvalidInput(f"a connector is written as a name or as {{name: {{parameters}}}}; found {spec!r}.")
    ((name, parameters),) = spec.items()
    if name not in _RULES:
        raise unknown("connector", str(name), _RULES)
    rule = _RULES[name]
    known = {field.name: field for field in dataclasses.fields(rule)}
    if not isinstance(parameters, Mapping):
        parameters = {} if parameters is None else {next(iter(known), "value"): parameters}
    for key in parameters:
        if key not in known:
            raise unknown("parameter", str(key), known, f"of connector {name}")
    missing = [
        key for key, field in known.items()
        if key not in parameters and field.default is dataclasses.MISSING
    ]  # fmt: skip
    if missing:
        raise UsageError(f"connector {name} needs {', '.join(missing)}.")
    return _checked(rule(**parameters))


def _checked(made: Connector) -> Connector:
    for flag in ("autapses", "multapses"):
        if not isinstance(getattr(made, flag, True), bool):
            raise UsageError(f"{made.name}.{flag} is true or false; found {getattr(made, flag)!r}.")
    return made


_RULES: dict[str, type[Connector]] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").CONNECTOR
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
    if module.name != "base"
}
globals().update(_RULES)  # `connectors.pairs` is the rule, not the file it is in


def __getattr__(name: str) -> type[Connector]:
    raise AttributeError(f"neurosim.connectors has no rule {name!r}; known: {', '.join(_RULES)}")
