"""What one synapse learns from one event: the rules' view of it, and what every rule's code is framed by."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from . import traces
from .grid import clip, f32, in_steps
from .traces import Kernel

if TYPE_CHECKING:
    from .parts import Synapse

HOOKS = ("on_arrival", "on_post", "on_modulator", "every", "clocked", "on_emission")


class Variable(NamedTuple):
    """A value that every synapse has: where it starts (a number, or a function of weight and delay), where it goes.

    With a `tau` (ms) it goes to `target` by d/dt = (target - x)/tau; without, it stays as events leave it.
    """

    initial: float | Callable[[float, float], float] = 0.0
    tau: float = math.inf
    target: float = 0.0

    def newborn(self, weight: float, delay: float) -> float:
        return self.initial(weight, delay) if callable(self.initial) else self.initial

    def after(self, time: float, value: float) -> float:
        """What `value` has become `time` ms later."""
        return self.target + (value - self.target) * math.exp(-time / self.tau)


class Drive(NamedTuple):
    """What moves the weight (or a variable) between events: factor · product of `names`, per ms.

    Names are those of variables without a target or of signals, so that each fades by its tau, or stays.
    """

    target: str
    factor: float
    names: tuple[str, ...]


class Rule:
    """A learning rule. It has code for those of ``HOOKS`` that it defines as methods of one `Moment`.

    ``transmit(moment)``, where defined, gives the amplitude of a spike that is sent now.
    """

    modulator = ""  # the signal that on_modulator and traces of signals listen to
    period = 0.0  # ms, of `every`
    writes_delay = False

    def pre(self) -> dict[str, Kernel]:
        """Presynaptic traces."""
        return {}

    def post(self) -> dict[str, Kernel]:
        """Postsynaptic traces."""
        return {}

    def signals(self) -> dict[str, Kernel]:
        """Traces of the modulator, which raises them by its amounts."""
        return {}

    def variables(self) -> dict[str, Variable]:
        """What each synapse remembers."""
        return {}

    def drives(self) -> list[Drive]:
        """What moves the weight and variables between events."""
        return []

    def captures(self, state: dict[str, float]) -> dict[str, float]:
        """What `on_post` wants to know of the target neuron's state, right after the reset of this spike."""
        return {}

    def has(self, hook: str) -> bool:
        """Whether there is code for `hook`."""
        return hasattr(self, hook)

    def acts(self, hook: str) -> bool:
        """Whether `hook` is an event of its synapses: where there is code, or a trace that jumps."""
        return self.has(hook) or (hook == "on_modulator" and bool(self.signals()))

    def is_due(self, step: int, dt: float) -> bool:
        """Whether `every` acts at `step`: at the multiples of its period, counted from time 0."""
        return self.has("every") and step % max(1, in_steps(self.period, dt)) == 0


@dataclass(frozen=True)
class Bounds:
    """Where a projection's weights and delays (ms) may go."""

    weight: tuple[float, float] = (-math.inf, math.inf)
    delay: tuple[float, float] = (0.0, math.inf)

    def check_weight(self, weight: float) -> None:
        """Refuse an explicit weight that lies outside (law 10)."""
        check("weight", weight, self.weight)

    def check_delay(self, delay: float) -> None:
        """Refuse an explicit delay that lies outside (law 10)."""
        check("delay", delay, self.delay)


def check(name: str, x: float, bounds: tuple[float, float]) -> None:
    """Refuse `x` outside `bounds`, as both are stored: what reads back from a bound may be set again."""
    if not f32(bounds[0]) <= f32(x) <= f32(bounds[1]):
        raise ValueError(f"{name} {x} lies outside its bounds {list(bounds)}")


class Moment:
    """A copy of all there is to know of a synapse at one step; what rules write, they write here.

    `pre`, `post`, `signal`, `captured` and `var` are those of the rule whose turn it is. `amount` is the modulator's.
    """

    def __init__(self, synapse: Synapse, step: int, amount: float = 0.0, captures: bool = False) -> None:
        projection = synapse.projection
        self.weight, self.delay = synapse.weight, synapse.delay
        self.w_min, self.w_max = projection.bounds.weight
        self._limits = projection.limits
        self.d_min, self.d_max = projection.bounds.delay
        self.dt, self.amount = projection.dt, amount
        self.pre_state, self.post_state = synapse.pre.state, synapse.post.state
        passed = (step - synapse.at) * self.dt
        self.all_variables = [
            {name: variable.after(passed, kept[name]) for name, variable in rule.variables().items()}
            for rule, kept in zip(projection.rules, synapse.variables, strict=True)
        ]
        self._driven = any(rule.drives() for rule in projection.rules)
        for index in range(len(projection.rules)):
            self._drift(synapse, index, passed)
        self._signals = [traces.values(of_rule, step) for of_rule in projection.levels]
        self._pre = [traces.values(of_rule, step) for of_rule in synapse.traces]
        self._post = [traces.values(of_rule, step) for of_rule in synapse.post.history[projection.name]]
        self._captured = [rule.captures(self.post_state) if captures else {} for rule in projection.rules]

    def _drift(self, synapse: Synapse, index: int, passed: float) -> None:
        """Move what the `index`-th rule drives, from the synapse's last event on.

        Each signal is an event, so it has only faded since. The integral of exp(-t/tau) is tau (1 - exp(-t/tau)).
        """
        rule, levels = synapse.projection.rules[index], synapse.projection.levels[index]
        for drive in rule.drives():
            size, rate = drive.factor, 0.0
            for name in drive.names:
                if name in levels:
                    assert levels[name].last <= synapse.at
                    size *= levels[name].at(synapse.at)
                    rate += 1.0 / levels[name].kernel.tau
                else:
                    size *= synapse.variables[index][name]
                    rate += 1.0 / rule.variables()[name].tau
            moved = size * (-math.expm1(-passed * rate) / rate if rate else passed)
            if drive.target == "weight":
                self.weight += moved
            else:
                self.all_variables[index][drive.target] += moved

    @property
    def looked_at(self) -> float:
        """The weight as somebody sees it who reads it: what has moved since its last event stops at its bounds."""
        return clip(self.weight, self._limits) if self._driven else self.weight

    def turn_to(self, rule: int) -> Moment:
        """The same moment as the `rule`-th rule sees it."""
        self.pre, self.post = self._pre[rule], self._post[rule]
        self.captured, self.var, self.signal = self._captured[rule], self.all_variables[rule], self._signals[rule]
        return self


def event(synapse: Synapse, hook: str, step: int, acts: Callable[[Rule], bool], amount: float = 0.0) -> None:
    """Something happens to a synapse: rules that have code for it and of which `acts` holds act in list order.

    All variables have come to the event's time before; then the bounds act once, and everything is rounded to the
    precision in which it is stored (law 9). Where no rule has code, nothing happens to what is stored.
    """
    projection = synapse.projection
    active = [index for index, rule in enumerate(projection.rules) if rule.acts(hook) and acts(rule)]
    if not active:
        return
    moment = Moment(synapse, step, amount, captures=hook == "on_post")
    for index in active:
        if projection.rules[index].has(hook):
            code: Any = getattr(projection.rules[index], hook)
            code(moment.turn_to(index))
    synapse.weight = projection.learned_weight(moment.weight, synapse.id, step, hook)
    store(synapse, moment, step)


def store(synapse: Synapse, moment: Moment, step: int) -> None:
    """Make all of a moment but its weight, with what was written to it, the state of the synapse as of `step`."""
    projection = synapse.projection
    if projection.learns_delay:
        synapse.delay = projection.stored(clip(moment.delay, projection.bounds.delay))
    synapse.variables = [{k: projection.stored(x) for k, x in of.items()} for of in moment.all_variables]
    synapse.at = step


def always(rule: Rule) -> bool:
    """For events that concern every rule."""
    return True


def amplitude(synapse: Synapse, step: int) -> float:
    """What a spike that is sent now will add to its target; a look at a copy (law 8)."""
    moment = Moment(synapse, step)
    moment.weight = moment.looked_at
    for index, rule in enumerate(synapse.projection.rules):
        if rule.has("transmit"):
            code: Any = rule.transmit  # type: ignore[attr-defined]
            return float(code(moment.turn_to(index)))
    return moment.weight
