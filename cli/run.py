"""``neurosim run``: run a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neurosim.cli._console import print_json
from neurosim.cli._exits import INTERRUPTED, UNEXPECTED, say
from neurosim.cli._progress import RunProgress
from neurosim.cli._report import show_run
from neurosim.cli._types import TIME
from neurosim.errors import UsageError

if TYPE_CHECKING:
    from neurosim.record import Result


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
@click.option("--watch", is_flag=True, help="Announced, not built yet.")
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
    asked = {"--backend gnn": backend == "gnn", "--checkpoint-every": checkpoint_every, "--watch": watch}
    for option in (option for option, given in asked.items() if given):
        raise UsageError(f"`{option}` is not built yet.")
    from neurosim.scenario import RunInterrupted, run

    interrupted = None
    with RunProgress() as progress:
        try:
            result = run(
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
    return _finish(summary, result, interrupted, as_json)


def _finish(summary: dict[str, Any], result: Result, interrupted: Exception | None, as_json: bool) -> int:
    """Return the exit code, with a last word where something did not go as hoped."""
    for message in result.messages:
        said = message["text"].endswith("not evaluated") and not as_json  # it stands in the report
        if message["level"] in ("warning", "error") and not said:
            say(f"{message['level']}: {message['text']}", "yellow")
    if interrupted is not None:
        say(str(interrupted), "yellow")
        return INTERRUPTED
    failed = [outcome for outcome in summary.get("expect", ()) if outcome["status"] == "failed"]
    if failed:
        say(f"{len(failed)} of {len(summary['expect'])} expectations did not hold", "red")
    return UNEXPECTED if failed else 0
