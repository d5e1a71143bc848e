"""``neurosim models``: what the library declares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from neurosim.cli._console import console, new_table, print_json
from neurosim.cli._declared import WRITTEN, facts, library, show, summary
from neurosim.cli._types import check_picture
from neurosim.errors import UsageError, unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KINDS = {"neurons": "neuron model", "learning": "learning rule", "structure": "structural rule"}
_KINDS |= {kind: one for kind, (one, _) in WRITTEN.items()}


@click.command("models", short_help="List the models, rules, connectors and placements.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--code", is_flag=True, help="Print the source of the kernel that is generated from NAME.")
@click.option("-o", "--picture", metavar="FILE.png", help="Draw what NAME does (png, pdf, svg).")
def command(name: str | None, as_json: bool, code: bool, picture: str | None) -> None:
    """List all neuron models, rules, connectors and placements, or show NAME: equations, parameters, units."""
    if name is None:
        if code or picture:
            raise UsageError("`--code` and `--picture` need the NAME of a neuron model or rule.")
        _list(as_json)
        return
    if as_json and code:
        raise UsageError("`--json` and `--code` do not go together.")
    found = library()
    kind = next((kind for kind, group in found.items() if name in group), None)
    if kind is None:
        names = [one for group in found.values() for one in group]
        raise unknown("model, rule, connector or placement", name, names)
    declared = found[kind][name]
    if kind in WRITTEN and (code or picture):
        raise UsageError(f"{name} is a {_KINDS[kind]}: no kernel is generated from it, and there is no picture of it.")
    if picture:
        target = Path(picture)
        check_picture(target)
        _draw(kind, declared, target)
    if as_json:
        print_json(facts(kind, declared))
    elif code:
        click.echo(_code(kind, declared))
    elif picture:
        console().print(f"drew [path]{escape(picture)}[/]")
    else:
        show(kind, declared)


def _list(as_json: bool) -> None:
    found = library()
    if as_json:
        print_json({kind: {n: facts(kind, one) for n, one in group.items()} for kind, group in found.items()})
        return
    out = console()
    for kind, group in found.items():
        table = new_table(_KINDS[kind], "what it is")
        for name, declared in group.items():
            table.add_row(f"[command]{name}[/]", escape(summary(kind, declared)))
        out.print(table)
        out.print()
    out.print("[label]`neurosim models NAME` shows equations, parameters and units;[/]")
    out.print("[label]with --picture FILE.png what it does, with --code the kernel that is made of it.[/]")


def _code(kind: str, declared: Any) -> str:
    """Return the source of the generated kernel; a rule is bound to weights in a unit that fits."""
    if kind == "neurons":
        from neurosim.engine.neurons import code

        if declared.times:
            raise UsageError(f"{declared.name} has no equations; its kernel is written by hand.")
        return code(declared)
    if kind == "structure":
        from neurosim.viz.structure_trials import code as of_structure

        return of_structure(declared)
    from neurosim.engine.learning.events import Events
    from neurosim.engine.learning.generate import module_source
    from neurosim.graph.precision import Precision
    from neurosim.graph.rule_names import named
    from neurosim.viz.pairs import reads_bounds, stand_in

    rule = declared()
    bound = stand_in(rule)[0]
    return module_source(Events(named([bound]), Precision("float32"), bound.writes_delay, reads_bounds(rule)))


def _draw(kind: str, declared: Any, target: Path) -> None:
    from neurosim.viz import models, rules, structural_rules
    from neurosim.viz.style import save

    draw: dict[str, Any] = {"neurons": models.draw, "learning": rules.draw, "structure": structural_rules.draw}
    figure: Figure = draw[kind](declared if kind == "structure" else declared())
    save(figure, target)
