"""The naive twin under edits: births, deaths, spikes in flight, and networks edited at random."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twin import Bounds, LifDelta, Shifting, SpikeList, World, f32
from twin.cases import DRUM, TARGET, Edge, arrivals, network


def test_a_spike_in_flight_is_a_fact() -> None:
    edges = [Edge(0, 1, 6), Edge(0, 2, 6), Edge(0, 4, 6)]
    world = network(DRUM, "i_syn", {0: [3, 5]}, *edges)
    world.run(4)
    world.remove_synapse("p", 0)
    world.set_weight("p", 1, 16.0)
    world.set_delay("p", 2, 20.0)
    assert arrivals(world, 30) == {9: 1.0 + 2.0 + 4.0, 11: 16.0, 25: 4.0}


def test_a_spike_emitted_when_its_synapse_dies_has_left() -> None:
    world = network(DRUM, "i_syn", {0: [3]}, Edge(0, 1.0, 2))
    world.run(3)
    world.remove_synapse("p", 0)
    assert arrivals(world, 5) == {5: 1.0}


def test_arrivals_never_overtake() -> None:
    world = network(DRUM, "i_syn", {0: [3, 5, 11]}, Edge(0, 1.0, 7))
    world.run(4)
    world.set_delay("p", 0, 1.0)
    world.set_weight("p", 0, 2.0)
    assert arrivals(world, 20) == {10: 1.0 + 2.0, 12: 2.0}


def test_a_spike_to_a_dead_neuron_is_dropped() -> None:
    world = network(DRUM, "i_syn", {0: [3]}, Edge(0, 1.0, 4), Edge(0, 1.0, 1))
    world.run(4)
    world.remove_neuron("out", TARGET)
    assert world.edges("p") == []
    assert world.conservation() == {"emitted": 2, "delivered": 1, "in_flight": 1, "dropped": 0}
    world.run(5)
    assert world.conservation() == {"emitted": 2, "delivered": 1, "in_flight": 0, "dropped": 1}


def test_the_spikes_of_a_neuron_outlive_it() -> None:
    world = network(DRUM, "i_syn", {0: [3, 6]}, Edge(0, 1.0, 4))
    world.run(4)
    world.remove_neuron("in", 0)
    assert arrivals(world, 10) == {7: 1.0}
    assert world.spikes["in"] == [(3, 0)]


def test_newborns_live_from_the_next_step_on() -> None:
    world = network(DRUM, "i_syn", {0: [3, 4], 1: [3, 4]}, Edge(0, 1.0, 5))
    world.run(3)
    world.add_neuron("out", TARGET + 1)
    world.add_synapse("p", 1, 0, TARGET + 1, 1.0, 5.0)
    world.add_synapse("p", 2, 1, TARGET, 4.0, 5.0)
    seen = {}
    for _ in range(7):
        world.step()
        seen[world.now] = world.state("out", "i_syn")
    assert seen[8] == {TARGET: 1.0, TARGET + 1: 0.0}  # emitted before the births
    assert seen[9] == {TARGET: 1.0 + 4.0, TARGET + 1: 1.0}


def test_rows_append_and_fill_holes_with_the_last() -> None:
    world = network(DRUM, "i_syn", {0: [], 1: []}, *[Edge(0, 1.0)] * 4, Edge(1, 1.0))
    world.remove_synapse("p", 1)
    world.remove_synapse("p", 1)  # the dead die no second time
    world.add_synapse("p", 9, 0, TARGET, 1.0, 1.0)
    assert [id for id, *_ in world.edges("p")] == [0, 3, 2, 9, 4]


def test_no_id_is_used_again() -> None:
    world = network(DRUM, "i_syn", {0: []}, Edge(0, 1.0))
    world.remove_synapse("p", 0)
    with pytest.raises(ValueError, match="used"):
        world.add_synapse("p", 0, 0, TARGET, 1.0, 1.0)
    world.remove_neuron("out", TARGET)
    with pytest.raises(ValueError, match="used"):
        world.add_neuron("out", TARGET)


# ---- networks made by hypothesis -------------------------------------------------------------------------


PAIR = Shifting(0.25, -0.125, -0.5, 0.75)
WIDE = Bounds(weight=(-10.0, 10.0), delay=(1.0, 20.0))


class Edit(NamedTuple):
    step: int
    kind: str
    a: int
    b: int
    weight: float
    delay: float


dyadic = st.integers(-64, 64).map(lambda n: n / 16)
delays = st.sampled_from([0.0, 1.0, 2.0, 3.0, 7.0, 12.0])
kinds = st.sampled_from(["birth", "death", "synapse birth", "synapse death", "weight", "delay"])
numbers = st.integers(0, 99)
edits = st.lists(st.builds(Edit, st.integers(0, 39), kinds, numbers, numbers, dyadic, delays))
edges = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), dyadic, delays), max_size=20)
trains = st.lists(st.lists(st.integers(1, 40).map(float), max_size=12), min_size=4, max_size=4)


@given(trains, st.lists(st.tuples(st.integers(0, 3), dyadic, delays), max_size=20))
def test_delivery_is_a_sum_over_spikes(
    times: list[list[float]], outgoing: list[tuple[int, float, float]]
) -> None:
    world = network(DRUM, "i_syn", dict(enumerate(times)), *[Edge(*edge) for edge in outgoing])
    expected: Counter[int] = Counter()
    for source, weight, delay in outgoing:
        for t in set(times[source]):
            expected[int(t + delay)] += int(weight * 16)
    assert arrivals(world, 60) == {k: n / 16 for k, n in expected.items() if n != 0}


def recurrent(times: list[list[float]], connections: list[tuple[int, int, float, float]]) -> World:
    """Four sources (ids 0-3) onto four neurons (10-13) that excite one another and learn."""
    world = World(1.0)
    world.add_population("in", SpikeList(1.0, dict(enumerate(times))), range(4))
    world.add_population("out", LifDelta(1.0, v_th=2.0), range(10, 14))
    world.add_projection("forth", "in", "out", "v")
    world.add_projection("back", "out", "out", "v", [PAIR], WIDE)
    for id, (a, b, weight, delay) in enumerate(connections):
        world.add_synapse("forth", id, a, 10 + b, weight, delay)
        world.add_synapse("back", id, 10 + b, 10 + a, weight, max(delay, 1.0))
    return world


def apply(world: World, edit: Edit, fresh: Iterator[int]) -> None:
    """An edit with free numbers, brought to bear on what is alive; `fresh` gives ids."""
    name = ("forth", "back")[edit.a % 2]
    projection = world.projections[name]
    sources, targets = projection.source.in_order(), projection.target.in_order()
    some = list(projection.synapses)
    if edit.kind == "birth":
        world.add_neuron("out", next(fresh))
    elif edit.kind == "death":
        population = ("in", "out")[edit.a % 2]
        world.remove_neuron(population, (0, 10)[edit.a % 2] + edit.b % 4)
    elif edit.kind == "synapse birth" and sources and targets:
        pre, post = sources[edit.a % len(sources)].id, targets[edit.b % len(targets)].id
        world.add_synapse(name, next(fresh), pre, post, edit.weight, max(edit.delay, 1.0))
    elif edit.kind == "synapse death" and some:
        world.remove_synapse(name, some[edit.b % len(some)])
    elif edit.kind == "weight" and some:
        world.set_weight(name, some[edit.b % len(some)], edit.weight)
    elif edit.kind == "delay" and some:
        world.set_delay(name, some[edit.b % len(some)], max(edit.delay, 1.0))


@given(trains, edges, edits)
def test_no_spike_is_lost_whatever_is_edited(
    times: list[list[float]], connections: list[tuple[int, int, float, float]], script: list[Edit]
) -> None:
    world = recurrent(times, connections)
    fresh = itertools.count(100)
    last: dict[int, int] = {}  # id() of a synapse -> its latest arrival
    for _ in range(40):
        for edit in script:
            if edit.step == world.now:
                apply(world, edit, fresh)
        in_flight = [spike for spikes in world.queue.values() for spike in spikes]
        known = set(map(id, in_flight))
        world.step()
        count = world.conservation()
        assert count["emitted"] == count["delivered"] + count["in_flight"] + count["dropped"]
        for arrival, spikes in world.queue.items():
            assert arrival > world.now
            for spike in spikes:
                if id(spike) not in known:
                    assert arrival >= last.get(id(spike.synapse), 0)
                    last[id(spike.synapse)] = arrival
        for _, _, _, weight, delay in world.edges("back"):
            assert weight == f32(weight)
            assert -10.0 <= weight <= 10.0
            assert 1.0 <= delay <= 20.0


@given(trains, edges)
def test_reading_writes_nothing(
    times: list[list[float]], connections: list[tuple[int, int, float, float]]
) -> None:
    watched, alone = recurrent(times, connections), recurrent(times, connections)
    for _ in range(30):
        watched.step()
        watched.state("out", "v"), watched.edges("back"), watched.conservation()
    alone.run(30)
    assert watched.spikes == alone.spikes
    assert watched.edges("back") == alone.edges("back")
