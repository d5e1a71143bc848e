"""What can be measured of a spike train while it goes by, without keeping it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from neurosim.graph import history
from neurosim.graph.groups import Group

if TYPE_CHECKING:
    from neurosim.graph.population import Population

Times = npt.NDArray[np.float64]
Ids = npt.NDArray[np.uint32]

BIN = 5.0  # ms, of the counts that `correlation` compares
SAMPLED = 200  # neurons among which `correlation` is averaged


class Lifetime:
    """How long the neurons of a population or group have lived together, from now on."""

    def __init__(self, neurons: Population | Group, now: float) -> None:
        population = neurons.population if isinstance(neurons, Group) else neurons
        self.members = neurons.members if isinstance(neurons, Group) else None
        self.owner, self.begin, self.size = population.index, now, neurons.size
        self.changes: dict[float, int] = {}  # time -> births less deaths

    def observe(self, time: float, kind: int, owner: int, ids: npt.NDArray[Any]) -> None:
        """Take births or deaths, as the network's history tells its observers."""
        if owner != self.owner or time <= self.begin:
            return
        n = ids.size if self.members is None else int(np.isin(ids, self.members).sum())
        self.changes[time] = self.changes.get(time, 0) + (n if kind == history.NEURON_BIRTH else -n)

    def until(self, end: float) -> float:
        """Return the neurons' time together up to ``end``, in ms."""
        more = sum(change * (end - time) for time, change in self.changes.items() if time < end)
        return self.size * (end - self.begin) + more


class Measure(Protocol):
    """Something measured over a window from the spikes of some neurons."""

    def observe(self, times: Times, ids: Ids) -> None:
        """Take spikes of the window, in the order of time."""

    def value(self, neurons: float, window: float) -> float:
        """Return the measured value; ``neurons`` is their mean number, ``window`` its length in ms."""


class Spikes:
    """The number of spikes."""

    def __init__(self) -> None:
        self.count = 0

    def observe(self, times: Times, ids: Ids) -> None:
        """Count the spikes."""
        self.count += times.size

    def value(self, neurons: float, window: float) -> float:
        """Return the count."""
        return float(self.count)


class Rate(Spikes):
    """Spikes per neuron and second."""

    def value(self, neurons: float, window: float) -> float:
        """Return the rate in Hz."""
        return self.count / (neurons * window * 1e-3) if neurons else 0.0


class Cv:
    """The mean coefficient of variation of the interspike intervals, over neurons with at least three intervals."""

    def __init__(self) -> None:
        self.last = np.zeros(0)
        self.sums = np.zeros((3, 0))  # number of intervals, their sum, their sum of squares

    def observe(self, times: Times, ids: Ids) -> None:
        """Add the intervals that these spikes end."""
        if ids.size == 0:
            return
        self._reach(int(ids.max()) + 1)
        order = np.argsort(ids, kind="stable")
        ids, times = ids[order], times[order]
        first = np.r_[True, ids[1:] != ids[:-1]]
        previous = np.where(first, self.last[ids], np.r_[0.0, times[:-1]])
        interval = times - previous
        known = ~np.isnan(previous)
        for power in range(3):
            self.sums[power] += np.bincount(ids[known], interval[known] ** power, minlength=self.last.size)
        self.last[ids] = times  # numpy keeps the last of several assignments, which is the latest spike

    def value(self, neurons: float, window: float) -> float:
        """Return the mean CV; nan if no neuron fired often enough."""
        number, total, squares = self.sums[:, self.sums[0] >= 3]
        if number.size == 0:
            return float("nan")
        mean = total / number
        variance = np.maximum(squares / number - mean**2, 0.0)
        return float(np.mean(np.sqrt(variance) / mean))

    def _reach(self, size: int) -> None:
        grown = size - self.last.size
        if grown > 0:
            self.last = np.r_[self.last, np.full(grown, np.nan)]
            self.sums = np.c_[self.sums, np.zeros((3, grown))]


class Correlation:
    """The mean pairwise correlation of spike counts in bins of 5 ms, among the first 200 neurons that fire."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self.cells: list[npt.NDArray[np.int64]] = []

    def observe(self, times: Times, ids: Ids) -> None:
        """Count the spikes of the neurons that are followed."""
        if len(self.rows) < SAMPLED:
            first = np.sort(np.unique(ids, return_index=True)[1])
            for neuron in ids[first].tolist():
                if len(self.rows) < SAMPLED:
                    self.rows.setdefault(neuron, len(self.rows))
        followed = np.isin(ids, list(self.rows))
        row = [self.rows[neuron] for neuron in ids[followed].tolist()]
        bins = np.ceil(times[followed] / BIN - 1e-9).astype(np.int64)
        self.cells.append(np.stack([np.array(row, np.int64), bins]))

    def value(self, neurons: float, window: float) -> float:
        """Return the mean correlation coefficient; nan for fewer than two neurons that fire."""
        if len(self.rows) < 2:
            return float("nan")
        row, bins = np.concatenate(self.cells, axis=1)
        bins -= bins.min()
        counts = np.zeros((len(self.rows), max(round(window / BIN), int(bins.max()) + 1)))
        np.add.at(counts, (row, bins), 1)
        counts = counts[counts.std(axis=1) > 0]
        if counts.shape[0] < 2:
            return float("nan")
        matrix = np.corrcoef(counts)
        return float(matrix[np.triu_indices_from(matrix, 1)].mean())


MEASURES: dict[str, Callable[[], Measure]] = {
    "rate": Rate,
    "cv": Cv,
    "correlation": Correlation,
    "spikes": Spikes,
}
