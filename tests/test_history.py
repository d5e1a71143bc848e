"""Births and deaths in the result file: the graph at any time, their numbers over time, and what each mode keeps."""

from __future__ import annotations

import importlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Annotation, Text

import neurosim as ns
from neurosim.engine import simulation
from neurosim.engine.learning import runner
from neurosim.engine.schedule import Order
from neurosim.errors import InvalidInput, ScenarioError
from neurosim.graph.tally import Tally
from neurosim.record import HISTORY, NotRecorded, Result
from neurosim.record.chunks import pack, unpack
from neurosim.scenario.builder import Built, build
from neurosim.scenario.load import load

running = importlib.import_module("neurosim.scenario.run")  # the package has a function of that name

ALIVE = """\
name: alive
duration: 300 ms
seed: 3
populations:
  exc: {size: 40, model: lif_delta, positions: PLACES}
  inh: {size: 10, model: lif_delta}
inputs:
  drive: {poisson: {rate: 15 kHz}, to: [exc, inh], weight: 0.2 mV}
projections:
  ee: {from: exc, to: exc, connect: {fixed_indegree: 5}, weight: 0.2 mV, delay: "uniform(1 ms, 8 ms)"}
  ei: {from: exc, to: inh, connect: {fixed_indegree: 5}, weight: 0.2 mV, delay: 2 ms, precision: float64}
  ie: {from: inh, to: exc, connect: {fixed_indegree: 3}, weight: -0.5 mV, delay: 1.5 ms}
record:
  synapses: {ei: {variables: [weight], every: 5 ms}}
""".replace("PLACES", str([[k, 2 * k, -k] for k in range(40)]))


class Gardener:
    """Edits a network all the time, and remembers what was known of the weights of ``ei``, and when."""

    def __init__(self, built: Built) -> None:
        self.net, self.random = built.network, np.random.default_rng(5)
        self.weights: dict[int, tuple[float, float]] = {}
        self.look(built.simulation)
        built.simulation.every("5 ms", self.look, order=Order.RECORD)
        built.simulation.every("1 ms", self.edit)

    def look(self, sim: Any) -> None:
        """See all weights, as the recorder does."""
        ei = self.net.projections["ei"]
        seen = zip(ei.ids.tolist(), ei.weight.values.tolist(), strict=True)
        self.weights |= {synapse: (weight, sim.time) for synapse, weight in seen}

    def edit(self, sim: Any) -> None:
        """Births and deaths of all kinds, some at slots of the dead."""
        net, random = self.net, self.random
        for projection in net.projections.values():
            pre, post = projection.source.ids, projection.target.ids
            number = int(random.integers(0, 4))
            if pre.size and post.size:
                ends = random.choice(pre, number), random.choice(post, number)
                born = projection.add(*ends, weight=random.normal(0, 0.1, number), delay=random.uniform(1, 9, number))
                if projection.name == "ei":
                    values = projection.weight[born].tolist()
                    self.weights |= {s: (w, sim.time) for s, w in zip(born.tolist(), values, strict=True)}
            projection.remove(random.permutation(projection.ids)[: random.integers(0, 4)])
        if round(sim.time) % 3 > 0:
            for population in net.populations.values():
                population.remove(random.permutation(population.ids)[: random.integers(0, 2)])
                number = int(random.integers(0, 2))
                places = None if population.positions is None else random.normal(0, 50, (number, 3))
                population.add(number, positions=places)
        if round(sim.time) % 7 == 0:
            net.projections["ei"].weight = random.normal(0, 1)


def alive(folder: Path, act: Callable[[Built], Any] = Gardener, **changes: str) -> tuple[Result, Any]:
    """Run the scenario with edits; its result, and whoever edited."""
    (folder / "alive.yaml").write_text(ALIVE)
    scenario = load(folder / "alive.yaml", [f"{path.replace('__', '.')}={value}" for path, value in changes.items()])
    built = build(scenario, threads=1)
    actor = act(built)
    return running.run_built(built, folder / f"{len(list(folder.iterdir()))}.nsim"), actor


def test_the_graph_at_random_times_is_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "FLUSH_EVERY", 0.0)
    monkeypatch.setattr(simulation, "_BREATH", 0.0)
    taken: list[tuple[float, nx.MultiDiGraph[int], dict[int, tuple[float, float]]]] = []
    steps = np.sort(np.random.default_rng(1).choice(3001, 99, replace=False)).tolist()

    def act(built: Built) -> Gardener:
        gardener = Gardener(built)
        for step in [*steps, 3000]:
            built.simulation.at(
                step * 0.1, lambda sim: taken.append((sim.time, sim.network.to_networkx(), dict(gardener.weights)))
            )
        return gardener

    result, gardener = alive(tmp_path, act)
    assert len(taken) == 100
    assert len(result.progress[0]) > 100
    assert min(result.summary["births"].values()) > 50
    assert min(result.summary["deaths"].values()) > 50
    assert 40 + result.births("exc")["id"].size > gardener.net.populations["exc"].n_slots  # slots were used again
    for time, then, weights in taken:
        graph = result.graph(at=time)
        assert dict(graph.nodes(data=True)) == dict(then.nodes(data=True))
        assert {*graph.edges(keys=True)} == {*then.edges(keys=True)}
        for *ends, data in graph.edges(keys=True, data=True):
            expected = dict(then.edges[ends])
            since, delay_since = data.pop("since"), data.pop("delay_since")
            assert delay_since <= time
            if data["projection"] == "ei":
                expected["weight"], at = weights[ends[2]]
                assert since == pytest.approx(at)
            assert data == expected


def test_what_was_born_and_died_can_be_asked_for(tmp_path: Path) -> None:
    result, gardener = alive(tmp_path)
    net = gardener.net
    for owners, synapses in ((net.populations, False), (net.projections, True)):
        for name, owner in owners.items():
            births, deaths, counts = result.births(name), result.deaths(name), result.structure(name)
            assert births["time"].size == counts.births.sum() > 0
            assert deaths["time"].size == counts.deaths.sum() > 0
            assert (counts.size[-1], counts.time[0]) == (owner.size, 0.0)
            assert np.array_equal(counts.size, counts.size[0] + np.cumsum(counts.births - counts.deaths))
            assert (np.diff(counts.time) > 0).all()
            for time, size in zip(counts.time[::20], counts.size[::20], strict=True):
                known = result.edges(name, time).id if synapses else result.neurons(name, time)
                assert known.size == size
            half = result.births(name, "150 ms")["id"]
            assert np.array_equal(births["id"][births["time"] > 150.0], half)
            if synapses:
                assert np.array_equal(births["pre"], births["id"] >> np.uint64(32))
    with pytest.raises(InvalidInput, match=r"no population or projection 'eee'.*'ee'"):
        result.births("eee")


def test_every_mode_gives_the_same_hash_and_the_same_sums(tmp_path: Path) -> None:
    results = {mode: alive(tmp_path, record__history=mode)[0] for mode in ("full", "counts", "off")}
    full, counts, off = results.values()
    assert [result.history_mode for result in results.values()] == [*results]
    for key in ("hash", "births", "deaths", "rate_hz", "spikes"):
        assert full.summary[key] == counts.summary[key] == off.summary[key]
    for name in (*full.populations, *full.projections):
        assert all(map(np.array_equal, full.structure(name), counts.structure(name)))
    for name in full.populations:
        assert counts.rate(name) == pytest.approx(full.rate(name))
        assert full.rate(name) == pytest.approx(full.summary["rate_hz"][name])
    assert "history" not in counts.contents
    assert {"history", "structure"}.isdisjoint(off.contents)


@pytest.mark.parametrize("mode", ["counts", "off"])
def test_what_was_not_kept_is_said(tmp_path: Path, mode: str) -> None:
    result, gardener = alive(tmp_path, record__history=mode)
    asked: list[Callable[[], Any]] = [
        lambda: result.graph(at=150),
        lambda: result.births("ee"),
        lambda: result.deaths("exc"),
        lambda: result.history(),
        lambda: result.neurons("exc", 150.0),
    ]
    if mode == "off":
        asked += [lambda: result.structure("ee"), lambda: result.rate("exc")]
    for ask in asked:
        with pytest.raises(NotRecorded, match=rf"changed at 1 ms .*history: {mode}.*Write `history: full`"):
            ask()
    assert content(result.graph(at=0)) == content(result.graph(at=0.5))
    assert result.graph(at=0.5).number_of_edges() == 40 * 5 + 10 * 5 + 40 * 3  # before anything changed
    assert content(result.graph()) == content(gardener.net.to_networkx())


def content(graph: nx.MultiDiGraph[Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Everything in a graph, but not from when it is."""
    edges = {(pre, post, key): dict(data) for pre, post, key, data in graph.edges(keys=True, data=True)}
    for data in edges.values():
        data.pop("since", None), data.pop("delay_since", None)
    return dict(graph.nodes(data=True)), edges


@pytest.mark.parametrize("mode", ["full", "counts", "off"])
def test_a_network_that_stays_as_it_is(tmp_path: Path, mode: str) -> None:
    result, net = alive(tmp_path, lambda built: built.network, record__history=mode)
    assert result.graph(at=100).number_of_edges() == net.to_networkx().number_of_edges()
    assert result.history().size == result.births("ee")["id"].size == 0
    assert [column.tolist() for column in result.structure("ee")] == [[0.0], [200], [0], [0]]
    assert result.rate("exc") == pytest.approx(result.summary["rate_hz"]["exc"])


def test_a_mode_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ALIVE + "  history: ful\n")
    with pytest.raises(ScenarioError, match=r"a.yaml:15.*history.*full"):
        load(tmp_path / "a.yaml")


def test_counts_stay_small_and_lose_nothing() -> None:
    coarse, fine = Tally(), Tally()
    fine.width = 50.0
    times = np.arange(1, 120_001) * 0.5
    for step, time in enumerate(times.tolist()):
        for tally in (coarse, fine):
            tally.count(time, 2 + step % 2, 0, 3)
    assert len(coarse.rows["time"]) < 2**15
    assert coarse.rows["n"].sum() == fine.rows["n"].sum() == 3 * times.size
    assert len(fine.rows["time"]) == 2 * 1200
    assert np.array_equal(np.unique(fine.rows["time"]), np.arange(1, 1201) * 50.0)
    assert np.array_equal(fine.drain()["kind"][:2], [2, 3])
    assert fine.rows["n"].size == 0


def test_without_a_log_memory_does_not_grow() -> None:
    net = ns.Network(seed=1, dt=0.1)
    exc = net.add_population("exc", 200)
    ee = net.connect(exc, exc, ns.connectors.fixed_outdegree(50))
    sim = ns.Simulation(net, threads=1)
    net.history.mode = "counts"

    def turn_over(sim: Any) -> None:
        ee.remove(ee.ids[:2000])
        ee.add(np.resize(exc.ids, 2000), np.repeat(exc.ids, 10))

    sim.every(1.0, turn_over)
    sim.run(50.0)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    sim.run(100.0)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100 * 4000  # bytes; a log would take 24 for each birth or death


@pytest.mark.parametrize(
    "values",
    [np.zeros(0), np.array([0.1 * 3]), np.repeat([0.1, 0.2], 50), np.arange(1, 300) * 0.1, np.array([1 / 3, np.pi]),
     np.array([0.1, 0.7], np.float32), np.array([0.1, 0.7], np.float32).astype(np.float64), np.array([np.nan, 1.0]),
     np.array([np.inf, -0.0, 1e300]), np.array([2**64 - 1, 5, 7 << 32], np.uint64), np.array([3, 900, 2**31]),
     np.array([-1, 2**40]), np.arange(5, dtype=np.uint8), np.repeat([np.nan], 40)],
    ids=repr,
)  # fmt: skip
def test_quick_packing_is_exact(values: np.ndarray[Any, Any]) -> None:
    back = unpack(*pack(values, 0.1))
    assert back.dtype == values.dtype
    assert back.tobytes() == values.tobytes()


def test_the_pre_of_a_synapse_needs_no_room(tmp_path: Path) -> None:
    events = np.zeros(2, HISTORY)
    events["kind"], events["id"], events["pre"] = [2, 0], [(7 << 32) | 1, 9], [7, 0]
    from neurosim.record import ResultFile

    with ResultFile.create(tmp_path / "a.nsim", {"dt": 0.1}) as file:
        file.append(1.0, 0.0, history=events)
    assert np.array_equal(Result(tmp_path / "a.nsim").history(), events)


@pytest.mark.parametrize("mode", ["full", "counts", "off"])
def test_pictures_of_a_structure_that_lives(tmp_path: Path, mode: str) -> None:
    from neurosim.viz import activity, raster, rates, structure, summary

    result, gardener = alive(tmp_path, record__history=mode)
    page, picture = summary.draw(result), structure.draw(result)
    said = "\n".join(text.get_text() for figure in (page, picture) for text in figure.findobj(Text))
    for figure in (page, picture, raster.draw(result), rates.draw(result)):
        figure.draw_without_rendering()
        assert not [t for t in figure.findobj(Annotation) if not _inside(t, figure)]
    for one in activity.read(result).activities:
        rate = result.summary["rate_hz"][one.name]
        assert f"{rate:.3g} Hz" in said
        assert mode == "off" or one.rate == pytest.approx(rate)
    if mode == "off":
        assert "births and deaths were not recorded" in said
        return
    sizes = {name: owner.size for name, owner in gardener.net.projections.items()}
    assert all(f"{name}  {size}" in said for name, size in sizes.items())
    ((births, deaths, net), *_) = [
        [_stairs(axes, which) for which in ("births", "deaths", "net")] for axes in picture.axes if _stairs(axes, "net")
    ]
    seconds = np.diff(net.edges) * 1e-3
    assert births.values @ seconds == pytest.approx(result.summary["births"]["synapses"])
    assert -deaths.values @ seconds == pytest.approx(result.summary["deaths"]["synapses"])
    assert net.values == pytest.approx(births.values + deaths.values)
    last = "moment 2" if mode == "full" else "moment 1"  # the middle is not known otherwise
    ending = [_stairs(axes, last) for axes in picture.axes if _stairs(axes, last)]
    assert len(ending) == 9  # out-degree, in-degree and weight of three projections
    assert all(stairs.values.sum() == pytest.approx(100.0) for stairs in ending)


def _stairs(axes: Axes, gid: str) -> Any:
    """The data of the one step line of that name; None where there is none."""
    found = [patch.get_data() for patch in axes.findobj(StepPatch) if patch.get_gid() == gid]
    return found[0] if found else None


def _inside(text: Text, figure: Figure) -> bool:
    box, page = text.get_window_extent(), figure.bbox
    empty = not (text.get_text() and text.get_visible())
    return empty or (page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1)


def test_learning_forgets_spikes_also_while_synapses_are_born(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_limit", lambda things: 200)
    monkeypatch.setattr(runner, "_REMEMBERED", 0.0)  # ms; more than the limit would be kept for synapses to come
    net = ns.Network(seed=1, dt=0.1)
    exc = net.add_population("exc", 20)
    net.add_input("drive", ns.inputs.poisson("20 kHz"), exc, weight=0.5)
    ee = net.connect(exc, exc, ns.connectors.fixed_outdegree(3), weight=0.01, delay=2.0, learning="stdp",
                     bounds={"weight": (0.0, 0.1)})  # fmt: skip
    sim = ns.Simulation(net, threads=1)
    limits: set[int] = set()

    def edit(sim: Any) -> None:
        ee.remove(ee.ids[:2])
        ee.add([1, 2], [3, 4])
        limits.add(sim._lowered(ee).row_limit)

    sim.every(1.0, edit)
    sim.run(300.0)
    assert sim.spike_counts["exc"] > 1000
    assert limits == {200}  # the memory of spikes under way grows only where they do
    memory = ee.values.plasticity
    assert memory is not None
    assert memory.births.shape[0] < 2**16
