"""``neurosim plot``: pictures of a result."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from neurosim.cli._console import console
from neurosim.cli._types import TIME, check_picture
from neurosim.errors import UsageError

KINDS = ("summary", "raster", "rates", "weights", "delays", "degrees", "structure", "connectivity", "network")
OF_A_MOMENT = ("connectivity", "network")  # kinds that take --at


@click.command("plot", short_help="Draw pictures of a result.")
@click.argument("file", metavar="FILE.nsim")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default=KINDS[0],
    show_default=True,
    help="What to draw.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE.png",
    help="Where to; the suffix names the format (png, pdf, svg). Default: NAME.png or NAME-KIND.png here.",
)
@click.option("--at", type=TIME, metavar="TIME", help=f"When (with --kind {' or '.join(OF_A_MOMENT)}), e.g. '2 s'.")
def command(file: str, kind: str, output: str | None, at: float | None) -> None:
    """Draw FILE.nsim: a page that sums the run up, or one kind of picture.

    A result that is still being written can be drawn too; the picture shows what has been recorded so far.
    """
    if at is not None and kind not in OF_A_MOMENT:
        raise UsageError(f"`--at` is for {' and '.join(OF_A_MOMENT)}; `--kind {kind}` shows all the run.")
    from neurosim.record import Result

    result = Result(file)
    target = Path(output) if output else _default(Path(file), kind)
    check_picture(target)
    picture = importlib.import_module(f"neurosim.viz.{kind}")
    figure = picture.draw(result) if at is None else picture.draw(result, at)
    from neurosim.viz.style import save

    save(figure, target)
    console().print(f"drew [path]{target}[/]")


def _default(file: Path, kind: str) -> Path:
    """Return ``NAME.png`` (``NAME-raster.png`` …) in the working directory."""
    return Path(f"{file.stem}.png" if kind == KINDS[0] else f"{file.stem}-{kind}.png")
