"""Learning rules in two worlds: what the engine is told, and the rule of the naive twin that means the same."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twin import (
    HOOKS,
    Clocked,
    Drive,
    DsStdp,
    Everything,
    Kernel,
    Moment,
    Restless,
    Reward,
    Rule,
    Stdp,
    StdpBuffered,
    StdpMultiplicative,
    StdpNearest,
    StdpNearestReduced,
    StdpPowerLaw,
    TsodyksMarkram,
    Variable,
    Whisper,
)

from neurosim.expressions.tree import evaluate
from neurosim.models import learning
from neurosim.models.rule_binding import BoundVariable

Pair = tuple[Any, Rule]  # the engine's rule, the twin's


class Course(list[Pair]):
    """A list of rules that tells its name."""

    def __init__(self, name: str, pairs: Sequence[Pair]) -> None:
        super().__init__(pairs)
        self.name = name

    def __repr__(self) -> str:
        return f"COURSES[{self.name!r}]"


def library(name: str, twin: type[Rule], **parameters: float) -> Pair:
    """A rule of the library."""
    return {name: parameters}, twin(**parameters)


REWARD = {
    "name": "reward",
    "parameters": {"tau": "20 ms", "tau_c": "1000 ms", "gain": 0.1},
    "equations": """
        dx/dt = -x/tau : 1 (pre)
        dy/dt = -y/tau : 1 (post)
        dc/dt = -c/tau_c : weight
    """,
    "on_arrival": "c -= 1.5*gain*w_max*y",
    "on_post": "c += gain*w_max*x",
    "on_modulator": "weight += amount*c",
    "modulator": "reward",
}

WHISPER = {
    "name": "whisper",
    "parameters": {"tau": "6 ms"},
    "equations": "de/dt = (0.2 - e)/tau : 1",
    "initial": {"e": 0.3},
    "on_post": "e += 0.4*(1 - e)",
    "transmit": "weight*(1 - e)",
}

EVERYTHING = {
    "name": "everything",
    "parameters": {"gain": 0.11, "tau": "7.3 ms", "t_ms": "1 ms"},
    "equations": """
        dx/dt = -x/tau : 1 (pre)
        dxn/dt = -xn/(2.9 ms) : 1 (pre, nearest)
        dy/dt = -y/(11.7 ms) : 1 (post)
        dyn/dt = -yn/tau : 1 (post, nearest)
        n : weight
        dc/dt = -c/(5.3 ms) : 1
        dr/dt = (0.7 - r)/(31 ms) : 1
    """,
    "initial": {"n": "0.5*weight", "c": "0.25 + 0.01*delay/t_ms", "r": 0.9},
    "transmit": "weight*r + w_max*(0.01*x - 0.003*c*yn)",
    "on_emission": """
        r *= 0.83
        n += w_max*(0.07*xn - 0.05*y)
    """,
    "on_arrival": """
        c += 0.31*x - 0.17*yn
        weight -= gain*y*(weight - w_min)
    """,
    "on_post": """
        weight += gain*x*(w_max - weight)
        c += 0.5*xn - 0.13*y + 0.02*delay/t_ms
        n = 0.9*n + 0.02*w_max*r
    """,
    "on_modulator": """
        weight += w_max*(amount*c + 0.01*x*y)
        c *= 0.5
    """,
    "modulator": "salt",
    "every": """
        weight += 0.03*n + w_max*(0.013*yn - 0.02*c)
        r = 0.95*r + 0.01
    """,
    "period": "3.7 ms",
}

RESTLESS = {
    "name": "restless",
    "parameters": {"gain": "1.3 ms", "t_ms": "1 ms"},
    "equations": """
        dp/dt = -p/(4.1 ms) : 1 (pre)
        dpn/dt = -pn/(6.7 ms) : 1 (pre, nearest)
        dq/dt = -q/(5.9 ms) : 1 (post)
        de/dt = (-0.2 - e)/(12.1 ms) : 1
    """,
    "initial": {"e": "0.1*delay/t_ms"},
    "on_emission": "delay += (0.37*q - 0.29*p)*t_ms",
    "on_arrival": """
        delay += gain*q - 0.11*p*t_ms
        e += 0.2
    """,
    "on_post": """
        delay -= gain*p
        weight += w_max*(0.05*pn - 0.02*e)
    """,
    "on_modulator": "delay += (amount + e)*t_ms",
    "modulator": "salt",
    "every": """
        delay = 0.9*delay + 0.1*d_max
        e *= 0.7
    """,
    "period": "2.3 ms",
}

CLOCKED = {
    "name": "follower",
    "parameters": {"tau": "9.1 ms", "eta": "2e-3 1/mV"},
    "equations": """
        dx/dt = -x/tau : 1 (pre)
        dv_slow/dt = -v_slow/(50 ms) : mV
        theta : mV
        v_then = 0.5*v_post : mV (captured)
    """,
    "clocked": """
        v_slow += 0.01*v_post
        weight += eta*w_max*x*(v_post - theta)*(dt/tau)
    """,
    "on_arrival": "weight -= eta*w_max*v_slow",
    "on_post": """
        weight += eta*w_max*v_then*x
        theta = v_then
    """,
}

_OPERATIONS: Mapping[str, Callable[[float, float], float]] = {
    "+=": operator.add, "-=": operator.sub, "*=": operator.mul, "/=": operator.truediv
}  # fmt: skip


class Declared(Rule):
    """A rule of the library that the twin reads from its declaration: the trees of its code, evaluated in Python.

    So it says nothing about the declaration (other tests do), and everything about what kernels make of it.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        bounds = {"weight": (0.0, 1.0), "delay": (1.0, 2.0)}  # stand-ins: the moment knows those of the projection
        self.rule = learning.rule(spec).bind("mV", bounds)
        self.modulator, self.period = self.rule.modulator, self.rule.period or 0.0
        self.writes_delay = self.rule.writes_delay

    def _traces(self, side: str) -> dict[str, Kernel]:
        return {t.name: Kernel(1.0 / t.rate, t.nearest) for t in self.rule.traces if t.side == side}

    def pre(self) -> dict[str, Kernel]:
        return self._traces("pre")

    def post(self) -> dict[str, Kernel]:
        return self._traces("post")

    def signals(self) -> dict[str, Kernel]:
        return self._traces("modulator")

    def variables(self) -> dict[str, Variable]:
        def initial(of: BoundVariable) -> Callable[[float, float], float]:
            constants = self.rule.constants
            return lambda weight, delay: float(of.initial.evaluate({**constants, "weight": weight, "delay": delay}))

        return {v.name: Variable(initial(v), 1.0 / v.rate if v.rate else math.inf, v.target)
                for v in self.rule.variables}  # fmt: skip

    def drives(self) -> list[Drive]:
        return [Drive(d.target, factor, names) for d in self.rule.drives for factor, names in d.terms]

    def has(self, hook: str) -> bool:
        return self.rule.transmit is not None if hook == "transmit" else hook in self.rule.events

    def __getattr__(self, hook: str) -> Callable[[Moment], None]:
        if hook not in HOOKS:
            raise AttributeError(hook)
        return lambda moment: self._run(hook, moment)

    def _run(self, hook: str, s: Moment) -> None:
        own = ("weight", "delay", "dt", "amount", "w_min", "w_max", "d_min", "d_max")
        values = {**self.rule.constants, **{name: getattr(s, name) for name in own}, **s.pre, **s.post, **s.signal}
        values |= s.var
        for statement in self.rule.events[hook]:
            value = float(evaluate(statement.expression.tree, values))
            changed = _OPERATIONS.get(statement.operator, lambda old, value: value)
            values[statement.target] = changed(values.get(statement.target, 0.0), value)
        s.weight, s.delay = values["weight"], values["delay"]
        s.var.update({name: values[name] for name in s.var})


def declared(name: str, **parameters: Any) -> Pair:
    """A rule of the library, told to the twin by its declaration."""
    return {name: parameters}, Declared({name: parameters})


REWARDED: Pair = (REWARD, Reward())
WHISPERED: Pair = (WHISPER, Whisper())
ALL: Pair = (EVERYTHING, Everything())
MOVED: Pair = (RESTLESS, Restless())
FOLLOWED: Pair = (CLOCKED, Clocked())
STDP = library("stdp", Stdp, tau_plus=12.0, tau_minus=9.0, a_plus=0.11, a_minus=0.07)
BUFFERED = library("stdp_buffered", StdpBuffered, a_plus=0.1, a_minus=0.07, drift=-0.01, period=4.3)
TIRED = library("tsodyks_markram", TsodyksMarkram, U=0.4, tau_rec=40.0, tau_facil=15.0)

#: Lists of rules by name. Each is compiled once, so there are not too many.
_PAIRS: dict[str, Sequence[Pair]] = {
    "stdp": [STDP],
    "nearest, tired": [library("stdp_nearest", StdpNearest, a_plus=0.13, a_minus=0.09), TIRED],
    "reduced": [library("stdp_nearest_reduced", StdpNearestReduced, a_plus=0.13, a_minus=0.09)],
    "soft": [
        library("stdp_multiplicative", StdpMultiplicative, a_plus=0.2, a_minus=0.15, mu_plus=0.7, mu_minus=1.0),
        library("stdp_power_law", StdpPowerLaw, rate=0.2, alpha=0.8, w_0=0.7),
    ],
    "buffered": [BUFFERED],
    "tired": [TIRED],
    "whispered": [WHISPERED],
    "rewarded": [REWARDED],
    "all": [ALL],
    "dopamine": [declared("reward_stdp", a_plus=0.3, a_minus=0.2, tau_c=30.0, tau_d=9.0, baseline=0.1)],
    "library": [
        declared("triplet_stdp", a2_plus=0.05, a3_plus=0.04, a2_minus=0.03, a3_minus=0.02),
        declared("vogels_inhibitory", eta=0.07, rho_0=9.0), declared("hebb", eta=0.05), declared("oja", eta=0.03),
        declared("bcm", eta=0.02, tau_theta=40.0), declared("reward_stdp", a_plus=0.1, modulator="salt"),
    ],
    "kept": [
        STDP, declared("benna_fusi", period=3.0), declared("double_well", tau=30.0, w_p=200.0, period=2.0),
        declared("synaptic_scaling", tau=50.0, goal=80.0, beta=0.05, gamma=1.0, period=5.0),
        declared("tagging_and_capture", tau=20.0, period=4.0, least=0.01),
    ],
    "followed": [FOLLOWED],
    "many": [ALL, STDP, REWARDED, BUFFERED],
    "shifted": [library("ds_stdp", DsStdp, a_plus=0.1, a_minus=0.05, b_plus=1.1, b_minus=0.7)],
    "moved": [MOVED],
    "delays": [
        declared("dr_stdp", a_plus=0.1, b_minus=1.1, b_plus=0.7), declared("delay_alignment", rate=3.0, home=3.0),
        declared("myelin", rate=0.9), declared("reward_stdp", a_plus=0.1),
    ],
    "moved, all": [STDP, MOVED, ALL],
}
COURSES = {name: Course(name, pairs) for name, pairs in _PAIRS.items()}
MOVING = ("shifted", "moved", "moved, all", "delays")  # those that write delays
