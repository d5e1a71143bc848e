"""What people do to a network by hand while they watch, and the scenario that does the same by itself."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import UsageError, unknown
from neurosim.viz.live.parameters import parameters

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation
    from neurosim.scenario.load import Scenario

_TERMS = 40  # runs of ids in one expression


@dataclass(frozen=True)
class Intervention:
    """Something done at ``time`` (ms), as an entry of a protocol would write it."""

    time: float
    action: dict[str, Any]

    @property
    def words(self) -> str:
        """It, in a few words."""
        if "set" in self.action:
            return ", ".join(f"{path} = {value}" for path, value in self.action["set"].items())
        return f"lesion of {self.action['lesion']['population']}"


class Interventions:
    """Changes by hand, made exactly as a scenario's protocol would make them, and remembered."""

    def __init__(self, simulation: Simulation, scenario: Scenario | None = None) -> None:
        from neurosim.scenario.protocol import Cast

        network = simulation.network
        self.simulation, self.scenario = simulation, scenario
        self.done: list[Intervention] = []
        self._cast = Cast(network, {name: [projection] for name, projection in network.projections.items()})

    def set(self, path: str, value: Any) -> float:
        """Change a parameter; returns its value as it is now. Between epochs only."""
        known = {parameter["path"]: parameter for parameter in parameters(self.simulation.network)}
        if path not in known:
            raise unknown("parameter", path, known)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UsageError(f"{path} takes a number; found {value!r:.60}.")
        written = f"{float(value)!r} {known[path]['unit']}".strip()
        self._act({"set": {path: written}})
        return float(next(p["value"] for p in parameters(self.simulation.network) if p["path"] == path))

    def lesion(self, neurons: Iterable[int]) -> int:
        """Remove neurons by id; returns how many there were. Between epochs only."""
        ids = np.unique(np.fromiter(neurons, np.int64))
        found = 0
        for name, population in self.simulation.network.populations.items():
            mine = ids[np.isin(ids, population.ids)]
            found += int(mine.size)
            runs = np.split(mine, np.flatnonzero(np.diff(mine) != 1) + 1) if mine.size else []
            for k in range(0, len(runs), _TERMS):
                where = " or ".join(map(_among, runs[k : k + _TERMS]))
                self._act({"lesion": {"population": name, "where": where}})
        if not found:
            raise UsageError("none of these neurons is alive.")
        return found

    def _act(self, action: dict[str, Any]) -> None:
        from neurosim.scenario.protocol import performer
        from neurosim.scenario.schema import Action

        performer([Action.model_validate(action)], self._cast)(self.simulation)
        self.done.append(Intervention(self.simulation.time, action))

    # -- code --------------------------------------------------------------------------------------------------

    def code(self) -> str:
        """A scenario that does by itself what was done; for a network from Python, the lines that do it."""
        if self.scenario is None:
            return self._python()
        return _yaml(self.scenario, self.done)

    def _python(self) -> str:
        lines = ["# before sim.run(…):"]
        for one in self.done:
            if "lesion" in one.action:
                target = one.action["lesion"]
                population = f"net.populations[{target['population']!r}]"
                act = f"{population}.remove({population}.where({target['where']!r}))"
            else:
                ((path, value),) = one.action["set"].items()
                section, name, key = path.split(".")
                owner = {"structure": "rules"}.get(section, section)
                verb = "set_parameter" if section == "populations" else "set"
                act = f"net.{owner}[{name!r}].{verb}({key!r}, {value!r})"
            lines.append(f"sim.at({one.time!r}, lambda sim: {act})")
        return "\n".join([*lines, ""]) if self.done else "# Nothing was done by hand.\n"


def _among(run: Any) -> str:
    """A condition that holds for a run of ids."""
    return f"id == {run[0]}" if run.size == 1 else f"(id >= {run[0]} and id <= {run[-1]})"


def _yaml(scenario: Scenario, done: list[Intervention]) -> str:
    """The scenario's own text, with what the command line changed and what was done by hand."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    yaml = YAML()
    yaml.width = 110
    yaml.preserve_quotes = True
    data = yaml.load(scenario.text)
    for location in scenario.document.flags:
        _put(data, scenario.document.data, location)
    entries = CommentedSeq()
    for one in done:
        action = {key: CommentedMap(value) for key, value in one.action.items()}
        for value in action.values():
            value.fa.set_flow_style()
        entry = CommentedMap({"at": f"{one.time!r} ms", **action})
        entry.fa.set_flow_style()
        entries.append(entry)
    if entries and data.get("protocol"):
        data["protocol"].extend(entries)
    elif entries:
        data["protocol"] = entries
    text = io.StringIO()
    yaml.dump(data, text)
    return text.getvalue()


def _put(data: Any, changed: Any, location: tuple[str | int, ...]) -> None:
    """Take one value over from the scenario as it was changed; what holds it is made where it is missing."""
    for depth, key in enumerate(location):
        here = data.get(key) if isinstance(data, dict) else data[key]
        changed = changed[key]
        if depth == len(location) - 1 or not isinstance(here, (dict, list)):
            data[key] = changed
            return
        data = here
