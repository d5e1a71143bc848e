"""What a structural rule does, found out with the engine: in a small network whose neurons fire at different rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from neurosim.graph.network import Network
    from neurosim.graph.structure import BoundStructure
    from neurosim.models.structural import StructuralRule

Values = NDArray[np.float64]

DT = 0.1  # ms
_CHUNKS = 100  # looks at a trial
_SHADES = 20  # groups of neurons with different inputs
_MODELS = ("lif_delta", "lif_cond_exp")  # one of them has what a rule reads of neurons


def small_network(size: int, model: str, outdegree: int) -> Network:
    """A population ``neurons``, joined by a projection ``synapses`` with weights from 0 to 1 of its unit."""
    from neurosim.graph.network import Network

    network = Network(seed=1, dt=DT)
    neurons = network.add_population("neurons", size, model)
    network.connect(
        neurons, neurons, {"fixed_outdegree": {"n": outdegree, "autapses": False}}, name="synapses",
        weight={"uniform": [0.0, 1.0]}, delay=1.0, receptor=next(iter(neurons.model.receptors)),
    )  # fmt: skip
    return network


def add(network: Network, rule: StructuralRule, given: Mapping[str, Any]) -> BoundStructure:
    """Let the rule act on a small network."""
    where = network.populations["neurons"] if rule.of_neurons else network.projections["synapses"]
    return network.add_rule(rule.configure((where,), given))


def stand_in(rule: StructuralRule, size: int = 2, outdegree: int = 1, **given: Any) -> BoundStructure:
    """The rule in a network of a model that has what it reads of neurons; raises InvalidInput where none has."""
    failure: InvalidInput | None = None
    for model in _MODELS:
        try:
            return add(small_network(size, model, outdegree), rule, {"every": "100 ms", **given})
        except InvalidInput as error:
            failure = failure or error
    assert failure is not None
    raise failure


def code(rule: StructuralRule) -> str:
    """Source of the kernels that are generated for a rule. Raises UsageError where none is."""
    from neurosim.engine.structure.runner import code as of_bound

    text = of_bound(stand_in(rule), DT)
    if not text:
        raise UsageError(f"{rule.name} says nothing of single synapses or of spikes; no kernel is generated from it.")
    return text


@dataclass(frozen=True)
class Setting:
    """In which a rule shows what it does: its parameters, the network, and what to look at.

    ``drive`` is the range of rates (kHz) of the input of 0.1 mV, from neuron to neuron: at 10 kHz the mean potential
    reaches the threshold. ``look`` is a key of `LOOKS`. Weights that are ``fading`` lose 1 % in 100 ms. ``beside``
    is the code of another rule that acts, too.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    look: str = "weight"
    outdegree: int = 20
    drive: tuple[float, float] = (9.0, 13.0)
    duration: float = 20_000.0
    size: int = 100
    fading: bool = False
    beside: Mapping[str, Any] = field(default_factory=dict)


_SPROUTING = {"births": "200 Hz*every", "weight": "uniform(0 mV, 1 mV)"}
_GROWTH = Setting({"target_rate": "10 Hz", "growth_rate": "2 Hz", "tau_calcium": "2 s", "weight": "0.3 mV"}, "rate",
                  0, (8.6, 9.6), 60_000.0)  # fmt: skip
SETTINGS: Mapping[str, Setting] = {
    "competition": Setting({"room": 60, "grace": "2 s"}, "rate"),
    "critical_period": Setting({"age_from": "8 s", "age_to": "12 s", "least_rate": "5 Hz"}, "rate"),
    "death_of_inactive": Setting({"below": "2 Hz", "for": "3 s"}, "rate"),
    "death_of_old": Setting({"lifetime": "12 s", "tau": "3 s"}, "age", beside={"births": "10 Hz*every"}),
    "deep_rewiring": Setting({"least": 0.25, "weight": "uniform(0.25 mV, 1 mV)"}, fading=True),
    "forget_unused": Setting({"at_most": 1000}, "rate_pre", 0, (8.4, 12.0), beside=_SPROUTING),
    "forget_weak": Setting({"at_most": 1000}, outdegree=0, beside=_SPROUTING),
    "hebbian_growth": Setting({"contacts": "2 Hz", "half_rate": "20 Hz", "weight": "0.01 mV"}, "rate_pre", 0),
    "homeostatic_growth": _GROWTH,
    "homeostatic_growth_gaussian": _GROWTH,
    "homeostatic_growth_sigmoid": _GROWTH,
    "neurogenesis": Setting({"rate": "5 Hz", "at_most": 180}, "age"),
    "neurogenesis_on_demand": Setting({"rate": "5 Hz", "above": "12 Hz", "tau_rate": "2 s"}, "rate"),
    "prune_old": Setting({"lifetime": "8 s", "unless_above": 0.5}),
    "prune_unused": Setting({"idle": "2 s"}, "rate_pre", drive=(8.0, 11.0)),
    "prune_weak": Setting({"below": 0.3, "for": "2 s"}, fading=True),
    "prune_weakest": Setting({"share": 0.01, "down_to": 500}),
    "sparse_evolution": Setting({"share": 0.1, "every": "1 s"}),
    "turnover": Setting({"lifetime": "8 s"}, "age"),
}


@dataclass(frozen=True)
class Trial:
    """What happened: over ``times`` (s) how many there were, were born and died in all, how many of the first were
    left, and the mean rate (Hz); ``looked`` at the beginning, in the middle and at the end.
    """

    times: Values
    sizes: Values
    births: Values
    deaths: Values
    first: Values
    rate: Values
    looked: list[Values]


def observe(rule: StructuralRule) -> Trial:
    """Let a rule act in its setting."""
    from neurosim.engine.simulation import Simulation

    setting = SETTINGS.get(rule.name, Setting())
    bound = stand_in(rule, setting.size, setting.outdegree, **setting.given)
    network = bound.network
    neurons, synapses = network.populations["neurons"], network.projections["synapses"]
    synapses.weight = {"uniform": [0.0, 1.0]} if setting.look == "weight" else 0.01
    if setting.beside:
        network.add_rule({"every": "100 ms", **setting.beside}, neurons if rule.of_neurons else synapses)
    low, high = setting.drive
    drive = network.add_input("drive", {"poisson": {"rate": 500.0 * (low + high)}}, neurons, weight=0.1)
    for k, some in enumerate(np.array_split(neurons.ids, _SHADES)):
        drive.set("rate", 1e3 * (low + (high - low) * k / (_SHADES - 1)), on=network.add_group(f"g{k}", neurons, some))
    simulation = Simulation(network, dt=DT, threads=1)
    spikes = simulation.record_spikes(neurons)
    if setting.fading:
        simulation.every("100 ms", lambda _: synapses.weight.set(0.99 * synapses.weight.values))
    those: Any = neurons if rule.of_neurons else synapses
    counted = "neurons" if rule.of_neurons else "synapses"
    first, seen = those.ids, _Seen()
    rows: list[tuple[float, ...]] = []
    looked: list[Values] = []
    chunk = setting.duration / _CHUNKS
    moments = (_CHUNKS // 20 if "rate" in setting.look else 0, _CHUNKS // 2, _CHUNKS)
    for k in range(_CHUNKS + 1):
        if k:
            simulation.run(chunk)
        steps, ids = spikes.drain()
        seen.take(simulation.time, those.ids, ids, chunk)
        history = network.history
        rows.append((
            simulation.time * 1e-3, those.size, history.births[counted], history.deaths[counted],
            np.isin(those.ids, first).sum(), 1e3 * steps.size / (chunk * max(neurons.size, 1)),
        ))  # fmt: skip
        if k in moments:
            looked.append(LOOKS[setting.look][1](those, seen))
    times, sizes, births, deaths, left, rate = np.array(rows, np.float64).T
    return Trial(times, sizes, births, deaths, left, rate, looked)


class _Seen:
    """Since when each synapse or neuron has been there, and how often neurons have fired lately."""

    def __init__(self) -> None:
        self.now = 0.0
        self.since: dict[int, float] = {}
        self.rates: Values = np.zeros(0)

    def take(self, now: float, ids: NDArray[Any], spikes: NDArray[np.uint32], chunk: float) -> None:
        """Take what there is now, and who fired since the last time."""
        self.now = now
        for one in ids.tolist():
            self.since.setdefault(one, now)
        fired = np.bincount(spikes.astype(np.int64), minlength=self.rates.size)
        counts: Values = fired.astype(np.float64) * (1e3 / chunk)
        before: Values = np.zeros(counts.size)
        before[: self.rates.size] = self.rates
        self.rates = counts if now <= chunk else 0.8 * before + 0.2 * counts


def _ages(those: Any, seen: _Seen) -> Values:
    return np.array([1e-3 * (seen.now - seen.since[one]) for one in those.ids.tolist()])


def _rates(those: Any, seen: _Seen) -> Values:
    neurons = those if hasattr(those, "model") else those.target
    rates = np.zeros(max(seen.rates.size, int(neurons.ids.max(initial=0)) + 1))
    rates[: seen.rates.size] = seen.rates
    found: Values = rates[neurons.ids]
    return found


def _rates_of_sources(those: Any, seen: _Seen) -> Values:
    pre = those.edges().pre
    rates = np.zeros(max(seen.rates.size, int(pre.max(initial=0)) + 1))
    rates[: seen.rates.size] = seen.rates
    found: Values = rates[pre]
    return found


#: What can be looked at: its label, and how it is found.
LOOKS: Mapping[str, tuple[str, Callable[[Any, _Seen], Values]]] = {
    "weight": ("weight (mV)", lambda those, seen: those.weight.values.astype(np.float64)),
    "age": ("age (s)", _ages),
    "rate": ("rate of a neuron (Hz)", _rates),
    "rate_pre": ("rate of a synapse's source (Hz)", _rates_of_sources),
}
