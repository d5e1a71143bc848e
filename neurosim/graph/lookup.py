"""From ids to slots: kernels that look many ids up in the network's table in one pass."""

from __future__ import annotations

import numpy as np

from neurosim.compiled import kernel


@kernel
def slots_of(ids, owner, slot, population, n_ids, out):  # type: ignore[no-untyped-def]
    """Write the slot of each neuron id (int64), -1 for what is not alive in ``population``; returns how many are not.

    ``owner`` (uint16) and ``slot`` (int64) are tables by neuron id, filled up to ``n_ids``.
    """
    missing = 0
    for i in range(ids.size):
        out[i] = -1
        if 0 <= ids[i] < n_ids and owner[ids[i]] == population:
            out[i] = slot[ids[i]]
        missing += out[i] < 0
    return missing


@kernel
def rows_of(ids, owner, slot, population, n_ids, rows, serials):  # type: ignore[no-untyped-def]
    """Take synapse ids (uint64) apart: the slot of each presynaptic neuron, as above, and the birth number."""
    missing = 0
    for i in range(ids.size):
        neuron = np.int64(ids[i] >> np.uint64(32))
        serials[i] = np.uint32(ids[i] & np.uint64(0xFFFFFFFF))
        rows[i] = -1
        if neuron < n_ids and owner[neuron] == population:
            rows[i] = slot[neuron]
        missing += rows[i] < 0
    return missing
