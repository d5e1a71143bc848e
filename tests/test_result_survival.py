"""A result file through SIGKILL, Ctrl-C, a full disk, and readers that come and go."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from neurosim.errors import NeurosimError
from neurosim.record import HISTORY, Result, ResultFile, collect_provenance, store
from neurosim.record.process import may_be_alive, this_process

PER_FLUSH = 500


def new_file(path: Path, overwrite: bool = False) -> ResultFile:
    """A file that waits for spikes of one population."""
    settings = collect_provenance(seed=1, dt=0.1, threads=1, backend="numba")
    writer = ResultFile.create(path, settings, overwrite)
    writer.describe({"exc": {"model": "lif_delta", "ids": range(100)}}, {})
    return writer


def write_flushes(path: str, flushes: int) -> None:
    """Flush number k holds the spikes, samples and births of the k-th ms; it says so when it is committed."""
    print("imported", flush=True)  # noqa: T201
    rng = np.random.default_rng(1)
    with new_file(Path(path)) as writer:
        for k in range(1, flushes + 1):
            born = np.zeros(PER_FLUSH, HISTORY)
            born["time"], born["kind"], born["id"] = k, 2, k * PER_FLUSH + np.arange(PER_FLUSH)
            ids = rng.integers(0, 100, PER_FLUSH)
            samples = {"time": np.full(PER_FLUSH, float(k)), "id": ids, "v": rng.random(PER_FLUSH)}
            spikes = {"exc": (np.full(PER_FLUSH, 10 * k), ids)}
            writer.append(float(k), 0.0, history=born, spikes=spikes, states={"exc": samples})
            print(k, flush=True)  # noqa: T201


def in_process(code: str) -> str:
    """What a program of ours prints, in a process of its own."""
    with start(code) as process:
        output, error = process.communicate()
    assert process.returncode == 0, error
    return output.strip()


def start(code: str) -> subprocess.Popen[str]:
    """Run a program that can import this module."""
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path[1:]])
    command = [sys.executable, "-c", textwrap.dedent(code)]
    environment = {**os.environ, "PYTHONPATH": paths}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)


def start_writer(path: Path, flushes: int) -> subprocess.Popen[str]:
    return start(f"import test_result_survival; test_result_survival.write_flushes({str(path)!r}, {flushes})")


def check_whole(result: Result) -> int:
    """Everything of every flush, and nothing of any other: the number of flushes."""
    reached = int(result.time_reached)
    times, ids = result.spikes("exc", stop=float(reached))
    np.testing.assert_allclose(times, np.repeat(np.arange(1.0, reached + 1), PER_FLUSH))
    assert ids.max(initial=0) < 100
    assert len(result.state("exc", stop=float(reached))["v"]) == PER_FLUSH * reached
    assert len(result.history(stop=float(reached))) == PER_FLUSH * reached
    return reached


@pytest.mark.parametrize(("lines", "wait"), [(2, 0.0), (3, 0.0013), (10, 0.0007), (60, 0.002), (200, 0.0)])
def test_killed_while_writing(tmp_path: Path, lines: int, wait: float) -> None:
    path = tmp_path / "a.nsim"
    with start_writer(path, 100_000) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        assert Result(path).status == "running"
        time.sleep(wait)
        process.kill()
        said += process.stdout.readlines()  # what it committed before the signal came
    promised = int(said[-1])
    result = Result(path)
    assert check_whole(result) >= promised
    assert (result.status, result.summary) == ("interrupted", {})
    check_whole(result)  # reading it did not change it
    new_file(path, overwrite=True).close()
    assert Result(path).time_reached == 0.0
    assert os.listdir(tmp_path) == ["a.nsim"]


@pytest.mark.parametrize("wait", [0.0, 0.002, 0.004, 0.008, 0.016])
def test_killed_while_creating(tmp_path: Path, wait: float) -> None:
    """There is no file, or a good one."""
    path = tmp_path / "a.nsim"
    with start_writer(path, 100_000) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "imported\n"
        time.sleep(wait)
        process.kill()
    if path.exists():
        assert Result(path).status == "interrupted"
        assert Result(path).provenance["dt"] == 0.1


def test_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.nsim"
    seen = []
    with start_writer(path, 300) as process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        result = Result(path)
        while result.status == "running":
            seen.append(check_whole(result))
            assert result.state("exc", float(seen[-1] - 1), float(seen[-1]))["id"].size == PER_FLUSH
    assert process.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 1
    assert (result.status, check_whole(result)) == ("finished", 300)
    assert os.listdir(tmp_path) == ["a.nsim"]


def interrupted_flush(writer: ResultFile) -> None:
    """A Ctrl-C in the middle of storing: while the spikes are asked for."""

    class Spikes(dict[str, tuple[list[int], list[int]]]):
        def items(self):  # type: ignore[no-untyped-def]
            signal.raise_signal(signal.SIGINT)
            return super().items()

    writer.append(5.0, 0.0, spikes=Spikes(exc=([50], [7])))


def test_interrupted_and_failed_runs_say_so(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), new_file(tmp_path / "a.nsim") as writer:
        interrupted_flush(writer)
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "b.nsim") as writer:
        writer.append(5.0, 1 / 0)
    assert sorted(os.listdir(tmp_path)) == ["a.nsim", "b.nsim"]
    assert (Result(tmp_path / "a.nsim").status, Result(tmp_path / "a.nsim").time_reached) == (
        "interrupted",
        5.0,
    )
    assert Result(tmp_path / "a.nsim").spikes("exc")[1].tolist() == [7]
    failed = Result(tmp_path / "b.nsim")
    assert failed.status == "failed"
    assert failed.messages[0]["text"] == "ZeroDivisionError: division by zero"


def test_who_is_alive() -> None:
    me = this_process()
    assert may_be_alive(me)
    assert may_be_alive({**me, "host": "another machine", "pid": 1 << 30})
    assert not may_be_alive({**me, "pid": 1 << 30})
    if me["born"] is not None:
        assert not may_be_alive({**me, "born": me["born"] - 1})  # the number was given to another process


def test_a_program_that_stays_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps SQLite's companions alive, and costs nothing else."""
    monkeypatch.setattr(store, "_READERS_LEAVE", 0.1)
    path = tmp_path / "a.nsim"
    writer = new_file(path)
    guest = sqlite3.connect(path)
    guest.execute("SELECT * FROM run").fetchall()
    writer.append(5.0, 0.0)
    writer.close()
    alone = tmp_path / "alone.nsim"
    shutil.copyfile(path, alone)
    assert (Result(alone).time_reached, Result(alone).status) == (5.0, "finished")
    guest.close()
    assert (Result(path).time_reached, Result(path).status) == (5.0, "finished")


# ---- no room, no permission ----------------------------------------------------------------------


def fill(path: Path, limit: int | None = None) -> tuple[int, str]:
    """Write until the disk refuses: flushes that succeeded, and what the user is told."""
    rng, done = np.random.default_rng(1), 0
    try:
        with new_file(path) as writer:
            if limit is not None:
                writer._database.execute(f"PRAGMA max_page_count = {limit}")
            for k in range(1, 1000):
                spikes = {"exc": (np.full(20_000, k), rng.integers(0, 1 << 32, 20_000))}
                writer.append(float(k), 0.0, spikes=spikes)
                done = k
    except NeurosimError as error:
        return done, str(error)
    raise AssertionError("the disk is never full")


def check_kept(path: Path, done: int, message: str) -> None:
    assert str(path) in message
    assert "choose another place" in message
    result = Result(path)
    assert done > 0
    assert int(result.time_reached) == done
    assert len(result.spikes("exc")[0]) == 20_000 * done
    assert result.status in ("failed", "interrupted")


def test_a_full_database(tmp_path: Path) -> None:
    check_kept(tmp_path / "a.nsim", *fill(tmp_path / "a.nsim", limit=100))


def test_a_limit_on_file_size(tmp_path: Path) -> None:
    path = tmp_path / "a.nsim"
    code = f"""
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
        from pathlib import Path
        from test_result_survival import fill
        done, message = fill(Path({str(path)!r}))
        print(done, message)
    """
    done, message = in_process(code).split(" ", 1)
    check_kept(path, int(done), message)


def test_a_full_disk(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs privileges")
    try:
        check_kept(folder / "a.nsim", *fill(folder / "a.nsim"))
        with pytest.raises(NeurosimError, match="Free some space"):
            new_file(folder / "b.nsim")
        assert not (folder / "b.nsim").exists()
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_folder_that_may_not_be_written() -> None:
    with tempfile.TemporaryDirectory() as folder:  # tmp_path lies in one that only its owner may enter
        writer = new_file(Path(folder, "closed.nsim"))
        writer.append(7.0, 0.0)
        writer.close()
        writer = new_file(Path(folder, "open.nsim"))
        writer.append(8.0, 0.0)
        for suffix in ("", "-wal"):  # as a killed run leaves it, copied without SQLite's index
            shutil.copyfile(f"{folder}/open.nsim{suffix}", f"{folder}/killed.nsim{suffix}")
        shutil.copyfile(f"{folder}/open.nsim", f"{folder}/bare.nsim")  # and without its log: what the file has
        writer.close()
        Path(folder).chmod(0o555)
        code = f"""
            import os
            from pathlib import Path
            from test_result_survival import *

            SETTINGS = collect_provenance(seed=1, dt=0.1, threads=1, backend="numba")
            if os.geteuid() == 0:  # the superuser may write anywhere
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            for name in ("closed", "killed", "bare"):
                print(Result(Path({folder!r}, name + ".nsim")).time_reached)
            try:
                ResultFile.create(Path({folder!r}, "new.nsim"), SETTINGS)
            except NeurosimError as error:
                print(error)
        """
        *times, message = in_process(code).splitlines()
        Path(folder).chmod(0o755)
    assert times == ["7.0", "8.0", "0.0"]
    assert "new.nsim: the folder may not be written" in message
