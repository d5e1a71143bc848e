"""Structural rules about synapses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.random import Generator

from .parts import Neuron, Population, Projection, Synapse
from .plasticity import Moment, store
from .seen import SeenNeuron, SeenPair, SeenSynapse, Totals
from .structure import Changes, Structural, in_row_order, rounded

if TYPE_CHECKING:
    from .world import World

OfNeuron = Callable[[SeenNeuron], Any]
OfPair = Callable[[SeenPair], Any]
OfSynapse = Callable[[SeenSynapse], Any]
OfAll = Callable[[Totals], float]
Pair = tuple[Projection, Neuron, Neuron]
Dying = dict[str, list[Synapse]]  # by projection

ROUNDS = 100  # after which pairs that are not to be had are given up


class Newborn(NamedTuple):
    """A synapse to be."""

    projection: Projection
    pre: Neuron
    post: Neuron
    weight: float
    delay: float


@dataclass(eq=False, kw_only=True)
class SynapseRule(Structural):
    """A rule about the synapses of projections.

    ``lottery`` is the chance of a rule for which all synapses die alike. ``counts_ages``: whether it looks at ages or
    last uses; ``looks_at_variables``: whether at variables of learning rules, which come to the present by that.
    """

    projections: Sequence[str]
    die: OfSynapse | None = None
    chance: OfSynapse | None = None
    lottery: OfAll | None = None
    rank: OfSynapse | None = None
    most_pre: OfNeuron | None = None
    most_post: OfNeuron | None = None
    offers_pre: OfNeuron | None = None
    offers_post: OfNeuron | None = None
    candidates: OfAll | None = None
    accept: OfPair | None = None
    weight: float = 1.0
    delay: float = 1.0
    autapses: bool = False
    multapses: bool = True
    counts_ages: bool = False
    looks_at_variables: bool = False

    held: dict[tuple[str, int], int] = field(init=False, default_factory=dict)  # looks in a row, by synapse

    def begin(self, world: World) -> None:
        super().begin(world)
        for projection in self.mine():
            if self.counts_ages and not projection.counts_ages:  # nobody has counted before
                projection.counts_ages = True
                for synapse in projection.synapses.values():
                    synapse.born = world.now

    def mine(self) -> list[Projection]:
        return [self.world.projections[name] for name in self.projections]

    def projections_seen(self) -> list[Projection]:
        return self.mine()

    def sources(self) -> list[Population]:
        return list(dict.fromkeys(projection.source for projection in self.mine()))

    def targets(self) -> list[Population]:
        return list(dict.fromkeys(projection.target for projection in self.mine()))

    def populations(self) -> list[Population]:
        return list(dict.fromkeys(self.sources() + self.targets()))

    def propose(self, changes: Changes) -> None:
        dying: Dying = {projection.name: [] for projection in self.mine()}
        if self.die or self.rank or self.lottery:
            dying = self._dying()
        if self.most_pre or self.most_post or self.offers_pre:
            for side, populations in (("pre", self.sources()), ("post", self.targets())):
                for population in populations:
                    self._break(side, population, dying)
        changes.dying_synapses += [synapse for synapses in dying.values() for synapse in synapses]
        newborn: list[Newborn] = []
        if self.offers_pre:
            newborn += self._joined_elements(dying)
        if self.births or self.candidates:
            newborn += self._joined_pairs(dying)
        changes.births += [partial(_join, new=new) for new in newborn]

    # -- deaths

    def _dying(self) -> Dying:
        found = {projection.name: self._found(projection) for projection in self.mine()}
        if self.surplus is None:
            return found
        assert self.rank is not None
        every = [synapse for synapses in found.values() for synapse in synapses]
        ranks = [self.rank(SeenSynapse(self, synapse)) for synapse in every]
        size = sum(len(projection.synapses) for projection in self.mine())
        number = rounded(self.surplus(Totals(self, size)), self.stream("surplus"))
        last = sorted(range(len(every)), key=lambda k: (ranks[k], k))[:number]
        chosen = {id(every[k]) for k in last}
        return {name: [s for s in synapses if id(s) in chosen] for name, synapses in found.items()}

    def _found(self, projection: Projection) -> list[Synapse]:
        """Those for which the condition holds, and has held for long enough, and whom chance has hit."""
        synapses = in_row_order(projection)
        if self.looks_at_variables:
            for synapse in synapses:
                store(synapse, Moment(synapse, self.world.now), self.world.now)
        random = self.stream(f"chance {projection.name}")
        if self.lottery is not None:
            return [synapses[k] for k in hits(len(synapses), self.lottery(Totals(self, len(synapses))), random)]
        found = []
        for synapse in synapses:
            holds = self.die is None or bool(self.die(SeenSynapse(self, synapse)))
            key = projection.name, synapse.id
            self.held[key] = self.held.get(key, 0) + 1 if holds else 0
            if self.held[key] >= (self.looks() if self.lasting else 1):
                found.append(synapse)
        if self.chance is None:
            return found
        draws = random.random(len(found))
        return [s for s, draw in zip(found, draws, strict=True) if draw < self.chance(SeenSynapse(self, s))]

    # -- elements

    def _break(self, side: str, population: Population, dying: Dying) -> None:
        """Random synapses of neurons that have more than they may on one side break."""
        clauses = [clause for clause in (f"most_{side}", f"offers_{side}") if getattr(self, clause) is not None]
        if not clauses:
            return
        excess = {
            neuron.id: self._connected(side, neuron, dying) - min(self._number(clause, neuron) for clause in clauses)
            for neuron in population.in_order()
        }
        gone = {id(synapse) for synapses in dying.values() for synapse in synapses}
        candidates = [
            synapse
            for projection in self.mine()
            for synapse in in_row_order(projection)
            if excess.get(getattr(synapse, side).id, 0) > 0 and id(synapse) not in gone
        ]
        keys = self.stream(f"break_{side} {population.name}").random(len(candidates)).tolist()
        for neuron, number in excess.items():
            own = [k for k, synapse in enumerate(candidates) if getattr(synapse, side).id == neuron]
            for k in sorted(own, key=lambda k: keys[k])[: max(number, 0)]:
                dying[candidates[k].projection.name].append(candidates[k])

    def _number(self, clause: str, neuron: Neuron) -> int:
        return int(max(getattr(self, clause)(SeenNeuron(self, neuron)), 0.0))

    def _connected(self, side: str, neuron: Neuron, dying: Dying) -> int:
        """Synapses that stay, of a neuron on one side."""
        gone = {id(synapse) for synapses in dying.values() for synapse in synapses}
        return sum(
            getattr(synapse, side) is neuron and id(synapse) not in gone
            for projection in self.mine()
            for synapse in projection.synapses.values()
        )

    def _joined_elements(self, dying: Dying) -> list[Newborn]:
        """Vacant elements of both sides join at random."""
        random = self.stream("offers")
        axons = self._vacant("pre", self.sources(), dying)
        dendrites = self._vacant("post", self.targets(), dying)
        if len(axons) > len(dendrites):  # each of the fewer joins one of the others
            pairs = [(axons[k], dendrite) for k, dendrite in self._numbered(len(axons), dendrites, random)]
        else:
            pairs = [(axon, dendrites[k]) for k, axon in self._numbered(len(dendrites), axons, random)]
        joined: list[Pair] = []
        for projection in self.mine():
            ends = projection.source, projection.target
            mine = [(projection, pre, post) for pre, post in pairs if (pre.population, post.population) == ends]
            joined += self._allowed(sorted(mine, key=lambda pair: pair[1].id))
        return [Newborn(projection, pre, post, self.weight, self.delay) for projection, pre, post in joined]

    @staticmethod
    def _numbered(n: int, fewer: list[Neuron], random: Generator) -> list[tuple[int, Neuron]]:
        """A number below ``n`` for each of ``fewer``, no number twice."""
        return list(zip(random.choice(n, len(fewer), replace=False).tolist(), fewer, strict=True))

    def _vacant(self, side: str, populations: list[Population], dying: Dying) -> list[Neuron]:
        """Each neuron as often as it has vacant elements."""
        vacant: list[Neuron] = []
        for population in populations:
            for neuron in population.in_order():
                free = self._number(f"offers_{side}", neuron) - self._connected(side, neuron, dying)
                vacant += [neuron] * max(free, 0)
        return vacant

    # -- births

    def _joined_pairs(self, dying: Dying) -> list[Newborn]:
        """Random pairs of all sources and all targets; those between which there is no projection come to nothing."""
        clause = "births" if self.births else "candidates"
        count = self.births or self.candidates
        assert count is not None
        n_pre, n_post = (sum(len(of.neurons) for of in side) for side in (self.sources(), self.targets()))
        size = sum(len(projection.synapses) for projection in self.mine())
        totals = Totals(self, size, sum(map(len, dying.values())), n_pre, n_post)
        random = self.stream(clause)
        n = rounded(count(totals), random)
        pairs = self._drawn(n, random) if self.births else self._accepted(n, random)
        return [
            Newborn(projection, pre, post, self.weight, self.delay)
            for projection in self.mine()
            for of, pre, post in pairs
            if of is projection
        ]

    def _drawn(self, n: int, random: Generator) -> list[Pair]:
        pairs = self._pairs(n, random)
        for _ in range(ROUNDS):
            if len(pairs) == n:
                break
            pairs = self._allowed(pairs + self._pairs(n - len(pairs), random))
        return pairs

    def _accepted(self, n: int, random: Generator) -> list[Pair]:
        assert self.accept is not None
        pairs = self._pairs(n, random)
        draws = random.random(len(pairs)).tolist()
        return [pair for pair, draw in zip(pairs, draws, strict=True) if draw < self.accept(SeenPair(self, *pair))]

    def _pairs(self, n: int, random: Generator) -> list[Pair]:
        """Random pairs, by source, less those that may not be joined."""
        sources, targets = (
            [neuron for population in side for neuron in population.in_order()]
            for side in (self.sources(), self.targets())
        )
        if n == 0 or not sources or not targets:
            return []
        pre = sorted(random.integers(0, len(sources), n).tolist())
        post = random.integers(0, len(targets), n).tolist()
        return self._allowed(
            [
                (projection, sources[i], targets[j])
                for i, j in zip(pre, post, strict=True)
                for projection in self.mine()
                if sources[i].population is projection.source and targets[j].population is projection.target
            ]
        )

    def _allowed(self, pairs: list[Pair]) -> list[Pair]:
        """Those that may be joined, in their order; where a pair may be joined once only, its first appearance."""
        taken = {
            (projection.name, synapse.pre.id, synapse.post.id)
            for projection in self.mine()
            for synapse in projection.synapses.values()
        }
        allowed = []
        for projection, pre, post in pairs:
            if pre is post and not self.autapses:
                continue
            if not self.multapses:
                if (projection.name, pre.id, post.id) in taken:
                    continue
                taken.add((projection.name, pre.id, post.id))
            allowed.append((projection, pre, post))
        return allowed


def hits(n: int, chance: float, random: Generator) -> list[int]:
    """Which of ``n`` are hit, each with the same chance. Between hits a geometric number of them is missed."""
    if chance >= 1.0:
        return list(range(n))
    found: list[int] = []
    reached = -1
    while chance > 0.0 and reached < n:
        expected = (n - reached) * chance
        for draw in random.standard_exponential(int(expected + 4.0 * math.sqrt(expected)) + 8).tolist():
            reached += int(min(draw / -math.log1p(-chance), n)) + 1
            found.append(reached)
    return [k for k in found if k < n]


def _join(world: World, new: Newborn) -> None:
    """A synapse is born, unless one of its neurons has died in the meantime."""
    if new.pre.alive and new.post.alive:
        world.bear_synapse(new.projection.name, new.pre.id, new.post.id, new.weight, new.delay)
