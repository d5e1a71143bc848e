"""What is written as a name with parameters (connectors, placements, distance kernels): declared, found and read."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np

from neurosim.errors import InvalidInput, UsageError, unknown
from neurosim.graph.checks import whole
from neurosim.units import format_quantity, quantities, quantity

Reader = Callable[[Any, str], Any]  # (what was given, what to call it in messages) -> what is kept


@dataclasses.dataclass(frozen=True)
class Kind:
    """Base of declarations; each of their ``parameter`` fields is read, with its unit, when one is made."""

    name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if "read" in field.metadata:
                read: Reader = field.metadata["read"]
                object.__setattr__(self, field.name, read(getattr(self, field.name), f"{self.name}.{field.name}"))


def parameter(meaning: str, read: Reader, *, unit: str = "", default: Any = dataclasses.MISSING) -> Any:
    """A field of a `Kind`: what it means, how it is read, its unit, and its default if it may be left out."""
    about = {"meaning": meaning, "read": read, "unit": unit}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=about)
    return dataclasses.field(default=default, metadata=about)


# ---- parameters that many have ----------------------------------------------------------------------


def length(meaning: str, *, zero: bool = False, default: Any = dataclasses.MISSING) -> Any:
    """A length in um, more than 0 unless ``zero`` may be."""
    return parameter(meaning, lambda given, what: _length(given, what, zero), unit="um", default=default)


def lengths(meaning: str, *, most: int = 3, default: Any = dataclasses.MISSING) -> Any:
    """Two or three lengths in um, one for each axis; one length stands for ``most`` alike."""

    def read(given: Any, what: str) -> tuple[float, ...]:
        if not isinstance(given, (list, tuple, np.ndarray)):
            given = [given] * most
        if not 2 <= len(given) <= most:
            raise UsageError(f"{what} is a length, or 2 to {most} lengths; found {len(given)}.")
        return tuple(_length(one, what, False) for one in given)

    return parameter(meaning, read, unit="um", default=default)


def point(meaning: str, *, default: Any = (0.0, 0.0, 0.0)) -> Any:
    """A point in um; the third coordinate is 0 where it is left out."""

    def read(given: Any, what: str) -> tuple[float, ...]:
        at = quantities(given, "um", what)
        if at.ndim != 1 or at.size not in (2, 3):
            raise UsageError(f"{what} is a point [x, y] or [x, y, z]; found {given!r:.60}.")
        return (*at.tolist(), 0.0)[:3]

    return parameter(meaning, read, unit="um", default=default)


def count(meaning: str, *, low: int = 0, default: Any = dataclasses.MISSING) -> Any:
    """A whole number."""
    return parameter(meaning, lambda given, what: whole(given, what, low), default=default)


def flag(meaning: str, *, default: bool) -> Any:
    """True or false."""

    def read(given: Any, what: str) -> bool:
        if not isinstance(given, (bool, np.bool_)):
            raise UsageError(f"{what} is true or false; found {given!r}.")
        return bool(given)

    return parameter(meaning, read, default=default)


def choice(meaning: str, allowed: Iterable[str], *, default: str) -> Any:
    """One of some words."""
    words = tuple(allowed)

    def read(given: Any, what: str) -> str:
        if given not in words:
            raise unknown("value", str(given), words, f"of {what}")
        return str(given)

    return parameter(meaning, read, default=default)


def _length(given: Any, what: str, zero: bool) -> float:
    value = quantity(given, "um", what)
    if value < 0.0 or (value == 0.0 and not zero):
        least = "0 or more" if zero else "more than 0"
        raise UsageError(f"{what} must be {least}; found {format_quantity(value, 'um')}.")
    return value


# ---- finding and reading ----------------------------------------------------------------------------

K = TypeVar("K", bound=Kind)


def found(package: str, path: Iterable[str], constant: str) -> dict[str, Any]:
    """What the files of a package declare as ``constant``, by the names of the files."""
    modules = sorted(module.name for module in pkgutil.iter_modules(path) if module.name != "base")
    return {name: getattr(importlib.import_module(f"{package}.{name}"), constant) for name in modules}


def read(spec: Any, base: type[K], known: Mapping[str, type[K]], what: str) -> K:
    """Read ``"name"``, ``{"name": value}`` (its first parameter) or ``{"name": {parameters}}``.

    One that has been made already is returned. Raises ``UnknownName`` for a kind or parameter that does not exist,
    ``UsageError`` for one that is missing, and what its parameters raise.
    """
    if isinstance(spec, base):
        return spec
    if isinstance(spec, type) and issubclass(spec, base):
        spec = spec.name
    if isinstance(spec, str):
        spec = {spec: {}}
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise InvalidInput(f"a {what} is written as a name or as {{name: {{parameters}}}}; found {spec!r:.80}.")
    ((name, given),) = spec.items()
    if name not in known:
        raise unknown(what, str(name), known)
    fields = {field.name: field for field in dataclasses.fields(known[name])}
    if not isinstance(given, Mapping):
        given = {} if given is None else {next(iter(fields), "value"): given}
    for key in given:
        if key not in fields:
            raise unknown("parameter", str(key), fields, f"of {what} {name}")
    missing = [key for key in required(known[name]) if key not in given]
    if missing:
        raise UsageError(f"{what} {name} needs {', '.join(missing)}.")
    return known[name](**given)


def required(kind: type[Kind]) -> list[str]:
    """The parameters that must be given."""
    missing = dataclasses.MISSING
    fields = dataclasses.fields(kind)
    return [field.name for field in fields if field.default is missing and field.default_factory is missing]
