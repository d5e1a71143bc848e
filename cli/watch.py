"""``neurosim watch``: see a network live, or a result replayed, in the browser."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neurosim.cli._console import console
from neurosim.cli._exits import say
from neurosim.cli._progress import RunProgress
from neurosim.cli._report import finish_run, show_run
from neurosim.cli._types import TIME
from neurosim.errors import UsageError

if TYPE_CHECKING:
    from neurosim.viz.live.server import Server

LAYOUTS = ("module", "region", "spring", "spectral")
_SPEED = click.FloatRange(min=1e-4, max=1e3)


@click.command("watch", short_help="See a network in 3D in the browser, live or replayed.")
@click.argument("what", metavar="SCENARIO|FILE.nsim")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Default: 8642, or the next that is free.")
@click.option("--host", default="127.0.0.1", metavar="NAME", help="Where to listen. Default: this machine only.")
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
    what: str, port: int | None, host: str, no_open: bool, speed: float | None, at: float | None, layout: str,
    output: str | None, overwrite: bool, settings: tuple[str, ...], seed: int | None, duration: float | None,
    threads: int | None,
) -> int:  # fmt: skip
    """Show a network in the browser: a SCENARIO while it runs, or a result, finished or still being written.

    A run begins when the page is open, and writes its result as `neurosim run` does. The page stays open at its end,
    and plays the result; Ctrl-C ends it.
    """
    about: dict[str, Any] = {"host": host, "port": port, "layout": layout, "speed": speed}
    run_only = {"--output": output, "--overwrite": overwrite, "--set": settings, "--seed": seed,
                "--duration": duration, "--threads": threads}  # fmt: skip
    if Path(what).suffix == ".nsim":
        for option in (option for option, given in run_only.items() if given):
            raise UsageError(f"{what} is a result; `{option}` is for scenarios.")
        from neurosim.viz.live.watching import replay

        server = replay(what, at=at, **about)
        _tell(server, no_open)
        return _stay(server)
    if at is not None:
        raise UsageError("`--at` is for results; a run begins at its beginning.")
    return watch_run(
        what, no_open, paced=True, output=output, overwrite=overwrite, overrides=settings, seed=seed,
        duration=duration, threads=threads, **about,
    )  # fmt: skip


def watch_run(what: str, no_open: bool, **options: Any) -> int:
    """Run a scenario while it is watched, say what happened, and stay until Ctrl-C; the exit code."""
    from neurosim.scenario import RunInterrupted
    from neurosim.viz.live.watching import run_watched

    with RunProgress() as progress:
        try:
            result, server = run_watched(
                what, told=lambda server: _tell(server, no_open), progress=progress.report, **options
            )
        except RunInterrupted as stop:
            summary = {**stop.result.summary, "status": stop.result.status}
            show_run(summary, stop.result)
            return finish_run(summary, stop.result, stop)
    summary = {**result.summary, "status": result.status}
    show_run(summary, result)
    code = finish_run(summary, result)
    say(f"The page plays the result: {server.url} (Ctrl-C ends it)")
    _stay(server)
    return code


def _tell(server: Server, no_open: bool) -> None:
    """Say where to look, and open the browser there."""
    from neurosim.viz.live.watching import open_page

    console().print(f"watch  [path]{server.url}[/]", soft_wrap=True)
    if not no_open and not open_page(server.url):
        say("No browser could be opened; open the address in one.", "yellow")


def _stay(server: Server) -> int:
    """Serve until Ctrl-C, which is how this ends."""
    try:
        while True:
            time.sleep(0.2)
    except KeyboardInterrupt:
        return 0
    finally:
        server.close()
