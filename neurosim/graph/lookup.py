"""From ids to slots: kernels that look many ids up in the network's table in one pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import kernel

Index = NDArray[np.int64]
Owners = NDArray[np.uint16]
Serials = NDArray[np.uint32]
SynapseIds = NDArray[np.uint64]


@kernel
def slots_of(ids: Index, owner: Owners, slot: Index, population: int, n_ids: int, out: Index) -> int:
    """Write the slot of each neuron id, -1 for what is not alive in ``population``; returns how many are not.

    ``owner`` and ``slot`` are tables by neuron id, filled up to ``n_ids``.
    """
    missing = 0
    for i in range(ids.size):
        out[i] = -1
        if 0 <= ids[i] < n_ids and owner[ids[i]] == population:
            out[i] = slot[ids[i]]
        missing += out[i] < 0
    return missing


@kernel
def rows_of(
    ids: SynapseIds, owner: Owners, slot: Index, population: int, n_ids: int, rows: Index, serials: Serials
) -> int:
    """Take synapse ids apart: the slot of each presynaptic neuron, as above, and the birth number."""
    missing = 0
    for i in range(ids.size):
        neuron = np.int64(ids[i] >> np.uint64(32))
        serials[i] = np.uint32(ids[i] & np.uint64(0xFFFFFFFF))
        rows[i] = -1
        if neuron < n_ids and owner[neuron] == population:
            rows[i] = slot[neuron]
        missing += rows[i] < 0
    return missing


@kernel
def ids_of(rows: Index, serials: Serials, id_of_slot: NDArray[np.uint32], ids: SynapseIds) -> None:
    """Put synapse ids together from presynaptic slots and birth numbers."""
    for i in range(rows.size):
        ids[i] = np.uint64(id_of_slot[rows[i]]) << np.uint64(32) | np.uint64(serials[i])
