"""``neurosim watch``: see a network live, or a result replayed, in the browser; in a window; or film it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neurosim.cli._console import console
from neurosim.cli._exits import say
from neurosim.cli._progress import RunProgress
from neurosim.cli._report import finish_run, show_run
from neurosim.cli._types import SIZE, TIME
from neurosim.errors import UsageError

if TYPE_CHECKING:
    from neurosim.viz.live.server import Server

LAYOUTS = ("module", "region", "spring", "spectral")
_SPEED = click.FloatRange(min=1e-4, max=1e3)


@click.command("watch", short_help="See a network in 3D, live or replayed; or film it.")
@click.argument("what", metavar="SCENARIO|FILE.nsim")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Default: 8642, or the next that is free.")
@click.option("--host", default="127.0.0.1", metavar="NAME", help="Where to listen. Default: this machine only.")
@click.option("--browser/--desktop", default=True, help="Where: in the browser (default), or in a window by pyvista.")
@click.option("--movie", metavar="FILE.mp4|.gif", help="Film it instead; with --desktop as pyvista draws it.")
@click.option("--size", type=SIZE, metavar="WxH", help="Of a movie, in pixels. Default: 1280x720; of a GIF 640x360.")
@click.option("--no-open", is_flag=True, help="Open no browser; print the address.")
@click.option("--speed", type=_SPEED, metavar="X", help="Simulated s per s. Default: all in about a minute.")
@click.option("--at", type=TIME, metavar="TIME", help="Begin a replay at this time, paused.")
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default=LAYOUTS[0],
    show_default=True,
    help="Where neurons without positions stand.",
)
@click.option("-o", "--output", metavar="FILE.nsim", help="Where the run's result goes, as for `run`.")
@click.option("--overwrite", is_flag=True, help="Replace FILE.nsim if it exists.")
@click.option("--set", "settings", metavar="PATH=VALUE", multiple=True, help="Change the scenario. Repeatable.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed of all random numbers.")
@click.option("--duration", type=TIME, metavar="TIME", help="How long to simulate, e.g. '2 s'; a number is ms.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Default: the cores at hand.")
def command(
    what: str, browser: bool, movie: str | None, size: tuple[int, int] | None, host: str, port: int | None,
    no_open: bool, speed: float | None, at: float | None, layout: str, settings: tuple[str, ...], **options: Any,
) -> int:  # fmt: skip
    """Show a network in the browser: a SCENARIO while it runs, or a result, finished or still being written.

    A run begins when the page is open, and writes its result as `neurosim run` does. The page stays open at its end,
    and plays the result; Ctrl-C ends it.

    \b
    --desktop   a window of the desktop instead (pip install 'neurosim[desktop]')
    --movie     a film instead: .gif, or .mp4 (pip install 'neurosim[desktop]')
    """
    run_options = {**options, "overrides": settings}
    is_result = Path(what).suffix == ".nsim"
    if is_result:
        for name in (name for name, given in run_options.items() if given):
            option = {"overrides": "set"}.get(name, name)
            raise UsageError(f"{what} is a result; `--{option}` is for scenarios.")
    elif at is not None:
        raise UsageError("`--at` is for results; a run begins at its beginning.")
    if size is not None and movie is None:
        raise UsageError("`--size` is for movies.")
    if movie is not None or not browser:
        from neurosim.cli import _screen

        view: dict[str, Any] = {"speed": speed, "layout": layout, **({"at": at} if is_result else run_options)}
        if movie is not None:
            film: Any = _screen.film_result if is_result else _screen.film_scenario
            return int(film(what, Path(movie), size=size, desktop=not browser, **view))
        show: Any = _screen.show_result if is_result else _screen.show_scenario
        return int(show(what, **view))
    about: dict[str, Any] = {"host": host, "port": port, "layout": layout, "speed": speed}
    if not is_result:
        return watch_run(what, no_open, paced=True, **about, **run_options)
    from neurosim.viz.live.watching import replay

    server = replay(what, at=at, **about)
    tell(server, no_open)
    return stay(server)


def watch_run(what: str, no_open: bool, **options: Any) -> int:
    """Run a scenario while it is watched, say what happened, and stay until Ctrl-C; the exit code."""
    from neurosim.scenario import RunInterrupted
    from neurosim.viz.live.watching import run_watched

    with RunProgress() as progress:
        try:
            result, server = run_watched(
                what, told=lambda server: tell(server, no_open), progress=progress.report, **options
            )
        except RunInterrupted as stop:
            summary = {**stop.result.summary, "status": stop.result.status}
            show_run(summary, stop.result)
            return finish_run(summary, stop.result, stop)
    summary = {**result.summary, "status": result.status}
    show_run(summary, result)
    code = finish_run(summary, result)
    say(f"The page plays the result: {server.url} (Ctrl-C ends it)")
    stay(server)
    return code


def tell(server: Server, no_open: bool) -> None:
    """Say where to look, and open the browser there."""
    from neurosim.viz.live.watching import open_page

    console().print(f"watch  [path]{server.url}[/]", soft_wrap=True)
    if not no_open and not open_page(server.url):
        say("No browser could be opened; open the address in one.", "yellow")


def stay(server: Server) -> int:
    """Serve until Ctrl-C, which is how this ends."""
    try:
        while True:
            time.sleep(0.2)
    except KeyboardInterrupt:
        return 0
    finally:
        server.close()
