"""The types that scenario fields are made of: quantities, names, kinds, and what is not built yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from neurosim.errors import InvalidInput, NeurosimError
from neurosim.units import quantity

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Section(BaseModel):
    """A mapping of a scenario: unknown keys are errors, values are never bent into another type."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False, arbitrary_types_allowed=True, frozen=True)


@dataclass(frozen=True)
class Kind:
    """A kind with parameters, written ``name``, ``{name: {parameter: value}}`` or ``{name: value}``.

    ``arguments`` is a mapping, a list, or one plain value (the kind's first parameter).
    """

    name: str
    arguments: Any = field(default_factory=dict)

    @property
    def spec(self) -> dict[str, Any]:
        """The kind as ``{name: arguments}``."""
        return {self.name: self.arguments}


def refuse(message: str) -> PydanticCustomError:
    """Make the error that pydantic reports as ``message``."""
    return PydanticCustomError("neurosim", "{message}", {"message": message})


def show(value: Any) -> str:
    """Return ``value`` as a message quotes it: short, on one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def read_kind(value: Any) -> Kind:
    """Read a kind as written; raises InvalidInput."""
    try:
        return _kind(value)
    except PydanticCustomError as error:
        raise InvalidInput(error.message()) from None


def _kind(value: Any) -> Kind:
    if isinstance(value, Kind):
        return value
    if isinstance(value, str) and value:
        return Kind(value)
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, arguments),) = value.items()
        return Kind(str(name), {} if arguments is None else arguments)
    if isinstance(value, Mapping) and value:
        raise refuse(f"must name one kind, found {len(value)}: {', '.join(map(str, value))}")
    raise refuse(f"must be a kind, written `name` or `{{name: {{…}}}}`; found {show(value)}")


def _quantity(unit: str, low: float, strict: bool) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        try:
            number = quantity(value, unit, "")
        except NeurosimError as error:
            raise refuse(str(error).strip()) from None
        if number < low or (strict and number == low):
            bound = "positive" if strict else "0 or more"
            raise refuse(f"must be {bound}, found {value}")
        return number

    return read


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _announced(value: Any, info: ValidationInfo) -> None:
    if value is not None:
        raise refuse(f"`{info.field_name}:` is announced but not built yet; leave it out for now")


Name = StrictStr
Names = Annotated[list[StrictStr], BeforeValidator(_listed)]
Text = StrictStr
Flag = StrictBool
Count = Annotated[StrictInt, Field(ge=1)]
Seed = Annotated[StrictInt, Field(ge=0, lt=2**63)]
Time = Annotated[float, BeforeValidator(_quantity("ms", 0.0, strict=False))]
Duration = Annotated[float, BeforeValidator(_quantity("ms", 0.0, strict=True))]
AnyKind = Annotated[Kind, BeforeValidator(_kind)]
NotYet = Annotated[None, BeforeValidator(_announced)]
