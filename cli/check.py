"""``neurosim check``: find every mistake in a scenario without running it."""

from __future__ import annotations

import click
from rich.markup import escape

from neurosim.cli._console import console, print_json
from neurosim.cli._exits import INVALID, say_error
from neurosim.errors import InvalidInput, ScenarioError
from neurosim.viz.words import count, memory, span


@click.command("check", short_help="Find every mistake in scenarios, and say how much memory they need.")
@click.argument("scenarios", metavar="SCENARIO…", nargs=-1, required=True)
@click.option("--set", "settings", metavar="PATH=VALUE", multiple=True, help="Change a value, as for `run`.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(scenarios: tuple[str, ...], settings: tuple[str, ...], as_json: bool) -> int:
    """Check SCENARIO… without running: all mistakes at once, each as `file:line: message`."""
    reports = [_check(file, settings) for file in scenarios]
    if as_json:
        print_json({"valid": all(report["valid"] for report in reports), "scenarios": reports})
    else:
        for report in reports:
            _show(report)
    return 0 if all(report["valid"] for report in reports) else INVALID


def _check(file: str, settings: tuple[str, ...]) -> dict[str, object]:
    """Return what there is to say about one scenario; mistakes are part of it, not an exception."""
    from neurosim.scenario import load, size

    try:
        scenario = load(file, settings)
    except ScenarioError as failure:
        problems = [{"file": p.file, "line": p.line, "path": p.path, "message": p.message} for p in failure.problems]
        return {"file": file, "valid": False, "problems": problems, "text": str(failure)}
    except InvalidInput as failure:
        problem = {"file": file, "line": None, "path": "", "message": str(failure)}
        return {"file": file, "valid": False, "problems": [problem], "text": str(failure)}
    needs = size(scenario)
    return {
        "file": file,
        "valid": True,
        "problems": [],
        "notes": scenario.notes,
        "duration_ms": scenario.duration,
        "neurons": sum(needs.neurons.values()),
        "synapses": round(sum(needs.synapses.values())),
        "memory_mb": needs.memory / 1e6,
    }


def _show(report: dict[str, object]) -> None:
    """Print a line for a valid scenario; the problems of another go to stderr."""
    if not report["valid"]:
        say_error(str(report["text"]))
        return
    out = console()
    numbers = {key: float(str(report[key])) for key in ("neurons", "synapses", "memory_mb", "duration_ms")}
    out.print(
        f"[good]✓[/] {escape(str(report['file']))}: {span(numbers['duration_ms'])}, "
        f"{count(numbers['neurons'])} neurons, about {count(numbers['synapses'])} synapses; "
        f"needs about {memory(numbers['memory_mb'])}",
        soft_wrap=True,
    )
    notes = report["notes"]
    for note in notes if isinstance(notes, list) else []:
        out.print(f"  [unsure]note[/] {escape(str(note))}", soft_wrap=True)
