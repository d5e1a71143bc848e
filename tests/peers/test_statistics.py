"""Brunel, CUBA and COBAHH against Brian2, statistically: rates, irregularity and correlations over ten seeds.

Each seed is another network with another drive. The mean over our seeds must lie within the spread (smallest
to largest) of Brian2's: with the same law it practically always does, while half a percent more drive, as by
a jump that does not decay for one step, may put the rate outside.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neurosim as ns
from neurosim.benchmarks import brunel, cobahh, cuba
from neurosim.benchmarks.compare import Comparison
from neurosim.benchmarks.peers import Peer

pytestmark = [pytest.mark.peers, pytest.mark.slow]

SEEDS = range(1, 11)
SETTLED = 200.0  # ms, left out at the beginning
BIN = 5.0  # ms, for correlations
PAIRED = 300  # neurons whose correlations are averaged

Trains = dict[str, NDArray[Any]]
Statistics = dict[str, float]


def statistics(trains: Trains, comparison: Comparison) -> Statistics:
    duration = comparison.parameters["duration"]
    found = {}
    for name, size in comparison.neurons.items():
        times, ids = trains[f"{name}_times"], trains[f"{name}_ids"]
        settled = times > SETTLED
        times, ids = times[settled], ids[settled]
        found[f"rate of {name}"] = times.size / size / (duration - SETTLED) * 1000.0
        found[f"cv of {name}"] = mean_cv(times, ids)
        found[f"correlation of {name}"] = mean_correlation(times, ids, size, duration)
    return found


def mean_cv(times: NDArray[Any], ids: NDArray[Any]) -> float:
    """Mean coefficient of variation of the intervals of the neurons that fired at least ten times."""
    order = np.lexsort((times, ids))
    trains = np.split(times[order], np.flatnonzero(np.diff(ids[order])) + 1)
    intervals = [np.diff(train) for train in trains if train.size >= 10]
    return float(np.mean([i.std() / i.mean() for i in intervals]))


def mean_correlation(times: NDArray[Any], ids: NDArray[Any], size: int, duration: float) -> float:
    """Mean correlation of the binned spike counts of all pairs of the first neurons."""
    n = min(size, PAIRED)
    chosen = ids < n
    edges = np.arange(SETTLED, duration + BIN / 2, BIN)
    counts, *_ = np.histogram2d(ids[chosen], times[chosen] - 1e-6, bins=(np.arange(n + 1), edges))
    active = counts.std(axis=1) > 0
    coefficients = np.corrcoef(counts[active])
    return float(coefficients[np.triu_indices_from(coefficients, 1)].mean())


def with_brian2(comparison: Comparison, folder: Path) -> list[Statistics]:
    found = []
    with Peer("brian2", comparison.name, comparison.parameters, record=True) as peer:
        for seed in SEEDS:
            peer.run(seed, folder / "spikes.npz")
            with np.load(folder / "spikes.npz") as trains:
                found.append(statistics(dict(trains), comparison))
    return found


def with_neurosim(comparison: Comparison) -> list[Statistics]:
    found = []
    for seed in SEEDS:
        network = comparison.build(comparison.parameters, seed)
        simulation = ns.Simulation(network, dt=comparison.parameters["dt"])
        recorders = {name: simulation.record_spikes(network.populations[name]) for name in comparison.neurons}
        simulation.run(comparison.parameters["duration"])
        trains: Trains = {}
        for name, recorder in recorders.items():
            trains[f"{name}_times"] = recorder.times
            trains[f"{name}_ids"] = recorder.ids - network.populations[name].ids[0]
        found.append(statistics(trains, comparison))
    return found


@pytest.mark.parametrize(
    "comparison", [brunel.comparison, cuba.comparison, cobahh.comparison], ids=["brunel", "cuba", "cobahh"]
)
def test_rates_cv_and_correlations_lie_within_brian2s_spread(
    comparison: Callable[[], Comparison], tmp_path: Path
) -> None:
    theirs, ours = with_brian2(comparison(), tmp_path), with_neurosim(comparison())
    outside = []
    for name in theirs[0]:
        spread = [found[name] for found in theirs]
        mean = float(np.mean([found[name] for found in ours]))
        told = f"{name}: {mean:.5g}, Brian2 {min(spread):.5g} to {max(spread):.5g}"
        print(told)  # noqa: T201 - shown by `pytest -s`, and when the test fails
        if not min(spread) <= mean <= max(spread):
            outside.append(told)
    assert not outside, "\n".join(outside)
