"""Structural rules do in the engine what they do in the naive twin, whatever else is edited, born or dies meanwhile."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from both import Both
from courses import COURSES
from hypothesis import given, note, settings
from hypothesis import strategies as st
from structure_pairs import OF_NEURONS, OF_SYNAPSES, Written
from twin import Wire

COURSE = "all"  # its rule has variables that fade
BOUNDS = {"weight": (0.0, 2.0)}
MOVING_BOUNDS = {"weight": (0.0, 2.0), "delay": (1.0, 9.3)}  # the delay in steps
MOST = 60  # synapses of a projection, neurons of a population: lives must stay small


class Habitat:
    """Two populations of neurons and sources, projections in every direction, and rules that hypothesis chooses."""

    kinds = ("rule", "rule", "no rule", "add", "cut", "weigh", "birth", "death", "look", "simulation")

    def __init__(self, data: st.DataObject, learning: str = "") -> None:
        draw = data.draw
        self.data, self.dt = data, draw(st.sampled_from([0.1, 0.5, 1.0]))
        self.both = Both(seed=draw(st.integers(0, 2**40)), dt=self.dt, audit=draw(st.booleans()))
        self.learning = learning
        self.options: dict[str, Any] = {}
        self.written = Written(data, 1.0, self.dt)
        self.both.poisson("noise", draw(st.integers(1, 4)), 60.0 / self.dt)
        for name, most in (("p", 6), ("q", 3)):
            self.both.population(name, draw(st.integers(1, most)), "lif_delta", i_e=270.0, t_ref=2 * self.dt)
            self.both.drive(f"drive_{name}", name, 60.0 / self.dt, 4.0)
        for source, target in (("noise", "p"), ("p", "p"), ("p", "q"), ("q", "p")):
            self.project(f"{source}_{target}", source, target)
        for name in self.projections:
            self.add(name)

    @property
    def projections(self) -> list[str]:
        return list(self.both.net.projections)

    def project(self, name: str, source: str, target: str) -> None:
        """A projection without synapses; those from p learn, where anything does."""
        if self.learning and source == "p":
            bounds = dict(MOVING_BOUNDS if "moved" in self.learning else BOUNDS)
            if "delay" in bounds:
                bounds["delay"] = tuple(delay * self.dt for delay in bounds["delay"])  # type: ignore[assignment]
            self.both.projection(name, source, target, rules=COURSES[self.learning], bounds=bounds)
        else:
            self.both.projection(name, source, target)

    def _ids(self, population: str) -> list[int]:
        ids: list[int] = self.both.net.populations[population].ids.tolist()
        return ids

    def _some(self, items: list[int], most: int = 4) -> list[int]:
        return self.data.draw(st.lists(st.sampled_from(items), unique=True, max_size=most)) if items else []

    def add(self, name: str) -> None:
        projection, draw = self.both.net.projections[name], self.data.draw
        pre, post = self._ids(projection.source.name), self._ids(projection.target.name)
        n = draw(st.sampled_from([0, 3, 8, 20])) if pre and post else 0
        pres = draw(st.lists(st.sampled_from(pre), min_size=n, max_size=n)) if n else []
        posts = draw(st.lists(st.sampled_from(post), min_size=n, max_size=n)) if n else []
        weights = [draw(st.sampled_from([0.25, 0.5, 0.7, 1.5])) for _ in range(n)]
        self.both.connect(name, pres, posts, weights, [draw(st.integers(1, 5)) * self.dt for _ in range(n)])

    # -- rules ------------------------------------------------------------------------------------------------------

    def rule(self) -> None:
        """One more rule, of any kind."""
        draw = self.data.draw
        kinds = [*OF_SYNAPSES, *OF_NEURONS] + (["learned"] if "all" in self.learning else [])
        kind = draw(st.sampled_from(kinds))
        if kind in OF_NEURONS:
            population = draw(st.sampled_from(["p", "q"]))
            wires = [Wire("p_p", 2, 1, 0.5, self.dt)] if population == "p" else [Wire("p_q", 3, 0, 1.0, 2 * self.dt)]
            self.both.rule(self.written.neurons(kind, population, wires if draw(st.booleans()) else ()))
            return
        known = [name for name in self.projections if kind not in ("everything", "learned") or name[0] != "n"]
        if kind == "learned":
            known = ["p_p", "p_q"]
        chosen = draw(st.lists(st.sampled_from(known), unique=True, min_size=1, max_size=3))
        self.both.rule(self.written.synapses(kind, chosen))

    # -- a life -----------------------------------------------------------------------------------------------------

    def edit(self) -> None:
        """One edit of any kind, or a look."""
        both, draw = self.both, self.data.draw
        kind, name = draw(st.sampled_from(self.kinds)), draw(st.sampled_from(self.projections))
        ids = both.net.projections[name].ids.tolist()
        population = draw(st.sampled_from(["p", "q", "noise"]))
        if kind == "rule":
            self.rule()
        elif kind == "no rule" and both.net.rules:
            both.no_rule(draw(st.sampled_from(sorted(both.net.rules))))
        elif kind == "add":
            self.add(name)
        elif kind == "cut":
            both.disconnect(name, self._some(ids))
        elif kind == "weigh":
            both.weigh(name, self._some(ids), draw(st.sampled_from([0.25, 0.5, 0.7])))
        elif kind == "birth":
            both.born(population, draw(st.integers(1, 3)))
        elif kind == "death":
            both.die(population, self._some(self._ids(population), 2))
        elif kind == "look":
            both.look()
        elif kind == "simulation":
            both.start(**self.options)

    def thin_out(self) -> None:
        """Lives must stay small."""
        for name, projection in self.both.net.projections.items():
            self.both.disconnect(name, projection.ids.tolist()[MOST:])
        for name in ("p", "q"):
            self.both.die(name, self._ids(name)[20:])

    def live(self, **options: Any) -> None:
        """Let it live through runs and edits, comparing all the way."""
        self.options = options
        for _ in range(self.data.draw(st.integers(1, 4))):
            self.rule()
        self.both.start(**options)
        for _ in range(self.data.draw(st.integers(2, 6))):
            self.both.run(self.data.draw(st.integers(1, 20)))
            self.both.compare()
            self.thin_out()
            for _ in range(self.data.draw(st.integers(0, 2))):
                self.edit()
        self.both.run(15)
        self.both.compare()


def _live(data: st.DataObject, learning: str, threads: tuple[int, ...] = (1, 2)) -> None:
    options: dict[str, Any] = {"threads": data.draw(st.sampled_from(threads))}
    if data.draw(st.booleans()):
        options["epoch_steps"] = 1
    with patch("neurosim.graph.plasticity._LOG", 64):
        habitat = Habitat(data, learning)
        try:
            habitat.live(**options)
        except BaseException:
            note("\n".join(habitat.both.story))
            raise


@settings(max_examples=60)
@given(data=st.data())
def test_rules_are_equal(data: st.DataObject) -> None:
    _live(data, "")


@pytest.mark.parametrize("learning", ["all", "moved, all"])
@settings(max_examples=25)
@given(data=st.data())
def test_rules_are_equal_while_synapses_learn(learning: str, data: st.DataObject) -> None:
    _live(data, learning)


@pytest.mark.slow
@pytest.mark.parametrize("learning", ["", "all", "tired", "moved, all"])
@settings(max_examples=2000)
@given(data=st.data())
def test_many_rules_are_equal(learning: str, data: st.DataObject) -> None:
    _live(data, learning)
