"""One network in two worlds: the engine's and the naive twin's. Whatever is done to one is done to the other."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from courses import Pair
from structure_pairs import RulePair
from twin import Bounds, Izhikevich, LifDelta, LifExp, PoissonSource, SpikeList, World, f32

import neurosim as ns
from neurosim import rng
from neurosim.engine.neurons.lower import constants
from neurosim.errors import UsageError
from neurosim.graph.structure import BoundStructure

RECEPTORS = {"lif_delta": {"exc": "v", "inh": "v"}, "lif_exp": {"exc": "i_exc", "inh": "i_inh"},
             "izhikevich": {"exc": "i_syn", "inh": "i_syn"}}  # fmt: skip
# Elements of exact steps, which the two worlds compute by different means and then round alike: twin -> engine.
STEPS = {"lif_delta": {"p": "v__from__v"},
         "lif_exp": {"p": "v__from__v", "p_exc": "v__from__i_exc", "p_inh": "v__from__i_inh",
                     "d_exc": "i_exc__from__i_exc", "d_inh": "i_inh__from__i_inh"}}  # fmt: skip

Method = TypeVar("Method", bound=Callable[..., Any])


def told(method: Method) -> Method:
    """Note what is done, so that a failure can be told as a script."""

    @functools.wraps(method)
    def noted(self: Both, *args: Any, **options: Any) -> Any:
        given = [*map(repr, args), *(f"{name}={value!r}" for name, value in options.items())]
        self.story.append(f"both.{method.__name__}({', '.join(given)})")
        return method(self, *args, **options)

    return noted  # type: ignore[return-value]


class Both:
    """Builds, edits and runs a network twice; :meth:`compare` demands the same bits.

    Where synapses learn it allows for the last digits of an exponential: 1e-10 of weights, delays and variables that
    are kept in double precision. Those that are kept in single precision must have the same bits.

    Weights should be sums that floats hold exactly (multiples of a power of two), and alike for parallel synapses:
    the worlds agree on the order of places within a row only where the target has one shard.
    """

    def __init__(self, seed: int = 1, dt: float = 0.1, audit: bool = False) -> None:
        self.net = ns.Network(seed=seed, dt=dt)
        self.world = World(dt, seed)
        self.dt, self.audit = dt, audit
        self.sim: ns.Simulation | None = None
        self.recorders: dict[str, list[Any]] = {}
        self.simulations = 0
        self.learns = False
        self.story = [f"both = Both(seed={seed}, dt={dt}, audit={audit})"]

    # -- building -----------------------------------------------------------------------------------

    @told
    def population(self, name: str, size: int, model: str, **parameters: float) -> None:
        """Add a population of ``lif_delta``, ``lif_exp`` or ``izhikevich`` neurons."""
        twin = {"lif_delta": LifDelta, "lif_exp": LifExp, "izhikevich": Izhikevich}[model](self.dt, **parameters)
        made = self.net.add_population(name, size, {model: parameters})
        computed = constants(made, self.dt)
        for ours, theirs in STEPS.get(model, {}).items():
            assert math.isclose(getattr(twin, ours), computed[theirs], rel_tol=1e-14)
            setattr(twin, ours, computed[theirs])
        if model in STEPS:
            assert math.isclose(twin.rest, computed["v__rest"][0], rel_tol=1e-14)
            twin.rest = float(computed["v__rest"][0])
        self.world.add_population(name, twin, made.ids.tolist())

    @told
    def poisson(self, name: str, size: int, rate: float) -> None:
        """Add Poisson sources."""
        made = self.net.add_population(name, size, {"poisson": {"rate": rate}})
        source = PoissonSource(self.dt, rate, self.net.seed, rng.purpose("draw", name, "rand__1"))
        self.world.add_population(name, source, made.ids.tolist())

    @told
    def spike_list(self, name: str, times: Sequence[Sequence[float]]) -> None:
        """Add sources that fire at given times (ms)."""
        made = self.net.add_population(name, len(times), {"spike_list": {"times": times}})
        listed = dict(zip(made.ids.tolist(), times, strict=True))
        self.world.add_population(name, SpikeList(self.dt, listed), listed)

    @told
    def projection(
        self,
        name: str,
        source: str,
        target: str,
        receptor: str = "exc",
        rules: Sequence[Pair] = (),
        bounds: Mapping[str, tuple[float, float]] | None = None,
        precision: str = "float32",
    ) -> None:
        """Declare a projection without synapses, and the rules by which it learns (see ``courses``).

        The precision may name a rounding: "int8 nearest".
        """
        precision, _, rounding = precision.partition(" ")
        learning: dict[str, Any] = {"precision": precision, "rounding": rounding or None}
        learning |= {"learning": [ours for ours, _ in rules]}
        self.net.connect(source, target, "none", name=name, weight=1.0, delay=1.0, receptor=receptor, bounds=bounds,
                         **learning)  # fmt: skip
        model = self.net.populations[target].model.name
        limits = Bounds(**(bounds or {}))
        twins = [twin for _, twin in rules]
        self.world.add_projection(
            name, source, target, RECEPTORS[model][receptor], twins, limits, precision, rounding or "stochastic"
        )
        self.learns = self.learns or bool(rules)

    @told
    def drive(self, name: str, target: str, rate: float, weight: float, receptor: str = "exc") -> None:
        """Drive every neuron of a population by its own Poisson train (Hz)."""
        population = self.net.populations[target]
        self.net.add_input(name, ns.inputs.poisson(rate), population, weight=weight, receptor=receptor)
        thresholds = rng.poisson_thresholds(rate * self.dt / 1000.0).tolist()
        variable = RECEPTORS[population.model.name][receptor]
        self.world.add_poisson_input(target, variable, weight, thresholds, rng.purpose("input", name))

    @told
    def start(self, **options: object) -> None:
        """Make a simulation, or another one that goes on with the network, and record everything."""
        self.sim = ns.Simulation(self.net, audit=self.audit, **options)  # type: ignore[arg-type]
        self.simulations += 1
        for name, population in self.net.populations.items():
            self.recorders.setdefault(name, []).append(self.sim.record_spikes(population))

    # -- edits --------------------------------------------------------------------------------------

    @told
    def connect(self, name: str, pre: Sequence[int], post: Sequence[int], weight: object, delay: object) -> None:
        """Add synapses by neuron id; weights and delays (ms) one each or one for all."""
        ids = self.net.projections[name].add(pre, post, weight=weight, delay=delay).tolist()
        weights = weight if isinstance(weight, list) else [weight] * len(ids)
        delays = delay if isinstance(delay, list) else [delay] * len(ids)
        for synapse, a, b, w, d in zip(ids, pre, post, weights, delays, strict=True):
            self.world.add_synapse(name, synapse, a, b, w, d)

    @told
    def disconnect(self, name: str, ids: Sequence[int]) -> None:
        """Remove synapses by id."""
        self.net.projections[name].remove(ids)
        for synapse in ids:
            self.world.remove_synapse(name, synapse)

    @told
    def weigh(self, name: str, ids: Sequence[int], weight: float) -> None:
        """Set weights (one value for all)."""
        self.net.projections[name].weight[ids] = weight
        for synapse in ids:
            self.world.set_weight(name, synapse, weight)

    @told
    def retard(self, name: str, ids: Sequence[int], delay: float) -> None:
        """Set delays (ms), longer or shorter; those of synapses that learn only while nothing is under way there."""
        try:
            self.net.projections[name].delay[ids] = delay
        except UsageError as error:
            if "under way" not in str(error) or not self.world.projections[name].rules:
                raise
            return
        for synapse in ids:
            self.world.set_delay(name, synapse, delay)

    @told
    def assign(self, name: str, variable: int, ids: Sequence[int], value: float) -> None:
        """Set a variable of synapses, given by its place among them."""
        getattr(self.net.projections[name], self.variables(name)[variable])[ids] = value
        own = list(self.world.projections[name].variable_names)[variable]
        for synapse in ids:
            self.world.set_variable(name, synapse, own, value)

    @told
    def born(self, population: str, n: int) -> list[int]:
        """Add neurons; returns their ids."""
        ids = self.net.populations[population].add(n).tolist()
        for neuron in ids:
            self.world.add_neuron(population, neuron)
        return ids

    @told
    def die(self, population: str, ids: Sequence[int]) -> None:
        """Remove neurons."""
        self.net.populations[population].remove(ids)
        self.world.remove_neurons(population, ids)

    @told
    def rule(self, pair: RulePair) -> None:
        """Let a structural rule act from now on."""
        added = self.net.add_rule(pair.written, *pair.where)
        twin = pair.twin()
        assert added.name == twin.name
        self.world.add_rule(twin)

    @told
    def no_rule(self, name: str) -> None:
        """Let it act no more."""
        self.net.remove_rule(name)
        self.world.remove_rule(name)

    @told
    def modulate(self, name: str, amount: float) -> None:
        """Send a signal to the synapses that listen to it."""
        assert self.sim is not None
        self.sim.modulate(name, amount)
        self.world.modulate(name, amount)

    @told
    def watch(self) -> None:
        """Record synapses, which must not change anything."""
        assert self.sim is not None
        for name in self.net.projections:
            self.sim.record_synapses(name, ["weight", "delay", *self.variables(name)], every=3 * self.dt)

    @told
    def look(self) -> None:
        """Read everything there is to read in the engine, which must not change anything."""
        assert self.sim is not None
        for projection in self.net.projections.values():
            projection.edges(), projection.weight.values, projection.delay.values, repr(projection)
            for name in self.variables(projection.name):
                getattr(projection, name).values  # noqa: B018
            projection.where("weight > 0")
        self.sim.state(), self.sim.hash()

    @told
    def run(self, steps: int) -> None:
        """Run both worlds."""
        assert self.sim is not None
        self.sim.run(steps * self.dt)
        self.world.run(steps)

    # -- comparison ---------------------------------------------------------------------------------

    def variables(self, name: str) -> Sequence[str]:
        """What the engine calls the variables of a projection's synapses, besides weight and delay."""
        return [name for name in self.net.projections[name].variables if name not in ("weight", "delay")]

    @told
    def compare(self) -> None:
        """The same spikes, the same state and the same graph, to the bit or nearly so."""
        for name, recorders in self.recorders.items():
            ours = [pair for of in recorders for pair in zip(of.steps.tolist(), of.ids.tolist(), strict=True)]
            assert ours == self.world.spikes[name], f"spikes of {name}"
        for name, population in self.net.populations.items():
            for variable in (v.name for v in population.model.state):
                values = dict(zip(population.ids.tolist(), getattr(population, variable).values.tolist(), strict=True))
                self._compare_values(values, self.world.state(name, variable), f"{name}.{variable}")
        for name in self.net.projections:
            self._compare_synapses(name)
        for rule in self.net.rules.values():
            self._compare_kept(rule)
        if self.audit and self.simulations == 1:  # each counts for itself
            assert self.sim is not None
            counted, expected = self.sim.conservation(), self.world.conservation()
            emitted = counted["delivered"] + counted["in_flight"] + counted["dropped"]
            assert counted["emitted"] == emitted == expected["emitted"], "spikes emitted"
            # the twin counts a spike to the dead when it is due, the engine when the target dies
            assert counted["delivered"] == expected["delivered"], "spikes delivered"

    def _compare_kept(self, rule: BoundStructure) -> None:
        """What a structural rule keeps of neurons, but for the last digits of exponentials."""
        assert self.sim is not None
        for population in rule.populations:
            if not rule.dynamics[population.name]:
                continue
            kept = self.sim.structure.kept(rule, population)
            for k, neuron in enumerate(population.ids.tolist()):
                twin = self.world.structure[rule.name].kept[neuron].at(self.world.now, self.dt)
                for name, values in kept.items():
                    close = math.isclose(values[k], twin[name], rel_tol=1e-10, abs_tol=1e-10)
                    assert close, (rule.name, population.name, neuron, name, values[k], twin[name])

    def _compare_values(self, ours: Mapping[int, float], twin: Mapping[int, float], what: str) -> None:
        """By id; where synapses learn, weights differ in their last digits, and Izhikevich's neurons magnify it."""
        assert ours.keys() == twin.keys(), what
        for id, value in ours.items():
            if self.learns:
                assert value == twin[id] or math.isclose(value, twin[id], rel_tol=1e-8, abs_tol=1e-8), (what, id)
            else:
                assert value.hex() == twin[id].hex(), (what, id)  # not-a-number equals itself

    def _compare_synapses(self, name: str) -> None:
        """Edges and variables of one projection."""
        columns = [column.tolist() for column in self.net.projections[name].edges()]
        ours = {edge[0]: edge for edge in zip(*columns, strict=True)}
        twin = {edge[0]: edge for edge in self.world.edges(name)}
        assert sorted(edge[:3] for edge in ours.values()) == sorted(edge[:3] for edge in twin.values()), name
        if self.net.projections[name].target.shards == 1:
            assert list(ours) == list(twin), f"row order of {name}"
        of = self.world.projections[name]
        if not of.rules:
            assert ours == twin, f"synapses of {name}"
            return
        for place, what in ((3, "weight"), (4, "delay")):
            for id, edge in ours.items():
                assert _alike(edge[place], twin[id][place], of.precision), (name, what, id)
        expected = self.world.variables(name).values()
        for variable, values in zip(self.variables(name), expected, strict=True):
            shown = getattr(self.net.projections[name], variable)[list(values)].tolist()
            for (id, value), our in zip(values.items(), shown, strict=True):
                assert _alike(our, value, of.precision), (name, variable, id)


def _alike(ours: float, twin: float, precision: str) -> bool:
    """Whether two stored numbers are the same, but for the last digits of what is kept in double precision."""
    if precision != "float64" and f32(ours) == f32(twin):
        return True
    return precision == "float64" and math.isclose(ours, twin, rel_tol=1e-10, abs_tol=1e-12)
