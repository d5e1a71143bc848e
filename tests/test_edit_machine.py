"""Whatever is done to a network, in whatever order: it equals a networkx graph that was edited alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import networkx as nx
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import neurosim as ns
from neurosim.errors import NeurosimError
from neurosim.graph import event_log
from neurosim.graph import population as population_module

DT = 0.5
BOUNDED = "ba"  # has declared bounds
BOUNDS = {"weight": (-4.0, 4.0), "delay": (0.5, 8.0)}
WEIGHTS = st.floats(-4.0, 4.0, width=32)
DELAYS = st.sampled_from([0.5, 0.6, 0.75, 1.0, 2.2, 7.9])
Event = tuple[int, int, int, int, int, float, float]  # kind, owner, id, pre, post, weight, delay


def on_grid(delay: float) -> float:
    return 0.0 if delay == 0.0 else max(1, math.floor(delay / DT + 0.5)) * DT


class Garden(RuleBasedStateMachine):
    """Three populations, five projections, spikes in flight; and ``graph``, the same network as it should be."""

    sharded_from: ClassVar[Mapping[str, int]] = {}

    def __init__(self) -> None:
        super().__init__()
        with pytest.MonkeyPatch.context() as patch:
            for name, size in self.sharded_from.items():
                patch.setattr(population_module, name, size)
            self.net = ns.Network(seed=7, dt=DT)
            models: tuple[Any, ...] = "lif_delta", {"lif_exp": {"tau_m": 5.0}}, {"poisson": {"rate": 300.0}}
            for name, size, model in zip("abc", (6, 9, 3), models, strict=True):
                self.net.add_population(name, size, model)
        self.seen: set[Any] = set()  # every id there ever was
        self.expected: list[Event] = []  # births and deaths since the last look at the log
        self.logged = 0
        self.first: nx.MultiDiGraph[int] = nx.MultiDiGraph()

    @initialize(weight=WEIGHTS, delay=DELAYS, several=st.booleans())
    def plant(self, weight: float, delay: float, several: bool) -> None:
        """Two projections join a to a, so that their synapses share ids."""
        net = self.net
        kinds, wild = ns.connectors, ns.uniform(-1.0, 1.0)
        varied = ns.uniform(0.0, 8.0) if several else delay
        net.connect("a", "a", kinds.fixed_total(14), name="aa", weight=weight, delay=delay, receptor="exc")
        net.connect("a", "a", kinds.fixed_probability(0.2), name="aa2", weight=wild, delay=varied, receptor="inh")
        net.connect("a", "b", "none", name="ab", weight=weight, delay=delay, receptor="exc")
        net.connect("b", "a", kinds.fixed_indegree(2), name=BOUNDED, weight=weight, delay=ns.uniform(0.5, 8.0),
                    receptor="inh", bounds=BOUNDS)  # fmt: skip
        net.connect("c", "b", "all_to_all", name="cb", weight=100.0, delay=varied, receptor="exc")
        net.add_input("drive", ns.inputs.poisson("400 Hz"), ["a", "b"], weight=30.0, receptor="exc")
        self.sim = ns.Simulation(net, audit=True, threads=1)
        self.graph = net.to_networkx()
        self.first = self.graph.copy()
        self.seen = {*self.graph.nodes, *((data["projection"], self.id_of(k)) for *_, k, data in self.edges())}

    # -- the model ------------------------------------------------------------------------------------------

    def edges(self) -> list[Any]:
        return list(self.graph.edges(keys=True, data=True))

    def id_of(self, key: Any) -> int:
        return int(str(key).rpartition("/")[2])

    def key_of(self, name: str, synapse: int) -> Any:
        return f"{name}/{synapse}" if name == "aa2" else synapse

    def synapses(self, name: str) -> list[tuple[int, int, int]]:
        """(id, pre, post) of a projection as the model has it."""
        return sorted((self.id_of(k), u, v) for u, v, k, data in self.edges() if data["projection"] == name)

    def neurons(self, name: str) -> list[int]:
        return sorted(n for n, data in self.graph.nodes(data=True) if data["population"] == name)

    def ends(self, name: str) -> tuple[list[int], list[int]]:
        projection = self.net.projections[name]
        return self.neurons(projection.source.name), self.neurons(projection.target.name)

    def some(self, data: st.DataObject, items: list[Any], most: int = 5) -> list[Any]:
        return data.draw(st.lists(st.sampled_from(items), max_size=most)) if items else []

    def edge_born(self, name: str, synapse: int, pre: int, post: int, weight: float, delay: float) -> None:
        assert (name, synapse) not in self.seen
        assert synapse >> 32 == pre
        self.seen.add((name, synapse))
        projection = self.net.projections[name]
        values = {"weight": float(np.float32(weight)), "delay": on_grid(delay)}
        self.graph.add_edge(
            pre, post, self.key_of(name, synapse), **values, projection=name, receptor=projection.receptor
        )
        self.expected.append((2, projection.index, synapse, pre, post, values["weight"], values["delay"]))

    def edge_dies(self, name: str, synapse: int, pre: int, post: int) -> None:
        data = self.graph[pre][post][self.key_of(name, synapse)]
        owner = self.net.projections[name].index
        self.expected.append((3, owner, synapse, pre, post, data["weight"], data["delay"]))
        self.graph.remove_edge(pre, post, self.key_of(name, synapse))

    def sprout(self, name: str, pre: list[int], post: list[int], weight: Any, delay: Any) -> None:
        """Add synapses to both."""
        ids = self.net.projections[name].add(pre, post, weight=weight, delay=delay)
        weights, delays = np.broadcast_to(weight, len(pre)), np.broadcast_to(delay, len(pre))
        for k, synapse in enumerate(ids.tolist()):
            self.edge_born(name, synapse, pre[k], post[k], float(weights[k]), float(delays[k]))

    # -- what can be done -----------------------------------------------------------------------------------

    @rule(data=st.data(), name=st.sampled_from(["aa", "aa2", "ab", "ba", "cb"]), n=st.sampled_from([1, 1, 2, 6, 40]))
    def add_synapses(self, data: st.DataObject, name: str, n: int) -> None:
        sources, targets = self.ends(name)
        if not sources or not targets:
            return
        pre = data.draw(st.lists(st.sampled_from(sources), min_size=n, max_size=n))
        post = data.draw(st.lists(st.sampled_from(targets), min_size=n, max_size=n))
        weights: Any = data.draw(st.one_of(WEIGHTS, st.lists(WEIGHTS, min_size=n, max_size=n)))
        delays: Any = data.draw(st.one_of(DELAYS, st.lists(DELAYS, min_size=n, max_size=n)))
        if name != BOUNDED:
            delays = data.draw(st.sampled_from([delays, 0.0, 200.0]))
        self.sprout(name, pre, post, weights, delays)

    @rule(data=st.data(), name=st.sampled_from(["aa", "aa2", "ab", "ba", "cb"]), all_of_one=st.booleans())
    def remove_synapses(self, data: st.DataObject, name: str, all_of_one: bool) -> None:
        synapses = self.synapses(name)
        chosen = self.some(data, synapses)
        if all_of_one and chosen:
            chosen = [synapse for synapse in synapses if synapse[1] == chosen[0][1]]
        self.net.projections[name].remove([synapse[0] for synapse in chosen])
        for synapse in dict.fromkeys(chosen):
            self.edge_dies(name, *synapse)

    @rule(name=st.sampled_from(["aa", "aa2", "ab", "ba", "cb"]), born=st.sampled_from([2**16 - 3, 2**16]))
    def sources_are_old(self, name: str, born: int) -> None:
        """As if so many synapses had been born of each: their next birth numbers outgrow two bytes."""
        store = self.net.projections[name].store
        store.number()
        np.maximum(store.next_serial, born, out=store.next_serial)

    @rule(data=st.data(), name=st.sampled_from(["aa", "aa2", "ba", "cb"]), weight=WEIGHTS)
    def write_weights(self, data: st.DataObject, name: str, weight: float) -> None:
        chosen = self.some(data, self.synapses(name))
        self.net.projections[name].weight[[s for s, _, _ in chosen]] = weight
        for synapse, pre, post in chosen:
            self.graph[pre][post][self.key_of(name, synapse)]["weight"] = weight

    @rule(data=st.data(), name=st.sampled_from(["aa", "aa2", "ba", "cb"]), delay=DELAYS)
    def write_delays(self, data: st.DataObject, name: str, delay: float) -> None:
        chosen = self.some(data, self.synapses(name))
        self.net.projections[name].delay[[s for s, _, _ in chosen]] = f"{delay} ms"
        for synapse, pre, post in chosen:
            self.graph[pre][post][self.key_of(name, synapse)]["delay"] = on_grid(delay)

    @rule(name=st.sampled_from(["aa", "aa2", "ab", "ba", "cb"]))
    def write_all_weights(self, name: str) -> None:
        projection = self.net.projections[name]
        weights = np.linspace(-1.0, 1.0, projection.size)
        ids = projection.ids.tolist()
        projection.weight.set(weights)
        values = dict(zip(ids, weights.astype(np.float32).tolist(), strict=True))
        for synapse, pre, post in self.synapses(name):
            self.graph[pre][post][self.key_of(name, synapse)]["weight"] = values[synapse]

    @rule(name=st.sampled_from(["a", "b", "c"]), n=st.sampled_from([0, 1, 2, 30, 60]), linked=st.booleans())
    def neurons_are_born(self, name: str, n: int, linked: bool) -> None:
        population = self.net.populations[name]
        born = population.add(n).tolist()
        for neuron in born:
            assert neuron not in self.seen
            self.seen.add(neuron)
            self.graph.add_node(neuron, population=name)
            self.expected.append((0, population.index, neuron, 0, 0, 0.0, 0.0))
        out = {"a": "aa", "b": "ba", "c": "cb"}[name]
        targets = self.ends(out)[1]
        if linked and targets and born:
            pre = born[:7] + born[-7:]
            self.sprout(out, pre, [targets[k % len(targets)] for k in range(len(pre))], 0.25, 1.0)

    @rule(data=st.data(), name=st.sampled_from(["a", "b", "c"]), most=st.booleans())
    def neurons_die(self, data: st.DataObject, name: str, most: bool) -> None:
        neurons = self.neurons(name)
        chosen = neurons[2:] if most and len(neurons) > 40 else self.some(data, neurons, 3)
        self.net.populations[name].remove(chosen)
        self.they_are_gone(chosen, name)

    def they_are_gone(self, chosen: list[int], name: str) -> None:
        """Let neurons die in the model, and with each its synapses."""
        dead = set(chosen)
        for u, v, k, attributes in self.edges():
            if u in dead or v in dead:
                self.edge_dies(attributes["projection"], self.id_of(k), u, v)
        for neuron in dead:
            self.graph.remove_node(neuron)
            self.expected.append((1, self.net.populations[name].index, neuron, 0, 0, 0.0, 0.0))

    @rule(steps=st.sampled_from([1, 2, 3, 10, 50]))
    def run_some_steps(self, steps: int) -> None:
        self.sim.run(steps * DT)
        self.graph.graph["time"] = self.sim.time

    @rule(data=st.data(), name=st.sampled_from(["aa", "aa2", "ab", "ba", "cb"]))
    def mistakes_change_nothing(self, data: st.DataObject, name: str) -> None:
        projection = self.net.projections[name]
        sources, targets = self.ends(name)
        dead = sorted(n for n in self.seen - set(self.graph.nodes) if isinstance(n, int))
        no_one = data.draw(st.sampled_from([*dead, self.net._next_id, 2**33]))
        gone = sorted(s for p, s in (i for i in self.seen if isinstance(i, tuple)) if p == name)
        living = [s for s, _, _ in self.synapses(name)]
        nothing = data.draw(st.sampled_from([*(set(gone) - set(living)), 2**32 - 1, 2**63]))
        edits: list[Callable[[], object]] = [
            lambda: projection.remove([*living[:2], nothing]),
            lambda: projection.weight.__setitem__([*living[:2], nothing], 0.5),
            lambda: projection.delay.__setitem__([*living[:2], nothing], 0.5),
            lambda: projection.add([*sources[:1], no_one], [*targets[:1], no_one], weight=0.5, delay=1.0),
            lambda: projection.source.remove([*sources[:1], no_one]),
        ]
        if sources and targets:
            edits += [
                lambda: projection.add(sources[0], targets[0], weight=0.5, delay=-0.5),
                lambda: projection.add(sources[0], targets[0], weight=math.nan, delay=1.0),
            ]
        if living:
            edits += [lambda: projection.delay.__setitem__(living, -1.0)]
        if living and name == BOUNDED:
            edits += [
                lambda: projection.add(sources[0], targets[0], weight=5.0, delay=1.0),
                lambda: projection.add(sources[0], targets[0], weight=1.0, delay=0.0),
                lambda: projection.weight.__setitem__(living, -4.5),
                lambda: projection.delay.__setitem__(living, 8.5),
            ]
        for edit in edits:
            with pytest.raises(NeurosimError):
                edit()

    # -- what always holds ----------------------------------------------------------------------------------

    @invariant()
    def graphs_are_equal(self) -> None:
        found = self.net.to_networkx()
        assert found.graph == self.graph.graph
        assert dict(found.nodes(data=True)) == dict(self.graph.nodes(data=True))
        ours = {(u, v, k): data for u, v, k, data in found.edges(keys=True, data=True)}
        assert ours == {(u, v, k): data for u, v, k, data in self.edges()}

    @invariant()
    def questions_are_answered(self) -> None:
        for name, projection in self.net.projections.items():
            sources, targets = self.ends(name)
            synapses = self.synapses(name)
            assert projection.size == len(synapses)
            weights = {s: self.graph[u][v][self.key_of(name, s)]["weight"] for s, u, v in synapses}
            assert dict(zip(projection.ids.tolist(), projection.weight.values.tolist(), strict=True)) == weights
            assert projection.source.ids.tolist() == sources
            outgoing, incoming = [pre for _, pre, _ in synapses], [post for _, _, post in synapses]
            assert projection.out_degree().tolist() == [outgoing.count(n) for n in sources]
            assert projection.in_degree(targets[::-1]).tolist() == [incoming.count(n) for n in targets[::-1]]
            if sources and targets:
                pre, post = sources[: len(sources) // 2 + 1], targets[len(targets) // 2 :]
                found = [s for s, u, v in synapses if u in pre and v in post]
                assert sorted(projection.find(pre, post).tolist()) == found
            heavy = [s for s, u, v in synapses if weights[s] > 0.5 and u != v]
            assert sorted(projection.where("weight > 0.5 and pre != post").tolist()) == heavy

    @invariant()
    def the_log_tells_the_story(self) -> None:
        events = self.net.history.events
        fresh = {name: events[name][self.logged :] for name in event_log.FIELDS}
        self.logged = len(events)
        assert np.all(fresh["time"] == self.net.time)
        fields = ("kind", "owner", "id", "pre", "post", "weight", "delay")
        assert sorted(zip(*(fresh[name].tolist() for name in fields), strict=True)) == sorted(self.expected)
        self.expected = []
        replayed = self.first.copy()
        names, populations = list(self.net.projections), list(self.net.populations)
        for kind, owner, one, pre, post in zip(*(events[name].tolist() for name in fields[:5]), strict=True):
            if kind == 0:
                replayed.add_node(one, population=populations[owner])
            elif kind == 1:
                assert replayed.degree(one) == 0  # its synapses died before
                replayed.remove_node(one)
            elif kind == 2:
                replayed.add_edge(pre, post, self.key_of(names[owner], one))
            else:
                replayed.remove_edge(pre, post, self.key_of(names[owner], one))
        assert set(replayed.nodes) == set(self.graph.nodes)
        assert set(replayed.edges(keys=True)) == set(self.graph.edges(keys=True))

    @invariant()
    def no_spike_is_lost(self) -> None:
        counted = self.sim.conservation()
        assert counted["emitted"] == counted["delivered"] + counted["in_flight"] + counted["dropped"]
        assert min(counted.values()) >= 0


class ShardedGarden(Garden):
    """The same with several logical shards per population, of a few neurons each: 2, 4 and 1."""

    sharded_from: ClassVar[Mapping[str, int]] = {"_NEURONS_PER_SHARD": 3, "_NEURONS_FOR_FOUR": 9}


@pytest.mark.parametrize("garden", [Garden, ShardedGarden])
def test_any_life(garden: type[Garden]) -> None:
    run_state_machine_as_test(garden, settings=settings(max_examples=40, stateful_step_count=25))


@pytest.mark.lane
@pytest.mark.parametrize("garden", [Garden, ShardedGarden])
def test_one_life(garden: type[Garden]) -> None:
    """A short one that is always the same, with spikes in flight while everything changes."""
    one = garden()
    one.plant(0.5, 2.0, True)
    counted = {}
    for turn in range(3):
        a, b = one.net.populations["a"], one.net.populations["b"]
        assert (a.shards, b.shards) == ((2, 4) if garden is ShardedGarden else (1, 1))
        one.run_some_steps(7)
        counted = one.sim.conservation()
        assert counted["in_flight"] > 0
        dead = [a.ids[turn].item()]
        one.neurons_are_born("b", 5, linked=True)
        for synapse in one.synapses("ba")[:2]:
            one.net.projections["ba"].remove(synapse[0])
            one.edge_dies("ba", *synapse)
        for u, v, k, data in one.edges():
            if dead[0] in (u, v):
                one.edge_dies(data["projection"], one.id_of(k), u, v)
        a.remove(dead)
        one.graph.remove_node(dead[0])
        one.expected.append((1, a.index, dead[0], 0, 0, 0.0, 0.0))
        (synapse,) = one.net.projections["ab"].add(a.ids[0], b.ids[-1], weight=50.0, delay=turn).tolist()
        one.edge_born("ab", synapse, a.ids[0].item(), b.ids[-1].item(), 50.0, turn)
        one.write_all_weights("cb")
        one.graphs_are_equal()
        one.questions_are_answered()
        one.the_log_tells_the_story()
        one.no_spike_is_lost()
    assert one.sim.conservation()["dropped"] > 0
