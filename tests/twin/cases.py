"""Small networks made by hand, for the tests of the twin itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .models import Izhikevich, LifDelta, LifExp, SpikeList
from .plasticity import Bounds, Rule
from .world import World

TARGET = 100  # the id of the neuron that most cases look at; sources have small ids
TEACHER = 50  # a neuron that makes TARGET fire


class Edge(NamedTuple):
    source: int
    weight: float
    delay: float = 1.0


DRUM = Izhikevich(1.0)  # its i_syn is exactly what arrived in the last step


def network(
    target: LifDelta | LifExp | Izhikevich, variable: str, times: Mapping[int, Sequence[float]], *edges: Edge
) -> World:
    """Sources that fire at `times` (ms) onto one neuron, along `edges` with ids 0, 1, …"""
    world = World(target.dt)
    world.add_population("in", SpikeList(target.dt, times), sorted(times))
    world.add_population("out", target, [TARGET])
    world.add_projection("p", "in", "out", variable)
    for id, edge in enumerate(edges):
        world.add_synapse("p", id, edge.source, TARGET, edge.weight, edge.delay)
    return world


def follow(world: World, steps: int, variable: str) -> list[float]:
    """`variable` of the target after each of `steps` steps."""
    values = []
    for _ in range(steps):
        world.step()
        values.append(world.state("out", variable)[TARGET])
    return values


def arrivals(world: World, steps: int) -> dict[int, float]:
    """What arrives at a DRUM in `steps` more steps: step -> sum."""
    first = world.now + 1
    return {first + k: i for k, i in enumerate(follow(world, steps, "i_syn")) if i != 0.0}


def classroom(
    pre: Sequence[float],
    post: Sequence[float],
    rules: Sequence[Rule],
    delay: float | None = 3.0,
    bounds: Bounds | None = None,
    precision: str = "float32",
    dt: float = 1.0,
) -> World:
    """Source 0 fires at `pre`, along synapse 0 of "p" (weight 1); a teacher makes TARGET fire at `post` (ms).

    Without a `delay` there is no synapse.
    """
    world = World(dt)
    world.add_population("in", SpikeList(dt, {0: pre}), [0])
    world.add_population("teacher", SpikeList(dt, {TEACHER: [t - dt for t in post]}), [TEACHER])
    world.add_population("out", LifDelta(dt, v_th=500.0, t_ref=0.0), [TARGET])
    world.add_projection("p", "in", "out", "v", rules, bounds, precision)
    world.add_projection("t", "teacher", "out", "v")
    world.add_synapse("t", 0, TEACHER, TARGET, 1000.0, dt)
    if delay is not None:
        world.add_synapse("p", 0, 0, TARGET, 1.0, delay)
    return world
