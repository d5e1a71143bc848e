"""Rings of arrivals: for each receptor variable, the sums that are due at each neuron in the coming steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.graph.network import Network
from neurosim.graph.population import Population, Slots
from neurosim.memory import zeros

Ring = NDArray[Any]


class Rings:
    """Arrivals in flight, float64 of shape (length, slots) per population and receptor variable.

    The place of time step k is ``k mod length``; a length is a power of two, at least the longest delay, and at least
    an epoch where there are inputs. When
    ``audit`` is set, ``tallies`` count arrivals in the same layout.
    """

    def __init__(self, network: Network, audit: bool) -> None:
        self.network = network
        self.audit = audit
        self.sums: dict[tuple[str, str], Ring] = {}
        self.tallies: dict[tuple[str, str], Ring] = {}
        self.dropped = 0

    def prepare(self, step: int, epoch: int) -> None:
        """Make every ring that something can arrive in, long enough for the delays and for an epoch's inputs."""
        for key, length in self._lengths(epoch).items():
            population = self.network.populations[key[0]]
            for rings, dtype in self._kinds():
                ring = rings.get(key)
                if ring is None:
                    rings[key] = zeros((length, population.n_slots), dtype)
                elif ring.shape[0] < length:
                    rings[key] = _lengthened(ring, length, step)

    def _kinds(self) -> list[tuple[dict[tuple[str, str], Ring], type]]:
        return [(self.sums, np.float64), *([(self.tallies, np.uint32)] if self.audit else [])]

    def _lengths(self, epoch: int) -> dict[tuple[str, str], int]:
        """Power-of-two lengths for the (population, variable) pairs that need a ring."""
        longest: dict[tuple[str, str], int] = {}
        for projection in self.network.projections.values():
            if projection.grid.high >= 1:
                variable = projection.target.model.receptors[projection.receptor].variable
                key = projection.target.name, variable
                longest[key] = max(longest.get(key, 1), int(projection.grid.high))
        for drive in self.network.inputs.values():
            for population, receptor in drive.receptors.items():
                variable = self.network.populations[population].model.receptors[receptor].variable
                longest[population, variable] = max(longest.get((population, variable), 1), epoch)
        return {key: 1 << (length - 1).bit_length() for key, length in longest.items()}

    def forget(self, population: Population, slots: Slots) -> None:
        """Drop what is in flight to neurons that have died."""
        for (name, _), ring in self.sums.items():
            if name == population.name:
                ring[:, slots] = 0.0
        for (name, _), tally in self.tallies.items():
            if name == population.name:
                self.dropped += int(tally[:, slots].sum())
                tally[:, slots] = 0

    def move(self, population: Population, old: Slots, new: Slots) -> None:
        """Neurons moved from slots ``old`` to ``new``."""
        for rings, _ in self._kinds():
            for key, ring in rings.items():
                if key[0] == population.name:
                    moved = zeros((ring.shape[0], population.n_slots), ring.dtype)
                    moved[:, new] = ring[:, old]
                    rings[key] = moved

    def in_flight(self) -> int:
        """Arrivals that are still to come (audit mode)."""
        return sum(int(tally.sum()) for tally in self.tallies.values())


def _lengthened(ring: Ring, length: int, step: int) -> Ring:
    grown = zeros((length, ring.shape[1]), ring.dtype)
    for k in range(step + 1, step + 1 + ring.shape[0]):
        grown[k % length] = ring[k % ring.shape[0]]
    return grown
