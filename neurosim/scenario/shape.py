"""From a document to the typed parts of a scenario, with every error of shape told in our words."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from neurosim.errors import Problem, suggest
from neurosim.scenario.fields import NAME, Section, show
from neurosim.scenario.reader import Document, Location
from neurosim.scenario.schema import LISTED, NAMED, Header, Record, Spec
from neurosim.scenario.schema_network import Rule, in_place


def shape(document: Document) -> tuple[Spec, list[Problem]]:
    """Read the parts of a scenario.

    Returns what has the right shape, and every problem found. Entries that have
    problems are left out of the `Spec`; their names are still in ``document.data``, so nobody calls them missing.
    """
    sections = [*NAMED, "structure", *LISTED, "record"]
    reader = _Reader(document)
    rest = {key: value for key, value in document.data.items() if key not in sections}
    header = reader.read(Header, rest, (), known=[*_keys(Header), *sections])
    parts: dict[str, Any] = {}
    for section, model in NAMED.items():
        entries = reader.section(section, dict)
        named = {name: reader.read(model, value, (section, name)) for name, value in entries.items()}
        reader.names(section, entries)
        parts[section] = {name: entry for name, entry in named.items() if entry is not None}
    for name, projection in parts["projections"].items():
        for index, rule in enumerate(projection.learning):
            if in_place(rule):
                reader.read(Rule, rule, ("projections", name, "learning", index))
    for section, model in LISTED.items():
        listed = {i: reader.read(model, value, (section, i)) for i, value in enumerate(reader.section(section, list))}
        parts[section] = {i: entry for i, entry in listed.items() if entry is not None}
    parts["structure"] = dict(enumerate(reader.section("structure", list)))
    record = reader.read(Record, reader.section("record", dict), ("record",)) or Record()
    if header is None:  # the rest can still be checked against itself
        header = Header.model_construct(duration=float("inf"), seed=1, dt=0.1)
    return Spec(header=header, record=record, **parts), reader.problems


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def add(self, location: Location, message: str) -> None:
        self.problems.append(self.document.problem(location, message))

    def section(self, name: str, kind: type) -> Any:
        """Return the section, or an empty one if it is missing, null or not a ``kind``."""
        value = self.document.data.get(name)
        if value is None:
            return kind()
        if isinstance(value, kind):
            return value
        shape = "a mapping `name: {…}`" if kind is dict else "a list `- {…}`"
        self.add((name,), f"must be {shape}, found {show(value)}")
        return kind()

    def names(self, section: str, entries: dict[str, Any]) -> None:
        for name in entries:
            if not NAME.match(name):
                self.add((section, name), "a name is made of letters, digits and _, and begins with no digit")

    def read(self, model: type[Section], value: Any, location: Location, known: list[str] | None = None) -> Any:
        """Return ``value`` as a ``model``, or None after noting every problem."""
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self.add(location, f"must be a mapping `{{key: value}}`, found {show(value)}")
            return None
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                where = (*location, *item["loc"])
                self.add(where, _message(dict(item), known or _keys(_owner(model, item["loc"]))))
            return None


def _keys(model: type[Section]) -> list[str]:
    fields = model.model_fields.items()  # those whose only valid value is None are not built yet
    return [info.alias or name for name, info in fields if info.annotation not in (None, type(None))]


def _owner(model: type[Section], location: tuple[int | str, ...]) -> type[Section]:
    """Return the model that the last key of ``location`` belongs to."""
    for part in location[:-1]:
        for name, info in model.model_fields.items():
            if (info.alias or name) == part:
                inner = _section_in(info.annotation)
                model = inner if inner is not None else model
    return model


def _section_in(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    inner = (_section_in(part) for part in getattr(annotation, "__args__", ()))
    return next((part for part in inner if part is not None), None)


_WORDS = {
    "int_type": "must be a whole number, found {found}",
    "string_type": "must be text, found {found}",
    "bool_type": "must be true or false, found {found}",
    "dict_type": "must be a mapping, found {found}",
    "model_type": "must be a mapping, found {found}",
    "list_type": "must be a list, found {found}",
    "tuple_type": "must be a list of two, found {found}",
    "too_long": "must have {max_length} entries, found {actual_length}",
    "greater_than_equal": "must be {ge} or more, found {found}",
    "less_than": "must be less than {lt}, found {found}",
    "literal_error": "must be {expected}, found {found}",
}


def _message(item: dict[str, Any], known: list[str]) -> str:
    kind, key = item["type"], str(item["loc"][-1]) if item["loc"] else ""
    if kind == "extra_forbidden":
        return f"unknown key '{key}'. Known: {', '.join(known)}.{suggest(key, known)}"
    if kind == "missing":
        return "is missing"
    if kind in _WORDS:
        return _WORDS[kind].format(found=show(item.get("input")), **item.get("ctx", {}))
    return str(item["msg"])
