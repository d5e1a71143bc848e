"""Drawing partners by distance, exactly, without looking at every pair.

The points of both sides are sorted into the cells of one lattice. No pair of points of two cells is nearer than the
cells are, so the kernel at that distance bounds the pair's. Pairs are proposed by the bound, and accepted with the
ratio of the kernel to it: what is left has the kernel's distribution to the bit of the arithmetic. Pairs of cells
at one distance share a bound and are walked through together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from neurosim.errors import UsageError
from neurosim.graph.distance_kernels import DistanceKernel
from neurosim.graph.pair_kernels import guide, propose, take, walk
from neurosim.graph.population import Population
from neurosim.graph.space import Index, Points, chunks, points_at
from neurosim.graph.strides import BLOCK, strides

_FINE = 8  # cells within the reach of a kernel: more, and bounds are tighter but cells more
_CROWD = 4  # points in a cell, on average, below which cells are not worth their number
_MOST = 2**19  # cells along an axis
_ROUNDS = 100  # of proposing partners, before those within reach are listed
_TABLE = 2**20  # entries of a table of cells by offsets
_LATTICE = 2**23  # numbers of cells that have a table
_SHARES = 512  # where to begin to look for an entry
_EDGE = 1e-9  # relative: what rounding may do to distances


class _Sorted(NamedTuple):
    """Points by cell: members of cell k are ``order[first[k]:first[k] + members[k]]``; cells ascend by ``cell``."""

    points: Points
    order: Index
    cell: Index
    first: Index
    members: Index


class Proximity:
    """Neurons of one population beside those of another, ready to be paired by a kernel."""

    def __init__(self, own: Population, others: Population, kernel: DistanceKernel) -> None:
        self.own, self.others, self.kernel = own, others, kernel
        self.mine = points_at(own, own.slots(own.ids))
        self.theirs = points_at(others, others.slots(others.ids))
        if not self.mine.size or not self.theirs.size:
            return
        low = np.minimum(self.mine.min(axis=0), self.theirs.min(axis=0))
        extent = np.maximum(self.mine.max(axis=0), self.theirs.max(axis=0)) - low
        side = max(kernel.reach / _FINE, float(extent.max()) / _MOST)
        while side < kernel.reach and self._crowded(low, side) < _CROWD:
            side *= 1.25
        shape = (extent / side).astype(np.int64) + 1
        self._set_offsets(side, shape)
        self.a, self.b = (self._sorted(points, low, side) for points in (self.mine, self.theirs))
        self.table = np.zeros(0, np.int32)  # partners' cells by number, where the lattice is not mostly empty
        if math.prod(self.across.tolist()) <= _LATTICE:
            self.table = np.full(math.prod(self.across.tolist()), -1, np.int32)
            self.table[self.b.cell] = np.arange(self.b.cell.size)

    def _crowded(self, low: Points, side: float) -> float:
        cells = (np.unique(((p - low) / side).astype(np.int64), axis=0) for p in (self.mine, self.theirs))
        return min(len(p) / len(c) for p, c in zip((self.mine, self.theirs), cells, strict=True))

    def _set_offsets(self, side: float, shape: Index) -> None:
        """Where partners' cells may stand, from near to far: as steps between cell numbers, each with its bound."""
        far = np.minimum(math.ceil(self.kernel.reach / side) + 1, shape - 1)
        self.margin, self.across = far, shape + 2 * far  # a margin, so that no step leads around a corner
        offsets = np.stack(np.meshgrid(*(np.arange(-k, k + 1) for k in far), indexing="ij"), axis=-1).reshape(-1, 3)
        square = (np.maximum(np.abs(offsets) - 1, 0) ** 2).sum(axis=1)
        within = side * np.sqrt(square) <= self.kernel.reach * (1.0 + _EDGE)
        offsets, square = offsets[within], square[within]
        order = np.argsort(square, kind="stable")
        self.steps = self._number(offsets[order])
        apart = side * np.sqrt(square[order]) * (1.0 - _EDGE)
        self.bounds = self.kernel(np.minimum(apart, self.kernel.reach))
        self.classes = np.append(np.unique(square[order], return_index=True)[1], order.size)

    def _number(self, cells: Index) -> Index:
        return np.asarray((cells[:, 0] * self.across[1] + cells[:, 1]) * self.across[2] + cells[:, 2])

    def _sorted(self, points: Points, low: Points, side: float) -> _Sorted:
        numbers = self._number(((points - low) / side).astype(np.int64) + self.margin)
        order = np.argsort(numbers, kind="stable")
        cell, first, count = np.unique(numbers[order], return_index=True, return_counts=True)
        return _Sorted(points[order], order, cell, first, count)

    def _cells_at(self, cells: Index, steps: Index) -> Index:
        """Partners' cells ``steps`` away from ``cells`` of ours: shape (cells, steps), -1 where there is none."""
        wanted = cells[:, None] + steps
        if self.table.size:
            return np.asarray(self.table[wanted], np.int64)
        found = np.searchsorted(self.b.cell, wanted)
        found[found == self.b.cell.size] = 0
        found[self.b.cell[found] != wanted] = -1
        return found

    # -- each pair by itself ------------------------------------------------------------------------------

    def bernoulli(self, p: float, rng: np.random.Generator) -> Iterator[tuple[Index, Index]]:
        """Pairs (own, other), each of them with probability p·kernel(distance), independently."""
        if not self.mine.size or not self.theirs.size or p == 0.0:
            return
        for begin, end in zip(self.classes[:-1], self.classes[1:], strict=True):
            bound = float(self.bounds[begin])
            rows = max(1, _TABLE // int(end - begin))
            for at in range(0, self.a.cell.size, rows):
                cells = self._cells_at(self.a.cell[at : at + rows], self.steps[begin:end])
                ours, column = np.nonzero(cells >= 0)
                theirs = cells[ours, column]
                ours += at
                total = int((self.a.members[ours] * self.b.members[theirs]).sum())
                for visited in strides(rng, p * bound, total):
                    i, j, apart = np.empty_like(visited), np.empty_like(visited), np.empty(visited.size)
                    walk(
                        visited, ours, theirs, self.a.first, self.a.members, self.b.first, self.b.members,
                        self.a.points, self.b.points, i, j, apart,
                    )  # fmt: skip
                    accepted = rng.random(i.size) * bound < self.kernel(apart)
                    yield self.a.order[i[accepted]], self.b.order[j[accepted]]

    # -- so many for each -----------------------------------------------------------------------------------

    def partners(
        self, n: int, rng: np.random.Generator, *, skip_self: bool, multapses: bool
    ) -> Iterator[tuple[Index, Index]]:
        """Pairs (own, other): ``n`` for each of our neurons, drawn in proportion to the kernel."""
        if not self.mine.size or n == 0:
            return
        if not self.theirs.size:
            raise UsageError("there is nobody to connect to.")
        rows = max(1, min(_TABLE // self.steps.size, BLOCK // n // max(1, len(self.mine) // self.a.cell.size)))
        for at in range(0, self.a.cell.size, rows):
            begin = int(self.a.first[at])
            end = int(self.a.first[at + rows]) if at + rows < self.a.cell.size else len(self.mine)
            places = self._propose(slice(at, at + rows), begin, end, n, rng, skip_self, multapses)
            own = self.a.order[begin:end]
            chosen = np.where(places >= 0, self.b.order[places], -1)
            short = np.flatnonzero((chosen < 0).any(axis=1))
            if short.size:
                chosen[short] = self._list(own[short], chosen[short], rng, skip_self, multapses)
            yield np.repeat(own, n), chosen.ravel()

    def _propose(
        self, cells: slice, begin: int, end: int, n: int, rng: np.random.Generator, skip_self: bool, multapses: bool
    ) -> Index:
        """Partners of our sorted points from ``begin`` to ``end``, by place; -1 where none was accepted in time."""
        near = self._cells_at(self.a.cell[cells], self.steps)
        weights = np.where(near >= 0, self.b.members[near], 0) * self.bounds
        sums, begins = np.cumsum(weights, axis=1), np.empty((len(near), _SHARES), np.int64)
        guide(sums, begins)
        row_of = np.repeat(np.arange(len(near)), self.a.members[cells])
        chosen = np.full((end - begin, n), -1, np.int64)
        short = np.arange(end - begin)
        for _ in range(_ROUNDS):
            missing = int(np.count_nonzero(chosen[short] < 0))
            if not missing:
                break
            places, entries, apart = np.empty(missing, np.int64), np.empty(missing, np.int64), np.empty(missing)
            uniform = rng.random((missing, 3))
            propose(
                chosen, short, row_of, self.a.points[begin:end], self.b.points, self.a.order[begin:end], self.b.order,
                near, sums, begins, self.b.first, self.b.members, uniform, skip_self, places, entries, apart,
            )  # fmt: skip
            accepted = uniform[:, 2] * self.bounds[entries] < self.kernel(apart)
            take(chosen, short, places, accepted, not multapses)
            short = short[(chosen[short] < 0).any(axis=1)]
        return chosen

    def _list(
        self, own: Index, chosen: Index, rng: np.random.Generator, skip_self: bool, multapses: bool
    ) -> Index:
        """Complete the partners of a few neurons by weighing all that are within reach."""
        for part, found in chunks(self.mine[own], self.theirs, self.kernel.reach):
            weights = self.kernel(found.distance)
            if skip_self:
                weights[own[part][found.centres] == found.indices] = 0.0
            for k, neuron in enumerate(own[part]):
                inside = slice(found.indptr[k], found.indptr[k + 1])
                row = chosen[part.start + k]
                row[:] = self._completed(row, found.indices[inside], weights[inside], int(neuron), rng, multapses)
        return chosen

    def _completed(
        self, row: Index, others: Index, weights: Points, neuron: int, rng: np.random.Generator, multapses: bool
    ) -> Index:
        missing = int((row < 0).sum())
        weights = weights if multapses else np.where(np.isin(others, row), 0.0, weights)
        possible = np.flatnonzero(weights > 0.0)
        if possible.size < (1 if multapses else missing):
            raise self._too_few(neuron, row.size, row.size - missing + possible.size, multapses)
        if multapses:
            sums = np.cumsum(weights[possible])
            drawn = np.searchsorted(sums, rng.random(missing) * sums[-1], side="right")
            drawn = np.minimum(drawn, possible.size - 1)
        else:  # Efraimidis and Spirakis, doi:10.1016/j.ipl.2005.11.003: as if drawn one after the other
            drawn = np.argsort(rng.standard_exponential(possible.size) / weights[possible])[:missing]
        return np.concatenate([row[row >= 0], others[possible[drawn]]])

    def _too_few(self, neuron: int, wanted: int, there: int, multapses: bool) -> UsageError:
        who = f"neuron {self.own.ids[neuron]} of '{self.own.name}'"
        where = f"of '{self.others.name}' within {self.kernel.reach:.4g} um, the reach of the kernel"
        if multapses:
            return UsageError(f"{who} has nobody {where}.")
        return UsageError(f"{who} wants {wanted} different partners; there are {there} {where}.")
