"""A structural rule as `Network.add_rule` takes it, read and bound."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neurosim.errors import UsageError
from neurosim.graph.structure import BoundStructure
from neurosim.models import structure

if TYPE_CHECKING:
    from neurosim.graph.network import Network


def bound_structure(network: Network, rule: Any, where: tuple[Any, ...]) -> BoundStructure:
    """Read a rule and bind it under a name that is free; changes nothing but the count of rules ever made."""
    where = tuple(network.populations.get(one, one) if isinstance(one, str) else one for one in where)
    configured = structure.rule(rule, *where)
    if where and not configured.where:
        configured = replace(configured, where=where)
    name = configured.name
    if name in network.rules:
        if "name" in configured.options:
            raise UsageError(f"there is a structural rule '{name}' already.")
        name = next(free for k in range(2, len(network.rules) + 3) if (free := f"{name}_{k}") not in network.rules)
    bound = BoundStructure(network, configured, name, network.rules_made + 1)
    network.rules_made += 1
    return bound
