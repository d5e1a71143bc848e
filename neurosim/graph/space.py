"""Who is near whom: distances, and neighbours within a radius without looking at every pair.

The index is scipy's k-d tree, loaded on first use. All lengths are um, all points have shape (n, 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.errors import UsageError

if TYPE_CHECKING:
    from neurosim.graph.population import Population, Slots

Points = NDArray[np.float64]
Index = NDArray[np.int64]

CHUNK = 2**21  # neighbours found at a time


class Neighbours(NamedTuple):
    """Neighbours of each centre: those of centre k are ``indices[indptr[k]:indptr[k + 1]]``, ascending.

    ``distance`` (um) is as long as ``indices``; a centre that is one of the points finds itself.
    """

    indptr: Index
    indices: Index
    distance: Points

    @property
    def centres(self) -> Index:
        """The centre that each neighbour belongs to, as long as ``indices``."""
        return np.repeat(np.arange(self.indptr.size - 1), np.diff(self.indptr))


def neighbours(centres: ArrayLike, points: ArrayLike, radius: float) -> Neighbours:
    """The ``points`` within ``radius`` (included) of each of ``centres``; shapes (n, 3) and (m, 3)."""
    parts = [part for _, part in chunks(centres, points, radius)]
    counts = np.concatenate([np.zeros(1, np.int64), *(np.diff(part.indptr) for part in parts)])
    indices = [part.indices for part in parts] or [np.zeros(0, np.int64)]
    distances = [part.distance for part in parts] or [np.zeros(0)]
    return Neighbours(np.cumsum(counts), np.concatenate(indices), np.concatenate(distances))


def chunks(
    centres: ArrayLike, points: ArrayLike, radius: float, about: int = CHUNK
) -> Iterator[tuple[slice, Neighbours]]:
    """As `neighbours`, some centres at a time with ``about`` so many neighbours, for what need not hold them all."""
    from scipy.spatial import cKDTree

    around, among = _points(centres), _points(points)
    if not len(around):
        return
    tree = cKDTree(among)
    ends = np.cumsum(tree.query_ball_point(around, radius, return_length=True), dtype=np.int64)
    cuts = np.searchsorted(ends, np.arange(about, ends[-1] + about, about), side="right")
    begin = 0
    for end in np.unique(np.append(np.clip(cuts, 1, len(around)), len(around))).tolist():
        part = slice(begin, end)
        found: Any = tree.query_ball_point(around[part], radius, return_sorted=True)
        counts = np.fromiter(map(len, found), np.int64, end - begin)
        indices = np.fromiter(chain.from_iterable(found), np.int64, int(counts.sum()))
        apart = distances(np.repeat(around[part], counts, axis=0), among[indices])
        yield part, Neighbours(np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]), indices, apart)
        begin = end


def distances(a: Points, b: Points) -> Points:
    """Distance (um) from each of ``a`` to the point of ``b`` beside it."""
    square = np.zeros(len(a))
    for axis in range(a.shape[1]):
        square += (a[:, axis] - b[:, axis]) ** 2
    return np.sqrt(square)


def some_distances(a: Points, b: Points, n: int = 200_000) -> Points:
    """Distances (um) of some pairs of different points, the same each time: for estimates."""
    if not len(a) or not len(b):
        return np.zeros(0)
    rng = np.random.default_rng(0)
    apart = distances(a[rng.integers(len(a), size=n)], b[rng.integers(len(b), size=n)])
    return apart[apart > 0.0]


def points_at(population: Population, slots: Slots) -> Points:
    """Positions (um) of the neurons at ``slots``, shape (n, 3); ``UsageError`` where there are none."""
    if "x" not in population.columns:
        raise UsageError(
            f"population '{population.name}' has no positions, which distances need; give them when it is made: "
            "positions=…"
        )
    return np.stack([population.columns[axis][slots] for axis in "xyz"], axis=1)


def _points(given: ArrayLike) -> Points:
    points = np.asarray(given, np.float64)
    return points if points.ndim == 2 else points.reshape(-1, 3)
