"""Learning rules. One rule = one file of this folder, with its ``RULE``; adding a file adds a rule.

>>> import neurosim as ns
>>> ns.learning.stdp(tau_plus="15 ms")                       # a configured rule, for connect(…, learning=[…])
>>> ns.learning.learning_rules()                             # name -> declaration
>>> ns.learning.from_code(on_arrival="weight *= decay", parameters={"decay": 0.99})
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from neurosim.errors import InvalidInput, suggest, unknown
from neurosim.models.declare import parameter_of
from neurosim.models.rule_equations import read_equations
from neurosim.models.rules import ConfiguredRule, LearningRule, SynapseVariable, check_together
from neurosim.units import quantity

#: What a rule that is written in place may say.
KEYS = (
    "equations", "on_emission", "on_arrival", "on_post", "on_modulator", "modulator", "every", "period", "clocked",
    "transmit", "parameters", "initial", "name",
)  # fmt: skip


@cache
def learning_rules() -> dict[str, LearningRule]:
    """Every learning rule of the library, by name."""
    found: dict[str, LearningRule] = {}
    for module in pkgutil.iter_modules(__path__):
        rule = importlib.import_module(f"{__name__}.{module.name}").RULE
        found[rule.name] = rule
        globals().pop(module.name, None)  # the name is the rule's, not that of the file it stands in
    return dict(sorted(found.items()))


def rule(spec: str | Mapping[str, Any] | ConfiguredRule | LearningRule) -> ConfiguredRule:
    """Read one rule: ``"stdp"``, ``{"stdp": {"tau_plus": "20 ms"}}``, a mapping with code (see `KEYS`), or a rule.

    Raises UnknownName for a rule, key or parameter that does not exist, and what `LearningRule` raises.
    """
    if isinstance(spec, ConfiguredRule):
        return spec
    if isinstance(spec, LearningRule):
        return spec()
    written: Any = {spec: {}} if isinstance(spec, str) else spec
    if not isinstance(written, Mapping) or not written:
        raise InvalidInput(
            "a learning rule is written as a name, as {name: {parameters}} or as a mapping with its code, "
            f"{{on_arrival: …}}; found {spec!r:.60}."
        )
    if len(written) > 1 or set(written) & set(KEYS) or _is_meant_as_key(written):
        return _in_place(written)
    ((name, parameters),) = written.items()
    if name not in learning_rules():
        raise unknown("learning rule", str(name), learning_rules())
    parameters = {} if parameters is None else parameters
    if not isinstance(parameters, Mapping):
        raise InvalidInput(f"parameters of {name} are written as {{name: value}}; found {parameters!r:.60}.")
    return learning_rules()[name].configure(parameters)


def rules(specs: Any) -> tuple[ConfiguredRule, ...]:
    """Read the list of rules of one projection, in the order in which they act; None or one rule will do.

    Raises what `rule` raises, and InvalidInput for rules that cannot act together.
    """
    if specs is None:
        return ()
    if isinstance(specs, str | Mapping | ConfiguredRule | LearningRule):
        specs = [specs]
    if not isinstance(specs, Iterable):
        raise InvalidInput(f"learning is a list of rules; found {specs!r:.60}.")
    read = tuple(rule(spec) for spec in specs)
    check_together(read)
    return read


def from_code(
    *,
    equations: str = "",
    on_emission: str = "",
    on_arrival: str = "",
    on_post: str = "",
    on_modulator: str = "",
    modulator: str = "",
    every: str = "",
    period: str | float = "",
    clocked: str = "",
    transmit: str = "",
    parameters: Mapping[str, Any] | None = None,
    initial: Mapping[str, Any] | None = None,
    name: str = "own",
) -> LearningRule:
    """Make a rule of one's own; what the parts mean is said at `LearningRule`.

    Parameters
    ----------
    parameters : ``{"tau": "20 ms"}``; a parameter has the unit of its quantity.
    initial : ``{variable: value}``, numbers, quantities or expressions of parameters; 0 where nothing is said.
    name : what messages call it.
    """
    for what, mapping in (("parameters", parameters), ("initial", initial)):
        if mapping is not None and not isinstance(mapping, Mapping):
            raise InvalidInput(f"learning rule '{name}': {what} are written as {{name: value}}; found {mapping!r:.60}.")
    lines = {line.name: line for line in read_equations(equations)} if initial else {}
    variables = []
    for variable, value in (initial or {}).items():
        if variable not in lines:
            raise unknown("variable", str(variable), lines, f"of learning rule '{name}'")
        begin = value if isinstance(value, str) else quantity(value, "", f"initial {variable}")
        variables.append(SynapseVariable(variable, lines[variable].unit, "", begin))
    return LearningRule(
        name=name, summary="written in place", equations=equations, on_emission=on_emission, on_arrival=on_arrival,
        on_post=on_post, on_modulator=on_modulator, modulator=modulator, every=every, period=period, clocked=clocked,
        transmit=transmit, parameters=tuple(parameter_of(str(key), value) for key, value in (parameters or {}).items()),
        variables=tuple(variables),
    )  # fmt: skip


def _in_place(written: Mapping[str, Any]) -> ConfiguredRule:
    for key in written:
        if key not in KEYS:
            raise unknown("part of a learning rule", str(key), KEYS)
    return from_code(**written)()


def _is_meant_as_key(written: Mapping[str, Any]) -> bool:
    """Whether a mapping with one key is a rule in place whose key is misspelt."""
    ((key, value),) = written.items()
    return isinstance(value, str) and str(key) not in learning_rules() and not suggest(str(key), learning_rules())


def __getattr__(name: str) -> LearningRule:
    if not name.startswith("_") and name in learning_rules():
        return learning_rules()[name]
    raise AttributeError(f"neurosim.learning has no rule {name!r}; known: {', '.join(learning_rules())}")


learning_rules()
