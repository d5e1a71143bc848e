"""What a birth or a death looks like in the result file, and the topology that a list of them gives."""

from __future__ import annotations

from collections.abc import Sequence
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
        ("weight", "<f8"),
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


class Counts(NamedTuple):
    """How something grew and shrank: ``size`` at ``time`` (ms), ``births`` and ``deaths`` since the row before."""

    time: NDArray[np.float64]
    size: NDArray[np.int64]
    births: NDArray[np.int64]
    deaths: NDArray[np.int64]


Columns = dict[str, NDArray[Any]]


def counted(events: NDArray[np.void]) -> Columns:
    """Events as a table of numbers: columns ``time``, ``kind``, ``owner`` and ``n``."""
    rows, n = np.unique(events[["time", "kind", "owner"]], return_counts=True)
    return {"time": rows["time"], "kind": rows["kind"], "owner": rows["owner"], "n": n}


def counts(table: Columns, owner: int, kinds: Sequence[int], size: int, width: float) -> Counts:
    """The rows of one owner in a table of numbers, with those of one bin of ``width`` ms (0: of one time) together.

    Parameters
    ----------
    kinds : of its births and of its deaths.
    size : at the beginning.
    """
    mine = (table["owner"] == owner) & np.isin(table["kind"], kinds)
    time, died, n = table["time"][mine], table["kind"][mine] == kinds[1], table["n"][mine].astype(np.int64)
    bins = time if width == 0.0 else np.ceil(time / width - 1e-9)
    each, row = np.unique(bins, return_inverse=True)
    at = np.zeros(each.size + 1)
    np.maximum.at(at, row + 1, time)
    births, deaths = (np.zeros(each.size + 1, np.int64) for _ in range(2))
    np.add.at(births, row[~died] + 1, n[~died])
    np.add.at(deaths, row[died] + 1, n[died])
    return Counts(at, size + np.cumsum(births - deaths), births, deaths)


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
    table["weight"] = table["weight"].astype(snapshot["weight"].dtype)  # the projection's own precision
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
