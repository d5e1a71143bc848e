"""Run a scenario from its file to its result."""

from __future__ import annotations

import contextlib
import math
import os
import re
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import NeurosimError, UsageError
from neurosim.graph.history import SYNAPSE_BIRTH
from neurosim.record import Result, ResultFile, collect_provenance, free_path
from neurosim.scenario import structure
from neurosim.scenario.builder import Built, build
from neurosim.scenario.expect import Expectations
from neurosim.scenario.load import Scenario, load
from neurosim.scenario.measures import Lifetime
from neurosim.units import format_quantity

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation
    from neurosim.graph.population import Ids

Progress = Callable[[str, float, float, int], None]
"""Called as ``progress(phase, done, total, spikes)``; in the phase ``running``, done and total are ms."""

FLUSH_EVERY = 0.5  # s of wall time
SNAPSHOT_LIMIT = 5_000_000  # synapses that a result file holds unless `record: {graph: …}` says otherwise


class RunInterrupted(NeurosimError):
    """The run was interrupted (Ctrl-C); ``result`` holds what was recorded until then."""

    exit_code = 130

    def __init__(self, message: str, result: Result) -> None:
        super().__init__(message)
        self.result = result


def run(
    scenario: str | Path | Scenario,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    duration: float | str | None = None,
    threads: int | None = None,
    backend: str = "numba",
    progress: Progress | None = None,
) -> Result:
    """Run a scenario and return its result.

    Parameters
    ----------
    scenario : its file, the name of an example, or a loaded scenario.
    output : the result file; default ``NAME.nsim`` here, or ``NAME-2.nsim`` … rather than overwrite.
    overwrite : replace ``output`` if it exists.
    overrides : changes to the scenario, ``path=value`` each.
    seed, duration : replace the scenario's own (ms, or a text with a unit).
    threads : default what the scenario says, or the cores at hand. Results do not depend on it.
    progress : called while it builds and runs.

    Raises
    ------
    ScenarioError, InvalidInput : the scenario cannot be run.
    UsageError : the result cannot be written there.
    RunInterrupted : after Ctrl-C; what was recorded is kept.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario, overrides, seed, duration)
    elif overrides or seed is not None or duration is not None:
        raise UsageError("overrides, seed and duration are given to `load`; this scenario is loaded already")
    path = output_path(scenario, output)
    started = time.perf_counter()
    connecting = None if progress is None else lambda what, done, total: progress(what, done, total, 0)
    built = build(scenario, threads=threads, backend=backend, progress=connecting)
    build_s = time.perf_counter() - started - built.simulation.timings["compile_s"]
    return run_built(built, path, overwrite=overwrite, backend=backend, build_s=build_s, progress=progress)


def run_built(
    built: Built,
    path: Path,
    *,
    overwrite: bool = False,
    backend: str = "numba",
    build_s: float = 0.0,
    progress: Progress | None = None,
) -> Result:
    """Run what a scenario was built to, and what was put on its simulation's schedule since; see `run`."""
    provenance = _provenance(built.scenario, built.simulation, backend)
    with ResultFile.create(path, provenance, overwrite=overwrite) as file:
        session = _Session(built, file, build_s, progress)
        status = session.run()
        session.keep_graph()
        summary = session.summary(backend)
        file.close(summary, status)
    result = Result(path)
    if status == "interrupted":
        reached = format_quantity(built.simulation.time, "ms")
        raise RunInterrupted(f"interrupted at {reached}; what was recorded is in {path}", result)
    return result


class _Session:
    """One run that is being written: flushes what the recorders hold, and sums up."""

    def __init__(self, built: Built, file: ResultFile, build_s: float, progress: Progress | None) -> None:
        self.built, self.file, self.progress = built, file, progress
        self.scenario, self.simulation, self.network = built.scenario, built.simulation, built.network
        self.build_s = build_s
        self.captions = 0  # of those that were said, how many are in the file
        self.started = self.flushed = time.perf_counter()
        history = self.network.history
        history.mode = self.scenario.spec.record.history
        history.tally.width = _bin(self.scenario.duration, self.simulation.dt)
        self.lifetimes = {name: Lifetime(population, 0.0) for name, population in self.network.populations.items()}
        expected = list(self.scenario.spec.expect.values())
        self.expectations = Expectations(expected, self.simulation, built.cast, self.scenario.duration)
        history.observers += [lifetime.observe for lifetime in self.lifetimes.values()]
        kept: dict[str, Any] = {"history": history.mode, "history_bin": history.tally.width}
        kept["structure"] = structure.describe(self.scenario.spec)
        file.describe(*_network(built), recorded=built.recorders.names() | kept)
        self.keeps_graph = self._keeps_graph()
        if self.keeps_graph:
            for name, projection in self.network.projections.items():
                file.snapshot(0.0, name, projection.edges())
        for note in self.scenario.notes:
            file.log(note, "warning")

    def run(self) -> str:
        """Run to the end, or until Ctrl-C; return how it ended."""
        self.started = self.flushed = time.perf_counter()
        self.simulation.progress = self._tick
        interrupted = False
        with _stopping(self.simulation) as asked:
            try:
                self.simulation.run(self.scenario.duration)
            except KeyboardInterrupt:
                interrupted = True
        self._flush()
        short = self.simulation.time < self.scenario.duration - 0.5 * self.simulation.dt  # somebody stopped it
        return "interrupted" if interrupted or asked() or short else "finished"

    def keep_graph(self) -> None:
        """Store what has become of the network where births and deaths do not say so."""
        if self.network.history.mode == "full":
            return
        time, changed = self.simulation.time, self._changed()
        for name, population in self.network.populations.items():
            if name in changed:
                self.file.census(time, name, population.ids, population.positions)
        for name, projection in self.network.projections.items():
            if name in changed and self.keeps_graph:
                self.file.snapshot(time, name, projection.edges())

    def _changed(self) -> dict[str, float]:
        """When each population and projection changed for the first time, by name."""
        names = list(self.network.populations), list(self.network.projections)
        since = self.network.history.since
        return {names[kind == SYNAPSE_BIRTH][owner]: time for (kind, owner), time in since.items()}

    def summary(self, backend: str) -> dict[str, Any]:
        """Return what happened, in the words of ``neurosim run --json``."""
        simulation, network, timings = self.simulation, self.network, self.simulation.timings
        seconds, spikes = simulation.time * 1e-3, dict(simulation.spike_counts)
        sim_s = timings["sim_s"]
        return {
            "scenario": self.scenario.name,
            "seed": network.seed,
            "threads": simulation.threads,
            "backend": backend,
            "duration_ms": simulation.time,
            "neurons": sum(population.size for population in network.populations.values()),
            "synapses": sum(projection.size for projection in network.projections.values()),
            "spikes": sum(spikes.values()),
            "rate_hz": {name: self._rate(name, count) for name, count in spikes.items()},
            "events": simulation.events,
            "births": dict(network.history.births),
            "deaths": dict(network.history.deaths),
            "compile_s": timings["compile_s"],
            "build_s": self.build_s,
            "sim_s": sim_s,
            "rtf": sim_s / seconds if seconds else None,
            "events_per_s": simulation.events / sim_s if sim_s else None,
            "peak_rss_mb": _peak_rss_mb(),
            "result": str(self.file.path),
            "hash": simulation.hash(),
            "expect": [outcome.as_dict() for outcome in self.expectations.outcomes(simulation.time)],
        }

    def _rate(self, name: str, spikes: int) -> float:
        """Return spikes per second of a neuron's life."""
        lived = self.lifetimes[name].until(self.simulation.time) * 1e-3
        return spikes / lived if lived else 0.0

    def _keeps_graph(self) -> bool:
        asked = self.scenario.spec.record.graph
        synapses = sum(projection.size for projection in self.network.projections.values())
        return synapses <= SNAPSHOT_LIMIT if asked is None else asked

    def _tick(self, simulation: Simulation) -> None:
        if self.progress is not None:
            spikes = sum(simulation.spike_counts.values())
            self.progress("running", simulation.time, self.scenario.duration, spikes)
        if time.perf_counter() - self.flushed >= FLUSH_EVERY:
            self._flush()

    def _flush(self) -> None:
        wall = time.perf_counter() - self.started
        history = self.network.history
        self.expectations.observe()
        names = list(self.network.populations)
        self.file.append(
            self.simulation.time,
            wall,
            history=history.drain(),
            structure=history.tally.drain(),
            changed=self._changed(),
            positions={names[owner]: places for owner, places in history.drain_places().items()},
            **self.built.recorders.drain(),
        )
        for at, text in self.simulation.captions[self.captions :]:
            self.file.log(text, "caption", at)
        self.captions = len(self.simulation.captions)
        self.flushed = time.perf_counter()


@contextlib.contextmanager
def _stopping(simulation: Simulation) -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C end the run between two epochs, where everything is whole, and the second at once.

    Yields what tells whether it came. Outside the main thread, which gets no signals, it changes nothing.
    """
    asked: list[int] = []

    def stop(signum: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(signum)
        simulation.stop()

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def _network(built: Built) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return populations and projections as the result file describes them."""
    populations = {
        name: {
            "model": population.model.name,
            "parameters": {**population.parameters, **population.configured.spread},
            "ids": population.ids,
            "positions": population.positions,
            "variables": population.variables,
            "groups": {g.name: _runs(g.members) for g in built.network.groups.values() if g.population is population},
        }
        for name, population in built.network.populations.items()
    }
    projections = {
        name: {
            "source": projection.source.name,
            "target": projection.target.name,
            "receptor": projection.receptor,
            "synapses": projection.size,
            "weight_unit": projection.weight_unit,
            "learning": [rule.name for rule in projection.learning],
            "variables": projection.variables,
        }
        for name, projection in built.network.projections.items()
    }
    return populations, projections


def _runs(ids: Ids) -> list[list[int]]:
    """Return ascending ids as pairs: the first of a run of consecutive ones, and how many they are."""
    breaks = np.flatnonzero(np.diff(ids.astype(np.int64)) != 1) + 1
    return [[int(run[0]), int(run.size)] for run in np.split(ids, breaks) if run.size]


def _provenance(scenario: Scenario, simulation: Simulation, backend: str) -> dict[str, Any]:
    return collect_provenance(
        seed=scenario.spec.header.seed,
        dt=simulation.dt,
        threads=simulation.threads,
        backend=backend,
        duration=scenario.duration,
        scenario_text=scenario.text,
        scenario_file=scenario.document.file,
        settings=list(scenario.settings),
        scenario_name=scenario.name,
    )


def output_path(scenario: Scenario, output: str | Path | None = None) -> Path:
    """Return where a result goes: ``output``, or a free name here. Raises UsageError where nobody can write."""
    path = free_path(_default_name(scenario)) if output is None else Path(output)
    _check_folder(path)
    return path


def _default_name(scenario: Scenario) -> Path:
    return Path(re.sub(r"[^\w.-]+", "_", scenario.name).strip("._") or "run").with_suffix(".nsim")


def _check_folder(path: Path) -> None:
    """Refuse a folder that cannot be written before anything long is built for it."""
    if path.parent.is_dir() and not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"cannot write {path}: the folder {path.parent} is not writable")


def _bin(duration: float, dt: float) -> float:
    """Return 1, 2 or 5 times a power of ten that cuts ``duration`` into at most 10 000 bins; 0 where dt does (ms)."""
    wanted = duration / 10_000
    if wanted <= dt:
        return 0.0
    decade = 10.0 ** math.floor(math.log10(wanted))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= wanted * 0.999)


def _peak_rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
