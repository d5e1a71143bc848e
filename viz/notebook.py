"""What a notebook shows of a result: its summary picture, and its facts as a table that can be read and copied."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

from neurosim.viz.style import BAD, GOOD, PENDING, SOFT
from neurosim.viz.words import count, measured, memory, sign, span

if TYPE_CHECKING:
    from neurosim.record.result import Result

DPI = 110


def html(result: Result) -> str:
    """Return a result as HTML that needs nothing from outside."""
    from neurosim.viz import summary
    from neurosim.viz.style import styled

    file = io.BytesIO()
    with styled():
        summary.draw(result).savefig(file, format="png", dpi=DPI)
    picture = base64.b64encode(file.getvalue()).decode("ascii")
    rows = "".join(
        f'<tr><th style="text-align:left;font-weight:normal;color:{SOFT}">{escape(label)}</th>'
        f'<td style="text-align:left;color:{colour}">{escape(value)}</td></tr>'
        for label, value, colour in facts(result)
    )
    return (
        f'<img alt="summary of {escape(result.path.name)}" style="max-width:100%" '
        f'src="data:image/png;base64,{picture}"/>'
        f"<table>{rows}</table>"
    )


def facts(result: Result) -> list[tuple[str, str, str]]:
    """Return what a run did, as rows of a label, a value and a colour."""
    told = result.summary
    rows: list[tuple[str, str, str]] = []

    def add(label: str, value: Any, colour: str = "inherit") -> None:
        if value not in (None, ""):
            rows.append((label, str(value), colour))

    reached, planned = span(result.time_reached), span(result.duration)
    status = result.status
    looks = {"finished": GOOD, "running": PENDING}
    add("file", result.path)
    add("status", status if status == "finished" else f"{status}, {reached} of {planned}", looks.get(status, BAD))
    add("simulated", reached)
    for what in ("neurons", "synapses"):
        if told.get(what) is not None:
            born, lost = ((told.get(key) or {}).get(what, 0) for key in ("births", "deaths"))
            add(what, count(told[what]) + (f" ({count(born)} born, {count(lost)} lost)" if born or lost else ""))
    if told.get("spikes") is not None:
        add("spikes", count(told["spikes"]))
    add("rates", ", ".join(f"{name} {rate:.3g} Hz" for name, rate in (told.get("rate_hz") or {}).items()))
    add("seed", told.get("seed"))
    if told.get("sim_s"):
        add("wall time", f"{span(told['sim_s'] * 1e3)}, {memory(told.get('peak_rss_mb') or 0.0)} at most")
    for outcome in told.get("expect") or []:
        colour = {"held": GOOD, "failed": BAD}.get(str(outcome.get("status")), PENDING)
        add(f"{sign(outcome)} {outcome.get('text', '')}", measured(outcome), colour)
    return rows
