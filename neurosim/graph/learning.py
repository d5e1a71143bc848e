"""Learning rules as `Network.connect` takes them, and what they ask of a projection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neurosim.errors import UsageError
from neurosim.graph.delays import DelayGrid, LearnedDelays
from neurosim.graph.population import Population
from neurosim.graph.precision import Precision
from neurosim.models import learning as library
from neurosim.models.rules import BoundRule, ConfiguredRule, LearningRule, check_together

Bounds = Mapping[str, tuple[float, float] | None]


def bound_rules(
    written: Any, source: Population, target: Population, unit: str, bounds: Bounds, name: str
) -> tuple[BoundRule, ...]:
    """Read rules and settle their units for a projection from ``source`` to ``target`` with weights in ``unit``."""
    if isinstance(written, (str, Mapping, LearningRule, ConfiguredRule)):
        written = [written]
    if not isinstance(written, Sequence):
        raise UsageError(f"projection '{name}': learning is a list of rules; found {written!r:.60}.")
    configured = [library.rule(rule) for rule in written]
    check_together(configured)
    known = {side: dict(population.variables) for side, population in (("pre", source), ("post", target))}
    limits = {key: value for key, value in bounds.items() if value is not None}
    return tuple(rule.bind(unit, limits, known["pre"], known["post"]) for rule in configured)


def delay_grid(
    rules: Sequence[BoundRule], dt: float | None, bounds: tuple[float, float] | None, name: str, precision: Precision
) -> DelayGrid:
    """How the projection keeps its delays."""
    if any(rule.writes_delay for rule in rules):
        if bounds is None:
            raise UsageError(
                f"projection '{name}': a rule writes the delay; say how far it may go: bounds={{'delay': (low, high)}}."
            )
        return LearnedDelays(dt, bounds, name, str(precision.real))
    return DelayGrid(dt, bounds, name, wide=bool(rules) or precision.name == "float64")
