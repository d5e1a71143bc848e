"""Runs from the command line, and what is done with their results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from shell import SMALL, folder, made, neurosim, only_json

from neurosim.errors import NeurosimError
from neurosim.record import Result

__all__ = ["folder", "made"]  # fixtures


RUN_KEYS = {
    "scenario",
    "seed",
    "threads",
    "backend",
    "duration_ms",
    "neurons",
    "synapses",
    "spikes",
    "rate_hz",
    "events",
    "births",
    "deaths",
    "compile_s",
    "build_s",
    "sim_s",
    "rtf",
    "events_per_s",
    "peak_rss_mb",
    "result",
    "hash",
    "expect",
}


# ---- run -----------------------------------------------------------------------------------------


def test_run_says_what_happened(folder: Path) -> None:
    outcome = neurosim("run", "small.yaml")
    assert outcome.exit_code == 0, outcome.stderr
    for said in ("small", "exc", "inh", "Hz", "synapses", "spikes", "✓ rate of exc", "neurosim plot small.nsim"):
        assert said in outcome.stdout
    assert not outcome.stderr  # no bar where there is no terminal
    assert Result("small.nsim").status == "finished"


def test_run_json_is_one_object_with_the_promised_keys(folder: Path) -> None:
    outcome = neurosim("run", "small.yaml", "--json", "--seed", "7", "--duration", "20 ms", "--threads", "1")
    assert outcome.exit_code == 0, outcome.stderr
    facts = only_json(outcome)
    assert set(facts) >= RUN_KEYS
    assert (facts["seed"], facts["duration_ms"], facts["threads"]) == (7, 20.0, 1)
    assert facts["neurons"] == 100
    assert set(facts["rate_hz"]) == {"exc", "inh"}
    assert facts["expect"][0]["status"] == "not evaluated"
    again = only_json(neurosim("run", "small.yaml", "--json", "--seed", "7", "--duration", "20", "--threads", "2"))
    assert again["hash"] == facts["hash"]
    assert again["result"] == "small-2.nsim"  # never overwritten by default


def test_run_changes_values_on_the_way(folder: Path) -> None:
    facts = only_json(neurosim("run", "small.yaml", "--json", "--set", "populations.exc.size=10", "--set", "seed=9"))
    assert (facts["neurons"], facts["seed"]) == (30, 9)
    outcome = neurosim("run", "small.yaml", "--set", "populations.ecx.size=10")
    assert outcome.exit_code == 3
    assert "Did you mean 'exc'?" in outcome.stderr


def test_an_expectation_that_does_not_hold_is_exit_code_4(folder: Path) -> None:
    Path("small.yaml").write_text(SMALL.replace("[0 Hz, 500 Hz]", "[900 Hz, 999 Hz]"), encoding="utf-8")
    outcome = neurosim("run", "small.yaml")
    assert outcome.exit_code == 4
    assert "✗ rate of exc" in outcome.stdout
    assert "1 of 1 expectations did not hold" in outcome.stderr
    facts = only_json(neurosim("run", "small.yaml", "--json"))
    assert facts["expect"][0]["status"] == "failed"


def test_results_are_overwritten_only_when_asked(folder: Path) -> None:
    assert neurosim("run", "small.yaml", "-o", "a.nsim").exit_code == 0
    outcome = neurosim("run", "small.yaml", "-o", "a.nsim")
    assert outcome.exit_code == 2
    assert "overwrite" in outcome.stderr
    assert neurosim("run", "small.yaml", "-o", "a.nsim", "--overwrite").exit_code == 0


def test_places_that_cannot_be_written(folder: Path) -> None:
    outcome = neurosim("run", "small.yaml", "-o", "none/a.nsim")
    assert outcome.exit_code == 2
    assert "none" in outcome.stderr
    Path("file").touch()
    assert neurosim("run", "small.yaml", "-o", "file/a.nsim").exit_code in (1, 2)
    # Whatever the permissions, nobody can make a file in /proc.
    outcome = neurosim("run", "small.yaml", "-o", "/proc/a.nsim")
    assert outcome.exit_code in (1, 2)
    assert "/proc" in outcome.stderr


def test_ctrl_c_keeps_what_was_recorded(folder: Path) -> None:
    Path("long.yaml").write_text(
        SMALL.replace("duration: 50 ms", "duration: 10 h").replace("name: small", "name: long"), encoding="utf-8"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "neurosim.cli", "run", "long.yaml", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    _wait_until(lambda: Path("long.nsim").exists() and Result("long.nsim").time_reached > 0, process)
    assert neurosim("info", "long.nsim").exit_code == 0  # readable while it is written
    assert Result("long.nsim").status == "running"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "interrupted" in err
    assert json.loads(out)["status"] == "interrupted"
    result = Result("long.nsim")
    assert result.status == "interrupted"
    assert result.time_reached > 0
    assert result.spikes("exc")[0].size > 0
    assert [path.name for path in folder.glob("long.nsim*")] == ["long.nsim"]
    assert neurosim("plot", "long.nsim").exit_code == 0


def _wait_until(condition: Any, process: subprocess.Popen[str], patience: float = 120.0) -> None:
    """Wait for a condition about files that a process writes."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        try:
            if condition():
                return
        except NeurosimError:
            pass  # the file is not complete yet
        time.sleep(0.05)
    process.kill()
    pytest.fail("the run did not get anywhere")


def test_a_closed_pipe_is_quiet(made: Path) -> None:
    for arguments in (["info", str(made), "--json"], ["models", "--json"], ["--help"]):
        reader, writer = os.pipe()
        os.close(reader)
        process = subprocess.Popen(
            [sys.executable, "-m", "neurosim.cli", *arguments], stdout=writer, stderr=subprocess.PIPE
        )
        os.close(writer)
        _, err = process.communicate(timeout=60)
        assert err == b""
        assert process.returncode == 0


def test_a_disk_without_space_is_said_in_one_sentence(folder: Path) -> None:
    # A limit on the size of files stands in for a disk that is full.
    script = "ulimit -f 40; exec \"$0\" -m neurosim.cli run small.yaml --duration '20 s'"
    done = subprocess.run(["bash", "-c", script, sys.executable], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr


# ---- what is done with results -------------------------------------------------------------------


def test_info_of_a_result(made: Path) -> None:
    outcome = neurosim("info", str(made))
    assert outcome.exit_code == 0
    for said in ("finished", "50 ms of 50 ms", "lif_delta", "exc → inh", "seed", "versions", "command"):
        assert said in outcome.stdout
    facts = only_json(neurosim("info", str(made), "--json"))
    assert facts["kind"] == "result"
    assert facts["populations"]["exc"]["neurons"] == 80
    assert facts["provenance"]["seed"] == 3
    assert facts["checkpoints"] == []
    assert facts["summary"]["hash"]


def test_info_of_a_scenario(folder: Path) -> None:
    outcome = neurosim("info", "small.yaml")
    assert outcome.exit_code == 0
    assert "Two populations that talk" in outcome.stdout
    facts = only_json(neurosim("info", "small.yaml", "--json"))
    assert facts["kind"] == "scenario"
    assert facts["neurons"] == 100
    assert set(facts["projections"]) == {"ei", "ia_exc", "ia_inh"}


@pytest.mark.parametrize("kind", ["summary", "raster", "rates", "weights", "delays", "degrees", "connectivity"])
def test_plot_makes_a_picture_beside_us(folder: Path, made: Path, kind: str) -> None:
    outcome = neurosim("plot", str(made), "--kind", kind)
    assert outcome.exit_code == 0, outcome.stderr
    name = "small.png" if kind == "summary" else f"small-{kind}.png"
    assert name in outcome.stdout
    assert Path(name).read_bytes().startswith(b"\x89PNG")


def test_plot_by_suffix_and_into_odd_places(folder: Path, made: Path) -> None:
    assert neurosim("plot", str(made), "-o", "a.pdf").exit_code == 0
    assert Path("a.pdf").read_bytes().startswith(b"%PDF")
    for target in ("a.xyz", "none/a.png", ".", "b.nsim"):
        outcome = neurosim("plot", str(made), "-o", target)
        assert outcome.exit_code in (1, 2), target
        assert outcome.stderr.startswith("error: ")


@pytest.mark.parametrize("suffix", ["graphml", "json", "csv", "npz"])
def test_export_by_suffix(folder: Path, made: Path, suffix: str) -> None:
    outcome = neurosim("export", str(made), f"out.{suffix}")
    assert outcome.exit_code == 0, outcome.stderr
    assert Path(f"out.{suffix}").stat().st_size > 0
    assert f"out.{suffix}" in outcome.stdout


def test_export_names_what_it_cannot_do(folder: Path, made: Path) -> None:
    for target, said in (("out.h5", "not built yet"), ("out.xls", ".graphml"), ("none/out.csv", "no folder")):
        outcome = neurosim("export", str(made), target)
        assert outcome.exit_code == 2, target
        assert said in outcome.stderr


def test_export_help_names_every_format() -> None:
    from neurosim.formats import formats

    text = neurosim("export", "--help").stdout
    for suffix, each in formats().items():
        assert each.write is None or f"  {suffix} " in text
