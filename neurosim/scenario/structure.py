"""The structural rules of a scenario, as they are written, and how they get into the network."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from neurosim.errors import InvalidInput, NeurosimError, unknown
from neurosim.graph.network import Network
from neurosim.graph.population import Population
from neurosim.graph.projection import Projection
from neurosim.models import structure
from neurosim.models.structural import ALIASES, CLAUSES, EVERYWHERE
from neurosim.scenario.fields import show
from neurosim.scenario.reader import Location
from neurosim.scenario.schema import Spec
from neurosim.units import quantity

_PLACES = ("projection", "projections", "population")  # keys that say what a rule acts on
CODE = ("equations", "parameters", "initial")
_IDLE = {"die": "False"}  # a clause that does nothing
WRITTEN_CLAUSES = (*CLAUSES, "for")


@dataclass(frozen=True)
class Entry:
    """A rule as it is written.

    ``kind`` is its name in the library, "" for one that is written in place; ``given`` is all that is said of it but
    what it acts on; ``on`` are the names after ``place``, one of `_PLACES` ("" where none is given).
    """

    kind: str
    given: Mapping[str, Any]
    place: str
    on: tuple[str, ...]

    def spec(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The rule as `neurosim.models.structure.rule` reads it, with what is ``given``."""
        return {self.kind: dict(given)} if self.kind else {**_IDLE, **given} if idle(given) else dict(given)

    @property
    def of_neurons(self) -> bool:
        """Whether it is about neurons; one written in place is about what it acts on."""
        return structure.structural_rules()[self.kind].of_neurons if self.kind else self.place == "population"

    def location(self, index: int) -> Location:
        """Where what is given stands in the file."""
        return ("structure", index, self.kind) if self.kind else ("structure", index)


def read(value: Any) -> Entry:
    """Read one entry of ``structure:``; raises InvalidInput."""
    form = "{RULE: {projection: NAME, every: TIME, …}}, or with its code, {projection: NAME, every: TIME, die: …}"
    if not isinstance(value, Mapping) or not value:
        raise InvalidInput(f"a structural rule is written {form}; found {show(value)}")
    named = [str(key) for key in value if key in structure.structural_rules()]
    if named and len(value) > 1:
        beside = next(str(key) for key in value if key != named[0])
        raise InvalidInput(f"`{beside}` stands beside `{named[0]}`; what is said of it stands in it: {form}")
    own_keys = {*_PLACES, *WRITTEN_CLAUSES, *CODE, *EVERYWHERE, "from"}
    kind = "" if len(value) > 1 or set(value) & own_keys else str(next(iter(value)))
    given = value[kind] if kind else value
    if kind and kind not in structure.structural_rules():
        raise unknown("structural rule", kind, structure.structural_rules())
    if given is not None and not isinstance(given, Mapping):
        raise InvalidInput(f"what is said of {kind} is written {{key: value}}; found {show(given)}")
    said = dict(given or {})
    places = [place for place in _PLACES if place in said]
    if len(places) > 1:
        raise InvalidInput(f"acts either on `{places[0]}` or on `{places[1]}`")
    names = said.get(places[0]) if places else []
    names = names if isinstance(names, list) else [names]
    if not all(isinstance(name, str) for name in names):
        raise InvalidInput(f"`{places[0]}` takes names, found {show(said[places[0]])}")
    said = {str(key): value for key, value in said.items() if key not in _PLACES}
    return Entry(kind, said, places[0] if places else "", tuple(names))


def idle(given: Mapping[str, Any]) -> bool:
    """Return whether none of the clauses says anything."""
    return not any(str(given.get(key, "")).strip() for key in WRITTEN_CLAUSES)


def names(section: Mapping[int, Any]) -> dict[str, int]:
    """What the rules are called in the network -> their place in the list: ``name``, or the rule's own, numbered.

    Those that cannot be read are left out.
    """
    found, said = {}, {}
    for index, value in section.items():
        with contextlib.suppress(NeurosimError):
            found[index] = read(value)
    for index, entry in found.items():
        if isinstance(entry.given.get("name"), str):
            said[entry.given["name"]] = index
    taken = dict(said)
    for index, entry in found.items():
        if index not in said.values():
            own = entry.kind or "own"
            candidates = (own if k == 1 else f"{own}_{k}" for k in range(1, len(found) + 2))
            taken[next(name for name in candidates if name not in taken)] = index
    return dict(sorted(taken.items(), key=lambda item: item[1]))


def expanded(entry: Entry, spec: Spec) -> list[str]:
    """The projections that its names stand for: all that a ``to:`` list expands to, or one of them by its full name."""
    several = {name: [full for full, _ in projection.expand(name)] for name, projection in spec.projections.items()}
    return [full for name in entry.on for full in several.get(name, [name])]


def install(spec: Spec, network: Network, place: Callable[..., AbstractContextManager[None]]) -> None:
    """Give a network the rules of its scenario; ``place(*location)`` is a context that gives errors their line."""
    for name, index in names(spec.structure).items():
        with place("structure", index):
            entry = read(spec.structure[index])
            on = entry.on if entry.of_neurons else expanded(entry, spec)
            network.add_rule(entry.spec({**entry.given, "name": name}), *acted_on(entry, on, network))


def acted_on(entry: Entry, on: Iterable[str], network: Network) -> tuple[Population | Projection, ...]:
    """What a rule acts on in a network."""
    return tuple(network.populations[name] if entry.of_neurons else network.projections[name] for name in on)


def describe(spec: Spec) -> dict[str, dict[str, Any]]:
    """Return every rule of a checked scenario by its name, JSON-able; None is a parameter without a limit."""
    found = {}
    for name, index in names(spec.structure).items():
        entry = read(spec.structure[index])
        rule = structure.rule(entry.spec({"every": 1.0, **entry.given})).rule if entry.kind else None
        given = {ALIASES.get(key, key): value for key, value in entry.given.items()}
        defaults = {p.name: None if math.isinf(p.default) else p.default for p in rule.parameters} if rule else {}
        code = {key: given[key] for key in (*CLAUSES, "equations") if key in given and key not in defaults}
        found[name] = {
            "rule": entry.kind or "own",
            "on": list(entry.on) if entry.of_neurons else expanded(entry, spec),
            "every_ms": quantity(given["every"], "ms", ""),
            "parameters": {key: given.get(key, value) for key, value in defaults.items()}
            or dict(given.get("parameters") or {}),
            **({"code": code} if code else {}),
        }
    return found


def bytes_per_synapse(spec: Spec) -> dict[str, int]:
    """Return what rules keep of each synapse, by projection: when it was born, and how long a condition has held."""
    born: dict[str, int] = {}
    held: dict[str, int] = {}
    for index in names(spec.structure).values():
        entry = read(spec.structure[index])
        if entry.of_neurons:
            continue
        rule = structure.rule(entry.spec({"every": 1.0, **entry.given})).rule
        texts = " ".join(getattr(rule, clause) for clause in CLAUSES)
        for name in expanded(entry, spec):
            if re.search(r"\b(age|last_use)\b", texts):
                born[name] = 4
            held[name] = held.get(name, 0) + 4 * bool(rule.lasting)
    return {name: born.get(name, 0) + held[name] for name in held}
