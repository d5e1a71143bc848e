"""Connection rules, one per file.

>>> from neurosim import connectors
>>> connectors.fixed_indegree(100, autapses=False)
"""

from __future__ import annotations

from typing import Any

from neurosim.graph import kinds
from neurosim.graph.connectors.base import Connector

__all__ = ["Connector", "connector", "connectors"]


def connectors() -> dict[str, type[Connector]]:
    """Every connection rule, by name."""
    return dict(_RULES)


def connector(spec: Any) -> Connector:
    """Read ``"all_to_all"``, ``{"fixed_indegree": 100}`` or ``{"fixed_indegree": {"n": 100, "autapses": False}}``.

    Raises ``UnknownName`` for a rule or parameter that does not exist, ``UsageError`` for a value out of range.
    """
    return kinds.read(spec, Connector, _RULES, "connector")


_RULES: dict[str, type[Connector]] = kinds.found(__name__, __path__, "CONNECTOR")
globals().update(_RULES)  # `connectors.pairs` is the rule, not the file it is in


def __getattr__(name: str) -> type[Connector]:
    raise AttributeError(f"neurosim.connectors has no rule {name!r}; known: {', '.join(_RULES)}")
