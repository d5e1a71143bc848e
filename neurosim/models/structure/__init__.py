"""Structural rules. One rule = one file of this folder, with its ``RULE``; adding a file adds a rule.

>>> import neurosim as ns
>>> net.add_rule(ns.structure.prune_weak(ee, below="0.1 mV", every="1 s"))
>>> ns.structure.structural_rules()                          # name -> declaration
>>> net.add_rule(ns.structure.from_code(ee, die="weight < least", parameters={"least": "0.1 mV"}, every="1 s"))
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

from neurosim.errors import InvalidInput, unknown
from neurosim.models.declare import parameter_of
from neurosim.models.structural import ALIASES, CLAUSES, ConfiguredStructure, StructuralRule

#: What a rule that is written in place may say of itself.
KEYS = (*CLAUSES, "equations", "parameters")


@cache
def structural_rules() -> dict[str, StructuralRule]:
    """Every structural rule of the library, by name."""
    found: dict[str, StructuralRule] = {}
    for module in pkgutil.iter_modules(__path__):
        rule = importlib.import_module(f"{__name__}.{module.name}").RULE
        found[rule.name] = rule
        globals().pop(module.name, None)  # the name is the rule's, not that of the file it stands in
    return dict(sorted(found.items()))


def rule(spec: Any, *where: Any) -> ConfiguredStructure:
    """Read one rule: ``{"prune_weak": {"every": "1 s", …}}``, a mapping with code (see `KEYS`), or a configured one.

    ``where`` are the projections or the population that it acts on. Raises UnknownName for a rule, key or parameter
    that does not exist.
    """
    if isinstance(spec, ConfiguredStructure):
        return spec
    if isinstance(spec, Mapping) and (len(spec) > 1 or set(spec) & {*KEYS, *ALIASES}):
        return from_code(*where, **{str(key): value for key, value in spec.items()})
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise InvalidInput(
            "a structural rule is written as {name: {parameters}} or as a mapping with its code, {die: …, every: …}; "
            f"found {spec!r:.60}."
        )
    ((name, parameters),) = spec.items()
    if name not in structural_rules():
        raise unknown("structural rule", str(name), structural_rules())
    if not isinstance(parameters, Mapping):
        raise InvalidInput(f"parameters of {name} are written as {{name: value}}; found {parameters!r:.60}.")
    return structural_rules()[name].configure(where, parameters)


def from_code(*where: Any, **written: Any) -> ConfiguredStructure:
    """A rule of one's own, configured: the texts of `StructuralRule`, and when and how it acts.

    Parameters
    ----------
    where : projections, or a population.
    parameters : name -> number or quantity, which also says its unit (``{"least": "0.1 mV"}``).
    every, start, until, name, weight, delay, … : as of the rules of the library.
    """
    given = {ALIASES.get(key, key): value for key, value in written.items()}
    parameters = given.pop("parameters", None) or {}
    if not isinstance(parameters, Mapping):
        raise InvalidInput(f"parameters are written as {{name: value}}; found {parameters!r:.60}.")
    about = given.pop("about_neurons", True if any(hasattr(one, "model") for one in where) else None)
    initial = given.pop("initial", {}) if "equations" in given else {}
    texts: dict[str, Any] = {key: _text(key, given.pop(key)) for key in (*CLAUSES, "equations") if key in given}
    declared = StructuralRule(
        name=str(given.get("name", "own")), summary="written in place", about_neurons=about, initial=initial,
        parameters=tuple(parameter_of(str(name), value) for name, value in parameters.items()), **texts,
    )  # fmt: skip
    return declared.configure(where, given)


def _text(key: str, value: Any) -> str:
    """An expression as text; a plain number, truth value or time will do."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return f"{value}"
    if not isinstance(value, str):
        raise InvalidInput(f"{key} is an expression, written as a text; found {value!r:.60}.")
    return value


def __getattr__(name: str) -> StructuralRule:
    if name.startswith("__"):
        raise AttributeError(name)
    if name not in structural_rules():
        raise AttributeError(str(unknown("structural rule", name, structural_rules())))
    return structural_rules()[name]
