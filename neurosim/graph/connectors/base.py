"""What a connector is: a rule that yields pairs of (presynaptic, postsynaptic) indices, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UsageError
from neurosim.graph.distance_kernels import distance_kernel
from neurosim.graph.kinds import Kind, flag, parameter
from neurosim.graph.population import Population
from neurosim.graph.strides import BLOCK

Indices = NDArray[np.int64]


class Pairs(NamedTuple):
    """Indices into the ids of the two populations, and values where the connector brings its own."""

    pre: Indices
    post: Indices
    weight: NDArray[np.float64] | None = None
    delay: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Connector(Kind):
    """A connection rule; subclasses say how pairs come about.

    ``autapses`` allows a neuron to connect to itself, ``multapses`` allows several synapses of one pair.
    """

    #: Whether both populations must have positions.
    needs_positions: ClassVar[bool] = False

    def pairs(self, source: Population, target: Population, rng: np.random.Generator) -> Iterator[Pairs]:
        """Yield the pairs, always in the same order for the same generator."""
        raise UsageError(f"connector {self.name} makes no pairs.")

    def weights(self) -> Any:
        """The weights that the rule brings along (numbers or quantities), None where it brings none."""
        return None

    def expected(self, n_source: int, n_target: int, distances: Any = None) -> float:
        """Expected number of synapses between populations of these sizes (for progress and memory estimates).

        ``distances`` (um) are those of some random pairs, where there are positions.
        """
        return 0.0


def autapses() -> Any:
    """The parameter by which neurons may connect to themselves."""
    return flag("whether a neuron may connect to itself", default=True)


def multapses() -> Any:
    """The parameter by which a pair of neurons may have several synapses."""
    return flag("whether one pair may have several synapses", default=True)


def kernel() -> Any:
    """The parameter by which chances fall with distance."""
    read = lambda given, _: distance_kernel(given)  # noqa: E731
    return parameter("how the chance of a synapse falls with distance, e.g. {exponential: 100 um}", read)


def distinct(rng: np.random.Generator, rows: int, n: int, total: int) -> Indices:
    """``rows`` independent uniform samples of ``n`` different numbers below ``total``; shape (rows, n)."""
    if n > total:
        raise UsageError(f"cannot draw {n} different partners out of {total}; allow multapses or lower the number.")
    if n > total // 3:
        return rng.permuted(np.tile(np.arange(total), (rows, 1)), axis=1)[:, :n]
    sample = np.sort(rng.integers(0, total, (rows, n)), axis=1)
    while True:  # redraw repetitions: no number is favoured, so every set is equally likely
        again = np.zeros(sample.shape, bool)
        again[:, 1:] = sample[:, 1:] == sample[:, :-1]
        if not again.any():
            return sample
        sample[again] = rng.integers(0, total, int(again.sum()))
        touched = again.any(axis=1)
        sample[touched] = np.sort(sample[touched], axis=1)


def partners(
    rng: np.random.Generator, own: Indices, n: int, total: int, *, skip_self: bool, multapses: bool
) -> Indices:
    """``n`` partners below ``total`` for each neuron of ``own``, optionally never itself; shape (own.size, n)."""
    choices = total - 1 if skip_self else total
    if n and choices < 1:
        raise UsageError("there is nobody to connect to.")
    chosen = rng.integers(0, max(choices, 1), (own.size, n)) if multapses else distinct(rng, own.size, n, choices)
    if skip_self:
        chosen += chosen >= own[:, None]
    return chosen


def weight_unit(target: Population) -> str:
    """The unit of weights onto a population: its receptors agree."""
    return next((receptor.unit for receptor in target.model.receptors.values()), "")


def blocks_of(n_rows: int, row_length: float) -> Iterator[Indices]:
    """Row indices in groups of about ``BLOCK`` synapses."""
    step = max(1, int(BLOCK / max(row_length, 1.0)))
    for begin in range(0, n_rows, step):
        yield np.arange(begin, min(begin + step, n_rows))
