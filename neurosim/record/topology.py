"""What a birth or a death looks like in the result file, and the topology that a list of them gives."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# The file's own layout: it stays when the network's log changes. ``owner`` is the index of the population
# (neurons) or projection (synapses) in order of declaration; a neuron's ``id`` is its id, and its pre,
# post, weight, delay are 0.
HISTORY = np.dtype(
    [
        ("time", "<f8"),  # ms
        ("kind", "u1"),
        ("owner", "<u2"),
        ("id", "<u8"),
        ("pre", "<u4"),
        ("post", "<u4"),
        ("weight", "<f4"),
        ("delay", "<f8"),  # ms
    ]
)


class Kind(IntEnum):
    """What happened."""

    NEURON_BIRTH = 0
    NEURON_DEATH = 1
    SYNAPSE_BIRTH = 2
    SYNAPSE_DEATH = 3


class EdgeTable(NamedTuple):
    """The synapses of one projection at one time, ascending by id (by source neuron, then by birth).

    ``since`` and ``delay_since`` say from what time (ms) each weight and each delay is: the snapshot, the
    birth, or the last sample that saw it.
    """

    id: NDArray[np.uint64]
    pre: NDArray[np.uint32]
    post: NDArray[np.uint32]
    weight: NDArray[np.floating[Any]]
    delay: NDArray[np.float64]
    since: NDArray[np.float64]
    delay_since: NDArray[np.float64]


Columns = dict[str, NDArray[Any]]


def alive(initial: NDArray[Any], births: NDArray[Any], deaths: NDArray[Any]) -> NDArray[Any]:
    """Ids that are in ``initial`` or ``births`` and not in ``deaths``, ascending.

    No id is ever used twice, so sets suffice: the order of the events does not matter, and an event that
    the snapshot knew already changes nothing.
    """
    born = np.union1d(initial, births.astype(initial.dtype))
    return born[_outlived(born, deaths)]


def edges(snapshot: Columns, events: NDArray[np.void], samples: list[Columns]) -> EdgeTable:
    """The synapses that the first snapshot and the events leave, with their last known weights and delays.

    Parameters
    ----------
    snapshot : columns id, pre, post, weight, delay and time.
    events : HISTORY records of this projection, up to the time that is asked for.
    samples : columns time, id and weight and/or delay, each ascending in time; where two know the same synapse at
        the same time, the later in the list is right.
    """
    born = events[events["kind"] == Kind.SYNAPSE_BIRTH]
    columns = {
        name: np.concatenate([snapshot[name], born[name]]) for name in ("id", "pre", "post", "weight", "delay", "time")
    }
    ids, first = np.unique(columns["id"], return_index=True)
    kept = first[_outlived(ids, events["id"][events["kind"] == Kind.SYNAPSE_DEATH])]
    table = {name: values[kept] for name, values in columns.items()}
    weight, since = _latest(table, "weight", samples)
    delay, delay_since = _latest(table, "delay", samples)
    return EdgeTable(table["id"], table["pre"], table["post"], weight, delay, since, delay_since)


def _outlived(ids: NDArray[Any], deaths: NDArray[Any]) -> NDArray[np.bool_]:
    """Which of the ascending ``ids`` are not among the ``deaths`` (much faster than `numpy.isin`)."""
    living = np.ones(ids.size, np.bool_)
    if ids.size:
        dead = np.sort(deaths.astype(ids.dtype))  # sorted look-ups walk through memory instead of leaping
        place = np.minimum(np.searchsorted(ids, dead), ids.size - 1)
        living[place[ids[place] == dead]] = False
    return living


def _latest(table: Columns, variable: str, samples: list[Columns]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The last recorded values of ``variable`` for the synapses of ``table`` (ascending ids), and their
    times."""
    values, since = table[variable].copy(), table["time"].astype(np.float64)
    ids = table["id"]
    for sample in samples:
        if variable not in sample or not ids.size:
            continue
        place = np.minimum(np.searchsorted(ids, sample["id"]), ids.size - 1)
        known = (ids[place] == sample["id"]) & (sample["time"] >= since[place]) & ~np.isnan(sample[variable])
        # Assignment through repeated indices keeps the last, and a sample is ascending in time.
        values[place[known]] = sample[variable][known]
        since[place[known]] = sample["time"][known]
    return values, since
