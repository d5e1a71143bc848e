"""The learning rules of the library, in plain Python; names, parameters and meaning as there.

Times are ms, weights in the unit of the projection's weights. `s` is the `Moment` of a synapse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .plasticity import Moment, Rule, Variable
from .traces import Kernel


@dataclass(frozen=True)
class Stdp(Rule):
    """Pairs of arrival and postsynaptic spike, all with all; the weight changes by fixed amounts."""

    tau_plus: float = 20.0
    tau_minus: float = 20.0
    a_plus: float = 0.005  # of w_max, as all amplitudes
    a_minus: float = 0.00525
    nearest = False

    def pre(self) -> dict[str, Kernel]:
        return {"x": Kernel(self.tau_plus, self.nearest)}

    def post(self) -> dict[str, Kernel]:
        return {"y": Kernel(self.tau_minus, self.nearest)}

    def on_arrival(self, s: Moment) -> None:
        s.weight -= self.a_minus * s.w_max * s.post["y"]

    def on_post(self, s: Moment) -> None:
        s.weight += self.a_plus * s.w_max * s.pre["x"]


@dataclass(frozen=True)
class StdpNearest(Stdp):
    """Only the latest partner counts: a trace forgets all spikes before."""

    nearest = True


@dataclass(frozen=True)
class StdpNearestReduced(Stdp):
    """Only immediate neighbours pair: each spike with the one before it, if that came from the other side."""

    nearest = True

    def variables(self) -> dict[str, Variable]:
        return {"last": Variable(0.0)}  # 1: an arrival was last, -1: a postsynaptic spike, 0: nothing yet

    def on_arrival(self, s: Moment) -> None:
        if s.var["last"] < 0.0:
            s.weight -= self.a_minus * s.w_max * s.post["y"]
        s.var["last"] = 1.0

    def on_post(self, s: Moment) -> None:
        if s.var["last"] > 0.0:
            s.weight += self.a_plus * s.w_max * s.pre["x"]
        s.var["last"] = -1.0


@dataclass(frozen=True)
class StdpMultiplicative(Stdp):
    """Steps shrink towards 0 and the largest weight."""

    mu_plus: float = 1.0
    mu_minus: float = 1.0

    def on_arrival(self, s: Moment) -> None:
        share = max(s.weight / s.w_max, 0.0)
        s.weight -= self.a_minus * s.w_max * share**self.mu_minus * s.post["y"]

    def on_post(self, s: Moment) -> None:
        room = max(1.0 - s.weight / s.w_max, 0.0)
        s.weight += self.a_plus * s.w_max * room**self.mu_plus * s.pre["x"]


@dataclass(frozen=True)
class StdpPowerLaw(Rule):
    """Potentiation by a power of the weight, depression in proportion to it."""

    tau_plus: float = 20.0
    tau_minus: float = 20.0
    rate: float = 0.1
    alpha: float = 1.0
    mu: float = 0.4
    w_0: float = 1.0

    def pre(self) -> dict[str, Kernel]:
        return {"x": Kernel(self.tau_plus)}

    def post(self) -> dict[str, Kernel]:
        return {"y": Kernel(self.tau_minus)}

    def on_arrival(self, s: Moment) -> None:
        s.weight -= self.rate * self.alpha * s.weight * s.post["y"]

    def on_post(self, s: Moment) -> None:
        s.weight += self.rate * self.w_0 * max(s.weight / self.w_0, 0.0) ** self.mu * s.pre["x"]


@dataclass(frozen=True)
class StdpBuffered(Rule):
    """Pairs change a derivative sd, which is put to the weight once a second."""

    tau_plus: float = -1.0 / math.log(0.95)
    tau_minus: float = -1.0 / math.log(0.95)
    a_plus: float = 0.01
    a_minus: float = 0.012 / 0.95
    drift: float = 0.001
    kept: float = 0.9
    period: float = 1000.0

    def pre(self) -> dict[str, Kernel]:
        return {"x": Kernel(self.tau_plus, nearest=True)}

    def post(self) -> dict[str, Kernel]:
        return {"y": Kernel(self.tau_minus, nearest=True)}

    def variables(self) -> dict[str, Variable]:
        return {"sd": Variable(0.0)}

    def on_arrival(self, s: Moment) -> None:
        s.var["sd"] -= self.a_minus * s.w_max * s.post["y"]

    def on_post(self, s: Moment) -> None:
        s.var["sd"] += self.a_plus * s.w_max * s.pre["x"]

    def every(self, s: Moment) -> None:
        s.var["sd"] *= self.kept
        s.weight += self.drift * s.w_max + s.var["sd"]


@dataclass(frozen=True)
class DsStdp(Rule):
    """Weight and delay learn from the same pairs: an arrival before a spike comes stronger and earlier next time."""

    tau_plus: float = 20.0
    tau_minus: float = 20.0
    a_plus: float = 5e-4
    a_minus: float = 5e-6
    b_plus: float = 1.2e-2  # ms
    b_minus: float = 1.2e-4  # ms
    writes_delay = True

    def pre(self) -> dict[str, Kernel]:
        return {"x": Kernel(self.tau_plus)}

    def post(self) -> dict[str, Kernel]:
        return {"y": Kernel(self.tau_minus)}

    def on_arrival(self, s: Moment) -> None:
        s.weight -= self.a_minus * s.w_max * s.post["y"]
        s.delay += self.b_minus * s.post["y"]

    def on_post(self, s: Moment) -> None:
        s.weight += self.a_plus * s.w_max * s.pre["x"]
        s.delay -= self.b_plus * s.pre["x"]


@dataclass(frozen=True)
class TsodyksMarkram(Rule):
    """Short-term depression and facilitation: a spike first raises u, then transmits and uses the share u of R."""

    U: float = 0.5
    tau_rec: float = 800.0
    tau_facil: float = 0.0

    def variables(self) -> dict[str, Variable]:
        return {"u": Variable(0.0, max(self.tau_facil, 1e-6)), "R": Variable(1.0, self.tau_rec, 1.0)}

    def transmit(self, s: Moment) -> float:
        return (s.var["u"] + self.U * (1.0 - s.var["u"])) * s.var["R"] * s.weight

    def on_emission(self, s: Moment) -> None:
        s.var["u"] += self.U * (1.0 - s.var["u"])
        s.var["R"] -= s.var["u"] * s.var["R"]
