"""The numbers of a network that can be changed while it runs: what the sliders show."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurosim.graph.network import Network

Parameter = dict[str, Any]
"""``path`` as in a scenario's protocol, ``group``, ``name``, ``value``, ``unit``, ``meaning``, ``low``, ``high``."""


def parameters(network: Network) -> list[Parameter]:
    """All numeric parameters of inputs, populations and structural rules, as they are now."""
    return [*_inputs(network), *_populations(network), *_rules(network)]


def _inputs(network: Network) -> Iterator[Parameter]:
    for name, source in network.inputs.items():
        units = {source.unit(population) for population in source.populations}
        values = [p.columns[source.column][p.slots(p.ids)] for p in source.populations]
        counted = sum(value.size for value in values)
        if len(units) != 1 or not counted:
            continue
        mean = float(sum(value.sum() for value in values) / counted)
        key = source.source.parameter
        where = ", ".join(population.name for population in source.populations)
        about = f"of {source.source.kind} input to {where}; differing values become one"
        low = 0.0 if key == "rate" else None
        yield _parameter(f"inputs.{name}.{key}", f"input {name}", key, mean, units.pop(), about, low)


def _populations(network: Network) -> Iterator[Parameter]:
    for name, population in network.populations.items():
        for declared in population.model.parameters:
            value = population.parameters.get(declared.name)
            if value is not None:
                yield _parameter(
                    f"populations.{name}.{declared.name}", f"population {name}", declared.name, value, declared.unit,
                    declared.meaning, declared.low, declared.high,
                )  # fmt: skip


def _rules(network: Network) -> Iterator[Parameter]:
    for name, rule in network.rules.items():
        for declared in rule.rule.parameters:
            values = {rule.constants[population.name][declared.name] for population in rule.populations}
            if len(values) == 1:
                yield _parameter(
                    f"structure.{name}.{declared.name}", f"rule {name}", declared.name, values.pop(),
                    rule.units[declared.name], declared.meaning,
                )  # fmt: skip


def _parameter(
    path: str, group: str, name: str, value: float, unit: str, meaning: str, low: float | None = None,
    high: float | None = None,
) -> Parameter:  # fmt: skip
    value = float(value) if math.isfinite(value) else 0.0
    least, most = _range(value, unit)
    if low is not None and math.isfinite(low):
        least = max(least, low)
    if high is not None and math.isfinite(high):
        most = min(most, high)
    return {
        "path": path, "group": group, "name": name, "value": value, "unit": unit, "meaning": meaning,
        "low": min(least, value), "high": max(most, value),
    }  # fmt: skip


def _range(value: float, unit: str) -> tuple[float, float]:
    """What a slider spans: twice the value; some tens of mV around a potential; 0 to 1 where it is 0."""
    if unit == "mV" and abs(value) >= 20:
        return value - 25.0, value + 25.0
    if value == 0.0:
        return 0.0, 1.0
    return (0.0, 2.0 * value) if value > 0 else (2.0 * value, 0.0)
