"""The same network in neurosim and in its peers, simulated in turn, so that a busy minute hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import neurosim as ns
from neurosim.benchmarks.peers import Peer
from neurosim.benchmarks.rows import Progress, Row, load_note

OURS = "neurosim"


@dataclass(frozen=True)
class Comparison:
    """A network that neurosim and its peers can build.

    Parameters
    ----------
    name : of the benchmark, and of the functions in ``peers/run_*.py``.
    parameters : plain numbers; ``dt`` and ``duration`` (ms) among them.
    build : (parameters, seed) -> the network in neurosim.
    neurons : population -> size.
    threads : thread counts to try.
    notes : simulator -> what is different there.
    label : what its rows are called, if not by ``name``.
    grown : compare by the synapses that have grown per second, not by the time it took.
    outdegrees : population -> synapses that leave a neuron, on average; given where simulators are compared by the
        synaptic events (spikes times out-degree) that they handle per second, as their rates may differ.
    """

    name: str
    parameters: Mapping[str, Any]
    build: Callable[[Mapping[str, Any], int], ns.Network]
    neurons: Mapping[str, int]
    threads: tuple[int, ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    outdegrees: Mapping[str, float] = field(default_factory=dict)
    label: str = ""
    grown: bool = False

    @property
    def per_event(self) -> bool:
        """Whether simulators are compared by what they have handled per second."""
        return bool(self.outdegrees) or self.grown


@dataclass
class _Runs:
    """All repeats of one simulator with one number of threads."""

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)  # seconds of processor time
    events: list[float] = field(default_factory=list)  # empty where nobody knows them
    spikes: dict[str, int] = field(default_factory=dict)  # of the last repeat

    def cost(self, per_event: bool, processor: bool = False) -> list[float]:
        """What the repeats cost: seconds (on the clock or of the processor), of the whole or of one synaptic event."""
        spent = self.processor if processor else self.seconds
        if not per_event:
            return spent
        return [seconds / max(events, 1.0) for seconds, events in zip(spent, self.events, strict=True)]


def compare(comparison: Comparison, against: Sequence[str], progress: Progress, repeats: int = 5) -> list[Row]:
    """Simulate ``repeats`` times each; rows of median simulation times (no build, no compiling) and rates."""
    rows: list[Row] = []
    for threads in comparison.threads:
        runs = {name: _Runs() for name in (OURS, *against)}
        with ExitStack() as stack:
            peers: list[Peer] = []
            for name in against:
                progress(f"{comparison.name}: {name} builds with {_threads(threads)}")
                peers.append(stack.enter_context(Peer(name, comparison.name, comparison.parameters, threads)))
            for repeat in range(1, repeats + 1):
                progress(f"{comparison.name}: {_threads(threads)}, repeat {repeat} of {repeats}")
                _run_ours(comparison, threads, repeat, runs[OURS])
                for peer in peers:
                    _run_peer(comparison, peer, repeat, runs[peer.name])
        for name, measured in runs.items():
            rows += _rows(comparison, name, threads, measured, runs[OURS])
    return rows


def _run_ours(comparison: Comparison, threads: int, seed: int, runs: _Runs) -> None:
    network = comparison.build(comparison.parameters, seed)
    simulation = ns.Simulation(network, dt=comparison.parameters["dt"], threads=threads)
    began = time.process_time()
    simulation.run(comparison.parameters["duration"])
    runs.processor.append(time.process_time() - began)
    runs.seconds.append(simulation.timings["sim_s"])
    runs.spikes = {name: int(simulation.spike_counts[name]) for name in comparison.neurons}
    if comparison.grown:
        runs.events.append(float(sum(projection.size for projection in network.projections.values())))
    else:
        runs.events.append(_counted(comparison, runs) if comparison.outdegrees else float(simulation.events))


def _run_peer(comparison: Comparison, peer: Peer, seed: int, runs: _Runs) -> None:
    answer = peer.run(seed)
    runs.seconds.append(answer.wall_s)
    runs.processor.append(answer.cpu_s)
    runs.spikes = answer.spikes
    if comparison.grown:
        runs.events.append(float(answer.synapses))
    elif comparison.outdegrees:
        runs.events.append(_counted(comparison, runs))


def _counted(comparison: Comparison, runs: _Runs) -> float:
    """Synaptic events of the last repeat, in the same way for all simulators."""
    return sum(runs.spikes[name] * degree for name, degree in comparison.outdegrees.items())


def _rows(comparison: Comparison, simulator: str, threads: int, runs: _Runs, ours: _Runs) -> Iterator[Row]:
    def row(what: str, value: float, unit: str, ratio: float | None = None, note: str = "") -> Row:
        return Row(comparison.label or comparison.name, what, simulator, threads, value, unit, ratio, note)

    by_events = comparison.per_event
    ratio, best = None, ""
    if simulator != OURS:
        theirs, mine = runs.cost(by_events), ours.cost(by_events)
        ratio = statistics.median(theirs) / statistics.median(mine)
        # on a busy machine a peer whose threads spin is slowed out of all proportion; its best moment is fairer
        best = f"fastest against fastest {min(theirs) / min(mine):.2f}×"
        if threads == 1:  # several spin while they wait
            theirs, mine = runs.cost(by_events, True), ours.cost(by_events, True)
            best += f", by processor time {min(theirs) / min(mine):.2f}×"
    spread = f"{min(runs.seconds):.3g} to {max(runs.seconds):.3g} s in {len(runs.seconds)} repeats"
    duration = comparison.parameters["duration"] / 1000.0
    timed = "; ".join(n for n in ("" if by_events else best, spread, load_note(), comparison.notes.get(simulator)) if n)
    yield row(f"{duration:g} s simulated in", statistics.median(runs.seconds), "s", None if by_events else ratio, timed)
    if runs.events:
        speed = 1e-6 / statistics.median(runs.cost(per_event=True))
        what = "synapses grown" if comparison.grown else "synaptic events"
        yield row(what, speed, "M/s", *((ratio, best) if by_events else ()))
    for population, size in comparison.neurons.items():
        yield row(f"rate of {population}", runs.spikes[population] / size / duration, "Hz")


def _threads(n: int) -> str:
    return f"{n} thread" if n == 1 else f"{n} threads"
