"""What the scenarios of structure show beyond what they check themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import neurosim as ns
from neurosim import scenarios

Rates = NDArray[np.float64]  # Hz, (windows, neurons)

PROBES = ((20e3, 21e3), (21e3, 22e3), (22e3, 23e3))  # ms: two familiar patterns and the novel one, when cells are young
PROBES_LATER = ((90e3, 91e3), (91e3, 92e3), (92e3, 93e3))
JUDGED_BY = 0.4  # Hz, of the scenario's critical_period


def _rates(times: NDArray[np.float64], ids: NDArray[np.uint32], who: NDArray[np.uint32], windows: object) -> Rates:
    rows = []
    for begin, end in windows:  # type: ignore[attr-defined]
        mine = ids[(times > begin) & (times <= end)]
        rows.append([(mine == neuron).sum() * 1000.0 / (end - begin) for neuron in who])
    return np.array(rows)


def _selectivity(rates: Rates) -> float:
    """Mean over neurons that fire: best response against the mean of the others, 0 (alike) to 1 (one pattern only)."""
    fires = rates.max(axis=0) > 0.0
    best = rates.max(axis=0)[fires]
    others = (rates.sum(axis=0)[fires] - best) / (rates.shape[0] - 1)
    return float(((best - others) / (best + others)).mean())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_young_neurons_answer_what_is_novel_and_the_active_survive_and_become_selective(
    tmp_path: Path, seed: int
) -> None:
    result = ns.run(scenarios.path("neurogenesis"), seed=seed, output=tmp_path / "neurogenesis.nsim")
    times, ids = result.spikes("young")
    born, dead = np.asarray(result.births("young")["id"]), np.asarray(result.deaths("young")["id"])
    survivors = np.setdiff1d(born, dead)
    young = _rates(times, ids, born, PROBES)[2].mean()
    mature_times, _ = result.spikes("mature")
    begin, end = PROBES[2]
    mature = ((mature_times > begin) & (mature_times <= end)).sum() / 200 / (end - begin) * 1000.0
    assert young >= 2.0 * mature

    active = _rates(times, ids, born, [(23e3, 38e3)])[0] >= JUDGED_BY  # before and while they are judged
    died = np.isin(born, dead)
    assert (~active).sum() >= 5
    assert died[~active].mean() > 0.5
    assert died[active].mean() < 0.5

    before, after = (_selectivity(_rates(times, ids, survivors, windows)) for windows in (PROBES, PROBES_LATER))
    assert after > before + 0.1
