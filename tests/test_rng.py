"""Random numbers: Philox gives the published words, and thresholds the exact distribution."""

from __future__ import annotations

import numpy as np
import pytest

from neurosim import rng
from neurosim.compiled import kernel
from neurosim.engine.noise import words_of_block
from neurosim.errors import UsageError

ONES = 0xFFFFFFFF

# counter (4 words), key (2 words), result (4 words): the known answers that come with Random123 (Salmon et al. 2011)
KNOWN = [
    ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([ONES] * 4, [ONES] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@kernel
def _philox(counter, key, out):  # type: ignore[no-untyped-def]
    out[0], out[1], out[2], out[3] = rng.philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1])


@kernel
def _block(words, ids, block, purpose, seed):  # type: ignore[no-untyped-def]
    words_of_block(words, ids, block, purpose, seed)


@pytest.mark.lane
@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_known_answers(counter: list[int], key: list[int], expected: list[int]) -> None:
    out = np.zeros(4, np.uint32)
    _philox(np.array(counter, np.uint32), np.array(key, np.uint32), out)
    assert out.tolist() == expected


@pytest.mark.lane
@pytest.mark.parametrize(("counter", "key", "expected"), [KNOWN[0], KNOWN[2]])
def test_inputs_draw_by_seed_neuron_step_and_purpose(counter: list[int], key: list[int], expected: list[int]) -> None:
    seed, block = key[0] | key[1] << 32, counter[1] | counter[2] << 32
    words, ids = np.zeros((4, 3), np.uint32), np.array([1, counter[0], 2], np.uint32)
    _block(words, ids, block, counter[3], seed)
    assert words[:, 1].tolist() == expected


@pytest.mark.parametrize("mean", [1e-9, 1e-3, 0.1, 1.0, 1.5, 17.3, 200.0, 999.0, rng.MAX_POISSON_MEAN])
def test_thresholds_are_exact(mean: float) -> None:
    from scipy import stats

    thresholds = rng.poisson_thresholds(mean)
    exact = stats.poisson.cdf(np.arange(thresholds.size), mean) * 2.0**32
    np.testing.assert_allclose(thresholds.astype(np.float64), exact, rtol=0, atol=1.0)
    assert (np.diff(thresholds.astype(np.int64)) >= 0).all()
    assert stats.poisson.sf(thresholds.size, mean) * 2.0**32 <= 0.5 + 1e-3  # no larger count is ever drawn


def test_no_events_for_no_rate() -> None:
    assert rng.poisson_thresholds(0.0).size == 0


@pytest.mark.parametrize("mean", [-1e-9, 1000.1, float("inf"), float("nan")])
def test_means_out_of_range(mean: float) -> None:
    with pytest.raises(UsageError, match="per time step"):
        rng.poisson_thresholds(mean)


def test_purposes_are_stable_and_differ() -> None:
    assert rng.purpose("input", "drive") == 0x7C4EB6C7
    assert len({rng.purpose("a", "bc"), rng.purpose("ab", "c"), rng.purpose("abc"), rng.purpose("a", "b", "c")}) == 4


def test_generators_are_keyed_by_seed_purpose_and_event() -> None:
    draws = {key: rng.generator(*key).integers(2**60) for key in [(1, 2, 0), (1, 2, 1), (1, 3, 0), (2, 2, 0)]}
    assert len(set(draws.values())) == 4
    assert rng.generator(1, 2, 1).integers(2**60) == draws[1, 2, 1]
