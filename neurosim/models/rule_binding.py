"""Settles a learning rule's units, parameters and bounds for one projection: what the engine makes kernels from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from neurosim.errors import ExpressionError, UsageError
from neurosim.expressions import Expression, parse
from neurosim.expressions.statements import Statement, statements
from neurosim.expressions.tree import Node, Symbol, walk
from neurosim.models.rule_equations import Equation, decay, products, resolved
from neurosim.units import parse_unit, quantity

if TYPE_CHECKING:
    from neurosim.models.rules import LearningRule

#: Symbol -> which bounds of the projection, and which of the two.
BOUNDS = {"w_min": ("weight", 0), "w_max": ("weight", 1), "d_min": ("delay", 0), "d_max": ("delay", 1)}
_WORD = re.compile(r"\w+")
_STATE = re.compile(r"\b[A-Za-z]\w*_(?:pre|post)\b")

Bounds = Mapping[str, tuple[float, float] | None]


@dataclass(frozen=True)
class BoundTrace:
    """A trace of the source neuron or arrivals ("pre"), of the target neuron ("post") or of the rule's "modulator".

    It fades by exp(-rate·t) (1/ms) and is raised by 1 at a spike (or set to 1 if it is ``nearest``), by the amount at
    an event of the modulator.
    """

    name: str
    side: str
    nearest: bool
    rate: float


@dataclass(frozen=True)
class BoundVariable:
    """A variable that each synapse has its own value of, in ``unit``.

    Between events it follows target + (x - target)·exp(-rate·t) with ``rate`` in 1/ms; None where it is constant.
    ``initial`` reads parameters, bounds, ``weight`` and ``delay``.
    """

    name: str
    unit: str
    initial: Expression
    rate: float | None
    target: float


@dataclass(frozen=True)
class BoundDrive:
    """What moves ``target``, the weight or a variable, between events: the sum of its terms, per ms.

    A term is a factor and the names it is multiplied with: variables and modulator traces, each constant or fading to
    0, so that over t ms it adds factor · (their product at the beginning) · (1 - exp(-rate·t))/rate, with ``rates``
    (1/ms) the sum of theirs; t itself where that is 0.
    """

    target: str
    terms: tuple[tuple[float, tuple[str, ...]], ...]
    rates: tuple[float, ...]


@dataclass(frozen=True)
class BoundRule:
    """A learning rule on one projection: checked, with all units settled.

    Attributes
    ----------
    constants : parameters in their declared units, and those of ``w_min w_max d_min d_max`` that the rule reads.
    captures : (name, tree over constants and ``VARIABLE_post``) of what is kept of the target neuron at its spikes.
    events : statements by event; only events that have any. Besides their own symbols they read ``dt`` (ms), on_post
        the captured values, on_modulator ``amount``, clocked ``VARIABLE_pre`` and ``VARIABLE_post``.
    period : of ``every``, in ms.
    transmit : tree in the unit of weights; None for the weight itself.
    modulator : the signal that on_modulator and modulator traces listen to, "" if to none.
    drives : what moves the weight or variables between events.
    """

    name: str
    constants: Mapping[str, float]
    traces: tuple[BoundTrace, ...]
    variables: tuple[BoundVariable, ...]
    captures: tuple[tuple[str, Node], ...]
    events: Mapping[str, tuple[Statement, ...]]
    period: float | None
    transmit: Node | None
    modulator: str
    drives: tuple[BoundDrive, ...] = ()

    @property
    def writes_delay(self) -> bool:
        """Whether any statement changes the delay."""
        return any(statement.target == "delay" for code in self.events.values() for statement in code)


class Binder:
    """Binds a rule; ``place`` counts the pieces of it that were found to be right."""

    def __init__(
        self, rule: LearningRule, values: Mapping[str, Any], weight_unit: str, bounds: Bounds | None,
        pre: Mapping[str, str] | None, post: Mapping[str, str] | None,
    ) -> None:  # fmt: skip
        self.rule = rule
        self.bounds = bounds
        self.place = 0
        parameters = [replace(p, unit=resolved(p.unit, weight_unit)) for p in rule.parameters]
        self.constants = {p.name: p.check(values[p.name], rule.name) for p in parameters}
        self.units = {p.name: p.unit for p in parameters}
        self.units |= {"weight": weight_unit, "delay": "ms", "dt": "ms"}
        self.units |= {name: weight_unit if kind == "weight" else "ms" for name, (kind, _) in BOUNDS.items()}
        self.own = {e.name: resolved(e.unit, weight_unit) for e in rule.lines}
        self.state: dict[str, str] | None = None
        if pre is not None and post is not None:
            self.state = {f"{name}_post": unit for name, unit in post.items()}
            self.state |= {f"{name}_pre": unit for name, unit in pre.items()}
        self.used: set[str] = set()

    def bind(self) -> BoundRule:
        """Check everything and put it together."""
        rule, lines = self.rule, self.rule.lines
        known = dict.fromkeys(BOUNDS, 1.0) | self.known_bounds() | self.constants
        captures = [(e.name, tree) for e in lines if e.kind == "captured" for tree in self.captured(e)]
        faded = {e.name: self.faded(e, known) for e in lines if e.is_trace or e.kind == "dynamic"}
        traces = tuple(BoundTrace(e.name, e.kind, e.nearest, faded[e.name][0]) for e in lines if e.is_trace)
        variables = tuple(self.variable(e, faded.get(e.name)) for e in lines if e.is_variable)
        events = {event: self.code(event) for event in rule.events}
        transmit = self.transmit()
        period = self.period()
        rates = {t.name: t.rate for t in traces} | {v.name: v.rate or 0.0 for v in variables}
        drives = tuple(self.drive(e, known, rates, dict(faded)) for e in lines if e.kind == "driven")
        constants = self.constants | {name: value for name, value in self.known_bounds().items() if name in self.used}
        return BoundRule(
            rule.name, constants, traces, variables, tuple(captures), {e: code for e, code in events.items() if code},
            period, transmit, rule.modulator, drives,
        )  # fmt: skip

    def known_bounds(self) -> dict[str, float]:
        """The values of those bounds that are declared."""
        given = {name: (self.bounds or {}).get(kind) for name, (kind, _) in BOUNDS.items()}
        return {name: float(pair[BOUNDS[name][1]]) for name, pair in given.items() if pair is not None}

    @contextmanager
    def piece(self, what: str) -> Iterator[None]:
        """Say in errors which rule and which piece of it they are about."""
        try:
            yield
        except ExpressionError as error:
            message = f"learning rule '{self.rule.name}', {what}: {error.message}{self.hint(what, error)}"
            raise ExpressionError(message, error.text, error.position) from None
        self.place += 1

    def hint(self, what: str, error: ExpressionError) -> str:
        """Where the name that an error points at would have been right."""
        word = _WORD.match(error.text, error.position) if error.position is not None else None
        if word is None or not error.message.partition("no name")[1]:
            return ""
        if word[0] == "t":
            return " Rules do not know the time; let a trace or variable fade."
        if word[0] == "amount":
            return " Only on_modulator has an amount."
        if any(e.name == word[0] and e.kind == "captured" for e in self.rule.lines):
            return f" '{word[0]}' is captured when the target fires, so only on_post reads it."
        if what != "clocked" and _STATE.fullmatch(word[0]):
            return " Variables of neurons are read by clocked code and by (captured) equations."
        return ""

    def note(self, text: str, trees: list[Node]) -> None:
        """Remember which bounds are read; refuse those which the projection does not have."""
        for name in {node.name for tree in trees for node in walk(tree) if isinstance(node, Symbol)} & BOUNDS.keys():
            self.used.add(name)
            if self.bounds is not None and name not in self.known_bounds():
                kind, found = BOUNDS[name][0], re.search(rf"\b{name}\b", text)
                raise ExpressionError(
                    f"{name} is a bound of the projection's {kind}s, which declares none; give it "
                    f"bounds={{'{kind}': (low, high)}}",
                    text, found.start() if found else None,
                )  # fmt: skip

    def captured(self, equation: Equation) -> list[Node]:
        """What is kept of the target neuron; nothing while its variables are not known."""
        constant = {name: self.units[name] for name in (*self.constants, *BOUNDS)}
        with self.piece("equations"):
            if self.state is None:
                return []
            post = {name: unit for name, unit in self.state.items() if name.endswith("_post")}
            tree = equation.parse(post | constant, self.own[equation.name]).tree
            self.note(equation.text, [tree])
            return [tree]

    def faded(self, equation: Equation, constants: Mapping[str, float]) -> tuple[float, float]:
        """Rate and target of a trace or dynamic variable."""
        with self.piece("equations"):
            units = self.units | self.own
            tree = equation.parse(units, f"{self.own[equation.name] or '1'}/ms").tree
            self.note(equation.text, [tree])
            return decay(equation, tree, self.own[equation.name], constants)

    def drive(
        self, equation: Equation, constants: Mapping[str, float], rates: Mapping[str, float],
        faded: Mapping[str, tuple[float, float]],
    ) -> BoundDrive:  # fmt: skip
        """What moves the weight or a variable."""
        own = {e.name: e for e in self.rule.lines}
        with self.piece("equations"):
            unit = self.own[equation.name]
            if equation.name == "weight" and parse_unit(unit) != parse_unit(self.units["weight"]):
                raise equation.error("the weight has the unit 'weight', whatever that is: dweight/dt = … : weight")
            tree = equation.parse(self.units | self.own, f"{unit or '1'}/ms").tree
            self.note(equation.text, [tree])
            terms = tuple(products(equation, tree, constants))
            for name in {name for _, names in terms for name in names}:
                factor = own.get(name)
                kinds = "pre", "post", "driven", "captured"
                if factor is None or factor.kind in kinds or faded.get(name, (0.0, 0.0))[1] != 0.0:
                    raise equation.error(
                        f"d{equation.name}/dt may multiply synapse variables that are constant or fade to 0, and "
                        f"traces of the modulator; '{name}' is neither",
                        max(equation.expression.find(name), 0),
                    )
        return BoundDrive(equation.name, terms, tuple(sum(rates[name] for name in names) for _, names in terms))

    def variable(self, equation: Equation, faded: tuple[float, float] | None) -> BoundVariable:
        """A synapse variable with its initial value."""
        declared = self.rule.variable(equation.name)
        text = declared.initial if isinstance(declared.initial, str) else repr(float(declared.initial))
        unit = self.own[equation.name]
        with self.piece(f"initial value of {equation.name}"):
            readable = {name: self.units[name] for name in (*self.constants, *BOUNDS, "weight", "delay")}
            initial = parse(text, readable, unit=unit)
            self.note(text, [initial.tree])
        rate, target = faded or (0.0, 0.0)
        return BoundVariable(equation.name, unit, initial, rate if rate > 0 else None, target)

    def symbols(self, event: str) -> dict[str, str]:
        """What the code of an event may read, with units."""
        captured = {e.name for e in self.rule.lines if e.kind == "captured"}
        own = {name: unit for name, unit in self.own.items() if event == "on_post" or name not in captured}
        extra = {"amount": ""} if event == "on_modulator" else {}
        state = (self.state or {}) if event == "clocked" else {}
        return state | self.units | own | extra

    def code(self, event: str) -> tuple[Statement, ...]:
        """The statements of an event."""
        text = getattr(self.rule, event)
        symbols = self.symbols(event)
        if event == "clocked" and self.state is None and _STATE.search(text):
            return ()
        writable = ["weight", "delay", *(e.name for e in self.rule.lines if e.is_variable)]
        with self.piece(event):
            code = statements(text, symbols, writable)
            self.note(text, [statement.expression.tree for statement in code])
            written = re.search(r"\bdelay\b", text)
            if any(s.target == "delay" for s in code) and self.bounds is not None and not self.bounds.get("delay"):
                raise ExpressionError(
                    "delays that learn need declared bounds, bounds={'delay': (low, high)}, low at least one time step",
                    text, written.start() if written else None,
                )  # fmt: skip
        return code

    def transmit(self) -> Node | None:
        """What a spike carries."""
        if not self.rule.transmit:
            return None
        with self.piece("transmit"):
            tree = parse(self.rule.transmit, self.symbols("transmit"), unit=self.units["weight"]).tree
            self.note(self.rule.transmit, [tree])
        return tree

    def period(self) -> float | None:
        """Period of ``every`` in ms."""
        if not self.rule.every:
            return None
        given, what = self.rule.period, f"period of learning rule '{self.rule.name}'"
        if isinstance(given, str) and given in self.constants:
            given, what = f"{self.constants[given]!r} {self.units[given]}", f"{self.rule.name}.{given}"
        period = quantity(given, "ms", what)
        if period <= 0:
            raise UsageError(f"{what} is {period:g} ms; it must be longer than 0 ms.")
        self.place += 1
        return period
