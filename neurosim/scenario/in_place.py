"""Finds every mistake in a model or rule that a scenario writes in place, each with the line it stands on.

The reader of models and rules stops at its first mistake. So that all can be told at once, what it complained about is
replaced by an equation with nothing wrong in it, or left out where it is a statement, and the whole is read again.
Where that could make something else look wrong, the search ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from neurosim.errors import ExpressionError, NeurosimError
from neurosim.models.structural import CLAUSES
from neurosim.scenario.checker import Checker
from neurosim.scenario.reader import Location

T = TypeVar("T")

_MOST = 30  # mistakes of one model or rule
_UNREAD = "nothing reads it"  # in what `statements` says of a variable that is only set
_CONDITIONS = {"threshold": "1 > 0", "refractory": "0 ms", "transmit": "weight", "die": "False"}
_CONDITIONS |= dict.fromkeys(("lasting", "for"), "0 ms")
_CONDITIONS |= {clause: "0" for clause in CLAUSES if clause not in _CONDITIONS and clause != "update"}
_SINGLE = {"method": "euler", "period": "1 s"}  # what is put in their place
_MAPPINGS = ("receptors", "initial", "parameters")
_LEFT = re.compile(r"\s*(?:d(?P<of>\w+)\s*/\s*dt|(?P<name>\w+))\s*=(?!=)")
_CHANGED = re.compile(r"\s*\w+\s*[-+*/]=")
_CLAUSE = re.compile(r"structural rule '\w+', (\w+): ")
_OWNER = r"(?:(?:(?:learning|structural) rule )?'?{name}'?(?:, \w+(?: \d+)?)*: )?(?:line \d+: )?"


class _Place(NamedTuple):
    """Where an error is: in which text of the model or rule, and in which line of it (from 0)."""

    key: str
    line: int


def read_all(
    make: Callable[[dict[str, Any]], T], spec: Mapping[str, Any], location: Location, checker: Checker
) -> T | None:
    """Return ``make(spec)``; None after noting every mistake that can be found in it.

    ``spec`` holds what is written at ``location``, by key.
    """
    tried, before = dict(spec), len(checker.problems)
    for _ in range(_MOST):
        try:
            made = make(tried)
        except NeurosimError as error:
            place, unread = _place(error, tried), _UNREAD in str(error)
            if place is None:
                key = _entry(error, tried, make)
                checker.add((*location, *key), _plain(str(error).strip(), spec))
                if not key:
                    return None
                _removed(key, tried)
                continue
            if unread and tried != spec:  # what would have read it may have been taken out
                return None
            if not _mentions(str(error), _parameters(spec) - _parameters(tried)):
                _note(error, place, spec, location, checker)
            if not _taken_out(place, tried, unread):
                return None
        else:
            return made if len(checker.problems) == before else None
    return None


def _place(error: NeurosimError, spec: Mapping[str, Any]) -> _Place | None:
    """Find the text that an error is about, and the line in it."""
    if not isinstance(error, ExpressionError) or not error.text.strip():
        return None
    said = _CLAUSE.match(error.message)
    if said and spec.get(said[1]) == error.text:  # several clauses may say the same
        return _Place(said[1], spec[said[1]].count("\n", 0, error.position or 0))
    texts = [(key, text) for key, text in spec.items() if isinstance(text, str)]
    whole = [(key, 0) for key, text in texts if text == error.text]
    parts = [(key, text.find(error.text)) for key, text in texts if error.text in text]
    for key, start in [*whole, *parts]:
        return _Place(key, spec[key].count("\n", 0, start + (error.position or 0)))
    return None


def _entry(error: NeurosimError, spec: Mapping[str, Any], make: Callable[[dict[str, Any]], Any]) -> tuple[str, ...]:
    """Find the entry that an error without a place is about: it says so, and is not raised without it."""
    entries: dict[tuple[str, ...], Any] = {(key,): spec[key] for key in _SINGLE if key in spec}
    for part in _MAPPINGS:
        written = spec[part] if isinstance(spec.get(part), Mapping) else {}
        entries |= {(part, name): value for name, value in written.items()}
    for key, value in entries.items():
        if not _mentions(str(error), [str(value), *key[1:]]):
            continue
        without = dict(spec)
        _removed(key, without)
        try:
            make(without)
        except NeurosimError as other:
            if str(other) == str(error):
                continue
        return key
    return ()


def _removed(key: tuple[str, ...], spec: dict[str, Any]) -> None:
    """Remove an entry, e.g. ``("parameters", "tau")``."""
    if len(key) == 1:
        spec[key[0]] = _SINGLE[key[0]]
    else:
        spec[key[0]] = {name: value for name, value in spec[key[0]].items() if name != key[1]}


def _mentions(message: str, names: Iterable[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) for name in names)


def _parameters(spec: Mapping[str, Any]) -> set[str]:
    return set(spec.get("parameters") or ())


def _plain(message: str, spec: Mapping[str, Any]) -> str:
    """Drop from a message whose it is: its file, line and key stand before it."""
    return re.sub(r"\A" + _OWNER.format(name=re.escape(str(spec.get("name", "own")))), "", message)


def _note(error: NeurosimError, place: _Place, spec: Mapping[str, Any], location: Location, checker: Checker) -> None:
    assert isinstance(error, ExpressionError)
    where = (*location, place.key)
    line = spec[place.key].split("\n")[place.line] if place.key in spec else ""
    shown = ExpressionError(_plain(error.message, spec), error.text, error.position)
    if error.position is None and "\n" in error.text.strip():  # a caret under nothing, and all lines in one
        shown = ExpressionError(shown.message, line)
    checker.problems.append(checker.document.problem(where, str(shown), inside=place.line))


def _taken_out(place: _Place, spec: dict[str, Any], unread: bool) -> bool:
    """Take what is wrong out of ``spec``; return False where the rest cannot be judged without it.

    ``unread`` says that nothing reads what is set there.
    """
    key, number = place
    if key in _CONDITIONS:
        done = spec[key] == _CONDITIONS[key]
        spec[key] = _CONDITIONS[key]
        return not done
    lines = spec[key].split("\n")
    if key == "equations":
        without = _without_right_side(lines[number])
        if without is None:
            return False
        lines[number] = without
    elif unread or _CHANGED.match(lines[number]):
        lines[number] = ""
    else:  # what follows may read what would have been set here
        lines[number:] = [""] * (len(lines) - number)
    changed = "\n".join(lines)
    done = changed == spec[key]
    spec[key] = changed
    return not done


def _without_right_side(line: str) -> str | None:
    """Return an equation of the same name and unit that says nothing; None where that cannot be told."""
    left, colon = _LEFT.match(line), line.rfind(":")
    if left is None or colon < left.end():
        return None
    if left["of"] is not None:
        return f"{left[0]} -{left['of']}/(1 ms) {line[colon:]}"
    unit = line[colon + 1 :].split("(")[0].split("#")[0].strip()
    return f"{left['name']} : {unit}" if unit and unit != "bool" else None
