"""What the tests of the command line share: a small scenario, and ways to run the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from click.testing import Result as Outcome

from neurosim.cli.main import app

SMALL = """\
name: small
about: Two populations that talk to each other.
seed: 3
duration: 50 ms
populations:
  exc: {size: 80, model: {lif_delta: {tau_m: 20 ms}}, initial: {v: "uniform(0 mV, 20 mV)"}}
  inh: {size: 20, model: lif_delta}
inputs:
  drive: {poisson: {rate: 15 kHz}, to: [exc, inh], weight: 0.1 mV}
projections:
  ei: {from: exc, to: inh, connect: {fixed_indegree: 10}, weight: 0.1 mV, delay: 1 ms}
  ia: {from: inh, to: [exc, inh], connect: {fixed_indegree: 5}, weight: -0.5 mV, delay: 1 ms}
expect:
  - {rate: exc, over: [0 ms, 50 ms], between: [0 Hz, 500 Hz]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that holds ``small.yaml``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEUROSIM_DEBUG", raising=False)
    Path("small.yaml").write_text(SMALL, encoding="utf-8")
    return tmp_path


def neurosim(*arguments: str) -> Outcome:
    """Run the command in this process; stdout and stderr are kept apart."""
    outcome = CliRunner().invoke(app, list(arguments))
    assert "Traceback" not in outcome.output + outcome.stderr
    return outcome


def only_json(outcome: Outcome) -> dict[str, Any]:
    """Return the one JSON object that stdout must be."""
    content = json.loads(outcome.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert isinstance(content, dict)
    return content


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of ``small.yaml``, made once."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    file = folder / "small.nsim"
    outcome = neurosim("run", str(folder / "small.yaml"), "-o", str(file))
    assert outcome.exit_code == 0, outcome.output
    return file
