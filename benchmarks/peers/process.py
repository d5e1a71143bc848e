"""A peer simulator in its own process, asked over a pipe to run one simulation at a time."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from neurosim.benchmarks.peers.environments import find_python
from neurosim.errors import NeurosimError


@dataclass(frozen=True)
class PeerRun:
    """One simulation: wall and processor seconds of the simulation alone, spikes per population, synapses grown.

    Of a network that is only edited: ``edits`` holds seconds per synapse added, deleted, and for the next run to begin.
    """

    wall_s: float
    cpu_s: float
    spikes: dict[str, int]
    synapses: int = 0
    edits: dict[str, float] = field(default_factory=dict)


class Peer:
    """A network built by a peer, ready to be simulated again and again.

    Parameters
    ----------
    name : ``brian2`` or ``nest``.
    network : the function of ``run_<name>.py`` that builds it.
    parameters : plain numbers for that function.
    threads : the peer's threads.
    record : keep every spike, so that :meth:`run` can write them; else they are counted only.

    Use it as a context manager: leaving ends the process and deletes what it built.
    """

    def __init__(
        self, name: str, network: str, parameters: Mapping[str, Any], threads: int = 1, record: bool = False
    ) -> None:
        self.name = name
        self.threads = threads
        script = Path(__file__).with_name(f"run_{name}.py")
        self._python = find_python(name)
        self._folder = tempfile.TemporaryDirectory(prefix=f"neurosim-{name}-")
        request = {
            "network": network,
            "parameters": dict(parameters),
            "threads": threads,
            "directory": str(Path(self._folder.name) / "built"),
            "record": record,
        }
        self._log_path = Path(self._folder.name) / "log"
        with self._log_path.open("w") as log:
            self._process = subprocess.Popen(
                [str(self._python), str(script), json.dumps(request)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=self._folder.name,
            )  # fmt: skip
        try:
            self.version = str(self._answer()["version"])
        except BaseException:
            self.close()
            raise

    def run(self, seed: int, spikes: Path | None = None) -> PeerRun:
        """Simulate once from the beginning.

        ``spikes`` (an npz path) asks for ``<population>_times`` (ms, as neurosim stamps them) and
        ``<population>_ids`` (index within the population).
        """
        assert self._process.stdin is not None
        request = {"seed": seed, "spikes": None if spikes is None else str(spikes)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return PeerRun(**self._answer())

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # NEST greets first
                answer: dict[str, Any] = json.loads(line)
                return answer
        said = "\n".join(self._log_path.read_text(errors="replace").splitlines()[-15:])
        raise NeurosimError(f"{self.name} ({self._python}) failed. It said:\n{said}")

    def close(self) -> None:
        """End the process and delete what it built."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
