"""Structural rules in two worlds: what the engine is told, and the rule of the naive twin that means the same.

Growth rates and times are odd numbers, so that no count of elements comes near a whole number by arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from twin import Fading, Memory, NeuronRule, Structural, SynapseRule, Wire, f32
from twin.seen import SeenNeuron


@dataclass
class RulePair:
    """A structural rule: as it is written for the engine, beside where it acts; and what makes the twin's."""

    kind: str
    written: dict[str, Any]
    where: tuple[str, ...]
    twin: Callable[[], Structural]

    def __repr__(self) -> str:
        return f"<{self.kind} of {', '.join(self.where)}: {self.written}>"


RATE = "dactivity/dt = (spikes - activity)/(13 ms) : Hz"


def activity(neuron: SeenNeuron) -> Memory:
    return Memory({"activity": Fading(13.0, 1000.0 / 13.0)})


class Written:
    """Draws rules of every kind. ``unit`` is a noticeable weight, ``dt`` the time step (ms)."""

    def __init__(self, data: st.DataObject, unit: float, dt: float) -> None:
        self.data, self.unit, self.dt = data, unit, dt
        self.made = 0

    def _one(self, choices: Sequence[Any]) -> Any:
        return self.data.draw(st.sampled_from(choices))

    def _common(self, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """When it acts, in both worlds."""
        self.made += 1
        name, every = f"{kind}_{self.made}", self._one([1, 2, 5, 7]) * self.dt
        written: dict[str, Any] = {"name": name, "every": every}
        twin: dict[str, Any] = {"name": name, "every": every}
        if self._one([False, False, True]):
            start, until = self._one([0, 3, 10]) * self.dt, self._one([11, 17, 40]) * self.dt
            written |= {"from": start, "until": until}
            twin |= {"start": start, "until": until}
        return written, twin

    # -- synapses ---------------------------------------------------------------------------------------------------

    def synapses(self, kind: str, projections: Sequence[str]) -> RulePair:
        """A rule of one of `OF_SYNAPSES` about projections."""
        written, twin = self._common(kind)
        more_written, more_twin = getattr(self, f"_{kind}")()
        twin |= {"projections": list(projections), **more_twin}
        if {"births", "candidates", "offers_pre"} & twin.keys():
            twin |= {"weight": self.unit * self._one([0.5, 1.0]), "delay": self._one([1, 3]) * self.dt,
                     "autapses": self._one([False, True]), "multapses": self._one([False, True])}  # fmt: skip
            written |= {key: twin[key] for key in ("weight", "delay", "autapses", "multapses")}
        return RulePair(kind, {**written, **more_written}, tuple(projections), lambda: SynapseRule(**twin))

    def _weak(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Synapses that have been weak for some time; one with the weight `least` is not."""
        least, lasting = self.unit * self._one([0.5, 0.7]), self._one([0, 1, 4, 9]) * self.dt
        written = {"die": "weight < least", "parameters": {"least": f"{least} mV"}, "for": lasting}
        return written, {"die": lambda s: s.weight < f32(least), "lasting": lasting}

    def _young(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Synapses with a chance that depends on their age, when their source has not fired for a while."""
        t = 7 * self.dt
        written = {"die": "last_use >= span", "chance": "0.1 + 0.6/(1 + age/span)",
                   "parameters": {"span": f"{t} ms"}}  # fmt: skip
        twin = {"die": lambda s: s.last_use >= t, "chance": lambda s: 0.1 + 0.6 / (1 + s.age / t), "counts_ages": True}
        return written, twin

    def _turnover(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Any synapse; as many are born."""
        chance = self._one([0.03, 0.5, 1.0])
        return {"die": True, "chance": chance, "births": "deaths + 0.3"}, {
            "lottery": lambda of: chance, "births": lambda of: of.deaths + 0.3}  # fmt: skip

    def _last(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Those with the smallest weight and, of equals, delay; the first ones, where there are ties."""
        written = {"rank": "abs(weight)/w + floor(delay/span)", "surplus": "0.15*size + 0.2",
                   "parameters": {"w": f"{self.unit} mV", "span": f"{2 * self.dt} ms"}}  # fmt: skip
        return written, {"rank": lambda s: abs(s.weight) / f32(self.unit) + (s.delay / (2 * self.dt)) // 1,
                         "surplus": lambda of: 0.15 * of.size + 0.2}  # fmt: skip

    def _crowded(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """A neuron has so many synapses at the most, those of active ones more."""
        written = {"equations": RATE, "most_pre": "3.3 + activity/(100.3 Hz)", "most_post": "4"}
        return written, {"memory": activity, "most_pre": lambda n: 3.3 + n["activity"] / 100.3,
                         "most_post": lambda n: 4}  # fmt: skip

    def _random(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Random pairs."""
        return {"births": "0.4 + 0.2*n_pre + 0.1*n_post"}, {"births": lambda of: 0.4 + 0.2 * of.n_pre + 0.1 * of.n_post}

    def _hebbian(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Pairs of active neurons."""
        written = {"equations": RATE, "candidates": "1.1*n_pre + 0.05*size",
                   "accept": "(activity_pre + 7 Hz)/(activity_pre + activity_post + 23 Hz)"}  # fmt: skip
        return written, {
            "memory": activity,
            "candidates": lambda of: 1.1 * of.n_pre + 0.05 * of.size,
            "accept": lambda p: (p.pre["activity"] + 7) / (p.pre["activity"] + p.post["activity"] + 23),
        }

    def _busy(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Synapses from active neurons to such as have many."""
        written = {"equations": RATE, "die": "activity_pre > 70.1 Hz and in_degree_post > 3 or id_pre == id_post"}
        return written, {
            "memory": activity,
            "die": lambda s: (s.pre["activity"] > 70.1 and s.post.in_degree > 3) or s.pre.id == s.post.id,
        }

    def _homeostatic(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Elements that grow until the neuron fires at its target rate."""
        equations = f"""
            {RATE}
            daxons/dt = nu*(1 - activity/target) : 1 (pre)
            ddendrites/dt = 1.3*nu*(1 - (activity/target)**2) : 1 (post)
        """
        nu, target = self._one([37.3, 111.7]), self._one([20.3, 90.1])  # per second, Hz
        own = self._one([0.0, 1.37])
        written = {"equations": equations, "offers_pre": "axons", "offers_post": "dendrites",
                   "parameters": {"nu": f"{nu} Hz", "target": f"{target} Hz"},
                   "initial": {"axons": f"out_degree + {own}", "dendrites": "in_degree"}}  # fmt: skip
        growth = {
            "axons": lambda x: nu / 1000 * (1 - x["activity"] / target),
            "dendrites": lambda x: 1.3 * nu / 1000 * (1 - (x["activity"] / target) ** 2),
        }

        def memory(neuron: SeenNeuron) -> Memory:
            initial = {"axons": neuron.out_degree + own, "dendrites": float(neuron.in_degree)}
            return Memory(activity(neuron).traces, growth, initial)

        return written, {"memory": memory, "offers_pre": lambda n: n["axons"], "offers_post": lambda n: n["dendrites"]}

    def _everything(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """All clauses at once."""
        written, twin = self._homeostatic()
        return written | {
            "die": "v_post < v_pre or weight > 0.2*w", "for": 3 * self.dt, "chance": "0.5",
            "rank": "age/span - id_post", "surplus": "0.3*size", "most_pre": "5.5", "births": "0.5*deaths + 0.2",
            "parameters": {**written["parameters"], "w": f"{self.unit} mV", "span": f"{self.dt} ms"},
        }, twin | {
            "die": lambda s: s.post["v"] < s.pre["v"] or s.weight > 0.2 * f32(self.unit), "lasting": 3 * self.dt,
            "chance": lambda s: 0.5, "rank": lambda s: s.age / self.dt - s.post.id, "surplus": lambda of: 0.3 * of.size,
            "most_pre": lambda n: 5.5, "births": lambda of: 0.5 * of.deaths + 0.2, "counts_ages": True,
        }  # fmt: skip

    def _learned(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Variables of learning rules."""
        written = {"die": "c > 0.41 or r < 0.3", "chance": "0.5*r + 0.01*abs(n)/w",
                   "parameters": {"w": f"{self.unit} mV"}}  # fmt: skip
        return written, {
            "die": lambda s: s["c"] > 0.41 or s["r"] < 0.3,
            "chance": lambda s: 0.5 * s["r"] + 0.01 * abs(s["n"]) / self.unit,
            "looks_at_variables": True,
        }

    # -- neurons ----------------------------------------------------------------------------------------------------

    def neurons(self, kind: str, population: str, wires: Sequence[Wire] = ()) -> RulePair:
        """A rule of one of `OF_NEURONS` about a population; newborns are wired by ``wires``."""
        written, twin = self._common(kind)
        more_written, more_twin = getattr(self, f"_{kind}")()
        twin |= {"population": population, **more_twin}
        if "births" in twin and wires:
            twin["wires"] = wires
            written["wire"] = {
                wire.projection: {key: getattr(wire, key) for key in ("incoming", "outgoing", "weight", "delay")}
                for wire in wires
            }
        return RulePair(kind, {**written, **more_written}, (population,), lambda: NeuronRule(**twin))

    def _newborn(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Births at a rate."""
        rate = self._one([0.2, 1.0, 2.5])
        return {"births": rate}, {"births": lambda of: rate}

    def _demanded(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Births where the others are active, of neurons with a voltage of their own."""
        written = {"equations": RATE, "births": "where(mean_activity > 30.1 Hz and size < 12, 1.5, 0)"}
        return written, {
            "memory": activity,
            "births": lambda of: 1.5 if of.mean("activity") > 30.1 and of.size < 12 else 0.0,
        }

    def _aged(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Death of the old and of the lonely, with luck."""
        t, lasting = 9 * self.dt, self._one([0, 4]) * self.dt
        written = {"die": "age > span and in_degree + out_degree < 4", "for": lasting, "chance": "1 - 1/(1 + age/span)",
                   "parameters": {"span": f"{t} ms"}}  # fmt: skip
        return written, {
            "die": lambda n: n.age > t and n.in_degree + n.out_degree < 4,
            "lasting": lasting,
            "chance": lambda n: 1 - 1 / (1 + n.age / t),
        }

    def _outdone(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Where they are too many, the least active die."""
        written = {"equations": RATE, "die": "age >= span", "rank": "activity", "surplus": "max(size - 3.4, 0)",
                   "parameters": {"span": f"{6 * self.dt} ms"}}  # fmt: skip
        return written, {
            "memory": activity,
            "die": lambda n: n.age >= 6 * self.dt,
            "rank": lambda n: n["activity"],
            "surplus": lambda of: max(of.size - 3.4, 0.0),
        }

    def _mature(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What neurons are changes with their age."""
        t = 8 * self.dt
        written = {"update": "half = v/2\nv = half + floor(4/(1 + age/span))*unit\nv *= 0.5",
                   "parameters": {"span": f"{t} ms", "unit": f"{self.unit} mV"}}  # fmt: skip
        return written, {"update": lambda n: {"v": (n["v"] / 2 + (4 / (1 + n.age / t)) // 1 * self.unit) * 0.5}}


OF_SYNAPSES = ("weak", "young", "turnover", "last", "crowded", "random", "hebbian", "busy", "homeostatic", "everything")
OF_NEURONS = ("newborn", "demanded", "aged", "outdone", "mature")
