"""The pictures show what the result holds: every spike once, rates that add up, and what is left out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from neurosim.errors import NeurosimError
from neurosim.record import Result, ResultFile
from neurosim.viz import activity, marks, raster, rates, structure, style, summary

SCENARIO = """
name: bench of spikes
about: Two populations, struck twice.
duration: 1 s
protocol:
  - {at: 200 ms, stimulate: {group: cue, current: 300 pA, for: 50 ms}}
  - {at: 600 ms, lesion: {population: exc}}
  - {every: 100 ms, from: 700 ms, until: 900 ms, do: [{set: {inputs.drive.rate: 10 Hz}}]}
"""
PAIR = {"exc": (80, 20.0), "inh": (20, 40.0)}


def make_result(
    folder: Path,
    populations: Mapping[str, tuple[int, float]] = PAIR,
    *,
    reached: float = 1000.0,
    recorded: list[str] | None = None,
    history: list[tuple[Any, ...]] = (),  # type: ignore[assignment]
    summary: Mapping[str, Any] | None = None,
    status: str = "finished",
) -> Result:
    """Write a result of populations ``name -> (neurons, Hz)`` that fire at random, and open it."""
    random = np.random.default_rng(1)
    path = folder / "made.nsim"
    provenance = {"dt": 0.1, "seed": 1, "duration": 1000.0, "scenario": {"file": "a.yaml", "text": SCENARIO}}
    about, spikes, first = {}, {}, 0
    for name, (size, hertz) in populations.items():
        ids = np.arange(first, first + size)
        first += size
        about[name] = {"model": "poisson" if name == "source" else "lif_delta", "ids": ids}
        number = random.poisson(size * hertz * reached * 1e-3)
        steps = np.sort(random.integers(1, round(reached * 10) + 1, number))
        if recorded is None or name in recorded:
            spikes[name] = (steps, random.choice(ids, number) if size else np.empty(0, int))
    ends = [name for name in populations if name.startswith("inh")]
    target = next(iter(populations), "")
    links = {f"{name}_x": {"source": name, "target": target, "receptor": "inh"} for name in ends}
    with ResultFile.create(path, provenance) as file:
        file.describe(about, links, {"spikes": list(populations) if recorded is None else recorded})
        file.append(reached, 0.5, spikes=spikes, history=_events(history))
        file.close(summary or {}, status)
    return Result(path)


def _events(rows: list[tuple[Any, ...]]) -> np.ndarray[Any, Any] | None:
    from neurosim.record.topology import HISTORY

    if not rows:
        return None
    events = np.zeros(len(rows), HISTORY)
    for event, (time, kind, owner, number) in zip(events, rows, strict=True):
        event["time"], event["kind"], event["owner"], event["id"] = time, kind, owner, number
    return events


def drawn(figure: Figure, gid: str) -> Any:
    """Return the one artist of a figure that bears ``gid``."""
    (artist,) = figure.findobj(lambda a: a.get_gid() == gid)
    return artist


def words(figure: Figure) -> list[Text]:
    """Return every text of a figure that is not empty."""
    found = figure.findobj(Text)
    return [text for text in found if text.get_text() and text.get_visible()]


def texts(figure: Figure) -> str:
    """Return everything a figure says."""
    said = "\n".join(text.get_text() for text in words(figure))
    return said.replace("\u202f", " ").replace("\xa0", " ")  # spaces that do not break


def pixels(figure: Figure) -> np.ndarray[Any, Any]:
    """Return a figure as it comes out, (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3]


def test_raster_marks_every_spike_of_a_small_network(tmp_path: Path) -> None:
    result = make_result(tmp_path)
    figure = raster.draw(result)
    for name in PAIR:
        times, ids = result.spikes(name)
        line = drawn(figure, f"spikes {name}")
        assert np.array_equal(line.get_xdata(), times)
        low = ids.min()
        rows = line.get_ydata()
        assert rows[ids == low].max() > rows[ids != low].max()  # low ids stand high
        assert len(np.unique(rows)) == len(np.unique(ids))
    assert "every spike of 100 neurons" in texts(figure)
    assert "time (ms)" in texts(figure)


def test_raster_of_many_neurons_says_how_many_it_shows(tmp_path: Path) -> None:
    result = make_result(tmp_path, {"exc": (9000, 3.0), "inh": (1000, 3.0)})
    figure = raster.draw(result)
    shown = sum(len(np.unique(drawn(figure, f"spikes {n}").get_ydata())) for n in ("exc", "inh"))
    assert shown <= 2 * raster.ROWS
    times, _ = result.spikes("exc")
    drawn_spikes = len(drawn(figure, "spikes exc").get_xdata())
    assert drawn_spikes / len(times) == pytest.approx(raster.ROWS * 2 / 10000, rel=0.2)
    assert "evenly chosen neurons out of 10 000" in texts(figure)


def test_a_small_population_beside_a_large_one_is_still_seen(tmp_path: Path) -> None:
    run = activity.read(make_result(tmp_path, {"exc": (9990, 1.0), "inh": (10, 10.0)}))
    bands = raster.choose(run.activities)
    assert bands[1].shown.size == 10
    assert bands[0].bottom > bands[1].bottom + 10  # the first population stands on top


def test_a_million_spikes_are_thinned(tmp_path: Path) -> None:
    result = make_result(tmp_path, {"exc": (1000, 1000.0)})
    bands = raster.choose(activity.read(result).activities)
    assert sum(len(band.points()[0]) for band in bands) <= 1.1 * raster.SPIKES
    assert pixels(summary.draw(result)).shape[2] == 3


def test_rates_add_up_to_the_spikes(tmp_path: Path) -> None:
    result = make_result(tmp_path)
    run = activity.read(result)
    for one in run.activities:
        edges, rate = activity.population_rate(one, run.duration, 7.0)
        assert (rate * np.diff(edges)).sum() * one.size * 1e-3 == pytest.approx(one.times.size)
        assert activity.neuron_rates(one).mean() == pytest.approx(one.rate)
        assert one.rate == pytest.approx(result.rate(one.name))


def test_rates_count_only_neurons_that_live(tmp_path: Path) -> None:
    # Neuron 0 dies at 500 ms; neuron 100 is born then: (time, kind, owner, id).
    result = make_result(tmp_path, history=[(500.0, 1, 0, 0), (500.0, 0, 0, 100)])
    one = activity.read(result).activities[0]
    assert one.size == 81
    assert one.died[0] == 500.0
    assert one.born[-1] == 500.0
    assert one.rate == pytest.approx(result.rate("exc"))
    edges, rate = activity.population_rate(one, 1000.0, 100.0)
    assert (rate * 80 * np.diff(edges) * 1e-3).sum() == pytest.approx(one.times.size)


def test_a_spike_at_the_end_of_a_bin_belongs_to_it() -> None:
    one = _train([10.0, 20.0])
    edges, rate = activity.population_rate(one, 30.0, 10.0)
    assert edges.tolist() == [0.0, 10.0, 20.0, 30.0]
    assert rate.tolist() == [100.0, 100.0, 0.0]


def test_irregularity_of_a_clock_and_of_a_poisson_train() -> None:
    assert activity.interval_cv(_train(np.arange(1.0, 50.0))) == pytest.approx([0.0], abs=1e-6)
    intervals = np.random.default_rng(2).exponential(10.0, 20_000)
    assert activity.interval_cv(_train(intervals.cumsum())) == pytest.approx([1.0], abs=0.03)
    assert activity.interval_cv(_train([1.0, 2.0])).size == 0


def _train(times: Any) -> activity.Activity:
    times = np.asarray(times, np.float64)
    one = np.zeros(1, np.uint32)
    life = np.array([times.max()])
    return activity.Activity(
        "a", "excitatory", "#000000", one, np.zeros(1), life, times, np.zeros(times.size, np.uint32)
    )


def test_protocol_becomes_marks() -> None:
    found = marks.marks_from_scenario(SCENARIO, 1000.0)
    assert [(m.start, m.stop) for m in found] == [(200, 250), (600, 600), (700, 700), (800, 800)]
    assert [m.label for m in found] == ["stimulate cue", "lesion exc", "drive.rate → 10 Hz", ""]
    assert marks.marks_from_scenario(SCENARIO, 220.0)[0].stop == 220.0  # interrupted meanwhile
    assert marks.marks_from_scenario("not: [a scenario", 1000.0) == []
    assert marks.marks_from_scenario("", 1000.0) == []


@pytest.mark.parametrize("kind", [summary, raster, rates, structure])
@pytest.mark.parametrize(
    "populations",
    [{}, {"exc": (5, 0.0)}, {"one": (1, 50.0)}, PAIR, {"empty": (0, 0.0), "source": (10, 5.0)},
     {f"{'ei'[k % 2]}{k}": (10 + k, 5.0) for k in range(20)}],
    ids=["nothing", "silent", "one", "two", "empty", "twenty"],
)  # fmt: skip
def test_every_picture_of_every_network(tmp_path: Path, kind: Any, populations: dict[str, Any]) -> None:
    figure = kind.draw(make_result(tmp_path, populations))
    image = pixels(figure)
    assert image.shape[0] > 300
    assert (image != 255).any(axis=2).mean() > 0.005
    for name in list(populations)[:6] if kind is not structure else []:
        assert name in texts(figure)


def test_nothing_leaves_the_page(tmp_path: Path) -> None:
    outcome = {"text": "rate of exc over 0 ms to 1 s", "status": "held", "value": 1e7, "between": [9e6, 2e7]}
    facts = {"neurons": 100, "expect": [outcome] * 12, "sim_s": 1.0}
    figure = summary.draw(make_result(tmp_path, summary=facts))
    figure.draw_without_rendering()
    page = figure.bbox
    for word in words(figure):
        box = word.get_window_extent()
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, word.get_text()
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, word.get_text()


def test_summary_says_what_held_and_what_did_not(tmp_path: Path) -> None:
    outcomes = [
        {"text": "rate of exc", "status": "held", "value": 5.25, "between": [1.0, 9.0], "unit": "Hz"},
        {"text": "rate of inh", "status": "failed", "value": 50.0, "unit": "Hz"},
        {"text": "late rate", "status": "not evaluated", "value": None, "unit": "Hz"},
    ]
    said = texts(summary.draw(make_result(tmp_path, summary={"expect": outcomes})))
    for line in ("✓ rate of exc", "5.25 Hz, expected 1 to 9 Hz", "✗ rate of inh", "– late rate"):
        assert line in said


def test_an_interrupted_run_is_drawn_as_far_as_it_came(tmp_path: Path) -> None:
    figure = summary.draw(make_result(tmp_path, reached=300.0, status="interrupted"))
    assert "interrupted at 300 ms of 1 s" in texts(figure)
    assert figure.axes[0].get_xlim() == (0, 300)


def test_what_was_not_recorded_is_said(tmp_path: Path) -> None:
    said = texts(summary.draw(make_result(tmp_path, recorded=["exc"])))
    assert "not recorded" in said


def test_roles_have_colours_of_their_own() -> None:
    given = style.colours({"exc": "excitatory", "inh": "inhibitory", "e2": "excitatory"})
    assert len(set(given.values())) == 3
    warm, cool = to_rgb(given["exc"]), to_rgb(given["inh"])
    assert warm[0] > warm[2]
    assert cool[2] > cool[0]
    many = style.colours({str(k): "excitatory" for k in range(12)})
    assert len(set(many.values())) == 12


def test_inhibition_is_known_by_its_synapses(tmp_path: Path) -> None:
    run = activity.read(make_result(tmp_path, {"a": (5, 1.0), "inhibit": (5, 1.0), "source": (5, 1.0)}))
    assert [one.role for one in run.activities] == ["excitatory", "inhibitory", "source"]


def test_drawing_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    summary.draw(make_result(tmp_path))
    assert dict(mpl.rcParams) == before
    code = "import sys, neurosim.viz.summary; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_picture_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    figure = style.new_figure(1, 1)
    with pytest.raises(NeurosimError, match="Format 'xyz' is not supported"):
        style.save(figure, tmp_path / "a.xyz")
    with pytest.raises(NeurosimError, match="cannot write"):
        style.save(figure, tmp_path / "none" / "a.png")
