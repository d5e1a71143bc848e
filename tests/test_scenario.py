"""Scenarios: what a file says is what is built, run, recorded and checked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from small_scenario import SMALL

from neurosim import scenarios
from neurosim.errors import UsageError
from neurosim.record import Result
from neurosim.scenario import RunInterrupted, Scenario, build, describe, load, run, size
from neurosim.scenario.reader import parse


def written(folder: Path, text: str = SMALL, name: str = "small.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def ran(folder: Path, more: str = "", **options: object) -> Result:
    return run(written(folder, SMALL + more), folder / "small.nsim", overwrite=True, **options)  # type: ignore[arg-type]


# -- reading ----------------------------------------------------------------------------------------------


def test_yaml_is_read_as_1_2() -> None:
    text = "a: 1e-3\nb: no\nc: 010\nd: 12:30\ne: 2001-01-01\nf: 20 ms\ng: ~\nh: true\ni: [1, -2.5]\non: 0o17"
    expected = {"a": 0.001, "b": "no", "c": 10, "d": "12:30", "e": "2001-01-01", "f": "20 ms", "g": None, "h": True,
                "i": [1, -2.5], "on": 15}  # fmt: skip
    assert parse(text).data == expected


def test_anchors_and_merges() -> None:
    document = parse("a: &a {x: 1, y: {z: 2}}\nb: {<<: *a, x: 3}\nc: *a\n")
    assert document.data["b"] == {"x": 3, "y": {"z": 2}}
    document.data["c"]["y"]["z"] = 9
    assert document.data["a"]["y"]["z"] == 2  # an alias is a copy: an override of one is not one of the other


def test_overrides(tmp_path: Path) -> None:
    path = written(tmp_path)
    settings = [
        "populations.exc.size=90",
        "populations.exc.tau_m=30 ms",
        "populations.inh.model.lif_delta.v_th=15 mV",
        "inputs.drive.rate=5 kHz",
        "projections.e.connect={fixed_indegree: 5}",
        "groups.cue.first=4",
    ]
    scenario = load(path, settings, seed=7, duration="50 ms")
    assert (scenario.spec.header.seed, scenario.duration) == (7, 50.0)
    assert list(scenario.settings[:2]) == ["--set populations.exc.size=90", "--set populations.exc.tau_m=30 ms"]
    net = build(scenario).network
    assert [net.populations[name].size for name in ("exc", "inh")] == [90, 20]
    assert net.populations["exc"].parameters["tau_m"] == 30
    assert net.populations["inh"].parameters["v_th"] == 15
    assert net.populations["inh"].parameters["tau_m"] == 10
    assert net.projections["e_exc"].size == 450
    assert net.groups["cue"].size == 4


def test_examples_are_found_by_name() -> None:
    assert {"first_light", "brunel", "cuba", "from_graph", "polychronization"} <= set(scenarios.names())
    assert load("brunel").name == load(scenarios.path("brunel.yaml")).name == "brunel"


@pytest.mark.parametrize("name", scenarios.names())
def test_examples_are_valid_and_say_what_they_are(name: str) -> None:
    scenario = load(name)
    header = scenario.spec.header
    assert scenario.name == name
    assert header.about
    assert header.source
    assert scenario.spec.expect
    assert scenario.notes == []
    assert "# Look at:" in scenario.text


# -- building ---------------------------------------------------------------------------------------------


def test_the_network_is_what_the_file_says(tmp_path: Path) -> None:
    net = build(load(written(tmp_path))).network
    assert list(net.populations) == ["exc", "inh"]
    assert list(net.projections) == ["e_exc", "e_inh", "i_exc", "i_inh"]
    assert [p.receptor for p in net.projections.values()] == ["exc", "exc", "inh", "inh"]
    v = net.populations["exc"].v.values
    assert 0 <= v.min() < v.max() <= 20
    assert (net.projections["e_exc"].in_degree() == 10).all()
    edges = net.projections["i_inh"].edges()
    assert (edges.pre != edges.post).all()
    np.testing.assert_array_equal(net.groups["cue"].ids, net.populations["exc"].ids[:8])
    assert net.groups["any"].size == 8


def test_random_groups_are_keyed_by_the_seed(tmp_path: Path) -> None:
    path = written(tmp_path)
    first, again, other = (build(load(path, seed=seed)).network.groups["any"].ids.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_selections(tmp_path: Path) -> None:
    more = "  last: {population: inh, last: 3}\n  mid: {population: inh, slice: [5, 8]}\n"
    more += "  high: {population: inh, where: 'id > 97'}\n"
    net = build(load(written(tmp_path, SMALL.replace("inputs:", f"{more}inputs:")))).network
    inh = net.populations["inh"].ids
    np.testing.assert_array_equal(net.groups["last"].ids, inh[-3:])
    np.testing.assert_array_equal(net.groups["mid"].ids, inh[5:8])
    np.testing.assert_array_equal(net.groups["high"].ids, [98, 99])


def test_size_is_estimated(tmp_path: Path) -> None:
    scenario = load(written(tmp_path))
    about = size(scenario)
    assert about.neurons == {"exc": 80, "inh": 20}
    assert about.synapses == pytest.approx({"e_exc": 800, "e_inh": 200, "i_exc": 320, "i_inh": 80})
    brunel = size(load("brunel"))
    assert sum(brunel.synapses.values()) == 15_625_000
    assert 300e6 < brunel.memory < 1500e6
    json.dumps(describe(scenario))


# -- graph files ------------------------------------------------------------------------------------------

FROM_GRAPH = """\
duration: 1 ms
populations:
  cells: {{from: {file}, model: lif_delta, initial: {{v: {{column: v0}}}}}}
projections:
  wires: {{from: cells, to: cells, connect: {{graph: {{file: {file}, weight: strength, delay: lag}}}}}}
"""


def multigraph() -> nx.MultiDiGraph[str]:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for k, node in enumerate("abc"):
        graph.add_node(node, v0=float(k), x=10.0 * k, y=1.0, z=-1.0)
    for source, target, strength, lag in (("a", "b", 0.5, 1.0), ("a", "b", 0.25, 2.5), ("c", "c", 2.0, 0.7)):
        graph.add_edge(source, target, strength=strength, lag=lag)
    return graph


@pytest.mark.parametrize("suffix", [".graphml", ".gexf", ".json"])
def test_populations_and_projections_from_graph_files(tmp_path: Path, suffix: str) -> None:
    file, graph = tmp_path / f"net{suffix}", multigraph()
    if suffix == ".graphml":
        nx.write_graphml(graph, file)
    elif suffix == ".gexf":
        nx.write_gexf(graph, file)
    else:
        file.write_text(json.dumps(nx.node_link_data(graph)), encoding="utf-8")
    net = build(load(written(tmp_path, FROM_GRAPH.format(file=file.name)))).network
    cells, edges = net.populations["cells"], net.projections["wires"].edges()
    np.testing.assert_array_equal(cells.v.values, [0, 1, 2])
    np.testing.assert_array_equal(cells.positions, [[0, 1, -1], [10, 1, -1], [20, 1, -1]])
    found = sorted(zip(edges.pre.tolist(), edges.post.tolist(), edges.weight.tolist(), edges.delay.tolist()))
    assert found == [(0, 1, 0.25, 2.5), (0, 1, 0.5, 1.0), (2, 2, 2.0, pytest.approx(0.7))]


def test_edge_lists_and_undirected_graphs(tmp_path: Path) -> None:
    (tmp_path / "net.csv").write_text("source,target,weight,delay\na,b,0.5 mV,1 ms\nb,c,1.5,200 us\n", encoding="utf-8")
    text = "duration: 1 ms\npopulations: {{p: {{from: {0}, model: lif_delta}}}}\n"
    text += "projections: {{w: {{from: p, to: p, connect: {{graph: {0}}}}}}}\n"
    edges = build(load(written(tmp_path, text.format("net.csv")))).network.projections["w"].edges()
    assert edges.weight.tolist() == [0.5, 1.5]
    np.testing.assert_allclose(edges.delay, [1.0, 0.2])
    graph: nx.Graph[int] = nx.path_graph(3)
    nx.set_edge_attributes(graph, 0.5, "weight")
    nx.set_edge_attributes(graph, 2.0, "delay")
    nx.write_graphml(graph, tmp_path / "path.graphml")
    edges = build(load(written(tmp_path, text.format("path.graphml")))).network.projections["w"].edges()
    assert sorted(zip(edges.pre.tolist(), edges.post.tolist())) == [(0, 1), (1, 0), (1, 2), (2, 1)]


def test_nodes_are_selected_by_attribute() -> None:
    net = build(load("from_graph")).network
    assert [population.size for population in net.populations.values()] == [160, 40]
    graph = nx.read_graphml(scenarios.path("from_graph").with_name("ring_of_communities.graphml"))
    assert sum(projection.size for projection in net.projections.values()) == graph.number_of_edges()
    exc = [node for node, kind in graph.nodes(data="kind") if kind == "exc"]
    edges = net.projections["e_exc"].edges()
    for pre, post, weight, delay in list(zip(edges.pre, edges.post, edges.weight, edges.delay))[:50]:
        data = graph.edges[exc[pre], exc[post]]
        assert (weight, delay) == (np.float32(data["weight"]), pytest.approx(data["delay"]))


def test_the_example_graph_is_what_its_maker_makes(tmp_path: Path) -> None:
    from neurosim.scenarios.ring_of_communities import ring_of_communities

    shipped = nx.read_graphml(scenarios.path("from_graph").with_name("ring_of_communities.graphml"))
    made = ring_of_communities()
    assert dict(shipped.nodes(data=True)) == dict(made.nodes(data=True))
    assert list(shipped.edges(data=True)) == list(made.edges(data=True))


# -- running ----------------------------------------------------------------------------------------------

RECORD = """\
record:
  spikes: [exc, cue]
  state: {exc: {variables: [v], select: {first: 3}, every: 10 ms}, inh: {variables: [v], select: {where: v > 5 mV}}}
  synapses: {e_exc: {every: 100 ms, sample: 5}, i: {every: 100 ms}}
"""
KEYS = """scenario seed threads backend duration_ms neurons synapses spikes rate_hz events births deaths
compile_s build_s sim_s rtf events_per_s peak_rss_mb result hash expect"""


def test_a_run_and_its_result(tmp_path: Path) -> None:
    result = ran(tmp_path, RECORD, threads=1)
    summary = result.summary
    assert set(KEYS.split()) <= set(summary)
    assert (summary["scenario"], summary["duration_ms"], summary["threads"]) == ("small", 200.0, 1)
    assert (result.status, result.duration, result.time_reached) == ("finished", 200.0, 200.0)
    times, _ids = result.spikes("exc")
    assert times.size == round(summary["rate_hz"]["exc"] * 80 * 0.2)
    assert times.size > 100
    state = result.state("exc")
    assert sorted(set(state["id"].tolist())) == [0, 1, 2]
    np.testing.assert_allclose(np.unique(state["time"]), np.arange(0, 201, 10))
    assert (result.state("inh")["v"] > 5).all()
    assert len(set(result.synapses("e_exc")["id"].tolist())) == 5
    assert np.unique(result.synapses("i_inh")["time"]).tolist() == [0, 100, 200]
    graph = result.graph()
    assert graph.number_of_nodes() == 100
    assert graph.number_of_edges() == summary["synapses"]
    assert result.scenario_text == SMALL + RECORD
    assert result.provenance["settings"] == []


def test_the_graph_is_left_out_where_asked(tmp_path: Path) -> None:
    result = ran(tmp_path, "record: {graph: false, spikes: []}\n", duration="10 ms")
    assert result.summary["spikes"] >= 0
    assert "edges" not in result.contents or not result.contents["edges"]["rows"]


def test_groups_are_recorded_without_repeating_spikes(tmp_path: Path) -> None:
    everything = ran(tmp_path).spikes("exc")
    both = ran(tmp_path, "record: {spikes: [cue, any]}\n").spikes("exc")
    built = build(load(tmp_path / "small.yaml"))
    members = np.union1d(built.network.groups["cue"].ids, built.network.groups["any"].ids)
    mine = np.isin(everything[1], members)
    np.testing.assert_array_equal(both[0], everything[0][mine])
    np.testing.assert_array_equal(both[1], everything[1][mine])


def test_same_bits_whatever_is_recorded_expected_or_threaded(tmp_path: Path) -> None:
    expect = "expect: [{cv: exc, between: [0, 9]}, {rate: cue, over: [3 ms, 77 ms], between: [0, 900]}]\n"
    hashes = [ran(tmp_path, more, threads=threads).summary["hash"] for more, threads in
              (("", 1), ("", 2), (RECORD, 2), (RECORD + expect, 1))]  # fmt: skip
    assert len(set(hashes)) == 1
    assert ran(tmp_path, seed=2).summary["hash"] != hashes[0]


def test_results_are_named_after_the_scenario_and_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path)
    names = [run(path, duration="1 ms").path.name for _ in range(3)]
    assert names == ["small.nsim", "small-2.nsim", "small-3.nsim"]
    odd = load(written(tmp_path, SMALL.replace("name: small", "name: a/b c"), "odd.yaml"), duration="1 ms")
    assert run(odd).path.name == "a_b_c.nsim"
    with pytest.raises(UsageError, match="loaded already"):
        run(odd, seed=3)


def test_progress_is_reported(tmp_path: Path) -> None:
    seen: list[tuple[str, float, float, int]] = []
    ran(tmp_path, progress=lambda *what: seen.append(what))
    assert {"connecting e_exc", "running"} <= {phase for phase, *_ in seen}
    assert seen[-1][:3] == ("running", 200.0, 200.0)


@pytest.mark.parametrize("way", ["signal", "exception"])
def test_ctrl_c_keeps_what_was_recorded(tmp_path: Path, way: str) -> None:
    def interrupt(phase: str, done: float, total: float, spikes: int) -> None:
        if phase == "running" and done >= 1000:
            if way == "exception":
                raise KeyboardInterrupt
            os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(RunInterrupted, match="interrupted at") as caught:
        ran(
            tmp_path,
            "expect: [{rate: exc, over: [0 s, 1000 s], between: [0, 1]}]\n",
            duration="1000 s",
            progress=interrupt,
        )
    assert signal.getsignal(signal.SIGINT) is handler
    result = caught.value.result
    assert result.status == "interrupted"
    assert 1000 <= result.time_reached < 1e6
    assert result.spikes("exc")[0].max() > 990
    assert result.summary["duration_ms"] == result.time_reached
    assert result.summary["expect"][0]["status"] == "not evaluated"


def test_importing_the_package_stays_light() -> None:
    code = (
        "import sys, neurosim; print(sorted({'pydantic', 'ruamel', 'matplotlib', 'click', 'rich'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


# -- the examples hold what they promise ------------------------------------------------------------------

QUICK = ["first_light", "from_graph", "cuba", "cobahh", "short_term_plasticity", "spontaneous", "own_model",
         "travelling_wave"]


@pytest.mark.parametrize("name", QUICK)
def test_examples_hold(tmp_path: Path, name: str) -> None:
    summary = run(name, tmp_path / "a.nsim").summary
    assert [one for one in summary["expect"] if one["status"] != "held"] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*scenarios.names()} - {*QUICK}))
def test_long_examples_hold(tmp_path: Path, name: str) -> None:
    summary = run(name, tmp_path / "a.nsim").summary
    assert [one for one in summary["expect"] if one["status"] != "held"] == []


def test_a_loaded_scenario_can_be_run_again(tmp_path: Path) -> None:
    scenario: Scenario = load(written(tmp_path), duration="20 ms")
    first, second = (run(scenario, tmp_path / f"{k}.nsim").summary["hash"] for k in (1, 2))
    assert first == second
