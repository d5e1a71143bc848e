"""What a scenario expects is measured right, wherever its spikes come from, and however often they are looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_scenario import SMALL

from neurosim.errors import ScenarioError
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


GROWING = """structure:
  - turnover: {projection: e, every: 10 ms, lifetime: 1 s}
  - {population: inh, every: 20 ms, births: "1", wire: {e_inh: {incoming: 4}}}
  - {population: inh, every: 100 ms, die: age > 150 ms}
"""


def test_expectations_about_structure(tmp_path: Path) -> None:
    wide = "between: [-1e9, 1e9]"
    found = outcomes(
        tmp_path,
        f"births: e, {wide}",
        f"deaths: e_exc, over: [50 ms, 150 ms], {wide}",
        f"births: inh, over: [40 ms, 100 ms], {wide}",
        f"deaths: inh, {wide}",
        f"degree: {{of: cue}}, {wide}",
        f"degree: {{of: inh, projection: e_inh, statistic: max}}, at: 100 ms, {wide}",
        f"degree: {{of: exc, side: out, projection: e, statistic: min}}, {wide}",
        f"connectivity: {{from: exc, to: inh}}, relative_to: {{from: exc, to: exc}}, {wide}",
        f"rate: exc, relative_to: cue, over: [50 ms, 150 ms], {wide}",
        f"neurons: exc, relative_to: cue, {wide}",
        f"deaths: exc, relative_to: exc, {wide}",
        more=GROWING,
    )
    values = [one["value"] for one in found]
    result = Result(tmp_path / "small.nsim")
    graph = result.graph()
    events = result.history()
    times, kinds, owners = (events[name] for name in ("time", "kind", "owner"))
    made = {name: index for index, name in enumerate(result.projections)}
    among = np.isin(owners, [made["e_exc"], made["e_inh"]])
    assert values[0] == np.sum((kinds == 2) & among)
    assert values[1] == np.sum((kinds == 3) & (owners == made["e_exc"]) & (times > 50) & (times <= 150))
    assert values[2:4] == [3, 22], "those born at 20 and 40 ms are old enough at 200 ms, too"
    exc = [n for n, about in graph.nodes(data=True) if about["population"] == "exc"]
    inh = [n for n, about in graph.nodes(data=True) if about["population"] == "inh"]
    assert values[4] == pytest.approx(np.mean([graph.in_degree(n) for n in exc[:8]]))
    then = result.graph(at=100.0)
    edges = [(a, b) for a, b, about in then.edges(data=True) if about["projection"] == "e_inh"]
    assert values[5] == max(np.bincount([b for _, b in edges]))
    assert values[6] == min(graph.out_degree(n) for n in exc)
    pairs = {(a, b) for a, b in graph.edges() if a != b}
    share = [
        sum((a, b) in pairs for a in exc for b in targets if a != b) / (80 * (len(targets) - (targets is exc)))
        for targets in (inh, exc)
    ]
    assert values[7] == pytest.approx(share[0] / share[1])
    spikes, ids = result.spikes("exc")
    window = (spikes > 50.05) & (spikes < 150.05)
    assert values[8] == pytest.approx((window.sum() / 80) / ((window & (ids < 8)).sum() / 8))
    assert values[9] == 10
    assert (found[10]["status"], found[10]["value"]) == ("failed", None)
    assert found[7]["text"] == "connectivity from exc to inh relative to that from exc to exc"
    assert found[8]["text"] == "rate of exc relative to that of cue over 50 ms to 150 ms"
    assert found[5]["text"] == "max in-degree of inh in e_inh at 100 ms"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("births: ecx, between: [0, 1]", "Did you mean 'exc'?"),
        ("births: e, at: 100 ms, between: [0, 1]", "measured over a time"),
        ("degree: {of: exc, side: up}, between: [0, 1]", "must be 'in' or 'out'"),
        ("degree: {of: exc, projection: ee}, between: [0, 1]", "no projection 'ee'"),
        ("rate: exc, relative_to: ihn, between: [0, 1]", "Did you mean 'inh'?"),
        ("rate: exc, relative_to: {from: exc}, between: [0, 1]", "written as what stands after `rate`"),
        ("connectivity: {from: exc, to: exc}, relative_to: {from: exc}, between: [0, 1]", "to: Field required"),
        ("rate: exc, relative_to: inh, between: [0 Hz, 1 Hz]", "Hz"),
    ],
)
def test_expectations_that_cannot_be(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(f"{SMALL}expect:\n  - {{{line}}}\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert said in str(caught.value)


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
