"""Writes how the state of one neuron gets from the beginning of a step to its end, by the method of its model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from neurosim.engine.neurons.constants import Constants, Propagator, spelled
from neurosim.expressions.source import functions_in, source
from neurosim.expressions.tree import Node
from neurosim.models.algebra import (
    REST,
    add,
    affine,
    call,
    calls_in,
    divide,
    is_number,
    multiply,
    names_in,
    number,
    sum_of,
    symbol,
    terms_of,
)
from neurosim.models.dynamics import Dynamics, within

_DT = symbol("dt")
_HALF = multiply(number(0.5), _DT)
_NOT_QUITE_0 = 1.2345e-280  # no slope is exactly this


@dataclass(eq=False)
class Body:
    """The lines of a loop over neurons, and what they need from outside of it."""

    dynamics: Dynamics
    constants: Constants
    lines: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    times: set[str] = field(default_factory=set)
    normals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trees = {name: self.constants.prepared(tree) for name, tree in self.dynamics.named.items()}

    def say(self, text: str) -> None:
        """Add a comment."""
        self.lines.append(f"# {text}")

    def let(self, name: str, text: str) -> str:
        """Add a line that gives a local variable its value; returns its name."""
        self.lines.append(f"{name} = {text}")
        return name

    def constant(self, tree: Node) -> str:
        """The name of a constant."""
        return self.written(self.constants.prepared(tree), {})

    def written(self, tree: Node, names: Mapping[str, str]) -> str:
        """The text of a prepared tree."""
        read = names_in(tree)
        self.used |= read & self.constants.recipes.keys()
        calls = {call.name for call in calls_in(tree)}
        text = source(tree, {name: names.get(name, name) for name in read | calls})
        self.functions.update(functions_in(text))
        return text

    def special(self, name: str, what: Propagator, names: Iterable[str]) -> str:
        """The name of an element of an exact step."""
        self.used.add(name)
        return self.constants.special(name, what, names)

    def normal(self, name: str) -> str:
        """A normal random number of this neuron and step."""
        if name not in self.normals:
            self.normals.append(name)
        return f"{name}__drawn[i]"

    def point(self, values: Mapping[str, str], time: str, suffix: str = "") -> Point:
        """Where expressions are evaluated: at these values of the variables, at this ``time`` of the step."""
        return Point(self, dict(values), time, suffix)


class Point:
    """A state in which right sides are evaluated; subexpressions are computed in it once, when they are first read."""

    def __init__(self, body: Body, values: dict[str, str], time: str, suffix: str) -> None:
        self._body = body
        self._names = values
        self._time = f"t__{time}"
        self._suffix = suffix

    def text(self, tree: Node) -> str:
        """The text of a tree of the model, evaluated here."""
        return self._written(self._body.constants.prepared(tree))

    def compute(self, tree: Node) -> None:
        """Compute the subexpressions that a tree reads."""
        read = names_in(tree)
        for name in self._body.trees:
            if name in read and name not in self._names:
                part = self._written(self._body.trees[name])
                self._names[name] = self._body.let(spelled(name) + self._suffix, part)

    def _written(self, prepared: Node) -> str:
        self.compute(prepared)
        if "t" in names_in(prepared):
            self._body.times.add(self._time)
            self._names["t"] = self._time
        return self._body.written(prepared, self._names)


def step(body: Body, old: Mapping[str, str], resting: bool) -> dict[str, str]:
    """Write one step; returns what holds the new value of each variable that has a differential equation."""
    method = body.dynamics.method
    if method == "exact":
        return _exact(body, old, resting)
    new = _METHODS[method](body, old)
    for (name, noise), factor in body.dynamics.noise.items():
        jump = multiply(multiply(factor, call("sqrt", _DT)), symbol(noise))
        at = body.point({**old, new[name]: new[name], noise: body.normal(noise)}, "begin")
        body.let(new[name], at.text(add(symbol(new[name]), jump)))
    return new


def _equations(body: Body) -> list[tuple[str, Node]]:
    return [(equation.name, body.dynamics.drift[equation.name]) for equation in body.dynamics.equations.differentials]


def _tell(body: Body, *names: str) -> None:
    for equation in body.dynamics.equations.differentials:
        if equation.name in names:
            body.say(equation.text)


def _moved(name: str, factor: Node, slope: Node) -> Node:
    return add(symbol(name), multiply(factor, slope))


def _held(body: Body, name: str, text: str, old: Mapping[str, str]) -> str:
    """A value within a step, which a held variable does not take on while the neuron is refractory."""
    return f"({text}) if free else {old[name]}" if name in body.dynamics.held else text


# -- euler and exponential euler --------------------------------------------------------------------------


def _euler(body: Body, old: Mapping[str, str]) -> dict[str, str]:
    """All new values from the old ones."""
    start = body.point(old, "begin")
    new = {}
    for name, rate in _equations(body):
        _tell(body, name)
        new[name] = body.let(f"{name}__new", start.text(_moved(name, _DT, rate)))
    return new


def _exponential_euler(body: Body, old: Mapping[str, str]) -> dict[str, str]:
    """``x + f (e^(a dt) - 1)/a`` with the right side written as ``f = b + a x``.

    All slopes a come first, then all exponentials: what does not wait for each other stands together, and the
    processor works on it at one time (a quarter less time for a model of Hodgkin and Huxley's kind). A slope of 0 is
    moved by what is too small to matter, before anything is divided by it.
    """
    start = body.point(old, "begin")
    named = body.dynamics.named
    slopes = body.dynamics.slopes
    changing = [name for name, slope in slopes.items() if not body.constants.is_constant(slope)]
    rates: dict[str, Node] = {}
    for name, rate in _equations(body):
        rates[name] = rate
        if name in changing:
            parts = affine(_with(name, rate, named), {name}) or {}
            slope = symbol(f"{name}__slope")
            rates[name] = add(parts.get(REST, number(0.0)), multiply(slope, symbol(name)))
        start.compute(rates[name])
    for name in changing:
        a = body.let(f"{name}__slope", start.text(slopes[name]))
        body.let(a, f"{a} - {_NOT_QUITE_0!r}")
    if changing:
        body.functions.add("expm1")
    for name in changing:
        z = start.text(multiply(symbol(f"{name}__slope"), _DT))
        body.let(f"{name}__grown", f"expm1({z})/{name}__slope")
    new = {}
    for name, rate in rates.items():
        _tell(body, name)
        tree = _constant_slope(body, name, rate, slopes[name])
        if name in changing:
            tree = add(symbol(name), multiply(rate, symbol(f"{name}__grown")))
        new[name] = body.let(f"{name}__new", start.text(tree))
    return new


def _with(name: str, tree: Node, named: Mapping[str, Node]) -> Node:
    """A tree with the subexpressions written out that a variable takes part in."""
    return within(tree, named, lambda part: name in names_in(part))


def _constant_slope(body: Body, name: str, rate: Node, slope: Node) -> Node:
    """The new value of a variable whose slope does not change."""
    if is_number(slope, 0.0):
        return _moved(name, _DT, rate)
    parts = affine(_with(name, rate, body.dynamics.named), {name})
    if parts is not None and REST not in parts:
        return multiply(call("exp", multiply(slope, _DT)), symbol(name))
    return _moved(name, multiply(_DT, call("exprel", multiply(slope, _DT))), rate)


# -- Runge-Kutta ------------------------------------------------------------------------------------------


def _stage(body: Body, at: Point, stage: int) -> dict[str, Node]:
    """The slopes at one stage."""
    return {name: symbol(body.let(f"{name}__k{stage}", at.text(rate))) for name, rate in _equations(body)}


def _next(body: Body, old: Mapping[str, str], length: Node, slopes: Mapping[str, Node], suffix: str) -> dict[str, str]:
    """Where the variables are after ``length`` along some slopes."""
    here = body.point(old, "begin")
    return {
        **old,
        **{
            name: body.let(f"{name}__{suffix}", _held(body, name, here.text(_moved(name, length, slope)), old))
            for name, slope in slopes.items()
        },
    }


def _rk2(body: Body, old: Mapping[str, str]) -> dict[str, str]:
    """The slope in the middle of the step."""
    _tell(body, *old)
    first = _stage(body, body.point(old, "begin"), 1)
    middle = _next(body, old, _HALF, first, "2")
    second = _stage(body, body.point(middle, "middle", "__2"), 2)
    new = _next(body, old, _DT, second, "new")
    return {name: new[name] for name in first}


def _rk4(body: Body, old: Mapping[str, str]) -> dict[str, str]:
    """The classical weights 1, 2, 2, 1."""
    _tell(body, *old)
    slopes = [_stage(body, body.point(old, "begin"), 1)]
    for stage, (length, time) in enumerate(((_HALF, "middle"), (_HALF, "middle"), (_DT, "end")), start=2):
        at = body.point(_next(body, old, length, slopes[-1], str(stage)), time, f"__{stage}")
        slopes.append(_stage(body, at, stage))
    first, second, third, fourth = slopes
    means = {
        name: add(add(first[name], multiply(number(2.0), add(second[name], third[name]))), fourth[name])
        for name in first
    }
    new = _next(body, old, divide(_DT, number(6.0)), means, "new")
    return {name: new[name] for name in first}


def _half_steps(body: Body, old: Mapping[str, str]) -> dict[str, str]:
    """Two half steps for the first variable; the others then see where it is."""
    (leader, rate), *others = _equations(body)
    _tell(body, leader)
    values = dict(old)
    moved = _half_a_step(body, body.point(values, "begin"), leader, rate)
    for half, time, suffix in (("half", "begin", ""), ("new", "middle", "__2")):
        text = body.point(values, time, suffix).text(moved)
        values[leader] = body.let(f"{leader}__{half}", _held(body, leader, text, old))
    end = body.point(values, "begin", "__3")
    new = {leader: values[leader]}
    for name, rate in others:
        _tell(body, name)
        new[name] = body.let(f"{name}__new", end.text(_moved(name, _DT, rate)))
    return new


def _half_a_step(body: Body, start: Point, leader: str, rate: Node) -> Node:
    """Where half a step leads: ``x + h (f(x) + a x + s)``, written as ``h f(x) + ((1 + h a) x + h s)``.

    What stands still is summed up once for both halves. As the second waits for the first, what counts is how long
    sums and products wait for each other: a fifth less time than term by term for a thousand neurons.
    """
    moving, still, grown = list[tuple[int, Node]](), list[tuple[int, Node]](), [(1, number(1.0))]
    for sign, term in terms_of(rate):
        whole = within(term, body.dynamics.named, lambda _: True)
        parts = affine(whole, {leader})
        if not names_in(whole) & {leader, "t"}:
            still.append((sign, term))
        elif parts is not None and set(parts) == {leader} and body.constants.is_constant(parts[leader]):
            grown.append((sign, multiply(_HALF, parts[leader])))
        else:
            moving.append((sign, multiply(term, _HALF)))
    rest = multiply(sum_of(grown), symbol(leader))
    if still:
        rest = add(rest, symbol(body.let(f"{leader}__still", start.text(multiply(sum_of(still), _HALF)))))
    return sum_of([*moving, (1, rest)])


_METHODS = {
    "euler": _euler, "exponential_euler": _exponential_euler, "rk2": _rk2, "rk4": _rk4, "half_steps": _half_steps,
}  # fmt: skip


# -- exact ------------------------------------------------------------------------------------------------


def _exact(body: Body, old: Mapping[str, str], resting: bool) -> dict[str, str]:
    """``rest + e^(A dt) (x - rest)``, or with what is added to ``e^(A dt) x`` where there is no state of rest."""
    rows = [equation.name for equation in body.dynamics.equations.differentials]
    held = body.dynamics.held
    exact = _ExactStep(body, old, held=False)
    rests = exact.rests() if resting else {}
    new = {}
    for name in rows:
        _tell(body, name)
        new[name] = body.let(f"{name}__new", exact.row(name, rests))
    if held:
        still = _ExactStep(body, old, held=True)
        for name in rows:
            if name not in held and exact.sources[name] & held:
                body.say(f"{name}, while {' and '.join(sorted(exact.sources[name] & held))} stands still")
                value = body.let(f"{name}__held", still.row(name, {}))
                body.let(new[name], f"{new[name]} if free else {value}")
    return new


class _ExactStep:
    """Rows of an exact step, of the free system or of the one whose held variables stand still."""

    def __init__(self, body: Body, old: Mapping[str, str], held: bool) -> None:
        linear = body.dynamics.linear
        assert linear is not None
        self.body, self.old, self.held = body, old, held
        stopped = body.dynamics.held if held else frozenset()
        self.rows = [e.name for e in body.dynamics.equations.differentials if e.name not in stopped]
        self.matrix = {key: tree for key, tree in linear.matrix.items() if key[0] in self.rows}
        self.offset = {row: tree for row, tree in linear.offset.items() if row in self.rows}
        self.noise = {key: tree for key, tree in linear.noise.items() if key[0] in self.rows}
        self.sources = type(linear)(self.matrix, self.offset, self.noise).sources(self.rows)
        self.noisy = noisy_rows(self.sources, self.noise)
        self.mark = "__held" if held else ""

    def _read(self, through: Iterable[str], offset: bool) -> frozenset[str]:
        """The symbols of the equations of some variables: of what is constant in them, or of their noise."""
        rows = set(through)
        trees = [tree for (row, _), tree in self.matrix.items() if row in rows]
        trees += [tree for row, tree in self.offset.items() if offset and row in rows]
        trees += [tree for (row, _), tree in self.noise.items() if not offset and row in rows]
        return frozenset({"dt"}).union(*(names_in(tree) for tree in trees))

    def rests(self) -> dict[str, str]:
        """What holds the distance from rest of each variable whose rest is not 0."""
        moved = {name for name in self.rows if self.sources[name] & self.offset.keys()}
        off = {}
        for name in self.rows:
            if name in moved:
                what = Propagator("rest", name)
                rest = self.body.special(f"{name}__rest", what, self._read(self.sources[name], True) - {"dt"})
                off[name] = self.body.let(f"{name}__off", f"{self.old[name]} - {rest}")
        return off

    def row(self, name: str, rests: Mapping[str, str]) -> str:
        """The new value of a variable."""
        text = f"{name}__rest + " if name in rests else ""
        names = [name, *(other for other in self.old if other != name and other in self.sources[name])]
        terms = []
        for other in names:
            middle = [via for via in self.sources[name] if via == other or other in self.sources.get(via, ())]
            trees = [tree for (a, b), tree in self.matrix.items() if a in middle and b in {*middle, other}]
            read = frozenset({"dt"}).union(*(names_in(tree) for tree in trees))
            what = Propagator("from", name, other, self.held)
            factor = self.body.special(f"{name}__from__{other}{self.mark}", what, read)
            terms.append(f"{rests.get(other, self.old[other])}*{factor}")
        if not rests and self.sources[name] & self.offset.keys():
            what = Propagator("shift", name, "", self.held)
            terms.append(self.body.special(f"{name}__shift{self.mark}", what, self._read(self.sources[name], True)))
        for other in self.noisy.get(name, ()):
            what = Propagator("noise", name, other, self.held)
            size = self.body.special(
                f"{name}__noise__{other}{self.mark}", what, self._read(self.sources[name] | self.sources[other], False)
            )
            terms.append(f"{size}*{self.body.normal(f'normal__{other}')}")
        for k, term in enumerate(terms):
            text += term if k == 0 else f" + {term}"
        return text


def noisy_rows(
    sources: Mapping[str, frozenset[str]], noise: Mapping[tuple[str, str], Node]
) -> dict[str, tuple[str, ...]]:
    """For each variable that noise reaches, the variables whose normals add to it: a lower triangle."""
    reached = {name: {xi for row, xi in noise if row in sources[name]} for name in sources}
    order = [name for name, noises in reached.items() if noises]
    columns: dict[str, tuple[str, ...]] = {}
    for k, name in enumerate(order):
        filled: list[str] = []
        for other in order[: k + 1]:
            if reached[name] & reached[other] or set(filled) & set(columns.get(other, ())):
                filled.append(other)
        columns[name] = tuple(filled)
    return columns
