"""The command line as users and scripts meet it: exit codes, clean JSON, one clear message and never a traceback."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from click.testing import Result as Outcome

from neurosim.cli import _announced, _exits
from neurosim.cli.main import app
from neurosim.errors import InvalidInput, NeurosimError
from neurosim.record import Result

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
        (["run", "small.yaml", "--watch"], "not built yet"),
        (["run", "small.yaml", "--backend", "gnn"], "not built yet"),
        (["run", "small.yaml", "--checkpoint-every", "10 ms"], "not built yet"),
        (["plot", "a.nsim", "--kind", "weights"], "not built yet"),
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


@pytest.mark.parametrize("kind", ["summary", "raster", "rates"])
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
    for suffix, made in formats().items():
        assert made.write is None or f"  {suffix} " in text


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
