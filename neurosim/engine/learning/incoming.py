"""Lists of the synapses onto each neuron, and queues of arrivals: what it takes to learn without delay.

It pays where a projection is small enough to stay at hand in the caches and has not been edited for a while: then its
synapses are touched by every event as it happens (``prompt.py``), else when their source fires (``passes.py``). When
it changes from one to the other depends on how fast a run goes; what comes out does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import address_of, array_at, by_address, record_at
from neurosim.graph.projection import Projection
from neurosim.graph.row_kernels import ROWS, row_end
from neurosim.memory import WORDS, sparse, zeros

LARGEST = 2**18  # synapses; more do not stay in the caches, and to come back to each for every event takes longer
_QUEUES = 2**28  # bytes of address space for the queues; only what arrives at one time is ever written
_PATIENCE = 3  # touches per synapse since the last edit; to make the lists takes as long


def small_enough(projection: Projection, longest: int) -> bool:
    """Whether lists for a projection, with delays of up to ``longest`` steps, would pay."""
    room = projection.target.shards * _slots(longest) * _room_for(projection.size)
    return 0 < projection.size <= LARGEST and 4 * room <= _QUEUES


def worth_it(projection: Projection, touched: float) -> bool:
    """Whether lists would pay after so many touches since the last edit; what was never edited will hardly be soon."""
    edited = "serial" in projection.store.columns  # birth numbers are written down at the first edit
    return not edited or touched >= _PATIENCE * projection.size


class Incoming:
    """The lists and (empty) queues of one projection as it is now.

    ``places`` (uint32), ``heads`` (first word of the row's head in the memory of emissions, uint32) and ``delays``
    (steps, uint16) of synapses, by target; those of the target at slot s are numbers ``starts[s] … starts[s+1]``
    (int64). There is a queue of the places at which a spike will arrive for each step of the near future and each
    shard (uint32 [shards, steps, room]); ``queued`` says where in the shard's queues each one ends.
    """

    def __init__(self, projection: Projection, longest: int) -> None:
        store, target, plasticity = projection.store, projection.target, projection.values.plasticity
        assert plasticity is not None
        n, self.starts = store.live, zeros(target.n_slots + 1, np.int64)
        self.places, self.heads, self.delays = zeros(n, np.uint32), zeros(n, np.uint32), zeros(n, np.uint16)
        width = plasticity.emissions.entries.shape[1]
        lists = self.starts, self.places, self.heads, self.delays
        list_by_target(store.address, width, *map(address_of, lists), target.n_slots)
        in_shards = np.diff(self.starts[:: target.stride])
        slots, room = _slots(longest), _room_for(int(in_shards.max()))
        self.queue = sparse((target.shards, slots, room), np.uint32)
        self.queued = zeros((target.shards, slots), np.int64)

    def fields(self) -> dict[str, Any]:
        """What a projection's record says of them."""
        arrays: dict[str, NDArray[Any]] = {
            "starts": self.starts, "in_places": self.places, "in_heads": self.heads, "in_delays": self.delays,
            "queue": self.queue, "queued": self.queued,
        }  # fmt: skip
        fields = {name: address_of(array) for name, array in arrays.items()}
        slots, room = self.queue.shape[1:]
        return fields | {"n_in": self.places.size, "queue_mask": slots - 1, "queue_room": room}


@by_address
def list_by_target(store: int, width: int, begins: int, in_places: int, in_heads: int, in_delays: int, n: int) -> int:
    """List all synapses onto ``n`` slots, those of one target in the order of rows; all begin at zero."""
    rows = record_at(store, ROWS)
    starts = array_at(begins, n + 1, np.int64)
    places = array_at(in_places, rows.live, np.uint32)
    heads = array_at(in_heads, rows.live, np.uint32)
    delays = array_at(in_delays, rows.live, np.uint16)
    posts = array_at(rows.post, rows.capacity, np.uint32)
    steps = array_at(rows.delay, rows.capacity, np.uint16)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    for row in range(rows.n_rows):
        for place in range(start[row], start[row] + row_end(ends, row, rows.shards)):
            starts[posts[place]] += 1
    for slot in range(n):
        starts[slot + 1] += starts[slot]  # where each ends; from there it is filled backwards
    for row in range(rows.n_rows - 1, -1, -1):
        for place in range(start[row] + row_end(ends, row, rows.shards) - 1, start[row] - 1, -1):
            post = np.int64(posts[place])
            starts[post] -= 1
            k = starts[post]
            places[k], delays[k] = place, steps[place]
            heads[k] = (row * rows.shards + post // rows.stride) * width
    return 0


def _slots(longest: int) -> int:
    """Steps of the near future, this one included: a power of two, and whole cache lines of counts."""
    return max(WORDS, 1 << int(longest).bit_length())


def _room_for(places: int) -> int:
    """Places of a queue, an odd number of cache lines: queues whole pages apart would fight for the same lines."""
    line = 16
    return (-(-places // line) | 1) * line
