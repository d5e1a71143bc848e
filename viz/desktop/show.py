"""What a window shows, and for how long: a result that is played, or a scenario that runs beside it."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosim.viz.desktop import opengl
from neurosim.viz.live.pace import FRAME
from neurosim.viz.live.show import LiveShow, ReplayShow, Show, usual_speed

if TYPE_CHECKING:
    from neurosim.record import Result
    from neurosim.scenario.builder import Built
    from neurosim.viz.desktop.window import Window


SYNAPSES = 8_000  # drawn: it is lines that cost, above all where there is no graphics card


def open_window(title: str, off_screen: bool = False) -> Window:
    """Return a window, which appears with its first frame. Raises what `opengl.require` and `require_screen` raise."""
    opengl.require()
    if not off_screen:
        opengl.require_screen()
    from neurosim.viz.desktop.window import Window

    return Window(title, off_screen=off_screen)


def play(show: Show, window: Window, until: threading.Event | None = None) -> None:
    """Draw what there is to show, until the window is closed or ``until`` is set."""
    while not window.closed and not (until is not None and until.is_set()):
        began = time.perf_counter()
        frame, scene = show.frame(), show.scene()
        if frame is not None and scene is not None:
            window.draw(scene, frame)
        if window.shown:
            window.update()
        time.sleep(max(0.0, FRAME - (time.perf_counter() - began)))


def run_shown(built: Built, path: Path, window: Window, speed: float | None, layout: str, **options: Any) -> Result:
    """Run a scenario in a thread of its own while the window shows it, and return its result, in ``path``.

    If the window is closed before the end, the run goes on at full speed; Ctrl-C stops it. ``options`` are those of
    `neurosim.scenario.run.run_built`, which says what is raised.
    """
    from neurosim.scenario.run import run_built

    scenario = built.scenario
    pace = usual_speed(scenario.duration) if speed is None else speed
    show = LiveShow(
        built.simulation, scenario=scenario, speed=pace, duration=scenario.duration, layout=layout, budget=SYNAPSES,
        wait=True,
    )  # fmt: skip
    done = threading.Event()
    said: dict[str, Any] = {}

    def run() -> None:
        try:
            said["result"] = run_built(built, path, **options)
        except BaseException as failure:  # noqa: BLE001 (it is raised again by whoever waits)
            said["failure"] = failure
        finally:
            show.pace.end()
            done.set()

    thread = threading.Thread(target=run, name="neurosim-run", daemon=True)
    thread.start()
    try:
        play(show, window, done)
        show.pace.set_speed(None)
        show.pace.resume()
        while not done.wait(0.2):
            pass
    except KeyboardInterrupt:
        built.simulation.stop()
        show.pace.resume()
        done.wait()
    thread.join()
    if "failure" in said:
        raise said["failure"]
    result: Result = said["result"]
    return result


def play_result(result: Result, window: Window, speed: float | None, layout: str, at: float = 0.0) -> None:
    """Play a result, from a time (ms) on, until the window is closed or Ctrl-C is pressed."""
    if not window.closed:
        version = window.state.version + 1
        show = ReplayShow(result, speed=speed, at=at, layout=layout, budget=SYNAPSES, first_version=version)
        with contextlib.suppress(KeyboardInterrupt):
            play(show, window)
        window.close()
