"""What the scenarios of learning must show beyond what they expect: over several seeds, and with controls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from neurosim.scenario import load

SEEDS = (1, 2, 3, 4, 5)


def run(name: str, tmp_path: Path, seed: int = 1, settings: tuple[str, ...] = ()) -> ns.Result:
    """Run an example, whatever it expects."""
    return ns.run(load(name, settings, seed), output=tmp_path / f"{name}{seed}.nsim")


def last(result: ns.Result, projection: str, variable: str) -> dict[int, float]:
    """The latest sample of a variable, by id of the synapse."""
    samples = result.synapses(projection)
    now = samples["time"] == samples["time"].max()
    return dict(zip(samples["id"][now].tolist(), samples[variable][now].tolist(), strict=True))


def arrivals(result: ns.Result, sources: str, offsets: str, learned: str) -> np.ndarray:
    """When a spike that is sent at 0 arrives by way of each of ``sources`` (ms)."""
    first, then, delays = result.edges(offsets), result.edges(learned), last(result, learned, "delay")
    sent = dict(zip(first.post.tolist(), first.delay.tolist(), strict=True))
    pairs = zip(then.id.tolist(), then.pre.tolist(), strict=True)
    return np.array([sent[pre] + delays[synapse] for synapse, pre in pairs])


@pytest.mark.slow
def test_delays_come_into_line(tmp_path: Path) -> None:
    for seed in SEEDS[:3]:
        result = run("delay_alignment", tmp_path, seed)
        before = np.std(result.edges("out").delay)
        after = np.std(arrivals(result, "relays", "out", "learned"))
        assert 4.5 < before < 7.0
        assert after < 1.0, (seed, before, after)


@pytest.mark.slow
def test_myelin_brings_together_what_belongs_together(tmp_path: Path) -> None:
    for seed in SEEDS[:3]:
        result = run("myelin", tmp_path, seed)
        offsets = arrivals(result, "together", "offsets", "myelinated")
        assert np.abs(offsets - offsets.mean()).max() < 2.0, seed
        apart = np.array([*last(result, "unmoved", "delay").values()])
        assert np.abs(apart - 20.0).mean() < 0.5, seed


def fired(result: ns.Result, population: str, steps: int) -> np.ndarray:
    """1 where a cell has fired in a step of 1 ms, else -1; shape (steps + 1, cells)."""
    times, ids = result.spikes(population)
    known = np.unique(ids)
    cells = -np.ones((steps + 1, known.size))
    cells[np.rint(times).astype(int), np.searchsorted(known, ids)] = 1.0
    return cells


def signal_to_noise(result: ns.Result, projection: str, ages: np.ndarray) -> np.ndarray:
    """What is left of the memories of these ages in the final weights, over what chance would do."""
    pre, post, edges = fired(result, "pre", 10_000), fired(result, "post", 10_000), result.edges(projection)
    weights = np.zeros((100, 100))
    final = last(result, projection, "weight")
    rows, columns = (np.unique(side, return_inverse=True)[1] for side in (edges.pre, edges.post))
    weights[rows, columns] = [final[synapse] for synapse in edges.id.tolist()]
    weights -= weights.mean()
    stored = 10_000 - ages  # a memory is what arrived, and who fired, at that time
    overlap = np.einsum("ki,ij,kj->k", pre[stored - 1], weights, post[stored])
    return np.asarray(overlap / (100.0 * weights.std()))


@pytest.mark.slow
def test_memories_fade_as_the_square_root_of_time(tmp_path: Path) -> None:
    ages = np.arange(10, 6554)  # to a tenth of 4^8
    curves = [signal_to_noise(run("memory_lifetime", tmp_path, seed), "cascade", ages) for seed in SEEDS[:3]]
    edges = np.logspace(1, np.log10(6553), 13)
    bins = np.digitize(ages, edges[1:-1])
    means = np.array([np.mean(curves, axis=0)[bins == k].mean() for k in range(12)])
    middle = np.array([np.log(ages[bins == k]).mean() for k in range(12)])
    assert (means > 0).all()
    assert np.polyfit(middle, np.log(means), 1)[0] == pytest.approx(-0.5, abs=0.1)


def latency(result: ns.Result, population: str) -> float:
    """Mean time (ms) from a volley to the answer, in the last 30 s."""
    volleys, answers = result.spikes("clock")[0], result.spikes(population)[0]
    volleys = volleys[(volleys > 70_000) & (volleys < 99_900)]
    after = answers[np.searchsorted(answers, volleys, side="right").clip(max=answers.size - 1)] - volleys
    return float(np.mean(after[(after > 0) & (after < 60)]))


@pytest.mark.slow
def test_delays_that_learn_make_answers_earlier(tmp_path: Path) -> None:
    results = [run("delay_stdp", tmp_path, seed) for seed in SEEDS]
    gains = [latency(result, "by_weight") - latency(result, "by_delay") for result in results]
    assert sum(gain > 0 for gain in gains) >= 4, gains
    assert np.mean(gains) > 1.0


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS[:3])
@pytest.mark.parametrize("name", ["inhibitory_balance", "homeostasis", "overseer"])
def test_rates_hold_with_other_seeds(name: str, seed: int, tmp_path: Path) -> None:
    summary = run(name, tmp_path, seed).summary
    assert [one for one in summary["expect"] if one["status"] != "held"] == []


@pytest.mark.slow
def test_the_reward_finds_its_synapse(tmp_path: Path) -> None:
    """With reward the tagged synapse learns and others do not; without, it is one of many."""
    learned, control = 0, 0
    for seed in SEEDS:
        result = run("distal_reward", tmp_path, seed)
        others = np.array([*last(result, "ee", "weight").values()])
        learned += next(iter(last(result, "tagged", "weight").values())) > 3.0 and others.mean() < 1.0
        without = run("distal_reward", tmp_path, seed + 100, ("protocol.0.modulate.dopamine=0",))
        others = np.array([*last(without, "ee", "weight").values()])
        control += next(iter(last(without, "tagged", "weight").values())) < np.percentile(others, 95)
    assert learned >= 4
    assert control >= 4
