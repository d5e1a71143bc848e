"""Learning rules in two worlds: what the engine is told, and the rule of the naive twin that means the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twin import (
    Clocked,
    DsStdp,
    Everything,
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
    Whisper,
)

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
    "followed": [FOLLOWED],
    "many": [ALL, STDP, REWARDED, BUFFERED],
    "shifted": [library("ds_stdp", DsStdp, a_plus=0.1, a_minus=0.05, b_plus=1.1, b_minus=0.7)],
    "moved": [MOVED],
    "moved, all": [STDP, MOVED, ALL],
}
COURSES = {name: Course(name, pairs) for name, pairs in _PAIRS.items()}
MOVING = ("shifted", "moved", "moved, all")  # those that write delays
