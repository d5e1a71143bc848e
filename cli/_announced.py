"""Commands that are promised and not built yet: they say so, and do nothing."""

from __future__ import annotations

import click

from neurosim.errors import UsageError

ANNOUNCED = {
    "resume": "Go on from the last checkpoint of a run, bit for bit.",
    "compare": "Find the first difference between two results.",
    "sweep": "Run a scenario over many parameter values, in one table.",
}


def announced_command(name: str) -> click.Command:
    """Return a command that accepts anything and answers that it is not built yet (exit code 2)."""

    @click.command(
        name,
        help=f"{ANNOUNCED[name]} (not built yet)",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:
        raise UsageError(f"`neurosim {name}` is not built yet. It will do this: {ANNOUNCED[name]}")

    return command
