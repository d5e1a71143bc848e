"""``neurosim run``: run a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neurosim.cli._console import print_json
from neurosim.cli._exits import say
from neurosim.cli._progress import RunProgress
from neurosim.cli._report import finish_run, show_run
from neurosim.cli._types import TIME
from neurosim.errors import UsageError

if TYPE_CHECKING:
    from neurosim.record import Result
    from neurosim.viz.live.server import Server


@click.command("run", short_help="Run a scenario.")
@click.argument("scenario", metavar="SCENARIO")
@click.option("-o", "--output", metavar="FILE.nsim", help="Where to. Default: NAME.nsim here, then NAME-2.nsim …")
@click.option("--overwrite", is_flag=True, help="Replace FILE.nsim if it exists.")
@click.option(
    "--set",
    "settings",
    metavar="PATH=VALUE",
    multiple=True,
    help="Change a value of the scenario, e.g. populations.exc.size=100. Repeatable.",
)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed of all random numbers.")
@click.option("--duration", type=TIME, metavar="TIME", help="How long to simulate, e.g. '2 s'; a number is ms.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Default: the cores at hand.")
@click.option(
    "--backend",
    type=click.Choice(["numba", "gnn"]),
    default="numba",
    show_default=True,
    help="What computes (gnn: announced, not built yet).",
)
@click.option("--checkpoint-every", type=TIME, metavar="TIME", help="Announced, not built yet.")
@click.option("--watch", is_flag=True, help="Show it in the browser while it runs; `watch` goes at a human pace.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object that says what happened.")
def command(
    scenario: str,
    output: str | None,
    overwrite: bool,
    settings: tuple[str, ...],
    seed: int | None,
    duration: float | None,
    threads: int | None,
    backend: str,
    checkpoint_every: float | None,
    watch: bool,
    as_json: bool,
) -> int:
    """Run SCENARIO, a YAML file or the name of an example, and say what happened.

    Ctrl-C stops it; what was recorded until then is kept.
    """
    asked = {"--backend gnn": backend == "gnn", "--checkpoint-every": checkpoint_every}
    for option in (option for option, given in asked.items() if given):
        raise UsageError(f"`{option}` is not built yet.")
    from neurosim.scenario import RunInterrupted, run

    interrupted = None
    with RunProgress() as progress:
        try:
            result = (_run_watched if watch else run)(
                scenario,
                output,
                overwrite=overwrite,
                overrides=settings,
                seed=seed,
                duration=duration,
                threads=threads,
                backend=backend,
                progress=progress.report,
            )
        except RunInterrupted as stop:
            result, interrupted = stop.result, stop
    summary = {**result.summary, "status": result.status}
    if as_json:
        print_json(summary)
    else:
        show_run(summary, result)
    return finish_run(summary, result, interrupted, as_json)


def _run_watched(scenario: str, output: str | None, **options: Any) -> Result:
    """Run it as fast as it can while people look at it in the browser."""
    from neurosim.viz.live.watching import open_page, run_watched

    def told(server: Server) -> None:
        say(f"watch  {server.url}")
        open_page(server.url)

    del options["backend"]
    result, server = run_watched(scenario, output, paced=False, told=told, **options)
    server.close()
    return result
