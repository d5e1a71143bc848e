"""One page that says what a run was and what came of it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neurosim.viz import distributions, raster, rates, structure
from neurosim.viz.activity import Run, read
from neurosim.viz.facts import Column, new_column, verdict
from neurosim.viz.style import BAD, PENDING, SOFT, new_figure, styled
from neurosim.viz.words import count, measured, span

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neurosim.record.result import Result

WIDTH, HEIGHT = 11.69, 8.27  # A4, landscape
_LEFT, _RIGHT = 0.088, 0.735  # where the pictures begin and end; facts stand right of them
_FACTS = (0.79, 0.97)
POPULATIONS = 9  # rows of the population table


def draw(result: Result) -> Figure:
    """Draw the summary page of a result."""
    run = read(result)
    facts = result.summary
    with styled():
        figure = new_figure(WIDTH, HEIGHT)
        _title(figure, run, facts)
        many = len(run.activities) > rates.LINES
        lively = bool(run.changes)
        page = figure.add_gridspec(
            2,
            2,
            left=_LEFT,
            right=_RIGHT,
            top=0.845,
            bottom=0.075,
            hspace=0.3,
            wspace=0.28,
            height_ratios=[3.6 if lively else 2.75, 1.0],
        )
        shares = ([1.2, 1.0] if many else [2.1, 1.0]) + [0.62] * lively
        upper = page[0, :].subgridspec(len(shares), 1, height_ratios=shares, hspace=0.36 if lively else 0.2)
        spikes = figure.add_subplot(upper[0])
        bands = raster.paint(spikes, run)
        spikes.set_xlabel("")
        spikes.tick_params(labelbottom=False)
        spikes.annotate(
            raster.caption(bands),
            (1, 1),
            xycoords="axes fraction",
            xytext=(0, 18),
            ha="right",
            textcoords="offset points",
            color=SOFT,
            fontsize=7.5,
        )
        spikes.set_title("Spikes", pad=16)
        activity = figure.add_subplot(upper[1], sharex=spikes)
        width = rates.paint(activity, run)
        activity.set_title("Population rate")
        activity.annotate(
            f"in bins of {span(width)}",
            (0, 1),
            xycoords="axes fraction",
            xytext=(90, 8),
            textcoords="offset points",
            color=SOFT,
            fontsize=7.5,
        )
        if lively:
            activity.set_xlabel("")
            activity.tick_params(labelbottom=False)
            changes = figure.add_subplot(upper[2], sharex=spikes)
            structure.paint(changes, run, any(change.synapses for change in run.changes), strip=True)
        distributions.paint_rates(figure.add_subplot(page[1, 0]), run)
        distributions.paint_irregularity(figure.add_subplot(page[1, 1]), run)
        _facts(figure, run, facts)
    return figure


def _title(figure: Figure, run: Run, facts: Mapping[str, Any]) -> None:
    figure.text(0.03, 0.965, run.name, fontsize=17, fontweight="bold", va="top")
    about = textwrap.shorten(run.about, 150, placeholder=" …")
    figure.text(0.03, 0.921, about, fontsize=9.5, color=SOFT, va="top")
    if run.status != "finished":
        how = "still running:" if run.status == "running" else f"{run.status} at"
        figure.text(
            _FACTS[1],
            0.962,
            f"{how} {span(run.duration)} of {span(run.planned)}",
            fontsize=9.5,
            color=PENDING if run.status == "running" else BAD,
            fontweight="bold",
            ha="right",
            va="top",
        )


def _facts(figure: Figure, run: Run, facts: Mapping[str, Any]) -> None:
    left, right = _FACTS
    column = new_column(figure.add_axes((left, 0.03, right - left, 0.845)))
    _network(column, run, facts)
    _populations(column, run, facts.get("rate_hz") or {})
    _speed(column, facts)
    _expectations(column, facts.get("expect") or [])


def _network(column: Column, run: Run, facts: Mapping[str, Any]) -> None:
    column.heading("Run")
    column.row("simulated", span(run.duration))
    births, deaths = facts.get("births") or {}, facts.get("deaths") or {}
    for what in ("neurons", "synapses"):
        if facts.get(what) is not None:
            column.row(what, count(facts[what]))
        if births.get(what) or deaths.get(what):
            column.row("   born, lost", f"{count(births.get(what, 0))}, {count(deaths.get(what, 0))}")
    column.row("spikes", count(facts.get("spikes", sum(a.times.size for a in run.activities))))
    if facts.get("seed") is not None:
        column.row("seed", str(facts["seed"]))


def _populations(column: Column, run: Run, known: Mapping[str, float]) -> None:
    column.heading("Mean rate")
    for activity in run.activities[:POPULATIONS]:
        if not activity.recorded:
            column.row(activity.name, "not recorded")
            continue
        rate = known.get(activity.name, activity.rate)  # the run knew every life, whatever it wrote down
        column.row(activity.name, f"{rate:.3g} Hz", activity.colour)
    left_out = len(run.activities) - POPULATIONS
    if left_out > 0:
        column.remark(f"and {left_out} more populations")


def _speed(column: Column, facts: Mapping[str, Any]) -> None:
    if not facts.get("sim_s"):
        return
    column.heading("Speed")
    column.row("wall time", span(facts["sim_s"] * 1e3))
    if facts.get("rtf"):
        column.row("real-time factor", f"{facts['rtf']:.3g}")
    if facts.get("events_per_s"):
        column.row("synaptic events", f"{count(facts['events_per_s'])}/s")
    if facts.get("threads"):
        column.row("threads", str(facts["threads"]))


def _expectations(column: Column, expected: list[Mapping[str, Any]]) -> None:
    if not expected:
        return
    column.heading("Expected")
    for index, outcome in enumerate(expected):
        first, *more = textwrap.wrap(_unbroken(str(outcome.get("text", ""))), 34) or [""]
        if column.room < len(more) + 3 and index < len(expected) - 1:
            column.remark(f"and {len(expected) - index} more")
            return
        sign, colour = verdict(outcome)
        column.remark(f"{sign} {first}", colour, 7.8)
        for line in more:
            column.remark(f"    {line}", colour, 7.8)
        for line in textwrap.wrap(_unbroken(measured(outcome)), 36):
            column.remark(f"    {line}")


def _unbroken(text: str) -> str:
    """Keep every number with its unit when lines are broken."""
    return re.sub(r"(\d) (?=[a-zA-Z]{1,3}\b)", "\\1\u00a0", text)
