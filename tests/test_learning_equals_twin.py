"""Synapses learn in the engine what they learn in the naive twin, whatever is fired, edited, born or read meanwhile."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from both import Both
from courses import COURSES, MOVING
from hypothesis import given, note, settings
from hypothesis import strategies as st

from neurosim.engine.learning.base import FLAT

MODELS: dict[str, dict[str, float]] = {
    "lif_delta": {"i_e": 200.0}, "lif_exp": {"i_e": 150.0}, "izhikevich": {"i_e": 3.0},
}  # fmt: skip
UNIT = {"lif_delta": 1.0, "lif_exp": 64.0, "izhikevich": 2.0}  # a noticeable weight
KICK = {"lif_delta": 32.0, "lif_exp": 32768.0, "izhikevich": 512.0}  # one that makes the neuron fire
UNBOUND = ("tired",)  # a course that needs no bounds, and has none
# Kernels are compiled for each course and precision; the others are learnt in the slow tests.
LESSONS = [
    ("stdp", "float32"), ("nearest, tired", "float64"), ("reduced", "float32"), ("soft", "float64"),
    ("tired", "float32"), ("whispered", "float64"), ("all", "float32"), ("followed", "float64"), ("many", "float64"),
    ("shifted", "float32"), ("moved, all", "float64"), ("moved, all", "float32"), ("dopamine", "float32"),
    ("library", "float64"), ("kept", "float64"), ("delays", "float64"),
    ("stdp", "int8"), ("soft", "float16"), ("many", "int8"), ("moved, all", "ternary"), ("dopamine", "float16"),
    ("followed", "int8 nearest"),
]  # fmt: skip


class Classroom:
    """A network in both worlds whose synapses learn by one course, with all the choices that hypothesis makes.

    Sources that fire at given times, and neurons that fire when a teacher kicks them, connected in a projection
    "forth" that learns, one "back" among the neurons themselves that learns, too, and one "plain" that does not.
    """

    kinds = ("signal", "add", "cut", "weigh", "retard", "assign", "birth", "death", "look",
             "projection", "simulation")  # fmt: skip

    def __init__(self, data: st.DataObject, course: str, precision: str, audit: bool) -> None:
        self.data, self.course = data, course
        self.moving = course in MOVING
        self.dt = data.draw(st.sampled_from([0.1, 0.5, 1.0]))
        self.both = Both(seed=1, dt=self.dt, audit=audit)
        self.options: dict[str, Any] = {}
        self.model = "lif_delta" if course == "followed" else data.draw(st.sampled_from(sorted(MODELS)))
        self.unit = UNIT[self.model]
        parameters = dict(MODELS[self.model])
        if self.model != "izhikevich":
            parameters["t_ref"] = data.draw(st.sampled_from([0.0, self.dt, 4 * self.dt]))
        self.both.spike_list("in", self._trains(data.draw(st.integers(1, 3))))
        n = data.draw(st.integers(1, 4))
        self.both.spike_list("teacher", self._trains(n))
        self.both.population("out", n, self.model, **parameters)
        self.both.projection("kick", "teacher", "out")
        self.both.connect("kick", self._ids("teacher"), self._ids("out"), KICK[self.model], self.dt)
        self.bounds = self._bounds()
        self.precision = precision
        self.learning: list[str] = []
        self.project("forth", "in")
        self.project("back", "out")
        self.both.projection("plain", "out", "out")
        for name in (*self.learning, "plain"):
            self.add(name)

    def _bounds(self) -> dict[str, tuple[float, float]] | None:
        if self.course in UNBOUND:
            return None
        low = self.data.draw(st.sampled_from([0.0, -0.5, 0.1]))
        bounds = {"weight": (low * self.unit, 2.0 * self.unit)}
        if self.moving:  # 1.9 to 9.3 steps, not on the grid
            bounds["delay"] = (self.data.draw(st.sampled_from([1.0, 1.9, 2.5])) * self.dt, 9.3 * self.dt)
        return bounds

    def _trains(self, n: int) -> list[list[float]]:
        steps = st.lists(st.integers(1, 90), max_size=12)
        burst = st.integers(1, 80).map(lambda k: [k, k + 1, k + 2, k + 4])
        trains = self.data.draw(st.lists(st.tuples(steps, burst), min_size=n, max_size=n))
        return [[k * self.dt for k in (*some, *several)] for some, several in trains]

    def _ids(self, population: str) -> list[int]:
        ids: list[int] = self.both.net.populations[population].ids.tolist()
        return ids

    def _some(self, items: list[int], most: int = 4) -> list[int]:
        return self.data.draw(st.lists(st.sampled_from(items), unique=True, max_size=most)) if items else []

    def _delay(self, name: str) -> float:
        if self.moving and name != "plain":
            assert self.bounds is not None
            low, high = self.bounds["delay"]
            return self.data.draw(st.sampled_from([low, 0.5 * (low + high), 0.3 * low + 0.7 * high, high]))
        return self.data.draw(st.integers(0, 6)) * self.dt

    def project(self, name: str, source: str) -> None:
        """A projection that learns, without synapses."""
        options: Any = {"rules": COURSES[self.course], "bounds": self.bounds, "precision": self.precision}
        self.both.projection(name, source, "out", **options)
        self.learning.append(name)

    def add(self, name: str) -> None:
        """Some synapses, parallel ones and autapses among them."""
        draw = self.data.draw
        pre, post = self._ids(self.both.net.projections[name].source.name), self._ids("out")
        if not pre or not post:
            return
        n = draw(st.integers(0, 5))
        pres = draw(st.lists(st.sampled_from(pre), min_size=n, max_size=n))
        posts = draw(st.lists(st.sampled_from(post), min_size=n, max_size=n))
        weights = [self.unit * draw(st.sampled_from([0.25, 0.5, 1.1, 1.9])) for _ in range(n)]
        if name == "plain":
            weights = [self.unit * (1 + id % 4) / 4 for id in pres]
        self.both.connect(name, pres, posts, weights, [self._delay(name) for _ in range(n)])

    def edit(self) -> None:
        """One edit of any kind, or a look, or a signal."""
        both, draw = self.both, self.data.draw
        kind = draw(st.sampled_from(self.kinds))
        name = draw(st.sampled_from(self.learning))
        ids = both.net.projections[name].ids.tolist()
        signals = sorted({twin.modulator for _, twin in COURSES[self.course] if twin.modulator})
        if kind == "signal" and signals:
            both.modulate(draw(st.sampled_from(signals)), draw(st.sampled_from([-0.3, 0.7])))
        elif kind == "add":
            self.add(name)
        elif kind == "cut":
            both.disconnect(name, self._some(ids))
        elif kind == "weigh":
            both.weigh(name, self._some(ids), self.unit * draw(st.sampled_from([0.2, 0.75, 1.3])))
        elif kind == "retard":
            delay = self._delay(name)
            both.retard(name, self._some(ids), delay if self.moving else max(delay, self.dt))
        elif kind == "assign" and both.variables(name):
            variable = draw(st.integers(0, len(both.variables(name)) - 1))
            both.assign(name, variable, self._some(ids), draw(st.sampled_from([0.0, 0.3, -0.7])))
        elif kind == "birth":
            both.born("out", draw(st.integers(1, 3)))
        elif kind == "death":
            population = draw(st.sampled_from(["in", "out"]))
            both.die(population, self._some(self._ids(population), 2))
        elif kind == "look":
            both.look()
        elif kind == "projection":
            late = f"late{len(self.learning)}"
            self.project(late, draw(st.sampled_from(["in", "out"])))
            self.add(late)
        elif kind == "simulation":
            both.start(**self.options)

    def live(self, **options: Any) -> None:
        """Let it live through runs and edits, comparing all the way."""
        self.options = options
        self.both.start(**options)
        if self.data.draw(st.booleans()):
            self.both.watch()
        self.both.compare()
        for _ in range(self.data.draw(st.integers(1, 5))):
            self.both.run(self.data.draw(st.integers(1, 25)))
            self.both.compare()
            for _ in range(self.data.draw(st.integers(0, 3))):
                self.edit()
        self.both.run(25)
        self.both.compare()


@contextmanager
def _engine(shards: int, log: int, patience: int) -> Iterator[None]:
    """Let populations of a handful of neurons have 1, 2 or 4 shards, the memory of spikes be short, and synapses learn
    without delay after so many touches each."""
    per_shard = {"_NEURONS_PER_SHARD": 1 if shards > 1 else 1024, "_NEURONS_FOR_FOUR": 2 if shards > 2 else 1024}
    with patch.multiple("neurosim.graph.population", **per_shard), patch(
        "neurosim.graph.plasticity._LOG", log
    ), patch("neurosim.engine.learning.incoming._PATIENCE", patience):
        yield


def _learn(data: st.DataObject, course: str, precision: str, threads: tuple[int, ...] = (1, 2, 3)) -> None:
    draw = data.draw
    engine = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([2**14, 64])), draw(st.sampled_from([0, 2]))
    with _engine(*engine):
        options: dict[str, Any] = {"threads": draw(st.sampled_from(threads))}
        if draw(st.booleans()):
            options["epoch_steps"] = draw(st.sampled_from([1, 3]))
        classroom = Classroom(data, course, precision, draw(st.booleans()))
        try:
            classroom.live(**options)
        except AssertionError:
            note("\n".join(classroom.both.story))
            raise


@pytest.mark.parametrize(("course", "precision"), LESSONS)
@settings(max_examples=15)
@given(data=st.data())
def test_lessons_are_equal(course: str, precision: str, data: st.DataObject) -> None:
    _learn(data, course, precision)


@pytest.mark.parametrize("course", ["all", "many", "moved, all"])
def test_variables_have_the_names_that_their_rules_give_them(course: str) -> None:
    both = Both()
    both.population("out", 1, "lif_delta")
    bounds = {"weight": (0.0, 2.0), "delay": (1.0, 3.0)}
    both.projection("back", "out", "out", rules=COURSES[course], bounds=bounds)
    assert both.variables("back") == list(both.world.projections["back"].variable_names)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("course", COURSES)
@settings(max_examples=1000)
@given(data=st.data())
def test_many_lessons_are_equal(course: str, precision: str, data: st.DataObject) -> None:
    _learn(data, course, precision)


@pytest.mark.lane
@pytest.mark.parametrize("course", ["many", "moved, all"])
@settings(max_examples=5)
@given(data=st.data())
def test_lessons_are_equal_in_the_lanes(course: str, data: st.DataObject) -> None:
    _learn(data, course, "float32", threads=(1,))


def _long_life(course: str, precision: str, steps: int, seed: int) -> None:
    """Neurons driven at random, and a structure that keeps changing: memories must forget, and not too much."""
    draw = random.Random(seed)
    both = Both(seed=seed, dt=0.5)
    both.poisson("in", 5, 300.0)
    both.population("out", 6, "lif_delta", i_e=230.0, t_ref=1.0)
    both.drive("noise", "out", 1500.0, 1.0)
    moving = course in MOVING
    bounds = {"weight": (0.0, 2.0), **({"delay": (0.5, 8.2)} if moving else {})}
    for name, source in (("forth", "in"), ("back", "out")):
        both.projection(name, source, "out", rules=COURSES[course], bounds=bounds, precision=precision)
    both.start(threads=2)
    for longest in range(2, 2 + steps // 40):  # delays get longer and longer
        for name, source in (("forth", "in"), ("back", "out")):
            pre, post = both.net.populations[source].ids.tolist(), both.net.populations["out"].ids.tolist()
            n = draw.randint(0, 3)
            delays = [draw.uniform(0.5, 8.2) if moving else draw.randint(1, longest) * 0.5 for _ in range(n)]
            weights = [draw.uniform(0.1, 1.0) for _ in range(n)]
            both.connect(name, draw.choices(pre, k=n), draw.choices(post, k=n), weights, delays)
            ids = both.net.projections[name].ids.tolist()
            both.disconnect(name, draw.sample(ids, max(0, len(ids) - 20)))
        if draw.random() < 0.2:
            both.die("out", [draw.choice(post)])
            both.born("out", 1)
        both.run(40)
        both.compare()
    assert all(len(spikes) > steps // 10 for spikes in both.world.spikes.values())


@pytest.mark.parametrize(("course", "precision"), [("all", "float32"), ("moved, all", "float64")])
def test_a_long_life_is_equal(course: str, precision: str) -> None:
    with _engine(shards=2, log=8, patience=2):
        _long_life(course, precision, 480, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("course", COURSES)
def test_long_lives_are_equal(course: str, precision: str, seed: int) -> None:
    with _engine(shards=(1, 2, 4)[seed % 3], log=(8, 64)[seed % 2], patience=2 * (seed % 2)):
        _long_life(course, precision, 2400, seed)


@pytest.mark.parametrize("course", ["many", "soft"])
def test_a_spike_that_has_arrived_does_not_arrive_again_when_its_delay_is_made_longer(course: str) -> None:
    both = Both(seed=1, dt=1.0, audit=True)
    both.spike_list("in", [[10.0, 40.0]])
    both.spike_list("teacher", [[8.0, 11.0, 12.0, 15.0, 41.0]])
    both.population("out", 1, "lif_delta", t_ref=0.0)
    both.projection("kick", "teacher", "out")
    both.connect("kick", [1], [2], 32.0, 1.0)
    both.projection("forth", "in", "out", rules=COURSES[course], bounds={"weight": (0.0, 2.0)}, precision="float64")
    both.connect("forth", [0], [2], [1.1], [1.0])
    both.start(threads=1)
    both.run(12)
    both.retard("forth", [0], 5.0)
    both.run(40)
    both.compare()


@pytest.mark.parametrize("course", ["many", "soft"])
def test_more_spikes_of_a_target_than_are_listed_are_lived_through_all_the_same(course: str) -> None:
    both = Both(seed=1, dt=1.0)
    both.spike_list("in", [[2.0, 4400.0]])
    both.spike_list("teacher", [[float(t) for t in range(1, 4410)]])
    both.population("out", 1, "lif_delta", t_ref=0.0)
    both.projection("kick", "teacher", "out")
    both.connect("kick", [1], [2], 32.0, 1.0)
    both.projection("forth", "in", "out", rules=COURSES[course], bounds={"weight": (0.0, 2.0)}, precision="float64")
    both.connect("forth", [0, 0], [2, 2], [1.1, 0.4], [1.0, 3.0])
    both.start(threads=1)
    both.run(4405)
    both.compare()
    assert len(both.world.spikes["out"]) > FLAT
