"""How fast a simulation goes while it is watched, and what is done to it between epochs.

`Pace` is what a simulation asks how far it may go (`Simulation.pace`): it lets time pass at the chosen speed, waits
while it is paused, carries out what viewers want done, and hands over what is new.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from neurosim.errors import NeurosimError, UsageError
from neurosim.viz.live.running import Running

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation

FRAME = 1 / 30  # s of wall time
_WAIT = 0.02  # s at most that the simulation is kept waiting before it is asked whether it was stopped
_LAG = 0.1  # s that a slow simulation may later make up for

_SPEEDS = 1e-4, 1e3  # simulated seconds per second


def checked_speed(speed: float) -> float:
    """A speed, if clocks can follow it; else UsageError."""
    if not _SPEEDS[0] <= speed <= _SPEEDS[1]:
        raise UsageError(f"a speed is {_SPEEDS[0]:g} to {_SPEEDS[1]:g} simulated seconds per second; found {speed:g}.")
    return speed


class Pace:
    """The pace of a simulation; ``speed`` in simulated seconds per second, None as fast as it can."""

    def __init__(self, running: Running, speed: float | None, paused: bool = False) -> None:
        self.running = running
        self.speed = speed
        self.paused = paused
        self.idle = True  # whether the simulation is not asking
        self._until = 0  # step up to which a paused simulation may go
        self._wishes: deque[tuple[Callable[[Simulation], Any], Future[Any]]] = deque()
        self._awake = threading.Event()
        self._anchor: tuple[float, float] | None = None  # (wall s, simulated ms)

    # -- the simulation's thread -----------------------------------------------------------------------------

    def __call__(self, simulation: Simulation) -> int:
        """The step up to which the simulation may go now."""
        self.idle = False
        self._awake.clear()
        self._act(simulation)
        self.running.look()
        if not simulation.running:  # the run has ended
            self.end()
            return simulation.step
        if self.paused:
            self._anchor = None
            if simulation.step < self._until:
                return self._until
            self._awake.wait(_WAIT)
            return simulation.step
        if self.speed is None:
            return simulation.step + 2**40
        return self._allowed(simulation, self.speed)

    def _allowed(self, simulation: Simulation, speed: float) -> int:
        now, per_ms = time.perf_counter(), 1e-3 / speed  # wall s per simulated ms
        if self._anchor is None:
            self._anchor = now, simulation.time
        due = self._anchor[0] + (simulation.time - self._anchor[1]) * per_ms  # when this time should be reached
        if now - due > _LAG:
            self._anchor = now - _LAG, simulation.time
        elif now < due:
            self._awake.wait(min(due - now, _WAIT))
            if time.perf_counter() < due:
                return simulation.step
        return simulation.step + max(1, round(FRAME / per_ms / simulation.dt))

    def _act(self, simulation: Simulation) -> None:
        while self._wishes:
            act, answer = self._wishes.popleft()
            try:
                answer.set_result(act(simulation))
            except NeurosimError as failure:
                answer.set_exception(failure)
            except Exception as failure:  # noqa: BLE001 (a viewer's wish must not end the run)
                answer.set_exception(UsageError(f"that could not be done: {failure}"))

    # -- whoever watches ---------------------------------------------------------------------------------------

    def soon(self, act: Callable[[Simulation], Any]) -> Future[Any]:
        """Have something done to the simulation between epochs; what it returns is the answer."""
        answer: Future[Any] = Future()
        if self.idle:
            answer.set_exception(UsageError("the simulation does not run now."))
            return answer
        self._wishes.append((act, answer))
        self._awake.set()
        return answer

    def set_speed(self, speed: float | None) -> None:
        """Go at another speed from now on."""
        self.speed, self._anchor = None if speed is None else checked_speed(speed), None
        self._awake.set()

    def pause(self) -> None:
        """Stand still from the next look on."""
        self.paused, self._until = True, 0
        self._awake.set()

    def resume(self) -> None:
        """Go on."""
        self.paused = False
        self._awake.set()

    def step(self, simulation: Simulation, ms: float) -> None:
        """Go on for some simulated time and stand still again."""
        self._until = simulation.step + max(1, round(ms / simulation.dt))
        self.paused = True
        self._awake.set()

    def end(self) -> None:
        """The simulation asks no more; nobody who waits is forgotten."""
        self.idle = True
        while self._wishes:
            self._wishes.popleft()[1].set_exception(UsageError("the run has ended."))
