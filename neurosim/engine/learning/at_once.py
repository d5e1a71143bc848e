"""Source text of what happens to all synapses at one time: signals of modulators, periods, and what acts every step."""

from __future__ import annotations

from neurosim.engine.learning.events import Events, indented
from neurosim.engine.learning.replay import Replay

#: The kinds of such events in the order in which they happen, and where their rules' bits begin in a mask.
FIRST_BIT = {"on_modulator": 0, "every": 20, "clocked": 40}


class AtOnce:
    """The functions of these events under the rules of one projection."""

    def __init__(self, events: Events, replay: Replay) -> None:
        self.e = events
        self._replay = replay

    @property
    def kinds(self) -> list[str]:
        """Kinds of events that are no arrival and no spike, in the order in which they happen."""
        e = self.e
        return [kind for kind in FIRST_BIT if e.has(kind) or (kind == "on_modulator" and e.signals)]

    def _told(self, kind: str) -> list[str]:
        own = {"clocked": ["r", "row", "target"], "on_modulator": ["amount"]}.get(kind, [])
        return ["now", "mask", *own, *self._replay.told(kind), "constants", *self.e.state]

    def looks_up(self, kind: str) -> bool:
        """Whether code at such an event reads what the target's last spike has left."""
        return "left" in self._replay.told(kind)

    def condition(self, kind: str) -> str:
        """The line that asks whether such an event happens."""
        return f"if mask & {(2**20 - 1) << FIRST_BIT[kind]}:"

    def event(self, kind: str) -> str:
        """The line in which it happens."""
        known = {"now": "step", "amount": "r.amount", "target": "np.int64(posts[c])"}
        told = ", ".join(known.get(name, name) for name in self._told(kind))
        return f"{', '.join(self.e.state)} = {kind}({told})"

    def functions(self) -> list[str]:
        """The functions of these events."""
        return [self._acting(kind) for kind in self.kinds]

    def _acting(self, kind: str) -> str:
        e = self.e
        body = [*self._replay.unpacked(), *e.brought_up("now")]
        for name in e.states if kind == "clocked" else ():
            neuron = "target" if name.endswith("_post") else "row"
            body.append(f"{name} = array_at(r.state_{name}, {neuron} + 1, np.float64)[{neuron}]")
        concerned = [one for one in e.rules if one.rule.events.get(kind) or (kind == "on_modulator" and e.signals)]
        for number, one in enumerate(e.rules):
            if not one.rule.events.get(kind):
                continue
            own = [*e.traces((kind,), [one], "now"), *e.statements(one, kind)]
            if len(concerned) > 1:
                own = [f"if mask & {1 << (FIRST_BIT[kind] + number)}:", *[f"    {line}" for line in own]]
            body += own
        head = f"@spliced\ndef {kind}({', '.join(self._told(kind))}):\n"
        head += '    """Do what the rules of ``mask`` (one bit each) do at ``now``."""\n'
        return head + indented([*body, *e.settled(kind, "now"), f"return {', '.join(e.state)}"], 1)

    def tick(self) -> str:
        """The kernel that does what is due periodically, before the emissions of a step."""
        lines = ["mask = 0"]
        for number, one in enumerate(self.e.rules):
            if one.rule.events.get("every"):
                lines += [f"if step % r._every_{number} == 0:", f"    mask |= {1 << (FIRST_BIT['every'] + number)}"]
            if one.rule.events.get("clocked"):
                lines.append(f"mask |= {1 << (FIRST_BIT['clocked'] + number)}")
        return (
            "@by_address\n"
            "def tick(record: int, step: int, s_lo: int, s_hi: int, u: int, v: int, w: int) -> int:\n"
            '    """Do what the rules do periodically at ``step``, if anything."""\n'
            + indented(["r = record_at(record, RECORD)", *lines, "if mask != 0:",
                        "    call(r.settle, record, step, mask, 0, 0, s_lo, s_hi)", "return mask"], 1)
        )  # fmt: skip
