"""Watching from the command line and from Python: what runs, the server that shows it, and the browser."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosim.errors import UsageError
from neurosim.record import Result
from neurosim.viz.live.server import Server
from neurosim.viz.live.show import LiveShow, ReplayShow, usual_speed

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation


class View:
    """A simulation that is watched; made by ``sim.watch()``. In a notebook it shows itself.

    ``url`` is the page's address. `run` lets the simulation go on in a thread of its own, so that the notebook stays
    free; sliders and buttons act while it does. ``speed`` in simulated seconds per second; None: as fast as it can.
    """

    def __init__(
        self, simulation: Simulation, speed: float | None = None, host: str = "127.0.0.1", port: int | None = None,
        layout: str = "module",
    ) -> None:  # fmt: skip
        self.simulation = simulation
        self._show = LiveShow(simulation, speed=speed, layout=layout)
        self._server = Server(self._show, host=host, port=port)
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._server.start()

    @property
    def url(self) -> str:
        """Address of the page."""
        return self._server.url

    def run(self, duration: Any) -> View:
        """Let the simulation go on for ``duration`` (ms or a quantity), in the background; see `wait`."""
        if self._thread is not None and self._thread.is_alive():
            raise UsageError("the simulation is running already; wait for it, or stop it.")
        self.simulation.steps(duration)  # complain here, not in the other thread
        self._failure = None
        self._thread = threading.Thread(target=self._run, args=(duration,), name="neurosim-run", daemon=True)
        self._thread.start()
        return self

    def _run(self, duration: Any) -> None:
        try:
            self.simulation.run(duration)
        except BaseException as failure:  # noqa: BLE001 (it is raised again where somebody waits)
            self._failure = failure
            self._show.pace.end()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the background run has ended (at most ``timeout`` s); whether it has. Raises what it raised."""
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                return False
        if self._failure is not None:
            raise self._failure
        return True

    def stop(self) -> None:
        """End the background run between two epochs."""
        self.simulation.stop()
        self.wait()

    def code(self) -> str:
        """The lines of Python that do what was done by hand."""
        return self._show.hands.code()

    def close(self) -> None:
        """Watch no more; a background run goes on, at full speed."""
        self._show.pace.set_speed(None)
        self._show.pace.resume()
        if self.simulation.pace is self._show.pace:
            self.simulation.pace = None
        self._server.close()

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _repr_html_(self) -> str:
        """The page, in a frame of the notebook."""
        style = "width:100%;height:560px;border:0;border-radius:10px"
        return f'<iframe src="{self.url}" style="{style}" allow="fullscreen"></iframe>'

    def __repr__(self) -> str:
        return f"<{self.simulation!r} watched at {self.url}>"


def watch(simulation: Simulation, **options: Any) -> View:
    """What ``sim.watch()`` calls: a `View` of the simulation; the options are its."""
    return View(simulation, **options)


Told = Callable[[Server], None]
"""Called once somebody can look, with the server, which knows the address."""


def run_watched(
    scenario: str | Path,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    duration: float | None = None,
    threads: int | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    layout: str = "module",
    speed: float | None = None,
    paced: bool = True,
    told: Told,
    progress: Any = None,
) -> tuple[Result, Server]:
    """Run a scenario as `neurosim.run` does, while people watch; its result, and the server that shows it now.

    ``paced``: begin when the first viewer has come, and go at ``speed`` (default: the run lasts about a minute);
    otherwise as fast as the machine can. Raises what `neurosim.run` raises, and NeurosimError where it cannot listen.
    """
    from neurosim.scenario.builder import build
    from neurosim.scenario.load import load
    from neurosim.scenario.run import output_path, run_built

    loaded = load(scenario, overrides, seed, duration)
    path = output_path(loaded, output)
    began = time.perf_counter()
    connecting = None if progress is None else lambda what, done, total: progress(what, done, total, 0)
    built = build(loaded, threads=threads, progress=connecting)
    pace = (usual_speed(loaded.duration) if speed is None else speed) if paced else speed
    show = LiveShow(
        built.simulation, scenario=loaded, speed=pace, duration=loaded.duration, layout=layout, wait=paced
    )  # fmt: skip
    server = Server(show, host=host, port=port)
    build_s = time.perf_counter() - began - built.simulation.timings["compile_s"]
    server.start()
    told(server)
    try:
        result = run_built(built, path, overwrite=overwrite, build_s=build_s, progress=progress)
    except BaseException:
        server.close()
        raise
    finally:
        show.pace.end()
    server.change(_ended(result, layout, show.version))
    return result, server


def _ended(result: Result, layout: str, version: int) -> ReplayShow:
    """The result of a run that has just ended, at its end."""
    return ReplayShow(result, at=result.time_reached, layout=layout, paused=True, first_version=version)


def replay(
    file: str | Path, *, at: float | None, speed: float | None, host: str, port: int | None, layout: str
) -> Server:
    """A server that plays a result; raises InvalidInput for a file that is none."""
    result = Result(file)
    if at is not None and at > result.time_reached:
        raise UsageError(f"{result.path.name} has reached {result.time_reached:g} ms, not yet {at:g} ms.")
    show = ReplayShow(result, speed=speed, at=at or 0.0, layout=layout, paused=at is not None)
    server = Server(show, host=host, port=port)
    server.start()
    return server


def open_page(url: str) -> bool:
    """Open the page in the user's browser; False where there is none (one in the terminal would be no use)."""
    seat = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in seat):
        return False
    with contextlib.suppress(webbrowser.Error, OSError):
        return webbrowser.open(url)
    return False

