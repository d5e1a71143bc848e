"""``neurosim new``: a scenario to start from."""

from __future__ import annotations

import re
from pathlib import Path

import click
from rich.markup import escape

from neurosim.cli._console import console, new_table
from neurosim.cli._starter import STARTER
from neurosim.errors import UsageError

_NOT_FILES = (".yaml", ".py")  # in the folder of examples, what no scenario reads


@click.command("new", short_help="Write a commented scenario to start from.")
@click.argument("name", required=False)
@click.option("--from", "example", metavar="EXAMPLE", help="Start from one of the examples, see --list.")
@click.option("--list", "as_list", is_flag=True, help="List the examples.")
def command(name: str | None, example: str | None, as_list: bool) -> None:
    """Write NAME.yaml, a small commented scenario or one of the examples, and say what to type next.

    No file that exists is overwritten.
    """
    if as_list:
        _list()
        return
    if not name:
        raise UsageError("give the new scenario a NAME; `neurosim new --list` shows the examples to start from.")
    target = _target(name)
    text, files = _starter(target.stem) if example is None else _copied(example, target.stem)
    writes = {target: text.encode()} | {target.parent / file.name: file.read_bytes() for file in files}
    for path, content in writes.items():
        if path.exists() and (path == target or path.read_bytes() != content):
            raise UsageError(f"{path} exists already, and is left as it is; choose another name or folder.")
    for path, content in writes.items():
        if not path.exists():
            path.write_bytes(content)
    _say_next(target, [path for path in writes if path != target])


def _target(name: str) -> Path:
    """Return the file to write; the name of a scenario begins with a letter and holds nothing odd."""
    path = Path(name.removesuffix(".yaml") + ".yaml")
    if not re.fullmatch(r"[^\W\d_][\w.-]*", path.stem):
        raise UsageError(f"a scenario's name begins with a letter and holds letters, digits, '_', '-'; found '{name}'.")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write {path.name} into.")
    return path


def _starter(name: str) -> tuple[str, list[Path]]:
    return STARTER.replace("{name}", name), []


def _copied(example: str, name: str) -> tuple[str, list[Path]]:
    """Return an example under another name, and the files that it reads."""
    from neurosim import scenarios

    path = scenarios.path(example)
    text = path.read_text(encoding="utf-8")
    text, named = re.subn(r"^name:.*$", f"name: {name}", text, count=1, flags=re.MULTILINE)
    text = text if named else f"name: {name}\n{text}"
    text = re.sub(rf"\b{re.escape(path.stem)}\.nsim\b", f"{name}.nsim", text)
    beside = [file for file in sorted(path.parent.iterdir()) if file.is_file() and file.suffix not in _NOT_FILES]
    return text, [file for file in beside if re.search(rf"(?<![\w.]){re.escape(file.name)}\b", text)]


def _list() -> None:
    from neurosim import scenarios
    from neurosim.scenario.reader import parse

    table = new_table("example", "what it shows")
    for name in scenarios.names():
        about = parse(scenarios.path(name).read_text(encoding="utf-8")).data.get("about", "")
        table.add_row(f"[command]{name}[/]", escape(" ".join(str(about).split())))
    console().print(table)
    console().print("[label]`neurosim new NAME --from EXAMPLE` copies one under another name.[/]")


def _say_next(target: Path, others: list[Path]) -> None:
    out = console()
    beside = f", with {', '.join(str(path) for path in others)}" if others else ""
    out.print(f"wrote [path]{escape(str(target))}[/]{escape(beside)}", soft_wrap=True)
    out.print("[label]Change what you like, then[/]")
    for line in (f"neurosim check {target}", f"neurosim run {target}", f"neurosim plot {target.stem}.nsim"):
        out.print(f"  [command]{escape(line)}[/]", soft_wrap=True)
