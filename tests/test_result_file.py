"""The result file: exact, readable while it is written, and whole after any end of the run that writes it."""

from __future__ import annotations

import os
import sqlite3
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neurosim.errors import InvalidInput, UnknownName, UsageError
from neurosim.record import HISTORY, NotRecorded, Result, ResultFile, collect_provenance, free_path
from neurosim.record.chunks import pack, unpack

Edges = namedtuple("Edges", "id pre post weight delay")


def provenance(**changes: Any) -> dict[str, Any]:
    usual = {"seed": 3, "dt": 0.1, "threads": 2, "backend": "numba", "duration": 100.0}
    return collect_provenance(**{**usual, **changes})


def new_file(path: Path, size: int = 4, **changes: Any) -> ResultFile:
    """A file with one population and one projection onto itself."""
    writer = ResultFile.create(path, provenance(**changes))
    writer.describe(
        {"exc": {"model": "lif_delta", "ids": np.arange(size, dtype=np.uint32)}},
        {"ee": {"source": "exc", "target": "exc", "receptor": "exc", "rules": []}},
    )
    return writer


def edges(*rows: tuple[int, int, int, float, float]) -> Edges:
    """(source, number of birth, target, weight, delay) …"""
    pre, born, post, weight, delay = (np.array([row[i] for row in rows]) for i in range(5))
    ids = pre.astype(np.uint64) << np.uint64(32) | born.astype(np.uint64)
    return Edges(ids, pre.astype(np.uint32), post.astype(np.uint32), weight.astype(np.float32), delay * 1.0)


NO_EDGES = Edges(*(np.empty(0, t) for t in ("u8", "u4", "u4", "f4", "f8")))


def event(time: float, kind: int, id: int, *rest: float) -> Any:
    """One row of history; for a synapse's birth also source, target, weight, delay."""
    return (time, kind, 0, id, *(rest or (0, 0, 0.0, 0.0)))


def history(*events: Any) -> np.ndarray:
    return np.array(list(events), HISTORY)


# ---- arrays on disk ----------------------------------------------------------------------------


@given(
    hnp.arrays(
        st.sampled_from(["u1", "i2", "u4", "i8", "u8", "f4", "f8", "?", ">u4", ">f8"]),
        st.integers(0, 40),
    )
)
def test_columns_come_back_bit_for_bit(values: np.ndarray) -> None:
    back = unpack(*pack(values))
    assert back.dtype == values.dtype.newbyteorder("<")
    assert back.tobytes() == values.astype(back.dtype).tobytes()


def test_spike_times_take_little_room() -> None:
    rng = np.random.default_rng(1)
    steps = np.sort(rng.integers(0, 10_000, 100_000))
    assert len(pack(steps).data) < 60_000  # 800 kB as int64
    assert len(pack(rng.integers(0, 2500, 100_000).astype(np.uint32)).data) < 210_000


def test_objects_are_refused() -> None:
    with pytest.raises(UsageError):
        pack(np.array(["a", None], object))


# ---- writing and reading -----------------------------------------------------------------------


def test_everything_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.nsim"
    positions = np.arange(12.0).reshape(4, 3)
    with ResultFile.create(path, provenance(scenario_text="seed: 3\n", scenario_file="a.yaml")) as writer:
        writer.describe(
            {
                "exc": {"model": "m", "parameters": {"v_th": 20.0}, "ids": range(4), "positions": positions},
                "inh": {"model": "lif_delta", "ids": []},
            },
            {"ei": {"source": "exc", "target": "inh", "delay": "uniform(1 ms, 2 ms)"}},
            {"spikes": ["exc"], "state": {"exc": ["v"]}, "synapses": {}},
        )
        samples: dict[str, dict[str, list[float]]] = {"exc": {"time": [0.0], "id": [1], "v": [-65.5]}}
        writer.append(50.0, 0.1, spikes={"exc": ([3, 3, 1], [2, 1, 0])}, states=samples)
        writer.append(100.0, 0.2, spikes={"exc": ([1000], [3])})
        writer.log("growing", time_ms=60.0)
        writer.close({"rate_hz": {"exc": np.float64(10.0)}, "hash": "ab"})
    assert os.listdir(tmp_path) == ["a.nsim"]
    result = Result(path)
    times, ids = result.spikes("exc")
    np.testing.assert_array_equal(times, np.array([1, 3, 3, 1000]) * 0.1)
    np.testing.assert_array_equal(ids, [0, 1, 2, 3])
    assert (times.dtype.str, ids.dtype.str) == ("<f8", "<u4")
    assert result.state("exc")["v"].tolist() == [-65.5]
    assert result.populations["exc"].parameters == {"v_th": 20.0}
    assert [population.size for population in result.populations.values()] == [4, 0]
    assert result.projections["ei"].info == {"delay": "uniform(1 ms, 2 ms)"}
    assert (result.status, result.duration, result.time_reached, result.dt) == ("finished", 100.0, 100.0, 0.1)
    assert result.summary == {"rate_hz": {"exc": 10.0}, "hash": "ab"}
    assert result.scenario_text == "seed: 3\n"
    assert result.provenance["versions"]["numpy"] == np.__version__
    assert result.messages[0]["text"] == "growing"
    assert result.progress[1].tolist() == [0.1, 0.2]
    assert result.contents["spikes"]["rows"] == 4
    np.testing.assert_array_equal(result.positions("exc")[1], positions)
    assert "a.nsim: finished" in repr(result)


def test_windows_end_with_their_last_time(tmp_path: Path) -> None:
    with new_file(tmp_path / "a.nsim") as writer:
        writer.append(1.0, 0.0, spikes={"exc": (np.arange(1, 11), np.zeros(10))})
    result = Result(tmp_path / "a.nsim")
    # 3 · 0.1 is a little more than 0.3, and the spike of step 3 is at 0.3 ms all the same
    assert len(result.spikes("exc", stop=0.3)[0]) == 3
    assert len(result.spikes("exc", "0.3 ms", "1 ms")[0]) == 7
    assert len(result.spikes("exc", 5.0)[0]) == 0
    assert result.spikes("exc", 5.0)[1].dtype == np.uint32
    assert result.rate("exc", (0.0, "0.5 ms")) == pytest.approx(1000 * 5 / (4 * 0.5))
    assert result.rate("exc") == pytest.approx(1000 * 10 / (4 * 1.0))
    with pytest.raises(UsageError, match="not yet 2 ms"):
        result.rate("exc", (0.0, 2.0))
    with pytest.raises(UsageError, match="ends after it begins"):
        result.rate("exc", (1.0, 1.0))


def test_a_rate_counts_the_living(tmp_path: Path) -> None:
    with new_file(tmp_path / "a.nsim", size=1) as writer:
        events = history(event(5.0, 0, 1), event(7.5, 1, 0))
        writer.append(10.0, 0.0, spikes={"exc": ([10, 60], [0, 1])}, history=events)
    result = Result(tmp_path / "a.nsim")
    assert result.rate("exc") == pytest.approx(1000 * 2 / (7.5 + 5.0))
    assert result.neurons("exc", 6.0).tolist() == [0, 1]
    assert result.neurons("exc").tolist() == [1]


def test_nothing_happened(tmp_path: Path) -> None:
    with ResultFile.create(tmp_path / "a.nsim", provenance()) as writer:
        writer.describe({}, {})
    result = Result(tmp_path / "a.nsim")
    assert result.time_reached == 0.0
    assert result.graph().number_of_nodes() == 0
    with new_file(tmp_path / "b.nsim", size=0) as writer:
        writer.append(1.0, 0.0, spikes={"exc": ([], [])}, history=history())
    result = Result(tmp_path / "b.nsim")
    assert len(result.spikes("exc")[0]) == result.rate("exc") == result.neurons("exc").size == 0
    assert result.history().dtype == HISTORY
    assert result.state("exc")["id"].size == result.synapses("ee")["time"].size == 0


def test_questions_that_have_no_answer(tmp_path: Path) -> None:
    with ResultFile.create(tmp_path / "a.nsim", provenance()) as writer:
        about = {"model": "lif_delta", "ids": [0]}
        ends = {"source": "exc", "target": "exc"}
        writer.describe({"exc": about, "inh": about}, {"ee": ends}, {"spikes": ["exc"]})
        writer.append(1.0, 0.0)
        with pytest.raises(UnknownName, match="Did you mean 'exc'"):
            writer.append(2.0, 0.0, spikes={"exx": ([1], [0])})
        with pytest.raises(UsageError, match="differ in length"):
            writer.append(2.0, 0.0, states={"exc": {"time": [1.0], "id": [0], "v": []}})
        with pytest.raises(UsageError, match="already"):
            writer.describe({}, {})
    result = Result(tmp_path / "a.nsim")
    assert result.time_reached == 1.0
    assert len(result.spikes("exc")[0]) == 0
    with pytest.raises(NotRecorded, match="recorded: exc"):
        result.spikes("inh")
    with pytest.raises(NotRecorded, match=r"record: \{graph: true\}"):
        result.graph()
    with pytest.raises(UnknownName, match="Did you mean 'exc'"):
        result.spikes("ecx")
    with pytest.raises(UsageError, match="not yet 20000 ms"):
        result.graph(at="20 s")
    with pytest.raises(UsageError, match="is closed"):
        writer.append(2.0, 0.0)


# ---- the graph ---------------------------------------------------------------------------------


def test_the_graph_of_any_time(tmp_path: Path) -> None:
    with new_file(tmp_path / "a.nsim", size=3) as writer:
        writer.snapshot(0.0, "ee", edges((0, 0, 1, 0.5, 1.0), (0, 1, 1, 0.25, 2.0), (2, 0, 2, 1.0, 1.5)))
        writer.append(
            10.0,
            0.0,
            history=history(
                event(4.0, 3, 1),  # 0 -> 1, the second of two
                event(5.0, 0, 3),
                event(5.0, 2, 3 << 32, 3, 0, 0.1, 0.5),
                event(8.0, 3, 2 << 32),
                event(8.0, 1, 2),
            ),
            synapses={"ee": {"time": [2.0, 6.0, 6.0], "id": [0, 0, 3 << 32], "weight": [0.75, 0.875, 0.2]}},
            positions={"exc": ([3], [[1.0, 2.0, 3.0]])},
        )
    result = Result(tmp_path / "a.nsim")
    early = result.graph(0.0)
    assert sorted(early.edges(keys=True)) == [(0, 1, 0), (0, 1, 1), (2, 2, 2 << 32)]
    assert early.edges[0, 1, 1] == {
        "projection": "ee", "weight": 0.25, "delay": 2.0, "receptor": "exc", "since": 0.0, "delay_since": 0.0,
    }  # fmt: skip
    middle = result.graph("5 ms")
    assert sorted(middle) == [0, 1, 2, 3]
    assert middle.nodes[3] == {"population": "exc", "x": 1.0, "y": 2.0, "z": 3.0}
    assert sorted(middle.edges(keys=True)) == [(0, 1, 0), (2, 2, 2 << 32), (3, 0, 3 << 32)]
    assert (middle.edges[0, 1, 0]["weight"], middle.edges[0, 1, 0]["since"]) == (0.75, 2.0)
    newborn = middle.edges[3, 0, 3 << 32]
    assert (newborn["weight"], newborn["since"]) == (float(np.float32(0.1)), 5.0)
    late = result.graph()
    assert sorted(late.edges(keys=True)) == [(0, 1, 0), (3, 0, 3 << 32)]
    assert late.edges[3, 0, 3 << 32]["since"] == 6.0
    table = result.edges("ee", 7.9)
    assert table.id.tolist() == sorted(table.id.tolist())
    assert (table.weight.dtype.str, table.delay.dtype.str) == ("<f4", "<f8")


def test_a_projection_that_begins_empty(tmp_path: Path) -> None:
    with new_file(tmp_path / "a.nsim") as writer:
        writer.snapshot(0.0, "ee", NO_EDGES)
        writer.append(10.0, 0.0, history=history(event(4.0, 2, 5, 0, 3, 1.0, 1.0)))
        writer.snapshot(10.0, "ee", edges((0, 5, 3, 2.0, 1.0)))
    result = Result(tmp_path / "a.nsim")
    assert result.edges("ee", 3.0).id.size == 0
    assert result.edges("ee", 4.0).weight.tolist() == [1.0]
    assert (result.edges("ee").weight.tolist(), result.edges("ee").since.tolist()) == ([2.0], [10.0])


def test_equal_ids_in_two_projections_stay_two_edges(tmp_path: Path) -> None:
    with ResultFile.create(tmp_path / "a.nsim", provenance()) as writer:
        ends = {"source": "exc", "target": "exc"}
        writer.describe({"exc": {"model": "m", "ids": [0, 1]}}, {"slow": ends, "fast": ends})
        for name in ("slow", "fast"):
            writer.snapshot(0.0, name, edges((0, 0, 1, 0.5, 1.0)))
    graph = Result(tmp_path / "a.nsim").graph()
    found = {key: data["projection"] for *_, key, data in graph.edges(keys=True, data=True)}
    assert found == {0: "slow", "fast/0": "fast"}


@settings(max_examples=40)
@given(moves=st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=30))
def test_history_agrees_with_a_set(tmp_path_factory: pytest.TempPathFactory, moves: list[Any]) -> None:
    """Births and deaths at random, some at one time; the graph at every time is what a set would hold."""
    path = tmp_path_factory.mktemp("history") / "a.nsim"
    alive, born, events, expected = {0}, 1, [], {0: {0}}
    for place, (birth, choice) in enumerate(moves):
        moment = place // 2 + 1
        if birth or not alive:
            events.append(event(float(moment), 2, born, 0, 1, 1.0, 1.0))
            alive = alive | {born}
            born += 1
        else:
            victim = sorted(alive)[choice % len(alive)]
            events.append(event(float(moment), 3, victim))
            alive = alive - {victim}
        expected[moment] = alive
    with new_file(path) as writer:
        writer.snapshot(0.0, "ee", edges((0, 0, 1, 1.0, 1.0)))
        for part in range(0, len(events), 7):
            writer.append(events[part : part + 7][-1][0], 0.0, history=history(*events[part : part + 7]))
    result = Result(path)
    for moment, ids in expected.items():
        assert set(result.edges("ee", float(moment)).id.tolist()) == ids


# ---- places and files --------------------------------------------------------------------------


def test_an_existing_file_is_kept_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.nsim"
    assert free_path(path) == path
    new_file(path).close()
    assert free_path(path) == tmp_path / "a-2.nsim"
    (tmp_path / "a-2.nsim").touch()
    assert free_path(path) == tmp_path / "a-3.nsim"
    with pytest.raises(UsageError, match="exists already"):
        ResultFile.create(path, provenance())
    (tmp_path / "a.nsim-wal").write_bytes(b"the log of a run that was killed")
    ResultFile.create(path, provenance(seed=9), overwrite=True).close()
    assert Result(path).provenance["seed"] == 9
    with new_file(tmp_path / "b.nsim"), pytest.raises(UsageError, match="goes on"):
        ResultFile.create(tmp_path / "b.nsim", provenance(), overwrite=True)
    for wrong in (tmp_path, tmp_path / "nowhere" / "a.nsim"):
        with pytest.raises(UsageError, match="folder"):
            ResultFile.create(wrong, provenance())
    with pytest.raises(UsageError, match="dt"):
        ResultFile.create(tmp_path / "c.nsim", {"dt": 0.0})
    assert not (tmp_path / "c.nsim").exists()


def test_files_that_are_no_results(tmp_path: Path) -> None:
    good = tmp_path / "good.nsim"
    with new_file(good) as writer:
        ids = np.random.default_rng(1).integers(0, 4, 200_000)
        writer.append(10.0, 0.0, spikes={"exc": (np.arange(200_000), ids)})
    whole = good.read_bytes()
    cases = {
        "text.nsim": (b"seed: 1\n" * 500, "not a neurosim result"),
        "empty.nsim": (b"", "not a neurosim result"),
        "cut.nsim": (whole[: len(whole) // 2], "damaged"),
        "start.nsim": (whole[:100], "not a neurosim result|damaged"),
    }
    for name, (data, message) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InvalidInput, match=message):
            Result(tmp_path / name).spikes("exc")
    with pytest.raises(InvalidInput, match="no result file"):
        Result(tmp_path / "nothing.nsim")
    with pytest.raises(InvalidInput, match="folder"):
        Result(tmp_path)
    other = sqlite3.connect(tmp_path / "other.nsim")
    other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(InvalidInput, match="not a neurosim result"):
        Result(tmp_path / "other.nsim")
    newer = sqlite3.connect(good)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(InvalidInput, match="newer neurosim"):
        Result(good)


def test_a_blob_that_was_tampered_with(tmp_path: Path) -> None:
    with new_file(tmp_path / "a.nsim") as writer:
        writer.append(10.0, 0.0, spikes={"exc": ([1, 2], [0, 1])})
    for data in (b"x", np.arange(3, dtype="u1").tobytes(), pack(np.arange(5)).data):
        database = sqlite3.connect(tmp_path / "a.nsim")
        database.execute("UPDATE chunk_column SET data = ? WHERE name = 'step'", (data,))
        database.commit()
        database.close()
        with pytest.raises(InvalidInput, match="damaged"):
            Result(tmp_path / "a.nsim").spikes("exc")
