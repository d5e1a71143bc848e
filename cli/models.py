"""``neurosim models``: what the library declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neurosim.cli._console import console, new_table, print_json
from neurosim.errors import unknown

if TYPE_CHECKING:
    from neurosim.models import NeuronModel


@click.command("models", short_help="List the neuron models, with equations and units.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(name: str | None, as_json: bool) -> None:
    """List every neuron model, or show NAME: equations, parameters with unit and meaning, source."""
    from neurosim.models import neuron_models

    models = neuron_models()
    if name is not None and name not in models:
        raise unknown("model", name, models)
    if as_json:
        print_json(_facts(models[name]) if name else {"neurons": {n: _facts(m) for n, m in models.items()}})
    elif name:
        _show(models[name])
    else:
        table = new_table("neuron model", "what it is")
        for model in models.values():
            table.add_row(f"[command]{model.name}[/]", model.summary)
        console().print(table)
        console().print("[label]`neurosim models NAME` shows equations, parameters and units.[/]")


def _facts(model: NeuronModel) -> dict[str, Any]:
    """Return everything a model declares."""
    return {
        "name": model.name,
        "summary": model.summary,
        "equations": model.equations.strip().splitlines(),
        "threshold": model.threshold,
        "reset": model.reset,
        "parameters": {
            p.name: {"default": p.default, "unit": p.unit, "meaning": p.meaning, "allowed": p.range}
            for p in model.parameters
        },
        "state": {s.name: {"unit": s.unit, "meaning": s.meaning, "initial": s.initial} for s in model.state},
        "receptors": {
            name: {"variable": receptor.variable, "weight_unit": receptor.unit}
            for name, receptor in model.receptors.items()
        },
        "source": model.source,
    }


def _show(model: NeuronModel) -> None:
    """Print one model as a page."""
    out = console()
    out.print(f"[title]{model.name}[/]  {model.summary}", soft_wrap=True)
    lines = [("", line.strip()) for line in model.equations.strip().splitlines()]
    lines += [("threshold", model.threshold), ("reset", model.reset)]
    for label, line in lines:
        if line:
            out.print(f"  [label]{label:<10}[/]", end="")
            out.print(line, markup=False, soft_wrap=True)
    table = new_table("parameter", ">default", "unit", "meaning", "allowed")
    for p in model.parameters:
        table.add_row(p.name, f"{p.default:g}", p.unit, p.meaning, p.range)
    if model.parameters:
        out.print(table)
    table = new_table("state", "unit", "meaning", "receptors (unit of their weights)")
    for s in model.state:
        ends = [f"{name} ({r.unit})" for name, r in model.receptors.items() if r.variable == s.name]
        table.add_row(s.name, s.unit, s.meaning, ", ".join(ends))
    if model.state:
        out.print(table)
    if model.source:
        out.print(f"[label]source[/]  {model.source}")
