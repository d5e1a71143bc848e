"""Which receptor of the target a projection or an input acts on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosim.errors import UsageError, unknown
from neurosim.graph.distributions import distribution

if TYPE_CHECKING:
    from neurosim.graph.population import Population


def choose_receptor(target: Population, receptor: str | None, weight: Any, name: str) -> str:
    """The receptor that arrivals of ``weight`` act on; ``name`` is the projection's or input's, for messages."""
    known = target.model.receptors
    if not known:
        raise UsageError(f"'{name}': population '{target.name}' is a {target.model.name}, which takes no input.")
    if receptor is not None:
        if receptor not in known:
            raise unknown("receptor", receptor, known, f"of {target.model.name}")
        return receptor
    if len(known) == 1:
        return next(iter(known))
    drawn = distribution(weight, next(iter(known.values())).unit, f"weight of '{name}'")
    if {"exc", "inh"} <= set(known):
        if drawn.low is not None and drawn.low >= 0.0:
            return "exc"
        if drawn.high is not None and drawn.high <= 0.0:
            return "inh"
    raise UsageError(f"'{name}': the weights have no one sign; name the receptor: {', '.join(known)}.")
