"""``neurosim watch`` without a browser: movies, and a window of the desktop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosim.cli._console import console
from neurosim.cli._progress import RunProgress
from neurosim.cli._report import finish_run, show_run
from neurosim.errors import UsageError

if TYPE_CHECKING:
    from neurosim.record import Result
    from neurosim.scenario.builder import Built
    from neurosim.viz.film.movie import Crew


def film_result(
    file: str, movie: Path, *, speed: float | None, layout: str, size: tuple[int, int] | None, desktop: bool,
    at: float | None,
) -> int:  # fmt: skip
    """Film a result."""
    from neurosim.record import Result
    from neurosim.viz.film.movie import Look, film

    result = Result(file)
    if at is not None and at >= result.time_reached:
        raise UsageError(f"{result.path.name} has reached {result.time_reached:g} ms; `--at` must be before that.")
    _check(movie)
    Look.of(movie, result.duration)  # complains of a name that is no movie's
    crew = _crew(desktop)
    with RunProgress() as progress:
        images = film(result, movie, speed, at, layout, size, progress.report, crew)
    return _filmed(movie, images)


def film_scenario(
    scenario: str, movie: Path, *, speed: float | None, layout: str, size: tuple[int, int] | None, desktop: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Run a scenario and film it; the exit code is that of the run."""
    from neurosim.scenario import RunInterrupted
    from neurosim.viz.film.movie import Look, film_run

    _check(movie)
    Look.of(movie, 0.0)
    crew = _crew(desktop)
    interrupted = None
    with RunProgress() as progress:
        built, path, build_s = _build(scenario, progress, **options)
        about: dict[str, Any] = {"overwrite": options["overwrite"], "build_s": build_s, "progress": progress.report}
        try:
            result = film_run(built, path, movie, speed, layout, size, crew, **about)
        except RunInterrupted as stop:
            result, interrupted = stop.result, stop
    code = _report(result, interrupted)
    _filmed(movie)
    return code


def show_result(file: str, *, speed: float | None, layout: str, at: float | None) -> int:
    """Play a result in a window, until it is closed."""
    from neurosim.record import Result
    from neurosim.viz.desktop.show import open_window, play_result
    from neurosim.viz.film.movie import title_of

    result = Result(file)
    window = open_window(title_of(result.scenario_text, result.path.stem))
    play_result(result, window, speed, layout, at or 0.0)
    return 0


def show_scenario(scenario: str, *, speed: float | None, layout: str, **options: Any) -> int:
    """Run a scenario in a window; the exit code is that of the run."""
    from neurosim.scenario import RunInterrupted
    from neurosim.viz.desktop.show import open_window, play_result, run_shown

    interrupted = None
    window = open_window(Path(scenario).stem)
    with RunProgress() as progress:
        built, path, build_s = _build(scenario, progress, **options)
        about: dict[str, Any] = {"overwrite": options["overwrite"], "build_s": build_s, "progress": progress.report}
        try:
            result = run_shown(built, path, window, speed, layout, **about)
        except RunInterrupted as stop:
            result, interrupted = stop.result, stop
    code = _report(result, interrupted)
    if interrupted is None:
        play_result(result, window, speed, layout)
    return code


def _build(
    scenario: str, progress: RunProgress, *, output: str | None, overwrite: bool, overrides: Sequence[str],
    seed: int | None, duration: float | None, threads: int | None,
) -> tuple[Built, Path, float]:  # fmt: skip
    """A scenario, ready to run; where its result goes; and how long it took (s)."""
    from neurosim.scenario.builder import build
    from neurosim.scenario.load import load
    from neurosim.scenario.run import output_path

    loaded = load(scenario, overrides, seed, duration)
    path, began = output_path(loaded, output), time.perf_counter()
    built = build(loaded, threads=threads, progress=lambda what, done, total: progress.report(what, done, total))
    return built, path, time.perf_counter() - began - built.simulation.timings["compile_s"]


def _crew(desktop: bool) -> Crew | None:
    if not desktop:
        return None
    from neurosim.viz.desktop import opengl

    opengl.require()
    from neurosim.viz.desktop.window import Filming

    return Filming


def _check(movie: Path) -> None:
    if not movie.parent.is_dir():
        raise UsageError(f"there is no folder {movie.parent} to put {movie.name} into.")
    if movie.is_dir():
        raise UsageError(f"{movie} is a folder; give the name of a movie.")


def _report(result: Result, interrupted: Exception | None) -> int:
    summary = {**result.summary, "status": result.status}
    show_run(summary, result)
    return finish_run(summary, result, interrupted)


def _filmed(movie: Path, images: int = 0) -> int:
    if movie.exists():
        told = f", {images} images" if images else ""
        console().print(f"filmed [path]{movie}[/]{told}", soft_wrap=True)
    return 0
