"""What ``neurosim run`` says when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from neurosim.cli._console import console, new_table
from neurosim.cli._exits import INTERRUPTED, UNEXPECTED, say
from neurosim.viz.words import count, measured, memory, sign, span

if TYPE_CHECKING:
    from neurosim.record import Result

_STYLES = {"held": "good", "failed": "bad"}


def show_run(summary: Mapping[str, Any], result: Result) -> None:
    """Print what a run did: the network, its activity, its speed, whether its expectations held, what next."""
    out = console()
    out.print()
    out.print(f"[title]{escape(str(summary['scenario']))}[/]  {_speed(summary)}", soft_wrap=True)
    out.print()
    _show_populations(summary, result)
    facts = {
        "synapses": _changed(summary, "synapses"),
        "neurons": _changed(summary, "neurons"),
        "spikes": f"{count(summary['spikes'])}, {count(summary['events'])} synaptic events{_per_second(summary)}",
        "time": " · ".join(
            f"{what} {span(1e3 * summary[key])}"
            for what, key in (("compile", "compile_s"), ("build", "build_s"), ("run", "sim_s"))
        ),
        "machine": f"{_number(summary['threads'], 'thread')}, {memory(summary['peak_rss_mb'])} at most",
    }
    for label, value in facts.items():
        out.print(f"[label]{label:<10}[/]{value}", soft_wrap=True)
    if summary["expect"]:
        out.print()
    for outcome in summary["expect"]:
        style = _STYLES.get(outcome["status"], "unsure")
        note = f" ({outcome['note']})" if outcome.get("note") else ""
        line = f"{escape(outcome['text'])}: {measured(outcome)}{escape(note)}"
        out.print(f"[{style}]{sign(outcome)}[/] {line}", soft_wrap=True)
    out.print()
    path = escape(str(result.path))
    out.print(f"[label]{'result':<10}[/][path]{path}[/]", soft_wrap=True)
    out.print(f"[label]{'next':<10}[/][command]neurosim plot {path}[/]", soft_wrap=True)


def _speed(summary: Mapping[str, Any]) -> str:
    """Say how long it simulated and how long that took."""
    words = f"{span(summary['duration_ms'])} in {span(1e3 * summary['sim_s'])}"
    factor = summary.get("rtf")
    if not factor:
        return words
    how = f"{1 / factor:.3g}× faster" if factor < 1 else f"{factor:.3g}× slower"
    return f"{words}, {how} than real time"


def _show_populations(summary: Mapping[str, Any], result: Result) -> None:
    table = new_table("population", "model", ">neurons", ">rate")
    for name, about in result.populations.items():
        rate = summary["rate_hz"].get(name)
        table.add_row(escape(name), escape(about.model), count(about.size), "" if rate is None else f"{rate:.3g} Hz")
    console().print(table)
    console().print()


def _changed(summary: Mapping[str, Any], what: str) -> str:
    born, lost = summary["births"].get(what, 0), summary["deaths"].get(what, 0)
    return count(summary[what]) + (f", {count(born)} born, {count(lost)} lost" if born or lost else "")


def _per_second(summary: Mapping[str, Any]) -> str:
    return f" ({count(summary['events_per_s'])}/s)" if summary.get("events_per_s") else ""


def _number(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def finish_run(
    summary: Mapping[str, Any], result: Result, interrupted: Exception | None = None, as_json: bool = False
) -> int:
    """Return the exit code, with a last word where something did not go as hoped."""
    for message in result.messages:
        said = message["text"].endswith("not evaluated") and not as_json  # it stands in the report
        if message["level"] in ("warning", "error") and not said:
            say(f"{message['level']}: {message['text']}", "yellow")
    if interrupted is not None:
        say(str(interrupted), "yellow")
        return INTERRUPTED
    failed = [outcome for outcome in summary.get("expect", ()) if outcome["status"] == "failed"]
    if failed:
        say(f"{len(failed)} of {len(summary['expect'])} expectations did not hold", "red")
    return UNEXPECTED if failed else 0
