"""What commands print: JSON for programs, rich text for people."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

THEME = {
    "title": "bold",
    "label": "dim",
    "good": "green",
    "bad": "bold red",
    "unsure": "yellow",
    "path": "cyan",
    "command": "bold cyan",
}


def console(*, stderr: bool = False) -> Console:
    """Return a console on stdout or stderr as they are now; plain text where that is no terminal."""
    from rich.console import Console
    from rich.theme import Theme

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 110  # a log or a pipe has no width of its own
    return Console(file=stream, theme=Theme(THEME), highlight=False, width=width, soft_wrap=not stream.isatty())


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout. JSON knows no NaN and no infinity: they become null."""
    click.echo(json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """Return ``value`` made of dict, list, str, int, float, bool and None only."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def new_table(*columns: str, title: str = "") -> Table:
    """Return a table without a grid; a column whose heading begins with ``>`` is flush right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD,
        title=title or None,
        title_style="title",
        title_justify="left",
        pad_edge=False,
        header_style="label",
        show_edge=False,
    )
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
    return table
