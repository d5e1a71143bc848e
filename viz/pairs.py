"""What a learning rule does, found out with the engine: with pairs of spikes, and with trains of them.

Every pair or train is a synapse of its own, with a source that fires when it is told to and a target that is made to
fire by a second, static synapse; all of them run in one simulation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.errors import ExpressionError, NeurosimError

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation
    from neurosim.models.rules import BoundRule, ConfiguredRule

Values = NDArray[np.float64]

DT = 0.1  # ms
W_MAX = 1.0  # the upper bound of weights, where a rule reads one
HALF = 0.5  # the weight to begin with, unless said otherwise
D_BOUNDS, D_LEARNED = (1.0, 30.0), 15.0  # ms, where delays learn
_D = 1.0  # ms, elsewhere
_UNITS = ("mV", "pA", "nS", "mV/ms", "")
_STATE = re.compile(r"\b([A-Za-z]\w*)_(?:pre|post)\b")
_FIRST = 200.0  # ms, of the first pair
_TICK = 1.0  # ms, at the multiples of which trains arrive


def code_of(rule: ConfiguredRule) -> str:
    """Everything that a rule says, in one text."""
    declared = rule.rule
    parts = (declared.equations, declared.transmit, *(getattr(declared, event) for event in declared.events))
    return "\n".join(parts)


def stand_in(rule: ConfiguredRule) -> tuple[BoundRule, str]:
    """Bind a rule as if to a projection whose weights have a unit that fits; returns that unit, too.

    Raises what `ConfiguredRule.bind` raises where none fits.
    """
    states = dict.fromkeys(_STATE.findall(code_of(rule)), "mV")
    failure: NeurosimError | None = None
    for unit in _UNITS:
        try:
            return rule.bind(unit, {"weight": (0.0, W_MAX), "delay": D_BOUNDS}, states, states), unit
        except ExpressionError as error:
            failure = failure or error
    assert failure is not None
    raise failure


def reads_bounds(rule: ConfiguredRule) -> bool:
    """Whether steps are in terms of the projection's largest or smallest weight."""
    return re.search(r"\bw_(?:min|max)\b", code_of(rule)) is not None


@dataclass(frozen=True)
class Change:
    """What became of each synapse: its weight (in the unit of weights) and delay (ms), less what they were."""

    weight: Values
    delay: Values


def pairs(
    rule: ConfiguredRule, lags: ArrayLike, weights: ArrayLike = HALF, times: int = 1, rates: ArrayLike = 1.0
) -> Change:
    """Let pairs of spikes act on one synapse each; arguments are broadcast.

    Parameters
    ----------
    lags : time of the target's spike less that of the arrival, ms.
    weights : of the synapses at first.
    times : how many pairs, at ``rates`` (Hz).

    A synapse without spikes is subtracted, so that what a rule does all by itself does not count. A rule that acts
    periodically gets to the end of one period, one that waits for a modulator gets an amount of 1.
    """
    lag, weight, rate = np.broadcast_arrays(*(np.atleast_1d(np.asarray(a, np.float64)) for a in (lags, weights, rates)))
    begin = _FIRST + 1e3 / rate[:, None] * np.arange(times)
    arrivals, fired = [*begin.tolist(), *[[]] * lag.size], [*(begin + lag[:, None]).tolist(), *[[]] * lag.size]
    simulation = _laboratory(rule, arrivals, np.tile(weight, 2), fired)
    simulation.run(float(begin.max() + np.abs(lag).max()) + 20.0)
    if rule.rule.modulator:
        simulation.modulate(rule.rule.modulator, 1.0)
    period = stand_in(rule)[0].period
    if period:
        simulation.run(period - simulation.time % period + DT)
    synapses = simulation.network.projections["learning"]
    grown, later = synapses.weight.values, synapses.delay.values
    n = lag.size
    return Change(grown[:n] - grown[n:], later[:n] - later[n:])


def amplitudes(rule: ConfiguredRule, trains: Sequence[Sequence[float]]) -> list[Values]:
    """What each spike of each train of arrivals (whole ms) transmits, as a share of the weight."""
    simulation = _laboratory(rule, trains, np.full(len(trains), HALF), [[]] * len(trains))
    recorder = simulation.record_state("target", "heard", every=_TICK)
    simulation.run(max(map(max, trains)) + 1.0)
    heard = recorder["heard"].reshape(-1, len(trains)) / HALF
    return [heard[np.round(np.asarray(train) / _TICK).astype(np.intp), k] for k, train in enumerate(trains)]


def course(
    rule: ConfiguredRule, weights: Sequence[float], rates: Sequence[float], shown: Sequence[str], periods: int,
    period: float, moved: ArrayLike | None = None,
) -> list[Values]:  # fmt: skip
    """What synapses without arrivals are like after each of so many periods, shape (periods, synapses) by variable.

    Their targets fire regularly at ``rates`` (Hz). Where ``moved`` is given all weights are set to it at first.
    """
    until = periods * period
    fired = [(np.arange(1, int(rate * until / 1e3)) * 1e3 / rate).tolist() if rate else [] for rate in rates]
    simulation = _laboratory(rule, [[] for _ in weights], np.asarray(weights), fired, dt=min(period, 10.0))
    synapses = simulation.network.projections["learning"]
    if moved is not None:
        synapses.weight[synapses.ids] = np.broadcast_to(moved, len(weights))
    recorder = simulation.record_synapses("learning", list(shown), every=period)
    simulation.run(until)
    return [np.asarray(recorder[name]).reshape(-1, len(weights)) for name in shown]


def _laboratory(
    rule: ConfiguredRule, arrivals: Sequence[Sequence[float]], weights: Values, fired: Sequence[Sequence[float]],
    dt: float = DT,
) -> Simulation:  # fmt: skip
    """A simulation of synapses ``learning``, whose arrivals and whose targets' spikes are at the given times."""
    import neurosim as ns

    unit, n = stand_in(rule)[1], len(arrivals)
    target = ns.models.from_equations(  # its potential is for rules that look at it
        f"dv/dt = (-70.6 mV - v)/(2 ms) : mV\nheard : {unit or 1}\nkick : 1",
        threshold="kick > 0", reset="v = 30 mV", initial={"v": -70.6}, receptors={"plastic": "heard", "kick": "kick"},
        name="target",
    )  # fmt: skip
    network = ns.Network(seed=1)
    delay = D_LEARNED if rule.writes_delay else _D
    source = network.add_population("source", n, ns.models.spike_list(times=_earlier(arrivals, delay)))
    kicks = network.add_population("kicks", n, ns.models.spike_list(times=_earlier(fired, _D)))
    targets = network.add_population("target", n, target)
    network.connect(kicks, targets, "one_to_one", weight=1.0, delay=_D, receptor="kick")
    bounds: dict[str, Any] = {"weight": (0.0, W_MAX)} if reads_bounds(rule) else {}
    bounds |= {"delay": D_BOUNDS} if rule.writes_delay else {}
    network.connect(
        source, targets, "one_to_one", name="learning", weight=weights, delay=delay, receptor="plastic",
        learning=[rule], bounds=bounds, precision="float64",
    )  # fmt: skip
    simulation: Simulation = ns.Simulation(network, dt=dt, threads=1)
    return simulation


def _earlier(trains: Sequence[Sequence[float]], delay: float) -> list[list[float]]:
    return [[time - delay for time in train] for train in trains]
