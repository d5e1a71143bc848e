"""What a scenario expects is measured right, wherever its spikes come from, and however often they are looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_scenario import SMALL

from neurosim.record import Result
from neurosim.scenario import load, run
from neurosim.scenario.measures import Correlation, Cv, Rate


def outcomes(folder: Path, *expected: str, more: str = "", **options: object) -> list[dict[str, object]]:
    lines = "".join(f"  - {{{line}}}\n" for line in expected)
    path = folder / "small.yaml"
    path.write_text(f"{SMALL}{more}expect:\n{lines}", encoding="utf-8")
    result = run(path, folder / "small.nsim", overwrite=True, **options)  # type: ignore[arg-type]
    found = result.summary["expect"]
    assert isinstance(found, list)
    return found


def test_expectations_measure_what_was_recorded(tmp_path: Path) -> None:
    wide = "between: [-1e9, 1e9]"
    found = outcomes(
        tmp_path,
        f"rate: exc, over: [50 ms, 150 ms], {wide}",
        f"spikes: cue, over: [50 ms, 150 ms], {wide}",
        f"cv: exc, over: [50 ms, 200 ms], {wide}",
        f"correlation: exc, {wide}",
        f"neurons: any, {wide}",
        f"synapses: e, {wide}",
        f"synapses: e_inh, at: 10 ms, {wide}",
        f"connectivity: {{from: cue, to: exc}}, {wide}",
        "rate: exc, between: [null, 1 mHz]",
    )
    result = Result(tmp_path / "small.nsim")
    times, ids = result.spikes("exc")
    window = (times > 50.05) & (times < 150.05)
    assert found[0]["value"] == pytest.approx(window.sum() / 80 / 0.1)
    assert found[1]["value"] == (window & (ids < 8)).sum()
    inside = times > 50.05
    trains = [np.diff(times[inside & (ids == neuron)]) for neuron in range(80)]
    assert found[2]["value"] == pytest.approx(np.mean([t.std() / t.mean() for t in trains if t.size >= 3]))
    assert -1 <= float(str(found[3]["value"])) <= 1
    assert [one["value"] for one in found[4:7]] == [8, 1000, 200]
    pairs = {(a, b) for a, b in result.graph().edges() if a < 8 and b < 80 and a != b}
    assert found[7]["value"] == pytest.approx(len(pairs) / (8 * 80 - 8))
    assert [one["status"] for one in found] == ["held"] * 8 + ["failed"]
    assert found[0]["text"] == "rate of exc over 50 ms to 150 ms"


def test_expectations_beyond_a_shortened_run_are_not_evaluated(tmp_path: Path) -> None:
    expected = ("rate: exc, over: [50 ms, 150 ms], between: [0, 1]", "neurons: exc, at: 150 ms, between: [0, 1]",
                "rate: exc, over: [0 ms, 50 ms], between: [0, 500]")  # fmt: skip
    found = outcomes(tmp_path, *expected, duration="100 ms")
    assert [one["status"] for one in found] == ["not evaluated", "not evaluated", "held"]
    assert len(load(tmp_path / "small.yaml", duration="100 ms").notes) == 2


def test_measures_do_not_depend_on_how_spikes_arrive() -> None:
    rng = np.random.default_rng(1)
    times = np.sort(rng.uniform(0, 1000, 3000))
    ids = rng.integers(5, 25, 3000).astype(np.uint32)
    for make in (Cv, Rate, Correlation):
        whole, parts = make(), make()
        whole.observe(times, ids)
        for cut in np.split(np.arange(3000), [0, 1, 10, 700, 2999]):
            parts.observe(times[cut], ids[cut])
        assert parts.value(20, 1000) == pytest.approx(whole.value(20, 1000))
    assert whole.value(20, 1000) == pytest.approx(0, abs=0.02)  # independent trains


def test_which_neurons_are_followed_does_not_depend_on_how_spikes_arrive() -> None:
    rng = np.random.default_rng(1)
    times = np.sort(rng.uniform(0, 1000, 3000))
    ids = rng.permutation(1000).repeat(3)[rng.permutation(3000)].astype(np.uint32)
    whole, parts = Correlation(), Correlation()
    whole.observe(times, ids)
    for cut in np.split(np.arange(3000), [0, 7, 90, 150, 2999]):
        parts.observe(times[cut], ids[cut])
    assert list(whole.rows) == list(parts.rows) == list(dict.fromkeys(ids.tolist()))[:200]


def test_correlation_of_identical_trains_is_one() -> None:
    measure = Correlation()
    times = np.repeat(np.sort(np.random.default_rng(2).uniform(0, 1000, 60)), 4)
    measure.observe(times, np.tile(np.arange(4, dtype=np.uint32), 60))
    assert measure.value(4, 1000) == pytest.approx(1)


def test_rates_count_the_time_that_neurons_lived(tmp_path: Path) -> None:
    lesion = "protocol: [{at: 50 ms, lesion: {population: exc, where: 'id < 40'}}]\n"
    wide = "between: [0, 1e9]"
    found = outcomes(
        tmp_path,
        f"rate: exc, {wide}",
        f"rate: exc, over: [0 ms, 100 ms], {wide}",
        f"rate: cue, over: [20 ms, 120 ms], {wide}",
        f"rate: exc, over: [50 ms, 150 ms], {wide}",
        more=lesion,
    )
    result = Result(tmp_path / "small.nsim")
    times, ids = result.spikes("exc")
    lived = [(80 * 50 + 40 * 150) / 1e3, (80 * 50 + 40 * 50) / 1e3, 8 * 30 / 1e3, 40 * 100 / 1e3]
    windows = [(0.05, 200.05), (0.05, 100.05), (20.05, 120.05), (50.05, 150.05)]
    for k, (low, high) in enumerate(windows):
        inside = (times > low) & (times < high) & ((ids < 8) if k == 2 else True)
        assert found[k]["value"] == pytest.approx(inside.sum() / lived[k])
    assert result.summary["rate_hz"]["exc"] == pytest.approx(found[0]["value"])
