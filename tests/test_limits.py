"""What time steps, sizes and number formats do not allow is said before anything is built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neurosim.errors import ScenarioError
from neurosim.scenario import load

TEXT = """\
name: limits
dt: 0.1 ms
duration: 20 ms
populations:
  exc: {size: 20, model: lif_delta}
  inh: {size: 5, model: lif_exp}
  src: {size: 5, model: {poisson: {rate: 100 Hz}}}
inputs:
  drive: {poisson: {rate: 15 kHz}, to: exc, weight: 0.1 mV}
projections:
  ee: {from: exc, to: exc, connect: {fixed_indegree: 3}, weight: 0.1 mV, delay: 1 ms}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "limits.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("duration=1e30", "more time steps"),
        ("populations.src.model={poisson: {rate: 20 kHz}}", "20 kHz is more than one spike per time step"),
        ("dt=50 ms", "100 Hz is more than one spike per time step; allowed is up to 20 Hz"),
        ("populations.exc.initial={v: [1, 2]}", "2 values for 20 neurons"),
        ("populations.src.model={spike_list: {times: 3}}", "one list of times per neuron"),
        ("inputs.drive.poisson.rate=1 THz", "must be"),
        ("inputs.drive.poisson.rate=1e12", "1e+08 events per time step; allowed are up to 1000"),
        ("inputs.drive.weight=1e39", "too large to be kept"),
        ("projections.ee.weight=uniform(0 mV, 1e39 mV)", "too large to be kept"),
        ("projections.ee.delay=7 s", "more than 65535 time steps (6.5535 s)"),
        ("projections.ee.delay=uniform(1 ms, 7 s)", "more than 65535 time steps"),
        ("projections.ee.bounds={delay: [2, 3]}", "ee.delay: lies outside its bounds [2, 3] ms"),
        ("projections.ee.bounds={weight: [2 mV, 3 mV]}", "ee.weight: lies outside its bounds [2, 3] mV"),
        ("projections.ee.bounds={delay: [0, 7 s]}", "more than 65535 time steps"),
        ("projections.ee.connect={fixed_indegree: {n: 30, multapses: false}}", "30 different partners; there are 20"),
        ("projections.ee.connect={fixed_outdegree: {n: 20, multapses: false, autapses: false}}", "there are 19"),
        ("projections.ee.connect={fixed_indegree: {n: 3, autapses: maybe}}", "autapses is true or false"),
        ("projections.ei={from: exc, to: inh, connect: one_to_one, weight: 1, delay: 1}", "found 20 and 5 neurons"),
        ("protocol=[{every: 0.01, set: {inputs.drive.rate: 0}}]", "every: is less than a time step (0.1 ms)"),
        ("protocol=[{at: 5, set: {inputs.drive.rate: 1e8}}]", "10000 events per time step"),
        ("protocol=[{at: 5, do: [{set: {projections.ee.delay: 7 s}}]}]", "more than 65535 time steps"),
        ("protocol=[{at: 5, set: {projections.ee.weight: 1e39}}]", "too large to be kept"),
        ("record={state: {exc: {variables: [v], every: 0.01}}}", "less than a time step"),
        ("record={synapses: {ee: {every: 0.01}}}", "less than a time step"),
    ],
)
def test_beyond_the_limits(file: Path, setting: str, said: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        load(file, [setting])
    assert said in str(raised.value)
    assert len(raised.value.problems) == 1


@pytest.mark.parametrize(
    "setting",
    [
        "populations.src.model={poisson: {rate: 10 kHz}}", "projections.ee.delay=6.5535 s", "dt=5 ms",
        "projections.ee.bounds={delay: [1, 3]}", "inputs.drive.poisson.rate=10 MHz",
        "projections.ee.connect={fixed_indegree: {n: 20, multapses: false}}",
        "protocol=[{every: 0.05, lesion: {population: exc}}]",
    ],
)  # fmt: skip
def test_up_to_the_limits(file: Path, setting: str) -> None:
    load(file, [setting])


def test_output_survives_a_terminal_that_knows_ascii_only(file: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", "from neurosim.cli.main import main; main()", "info", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert b"exc" in done.stdout
