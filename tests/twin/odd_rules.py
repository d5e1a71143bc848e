"""Rules that no synapse follows, made to try everything that a rule can say, with odd numbers all over."""

from __future__ import annotations

from dataclasses import dataclass

from .plasticity import Moment, Rule, Variable
from .traces import Kernel


@dataclass(frozen=True)
class Shifting(Rule):
    """Pairs change weight and delay by amounts that tests can choose."""

    weight_plus: float
    weight_minus: float
    delay_plus: float  # ms
    delay_minus: float  # ms
    tau_pre: float = 20.0
    tau_post: float = 20.0
    writes_delay = True

    def pre(self) -> dict[str, Kernel]:
        return {"x": Kernel(self.tau_pre)}

    def post(self) -> dict[str, Kernel]:
        return {"y": Kernel(self.tau_post)}

    def on_arrival(self, s: Moment) -> None:
        s.weight += self.weight_minus * s.post["y"]
        s.delay += self.delay_minus * s.post["y"]

    def on_post(self, s: Moment) -> None:
        s.weight += self.weight_plus * s.pre["x"]
        s.delay += self.delay_plus * s.pre["x"]


@dataclass(frozen=True)
class Reward(Rule):
    """Pairs leave an eligibility c that fades; a signal turns it into weight (after Izhikevich 2007)."""

    tau_c: float = 1000.0
    gain: float = 0.1
    modulator: str = "reward"

    def pre(self) -> dict[str, Kernel]:
        return {"x": Kernel(20.0)}

    def post(self) -> dict[str, Kernel]:
        return {"y": Kernel(20.0)}

    def variables(self) -> dict[str, Variable]:
        return {"c": Variable(0.0, self.tau_c)}

    def on_arrival(self, s: Moment) -> None:
        s.var["c"] -= 1.5 * self.gain * s.w_max * s.post["y"]

    def on_post(self, s: Moment) -> None:
        s.var["c"] += self.gain * s.w_max * s.pre["x"]

    def on_modulator(self, s: Moment) -> None:
        s.weight += s.amount * s.var["c"]


@dataclass(frozen=True)
class Whisper(Rule):
    """What is transmitted fades since the last spike of the target; emission changes nothing."""

    tau: float = 6.0

    def variables(self) -> dict[str, Variable]:
        return {"e": Variable(0.3, tau=self.tau, target=0.2)}

    def transmit(self, s: Moment) -> float:
        return s.weight * (1.0 - s.var["e"])

    def on_post(self, s: Moment) -> None:
        s.var["e"] += 0.4 * (1.0 - s.var["e"])


@dataclass(frozen=True)
class Everything(Rule):
    """All hooks, two traces on either side, a constant and two fading variables; the delay is only read."""

    gain: float = 0.11
    tau: float = 7.3
    period: float = 3.7
    modulator: str = "salt"

    def pre(self) -> dict[str, Kernel]:
        return {"x": Kernel(self.tau), "xn": Kernel(2.9, nearest=True)}

    def post(self) -> dict[str, Kernel]:
        return {"y": Kernel(11.7), "yn": Kernel(self.tau, nearest=True)}

    def variables(self) -> dict[str, Variable]:
        return {
            "n": Variable(lambda weight, delay: 0.5 * weight),
            "c": Variable(lambda weight, delay: 0.25 + 0.01 * delay, tau=5.3),
            "r": Variable(0.9, tau=31.0, target=0.7),
        }

    def transmit(self, s: Moment) -> float:
        return s.weight * s.var["r"] + s.w_max * (0.01 * s.pre["x"] - 0.003 * s.var["c"] * s.post["yn"])

    def on_emission(self, s: Moment) -> None:
        s.var["r"] *= 0.83
        s.var["n"] += s.w_max * (0.07 * s.pre["xn"] - 0.05 * s.post["y"])

    def on_arrival(self, s: Moment) -> None:
        s.var["c"] += 0.31 * s.pre["x"] - 0.17 * s.post["yn"]
        s.weight -= self.gain * s.post["y"] * (s.weight - s.w_min)

    def on_post(self, s: Moment) -> None:
        s.weight += self.gain * s.pre["x"] * (s.w_max - s.weight)
        s.var["c"] += 0.5 * s.pre["xn"] - 0.13 * s.post["y"] + 0.02 * s.delay
        s.var["n"] = 0.9 * s.var["n"] + 0.02 * s.w_max * s.var["r"]

    def on_modulator(self, s: Moment) -> None:
        s.weight += s.w_max * (s.amount * s.var["c"] + 0.01 * s.pre["x"] * s.post["y"])
        s.var["c"] *= 0.5

    def every(self, s: Moment) -> None:
        s.weight += 0.03 * s.var["n"] + s.w_max * (0.013 * s.post["yn"] - 0.02 * s.var["c"])
        s.var["r"] = 0.95 * s.var["r"] + 0.01


@dataclass(frozen=True)
class Restless(Rule):
    """Everything that may move a delay, with presynaptic traces of the synapse's own and a variable that fades."""

    gain: float = 1.3
    period: float = 2.3
    modulator: str = "salt"
    writes_delay = True

    def pre(self) -> dict[str, Kernel]:
        return {"p": Kernel(4.1), "pn": Kernel(6.7, nearest=True)}

    def post(self) -> dict[str, Kernel]:
        return {"q": Kernel(5.9)}

    def variables(self) -> dict[str, Variable]:
        return {"e": Variable(lambda weight, delay: 0.1 * delay, tau=12.1, target=-0.2)}

    def on_emission(self, s: Moment) -> None:
        s.delay += 0.37 * s.post["q"] - 0.29 * s.pre["p"]

    def on_arrival(self, s: Moment) -> None:
        s.delay += self.gain * s.post["q"] - 0.11 * s.pre["p"]
        s.var["e"] += 0.2

    def on_post(self, s: Moment) -> None:
        s.delay -= self.gain * s.pre["p"]
        s.weight += s.w_max * (0.05 * s.pre["pn"] - 0.02 * s.var["e"])

    def on_modulator(self, s: Moment) -> None:
        s.delay += s.amount + s.var["e"]

    def every(self, s: Moment) -> None:
        s.delay = 0.9 * s.delay + 0.1 * s.d_max
        s.var["e"] *= 0.7


@dataclass(frozen=True)
class Clocked(Rule):
    """Follows the potential of the target in every step, and compares it with half of that after its last spike."""

    tau: float = 9.1
    eta: float = 2e-3

    def pre(self) -> dict[str, Kernel]:
        return {"x": Kernel(self.tau)}

    def variables(self) -> dict[str, Variable]:
        return {"v_slow": Variable(0.0, tau=50.0), "theta": Variable(0.0)}

    def captures(self, state: dict[str, float]) -> dict[str, float]:
        return {"v_then": 0.5 * state["v"]}

    def clocked(self, s: Moment) -> None:
        s.var["v_slow"] += 0.01 * s.post_state["v"]
        s.weight += self.eta * s.w_max * s.pre["x"] * (s.post_state["v"] - s.var["theta"]) * (s.dt / self.tau)

    def on_arrival(self, s: Moment) -> None:
        s.weight -= self.eta * s.w_max * s.var["v_slow"]

    def on_post(self, s: Moment) -> None:
        s.weight += self.eta * s.w_max * s.captured["v_then"] * s.pre["x"]
        s.var["theta"] = s.captured["v_then"]
