"""What users point at: neurons and synapses, themselves or by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neurosim.errors import UsageError, unknown
from neurosim.graph.groups import Group
from neurosim.graph.network import Network
from neurosim.graph.population import Population
from neurosim.graph.projection import Projection

Neurons = Population | Group | str


def neurons_of(network: Network, target: Any) -> Population | Group:
    """The population or group that is meant."""
    if not isinstance(target, (Population, Group, str)):
        raise UsageError(f"a population, a group or a name is needed; found {target!r}.")
    found = network._population_or_group(target)
    if population_of(found).network is not network:
        raise UsageError(f"'{found.name}' belongs to another network.")
    return found


def population_of(target: Population | Group) -> Population:
    """The population itself, or a group's."""
    return target.population if isinstance(target, Group) else target


def projection_of(network: Network, target: Any) -> Projection:
    """The projection that is meant."""
    found = network.projections.get(target) if isinstance(target, str) else target
    if isinstance(found, Projection) and found.network is network:
        return found
    raise unknown("projection", str(target), network.projections)


def checked_action(act: Any) -> Callable[..., Any]:
    """``act``, if it can be called."""
    if not callable(act):
        raise UsageError(f"what is to be called is no function: {act!r}.")
    return act  # type: ignore[no-any-return]
