"""Kernels of `neurosim.graph.proximity`: who is proposed to whom, and who is taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import kernel

Index = NDArray[np.int64]
Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]


@kernel
def walk(
    visited: Index, ours: Index, theirs: Index, a_first: Index, a_members: Index, b_first: Index, b_members: Index,
    a_points: Floats, b_points: Floats, i_out: Index, j_out: Index, distance: Floats,
) -> None:  # fmt: skip
    """Turn numbers of pairs into pairs: those of cells ``ours[0]``, ``theirs[0]`` are numbered first, and so on."""
    k, begin = 0, 0
    end = a_members[ours[0]] * b_members[theirs[0]]
    for m in range(visited.size):
        while visited[m] >= end:
            k += 1
            begin, end = end, end + a_members[ours[k]] * b_members[theirs[k]]
        width = b_members[theirs[k]]
        i = a_first[ours[k]] + (visited[m] - begin) // width
        j = b_first[theirs[k]] + (visited[m] - begin) % width
        square = 0.0
        for axis in range(3):
            square += (a_points[i, axis] - b_points[j, axis]) ** 2
        i_out[m], j_out[m], distance[m] = i, j, np.sqrt(square)


@kernel
def guide(sums: Floats, entries: Index) -> None:
    """Where to begin to look: in each row of ascending ``sums`` (rows, entries), the first above k/n of the last, for
    k from 0 to n-1; shape (rows, n).
    """
    for row in range(sums.shape[0]):
        at, last = 0, sums.shape[1] - 1
        for k in range(entries.shape[1]):
            while at < last and sums[row, at] <= k / entries.shape[1] * sums[row, last]:
                at += 1
            entries[row, k] = at


@kernel
def propose(
    chosen: Index, short: Index, row_of: Index, a_points: Floats, b_points: Floats, a_order: Index, b_order: Index,
    cells: Index, sums: Floats, begins: Index, b_first: Index, b_members: Index, uniform: Floats, skip_self: bool,
    places: Index, entries: Index, distance: Floats,
) -> None:  # fmt: skip
    """Propose a partner for every -1 of ``chosen`` (neurons, partners): a cell by its weight, then any of its members.

    ``short`` are the neurons that lack some. ``sums`` (rows, entries) are the weights of ``cells`` added up, ``begins``
    is their guide, ``row_of`` tells a neuron's row. Where nobody can be proposed the distance is infinite.
    """
    m = 0
    for i in short:
        row, last = row_of[i], sums.shape[1] - 1
        for k in range(chosen.shape[1]):
            if chosen[i, k] >= 0:
                continue
            point = uniform[m, 0] * sums[row, last]
            entry = begins[row, np.int64(uniform[m, 0] * begins.shape[1])]
            while entry < last and sums[row, entry] <= point:
                entry += 1
            cell = cells[row, entry]
            places[m], entries[m], distance[m] = 0, entry, np.inf
            if cell >= 0:
                j = b_first[cell] + np.int64(uniform[m, 1] * b_members[cell])
                if not (skip_self and a_order[i] == b_order[j]):
                    square = 0.0
                    for axis in range(3):
                        square += (a_points[i, axis] - b_points[j, axis]) ** 2
                    places[m], distance[m] = j, np.sqrt(square)
            m += 1


@kernel
def take(chosen: Index, short: Index, places: Index, accepted: Truths, once: bool) -> None:
    """Put the accepted into the places they were proposed for; with ``once`` only those who are not there yet."""
    m = 0
    for i in short:
        for k in range(chosen.shape[1]):
            if chosen[i, k] >= 0:
                continue
            wanted = accepted[m]
            if wanted and once:
                for other in range(chosen.shape[1]):
                    if chosen[i, other] == places[m]:
                        wanted = False
                        break
            if wanted:
                chosen[i, k] = places[m]
            m += 1
