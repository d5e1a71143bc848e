"""The benchmarks measure what they say, at sizes that take no time. No test judges how fast it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from neurosim import benchmarks
from neurosim.benchmarks import brunel, build, cuba, loop, peers, structure
from neurosim.benchmarks.compare import Comparison, compare
from neurosim.errors import NeurosimError, UnknownName, UsageError


def quiet(text: str) -> None:
    assert text


def small_brunel(order: int, duration: float) -> Comparison:
    """Brunel's network with fewer neurons and stronger synapses, so that each gets the same input."""
    factor = 2500 / order
    numbers = {name: brunel.PARAMETERS[name] for name in ("excitatory", "inhibitory")}
    numbers |= {name: brunel.PARAMETERS[name] for name in ("indegree_exc", "indegree_inh")}
    smaller = {name: int(number / factor) for name, number in numbers.items()}
    stronger = {name: brunel.PARAMETERS[name] * factor for name in ("j_exc", "j_inh")}
    drive = brunel.PARAMETERS["drive"] / factor
    return brunel.comparison({**brunel.PARAMETERS, **smaller, **stronger, "drive": drive, "duration": duration})


SMALL_BRUNEL = small_brunel(100, 50.0)
SMALL_CUBA = cuba.comparison(
    {**cuba.PARAMETERS, "duration": 50.0, "excitatory": 320, "inhibitory": 80, "probability": 0.2}
)
LONGER_CUBA = cuba.comparison({**cuba.PARAMETERS, "duration": 1000.0})


def test_every_benchmark_says_what_it_measures() -> None:
    assert list(benchmarks.names()) == ["brunel", "cuba", "loop", "structure", "build", "startup"]
    assert all(summary for summary in benchmarks.names().values())


@pytest.mark.parametrize("comparison", [SMALL_BRUNEL, SMALL_CUBA], ids=["brunel", "cuba"])
def test_networks(comparison: Comparison) -> None:
    rows = compare(comparison, (), quiet, repeats=1)
    assert {row.simulator for row in rows} == {"neurosim"}
    rates = [row.value for row in rows if row.unit == "Hz"]
    assert len(rates) == 2 * len(comparison.threads)
    assert all(1.0 < rate < 100.0 for rate in rates)
    assert all(row.value > 0.0 and row.ratio is None for row in rows)


def test_any_number_of_threads_simulates_the_same() -> None:
    rates = {row.value for row in compare(SMALL_BRUNEL, (), quiet, repeats=1) if row.what == "rate of exc"}
    assert len(rates) == 1


def test_structure() -> None:
    size = structure.Size(200, 20, 1.0)
    rows = structure.run((), quiet, sizes=[size], batch=100, turnovers=2)
    memory = [row for row in rows if row.unit == "B"]
    assert len(memory) == 2
    assert all(8.0 <= row.value < 100.0 for row in memory)
    assert all(row.value > 0.0 for row in rows)


def test_replacing_synapses_keeps_their_number() -> None:
    garden = structure.Garden(structure.Size(50, 10, 1.0))
    before = set(garden.projection.ids.tolist())
    garden.replace(10, 50)
    after = set(garden.projection.ids.tolist())
    assert garden.projection.size == len(after) == 500
    assert not before & after, "a turnover replaces every synapse"


def test_loop() -> None:
    (row,) = loop.run((), quiet, epochs=100, populations=2)
    assert row.what == "2 populations, 4 projections"
    assert row.value > 0.0


def test_build() -> None:
    rows = build.run((), quiet, neurons=100, indegree=10)
    assert [row.what.split(", ")[-1] for row in rows][:4] == [
        "fixed_indegree",
        "fixed_outdegree",
        "fixed_probability",
        "fixed_total",
    ]


def test_unknown_names_are_refused_before_anything_runs() -> None:
    with pytest.raises(UnknownName, match=r"no benchmark 'brunell'.*Did you mean 'brunel'"):
        benchmarks.run(["brunell"])
    with pytest.raises(UnknownName, match=r"no peer 'brian'.*Did you mean 'brian2'"):
        benchmarks.run(["loop"], against=["brian"])


def test_a_peer_that_is_not_there_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEUROSIM_NEST_PYTHON", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"NEUROSIM_NEST_PYTHON names .*nowhere, which is not there"):
        peers.find_python("nest")
    monkeypatch.delenv("NEUROSIM_NEST_PYTHON")
    monkeypatch.setattr("neurosim.benchmarks.peers.environments._home", lambda name: tmp_path)
    with pytest.raises(UsageError, match=r"nest is not at hand\. `make peers`"):
        peers.find_python("nest")


def test_a_peer_that_fails_shows_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROSIM_BRIAN2_PYTHON", sys.executable)  # a Python without brian2
    with pytest.raises(NeurosimError, match="No module named 'brian2'"):
        peers.Peer("brian2", "cuba", cuba.PARAMETERS)


def test_installing_an_unknown_peer_names_the_known() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "neurosim.benchmarks.peers", "brain2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Did you mean 'brian2'" in done.stderr


@pytest.mark.peers
@pytest.mark.parametrize("peer", ["brian2", "nest"])
@pytest.mark.parametrize("comparison", [small_brunel(500, 500.0), LONGER_CUBA], ids=["brunel", "cuba"])
def test_peers_simulate_the_same_activity(comparison: Comparison, peer: str) -> None:
    rows = compare(comparison, (peer,), quiet, repeats=2)
    for threads in comparison.threads:
        mine = [row for row in rows if row.threads == threads]
        ours, theirs = (
            [row.value for row in mine if row.simulator == simulator and row.unit == "Hz"]
            for simulator in ("neurosim", peer)
        )
        assert theirs == pytest.approx(ours, rel=0.25)  # NEST has a delay where CUBA has none
    assert all((row.ratio is not None) == (row.unit == "s" and row.simulator == peer) for row in rows)
