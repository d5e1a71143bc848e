"""The picture of a structural rule: how many there are over time, who is there before and after, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.viz.structure import BORN, LOST, MOMENTS
from neurosim.viz.structure_trials import LOOKS, SETTINGS, Setting, Trial, observe, stand_in
from neurosim.viz.style import EVENT, FAINT, INK, SOFT, styled, titled_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurosim.models.structural import StructuralRule

_AGES = 60.0  # s, that maturation is shown over


def draw(rule: StructuralRule) -> Figure:
    """Draw the picture of a rule, in its setting of `structure_trials`."""
    with styled():
        figure = titled_figure(rule.name, rule.summary)
        figure.subplots_adjust(left=0.075, right=0.985, top=0.80, bottom=0.165, wspace=0.33)
        if rule.update.strip():
            _paint_update(figure.subplots(1, 1), rule)
            return figure
        left, middle, right = figure.subplots(1, 3, width_ratios=(1.4, 1, 1))
        setting, trial = SETTINGS.get(rule.name, Setting()), observe(rule)
        _paint_numbers(left, rule, trial)
        _paint_looked(middle, rule, setting, trial)
        if rule.offers_pre.strip():
            _paint_growth(right, rule, setting)
        elif trial.deaths[-1] and trial.first[0]:
            _paint_first(right, rule, trial)
        else:
            _paint_rate(right, trial)
    return figure


def _things(rule: StructuralRule) -> str:
    return "neurons" if rule.of_neurons else "synapses"


def _paint_numbers(axes: Axes, rule: StructuralRule, trial: Trial) -> None:
    """Draw how many there are, and how many were born and died in all."""
    for values, colour, label, dashes in (
        (trial.sizes, INK, "there", "-"), (trial.births, BORN, "born", "-"), (trial.deaths, LOST, "died", (0, (3, 2)))
    ):  # fmt: skip
        if values.any():
            axes.plot(trial.times, values, color=colour, linestyle=dashes, label=label, gid=f"numbers {label}")
    axes.set_xlim(0, trial.times[-1])
    axes.set_ylim(0, 1.25 * max(float(trial.sizes.max()), float(trial.births.max()), float(trial.deaths.max()), 1.0))
    axes.set_title(_things(rule).capitalize())
    axes.set_xlabel("time (s)")
    axes.set_ylabel(f"number of {_things(rule)}")
    axes.legend(loc="upper left", ncols=3, fontsize=7, handlelength=1.2, columnspacing=1.2, borderaxespad=0.1)


def _paint_looked(axes: Axes, rule: StructuralRule, setting: Setting, trial: Trial) -> None:
    """Draw who is there at the beginning, in the middle and at the end."""
    everything = np.concatenate(trial.looked)
    top = float(everything.max(initial=0.0)) or 1.0
    edges = np.linspace(0.0, top * 1.0001, 26)
    for values, colour, label in zip(trial.looked, MOMENTS, ("beginning", "middle", "end"), strict=True):
        if setting.look == "age" and label == "beginning":  # nobody is older than 0
            continue
        counts = np.histogram(values, edges)[0]
        axes.stairs(counts, edges, color=colour, linewidth=1.2, label=label, gid=f"looked {label}")
    axes.set_xlim(0, edges[-1])
    high = axes.get_ylim()[1]
    axes.set_ylim(0, high * 1.3)
    axes.set_title("Then and now")
    axes.set_xlabel(LOOKS[setting.look][0])
    axes.set_ylabel("neurons" if setting.look == "rate" else _things(rule))
    axes.legend(loc="upper right", fontsize=7, handlelength=1.2, borderaxespad=0.1, labelspacing=0.25)


def _paint_growth(axes: Axes, rule: StructuralRule, setting: Setting) -> None:
    """Draw how fast elements grow, over the rate of the neuron."""
    bound = stand_in(rule, **setting.given)
    dynamics = bound.dynamics["neurons"]
    (trace,), integral = dynamics.traces, dynamics.integrals[0]
    target = dynamics.constants["target_rate"]
    rates = np.linspace(0.0, 2.0 * target, 201)
    change = integral.change.evaluate(_only(integral.change.names, {**dynamics.constants, trace.name: rates}))
    axes.plot(rates, 1e3 * np.asarray(change), color=INK, gid="growth")
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.axvline(target, color=EVENT, linewidth=1.0, zorder=0)
    axes.set_xlim(0, rates[-1])
    axes.set_title("Growth")
    axes.set_title("line: target", loc="right", color=SOFT, fontsize=7.5, fontweight="normal")
    axes.set_xlabel("rate, by calcium (Hz)")
    axes.set_ylabel("elements per second")


def _only(names: Iterable[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in names}


def _paint_first(axes: Axes, rule: StructuralRule, trial: Trial) -> None:
    """Draw how many of those that were there at the beginning are left."""
    axes.plot(trial.times, 100.0 * trial.first / max(trial.first[0], 1.0), color=INK, gid="first")
    axes.set_xlim(0, trial.times[-1])
    axes.set_ylim(0, 105)
    axes.set_title(f"The first {_things(rule)}")
    axes.set_xlabel("time (s)")
    axes.set_ylabel("still there (%)")


def _paint_rate(axes: Axes, trial: Trial) -> None:
    axes.plot(trial.times[1:], trial.rate[1:], color=INK, gid="rate")
    axes.set_xlim(0, trial.times[-1])
    axes.set_ylim(0, None)
    axes.set_title("Activity")
    axes.set_xlabel("time (s)")
    axes.set_ylabel("mean rate (Hz)")


def _paint_update(axes: Axes, rule: StructuralRule) -> None:
    """Draw what a rule of maturation sets, over the age of a neuron."""
    bound = stand_in(rule)
    constants, ages = bound.constants["neurons"], np.linspace(0.0, 1e3 * _AGES, 301)
    for statement in bound.updates:
        expression = statement.expression
        known = {**constants, "age": ages}
        if statement.local or not expression.names <= set(known):
            continue
        values = np.broadcast_to(expression.evaluate(_only(expression.names, known)), ages.shape)
        axes.plot(1e-3 * ages, values, color=INK, gid=f"update {statement.target}")
        population = bound.population
        unit = "" if population is None else population.variables.get(statement.target, "")
        axes.set_ylabel(f"{statement.target}{f' ({unit})' if unit else ''}")
    axes.set_xlim(0, _AGES)
    axes.set_title("Maturation")
    axes.set_xlabel("age (s)")
