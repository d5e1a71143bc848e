"""``neurosim info``: what is in a scenario or a result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from neurosim.cli._console import console, new_table, print_json
from neurosim.viz.words import count, memory, span

if TYPE_CHECKING:
    from neurosim.record import Result

_SQLITE = b"SQLite format 3\0"


@click.command("info", short_help="Say what is in a scenario or a result.")
@click.argument("file", metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: str, as_json: bool) -> None:
    """Say what is in FILE, a scenario or a result: sizes, models, provenance. It may still be being written."""
    facts = _result_facts(file) if _is_result(Path(file)) else _scenario_facts(file)
    if as_json:
        print_json(facts)
    else:
        _show(facts)


def _is_result(path: Path) -> bool:
    """Tell a result from a scenario by how it begins, so that either may bear any name."""
    if path.suffix == ".nsim":
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False  # whoever reads it as a scenario says why it cannot be read


def _scenario_facts(file: str) -> dict[str, Any]:
    """Return everything a scenario asks for, JSON-able."""
    from neurosim.scenario import describe, load

    return {"kind": "scenario", "file": file, **describe(load(file))}


def _result_facts(file: str) -> dict[str, Any]:
    """Return everything a result says of itself, JSON-able."""
    from neurosim.record import Result

    result = Result(file)
    provenance = result.provenance
    scenario = provenance.pop("scenario", None) or {}
    return {
        "kind": "result",
        "file": file,
        "scenario": scenario.get("file"),
        "status": result.status,
        "time_ms": result.time_reached,
        "duration_ms": result.duration,
        "dt_ms": result.dt,
        "populations": {name: _population(result, name) for name in result.populations},
        "projections": {
            name: {"from": p.source, "to": p.target, "receptor": p.receptor, **p.info}
            for name, p in result.projections.items()
        },
        "structure": (result.recorded or {}).get("structure", {}),
        "contents": result.contents,
        "checkpoints": [],
        "summary": result.summary,
        "provenance": provenance,
        "messages": result.messages,
    }


def _population(result: Result, name: str) -> dict[str, Any]:
    about = result.populations[name]
    return {
        "model": about.model,
        "parameters": about.parameters,
        "initial": about.size,
        "neurons": int(result.neurons(name).size),
    }


def _show(facts: dict[str, Any]) -> None:
    out = console()
    title = f"[title]{escape(str(facts['file']))}[/]"
    planned = span(facts["duration_ms"])
    if facts["kind"] == "result":
        status = facts["status"]
        colour = {"finished": "good", "failed": "bad", "interrupted": "bad"}.get(status, "unsure")
        out.print(f"{title}  a result, [{colour}]{status}[/], {span(facts['time_ms'])} of {planned}")
    else:
        needs = f"{count(facts['neurons'])} neurons, about {count(facts['synapses'])} synapses"
        out.print(f"{title}  a scenario of {planned}: {needs}, {memory(facts['memory_mb'])}")
    for line in (facts.get("about"), facts.get("source")):
        if line:
            out.print(escape(" ".join(str(line).split())), style="label", soft_wrap=True)
    _show_network(facts)
    if facts["kind"] == "result":
        _show_contents(facts)
    else:
        _show_plan(facts)


def _show_network(facts: dict[str, Any]) -> None:
    out = console()
    table = new_table("population", "model", ">neurons", "parameters")
    for name, about in facts["populations"].items():
        born = about.get("initial", about["neurons"])
        neurons = count(about["neurons"]) + (f" (began with {count(born)})" if born != about["neurons"] else "")
        parameters = ", ".join(f"{key} {_shown(value)}" for key, value in about["parameters"].items())
        table.add_row(escape(name), escape(about["model"]), neurons, f"[label]{escape(parameters)}[/]")
    out.print(table)
    if facts["projections"]:
        synapses = ">synapses at first" if facts["kind"] == "result" else ">synapses"
        table = new_table("projection", "from → to", "receptor", synapses, "learning")
        for name, about in facts["projections"].items():
            ends = f"{about['from']} → {about['to']}"
            number = about.get("synapses")
            shown = "" if number is None else count(number)
            rules = ", ".join(about.get("learning", ()))
            table.add_row(escape(name), escape(ends), about.get("receptor") or "", shown, escape(rules))
        out.print(table)
    if facts["structure"]:
        _show_rules(facts["structure"])


def _show_rules(rules: dict[str, Any]) -> None:
    """Print the structural rules: what they act on, and how often."""
    table = new_table("structural rule", "rule", "acts on", ">every", "parameters")
    for name, about in rules.items():
        limited = {key: value for key, value in about["parameters"].items() if value is not None}
        parameters = ", ".join(f"{key} {_by_population(value)}" for key, value in limited.items())
        code = "; ".join(f"{key}: {' '.join(str(text).split())}" for key, text in about.get("code", {}).items())
        told = ", ".join(part for part in (code, parameters) if part)
        row = (name, about["rule"], ", ".join(about["on"]), span(about["every_ms"]))
        table.add_row(*map(escape, row), f"[label]{escape(told)}[/]")
    console().print(table)


def _by_population(value: object) -> str:
    if isinstance(value, dict):
        return "/".join(f"{_shown(one)} ({name})" for name, one in value.items())
    return _shown(value)


def _show_plan(facts: dict[str, Any]) -> None:
    """Print what a scenario will do, record and expect."""
    out = console()
    for label, number in (("inputs", len(facts["inputs"])), ("protocol", len(facts["protocol"]))):
        if number:
            out.print(f"[label]{label:<12}[/]{number}")
    for text in facts["expect"]:
        out.print(f"[label]{'expects':<12}[/]{escape(str(text))}", soft_wrap=True)
    for text in facts["notes"]:
        out.print(f"[unsure]{'note':<12}[/]{escape(str(text))}", soft_wrap=True)


def _show_contents(facts: dict[str, Any]) -> None:
    out = console()
    table = new_table("recorded", ">rows", ">on disk")
    for stream, size in facts["contents"].items():
        table.add_row(stream, count(size["rows"]), memory(size["bytes"] / 1e6))
    out.print(table)
    provenance = facts["provenance"]
    host, versions = provenance.get("host") or {}, provenance.get("versions") or {}
    rows = {
        "seed": provenance.get("seed"),
        "dt": f"{facts['dt_ms']:g} ms",
        "threads": provenance.get("threads"),
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "machine": f"{host.get('cpu', '')}, {host.get('cores', '?')} cores" if host else None,
        "started": provenance.get("started"),
        "command": provenance.get("command"),
        "hash": facts["summary"].get("hash"),
        "checkpoints": "none",
    }
    for label, value in rows.items():
        if value not in (None, ""):
            out.print(f"[label]{label:<12}[/]{escape(str(value))}", soft_wrap=True)
    for message in facts["messages"]:
        out.print(f"[unsure]{message['level']}[/] {escape(message['text'])}", soft_wrap=True)


def _shown(value: object) -> str:
    """Return a parameter's value; a distribution as it is written, and in short what is listed neuron by neuron."""
    if isinstance(value, (int, float)):
        return f"{value:g}"
    return value if isinstance(value, str) else "differs"
