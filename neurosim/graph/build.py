"""Building a projection's synapses: the connector's pairs, weights and delays, laid out as rows."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim import rng
from neurosim.errors import UsageError
from neurosim.graph.connectors.base import Connector
from neurosim.graph.rows import Block
from neurosim.graph.space import points_at, some_distances

if TYPE_CHECKING:
    from neurosim.graph.projection import Projection

Progress = Callable[[str, float, float], None]

_BYTES = 8  # per synapse, at the least


def build_synapses(
    projection: Projection, connector: Connector, weight: Any, delay: Any, progress: Progress | None = None
) -> None:
    """Make the synapses of a new projection. Nothing of it is kept when an error is raised."""
    source, target, seed = projection.source, projection.target, projection.network.seed
    draw_weight, draw_delay = _Drawer(projection, "weight", weight), _Drawer(projection, "delay", delay)
    source_slots = source.slots(source.ids).astype(np.uint32)
    target_slots = target.slots(target.ids).astype(np.uint32)
    apart = _distances(projection) if connector.needs_positions else None
    expected = connector.expected(source.size, target.size, apart)
    _check_memory(projection, expected)
    stream = rng.generator(seed, rng.purpose("connect", projection.name))
    blocks, done = [], 0
    for pairs in connector.pairs(source, target, stream):
        rows, posts = source_slots[pairs.pre], target_slots[pairs.post]
        weights = draw_weight(rows, posts, pairs.weight)
        delays = draw_delay(rows, posts, pairs.delay)
        projection.values.check_weights(weights)
        projection.grid.check(delays)
        stored = projection.grid.stored(delays)
        projection.grid.widen(stored)
        values = {"weight": _compressed(projection.values.precision.stored(weights)), "delay": _compressed(stored)}
        if pairs.pre.size:
            blocks.append(Block(rows, posts, values))
        done += pairs.pre.size
        if progress is not None:
            progress(f"connecting {projection.name}", done, max(expected, done))
    draw_weight.check_length(done)
    draw_delay.check_length(done)
    _lay_out(projection, blocks)
    projection.order.made = projection._now()
    projection.default_weight, projection.default_delay = draw_weight.default, draw_delay.default


def _distances(projection: Projection) -> NDArray[np.float64]:
    """Distances of some of the possible pairs."""
    source, target = (points_at(side, side.slots(side.ids)) for side in (projection.source, projection.target))
    return some_distances(source, target)


def _check_memory(projection: Projection, expected: float) -> None:
    """Refuse what this machine cannot hold before it is begun."""
    try:
        present = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on this platform
        return
    if expected * _BYTES > present:
        raise UsageError(
            f"projection '{projection.name}' would have {expected:.3g} synapses, for which {present / 1e9:.3g} GB of "
            "memory are not enough."
        )


def _compressed(values: NDArray[Any]) -> NDArray[Any]:
    """A single value where all are alike."""
    alike = values.size > 1 and bool(np.all(values == values[0]))
    return values[:1].copy() if alike else values


def _lay_out(projection: Projection, blocks: list[Block]) -> None:
    """Give the store its rows, and columns to the variables that are not alike for all."""
    store, dtypes = projection.store, {}
    plasticity = projection.values.plasticity
    for name, dtype in (("weight", projection.values.precision.column), ("delay", projection.grid.dtype)):
        parts = [block.values[name] for block in blocks]
        first = parts[0][0].item() if parts else store.uniform[name]
        if plasticity is None and all(part.size == 1 and part[0] == first for part in parts):
            store.uniform[name] = first
        else:
            dtypes[name] = dtype
    full = (
        block._replace(values={name: np.broadcast_to(block.values[name], block.rows.shape) for name in dtypes})
        for block in blocks
    )
    store.build(list(full), dtypes)
    if plasticity is None:
        return
    for name, dtype in plasticity.columns.items():
        store.uniform[name] = 0
        store.spread(name, dtype)
    places = store.places()[1]
    weights = projection.values.precision.shown(store.values_at("weight", places))
    posts = store.columns["post"][places]
    delays = projection.grid.shown(store.values_at("delay", places))
    for name, values in plasticity.initial(weights, delays, posts.size).items():
        store.columns[name][places] = values


class _Drawer:
    """Weights or delays for the pairs of a projection, block after block."""

    def __init__(self, projection: Projection, name: str, value: Any) -> None:
        self.values, self.name = projection.values, name
        self.what = f"{name} of projection '{projection.name}'"
        self.listed: NDArray[np.float64] | None = None
        if isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) == 1:
            from neurosim.units import quantities

            self.listed = np.asarray(quantities(value, self.values.units[name], self.what), np.float64)
            self.default: Any = float(self.listed[0]) if self.listed.size else 1.0
        else:
            self.default = value
            self.distribution = self.values.distribution(name, value)
        self.stream = rng.generator(projection.network.seed, rng.purpose("connect", projection.name, name))
        self.used = 0

    def __call__(
        self, rows: NDArray[np.uint32], posts: NDArray[np.uint32], own: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        n = rows.size
        self.used += n
        if own is not None:
            return own
        if self.listed is not None:
            part = self.listed[self.used - n : self.used]
            if part.size < n:
                raise UsageError(f"{self.what}: {self.listed.size} values are fewer than the synapses.")
            return part
        return self.values.sample(self.distribution, self.stream, self.name, rows, posts)

    def check_length(self, n: int) -> None:
        """A list of values must have one for every synapse."""
        if self.listed is not None and self.listed.size != n:
            raise UsageError(f"{self.what}: {self.listed.size} values for {n} synapses.")
