"""The picture of a neuron model: what it does with a step of current, with any current, and with one spike.

A source has no such answers; its picture shows what it sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import UsageError
from neurosim.viz import trials
from neurosim.viz.sources import draw_source
from neurosim.viz.style import EVENT, FAINT, INK, SOFT, quiet, styled, titled_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurosim.models import ConfiguredModel, NeuronModel

EXC, INH = "#d1495b", "#2f6f9f"
_LINES = ("#8a6d1f", "#2a9d8f", "#8187c9", "#59636e")  # of further variables
_LIVELY = 30.0  # Hz; the step of current makes a neuron fire about so fast


def draw(model: ConfiguredModel) -> Figure:
    """Draw the picture of a model with these parameters. Raises UsageError where there is nothing to see."""
    declared = model.model
    if declared.drive_unit is None:
        return draw_source(model)
    if declared.threshold == "" or not declared.state:
        raise UsageError(f"{declared.name} never fires or has no state, so there is no picture of it.")
    rates, answers = trials.at_rest(model, trials.rates(model))
    trace = trials.step_response(model, _step(rates), rates.held)
    with styled():
        figure = titled_figure(declared.name, declared.summary)
        grid = figure.add_gridspec(
            1, 3, width_ratios=(1.55, 1, 1), wspace=0.33, left=0.075, right=0.985, top=0.80, bottom=0.165
        )
        _paint_trace(figure, grid[0, 0], declared, trace)
        _paint_rates(figure.add_subplot(grid[0, 1]), declared, rates, trace.current)
        _paint_answers(figure, grid[0, 2], declared, answers)
    return figure


def _step(rates: trials.Rates) -> float:
    """A current at which the neuron fires about ``_LIVELY`` Hz, in two digits."""
    firing = np.flatnonzero((rates.steady > 0) & (rates.currents > 0))
    if not firing.size:
        return float(rates.currents[-1])
    best = firing[np.argmin(np.abs(rates.steady[firing] - _LIVELY))]
    return float(f"{rates.currents[best]:.2g}")


def _unit(unit: str) -> str:
    return f" ({unit})" if unit else ""


# ---- a step of current ------------------------------------------------------------------------------


def _paint_trace(figure: Figure, place: Any, model: NeuronModel, trace: trials.Trace) -> None:
    """Draw the main variable, and below it what else a neuron remembers."""
    extra = _further(model, trace)
    heights = (2.6, 1.0) if extra else (1.0,)
    space = 0.14 if len(extra) < 2 else 0.34
    inner = place.subgridspec(len(heights), 1, height_ratios=heights, hspace=space)
    axes = figure.add_subplot(inner[0, 0])
    _paint_main(axes, model, trace)
    last = axes
    if extra:
        last = figure.add_subplot(inner[1, 0], sharex=axes)
        axes.tick_params(axis="x", labelbottom=False)
        for colour, name in zip(_LINES, extra, strict=False):
            last.plot(trace.times, trace.state[name], color=colour, linewidth=1.0, label=name, gid=f"state {name}")
        unit = next(s.unit for s in model.state if s.name == extra[0])
        last.set_ylabel(f"{extra[0]}{_unit(unit)}" if len(extra) == 1 else unit)
        if len(extra) > 1:
            last.legend(
                loc="lower right", bbox_to_anchor=(1.0, 0.9), ncols=4, fontsize=7, handlelength=1.0, columnspacing=1.0,
                borderaxespad=0.0,
            )  # fmt: skip
        last.locator_params(axis="y", nbins=3)
    figure.align_ylabels()
    last.set_xlabel("time (ms)")


def _paint_main(axes: Axes, model: NeuronModel, trace: trials.Trace) -> None:
    """Draw the potential; where a reset cuts spikes off, strokes stand for them."""
    main = trials.main_variable(model)
    unit = next(s.unit for s in model.state if s.name == main)
    values = trace.state[main].copy()
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    cut = main in {statement.target for statement in model.dynamics.reset}
    places = np.clip(np.round(trace.spikes / trials.DT).astype(np.intp), 0, values.size - 1)
    if cut:
        phase = abs(values[places] - values[np.maximum(places - 1, 0)]).max(initial=0.0) > 6.0 and unit == ""
        values[places] = np.nan
        if not phase:
            top = high + 0.22 * (high - low)
            axes.vlines(
                trace.times[places], trace.state[main][np.maximum(places - 1, 0)], top, color=INK, linewidth=1.0,
                gid="spikes",
            )  # fmt: skip
    else:
        axes.plot(
            trace.spikes, np.full(trace.spikes.size, high + 0.1 * (high - low)), linestyle="none", marker="v",
            markersize=3, color=EXC, gid="spikes",
        )  # fmt: skip
    axes.plot(trace.times, values, color=INK, linewidth=1.0, gid=f"state {main}")
    for colour, name in zip(_LINES, _beside(model, trace), strict=False):
        axes.plot(trace.times, trace.state[name], color=colour, linewidth=1.0, label=name, gid=f"state {name}")
        axes.annotate(
            name, (trace.times[0], trace.state[name][0]), xytext=(2, 3), textcoords="offset points", color=colour,
            fontsize=7.5,
        )  # fmt: skip
    axes.set_xlim(trace.times[0], trace.times[-1])
    axes.axvspan(trace.begin, trace.end, color=EVENT, alpha=0.14, linewidth=0, zorder=0)
    axes.set_ylabel(f"{main}{_unit(unit)}")
    what = f"{trace.current:g} {model.drive_unit}" if model.drive_unit else f"drive {trace.current:g}"
    axes.set_title(f"{what} for 300 ms")
    if trace.held:
        held = f"held at {trace.held:.2g} {model.drive_unit}".replace("-", "−")
        axes.set_title(held, loc="right", color=SOFT, fontsize=7.5, fontweight="normal")


def _slow(model: NeuronModel) -> list[str]:
    """Variables besides the main one that no arrival drives."""
    synaptic = {r.variable for r in model.receptors.values()}
    synaptic |= {trials.driven_variable(model, receptor) for receptor in model.receptors}
    return [s.name for s in model.state if s.name not in synaptic and s.name != trials.main_variable(model)]


def _beside(model: NeuronModel, trace: trials.Trace) -> list[str]:
    """Those that can share the main variable's axis: of its unit, and where it is."""
    units = {s.name: s.unit for s in model.state}
    main = trials.main_variable(model)
    low, high = trace.state[main].min(), trace.state[main].max()
    return [n for n in _slow(model) if units[n] == units[main] and low <= np.median(trace.state[n]) <= high]


def _further(model: NeuronModel, trace: trials.Trace) -> list[str]:
    """Those of one unit that get a strip of their own."""
    units = {s.name: s.unit for s in model.state}
    left = [name for name in _slow(model) if name not in _beside(model, trace)]
    return [name for name in left if units[name] == units[left[0]]]


# ---- any current ------------------------------------------------------------------------------------


def _paint_rates(axes: Axes, model: NeuronModel, rates: trials.Rates, shown: float) -> None:
    """Draw the f–I curve, and that of the first interval where the neuron adapts."""
    both = rates.steady > 0
    adapts = bool(np.any(both & (rates.onset > 1.15 * rates.steady + 2.0)))
    top = 1.08 * float(rates.steady.max() or 1.0)
    if adapts:
        top = min(float(np.nanmax(rates.onset[both])), 3.0 * top)
        dashed: dict[str, Any] = {"linewidth": 1.1, "linestyle": (0, (4, 1.5))}
        axes.plot(rates.currents, rates.onset, color=INH, label="first interval", gid="onset", **dashed)
    axes.plot(rates.currents, rates.steady, color=EXC, label="after 1 s", gid="rates")
    axes.axvline(shown, color=EVENT, linewidth=1.0, zorder=0)
    if adapts:
        axes.legend(
            loc="upper left", fontsize=7, handlelength=1.8, borderaxespad=0.0, frameon=True, edgecolor="none",
            framealpha=0.9,
        )  # fmt: skip
        top *= 1.2
    axes.set_xlim(rates.currents[0], rates.currents[-1])
    axes.set_ylim(0, top)
    axes.set_xlabel(f"current{_unit(model.drive_unit or '')}")
    axes.set_ylabel("rate (Hz)")
    axes.set_title("Rate over current")
    axes.locator_params(nbins=5)
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.7)


# ---- one spike --------------------------------------------------------------------------------------


def _paint_answers(figure: Figure, place: Any, model: NeuronModel, found: list[trials.Answer]) -> None:
    """Draw what one arriving spike does: to the synaptic current, and to the potential."""
    main = trials.main_variable(model)
    units = {s.name: s.unit for s in model.state}
    own = [a for a in found if a.drive_name != main]
    rows = (1.0, 1.35) if own else (1.0,)
    inner = place.subgridspec(len(rows), 1, height_ratios=rows, hspace=0.14)
    lower = figure.add_subplot(inner[-1, 0])
    if own:
        upper = figure.add_subplot(inner[0, 0], sharex=lower)
        upper.tick_params(axis="x", labelbottom=False)
        for answer in own:
            upper.plot(answer.times, answer.drive, color=_colour(answer), gid=f"drive {answer.receptor}")
        upper.set_ylabel(units[own[0].drive_name] or "drive")
        upper.locator_params(axis="y", nbins=3)
    top = upper if own else lower
    top.set_title("One spike")
    for answer in found:
        label = f"{answer.receptor}, {answer.weight:g} {answer.unit}".replace("-", "−")
        lower.plot(answer.times, answer.potential, color=_colour(answer), label=label, gid=f"answer {answer.receptor}")
    lower.set_ylabel(f"Δ{main}{_unit(units[main])}")
    lower.set_xlabel("time after arrival (ms)")
    lower.set_xlim(-4, max(_length(answer) for answer in found))
    lower.locator_params(axis="y", nbins=4)
    for axes in {top, lower}:
        axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    low, high = lower.get_ylim()
    lower.set_ylim(low, high + 0.1 * (high - low))
    lower.legend(loc="upper right", fontsize=7, handlelength=1.0, borderaxespad=0.0, labelspacing=0.25)
    figure.align_ylabels([top, lower])
    quiet(lower)


def _colour(answer: trials.Answer) -> str:
    return INH if answer.receptor.startswith("inh") else EXC


def _length(answer: trials.Answer) -> float:
    """How long the answer is worth looking at, ms."""
    size = np.abs(answer.potential)
    last = float(answer.times[np.flatnonzero(size > 0.05 * size.max())[-1]]) if size.max() > 0 else 20.0
    return float(np.clip(10.0 * np.ceil(last / 10.0), 20.0, answer.times[-1]))
