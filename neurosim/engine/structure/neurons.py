"""What a rule about neurons proposes: who matures, who dies, and how many are born."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.engine.structure.changes import Changes, NewNeurons
from neurosim.engine.structure.looks import Look, rounded
from neurosim.graph.population import Population, Slots
from neurosim.graph.structure import BoundStructure
from neurosim.graph.wiring import Nearby

Values = NDArray[np.float64]


def propose(rule: BoundStructure, look: Look, changes: Changes) -> None:
    """Add to ``changes`` what the rule wants, given what it sees."""
    population = rule.population
    assert population is not None
    slots = look.living(population)
    rule.spread_parameters()
    _update(rule, look, population, slots, changes)
    dying = _dying(rule, look, population, slots)
    changes.kill_neurons(population, dying)
    if "births" in rule.rule.clauses:
        size = float(population.size)
        number = look.total("births", size, float(dying.size))
        n = rounded(number, look.stream("births"))
        if n:
            initial, place = rule.options.get("initial") or {}, rule.place
            at = place.draw(population, n, look.stream("place")) if isinstance(place, Nearby) else place
            changes.bear(NewNeurons(population, n, at, initial, rule.wires, look.stream("wire")))


def _update(rule: BoundStructure, look: Look, population: Population, slots: Slots, changes: Changes) -> None:
    """Work out the statements of ``update``, in order: each sees what those before it have set."""
    known: dict[str, Any] = {}
    for statement in rule.updates:
        value = look.evaluated(statement.expression, population, slots, known)
        target = statement.target
        if statement.operator != "=":
            before = known[target] if target in known else look.column(population, target)[slots]
            value = _CHANGED[statement.operator](before, value)
        known[target] = value
        if not statement.local:
            population._check_values(target, value)
    for name in dict.fromkeys(statement.target for statement in rule.updates if not statement.local):
        changes.updates.append((population, name, slots, known[name]))


_CHANGED = {"+=": np.add, "-=": np.subtract, "*=": np.multiply, "/=": np.divide}


def _dying(rule: BoundStructure, look: Look, population: Population, slots: Slots) -> Slots:
    """Who dies of ``die``, ``chance``, ``rank`` and ``surplus``."""
    said = set(rule.rule.clauses)
    if not said & {"die", "rank"}:
        return slots[:0]
    holds = np.ones(slots.size, bool)
    if "die" in said:
        holds = look.of_neurons("die", population, slots).astype(bool)
    if rule.lasting:
        held = population.columns[rule.column("held")]
        held[slots] = np.where(holds, held[slots] + 1, 0)
        holds = held[slots] >= look.needed
    if "chance" in said:
        holds = holds & (look.stream("chance").random(slots.size) < look.of_neurons("chance", population, slots))
    chosen = slots[holds]
    if "rank" not in said:
        return chosen
    size = float(population.size)
    number = rounded(look.total("surplus", size), look.stream("surplus"))
    order = np.argsort(look.of_neurons("rank", population, chosen), kind="stable")
    return chosen[np.sort(order[:number])]
