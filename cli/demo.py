"""``neurosim demo``: a network that is born, learns, is hurt and recovers, live in the browser."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neurosim.cli._exits import INTERRUPTED, say
from neurosim.cli._progress import RunProgress
from neurosim.cli.watch import stay, tell

if TYPE_CHECKING:
    from neurosim.viz.live.server import Server


@click.command("demo", short_help="A growing, learning network, live in the browser.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Default: 8642, or the next that is free.")
@click.option("--no-open", is_flag=True, help="Open no browser; print the address.")
def command(port: int | None, no_open: bool) -> int:
    """Show a network that is born, finds its rate, learns, loses a region and recovers.

    It begins when the page is open, lasts a hundred seconds, and is then played again; Ctrl-C ends it. It is the
    example `demo`, in no file of yours: `neurosim new NAME --from demo` gives you one to change, and
    `neurosim watch demo` shows the same and keeps the result.
    """
    from neurosim.scenario import RunInterrupted
    from neurosim.viz.live.watching import run_watched

    def told(server: Server) -> None:
        tell(server, no_open)

    with tempfile.TemporaryDirectory(prefix="neurosim-demo-") as folder:
        result = Path(folder) / "demo.nsim"
        try:
            with RunProgress() as progress:
                _, server = run_watched("demo", result, port=port, speed=1.0, told=told, progress=progress.report)
        except RunInterrupted:
            return INTERRUPTED
        say(f"The page plays it again: {server.url} (Ctrl-C ends it)")
        say("Next: neurosim new mine --from demo")
        return stay(server)
