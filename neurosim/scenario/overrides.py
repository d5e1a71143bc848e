"""Changes to a scenario from the command line: ``--set path=value``, ``--seed``, ``--duration``.

A path names a value as it stands in the file (``populations.exc.size``, ``protocol.0.at``). As in the protocol, the
parameters of an input or of a population's model can be named without their kind (``inputs.drive.rate``,
``populations.exc.tau_m``), and structural rules by their names (``structure.prune_weak.below``). Values are written as
in YAML: ``20 ms``, ``100``, ``{fixed_indegree: 40}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from neurosim.errors import Problem, ScenarioError, UsageError, suggest
from neurosim.models import neuron_models
from neurosim.scenario import structure
from neurosim.scenario.reader import Document, Location, parse_value


def override(
    document: Document,
    settings: Sequence[str] = (),
    seed: int | None = None,
    duration: float | str | None = None,
) -> None:
    """Apply the flags to ``document`` in place.

    Raises
    ------
    UsageError : a setting is not ``path=value``.
    ScenarioError : paths that do not exist and values that cannot be read, all at once.
    """
    problems: list[Problem] = []
    for setting in settings:
        path, equals, text = setting.partition("=")
        flag = f"--set {setting}"
        if not equals or not path.strip():
            raise UsageError(f"{flag}: write it as path=value, e.g. --set populations.exc.size=100")
        try:
            _set(document, path.strip(), parse_value(text, flag), flag)
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    if seed is not None:
        _set(document, "seed", seed, f"--seed {seed}")
    if duration is not None:
        _set(document, "duration", duration, f"--duration {duration}")


def _set(document: Document, path: str, value: Any, flag: str) -> None:
    parts = _with_kind(document.data, path.split("."))
    location: Location = ()
    holder: Any = document.data
    for part, following in pairwise(parts):
        key = _key(holder, part, location, flag)
        inner = holder.get(key) if isinstance(holder, dict) else holder[key]
        if inner is None and (len(location) >= 2 or key == "record"):  # where the schema knows every key
            inner = holder[key] = {}
        elif isinstance(inner, str) and inner == following:  # a kind without parameters gets some
            inner = holder[key] = {inner: {}}
        if inner is None:
            names = [str(name) for name in holder]
            where = f" in {'.'.join(map(str, location))}" if location else ""
            raise _refused(f"there is no '{key}'{where}.{suggest(part, names)}", flag)
        location, holder = (*location, key), inner
    key = _key(holder, parts[-1], location, flag)
    holder[key] = value
    document.flags[*location, key] = flag


def _key(holder: Any, part: str, location: Location, flag: str) -> str | int:
    where = ".".join(map(str, location))
    if isinstance(holder, dict):
        return part
    if not isinstance(holder, list):
        raise _refused(f"'{where}' is {holder!r}, which has no '{part}'", flag)
    if part.isdecimal() and int(part) < len(holder):
        return int(part)
    raise _refused(f"'{where}' is a list with entries 0 to {len(holder) - 1}, found '{part}'", flag)


def _refused(message: str, flag: str) -> ScenarioError:
    return ScenarioError([Problem(message, flag)])


def _with_kind(data: dict[str, Any], parts: list[str]) -> list[str]:
    """Insert the kind that a path such as ``inputs.drive.rate`` leaves out."""
    if len(parts) == 3 and parts[0] == "structure":
        return _with_rule(data, parts)
    if len(parts) != 3 or parts[0] not in ("inputs", "populations"):
        return parts
    section = data.get(parts[0])
    entry = section.get(parts[1]) if isinstance(section, dict) else None
    if not isinstance(entry, dict) or parts[2] in entry:
        return parts
    if parts[0] == "inputs":
        kind = [name for name in ("poisson", "current") if name in entry]
        return parts if parts[2] in ("to", "weight", "receptor", *kind) else [*parts[:2], *kind, parts[2]]
    own = entry.get("parameters")
    if isinstance(own, dict) and parts[2] in own:
        return [*parts[:2], "parameters", parts[2]]
    model = entry.get("model")
    name = model if isinstance(model, str) else next(iter(model), "") if isinstance(model, dict) else ""
    declared = neuron_models().get(name)
    known = {parameter.name for parameter in declared.parameters} if declared else set()
    return [*parts[:2], "model", name, parts[2]] if parts[2] in known else parts


def _with_rule(data: dict[str, Any], parts: list[str]) -> list[str]:
    """Replace the name of a structural rule by its place in the list, and what stands there."""
    section = data.get("structure")
    written = dict(enumerate(section)) if isinstance(section, list) else {}
    known = structure.names(written)
    if parts[1] not in known:
        return parts
    index = known[parts[1]]
    entry = structure.read(written[index])
    if entry.kind:
        return ["structure", str(index), entry.kind, parts[2]]
    own = entry.given.get("parameters") or {}
    return ["structure", str(index), *(["parameters"] if parts[2] in own else []), parts[2]]
