"""The simulated world: ``World.step`` is the order of things; the rest is births, deaths and reading."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from . import learning, structure
from .grid import clip, delay_in_steps
from .parts import Arrival, Model, Neuron, PoissonInput, Population, Projection, Synapse
from .plasticity import Bounds, Moment, Rule, always, amplitude, event, store
from .rng import purpose_of, random_word


class World:
    """A small network that lives on the grid ``t_k = k·dt`` (ms).

    Build it with ``add_…``, then ``step`` or ``run``. Between steps everything may be edited: neurons and
    synapses added and removed, ``set_weight``, ``set_delay``, ``neuron.stimulus``, ``neuron.state``. Edits, and
    ``modulate``, happen at the present time ``now·dt``, after all that the last step did (law 4).
    """

    def __init__(self, dt: float, seed: int = 0) -> None:
        self.dt = dt
        self.seed = seed
        self.now = 0  # the number of steps taken
        self.populations: dict[str, Population] = {}
        self.projections: dict[str, Projection] = {}
        self.inputs: list[PoissonInput] = []
        self.spikes: dict[str, list[tuple[int, int]]] = {}  # population -> (step, neuron id)
        self.queue: dict[int, list[Arrival]] = {}  # step of arrival -> spikes in flight
        self.emitted = self.delivered = self.dropped = 0
        self.structure: dict[str, structure.Structural] = {}
        self._ids_used: set[int | tuple[str, int]] = set()
        self._next_neuron = 0

    # ---- one step --------------------------------------------------------------------------------------

    def step(self) -> None:
        """Everything that happens at the next grid time, in the order of law 4.

        Law 4 names the arrivals without delay before what synapses learn. Their amplitudes are weights at
        emission, which comes after, and no spike of this step can depend on them: hence they stand last here,
        and the result is the same.
        """
        self.now += 1
        due = self._take_due()
        self._deliver(due)
        fired = self._advance_neurons()
        for projection in self.projections.values():
            for synapse in projection.synapses.values():
                learning.from_before(synapse, self.now)
        learning.from_arrivals(due, self.now)
        for projection in self.projections.values():
            learning.from_spikes(projection, fired, self.now)
            learning.from_the_clock(projection, self.now)
        self._emit(fired)
        at_once = self._take_due()  # only a spike emitted just now, without delay, can be due again
        self._deliver_at_once(at_once)
        learning.from_arrivals(at_once, self.now)
        for rule in self.structure.values():
            for neuron in fired:
                rule.spike(neuron)
        structure.act(self)

    def run(self, steps: int) -> None:
        """Take `steps` steps."""
        for _ in range(steps):
            self.step()

    def _take_due(self) -> list[Arrival]:
        return sorted(self.queue.pop(self.now, []))

    def _deliver(self, due: list[Arrival]) -> None:
        """Sum what arrives now, by neuron and variable: spikes in their order, then inputs (law 13)."""
        for population in self.populations.values():
            for neuron in population.in_order():
                neuron.inbox = dict.fromkeys(population.model.receives, 0.0)
        for arrival in self._to_the_living(due):
            arrival.synapse.post.inbox[arrival.synapse.projection.variable] += arrival.amplitude
        for source in self.inputs:
            for neuron in source.target.in_order():
                if source.ids is None or neuron.id in source.ids:
                    word = random_word(self.seed, source.purpose, neuron.id, self.now)
                    count = sum(word >= threshold for threshold in source.thresholds)
                    neuron.inbox[source.variable] += source.weight * count

    def _deliver_at_once(self, at_once: list[Arrival]) -> None:
        """Add what was emitted just now without delay, after every threshold test of this step (law 3)."""
        for arrival in self._to_the_living(at_once):
            post = arrival.synapse.post
            post.population.model.arrive_at_once(post, arrival.synapse.projection.variable, arrival.amplitude)

    def _to_the_living(self, arrivals: list[Arrival]) -> Iterable[Arrival]:
        """Those whose target lives; the others are dropped. The synapse may be dead by now (law 5)."""
        for arrival in arrivals:
            if arrival.synapse.post.alive:
                self.delivered += 1
                yield arrival
            else:
                self.dropped += 1

    def _advance_neurons(self) -> list[Neuron]:
        """Propagate, add arrivals, test, reset (law 2); the neurons that fired, by population and id."""
        fired = []
        for population in self.populations.values():
            for neuron in population.in_order():
                if population.model.advance(neuron, self.now):
                    fired.append(neuron)
                    self.spikes[population.name].append((self.now, neuron.id))
        return fired

    def _emit(self, fired: list[Neuron]) -> None:
        """Send spikes off, with the weight and delay of now; at one synapse none overtakes (laws 5, 6)."""
        for projection in self.projections.values():
            for neuron in fired:
                if neuron.population is not projection.source:
                    continue
                carried = neuron.axons[projection.name].emit(self.now)
                row = projection.rows.get(neuron.id, [])
                self.emitted += len(row)
                for place, synapse in enumerate(row):
                    arrival = max(self.now + delay_in_steps(synapse.delay, self.dt), synapse.last_arrival)
                    synapse.last_arrival, synapse.used = arrival, self.now
                    size = amplitude(synapse, self.now)
                    spike = Arrival(self.now, projection.index, neuron.id, place, synapse, size, carried)
                    self.queue.setdefault(arrival, []).append(spike)
                    event(synapse, "on_emission", self.now, always)  # it finds the spike on its way (law 5)

    # ---- building and editing --------------------------------------------------------------------------

    def add_population(self, name: str, model: Model, ids: Iterable[int] = ()) -> Population:
        """Declare a population, with newborn neurons `ids`."""
        population = self.populations[name] = Population(name, model)
        self.spikes[name] = []
        for id in ids:
            self.add_neuron(name, id)
        return population

    def add_projection(
        self,
        name: str,
        source: str,
        target: str,
        variable: str,
        rules: Sequence[Rule] = (),
        bounds: Bounds | None = None,
        precision: str = "float32",
        rounding: str = "stochastic",
    ) -> Projection:
        """Declare a projection, without synapses, onto state `variable`; the order counts (law 13).

        Traces of its rules know no spike before it.
        """
        pre, post = self.populations[source], self.populations[target]
        self._check_variable(post, variable)
        index = len(self.projections)
        own, bounds = tuple(rules), bounds or Bounds()
        if sum(rule.has("transmit") for rule in own) > 1:
            raise ValueError(f"projection {name!r}: more than one rule says what is transmitted")
        projection = Projection(name, index, pre, post, variable, self.dt, own, bounds, precision, rounding,
                                self.seed, purpose_of("rounding", name))  # fmt: skip
        if projection.learns_delay and projection.bounds.delay[0] < self.dt:
            raise ValueError(f"projection {name!r}: a delay that learns keeps bounds of at least dt (law 10)")
        self.projections[name] = projection
        learning.prepare(projection, {**pre.neurons, **post.neurons}.values())
        return projection

    def add_poisson_input(
        self,
        target: str,
        variable: str,
        weight: float,
        thresholds: Sequence[int],
        purpose: int,
        ids: Collection[int] | None = None,
    ) -> PoissonInput:
        """Declare Poisson arrivals at neurons `ids` of `target`, or at all; the order counts (law 13)."""
        self._check_variable(self.populations[target], variable)
        source = PoissonInput(self.populations[target], ids, variable, weight, thresholds, purpose)
        self.inputs.append(source)
        return source

    def add_neuron(self, population: str, id: int, **state: float) -> Neuron:
        """Birth of a neuron in its model's initial state, but for the values in `state` (law 12)."""
        self._claim(id)
        of = self.populations[population]
        neuron = of.neurons[id] = Neuron(id, of, of.model.newborn() | state, born=self.now)
        self._next_neuron = max(self._next_neuron, id + 1)
        for projection in self.projections.values():
            learning.prepare(projection, [neuron])
        for rule in self.structure.values():
            rule.remember(neuron)
        return neuron

    def bear_neuron(self, population: str, **state: float) -> Neuron:
        """Birth of a neuron under the next free id."""
        return self.add_neuron(population, self._next_neuron, **state)

    def remove_neuron(self, population: str, id: int) -> None:
        """Death of a neuron and of all its synapses (law 12). The dead die no second time (law 11)."""
        self.remove_neurons(population, [id])

    def remove_neurons(self, population: str, ids: Iterable[int]) -> None:
        """Death of neurons at one time; their synapses die one by one, along the rows."""
        for id in ids:
            neuron = self.populations[population].neurons.pop(id, None)
            if neuron is not None:
                neuron.alive = False
        for projection in self.projections.values():
            for synapse in structure.in_row_order(projection):
                if not (synapse.pre.alive and synapse.post.alive):
                    self.remove_synapse(projection.name, synapse.id)

    def add_synapse(
        self, projection: str, id: int, pre: int, post: int, weight: float, delay: float
    ) -> Synapse:
        """Birth of a synapse at the end of its row; it knows no spike emitted so far (laws 6, 12)."""
        of = self.projections[projection]
        of.bounds.check_weight(weight)
        of.bounds.check_delay(delay)
        stored = self._stored_delay(of, delay)
        source, target = of.source.neurons[pre], of.target.neurons[post]
        self._claim((projection, id))
        synapse = Synapse(id, of, source, target, of.stored_weight(weight), stored, born=self.now, used=self.now)
        of.births[pre] = of.births.get(pre, 0) + 1
        learning.begin(synapse, self.now)
        of.synapses[id] = synapse
        of.rows.setdefault(pre, []).append(synapse)
        return synapse

    def bear_synapse(self, projection: str, pre: int, post: int, weight: float, delay: float) -> Synapse:
        """Birth of a synapse under the id that it has in the engine: the source's, and a count of its births."""
        id = pre << 32 | self.projections[projection].births.get(pre, 0)
        return self.add_synapse(projection, id, pre, post, weight, delay)

    def remove_synapse(self, projection: str, id: int) -> None:
        """Death of a synapse: the last of its row takes its place. What it has sent still arrives (law 5)."""
        synapse = self.projections[projection].synapses.pop(id, None)
        if synapse is None:
            return
        synapse.alive = False
        row = self.projections[projection].rows[synapse.pre.id]
        row[row.index(synapse)] = row[-1]
        row.pop()

    def set_weight(self, projection: str, id: int, weight: float) -> None:
        """From now on; spikes in flight keep their amplitude."""
        synapse = self.projections[projection].synapses[id]
        synapse.projection.bounds.check_weight(weight)
        if any(rule.drives() for rule in synapse.projection.rules):  # what has moved it so far is over
            store(synapse, Moment(synapse, self.now), self.now)
        synapse.weight = synapse.projection.stored_weight(weight)

    def set_delay(self, projection: str, id: int, delay: float) -> None:
        """From now on (ms); spikes in flight keep their time."""
        synapse = self.projections[projection].synapses[id]
        synapse.projection.bounds.check_delay(delay)
        synapse.delay = self._stored_delay(synapse.projection, delay)
        learning.look_through(synapse, self.now)

    def set_variable(self, projection: str, id: int, name: str, value: float) -> None:
        """From now on; the other variables have come to the present time, too."""
        synapse = self.projections[projection].synapses[id]
        moment = Moment(synapse, self.now)
        rule, own = synapse.projection.variable_names[name]
        moment.all_variables[rule][own] = value
        synapse.weight = synapse.projection.stored_weight(clip(moment.weight, synapse.projection.bounds.weight))
        store(synapse, moment, self.now)

    def add_rule(self, rule: structure.Structural) -> None:
        """Let a structural rule act from now on."""
        rule.begin(self)
        self.structure[rule.name] = rule

    def remove_rule(self, name: str) -> None:
        """Let it act no more."""
        del self.structure[name]

    def modulate(self, name: str, amount: float) -> None:
        """Send a signal to all synapses that listen to it: an event at the present time."""
        for projection in self.projections.values():
            learning.from_modulator(projection, name, amount, self.now)

    def _stored_delay(self, projection: Projection, delay: float) -> float:
        """A delay that no rule writes is quantised when it is set; one that learns is kept as it is (law 1)."""
        return projection.stored(delay) if projection.learns_delay else delay_in_steps(delay, self.dt) * self.dt

    def _claim(self, id: int | tuple[str, int]) -> None:
        if id in self._ids_used:
            raise ValueError(f"id {id} has been used; no id is used again (law 12)")
        self._ids_used.add(id)

    @staticmethod
    def _check_variable(population: Population, variable: str) -> None:
        if variable not in population.model.receives:
            raise ValueError(f"{population.name!r} receives {population.model.receives}, not {variable!r}")

    # ---- reading (which never writes) ------------------------------------------------------------------

    def state(self, population: str, variable: str) -> dict[int, float]:
        """`variable` of every living neuron, by ascending id."""
        return {neuron.id: neuron.state[variable] for neuron in self.populations[population].in_order()}

    def edges(self, projection: str) -> list[tuple[int, int, int, float, float]]:
        """(id, pre, post, weight, delay in ms) of every living synapse, by source id and row order."""
        rows = self.projections[projection].rows
        synapses = [synapse for source in sorted(rows) for synapse in rows[source]]
        return [(s.id, s.pre.id, s.post.id, Moment(s, self.now).looked_at, s.delay) for s in synapses]

    def variables(self, projection: str) -> dict[str, dict[int, float]]:
        """Every variable of every living synapse as it is now: name -> id -> value."""
        of = self.projections[projection]
        moments = {synapse.id: Moment(synapse, self.now) for synapse in of.synapses.values()}
        return {
            name: {id: moment.all_variables[rule][own] for id, moment in moments.items()}
            for name, (rule, own) in of.variable_names.items()
        }

    def conservation(self) -> dict[str, int]:
        """Count spikes: emitted = delivered + in_flight + dropped (law 7).

        A spike to a dead neuron is dropped when it is due. One that a held membrane ignores is delivered.
        """
        in_flight = sum(len(arrivals) for arrivals in self.queue.values())
        return {
            "emitted": self.emitted,
            "delivered": self.delivered,
            "in_flight": in_flight,
            "dropped": self.dropped,
        }
