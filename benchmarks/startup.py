"""How long a user waits before the first step of a network whose models have been compiled once."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from neurosim.benchmarks.rows import Progress, Row
from neurosim.errors import NeurosimError

SUMMARY = "from the command to the first step of first_light, compiled before"

REPEATS = 5


def run(against: Sequence[str], progress: Progress) -> list[Row]:
    """Time ``neurosim run first_light`` cut to one step, process start and result file included."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = []
        for repeat in range(REPEATS + 1):
            progress(f"startup: run {repeat} of {REPEATS}" if repeat else "startup: compiling what is missing")
            seconds.append(_first_step(Path(folder)))
        value = statistics.median(seconds[1:])
        importing = statistics.median(_timed("-c", "import neurosim") for _ in range(REPEATS))
    return [
        Row(
            "startup",
            "first_light, one step",
            "neurosim",
            None,
            value,
            "s",
            limit=2.0,
            note="the whole command",
        ),
        Row("startup", "import neurosim", "neurosim", None, importing, "s"),
    ]


def _first_step(folder: Path) -> float:
    with resources.as_file(resources.files("neurosim.scenarios")) as scenarios:
        scenario = str(scenarios / "first_light.yaml")
        output = str(folder / "first_light.nsim")
        options = ["--duration", "0.1 ms", "-o", output, "--overwrite", "--json"]
        return _timed("-m", "neurosim.cli", "run", scenario, *options)


def _timed(*arguments: str) -> float:
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 4):  # a run cut to one step may miss its `expect:`
        raise NeurosimError(f"`{' '.join(arguments)}` failed: {done.stderr.strip()}")
    return time.perf_counter() - start
