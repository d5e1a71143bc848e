"""The demo: captions are heard and kept, its story holds for several seeds, and it starts by itself."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

import neurosim as ns
from neurosim.viz.live.replay import Replay
from neurosim.viz.marks import marks_from_scenario
from tests.watched import Viewer

SPEAKING = """
duration: 100 ms
populations: {exc: {size: 5, model: lif_delta}}
protocol:
  - {at: 0 ms, caption: "First   words."}
  - {at: 40 ms, do: [{lesion: {population: exc, where: "id < 2"}}, {caption: "Two are gone."}]}
  - {at: 40 ms, lesion: {population: exc, where: "id < 3"}}
  - {when: "neurons(exc) < 3", caption: "Few are left."}
"""
SILENT = """
duration: 100 ms
populations: {exc: {size: 5, model: lif_delta}}
protocol:
  - {at: 40 ms, lesion: {population: exc, where: "id < 2"}}
"""


def test_captions_are_kept_and_shown(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SPEAKING, encoding="utf-8")
    result = ns.run(tmp_path / "a.yaml", output=tmp_path / "a.nsim", threads=1)
    assert result.captions == [(0.0, "First words."), (40.0, "Two are gone."), (40.0, "Few are left.")]
    replay = Replay(result)
    assert [replay.frame(time).caption for time in (20.0, 39.0, 40.0, 100.0)] == [
        "First words.", "First words.", "Few are left.", "Few are left.",
    ]  # fmt: skip
    labels = [(mark.start, mark.label) for mark in marks_from_scenario(SPEAKING, 100.0)]
    assert labels == [(0.0, "First words."), (40.0, "Two are gone.")]
    silent = SPEAKING.replace('{caption: "Two are gone."}', "{set: {populations.exc.v: 0 mV}}")
    (tmp_path / "b.yaml").write_text(silent, encoding="utf-8")
    assert ns.run(tmp_path / "b.yaml", output=tmp_path / "b.nsim").summary["hash"] == result.summary["hash"]


def test_captions_of_marks_that_the_scenario_does_not_time(tmp_path: Path) -> None:
    from neurosim.viz.activity import read

    (tmp_path / "a.yaml").write_text(SPEAKING, encoding="utf-8")
    result = ns.run(tmp_path / "a.yaml", output=tmp_path / "a.nsim")
    assert "Few are left." in [mark.label for mark in read(result).marks]


def test_a_caption_from_python() -> None:
    net = ns.Network(seed=1)
    net.add_population("exc", 3, "lif_delta")
    sim = ns.Simulation(net)
    sim.at("5 ms", lambda sim: sim.caption("Here."))
    sim.run(10.0)
    assert sim.captions == [(5.0, "Here.")]


def test_a_caption_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SPEAKING.replace('"First   words."', "3"), encoding="utf-8")
    with pytest.raises(ns.ScenarioError, match=r"a.yaml:5.*caption"):
        ns.run(tmp_path / "a.yaml", output=tmp_path / "a.nsim")


def test_the_demo_comes_by_itself(tmp_path: Path) -> None:
    """The command, as a user starts it: it says where, shows frames that move, and ends with Ctrl-C."""
    command = [sys.executable, "-m", "neurosim.cli", "demo", "--no-open", "--port", "0"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        viewer = asyncio.run(_watch(found[0]))
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert viewer.scenes[0]["modules"] == ["exc", "inh", "patch", "rest"]
    assert viewer.frames[-1]["time"] > 500.0
    assert sum(frame["spikes"] for frame in viewer.frames) > 100
    assert sum(frame["births"][1] for frame in viewer.frames) > 100  # synapses grow
    assert {frame.get("caption") for frame in viewer.frames} == {
        "A few neurons, and noise. More are born, and grow synapses to those nearby."
    }
    assert not list(tmp_path.iterdir())


async def _watch(url: str) -> Viewer:
    async with aiohttp.ClientSession() as session, session.ws_connect(url.replace("http", "ws") + "socket") as socket:
        viewer = Viewer(socket)
        await viewer.until(lambda said: bool(viewer.frames) and viewer.frames[-1]["time"] > 500.0, timeout=60.0)
        return viewer


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_story_of_the_demo_holds(tmp_path: Path, seed: int) -> None:
    result = ns.run("demo", output=tmp_path / "demo.nsim", seed=seed)
    assert {outcome["text"]: outcome["status"] for outcome in result.summary["expect"]} == dict.fromkeys(
        (outcome["text"] for outcome in result.summary["expect"]), "held"
    )


def test_who_plays_a_result_says_its_captions_or_else_what_was_done(tmp_path: Path) -> None:
    from neurosim.viz.live.show import ReplayShow

    told = []
    for name, text in (("a", SPEAKING), ("b", SILENT)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        result = ns.run(tmp_path / f"{name}.yaml", output=tmp_path / f"{name}.nsim")
        told.append(ReplayShow(result).replay.frame(42.0).caption)
    assert told == ["Few are left.", "lesion exc"]
