"""What a rule about synapses proposes: who dies, and who is joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from neurosim.engine.structure.changes import Changes
from neurosim.engine.structure.elements import Elements
from neurosim.engine.structure.looks import Look, rounded
from neurosim.engine.structure.partners import Partners
from neurosim.engine.structure.survey import Found, Survey, places_at
from neurosim.expressions.tree import Constant
from neurosim.graph.population import Slots
from neurosim.graph.projection import Projection
from neurosim.graph.strides import hits
from neurosim.graph.structure import BoundStructure

Index = NDArray[np.int64]
Dying = dict[str, tuple[Slots, Index]]  # by projection: rows and places, ascending along the order of ids


def propose(rule: BoundStructure, look: Look, surveys: Mapping[str, Survey], changes: Changes) -> None:
    """Add to ``changes`` what the rule wants, given what it sees."""
    said = set(rule.rule.clauses)
    dying = _dying(rule, look, surveys, said) if said & {"die", "rank"} else {}
    elements = Elements(rule, look, dying) if said & {"most_pre", "most_post", "offers_pre"} else None
    if elements is not None:
        dying = elements.dying
    for projection in rule.projections:
        if projection.name in dying:
            changes.kill_synapses(projection, *dying[projection.name])
    weight, delay = rule.options.get("weight"), rule.options.get("delay")
    if elements is not None and "offers_pre" in said:
        for projection, rows, posts in elements.joined():
            changes.join(projection, rows, posts, weight, delay)
    if "births" in said or "candidates" in said:
        for projection, rows, posts in _joined(rule, look, dying):
            changes.join(projection, rows, posts, weight, delay)


# -- deaths ---------------------------------------------------------------------------------------------------------


def _dying(rule: BoundStructure, look: Look, surveys: Mapping[str, Survey], said: set[str]) -> Dying:
    """Who dies of ``die``, ``chance``, ``rank`` and ``surplus``; ranks are compared across projections."""
    found: dict[str, Found] = {}
    for projection in rule.projections:
        one = _thinned(rule, projection, look) if is_lottery(rule, projection) else surveys[projection.name].find(look)
        if "chance" in said and not is_lottery(rule, projection):
            chosen = look.stream(f"chance {projection.name}").random(one.places.size) < one.chance
            rank = one.rank[chosen] if "rank" in said else one.rank
            one = Found(one.rows[chosen], one.places[chosen], rank, one.chance[chosen])
        found[projection.name] = one
    if "rank" in said:
        size = float(sum(projection.size for projection in rule.projections))
        number = look.total("surplus", size, **_about(rule))
        return _last(found, rounded(number, look.stream("surplus")))
    return {name: (one.rows, one.places) for name, one in found.items()}


def is_lottery(rule: BoundStructure, projection: Projection) -> bool:
    """Whether every synapse dies with the same chance, so that nobody need look at those that live."""
    die = rule.expressions.get(("die", projection.name))
    chance = rule.expressions.get(("chance", projection.name))
    if die is None or chance is None or rule.lasting or "rank" in rule.rule.clauses:
        return False
    same = chance.names <= set(rule.units) | {"every", "time", "size"}
    return isinstance(die.tree, Constant) and die.tree.value is True and same


def _thinned(rule: BoundStructure, projection: Projection, look: Look) -> Found:
    """Synapses drawn with one chance: the gaps between them are geometric, so the others cost nothing."""
    expression = rule.expressions["chance", projection.name]
    values = {**look.always, **rule.shared(expression.names & set(rule.units)), "size": float(projection.size)}
    chance = float(expression.evaluate({name: values[name] for name in expression.names}))
    positions = hits(projection.size, chance, look.stream(f"chance {projection.name}"))
    rows, places = places_at(projection, positions)
    return Found(rows, places, np.zeros(0), np.zeros(0))


def _last(found: Mapping[str, Found], number: int) -> Dying:
    """The ``number`` with the smallest ranks; of equals those that come first."""
    ranks = np.concatenate([np.zeros(0), *(one.rank for one in found.values())])
    number = min(number, ranks.size)
    chosen = np.zeros(ranks.size, bool)
    if number:
        limit = np.partition(ranks, number - 1)[number - 1]
        chosen = ranks < limit
        chosen[np.flatnonzero(ranks == limit)[: number - int(chosen.sum())]] = True
    dying, begin = {}, 0
    for name, one in found.items():
        mine = chosen[begin : begin + one.places.size]
        dying[name] = (one.rows[mine], one.places[mine])
        begin += one.places.size
    return dying


def _about(rule: BoundStructure) -> dict[str, float]:
    """What counts may read of a rule's projections: neurons on both sides, and memory."""
    size = sum(projection.size for projection in rule.projections)
    return {
        "n_pre": float(sum(population.size for population in rule.sources)),
        "n_post": float(sum(population.size for population in rule.targets)),
        "bytes_per_synapse": sum(projection.store.nbytes for projection in rule.projections) / max(size, 1),
    }


# -- births ---------------------------------------------------------------------------------------------------------


def _joined(rule: BoundStructure, look: Look, dying: Dying) -> Iterator[tuple[Projection, Slots, Slots]]:
    """Random pairs to be joined, projection by projection."""
    clause = "births" if "births" in rule.rule.clauses else "candidates"
    size = float(sum(projection.size for projection in rule.projections))
    deaths = float(sum(places.size for _, places in dying.values()))
    stream, partners = look.stream(clause), Partners(rule, look)
    n = rounded(look.total(clause, size, deaths, **_about(rule)), stream)
    pairs = partners.drawn(n, stream) if clause == "births" else partners.accepted(n, stream)
    for number, projection in enumerate(rule.projections):
        mine = pairs if len(rule.projections) == 1 else pairs.take(pairs.of == number)
        yield projection, mine.rows, mine.posts
