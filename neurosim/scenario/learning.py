"""What the learning rules of a scenario must mean together with its populations and bounds. Nothing is built for it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from neurosim.errors import NeurosimError, unknown
from neurosim.models import learning as rules
from neurosim.models.rules import check_together
from neurosim.scenario.checker import Checker
from neurosim.scenario.fields import Kind, read_kind, show
from neurosim.scenario.in_place import read_all
from neurosim.scenario.reader import Location
from neurosim.scenario.schema_network import Projection, Rule, in_place
from neurosim.units import format_quantity, quantities, quantity


def check(checker: Checker) -> None:
    """Check the learning rules of every projection; ``checker.rules`` then holds those that were understood."""
    for name, projection in checker.spec.projections.items():
        for index, written in enumerate(projection.learning):
            location = ("projections", name, "learning", index)
            for full, target in projection.expand(name):
                before = len(checker.problems)
                rule = _rule(written, projection, target, location, checker)
                if rule is not None:
                    checker.rules.setdefault(full, []).append(rule)
                if len(checker.problems) > before:  # the other targets would have us say the same again
                    break
        if projection.learning:
            _together(projection, ("projections", name), checker)


def _together(projection: Projection, location: Location, checker: Checker) -> None:
    """Check what rules need of each other, and of the bounds of delays. Rules that are wrong in themselves are told."""
    configured = []
    for written in projection.learning:
        with contextlib.suppress(NeurosimError):
            configured.append(rules.rule(written))
    checker.attempt((*location, "learning"), check_together, configured)
    writer = next((rule.name for rule in configured if rule.rule.writes_delay), None)
    if writer is None:
        return
    if "delay" not in projection.bounds:
        checker.add(location, f"'{writer}' writes delays: `bounds: {{delay: [low, high]}}` is missing")
        return
    low = checker.attempt((*location, "bounds", "delay"), quantity, projection.bounds["delay"][0], "ms", "")
    step = checker.spec.header.dt
    if low is not None and low < step:
        least = format_quantity(step, "ms")
        checker.add((*location, "bounds", "delay"), f"'{writer}' writes delays: they are at least one step ({least})")


def _rule(written: Any, projection: Projection, target: str, location: Location, checker: Checker) -> Any:
    """Return a rule bound to its projection; None where it, or what it is bound to, was not understood."""
    source, onto = checker.models.get(projection.source), checker.models.get(target)
    unit = None if onto is None or not onto.model.receptors else _unit(projection, onto)
    bounds = _bounds(projection, unit or "")
    known = source is not None and unit is not None and bounds is not None

    def bound(spec: Any) -> Any:
        rule = rules.rule(spec)
        sides = (checker.neuron_values(name) for name in (projection.source, target))
        limits = bounds or {}
        if rule.rule.writes_delay and "delay" not in limits:  # `_together` says so, once for all rules
            limits = {**limits, "delay": (checker.spec.header.dt, 1e6)}
        return rule.bind(unit or "", limits, *sides) if known else rule

    if in_place(written):
        try:
            Rule.model_validate(written)
        except ValidationError:  # told with the shape of the file
            return None
        found = read_all(bound, written, location, checker)
    else:
        kind = checker.attempt(location, read_kind, written)
        found = None if kind is None else _named(kind, bound, location, checker)
    return found if known else None


def _named(kind: Kind, bound: Any, location: Location, checker: Checker) -> Any:
    """Check a rule of the library, parameter by parameter."""
    known = rules.learning_rules()
    if kind.name not in known:
        keys = [key for key in Rule.model_fields if key.startswith("on_")]
        checker.add(location, str(unknown("learning rule", kind.name, [*known, *keys])))
        return None
    if not isinstance(kind.arguments, Mapping):
        where = (*location, kind.name)
        checker.add(where, f"parameters are written as {{name: value}}, found {show(kind.arguments)}")
        return None
    before = len(checker.problems)
    for key, value in kind.arguments.items():
        checker.attempt((*location, kind.name, key), rules.rule, {kind.name: {key: value}})
    return checker.attempt(location, bound, kind.spec) if len(checker.problems) == before else None


def _unit(projection: Projection, target: Any) -> str:
    """Return the unit of weights onto the target's receptor."""
    receptors = target.model.receptors
    named = projection.receptor if projection.receptor in receptors else next(iter(receptors))
    return str(receptors[named].unit)


def _bounds(projection: Projection, unit: str) -> dict[str, tuple[float, float]] | None:
    """Return declared bounds as numbers; None where they cannot be read."""
    units = {"weight": unit, "delay": "ms"}
    try:
        read = {key: quantities(list(ends), units[key], "bounds") for key, ends in projection.bounds.items()}
    except NeurosimError:
        return None
    return {key: (float(low), float(high)) for key, (low, high) in read.items()}
