"""What a server shows: a network that runs, or a result. Both give frames, say how they stand, and do what is asked.

`frame`, `scene` and `do` are called by threads of the server, one at a time each. What can be asked is listed in
`_COMMANDS`; whatever else comes is answered with an error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from neurosim.errors import NeurosimError, UsageError, unknown
from neurosim.viz.live import neuron
from neurosim.viz.live.drawn import BUDGET
from neurosim.viz.live.frame import Frame, Scene
from neurosim.viz.live.interventions import Interventions
from neurosim.viz.live.pace import Pace, checked_speed
from neurosim.viz.live.parameters import parameters
from neurosim.viz.live.replay import Replay
from neurosim.viz.live.running import Running
from neurosim.viz.marks import marks_from_scenario

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation
    from neurosim.record import Result
    from neurosim.scenario.load import Scenario

Facts = dict[str, Any]
PATIENCE = 20.0  # s that a viewer waits for an answer
_A_MINUTE = 60.0  # s that a whole run lasts to a viewer who asks for no speed
_RANGE = 0.01, 5.0  # of such a speed


class Show(Protocol):
    """What is shown."""

    @property
    def version(self) -> int:
        """Version of the scene; a viewer that has another gets the scene anew."""

    def frame(self) -> Frame | None:
        """What is new; None where nothing is."""

    def scene(self) -> Scene | None:
        """Everything that is drawn after the last frame; None before there is any."""

    def state(self) -> Facts:
        """How it stands: what the controls show."""

    def do(self, command: Mapping[str, Any], viewer: int) -> Facts:
        """Do what a viewer asks for, and answer. Raises NeurosimError."""

    def left(self, viewer: int) -> None:
        """A viewer has gone."""


def usual_speed(duration: float) -> float:
    """Simulated seconds per second at which ``duration`` (ms) lasts about a minute."""
    return min(max(duration / 1e3 / _A_MINUTE, _RANGE[0]), _RANGE[1])


def captions(text: str, duration: float) -> list[tuple[float, str]]:
    """What the protocol of a scenario does that has no captions, as (ms, what is said): for a twentieth of the run."""
    said: list[tuple[float, str]] = []
    for mark in marks_from_scenario(text, duration):
        if mark.label:
            if said and said[-1][0] > mark.start:
                said.pop()
            said += [(mark.start, mark.label), (max(mark.stop, mark.start + 0.05 * duration), "")]
    return said


def _speaks(scenario: Scenario) -> bool:
    """Whether a scenario's protocol has captions of its own."""
    return any(action.caption for entry in scenario.spec.protocol.values() for action in entry.actions)


class LiveShow:
    """A simulation that runs, in a thread of its own."""

    def __init__(
        self,
        simulation: Simulation,
        *,
        scenario: Scenario | None = None,
        speed: float | None = None,
        duration: float | None = None,
        layout: str = "module",
        budget: int = BUDGET,
        wait: bool = False,
    ) -> None:
        self.simulation = simulation
        self.scenario, self.duration = scenario, duration
        self.running = Running(simulation, layout, budget)
        self.pace = Pace(self.running, speed, paused=wait)
        self.waiting = wait  # for the first viewer
        self.hands = Interventions(simulation, scenario)
        if scenario is not None and not _speaks(scenario):
            self.running.captions = captions(scenario.text, scenario.duration)
        self._watched: dict[int, str] = {}  # viewer -> the trace that it follows
        self.running.frame()
        self.running.look()  # so that there is something to see before the first step
        if isinstance(simulation.pace, Pace):
            simulation.pace.end()  # another view was there before
        simulation.pace = self.pace
        self._commands: dict[str, Callable[[Mapping[str, Any], int], Facts]] = {
            "pause": self._pause, "resume": self._resume, "step": self._step, "speed": self._speed, "set": self._set,
            "lesion": self._lesion, "pick": self._pick, "trace": self._trace, "parameters": self._parameters,
            "code": self._code, "seek": self._seek,
        }  # fmt: skip

    @property
    def version(self) -> int:
        """Version of the scene."""
        return self.running.version

    def frame(self) -> Frame | None:
        """What is new since it was last asked."""
        if self.waiting:
            self.waiting = False
            self.pace.resume()
        return self.running.frame()

    def scene(self) -> Scene | None:
        """Everything that is drawn now."""
        return self.running.scene()

    def state(self) -> Facts:
        """How the run stands."""
        pace = self.pace
        return {
            "mode": "live", "paused": pace.paused, "speed": pace.speed, "duration": self.duration,
            "status": "idle" if pace.idle else "running", "title": self.scenario.name if self.scenario else "network",
            "about": self.scenario.spec.header.about if self.scenario else "", "done": len(self.hands.done),
            "dt": self.simulation.dt,
        }  # fmt: skip

    def do(self, command: Mapping[str, Any], viewer: int) -> Facts:
        """Do what a viewer asks for."""
        answer: Facts = _command(command, self._commands)(command, viewer)
        return answer

    def left(self, viewer: int) -> None:
        """A viewer has gone, and follows no trace any more."""
        self._follow(viewer, None, None)

    def _now(self, act: Callable[[Simulation], Any]) -> Any:
        """Do something between epochs, and wait for it."""
        return self.pace.soon(act).result(PATIENCE)

    def _pause(self, command: Mapping[str, Any], viewer: int) -> Facts:
        self.pace.pause()
        return {}

    def _resume(self, command: Mapping[str, Any], viewer: int) -> Facts:
        self.pace.resume()
        return {}

    def _step(self, command: Mapping[str, Any], viewer: int) -> Facts:
        ms = _number(command, "ms", 1.0)
        if not 0.0 < ms <= 1e6:
            raise UsageError(f"a step is more than 0 ms and at most 1000 s; found {ms:g} ms.")
        self.pace.step(self.simulation, ms)
        return {}

    def _speed(self, command: Mapping[str, Any], viewer: int) -> Facts:
        self.pace.set_speed(None if command.get("speed") is None else _number(command, "speed"))
        return {}

    def _set(self, command: Mapping[str, Any], viewer: int) -> Facts:
        path, value = str(command.get("path")), command.get("value")
        return {"path": path, "value": self._now(lambda simulation: self.hands.set(path, value))}

    def _lesion(self, command: Mapping[str, Any], viewer: int) -> Facts:
        ids = command.get("neurons")
        if not isinstance(ids, list) or not ids or not all(_is_id(one) for one in ids):
            raise UsageError(f"a lesion takes ids of neurons, a list of whole numbers; found {ids!r:.60}.")
        return {"removed": self._now(lambda simulation: self.hands.lesion(ids))}

    def _pick(self, command: Mapping[str, Any], viewer: int) -> Facts:
        chosen = _neuron(command)
        if chosen is None:
            self._follow(viewer, None, None)
            return {"neuron": None}
        return dict(self._now(lambda simulation: neuron.of_network(simulation.network, chosen)))

    def _trace(self, command: Mapping[str, Any], viewer: int) -> Facts:
        """Follow a state variable of a neuron from now on; frames bring it under the name that is answered."""
        chosen, variable = _neuron(command), str(command.get("variable"))
        if chosen is None:
            self._follow(viewer, None, None)
            return {"trace": None}
        read, unit = self._now(lambda simulation: neuron.reader(simulation.network, chosen, variable))
        name = f"{chosen}.{variable}"
        self._follow(viewer, name, read)
        return {"trace": name, "unit": unit}

    def _follow(self, viewer: int, name: str | None, read: Callable[[], Any] | None) -> None:
        before = self._watched.pop(viewer, None)
        if before is not None and before not in self._watched.values():
            self.running.wish(before, None)
        if name is not None:
            self._watched[viewer] = name
            self.running.wish(name, read)

    def _parameters(self, command: Mapping[str, Any], viewer: int) -> Facts:
        return {"parameters": self._now(lambda simulation: parameters(simulation.network))}

    def _code(self, command: Mapping[str, Any], viewer: int) -> Facts:
        language = "yaml" if self.scenario is not None else "python"
        return {"code": self.hands.code(), "language": language, "done": [one.words for one in self.hands.done]}

    def _seek(self, command: Mapping[str, Any], viewer: int) -> Facts:
        raise UsageError("a run that goes on has no past to go back to; watch its result when it has ended.")


class ReplayShow:
    """A result, played from a time on; one that is still being written is followed."""

    def __init__(
        self,
        result: Result,
        *,
        speed: float | None = None,
        at: float = 0.0,
        layout: str = "module",
        budget: int = BUDGET,
        paused: bool = False,
        first_version: int = 0,
    ) -> None:
        self.result = result
        self.replay = Replay(result, layout, budget)
        self.replay.stage.version += first_version
        self.replay.otherwise = captions(result.scenario_text, result.duration)
        self.paused = paused
        self.speed = usual_speed(result.duration) if speed is None else speed
        self._lock = threading.RLock()
        self._clock: float | None = None
        self._end, self._looked = self.replay.end, time.perf_counter()
        self._growing = result.status == "running"
        if at > 0.0:
            self.replay.seek(at)
        self._commands: dict[str, Callable[[Mapping[str, Any], int], Facts]] = {
            "pause": self._pause, "resume": self._resume, "step": self._step, "speed": self._speed, "seek": self._seek,
            "pick": self._pick, "trace": self._trace, "parameters": self._parameters, "code": self._code,
        }  # fmt: skip
        for name in ("set", "lesion"):
            self._commands[name] = self._too_late

    @property
    def version(self) -> int:
        """Version of the scene: another after each leap in time."""
        return self.replay.stage.version

    def frame(self) -> Frame | None:
        """What happens until the time that the clock has come to."""
        with self._lock:
            now = time.perf_counter()
            since = 0.0 if self._clock is None else now - self._clock
            self._clock = now
            end = self._reached(now)
            here = self.replay.time
            if self.paused or here >= end or since <= 0.0:
                if here >= end and not self._growing and not self.paused and end > 0.0:
                    self.paused = True
                return None
            return self.replay.frame(min(here + min(since, 0.25) * 1e3 * self.speed, end))

    def _reached(self, now: float) -> float:
        if self._growing and now - self._looked > 0.25:
            self._looked, self._end = now, self.replay.end
            self._growing = self.result.status == "running"
            if not self._growing:
                self._end = self.replay.end
        return self._end

    def scene(self) -> Scene:
        """Everything that is drawn now."""
        with self._lock:
            return self.replay.scene()

    def state(self) -> Facts:
        """How the replay stands."""
        header = _header(self.result)
        return {
            "mode": "replay", "paused": self.paused, "speed": self.speed, "duration": self.result.duration,
            "end": self._end, "status": "running" if self._growing else "finished",
            "title": header.get("name") or self.result.path.stem, "about": header.get("about") or "", "done": 0,
            "dt": self.result.dt, "file": Path(self.result.path).name,
        }  # fmt: skip

    def do(self, command: Mapping[str, Any], viewer: int) -> Facts:
        """Do what a viewer asks for."""
        act = _command(command, self._commands)
        with self._lock:
            answer: Facts = act(command, viewer)
        return answer

    def left(self, viewer: int) -> None:
        """Nothing is kept of viewers."""

    def _pause(self, command: Mapping[str, Any], viewer: int) -> Facts:
        self.paused = True
        return {}

    def _resume(self, command: Mapping[str, Any], viewer: int) -> Facts:
        if self.replay.time >= self._end and not self._growing:
            self.replay.seek(0.0)
        self.paused, self._clock = False, None
        return {}

    def _step(self, command: Mapping[str, Any], viewer: int) -> Facts:
        self.paused = True
        self.replay.seek(min(self.replay.time + _number(command, "ms", 1.0), self._end))
        return {}

    def _speed(self, command: Mapping[str, Any], viewer: int) -> Facts:
        usual = command.get("speed") is None
        self.speed = usual_speed(self.result.duration) if usual else checked_speed(_number(command, "speed"))
        return {}

    def _seek(self, command: Mapping[str, Any], viewer: int) -> Facts:
        self.replay.seek(_number(command, "time"))
        return {"time": self.replay.time}

    def _pick(self, command: Mapping[str, Any], viewer: int) -> Facts:
        chosen = _neuron(command)
        return {"neuron": None} if chosen is None else neuron.of_result(self.result, chosen, self.replay.time)

    def _trace(self, command: Mapping[str, Any], viewer: int) -> Facts:
        return {"trace": None}

    def _parameters(self, command: Mapping[str, Any], viewer: int) -> Facts:
        return {"parameters": []}

    def _code(self, command: Mapping[str, Any], viewer: int) -> Facts:
        return {"code": self.result.scenario_text, "language": "yaml", "done": []}

    def _too_late(self, command: Mapping[str, Any], viewer: int) -> Facts:
        raise UsageError("this is a recording; only a network that runs can be changed.")


def _header(result: Result) -> dict[str, Any]:
    from neurosim.scenario.reader import parse

    try:
        return {key: str(value) for key, value in parse(result.scenario_text).data.items() if key in ("name", "about")}
    except NeurosimError:
        return {}


def _command(command: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    name = str(command.get("do"))
    if name not in known:
        raise unknown("command", name, known)
    return known[name]


def _number(command: Mapping[str, Any], key: str, default: float | None = None) -> float:
    value = command.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:
        raise UsageError(f"`{key}` is a number; found {value!r:.60}.")
    return float(value)


def _neuron(command: Mapping[str, Any]) -> int | None:
    chosen = command.get("neuron")
    if chosen is not None and not _is_id(chosen):
        raise UsageError(f"a neuron is told by its id, a whole number; found {chosen!r:.60}.")
    return chosen


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32
