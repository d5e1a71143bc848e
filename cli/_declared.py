"""What the library declares: neuron models, rules, connectors and placements, as JSON and as pages."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from neurosim.cli._console import console, new_table

if TYPE_CHECKING:
    from neurosim.graph.kinds import Kind
    from neurosim.models import NeuronModel, Parameter
    from neurosim.models.rules import LearningRule
    from neurosim.models.structural import StructuralRule

    Declared = NeuronModel | LearningRule | StructuralRule | type[Kind]

#: Kinds that are written as a name with parameters: what one is called, and how it stands in a scenario.
WRITTEN = {
    "connectors": ("connector", "connect: {}"),
    "kernels": ("distance kernel", "kernel: {}"),
    "placements": ("placement", "positions: {}"),
}


def library() -> dict[str, Mapping[str, Declared]]:
    """Everything there is, by kind and name."""
    from neurosim.graph.connectors import connectors
    from neurosim.graph.distance_kernels import distance_kernels
    from neurosim.graph.placement import placements
    from neurosim.models import neuron_models
    from neurosim.models.learning import learning_rules
    from neurosim.models.structure import structural_rules

    return {
        "neurons": neuron_models(),
        "learning": learning_rules(),
        "structure": structural_rules(),
        "connectors": connectors(),
        "kernels": distance_kernels(),
        "placements": placements(),
    }


def summary(kind: str, declared: Any) -> str:
    """Return what it is, in a line."""
    if kind not in WRITTEN:
        return str(declared.summary)
    return (declared.__doc__ or "").strip().splitlines()[0].rstrip(".").replace("``", "`")


def facts(kind: str, declared: Any) -> dict[str, Any]:
    """Return everything that is declared, JSON-able."""
    if kind in WRITTEN:
        return _written_facts(kind, declared)
    if kind == "structure":
        return _structure_facts(declared)
    return _model_facts(declared) if kind == "neurons" else _rule_facts(declared)


def show(kind: str, declared: Any) -> None:
    """Print a page about it."""
    out = console()
    out.print(f"[title]{declared.name}[/]  {escape(summary(kind, declared))}", soft_wrap=True)
    if kind in WRITTEN:
        _show_written(kind, declared)
    elif kind == "neurons":
        _show_model(declared)
    elif kind == "structure":
        _show_structure(declared)
    else:
        _show_rule(declared)
    if getattr(declared, "source", ""):
        out.print(f"[label]source[/]  {escape(declared.source)}")


def _parameters(parameters: Iterable[Parameter]) -> dict[str, Any]:
    return {
        p.name: {"default": _limited(p.default), "unit": p.unit, "meaning": p.meaning, "allowed": p.range}
        for p in parameters
    }


def _limited(default: float) -> float | None:
    """None where there is no limit: JSON knows no infinity."""
    return None if math.isinf(default) else default


def _show_parameters(parameters: Iterable[Parameter]) -> None:
    table = new_table("parameter", ">default", "unit", "meaning", "allowed")
    for p in parameters:
        default = "no limit" if math.isinf(p.default) else f"{p.default:g}"
        table.add_row(p.name, default, p.unit, escape(p.meaning), p.range)
    if table.row_count:
        console().print(table)


def _show_code(parts: Iterable[tuple[str, str]]) -> None:
    """Print the lines of each part beside its label."""
    out = console()
    for label, text in parts:
        for k, line in enumerate(line.strip() for line in text.strip().splitlines()):
            out.print(f"  [label]{label if k == 0 else '':<12}[/]", end="")
            out.print(line, markup=False, soft_wrap=True)


# ---- neuron models ----------------------------------------------------------------------------------


def _model_facts(model: NeuronModel) -> dict[str, Any]:
    return {
        "kind": "neuron model",
        "name": model.name,
        "summary": model.summary,
        "equations": model.equations.strip().splitlines(),
        "threshold": model.threshold,
        "reset": model.reset,
        "refractory": model.refractory,
        "method": model.dynamics.method,
        "parameters": _parameters(model.parameters),
        "state": {s.name: {"unit": s.unit, "meaning": s.meaning, "initial": s.initial} for s in model.state},
        "receptors": {
            name: {"variable": receptor.variable, "weight_unit": receptor.unit}
            for name, receptor in model.receptors.items()
        },
        "current_unit": model.drive_unit,
        "source": model.source,
    }


def _show_model(model: NeuronModel) -> None:
    parts = [("equations", model.equations), ("threshold", model.threshold), ("reset", model.reset)]
    parts += [("refractory", model.refractory)]
    if model.dynamics.equations.differentials:
        parts += [("method", model.dynamics.method)]
    _show_code(parts)
    _show_parameters(model.parameters)
    table = new_table("state", "unit", "begins with", "meaning", "receptors (unit of their weights)")
    for s in model.state:
        ends = [f"{name} ({r.unit or '1'})" for name, r in model.receptors.items() if r.variable == s.name]
        begins = s.initial if isinstance(s.initial, str) else f"{s.initial:g}"
        table.add_row(s.name, s.unit, escape(begins), escape(s.meaning), ", ".join(ends))
    if model.state:
        console().print(table)
    if model.drive_unit is not None:
        console().print(f"[label]injected currents (i_stim) are in[/] {model.drive_unit or 'no unit'}")


# ---- learning rules ---------------------------------------------------------------------------------


def _rule_facts(rule: LearningRule) -> dict[str, Any]:
    events = {event: getattr(rule, event).strip().splitlines() for event in rule.events}
    return {
        "kind": "learning rule",
        "name": rule.name,
        "summary": rule.summary,
        "equations": [line.strip() for line in rule.equations.strip().splitlines()],
        "transmit": rule.transmit,
        "events": {event: [line.strip() for line in lines] for event, lines in events.items()},
        "period": rule.period,
        "modulator": rule.modulator,
        "parameters": _parameters(rule.parameters),
        "variables": {
            v.name: {"unit": v.unit, "meaning": v.meaning, "initial": v.initial, "kind": _kind_of(rule, v.name)}
            for v in rule.variables
        },
        "changes_delays": rule.writes_delay,
        "source": rule.source,
    }


def _kind_of(rule: LearningRule, name: str) -> str:
    """Say whose a name in the equations is: a trace of the source or the target, or a synapse's own."""
    line = next(line for line in rule.lines if line.name == name)
    return {"pre": "trace of arrivals", "post": "trace of the target"}.get(line.kind, "of the synapse")


def _show_rule(rule: LearningRule) -> None:
    parts = [("equations", rule.equations), ("transmit", rule.transmit)]
    parts += [(event, getattr(rule, event)) for event in rule.events]
    parts += [("period", str(rule.period)), ("modulator", rule.modulator)]
    _show_code(parts)
    _show_parameters(rule.parameters)
    table = new_table("variable", "unit", "whose", "meaning")
    for v in rule.variables:
        table.add_row(v.name, v.unit, _kind_of(rule, v.name), escape(v.meaning))
    if rule.variables:
        console().print(table)
    if rule.writes_delay:
        console().print("[label]It changes delays, so the projection must declare bounds for them.[/]")


# ---- structural rules -------------------------------------------------------------------------------


def _structure_facts(rule: StructuralRule) -> dict[str, Any]:
    return {
        "kind": "structural rule",
        "name": rule.name,
        "summary": rule.summary,
        "about": "neurons" if rule.of_neurons else "synapses",
        "equations": [line.strip() for line in rule.equations.strip().splitlines()],
        "clauses": {clause: " ".join(getattr(rule, clause).split()) for clause in rule.clauses},
        "initial": dict(rule.initial),
        "parameters": _parameters(rule.parameters),
        "autapses": rule.autapses,
        "multapses": rule.multapses,
        "source": rule.source,
    }


def _show_structure(rule: StructuralRule) -> None:
    parts = [("equations", rule.equations), *((clause, getattr(rule, clause)) for clause in rule.clauses)]
    parts += [("initial", "\n".join(f"{name} = {value}" for name, value in rule.initial.items()))]
    _show_code(parts)
    _show_parameters(rule.parameters)
    said = "population: NAME" if rule.of_neurons else "projection: NAME"
    console().print(f"[label]in a scenario[/]  {escape(f'{rule.name}: {{{said}, every: TIME}}')}")


# ---- connectors, kernels, placements ----------------------------------------------------------------


def _written_facts(kind: str, declared: type[Kind]) -> dict[str, Any]:
    from neurosim.graph.kinds import required

    must = required(declared)
    return {
        "kind": WRITTEN[kind][0],
        "name": declared.name,
        "summary": summary(kind, declared),
        "parameters": {
            field.name: {
                "default": None if field.name in must else field.default,
                "required": field.name in must,
                "unit": field.metadata.get("unit", ""),
                "meaning": field.metadata.get("meaning", ""),
            }
            for field in dataclasses.fields(declared)
        },
    }


def _show_written(kind: str, declared: type[Kind]) -> None:
    parameters = _written_facts(kind, declared)["parameters"]
    table = new_table("parameter", "default", "unit", "meaning")
    for name, about in parameters.items():
        table.add_row(name, _default(about), about["unit"], escape(about["meaning"]))
    if table.row_count:
        console().print(table)
    must = [name for name, about in parameters.items() if about["required"]]
    example = f"{{{declared.name}: {{{', '.join(f'{name}: …' for name in must)}}}}}" if must else declared.name
    console().print(f"[label]in a scenario[/]  {escape(WRITTEN[kind][1].format(example))}")


def _default(about: Mapping[str, Any]) -> str:
    """Return a default as a scenario would have it."""
    if about["required"]:
        return "must be given"
    value = about["default"]
    if isinstance(value, tuple):
        return f"[{', '.join(f'{part:g}' for part in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value).lower()
