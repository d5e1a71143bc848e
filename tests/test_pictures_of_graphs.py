"""Weights, delays, degrees and connectivity are drawn as they were: every synapse counted once, at every moment."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import neurosim as ns
from neurosim.record import Result
from neurosim.record.archive import NotRecorded
from neurosim.viz import connectivity, degrees, delays, notebook, structure, values, weights
from neurosim.viz.activity import read
from neurosim.viz.evolution import Evolution, bin_edges, shares
from neurosim.viz.lives import lives

ALIVE = """
name: alive
duration: 400 ms
populations:
  exc: {size: 60, model: lif_delta, initial: {v: "uniform(0 mV, 20 mV)"}}
  inh: {size: 15, model: lif_delta}
groups:
  few: {population: exc, slice: [10, 20]}
  other: {population: exc, random: 7}
inputs:
  drive: {poisson: {rate: 12 kHz}, to: [exc, inh], weight: 0.1 mV}
projections:
  ee:
    from: exc
    to: exc
    connect: {fixed_indegree: 12}
    weight: "uniform(0.05 mV, 0.2 mV)"
    delay: "uniform(1 ms, 5 ms)"
    bounds: {weight: [0 mV, 0.3 mV]}
    learning: [stdp]
  ei: {from: exc, to: inh, connect: {fixed_indegree: 10}, weight: 0.1 mV, delay: 1 ms}
  i: {from: inh, to: [exc, inh], connect: {fixed_probability: 0.3}, weight: -0.5 mV, delay: 1 ms}
structure:
  - turnover: {projection: ei, every: 20 ms, lifetime: 200 ms}
protocol:
  - {at: 200 ms, lesion: {population: exc, where: "id < 5"}}
record:
  synapses: {ee: {variables: [weight], every: 50 ms}}
"""


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A network that learns, turns over its synapses and loses neurons; its weights are sampled."""
    return run(tmp_path_factory.mktemp("alive"), ALIVE)


def run(folder: Path, text: str) -> Result:
    """Run the text of a scenario."""
    (folder / "a.yaml").write_text(text, encoding="utf-8")
    return ns.run(folder / "a.yaml", output=folder / "a.nsim", threads=1, overwrite=True)


def said(figure: Figure) -> str:
    """Return everything a figure says."""
    words = [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
    return "\n".join(words).replace("\u202f", " ")


def panel(figure: Figure, title: str) -> Any:
    """Return the axes of that title, and the one beside it."""
    (k,) = [k for k, axes in enumerate(figure.axes) if axes.get_title(loc="left") == title]
    return figure.axes[k], figure.axes[k + 1] if k + 1 < len(figure.axes) else None


def artist(axes: Any, gid: str) -> Any:
    """Return the one thing of that name."""
    (found,) = axes.findobj(lambda one: one.get_gid() == gid)
    return found


def test_weights_are_those_that_were_sampled(alive: Result) -> None:
    figure = weights.draw(alive)
    over_time, ends = panel(figure, "ee")
    sampled = alive.synapses("ee")
    moments = np.unique(sampled["time"])
    seen = values.look(alive, "ee", "weight")
    assert seen is not None
    edges = bin_edges(seen.evolution)
    drawn = artist(over_time, "shares").get_array()
    assert drawn.shape == (edges.size - 1, moments.size)
    for k, moment in enumerate(moments):
        mine = sampled["weight"][sampled["time"] == moment]
        counted = np.histogram(np.clip(mine, edges[0], edges[-1]), edges)[0]
        assert drawn[:, k].filled(0) == pytest.approx(100 * counted / mine.size)
        assert drawn[:, k].sum() == pytest.approx(100)
    medians = artist(over_time, "median").get_ydata()
    assert medians[-1] == pytest.approx(np.median(sampled["weight"][sampled["time"] == moments[-1]]))
    first = alive.edges("ee", 0.0).weight
    assert artist(ends, "moment 0").get_data().values == pytest.approx(shares(first.astype(float), edges))
    assert artist(ends, "moment 1").get_data().values == pytest.approx(drawn[:, -1].filled(0))
    assert over_time.get_ylabel() == "weight (mV)"
    text = said(figure)
    for line in ("constant: ei 0.1 mV, i_exc -0.5 mV, i_inh -0.5 mV", "time (ms)", "% of synapses", "at 400 ms"):
        assert line in text


def test_delays_that_were_drawn_and_those_that_are_constant(alive: Result) -> None:
    figure = delays.draw(alive)
    over_time, _ = panel(figure, "ee")  # neurons die, and some delays with them
    assert over_time.get_ylabel() == "delay (ms)"
    assert over_time.get_ylim()[0] == pytest.approx(alive.edges("ee", 0.0).delay.min(), abs=0.1)
    assert "constant: ei 1 ms" in said(figure)


def test_lives_agree_with_the_graph_at_any_time(alive: Result) -> None:
    for name in alive.projections:
        every = lives(alive, name)
        for at in (0.0, 20.0, 130.0, 200.0, 317.0, 400.0):
            table = alive.edges(name, at)
            mine = every.at(at)
            ends = sorted(zip(every.pre[mine].tolist(), every.post[mine].tolist()))
            assert ends == sorted(zip(table.pre.tolist(), table.post.tolist()))


def test_degrees_are_those_of_the_graph(alive: Result) -> None:
    found = degrees.degrees(alive, read(alive), "ei")
    times = found.evolutions["in"].times
    for k in (0, times.size // 3, times.size - 1):
        graph = alive.graph(float(times[k]))
        edges = [(u, v) for u, v, data in graph.edges(data=True) if data["projection"] == "ei"]
        for side, place, population in (("out", 0, "exc"), ("in", 1, "inh")):
            number = dict.fromkeys(alive.neurons(population, float(times[k])).tolist(), 0)
            for edge in edges:
                number[edge[place]] += 1
            assert found.evolutions[side].values[k].tolist() == list(number.values())  # type: ignore[index]
    figure = degrees.draw(alive)
    over_time, ends = panel(figure, "ei, in")
    assert artist(over_time, "shares").get_array().shape[1] == times.size
    last = artist(ends, "moment 1").get_data()
    assert last.values.sum() == pytest.approx(100)
    assert "in-degree of i_inh" not in said(figure)  # drawn by chance, so it differs
    assert panel(figure, "ee, out")


def test_connectivity_counts_pairs(alive: Result) -> None:
    matrix = connectivity.measure(alive, read(alive), 400.0)
    assert [one.name for one in matrix.rows] == ["exc", "few", "other", "inh"]
    assert [one.name for one in matrix.columns] == ["exc", "few", "other", "inh"]
    graph = alive.graph(400.0)
    for i, row in enumerate(matrix.rows):
        for k, column in enumerate(matrix.columns):
            send, take = set(row.ids.tolist()), set(column.ids.tolist())
            links = [d for u, v, d in graph.edges(data=True) if u in send and v in take and u != v]
            pairs = sum(u != v for u in send for v in take)
            assert matrix.number[i, k] == pytest.approx(len(links) / pairs)
            mean = np.mean([d["weight"] for d in links]) if links else np.nan
            assert matrix.weight[i, k] == pytest.approx(mean, nan_ok=True)
    assert matrix.rows[1].ids.tolist() == list(range(10, 20))
    assert matrix.rows[0].ids.min() == 5  # the others died
    text = said(connectivity.draw(alive))
    for line in ("Synapses per pair, at 0 ms", "Mean weight, at 400 ms", "weight (mV)", "−0.5", "from", "to", "few"):
        assert line in text
    assert "at 200 ms" in said(connectivity.draw(alive, 200.0))


def test_the_groups_of_a_run_are_in_its_result(alive: Result) -> None:
    groups = alive.groups
    assert list(groups) == ["few", "other"]
    assert groups["few"][0] == "exc"
    assert groups["few"][1].tolist() == list(range(10, 20))
    assert groups["other"][1].size == 7
    assert (np.diff(groups["other"][1].astype(int)) > 0).all()


@pytest.mark.parametrize("draw", [weights.draw, delays.draw, degrees.draw, connectivity.draw])
def test_nothing_leaves_the_page(alive: Result, draw: Any) -> None:
    figure = draw(alive)
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert 0 <= box.x0 < box.x1 <= width
    assert 0 <= box.y0 < box.y1 <= height


def test_what_learned_unseen_is_said(tmp_path: Path) -> None:
    text = ALIVE.replace("  synapses: {ee: {variables: [weight], every: 50 ms}}", "  graph: true")
    words = " ".join(said(weights.draw(run(tmp_path, text))).split())
    assert "ee learns and was not sampled" in words
    assert "`record: {synapses: {ee: {variables: [weight], every: 1 s}}}`" in words


def test_what_was_not_recorded_is_an_error_that_says_what_to_write(tmp_path: Path) -> None:
    text = ALIVE.replace("  synapses: {ee: {variables: [weight], every: 50 ms}}", "  graph: false")
    result = run(tmp_path, text)
    with pytest.raises(NotRecorded, match=r"no weights.*`record: \{synapses: \{ee: .*graph: true"):
        weights.draw(result)
    for draw in (degrees.draw, connectivity.draw):
        with pytest.raises(NotRecorded, match=r"record: \{graph: true\}"):
            draw(result)


@pytest.mark.parametrize("mode", ["counts", "off"])
def test_without_history_the_ends_are_drawn(tmp_path: Path, mode: str) -> None:
    result = run(tmp_path, ALIVE.replace("record:", f"record:\n  history: {mode}"))
    found = degrees.degrees(result, read(result), "ei")
    assert found.evolutions["in"].times.tolist() == [0.0, 400.0]
    table = result.edges("ei")
    assert found.evolutions["in"].values[-1].sum() == table.id.size
    for draw in (weights.draw, delays.draw, degrees.draw, connectivity.draw):
        draw(result).draw_without_rendering()


def test_pictures_of_networks_without_synapses(tmp_path: Path) -> None:
    result = run(tmp_path, "duration: 20 ms\npopulations: {exc: {size: 3, model: lif_delta}}\n")
    for draw, what in ((weights.draw, "weights"), (delays.draw, "delays"), (degrees.draw, "degrees")):
        with pytest.raises(NotRecorded, match=f"no projections, so there are no {what} to draw"):
            draw(result)
    with pytest.raises(NotRecorded, match="nobody is connected"):
        connectivity.draw(result)
    empty = "projections: {ee: {from: exc, to: exc, connect: none, weight: 1 mV, delay: 1 ms}}\n"
    result = run(tmp_path, f"duration: 20 ms\npopulations: {{exc: {{size: 3, model: lif_delta}}}}\n{empty}")
    assert "no synapses" in said(weights.draw(result))
    assert "out-degree of ee 0" in said(degrees.draw(result))
    connectivity.draw(result).draw_without_rendering()


def test_many_births_at_once_are_told_once(tmp_path: Path) -> None:
    text = """
duration: 100 s
populations: {exc: {size: 50, model: lif_delta}}
projections: {ee: {from: exc, to: exc, connect: none, weight: 0.1 mV, delay: 1 ms}}
structure:
  - {projection: ee, every: 100 ms, name: rush, until: 5 s, births: 400}
  - {projection: ee, every: 5 s, name: trickle, births: 5}
"""
    result = run(tmp_path, text)
    figure = structure.draw(result)
    axes = next(axes for axes in figure.axes if axes.get_title(loc="left") == "Synapses born and lost")
    labels = axes.findobj(lambda one: one.get_gid() == "beyond")
    assert [label.get_text().replace("\u202f", " ") for label in labels] == ["4 000/s"]


def test_a_result_in_a_notebook(alive: Result) -> None:
    shown = alive._repr_html_()
    assert shown is not None
    (picture,) = re.findall(r"data:image/png;base64,([^\"]+)", shown)
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    for label, value in (("status", "finished"), ("neurons", "70"), ("file", alive.path.name)):
        assert re.search(rf"{label}</th><td[^>]*>[^<]*{value}", shown)
    assert [label for label, *_ in notebook.facts(alive)][:3] == ["file", "status", "simulated"]
    code = f"import sys, neurosim as ns; r = ns.Result({str(alive.path)!r}); assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_values_on_a_lattice_get_a_bin_each() -> None:
    drawn = np.random.default_rng(3).integers(-10, 11, 5000) * 0.25
    seen = Evolution(np.array([0.0]), [drawn])
    edges = bin_edges(seen)
    assert edges.size == 22
    assert np.diff(edges) == pytest.approx(0.25)
    assert (shares(drawn, edges) > 2).all()  # no gaps
    spread = Evolution(np.array([0.0]), [np.random.default_rng(3).uniform(0, 1, 30)])
    assert np.ptp(np.diff(bin_edges(spread))) == pytest.approx(0.0, abs=1e-12)
    assert bin_edges(spread).size < 20
