"""The engine and the naive twin give the same spikes, the same state and the same graph, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from both import RECEPTORS, Both
from hypothesis import given, settings
from hypothesis import strategies as st

MODELS = {
    "lif_delta": {"i_e": 300.0},
    "lif_exp": {"i_e": 250.0},
    "izhikevich": {"i_e": 6.0},
}
UNIT = {"lif_delta": 1.0, "lif_exp": 64.0, "izhikevich": 2.0}  # a noticeable weight, a power of two


def _random_network(data: st.DataObject, audit: bool, dt: float) -> tuple[Both, list[str], list[str]]:
    """Two to four populations, sources among them, and projections between them in every direction."""
    both = Both(seed=data.draw(st.integers(0, 2**40)), dt=dt, audit=audit)
    cells = []
    for k, model in enumerate(data.draw(st.lists(st.sampled_from(sorted(MODELS)), min_size=1, max_size=3))):
        parameters = dict(MODELS[model])
        if model.startswith("lif"):
            parameters["t_ref"] = data.draw(st.sampled_from([0.0, 0.1, 0.5, 2.0]))
        both.population(f"p{k}", data.draw(st.integers(1, 7)), model, **parameters)
        cells.append(f"p{k}")
    both.poisson("noise", data.draw(st.integers(1, 4)), 0.1 / dt * 900.0)
    times = st.lists(st.floats(dt, 12.0), max_size=8)
    both.spike_list("clock", data.draw(st.lists(times, min_size=1, max_size=3)))
    for name in cells:
        if data.draw(st.booleans()):
            model = both.net.populations[name].model.name
            both.drive(f"drive_{name}", name, data.draw(st.sampled_from([500.0, 20000.0])), UNIT[model] / 4)
    projections = []
    for source in [*cells, "noise", "clock"]:
        for target in cells:
            receptor = data.draw(st.sampled_from(["exc", "inh"]))
            both.projection(f"{source}_{target}", source, target, receptor)
            projections.append(f"{source}_{target}")
    return both, cells, projections


def _add_synapses(data: st.DataObject, both: Both, name: str) -> None:
    """A few synapses: any delay from 0 to 6 steps, parallel ones and autapses included."""
    projection = both.net.projections[name]
    pre_ids, post_ids = projection.source.ids.tolist(), projection.target.ids.tolist()
    if not pre_ids or not post_ids:
        return
    unit = UNIT[projection.target.model.name] * (-1 if projection.receptor == "inh" else 1)
    n = data.draw(st.integers(0, 8))
    pre = data.draw(st.lists(st.sampled_from(pre_ids), min_size=n, max_size=n))
    post = data.draw(st.lists(st.sampled_from(post_ids), min_size=n, max_size=n))
    zero = data.draw(st.booleans())
    steps = data.draw(st.lists(st.integers(0 if zero else 1, 6), min_size=n, max_size=n))
    if data.draw(st.booleans()):
        steps = [max(steps)] * n if n else []
    weights = [unit * (1 + neuron % 4) / 4 for neuron in pre]  # alike for parallel synapses
    both.connect(name, pre, post, weights, [k * both.dt for k in steps])


def _edit(data: st.DataObject, both: Both, cells: list[str], projections: list[str]) -> None:
    kind = data.draw(st.sampled_from(["synapses", "synapses", "cut", "weigh", "retard", "birth", "death", "nothing"]))
    name = data.draw(st.sampled_from(projections))
    ids = both.net.projections[name].ids.tolist()
    cell = data.draw(st.sampled_from(cells))
    neurons = both.net.populations[cell].ids.tolist()
    if kind == "synapses":
        _add_synapses(data, both, name)
    elif kind == "cut" and ids:
        both.disconnect(name, data.draw(st.lists(st.sampled_from(ids), unique=True, max_size=6)))
    elif kind == "weigh" and ids:
        unit = UNIT[both.net.projections[name].target.model.name]
        both.weigh(name, ids, unit * data.draw(st.sampled_from([0.25, -0.5])))
    elif kind == "retard" and ids:
        chosen = data.draw(st.lists(st.sampled_from(ids), unique=True, max_size=6))
        both.retard(name, chosen, data.draw(st.integers(1, 9)) * both.dt)
    elif kind == "birth":
        both.born(cell, data.draw(st.integers(1, 6)))
    elif kind == "death" and neurons:
        both.die(cell, data.draw(st.lists(st.sampled_from(neurons), unique=True, max_size=4)))


def _live(data: st.DataObject, audit: bool, **options: Any) -> None:
    """Make a network and let it live through runs and edits, comparing all the way."""
    dt = data.draw(st.sampled_from([0.1, 0.125, 1.0]))
    both, cells, projections = _random_network(data, audit, dt)
    for name in projections:
        _add_synapses(data, both, name)
    both.start(**options)
    both.compare()
    for _ in range(data.draw(st.integers(1, 6))):
        both.run(data.draw(st.integers(1, 30)))
        both.compare()
        for _ in range(data.draw(st.integers(0, 3))):
            _edit(data, both, cells, projections)
    both.run(20)
    both.compare()


@contextmanager
def _sharded(shards: int) -> Iterator[None]:
    """Let populations of a handful of neurons have 1, 2 or 4 shards."""
    per_shard = {"_NEURONS_PER_SHARD": 1 if shards > 1 else 1024, "_NEURONS_FOR_FOUR": 2 if shards > 2 else 1024}
    with patch.multiple("neurosim.graph.population", **per_shard):
        yield


@pytest.mark.parametrize("shards", [1, 2, 4])
@settings(max_examples=60)
@given(data=st.data())
def test_lives_are_equal(shards: int, data: st.DataObject) -> None:
    with _sharded(shards):
        _live(data, audit=data.draw(st.booleans()), threads=data.draw(st.sampled_from([1, 2])))


@pytest.mark.lane
@settings(max_examples=8)
@given(data=st.data())
def test_lives_are_equal_in_the_lanes(data: st.DataObject) -> None:
    with _sharded(4):
        _live(data, audit=True, threads=1)


def test_every_receptor_of_the_twins_models_is_covered() -> None:
    from neurosim.models import neuron_models

    receptors = {name: {r: to.variable for r, to in neuron_models()[name].receptors.items()} for name in MODELS}
    assert receptors == RECEPTORS
