"""The window of the desktop, drawn where nobody sees it; and what is said where it cannot be drawn at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import NeurosimError, UsageError
from neurosim.viz.desktop import opengl

SMALL = """
name: small
duration: 400 ms
populations:
  exc: {size: 80, model: lif_delta, initial: {v: "uniform(0 mV, 20 mV)"}, positions: {ball: {radius: 200 um}}}
inputs:
  drive: {poisson: {rate: 300 Hz}, to: exc, weight: 2.5 mV}
projections:
  e: {from: exc, to: exc, connect: {fixed_indegree: 6}, weight: 0.3 mV, delay: 5 ms}
structure:
  - neurogenesis: {population: exc, every: 20 ms, rate: 500 Hz}
  - turnover: {projection: e, every: 20 ms, lifetime: 100 ms}
protocol:
  - {at: 0 ms, caption: "It grows."}
"""

# In a process of its own: VTK may be used by one window only, and what it leaves behind must not reach other tests.
FILM = """
import sys
import numpy as np
from neurosim.record import Result
from neurosim.viz.desktop.window import Filming
from neurosim.viz.film.movie import Look
from neurosim.viz.live.replay import Replay

replay = Replay(Result(sys.argv[1]))
window = Filming("small", Look(640, 360, 25, 1.0))
frames = ((replay.frame(20.0 * k), replay.scene()) for k in range(1, 11))
images = [window.image(scene, frame).copy() for frame, scene in frames]
born = window.state.neurons.id.size
window.close()
np.savez(sys.argv[2], images=images, born=born)
"""


SHOW = """
import json, sys, threading
from pathlib import Path
from neurosim.scenario.builder import build
from neurosim.scenario.load import load
from neurosim.viz.desktop.show import open_window, play_result, run_shown

window = open_window("small", off_screen=True)
drawn, draw = [], window.draw
window.draw = lambda scene, frame: (drawn.append(frame.time), draw(scene, frame))
result = run_shown(build(load(sys.argv[1]), threads=1), Path(sys.argv[2]), window, 0.1, "module")
live = len(drawn)
threading.Timer(3.0, lambda: setattr(window, "closed", True)).start()
play_result(result, window, 0.1, "module")
told = {"hash": result.summary["hash"], "status": result.status}
print(json.dumps({**told, "live": drawn[:live], "again": drawn[live:]}))
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> ns.Result:
    """A small network that grows to more than a window had room for at first."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    made: ns.Result = ns.run(folder / "small.yaml", output=folder / "small.nsim", threads=1)
    return made


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def test_the_window_shows_the_network(result: ns.Result, tmp_path: Path) -> None:
    done = run(FILM, str(result.path), str(tmp_path / "images.npz"))
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "images.npz") as kept:
        images, born = kept["images"].astype(int), int(kept["born"])
    assert images.shape == (10, 360, 640, 3)
    assert born > 1.5 * 80  # it was built anew on the way
    for image in images:
        middle, side = image[80:280, 200:440], image[150:250, :60]
        assert middle.mean() > 1.5 * side.mean()
        assert middle.max() > 150
        assert (middle[..., 0] > middle[..., 2] + 30).sum() > 100  # warm: they are excitatory
        assert image[:80, :160].max() > 150  # letters
    assert all(np.abs(one - other).mean() > 0.2 for one, other in pairwise(images))


def test_a_run_is_shown_and_played_again(result: ns.Result, tmp_path: Path) -> None:
    done = run(SHOW, str(result.path.with_name("small.yaml")), str(tmp_path / "a.nsim"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["status"] == "finished"
    assert told["hash"] == result.summary["hash"]
    for times in (told["live"], told["again"]):
        assert len(times) > 2
        assert (np.diff(times) > 0).all()
    assert max(told["live"]) > 200.0  # of 400 ms; frames go on while it runs, as fast as they can be drawn


def test_without_opengl_there_is_a_message_and_no_crash(result: ns.Result) -> None:
    code = "from neurosim.viz.desktop import opengl; opengl.require()"
    done = run(code, __EGL_VENDOR_LIBRARY_FILENAMES="/none", LIBGL_DRIVERS_PATH="/none", DISPLAY="")
    assert done.returncode == 1
    assert "this machine has no working OpenGL (VTK was ended by signal 11)" in done.stderr
    assert "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri" in done.stderr


def test_with_opengl_there_is_none() -> None:
    opengl.require()


def test_without_the_extra_there_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    find: Any = opengl.importlib.util.find_spec
    monkeypatch.setattr(opengl.importlib.util, "find_spec", lambda name: None if name == "vtk" else find(name))
    with pytest.raises(UsageError, match=r"--desktop needs vtk: pip install 'neurosim\[desktop\]'"):
        opengl.require()


def test_without_a_screen_there_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if sys.platform.startswith("linux"):
        with pytest.raises(NeurosimError, match="there is no screen to open a window on"):
            opengl.require_screen()
    monkeypatch.setenv("DISPLAY", ":7")
    opengl.require_screen()
