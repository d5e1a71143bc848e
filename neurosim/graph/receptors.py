"""Which receptor of the target a projection or an input acts on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosim.errors import UsageError, unknown
from neurosim.graph.distributions import distribution
from neurosim.units import parse_unit

if TYPE_CHECKING:
    from neurosim.graph.population import Population


def choose_receptor(target: Population, receptor: str | None, weight: Any, name: str) -> str:
    """The receptor that arrivals of ``weight`` act on; ``name`` is the projection's or input's, for messages.

    Raises ``UsageError`` where none can be meant, and for a negative conductance.
    """
    chosen = _chosen(target, receptor, weight, name)
    unit = target.model.receptors[chosen].unit
    drawn = distribution(weight, unit, f"weight of '{name}'")
    if parse_unit(unit).dimension == parse_unit("nS").dimension and drawn.low is not None and drawn.low < 0.0:
        raise UsageError(
            f"'{name}': receptor '{chosen}' of {target.model.name} takes conductances ({unit}), which are never "
            f"negative; found weights down to {drawn.low:g}. Inhibition is a positive weight onto receptor: inh."
        )
    return chosen


def _chosen(target: Population, receptor: str | None, weight: Any, name: str) -> str:
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
