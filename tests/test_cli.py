"""The command line as users and scripts meet it: exit codes, clean JSON, one clear message, no traceback."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from shell import SMALL, folder, made, neurosim, only_json

from neurosim.cli import _announced, _exits
from neurosim.cli.main import app
from neurosim.errors import InvalidInput, NeurosimError

__all__ = ["folder", "made"]  # fixtures


# ---- the frame -----------------------------------------------------------------------------------


def test_help_names_every_command_and_marks_what_is_not_built() -> None:
    text = neurosim("--help").stdout
    built, announced = text.split("Announced, not built yet:")
    for name in ("run", "check", "info", "plot", "export", "bench", "models"):
        assert f"  {name} " in built
        assert neurosim(name, "--help").exit_code == 0
    for name in _announced.ANNOUNCED:
        assert f"  {name} " in announced


def test_every_command_has_help_for_itself_and_its_options() -> None:
    context = app.make_context("neurosim", ["models"])
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        assert command is not None
        assert command.help, name
        for parameter in command.get_params(context):
            if parameter.param_type_name == "option":
                assert getattr(parameter, "help", None), f"{name} {parameter.name}"


@pytest.mark.parametrize("name", _announced.ANNOUNCED)
def test_announced_commands_do_not_pretend(name: str) -> None:
    outcome = neurosim(name, "x.nsim", "--port", "8000")
    assert outcome.exit_code == 2
    assert "not built yet" in outcome.stderr
    assert not outcome.stdout


def test_version() -> None:
    import neurosim as package

    assert neurosim("--version").stdout == f"neurosim {package.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnu"], "there is no command 'rnu'. Did you mean 'run'?"),
        (["run"], "SCENARIO"),
        (["run", "small.yaml", "--duration", "soon"], "found 'soon'"),
        (["run", "small.yaml", "--duration", "-1 s"], "not a positive time"),
        (["run", "small.yaml", "--threads", "0"], "--threads"),
        (["run", "small.yaml", "--set", "seed"], "path=value"),
        (["run", "small.yaml", "--backend", "gnn"], "not built yet"),
        (["run", "small.yaml", "--checkpoint-every", "10 ms"], "not built yet"),
        (["plot", "a.nsim", "--kind", "rates", "--at", "1 s"], "shows all the run"),
        (["bench", "--against"], "--against"),
    ],
)
def test_wrong_usage(folder: Path, arguments: list[str], said: str) -> None:
    outcome = neurosim(*arguments)
    assert outcome.exit_code == 2
    assert said in outcome.stderr
    assert not outcome.stdout


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (InvalidInput("no such thing"), 3, "error: no such thing"),
        (NeurosimError("a fuse blew"), 1, "error: a fuse blew"),
        (PermissionError(13, "Permission denied", "/x"), 1, "/x: permission denied"),
        (FileNotFoundError(2, "No such file or directory", "/x"), 3, "/x: no such file"),
        (MemoryError("Unable to allocate 9 TB"), 1, "not enough memory: Unable to allocate 9 TB"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(32, "Broken pipe"), 0, ""),
        (ZeroDivisionError("division by zero"), 1, "this is a bug in neurosim: ZeroDivisionError: division by zero"),
    ],
)
def test_every_failure_becomes_a_message_and_a_code(
    failure: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exits.explain(failure) == code
    out, err = capsys.readouterr()
    assert said in err
    assert not out
    assert "Traceback" not in err


def test_debug_shows_where(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in (["check", "none.yaml"], ["info", "none.nsim"]):
        assert "Traceback" not in CliRunner().invoke(app, arguments).stderr
    assert "Traceback" in CliRunner().invoke(app, ["info", "none.nsim", "--debug"]).stderr
    monkeypatch.setenv("NEUROSIM_DEBUG", "1")
    assert "Traceback" in CliRunner().invoke(app, ["info", "none.nsim"]).stderr


def test_it_starts_fast_and_light() -> None:
    code = (
        "import sys; from neurosim.cli.main import app\n"
        "try: app.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numba', 'matplotlib', 'pydantic', 'ruamel', 'networkx', 'rich.progress'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_completion_knows_the_commands() -> None:
    words = {"COMP_WORDS": "neurosim ru", "COMP_CWORD": "1", "_NEUROSIM_COMPLETE": "bash_complete"}
    done = _process([], env=words)
    assert b"run" in done.stdout


# ---- check ---------------------------------------------------------------------------------------


def test_check_says_how_much_a_scenario_needs(folder: Path) -> None:
    outcome = neurosim("check", "small.yaml")
    assert outcome.exit_code == 0
    assert "100 neurons" in outcome.stdout
    assert "MB" in outcome.stdout
    report = only_json(neurosim("check", "small.yaml", "--json"))
    assert report["valid"]
    assert report["scenarios"][0]["synapses"] == 20 * 10 + 100 * 5
    assert report["scenarios"][0]["memory_mb"] > 50


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("seed: 3", "sed: 3", "small.yaml:3: sed: "),
        ("tau_m: 20 ms", "tau_m: 20 mV", "small.yaml:6: populations.exc.model.lif_delta.tau_m: "),
        ("to: inh,", "to: imh,", "Did you mean 'inh'?"),
        ("delay: 1 ms}", "delay: -1 ms}", "small.yaml:11: projections.ei.delay: "),
        ("{fixed_indegree: 10}", "{fixed_probability: 1.5}", "1.5"),
        ("duration: 50 ms", "duration: [", "not valid YAML"),
    ],
)
def test_mistakes_in_a_scenario_are_named_with_their_line(folder: Path, before: str, after: str, said: str) -> None:
    assert before in SMALL
    Path("small.yaml").write_text(SMALL.replace(before, after, 1), encoding="utf-8")
    for command in ("check", "run"):
        outcome = neurosim(command, "small.yaml")
        assert outcome.exit_code == 3
        assert said in outcome.stderr
        assert not outcome.stdout
    assert not list(folder.glob("*.nsim"))


def test_check_reports_all_mistakes_of_all_files(folder: Path) -> None:
    Path("bad.yaml").write_text(SMALL.replace("seed: 3", "sed: 3").replace("to: inh,", "to: imh,"), encoding="utf-8")
    outcome = neurosim("check", "bad.yaml", "small.yaml", "none.yaml")
    assert outcome.exit_code == 3
    assert outcome.stderr.count("bad.yaml:") >= 2
    assert "none.yaml: no such file" in outcome.stderr
    assert "✓ small.yaml" in outcome.stdout
    report = only_json(neurosim("check", "bad.yaml", "small.yaml", "--json"))
    assert not report["valid"]
    assert [scenario["valid"] for scenario in report["scenarios"]] == [False, True]
    assert {problem["line"] for problem in report["scenarios"][0]["problems"]} >= {3, 11}


@pytest.mark.parametrize(
    "content", [b"\x00\x01binary", b"\xff\xfe", b"", b"- 1\n- 2\n"], ids=["binary", "not utf-8", "empty", "a list"]
)
@pytest.mark.parametrize("command", ["run", "check", "info"])
def test_files_that_are_no_scenario(folder: Path, content: bytes, command: str) -> None:
    Path("odd.yaml").write_bytes(content)
    outcome = neurosim(command, "odd.yaml")
    assert outcome.exit_code == 3
    assert "odd.yaml" in outcome.stderr


@pytest.mark.parametrize("command", ["info", "plot", "export"])
def test_files_that_are_no_result(folder: Path, command: str) -> None:
    more = ["out.graphml"] if command == "export" else []
    Path("text.nsim").write_text("not a database", encoding="utf-8")
    with sqlite3.connect("other.nsim") as database:
        database.execute("CREATE TABLE a (b)")
    database.close()
    for name in ("text.nsim", "other.nsim", "none.nsim", "."):
        outcome = neurosim(command, name, *more)
        assert outcome.exit_code == 3, name
        assert outcome.stderr.startswith("error: ")


# ---- models and benchmarks -----------------------------------------------------------------------


def test_models() -> None:
    from neurosim.models import neuron_models

    outcome = neurosim("models")
    facts = only_json(neurosim("models", "--json"))["neurons"]
    assert list(facts) == list(neuron_models())
    for name, about in facts.items():
        assert name in outcome.stdout
        assert neurosim("models", name).exit_code == 0
        assert all(parameter["meaning"] for parameter in about["parameters"].values())
    outcome = neurosim("models", "lif_dleta")
    assert outcome.exit_code == 3
    assert "Did you mean 'lif_delta'?" in outcome.stderr


def test_bench_knows_its_names() -> None:
    listed = only_json(neurosim("bench", "--list", "--json"))
    assert {"brunel", "cuba", "structure"} <= set(listed)
    outcome = neurosim("bench", "brunnel")
    assert outcome.exit_code in (2, 3)
    assert "Did you mean 'brunel'?" in outcome.stderr
    outcome = neurosim("bench", "brunel", "--against", "nobody")
    assert outcome.exit_code in (2, 3)
    assert not outcome.stdout


def _process(arguments: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "neurosim.cli", *arguments], env={**os.environ, **env}, capture_output=True, check=False
    )
