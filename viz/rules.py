"""The picture of a learning rule: what pairs do, what trains transmit, or what becomes of a weight in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UsageError
from neurosim.viz import pairs, slow_rules
from neurosim.viz.style import FAINT, INK, SOFT, note, styled, titled_figure
from neurosim.viz.words import span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurosim.models.rules import ConfiguredRule

UP, DOWN = "#d1495b", "#2f6f9f"  # arrival first; target first
_SHADES = ("#e8a33d", "#d1495b", "#5e1a54")  # of small, middle and large weights
_LAGS = np.concatenate([np.arange(-80.0, 0.0, 2.0), [-0.1, 0.0], np.arange(2.0, 81.0, 2.0)])
_SHARES = (0.1, 0.5, 0.9)  # of the weights to begin with
_MANY, _LAG = 60, 10.0  # pairs in a series, and their lag in ms
_TRAIN, _LATE = 8, 500.0  # spikes of a train, and ms until another one
#: Parameters with which a rule looks different, beside its defaults.
_OTHERS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "tsodyks_markram": {"facilitating": {"U": 0.03, "tau_rec": 130.0, "tau_facil": 530.0}}  # of the same paper
}


def draw(rule: ConfiguredRule) -> Figure:
    """Draw the picture of a rule with these parameters. Raises UsageError where pairs and trains say nothing of it."""
    declared = rule.rule
    with styled():
        if declared.transmit.strip():
            return _draw_trains(rule)
        if declared.every.strip() and not declared.on_arrival.strip():
            figure, axes = _panels(rule)
            slow_rules.draw(rule, axes)
            return figure
        if declared.on_arrival.strip() or declared.on_post.strip():
            return _draw_pairs(rule)
    raise UsageError(f"{rule.name} has no code for arrivals or for the target's spikes, so there is no picture of it.")


def _panels(rule: ConfiguredRule) -> tuple[Figure, list[Axes]]:
    figure = titled_figure(rule.name, rule.rule.summary)
    figure.subplots_adjust(left=0.085, right=0.985, top=0.80, bottom=0.165, wspace=0.33)
    return figure, list(figure.subplots(1, 3, width_ratios=(1.4, 1, 1)))


# ---- pairs ------------------------------------------------------------------------------------------


def _draw_pairs(rule: ConfiguredRule) -> Figure:
    figure, (left, middle, right) = _panels(rule)
    scale, unit = (100.0 / pairs.W_MAX, "% of w_max") if pairs.reads_bounds(rule) else (100.0, "% of the weight")
    relative = not pairs.reads_bounds(rule)
    shares, windows = _windows(rule, relative)
    _paint_window(left, shares, scale * windows, relative)
    left.set_ylabel(f"change ({unit})")
    period = pairs.stand_in(rule)[0].period
    left.set_title("One pair" + (f", a period of {span(period)} later" if period else ""))
    if rule.writes_delay:
        _paint_delays(middle, rule)
    else:
        _paint_sizes(middle, rule, scale, unit, relative)
    _paint_series(right, rule, scale, unit, relative)
    return figure


def _windows(rule: ConfiguredRule, relative: bool) -> tuple[tuple[float, ...], NDArray[np.float64]]:
    """Windows at the weights at which they differ, shape (weights, lags); of the middle one if they do not."""
    weights = np.repeat(_SHARES, _LAGS.size)
    change = pairs.pairs(rule, np.tile(_LAGS, len(_SHARES)), weights).weight / (weights if relative else 1.0)
    windows = change.reshape(len(_SHARES), -1)
    size = np.abs(windows).max()
    if size == 0.0 or np.abs(windows - windows[1]).max() < 0.02 * size:
        return (), windows[1:2]
    return _SHARES, windows


def _paint_window(axes: Axes, shares: tuple[float, ...], windows: NDArray[np.float64], relative: bool) -> None:
    before, after = _LAGS < 0, _LAGS >= 0
    names = [f"weight {share:g}" + ("" if relative else " w_max") for share in shares]
    if not windows.any():
        note(axes, "single pairs change nothing")
    for k, window in enumerate(windows):
        for side, colour in ((before, DOWN), (after, UP)):
            shade = _SHADES[k] if shares else colour
            label = names[k] if shares and side is after else None
            axes.plot(_LAGS[side], window[side], color=shade, label=label, gid=f"window {k} {'+-'[side is before]}")
            if not shares:
                axes.fill_between(_LAGS[side], 0, window[side], color=colour, alpha=0.15, linewidth=0)
    if shares:
        axes.legend(loc="upper left", fontsize=7, handlelength=1.2, borderaxespad=0.1)
    _cross(axes)
    axes.set_xlim(-80, 80)
    axes.set_xlabel("spike of the target − arrival (ms)")


def _cross(axes: Axes) -> None:
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.locator_params(axis="y", nbins=5)


def _paint_delays(axes: Axes, rule: ConfiguredRule) -> None:
    change = 1e3 * pairs.pairs(rule, _LAGS).delay
    for side, colour in ((_LAGS < 0, DOWN), (_LAGS >= 0, UP)):
        axes.plot(_LAGS[side], change[side], color=colour, gid=f"delays {'+-'[colour is DOWN]}")
        axes.fill_between(_LAGS[side], 0, change[side], color=colour, alpha=0.15, linewidth=0)
    _cross(axes)
    axes.set_xlim(-80, 80)
    axes.set_title("Delay, one pair")
    axes.set_xlabel("target − arrival (ms)")
    axes.set_ylabel("change of delay (µs)")


def _sides() -> tuple[tuple[float, str, str], ...]:
    return ((_LAG, UP, f"arrival {_LAG:g} ms before"), (-_LAG, DOWN, f"arrival {_LAG:g} ms after"))


def _paint_sizes(axes: Axes, rule: ConfiguredRule, scale: float, unit: str, relative: bool) -> None:
    """Draw how the change by a pair depends on the weight."""
    weights = np.linspace(0.05, 0.95, 19)
    for lag, colour, label in _sides():
        change = pairs.pairs(rule, lag, weights).weight / (weights if relative else 1.0)
        axes.plot(weights, scale * change, color=colour, label=label, gid=f"sizes {lag:g}")
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.set_xlim(0, 1)
    axes.set_title("Over the weight")
    axes.set_xlabel("weight before" if relative else "weight before (share of w_max)")
    axes.set_ylabel(f"change ({unit})")
    _keyed(axes)


def _paint_series(axes: Axes, rule: ConfiguredRule, scale: float, unit: str, relative: bool) -> None:
    """Draw what a series of pairs does, over its rate."""
    rates = np.array([1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0])
    for lag, colour, label in _sides():
        change = pairs.pairs(rule, lag, times=_MANY, rates=rates).weight / (pairs.HALF if relative else 1.0)
        axes.plot(rates, scale * change, color=colour, marker="o", markersize=2.6, label=label, gid=f"series {lag:g}")
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.set_xlim(0, 52)
    axes.set_title(f"{_MANY} pairs")
    axes.set_xlabel("pairs per second (Hz)")
    axes.set_ylabel(f"change ({unit})")
    _keyed(axes)


def _keyed(axes: Axes) -> None:
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.28 * (high - low))
    axes.locator_params(axis="y", nbins=5)
    axes.legend(loc="upper left", fontsize=7, handlelength=1.2, borderaxespad=0.1, labelspacing=0.25)


# ---- trains -----------------------------------------------------------------------------------------


def _draw_trains(rule: ConfiguredRule) -> Figure:
    figure, (left, middle, right) = _panels(rule)
    shown = {"defaults" if rule == rule.rule() else "as given": rule}
    shown |= {name: rule.rule(**values) for name, values in _OTHERS.get(rule.name, {}).items()}
    colours = (UP, DOWN, INK)
    _paint_train(left, shown, colours)
    _paint_numbers(middle, rule)
    _paint_stationary(right, shown, colours)
    return figure


def _train(rate: float, spikes: int) -> list[float]:
    return [20.0 + round(1e3 / rate) * k for k in range(spikes)]


def _paint_train(axes: Axes, shown: Mapping[str, ConfiguredRule], colours: tuple[str, ...]) -> None:
    """Draw what each spike of a train transmits, and a late one."""
    times = _train(20.0, _TRAIN)
    times.append(times[-1] + _LATE)
    for k, ((name, rule), colour) in enumerate(zip(shown.items(), colours, strict=False)):
        heights = pairs.amplitudes(rule, [times])[0]
        places = np.asarray(times) + 9.0 * (k - (len(shown) - 1) / 2)
        axes.vlines(places, 0, heights, color=colour, linewidth=2.4, label=name, gid=f"train {k}")
    axes.set_ylim(0, None)
    axes.set_xlim(0, times[-1] + 30.0)
    axes.set_title("Spikes at 20 Hz, and a late one")
    axes.set_xlabel("time (ms)")
    axes.set_ylabel("transmitted (share of weight)")
    if len(shown) > 1:
        axes.legend(loc="upper right", fontsize=7, handlelength=1.2, borderaxespad=0.1, bbox_to_anchor=(0.94, 1.0))


def _paint_numbers(axes: Axes, rule: ConfiguredRule) -> None:
    rates = (5.0, 20.0, 50.0)
    found = pairs.amplitudes(rule, [_train(rate, 10) for rate in rates])
    for rate, heights, colour in zip(rates, found, _SHADES, strict=True):
        numbers = np.arange(1, heights.size + 1)
        label = f"{rate:g} Hz"
        axes.plot(numbers, heights, color=colour, marker="o", markersize=2.8, label=label, gid=f"rate {label}")
    axes.set_ylim(0, None)
    axes.set_xticks([1, 4, 7, 10])
    axes.set_title("With the defaults" if rule == rule.rule() else "Spike by spike")
    axes.set_xlabel("spike of the train")
    axes.legend(loc="upper right", fontsize=7, handlelength=1.2, borderaxespad=0.1)


def _paint_stationary(axes: Axes, shown: Mapping[str, ConfiguredRule], colours: tuple[str, ...]) -> None:
    """Draw what a spike transmits when a train has gone on for long."""
    rates = 1e3 / np.array([2000, 1000, 500, 300, 200, 150, 100, 70, 50, 35, 25, 18, 14, 12, 10])
    trains = [_train(rate, max(round(4.0 * rate), 8)) for rate in rates]
    for k, ((name, rule), colour) in enumerate(zip(shown.items(), colours, strict=False)):
        last = [heights[-1] for heights in pairs.amplitudes(rule, trains)]
        axes.plot(rates, last, color=colour, label=name, gid=f"stationary {k}")
    axes.set_ylim(0, None)
    axes.set_xscale("log")
    axes.set_xticks([1, 10, 100], ["1", "10", "100"])
    axes.set_title("In a long train")
    axes.set_title("last spike", loc="right", color=SOFT, fontsize=7.5, fontweight="normal")
    axes.set_xlabel("rate of the train (Hz)")
