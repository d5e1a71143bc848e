"""Frames of a simulation that runs.

The simulation's thread hands over what is new, between epochs, and never waits for whoever draws: spikes that it has
as arrays anyway, births and deaths, now and then weights. All work with them is done by whoever asks for a frame, in
a thread of its own. When nobody has asked for a while nothing is handed over at all; then the network is read anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.viz.live.cast import of_network
from neurosim.viz.live.drawn import BUDGET
from neurosim.viz.live.frame import Frame, Scene
from neurosim.viz.live.stage import Beginning, Stage

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation
    from neurosim.graph.population import Population

_PATIENCE = 3.0  # s after which nobody watches
_MOST = 4_000_000  # spikes, births and deaths that wait to be drawn
_PEEK_EVERY = 1.0  # s between two looks at weights and delays that learn
_PEEK_OTHERS = 5  # such looks between two at those that change by hand only


class Running:
    """The frames of a simulation. `look` is called by the simulation's thread, `frame` and `scene` by another."""

    def __init__(self, simulation: Simulation, layout: str = "module", budget: int = BUDGET) -> None:
        self.simulation = simulation
        self.network = simulation.network
        self.layout, self.budget = layout, budget
        self.captions = simulation.captions
        self.stage: Stage | None = None
        self._facts: list[tuple[Any, ...]] = []
        self._waiting = 0  # spikes, births and deaths among them
        self._hands = threading.Lock()  # of these two
        self._on = False
        self._declared = (0, 0)
        self._asked = -_PATIENCE
        self._peeked, self._peeks = 0.0, 0
        self._wishes: dict[str, Callable[[], Any]] = {}  # what is to be read at every look, by name
        self._shown: list[NDArray[np.uint64]] = []  # ids of what is drawn of each projection
        self._lock = threading.Lock()  # of the stage
        self._heard: set[str] = set()

    # -- the simulation's thread -----------------------------------------------------------------------------

    def look(self) -> None:
        """Hand over what is new. Call it between epochs, in the simulation's thread."""
        now = time.perf_counter()
        if now - self._asked > _PATIENCE:
            self._end()
            return
        if self._on and self._declared != self._parts():  # a population or projection is new
            self._end()
        if not self._on:
            self._begin()
        if now - self._peeked > _PEEK_EVERY:
            self._peeked = now
            self._peek()
        traces = {name: read() for name, read in list(self._wishes.items())}
        self._tell(0, "until", self.simulation.time, traces)
        if self._waiting > _MOST:
            self._end()

    def _begin(self) -> None:
        """Read the network as it is, and follow it from now on."""
        network, self._declared = self.network, self._parts()
        for name, population in network.populations.items():
            if name not in self._heard:
                self._heard.add(name)
                self.simulation.on_spike(population, self._hearer(population))
        neurons = [(population.ids, population.positions) for population in network.populations.values()]
        edges = [projection.edges() for projection in network.projections.values()]
        synapses = [(e.id, e.pre, e.post, e.weight, e.delay) for e in edges]
        beginning = Beginning(neurons, synapses, [np.zeros(e.id.size) for e in edges])
        self._tell(0, "begin", self.simulation.time, of_network(network), beginning)
        self._peeked = time.perf_counter()
        network.history.followers.append(self._follow)
        self._on = True

    def _parts(self) -> tuple[int, int]:
        """How many populations and projections there are: they are never removed."""
        return len(self.network.populations), len(self.network.projections)

    def _end(self) -> None:
        if self._on:
            self._on = False
            self.network.history.followers.remove(self._follow)
            with self._hands:
                self._facts, self._waiting = [], 0

    def _tell(self, size: int, *fact: Any) -> None:
        with self._hands:
            self._facts.append(fact)
            self._waiting += size

    def _hearer(self, population: Population) -> Callable[[Any, NDArray[np.float64], NDArray[np.uint32]], None]:
        number = population.index

        def hear(simulation: Any, times: NDArray[np.float64], ids: NDArray[np.uint32]) -> None:
            if self._on:
                self._tell(times.size, "spikes", number, times, ids)

        return hear

    def _follow(self, at: float, kind: int, owner: int, ids: NDArray[np.uint64], details: tuple[Any, ...]) -> None:
        self._tell(ids.size, "event", at, kind, owner, ids, details)

    def _peek(self) -> None:
        """Read weights and delays of what is drawn, as they are now."""
        self._peeks += 1
        for number, (projection, ids) in enumerate(zip(self.network.projections.values(), self._shown, strict=False)):
            if projection.values.plasticity is None and self._peeks % _PEEK_OTHERS:
                continue
            rows = self.network._slots_of(projection.source, (ids >> np.uint64(32)).astype(np.int64))
            places, _ = projection.store.find(rows, ids.astype(np.uint32))
            alive = places >= 0
            values = projection.values.read_all(("weight", "delay"), rows[alive], places[alive])
            self._tell(0, "values", number, ids[alive], values["weight"], values["delay"])

    # -- the thread of whoever draws -------------------------------------------------------------------------

    def wish(self, name: str, read: Callable[[], Any] | None) -> None:
        """Have something read between epochs, at every look, from now on (None: no more)."""
        if read is None:
            self._wishes.pop(name, None)
        else:
            self._wishes[name] = read

    def frame(self) -> Frame | None:
        """Everything new, up to the latest look of the simulation; None where there is nothing new."""
        self._asked = time.perf_counter()
        with self._lock:
            facts = self._taken()
            if not facts:
                return None
            traces: dict[str, list[Any]] = {}
            for what, *fact in facts:
                if what == "begin":
                    traces = {}
                    self._start(*fact)
                elif what == "until":
                    for name, value in fact[1].items():
                        traces.setdefault(name, []).append((fact[0], value))
                elif self.stage is not None:  # "spikes", "event" or "values", each told to the stage as it is
                    getattr(self.stage, what)(*fact)
            if self.stage is None or (facts[0][0] == "begin" and facts[-1][1] == self.stage.time):
                return None
            frame = self.stage.frame(facts[-1][1], traces)
            self._note_shown(self.stage)
            return frame

    def _taken(self) -> list[tuple[Any, ...]]:
        """The facts up to the last "until"."""
        with self._hands:
            last = max((k for k, fact in enumerate(self._facts) if fact[0] == "until"), default=-1)
            taken, self._facts, self._waiting = self._facts[: last + 1], self._facts[last + 1 :], 0
        return taken

    def _start(self, at: float, cast: Any, beginning: Beginning) -> None:
        version = self.stage.version if self.stage is not None else 0
        self.stage = Stage(cast, self.layout, self.budget)
        self.stage.version = version
        self.stage.captions = self.captions
        self.stage.begin(at, beginning)
        self._note_shown(self.stage)

    def _note_shown(self, stage: Stage) -> None:
        self._shown = [stage.drawn_ids(number) for number in range(len(stage.cast.projections))]

    @property
    def version(self) -> int:
        """Version of the scene; 0 before there is one."""
        return 0 if self.stage is None else self.stage.version

    def scene(self) -> Scene | None:
        """Everything that is drawn: after the last frame; None before the first."""
        with self._lock:
            return None if self.stage is None else self.stage.scene()


def capture(
    simulation: Simulation,
    every: Any,
    sink: Callable[[Scene, Frame], Any],
    layout: str = "module",
    budget: int = BUDGET,
) -> Running:
    """Give frames of a simulation to ``sink(scene, frame)``, from now on one ``every`` so often (ms or a quantity).

    It is called in the simulation's thread, which waits for it: for movies, where no frame may be missing.
    """
    running = Running(simulation, layout, budget)

    def take(_: Any) -> None:
        running._asked = time.perf_counter()
        running.look()
        frame, scene = running.frame(), running.scene()
        if frame is not None and scene is not None:
            sink(scene, frame)

    running._asked = time.perf_counter()
    running.look()
    running.frame()
    simulation.every(every, take)
    return running
