"""One synapse under one bound rule, in plain Python: evaluates the rule's trees, event by event."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurosim.expressions.tree import evaluate
from neurosim.models.rules import BoundRule

_ORDER = ("arrival", "post", "modulator", "every", "emission")  # of events at one time


class Pair:
    """A synapse with constant delay, in float64; ``weight``, ``delay`` and ``variables`` are what it has."""

    def __init__(
        self, rule: BoundRule, weight: float, delay: float = 1.0, bounds: tuple[float, float] = (-math.inf, math.inf)
    ) -> None:
        self.rule, self.bounds = rule, bounds
        self.values: dict[str, float] = dict(rule.constants) | {"weight": weight, "delay": delay, "dt": 0.1}
        for variable in rule.variables:
            initial = variable.initial.evaluate(self.values)
            self.values[variable.name] = float(np.asarray(initial))
        self.traces = {trace.name: (0.0, -math.inf) for trace in rule.traces}
        self.now = 0.0
        self.sent: list[float] = []

    @property
    def weight(self) -> float:
        return self.values["weight"]

    def __getitem__(self, name: str) -> float:
        return self.values[name]

    def play(
        self, arrivals: Any = (), posts: Any = (), emissions: Any = (), modulations: Any = (), until: float = 0.0
    ) -> Pair:
        """Live through events at times in ms (``modulations``: (time, amount)); periodic code runs up to ``until``."""
        periods = math.floor(until / self.rule.period + 1e-9) if self.rule.period else 0
        events = [(t, _ORDER.index("arrival"), 0.0) for t in arrivals]
        events += [(t, _ORDER.index("post"), 0.0) for t in posts]
        events += [(t, _ORDER.index("modulator"), amount) for t, amount in modulations]
        events += [(k * (self.rule.period or 0.0), _ORDER.index("every"), 0.0) for k in range(1, periods + 1)]
        events += [(t, _ORDER.index("emission"), 0.0) for t in emissions]
        for time, kind, amount in sorted(events, key=lambda event: event[:2]):
            self._happen(time, _ORDER[kind], amount)
        return self

    def _happen(self, time: float, kind: str, amount: float) -> None:
        self._drift(time - self.now)
        for variable in self.rule.variables:
            if variable.rate is not None:
                fading = math.exp(-variable.rate * (time - self.now))
                self.values[variable.name] = variable.target + (self.values[variable.name] - variable.target) * fading
        self.now = time
        values = self.values | {"amount": amount}
        for trace in self.rule.traces:
            value, last = self.traces[trace.name]
            values[trace.name] = value * math.exp(-trace.rate * (time - last)) if value else 0.0
        if kind == "emission":
            tree = self.rule.transmit
            self.sent.append(self.weight if tree is None else float(evaluate(tree, values)))
        self._run("every" if kind == "every" else f"on_{kind}", values)
        for trace in self.rule.traces:
            if (trace.side, kind) in (("pre", "arrival"), ("post", "post"), ("modulator", "modulator")):
                raised = amount if kind == "modulator" else 1.0
                self.traces[trace.name] = (1.0 if trace.nearest else values[trace.name] + raised, time)

    def _drift(self, passed: float, pieces: int = 2000) -> None:
        """Move what is driven, by small steps: the midpoint rule."""
        traces = {trace.name: trace for trace in self.rule.traces}
        fading = {v.name: v.rate or 0.0 for v in self.rule.variables}
        for drive in self.rule.drives:
            middle = (np.arange(pieces) + 0.5) * (passed / pieces)
            change = np.zeros(pieces)
            for factor, names in drive.terms:
                product = np.full(pieces, factor)
                for name in names:
                    value, last = self.traces[name] if name in traces else (self.values[name], self.now)
                    rate = traces[name].rate if name in traces else fading[name]
                    product *= value * np.exp(-rate * (middle + self.now - last)) if value else 0.0
                change += product
            self.values[drive.target] += float(change.sum() * (passed / pieces))

    def _run(self, event: str, values: dict[str, float]) -> None:
        for statement in self.rule.events.get(event, ()):
            value = float(evaluate(statement.expression.tree, values))
            if statement.operator != "=":
                old = values[statement.target]
                value = {"+=": old + value, "-=": old - value, "*=": old * value,
                         "/=": old / value if value else math.nan}[statement.operator]  # fmt: skip
            values[statement.target] = value
        low, high = self.bounds
        values["weight"] = min(max(values["weight"], low), high)
        self.values |= {name: values[name] for name in self.values}
