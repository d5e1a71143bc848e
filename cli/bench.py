"""``neurosim bench``: how fast it is here, with peers beside it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from neurosim.cli._console import console, new_table, print_json
from neurosim.errors import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neurosim.benchmarks import Row


@click.command("bench", short_help="Measure the speed here, with peers beside it.")
@click.argument("names", metavar="[NAME…]", nargs=-1)
@click.option(
    "--against",
    metavar="PEERS",
    default="",
    help="Simulators to run beside in the same session, e.g. brian2 or brian2,nest.",
)
@click.option("--list", "listed", is_flag=True, help="Name the benchmarks and what they measure, and run none.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(names: tuple[str, ...], against: str, listed: bool, as_json: bool) -> None:
    """Run the benchmarks NAME… (all, without a name) and print what they measured, beside the peers."""
    from neurosim import benchmarks

    known = benchmarks.names()
    for name in names:
        if name not in known:
            raise unknown("benchmark", name, known)
    if listed:
        _list(known, as_json)
        return
    peers = tuple(peer.strip() for peer in against.split(",") if peer.strip())
    rows = benchmarks.run(list(names) or list(known), against=peers, progress=_progress())
    if as_json:
        print_json({"rows": [dataclasses.asdict(row) for row in rows]})
    else:
        _show(rows)


def _progress() -> Callable[[str], None]:
    """Return a function that tells on a terminal's stderr what is being measured."""
    out = console(stderr=True)

    def tell(words: str) -> None:
        if out.is_terminal:
            out.print(f"[label]{escape(words)}[/]")

    return tell


def _list(known: dict[str, str], as_json: bool) -> None:
    if as_json:
        print_json(known)
        return
    table = new_table("benchmark", "measures")
    for name, summary in known.items():
        table.add_row(name, summary)
    console().print(table)


def _show(rows: Sequence[Row]) -> None:
    """Print a table; a value beyond its limit stands in red."""
    table = new_table("benchmark", "what", "simulator", ">threads", ">value", "unit", ">ratio", ">limit", "note")
    last = ""
    for row in rows:
        beyond = row.limit is not None and row.value > row.limit
        value = f"[bad]{row.value:.4g}[/]" if beyond else f"{row.value:.4g}"
        table.add_row(
            "" if row.benchmark == last else row.benchmark,
            row.what,
            row.simulator,
            "" if row.threads is None else str(row.threads),
            value,
            row.unit,
            "" if row.ratio is None else f"{row.ratio:.2f}×",
            "" if row.limit is None else f"{row.limit:g}",
            f"[label]{escape(row.note)}[/]",
        )
        last = row.benchmark
    console().print(table)
