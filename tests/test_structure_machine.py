"""Structural rules among all that can be done to a network: it equals a networkx graph that follows the log.

`Garden` knows what edits mean. What rules do is drawn, so here the graph follows the log of births and deaths, and
checks that each was possible; everything else that the network says must then agree with the graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from test_edit_machine import DT, Garden

NAMES = ("aa", "aa2", "ab", "ba", "cb")
BORN: dict[str, Any] = {"weight": 0.25, "delay": 1.0}
WIRES = {"a": {"ab": {"outgoing": 3, **BORN}, "ba": {"incoming": 2, **BORN}}, "b": {"ba": {"outgoing": 2, **BORN}}}
#: Kind of rule -> what it says of synapses; each keeps the garden small.
OF_SYNAPSES: dict[str, dict[str, Any]] = {
    "turnover": {"die": True, "chance": 0.2, "births": "deaths", "autapses": True, **BORN},
    "growth": {"births": "where(size < 60, 0.3*n_pre, 0)", "multapses": False, **BORN},
    "elements": {"offers_pre": "3", "offers_post": "4", **BORN},
    "crowded": {"most_pre": "5", "most_post": "6"},
    "weak": {"die": "weight < least", "parameters": {"least": "0.3"}, "for": 2 * DT},
    "old": {"die": "age > 4*every and last_use > every"},
    "budget": {"rank": "weight", "surplus": "max(size - 30, 0)"},
}
OF_NEURONS: dict[str, dict[str, Any]] = {
    "born": {"births": "where(size < 12, 1.4, 0)", "about_neurons": True},
    "quiet": {"equations": "dz/dt = (spikes - z)/(5 ms) : Hz", "die": "z < 50 Hz and age > every", "chance": "0.1"},
    "too many": {"die": "out_degree + in_degree > 0", "rank": "-id", "surplus": "max(size - 8, 0)"},
}


class WildGarden(Garden):
    """The garden with rules that come and go."""

    @rule(name=st.sampled_from(NAMES), kind=st.sampled_from(sorted(OF_SYNAPSES)), every=st.sampled_from([1, 2]))
    def a_rule_about_synapses_comes(self, name: str, kind: str, every: int) -> None:
        written = dict(OF_SYNAPSES[kind])
        if "parameters" in written:
            written["parameters"] = {"least": f"0.3 {self.net.projections[name].weight_unit}"}
        self.come({**written, "every": every * DT}, name)

    @rule(name=st.sampled_from(["a", "b"]), kind=st.sampled_from(sorted(OF_NEURONS)), wired=st.booleans())
    def a_rule_about_neurons_comes(self, name: str, kind: str, wired: bool) -> None:
        wires = {"wire": WIRES[name]} if wired and kind == "born" else {}
        self.come({**OF_NEURONS[kind], **wires, "every": 2 * DT}, name)

    def come(self, written: Mapping[str, Any], where: str) -> None:
        if len(self.net.rules) == 5:
            self.net.remove_rule(next(iter(self.net.rules)))
        self.net.add_rule(written, where)

    @rule(data=st.data())
    def a_rule_goes(self, data: st.DataObject) -> None:
        if self.net.rules:
            self.net.remove_rule(data.draw(st.sampled_from(sorted(self.net.rules))))

    @rule(steps=st.sampled_from([1, 2, 3, 10]))
    def run_some_steps(self, steps: int) -> None:
        for _ in range(steps):
            self.sim.run(DT)
            self.graph.graph["time"] = self.sim.time
            self.follow()
            self.the_log_tells_the_story()

    def follow(self) -> None:
        """Do to the graph what the log says that rules did."""
        events = self.net.history.events
        fields = ("kind", "owner", "id", "pre", "post", "weight", "delay")
        fresh = zip(*(events[field][self.logged :].tolist() for field in fields), strict=True)
        names, populations = list(self.net.projections), list(self.net.populations)
        for kind, owner, one, pre, post, weight, delay in fresh:
            if kind == 0:
                assert one not in self.seen
                self.seen.add(one)
                self.graph.add_node(one, population=populations[owner])
                self.expected.append((0, owner, one, 0, 0, 0.0, 0.0))
            elif kind == 1:
                assert self.graph.degree(one) == 0
                self.graph.remove_node(one)
                self.expected.append((1, owner, one, 0, 0, 0.0, 0.0))
            elif kind == 2:
                assert (weight, delay) == (0.25, 1.0)
                assert self.graph.nodes[pre]["population"] == self.net.projections[names[owner]].source.name
                assert self.graph.nodes[post]["population"] == self.net.projections[names[owner]].target.name
                self.edge_born(names[owner], one, pre, post, weight, delay)
            else:
                self.edge_dies(names[owner], one, pre, post)


class ShardedWildGarden(WildGarden):
    """The same with several logical shards per population, of a few neurons each: 2, 4 and 1."""

    sharded_from: ClassVar[Mapping[str, int]] = {"_NEURONS_PER_SHARD": 3, "_NEURONS_FOR_FOUR": 9}


@pytest.mark.parametrize("garden", [WildGarden, ShardedWildGarden])
def test_any_life_with_rules(garden: type[WildGarden]) -> None:
    run_state_machine_as_test(garden, settings=settings(max_examples=25, stateful_step_count=25))


@pytest.mark.slow
@pytest.mark.parametrize("garden", [WildGarden, ShardedWildGarden])
def test_long_lives_with_rules(garden: type[WildGarden]) -> None:
    run_state_machine_as_test(garden, settings=settings(max_examples=400, stateful_step_count=80))


@pytest.mark.lane
@pytest.mark.parametrize("garden", [WildGarden, ShardedWildGarden])
def test_one_life_with_rules(garden: type[WildGarden]) -> None:
    """A short one that is always the same: all rules, slots that are used again, long chains of edits."""
    one = garden()
    one.plant(0.5, 2.0, True)
    for turn in range(2):
        for name, kind in (("aa", "turnover"), ("ab", "elements"), ("ba", "old"), ("cb", "crowded"), ("aa2", "weak")):
            one.a_rule_about_synapses_comes(name, kind, 1)
        one.run_some_steps(5)
        for name, kind in (("a", "born"), ("b", "born"), ("a", "too many"), ("b", "quiet")):
            one.a_rule_about_neurons_comes(name, kind, True)
        one.run_some_steps(10)
        one.neurons_are_born("b", 30, linked=True)  # more slots, and then most of them free again
        dead = one.neurons("b")[4:]
        one.net.populations["b"].remove(dead)
        one.they_are_gone(dead, "b")
        one.the_log_tells_the_story()
        one.run_some_steps(5 + turn)
        one.graphs_are_equal()
        one.questions_are_answered()
        one.the_log_tells_the_story()
        one.no_spike_is_lost()
    births, deaths = one.net.history.births, one.net.history.deaths
    assert min(*births.values(), *deaths.values()) > 20
