"""Interchange formats: what is written is what is read, and nothing half."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosim.errors import InvalidInput, NeurosimError, UsageError
from neurosim.formats import export, formats, read_graph, write_graph
from neurosim.record import GraphTables, NotRecorded, Result, ResultFile, collect_provenance
from neurosim.record.topology import EdgeTable

Graph = Any


def same(one: Graph, other: Graph) -> bool:
    """Equal nodes, edges, keys and attributes, their types too."""

    def everything(graph: Graph) -> tuple[Any, Any]:
        return dict(graph.nodes(data=True)), {(u, v, k): data for u, v, k, data in graph.edges(keys=True, data=True)}

    return repr(sorted(map(sorted_items, everything(one)))) == repr(sorted(map(sorted_items, everything(other))))


def sorted_items(table: dict[Any, dict[str, Any]]) -> list[Any]:
    return sorted(((repr(key), sorted(data.items())) for key, data in table.items()), key=lambda item: item[0])


floats32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
names = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=8)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A few neurons, and synapses among them: parallel ones and autapses too."""
    graph: Graph = nx.MultiDiGraph()
    ids = draw(st.lists(st.integers(0, 2**32 - 1), unique=True, max_size=5))
    populations = draw(st.lists(names, min_size=1, max_size=2))
    for neuron in ids:
        graph.add_node(neuron, population=draw(st.sampled_from(populations)))
        if draw(st.booleans()):
            graph.nodes[neuron].update(dict(zip("xyz", draw(st.tuples(floats32, floats32, floats32)))))
    for born in range(draw(st.integers(0, 8)) if ids else 0):
        pre, post = draw(st.sampled_from(ids)), draw(st.sampled_from(ids))
        key = draw(st.sampled_from([pre << 32 | born, f"slow/{born}"]))
        graph.add_edge(pre, post, key, projection=draw(names), weight=draw(floats32), delay=draw(floats32))
        if draw(st.booleans()):
            graph.edges[pre, post, key]["receptor"] = "exc"
    return graph


@pytest.mark.parametrize("suffix", [".graphml", ".json", ".csv"])
def test_round_trip(suffix: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("formats")

    @settings(max_examples=40)
    @given(graphs())
    def check(graph: Graph) -> None:
        path = folder / f"a{suffix}"
        write_graph(graph, path)
        assert same(read_graph(path), graph)
        write_graph(GraphTables.from_networkx(graph), path)
        assert same(read_graph(path), graph)

    check()


def small() -> Graph:
    graph: Graph = nx.MultiDiGraph()
    graph.add_node(7, population="exc", x=0.5, y=0.0, z=-1.0)
    graph.add_node(8, population="inh")
    for key, weight in ((7 << 32, 0.1), (7 << 32 | 1, 0.25)):
        graph.add_edge(7, 8, key, projection="ei", weight=float(np.float32(weight)), delay=1.5)
    graph.add_edge(8, 8, 8 << 32, projection="ii", weight=-1.0, delay=0.0, receptor="inh")
    return graph


def test_weights_keep_every_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 2**32, 500, dtype=np.uint32).view(np.float32)
    weights = weights[np.isfinite(weights)]
    graph: Graph = nx.MultiDiGraph()
    for key, weight in enumerate(weights.tolist()):
        graph.add_edge(0, 1, key, weight=weight)
    for suffix in (".graphml", ".json", ".csv"):
        write_graph(graph, tmp_path / f"a{suffix}")
        back: Graph = read_graph(tmp_path / f"a{suffix}")
        read = np.array([back.edges[0, 1, key]["weight"] for key in range(weights.size)], np.float32)
        assert read.tobytes() == weights.tobytes()


def test_numbers_of_numpy_become_pythons(tmp_path: Path) -> None:
    graph: Graph = nx.MultiDiGraph()
    graph.add_edge(np.uint32(1), np.uint32(2), np.uint64(5), weight=np.float32(0.1), n=np.int64(3), on=np.bool_(True))
    expected: Graph = nx.MultiDiGraph()
    expected.add_edge(1, 2, 5, weight=float(np.float32(0.1)), n=3, on=True)
    for suffix in (".graphml", ".json"):
        write_graph(graph, tmp_path / f"a{suffix}")
        assert same(read_graph(tmp_path / f"a{suffix}"), expected)


def test_empty_graph(tmp_path: Path) -> None:
    for suffix, each in formats().items():
        if each.write:
            write_graph(nx.MultiDiGraph(), tmp_path / f"a{suffix}")
            assert not each.read or len(read_graph(tmp_path / f"a{suffix}")) == 0


def test_files_of_others(tmp_path: Path) -> None:
    """What networkx itself writes, from plain graphs too, and a hand-made list of edges."""
    graph: Graph = nx.DiGraph()
    graph.add_edge(0, 1, weight=0.5)
    graph.add_edge(1, 1, weight=2.0)
    writers: dict[str, Callable[..., None]] = {
        ".graphml": nx.write_graphml,
        ".gexf": nx.write_gexf,
        ".gml": nx.write_gml,
    }
    for suffix, write in writers.items():
        write(graph, tmp_path / f"a{suffix}")
        back = read_graph(tmp_path / f"a{suffix}")
        assert sorted(back.edges(data="weight")) == [(0, 1, 0.5), (1, 1, 2.0)]
    (tmp_path / "a.csv").write_text("\ufeffsource, target,weight\na,b,1\na,b,2.5\nb,7,\n", encoding="utf-8")
    back = read_graph(tmp_path / "a.csv")
    assert sorted(back.edges(data="weight"), key=repr) == [("a", "b", 1.0), ("a", "b", 2.5), ("b", 7, None)]
    (tmp_path / "a.json").write_text('{"nodes": [{"id": 1}], "links": [{"source": 1, "target": 1}]}', encoding="utf-8")
    assert list(read_graph(tmp_path / "a.json").edges) == [(1, 1, 0)]


@pytest.mark.parametrize("bad", ["a\x00b", "a\x1bb", "a\nb", "\ud800"])
def test_graphml_refuses_what_xml_cannot_hold(tmp_path: Path, bad: str) -> None:
    for place in ("node", "attribute", "name", "key"):
        graph = small()
        match place:
            case "node":
                graph.add_node(bad)
            case "attribute":
                graph.nodes[7]["population"] = bad
            case "name":
                graph.nodes[7][bad] = 1
            case _:
                graph.add_edge(7, 8, bad)
        with pytest.raises(InvalidInput, match="GraphML cannot hold the character"):
            write_graph(graph, tmp_path / "a.graphml")
    graph = small()
    graph.nodes[7]["population"] = "\ud800"
    with pytest.raises(InvalidInput, match="cannot hold the text"):
        write_graph(graph, tmp_path / "a.csv")
    assert os.listdir(tmp_path) == []


def test_values_that_no_format_holds(tmp_path: Path) -> None:
    for value in (None, [1], {"a": 1}):
        graph = small()
        graph.nodes[7]["more"] = value
        with pytest.raises(InvalidInput, match="numbers and texts"):
            write_graph(graph, tmp_path / "a.graphml")
    graph.nodes[7]["more"] = object()
    with pytest.raises(InvalidInput, match="node-link JSON cannot hold"):
        write_graph(graph, tmp_path / "a.json")
    graph = small()
    graph.nodes[8]["id"] = 3
    for suffix in (".json", ".csv"):
        with pytest.raises(NeurosimError, match="named id"):
            write_graph(graph, tmp_path / f"a{suffix}")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.graphml", b"<graphml><node", "not readable as GraphML"),
        ("a.graphml", b"\x00\x01", "not readable as GraphML"),
        ("a.graphml", b"", "not readable as GraphML"),
        ("a.gexf", b"<html/>", "not readable as GEXF"),
        ("a.gml", b"graph [ node [", "not readable as GML"),
        ("a.json", b"{", "not readable as node-link JSON"),
        ("a.json", b"[" * 100_000, "not readable as node-link JSON"),
        ("a.json", b"[1, 2]", "it needs lists `nodes`"),
        ("a.csv", b"pre,post\n1,2\n", "a.csv:1: the table needs a column 'source'"),
        ("a.csv", b"", "a.csv:1: the table needs a column 'source'"),
        ("a.csv", b"source,target\n1,2\n1\n", "a.csv:3: 1 cells under 2 columns"),
        ("a.csv", b"source,target\n1,\n", "a.csv:2: source and target may not be empty"),
        ("a.csv", b"source,target,w,w\n", "two columns have the same name"),
        ("a.csv", b"\xff\xfe\x00", "not readable as CSV"),
        ("a.xlsx", b"", "names no format"),
        ("a.h5", b"", "not built yet"),
        ("a", b"", "named by its suffix"),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=message):
        read_graph(tmp_path / name)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no graph file"):
        read_graph(tmp_path / "a.graphml")
    (tmp_path / "b.graphml").mkdir()
    with pytest.raises(InvalidInput, match="cannot read"):
        read_graph(tmp_path / "b.graphml")
    with pytest.raises(UsageError, match="no folder"):
        write_graph(small(), tmp_path / "no" / "a.graphml")
    with pytest.raises(UsageError, match="is a folder"):
        write_graph(small(), tmp_path / "b.graphml")


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        (".grphml", "Did you mean '.graphml'"),
        (".xyz", r"Allowed: \.csv, \.graphml, \.json, \.npz"),
        (".gml", "names no format"),
        *((suffix, "not built yet") for suffix in (".gexf", ".pt", ".h5", ".nir", ".nwb", ".H5")),
    ],
)
def test_suffixes_that_cannot_be_written(tmp_path: Path, suffix: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        write_graph(small(), tmp_path / f"a{suffix}")


def test_a_failed_export_leaves_the_old_file(tmp_path: Path) -> None:
    for suffix in (".graphml", ".json"):
        path = tmp_path / f"a{suffix}"
        write_graph(small(), path)
        before = path.read_bytes()
        graph = small()
        graph.add_edge(7, 8, weight=object())
        with pytest.raises(NeurosimError):
            write_graph(graph, path)
        assert path.read_bytes() == before
    assert len(os.listdir(tmp_path)) == 2


# ---- results -----------------------------------------------------------------------------------


def result(path: Path, *, graph: bool = True, spikes: bool = True) -> Result:
    settings = collect_provenance(seed=1, dt=0.1, threads=1, backend="numba")
    with ResultFile.create(path, settings) as writer:
        about = {"model": "lif_delta", "positions": np.zeros((3, 3))}
        recorded = {"spikes": ["exc"] if spikes else []}
        populations: dict[str, Any] = {"exc": {**about, "ids": [0, 1, 2]}, "inh": {"model": "lif_delta", "ids": [3]}}
        writer.describe(populations, {"ei": {"source": "exc", "target": "inh", "receptor": "exc"}}, recorded)
        if graph:
            ids = np.array([1 << 32, 2 << 32], np.uint64)
            zero = np.zeros(2)
            weight = np.array([0.1, 0.2], np.float32)
            pre, post = np.array([1, 2], np.uint32), np.array([3, 3], np.uint32)
            writer.snapshot(0.0, "ei", EdgeTable(ids, pre, post, weight, np.array([1.5, 0.1]), zero, zero))
        writer.append(10.0, 0.0, spikes={"exc": ([5, 7], [2, 0])} if spikes else {})
    return Result(path)


def test_export_of_a_result(tmp_path: Path) -> None:
    run = result(tmp_path / "a.nsim")
    for suffix in (".graphml", ".json"):
        assert export(run, tmp_path / f"a{suffix}") == [tmp_path / f"a{suffix}"]
        assert same(read_graph(tmp_path / f"a{suffix}"), run.graph())
    files = export(run, tmp_path / "a.csv", at="10 ms")
    assert [file.name for file in files] == ["a.csv", "a.nodes.csv", "a.spikes.csv"]
    assert same(read_graph(tmp_path / "a.csv"), run.graph())
    assert files[2].read_text() == "population,time_ms,id\nexc,0.5,2\nexc,0.7000000000000001,0\n"
    assert files[0].read_text().startswith("source,target,key,projection,weight,delay,receptor,since,delay_since\n1,3,")
    export(run, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert arrays["nodes.population"].tolist() == ["exc", "exc", "exc", "inh"]
        assert arrays["edges.key"].tolist() == [1 << 32, 2 << 32]
        assert arrays["edges.weight"].dtype == np.float32
        assert np.isnan(arrays["nodes.x"]).tolist() == [False, False, False, True]
        assert arrays["spikes.exc.ids"].tolist() == [2, 0]
    with pytest.raises(UsageError, match="not yet"):
        export(run, tmp_path / "late.csv", at="1 s")
    assert not (tmp_path / "late.csv").exists()


def test_export_without_a_graph(tmp_path: Path) -> None:
    run = result(tmp_path / "a.nsim", graph=False)
    assert [file.name for file in export(run, tmp_path / "a.csv")] == ["a.spikes.csv"]
    assert export(run, tmp_path / "a.npz") == [tmp_path / "a.npz"]
    for suffix in (".graphml", ".json"):
        with pytest.raises(NotRecorded, match="graph: true"):
            export(run, tmp_path / f"a{suffix}")
    silent = result(tmp_path / "b.nsim", graph=False, spikes=False)
    with pytest.raises(NotRecorded, match="graph: true"):
        export(silent, tmp_path / "b.csv")


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    from neurosim.formats._format import replacing

    with pytest.raises(NeurosimError, match="Free some space"), replacing(tmp_path / "a.json") as file:
        fail_like_a_full_disk(file)
    assert os.listdir(tmp_path) == []


def fail_like_a_full_disk(file: Any) -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        os.dup2(full.fileno(), file.fileno())
    file.write(struct.pack("d", 1.0))
    file.flush()
