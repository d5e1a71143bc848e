"""Running a network."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.engine.digest import network_hash
from neurosim.engine.interrupts import interrupts_held_back
from neurosim.engine.learning.runner import LearningRunner, Lowered
from neurosim.engine.lowering import Plan, SpikeLog, epoch_length
from neurosim.engine.observation import Observation
from neurosim.engine.pulses import Pulses
from neurosim.engine.rings import Rings
from neurosim.engine.schedule import Order, Schedule
from neurosim.engine.signals import SpikeCounter
from neurosim.engine.state import engine_state
from neurosim.engine.structure.runner import StructureRunner
from neurosim.engine.targets import Neurons, checked_action, neurons_of
from neurosim.engine.team import Team, cores
from neurosim.errors import InvalidInput, UsageError, unknown
from neurosim.graph.checks import whole
from neurosim.graph.groups import Group
from neurosim.graph.network import Network
from neurosim.graph.population import Population, Slots
from neurosim.graph.projection import Projection

Action = Callable[["Simulation"], Any]
SpikeAction = Callable[["Simulation", NDArray[np.float64], NDArray[np.uint32]], Any]

_BREATH = 0.05  # wall seconds between two looks at the outside world (progress, Ctrl-C)


class Simulation(Observation):
    """A running network.

    Parameters
    ----------
    network : it stays the one truth: read and edit it between runs or in callbacks.
    dt : time step in ms or a quantity; default the network's, else 0.1 ms.
    threads : at most this many (default: the cores at hand). Results do not depend on it.
    backend : "numba".
    audit : count every arrival, for :meth:`conservation` (slower).
    epoch_steps : at most this many steps between two looks at the spikes (for tests; results do not depend on it).
    """

    def __init__(
        self,
        network: Network,
        dt: float | str | None = None,
        *,
        threads: int | None = None,
        backend: str = "numba",
        audit: bool = False,
        epoch_steps: int | None = None,
    ) -> None:
        if backend != "numba":
            if backend == "gnn":
                raise InvalidInput("backend gnn is announced but not built yet; use numba.")
            raise unknown("backend", backend, ["numba"])
        began = time.perf_counter()
        network.set_grid(dt if dt is not None else network.dt if network.dt is not None else 0.1)
        self.network = network
        self.dt = float(network.dt or 0.1)
        self.threads = cores() if threads is None else whole(threads, "threads", 1)
        self.backend = backend
        self.step = round(network.time / self.dt)  # a second simulation goes on where the first one stands
        self.schedule = Schedule()
        self.progress: Action | None = None
        #: Asked between epochs up to which step the network may go now; it may wait a moment, and change the network.
        self.pace: Callable[[Simulation], int] | None = None
        self.timings = {"compile_s": 0.0, "build_s": 0.0, "sim_s": 0.0, "structure_s": 0.0}
        self.spike_counts = dict.fromkeys(network.populations, 0)
        self._events = self._arrived = 0
        self._direct = 0
        self._epoch_steps = None if epoch_steps is None else whole(epoch_steps, "epoch_steps", 1)
        self._rings = Rings(network, audit)
        self._logs: dict[str, SpikeLog] = {}
        self._team = Team(self.threads)
        self._learning = LearningRunner(self)
        self.structure = StructureRunner(self)
        self._plan: Plan | None = None
        self._revision = -1
        super().__init__()
        self._pulses = Pulses()
        self._stopped = False
        self._breathed = 0.0
        self._happened = False
        self._running = False
        self._whole = True  # False while threads advance the network, and after that has been broken off
        self._take_over()
        self._compile(began)

    def _compile(self, began: float) -> None:
        """Lower the network and enter the loop once, so that what must be compiled is compiled now."""
        self._prepare()
        compiled = time.perf_counter()
        assert self._plan is not None
        self._plan.run(0, 1, 1, 0)
        self.timings["compile_s"] = time.perf_counter() - compiled
        self.timings["build_s"] = compiled - began

    def _take_over(self) -> None:
        """Become the one simulation of the network; what is in flight in the one before goes on in this one."""
        for population in self.network.populations.values():
            before = population.watcher
            if isinstance(before, Simulation) and before is not self:
                before._pulses.end_all()
                self._rings.sums = before._rings.sums
            population.watcher = self
        for projection in self.network.projections.values():
            if projection.values.plasticity is not None:
                projection.values.plasticity.runner = self._learning

    # -- time -------------------------------------------------------------------------------------------

    @property
    def events(self) -> int:
        """Synaptic events so far: spikes times the out-degree at emission."""
        self._account()
        return self._events

    @property
    def running(self) -> bool:
        """Whether it is inside `run`."""
        return self._running

    def run(self, duration: float | str) -> None:
        """Advance by ``duration`` (ms or a quantity); what is due at the end is done, too."""
        end = self.step + self.steps(duration)
        self._check_runnable()
        self._stopped, self._running = False, True
        try:
            self._happened = True
            self.structure.adopt()
            self.schedule.happen(self.step)
            while not self._stopped and self.step < end:
                paced = end if self.pace is None else self.pace(self)
                self.structure.adopt()
                self._advance(int(min(end, paced, self.schedule.next_step)))
                self.schedule.happen(self.step)
                self._breathe()
        finally:
            self._running = False
        if self.pace is not None:
            self.pace(self)
        if self.progress is not None:
            self.progress(self)

    def _check_runnable(self) -> None:
        if self._running:
            raise UsageError("the simulation is running already; a callback cannot run it.")
        if not self._whole:
            raise UsageError("the simulation was broken off in the middle of a step and cannot go on; build it anew.")
        if any(population.watcher not in (None, self) for population in self.network.populations.values()):
            raise UsageError("another simulation of this network was made since; go on with that one.")

    def stop(self) -> None:
        """End the current run after what is due now."""
        self._stopped = True

    def _advance(self, stop: int) -> None:
        """Run epochs up to step ``stop``, breathing now and then."""
        self._prepare()
        plan = self._plan
        assert plan is not None
        began = time.perf_counter()
        self.network._inside_epoch = True
        try:
            with interrupts_held_back() as let_interrupt:
                plan.adapt({}, self.step)
                while self.step < stop and not self._stopped:
                    self._advance_chunk(plan, min(stop - self.step, self._chunk(plan)))
                    let_interrupt()
                    plan = self._roomy(plan)
                    self._breathe()
                    if self.pace is not None:
                        break
        finally:
            self.network._inside_epoch = False
            self.timings["sim_s"] += time.perf_counter() - began

    def _breathe(self) -> None:
        """Say how far the run is, every other breath, however little lies between two happenings."""
        now = time.perf_counter()
        if self.progress is not None and now - self._breathed > 2 * _BREATH:
            self._breathed = now
            self.progress(self)

    def _roomy(self, plan: Plan) -> Plan:
        """A plan in which learning has room to remember what it must."""
        if any(learning.is_full for learning in plan.learning.values()):
            self._revision = -1
            self._prepare()
        assert self._plan is not None
        return self._plan

    def _advance_chunk(self, plan: Plan, n_steps: int) -> None:
        """Run ``n_steps`` steps, or some of them, and hand the spikes to whoever listens."""
        self._whole = False
        self.step += self._team.run(plan, self.step + 1, n_steps)
        self.network.history.time = self.time
        spikes = plan.drain()
        plan.adapt({name: int(steps.size) for name, (steps, _) in spikes.items()}, self.step)
        for name, (steps, ids) in spikes.items():
            self.spike_counts[name] += int(steps.size)
            if steps.size:
                for listener in self._listeners.get(name, ()):
                    listener(steps, ids)
        self._whole = True
        for name, observers in self._observers.items():
            if spikes[name][0].size:
                for observer in observers:
                    observer(*spikes[name])

    def _chunk(self, plan: Plan) -> int:
        """Steps that take about one breath; a few epochs as long as the cost is unknown."""
        cost = self._team.cost_per_step()
        steps = 8 * plan.epoch if cost == 0.0 else int(_BREATH / cost)
        return max(plan.epoch, min(steps, 2**20) // plan.epoch * plan.epoch)

    def _prepare(self) -> None:
        """Lower the network anew if it has changed in a way that the plan cannot see."""
        if self._revision == self.network.revision and self._plan is not None:
            return
        for name, population in self.network.populations.items():
            self.spike_counts.setdefault(name, 0)
            population.watcher = self
        for projection in self.network.projections.values():
            if projection.values.plasticity is not None:
                projection.values.plasticity.runner = self._learning
        self._account()
        epoch = epoch_length(self.network, self._epoch_steps)
        self._rings.prepare(self.step, epoch)
        self._plan = Plan(self.network, self._rings, self._logs, self._team.threads, epoch)
        self._revision = self.network.revision

    def _lowered(self, projection: Projection) -> Lowered:
        """What a projection that learns has been lowered to, as it is now."""
        self._prepare()
        assert self._plan is not None
        return self._plan.learning[projection.name]

    def modulate(self, name: str, amount: float = 1.0) -> None:
        """An event of the modulator ``name``, now, at every synapse whose rules listen to it (``on_modulator``)."""
        self.network._check_editable()
        self._learning.modulate(self.network, name, float(amount))

    def modulate_by(self, source: Neurons, name: str, amount: float = 1.0, *, every: Any = "10 ms") -> None:
        """Let a population or group send the modulator ``name``, from now on: ``amount`` for each of its spikes.

        What it has fired in a period comes as one event at its end, at all synapses that listen. An event touches all
        of them, so where many neurons fire let periods be long, compared with the time constant of the signal short.
        """
        counter = SpikeCounter(neurons_of(self.network, source))
        self._listen(neurons_of(self.network, source), counter.take, self._listeners)

        def send(_: Simulation) -> None:
            spikes = counter.taken().size
            if spikes:
                self._learning.modulate(self.network, name, spikes * float(amount))

        self.every(every, send, order=Order.PROTOCOL)

    def _account(self) -> None:
        """Take the plan's counters over."""
        if self._plan is not None:
            for counter in ("events", "arrived"):
                array = getattr(self._plan, counter)
                setattr(self, f"_{counter}", getattr(self, f"_{counter}") + int(array.sum()))
                array[:] = 0
            self._direct += int(self._plan.direct_tally.sum())
            self._plan.direct_tally[:] = 0

    # -- what the network tells us (Watcher) -----------------------------------------------------------

    def neurons_born(self, population: Population, slots: Slots) -> None:
        """New neurons need nothing: their columns and rings are clean."""

    def neurons_died(self, population: Population, slots: Slots) -> None:
        """What is in flight to the dead is dropped."""
        self._rings.forget(population, slots)

    def slots_moved(self, population: Population, old: Slots, new: Slots) -> None:
        """Move what is in flight along with its neurons."""
        self._rings.move(population, old, new)

    # -- happenings --------------------------------------------------------------------------------------

    def every(
        self, period: Any, act: Action, *, start: Any = None, until: Any = None, order: Order = Order.CALLBACK
    ) -> None:
        """Call ``act(sim)`` every ``period``, first after one period (or after ``start``), before ``until``."""
        steps = self._period(period, "period")
        begin = self.step if start is None else self.steps(start, "start")
        end = math.inf if until is None else self.steps(until, "until")
        first = begin + steps * max(1, -(-(self.step - begin) // steps))
        checked_action(act)
        self.network._check_editable()
        self.schedule.every(steps, lambda: act(self), order, first=first, until=end)

    def at(self, t: Any, act: Action, *, order: Order = Order.CALLBACK) -> None:
        """Call ``act(sim)`` once at time ``t``."""
        step = self.steps(t, "time")
        if step < self.step:
            raise UsageError(f"{step * self.dt:g} ms is past; the simulation stands at {self.time:g} ms.")
        checked_action(act)
        self.network._check_editable()
        self.schedule.at(step, lambda: act(self), order)

    def when(
        self, condition: Callable[[Simulation], Any], act: Action, *, every: Any = "1 ms",
        order: Order = Order.CALLBACK, start: Any = None, until: Any = None,
    ) -> None:  # fmt: skip
        """Call ``act(sim)`` whenever ``condition(sim)`` has become true; looked at ``every`` so often."""
        was = [False]
        checked_action(act)

        def look(sim: Simulation) -> None:
            holds = bool(condition(sim))
            if holds and not was[0]:
                act(sim)
            was[0] = holds

        self.every(every, look, start=start, until=until, order=order)

    def on_spike(self, target: Neurons, act: SpikeAction) -> None:
        """Call ``act(sim, times, ids)`` with spikes as they are collected, some milliseconds at a time.

        It observes; to change the network, act in ``every``, ``at`` or ``when``.
        """
        target = neurons_of(self.network, target)
        members = target.members if isinstance(target, Group) else None
        checked_action(act)

        def hear(steps: NDArray[np.int64], ids: NDArray[np.uint32]) -> None:
            if members is not None:
                mine = np.isin(ids, members)
                steps, ids = steps[mine], ids[mine]
            if steps.size:
                act(self, np.asarray(steps * self.dt, np.float64), ids)

        self._listen(target, hear, self._observers)

    def stimulate(self, target: Neurons | tuple[Neurons, ArrayLike], current: Any, duration: Any) -> None:
        """Inject ``current`` (the model's drive unit, pA for LIF) into a group for ``duration``, from now on."""
        steps = self.steps(duration)
        self.network._check_editable()
        if isinstance(target, tuple) and len(target) == 2:
            end = self._pulses.begin(neurons_of(self.network, target[0]), current, target[1])
        else:
            end = self._pulses.begin(neurons_of(self.network, target), current)
        self.schedule.at(self.step + steps, end, Order.PROTOCOL)

    def watch(self, **options: Any) -> Any:
        """Show the network in the browser, while it runs and between runs; see `neurosim.viz.live.watching.View`."""
        for shown in entry_points(group="neurosim.notebook", name="simulation"):
            return shown.load()(self, **options)
        raise UsageError("nothing that shows simulations is installed; install neurosim anew.")

    # -- counting ------------------------------------------------------------------------------------------

    def conservation(self) -> dict[str, int]:
        """Audit of synaptic events: emitted = delivered + in_flight + dropped.

        Raises ``UsageError`` unless the simulation was made with ``audit=True``.
        """
        if not self._rings.audit:
            raise UsageError("conservation is counted only with Simulation(…, audit=True).")
        self._account()
        return {
            "emitted": self._events,
            "delivered": self._arrived + self._direct,
            "in_flight": self._rings.in_flight(),
            "dropped": self._rings.dropped,
        }

    def hash(self) -> str:
        """Digest of all spikes, recorded or not, all births and deaths, and all weights and delays as they are now."""
        return network_hash(self.network, {name: int(log.digest[0]) for name, log in self._logs.items()})

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything the engine would need to go on from here, as arrays by name (views where possible)."""
        self._prepare()
        return engine_state(self.network, self._rings, self._logs, self._pulses, self.step)

    def __repr__(self) -> str:
        return f"<simulation of {self.network!r} at {self.time:g} ms>"
