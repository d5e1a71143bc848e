"""Source text of how one synapse lives through what has happened since its row was last touched.

This is the general way: arrivals and the target's spikes one by one, whichever comes next. Most rows go a faster way,
see `neurosim.engine.learning.passes`; what happens at an event is written once for both.
"""

from __future__ import annotations

from neurosim.engine.learning.events import Events, indented, tuple_of
from neurosim.graph import spike_memory as spike


class Replay:
    """The functions that replay synapses under the rules of one projection."""

    def __init__(self, events: Events) -> None:
        self.e = events
        self._state = ", ".join(events.state)

    def unpacked(self) -> list[str]:
        """The line that gives numbers their names."""
        return [f"{tuple_of(self.e.constants)[1:-1]} = constants"]

    # -- events -----------------------------------------------------------------------------------------------

    def told(self, kind: str) -> list[str]:
        """What code at an event reads besides the synapse's state: of the latest arrival, the delay, the last spike."""
        e = self.e
        came = any(e.reads((kind,), trace.name, one) for one, trace in e.pre)
        delay = any(e.reads((kind,), "delay", one) for one in e.rules)
        left = any(e.reads((kind,), trace.name, one) for one, trace in e.post)
        told = list(e.captured) if kind == "on_post" else []
        told += [*(e.came if came else []), *(["d"] if delay and not e.own else []), *e.draws(kind)]
        return [*told, *(e.left if left else [])]

    def functions(self) -> list[str]:
        """The text of all functions."""
        return [*self.events(), self._replayed()]

    def events(self, suffix: str = "") -> list[str]:
        """The text of what happens at an event; ``suffix`` ends the functions' names."""
        events = []
        if self.e.has("on_arrival") or (self.e.own and self.e.follows_arrivals):
            about = "A spike arrives at the synapse at step ``now``."
            events.append(self._event(f"arrive{suffix}", "on_arrival", about))
        if self.e.has("on_post"):
            events.append(self._event(f"fire{suffix}", "on_post", "The target fires at step ``now``."))
        return events

    def _event(self, name: str, kind: str, about: str) -> str:
        e, lines = self.e, list(self.unpacked())
        code = e.code(kind, e.rules, "now") if e.has(kind) else []
        if e.own and kind == "on_arrival":
            lines += code or e.traces(("on_arrival",), e.rules, "now")
            for one, trace in e.pre:
                lines.append(f"{one[trace.name]}_kept = " + ("1.0" if trace.nearest else f"{one[trace.name]} + 1.0"))
            lines += ["seen = now"] if e.pre else []
        else:
            lines += code
        arguments = ", ".join(["now", *self.told(kind), "constants", *e.state])
        head = f'@spliced\ndef {name}({arguments}):\n    """{about}"""\n'
        return head + indented([*lines, f"return {self._state}"], 1)

    def happens(self, name: str, now: str) -> str:
        """The line in which an event happens: ``arrive`` or ``fire``, with a suffix or without."""
        told = self.told("on_post" if name.startswith("fire") else "on_arrival")
        return f"{self._state} = {name}({', '.join([now, *told, 'constants', *self.e.state])})"

    # -- the general way --------------------------------------------------------------------------------------

    def call(self, now: str) -> str:
        """The call of ``replayed``."""
        result = "node, pending, " if self.e.own else "".join(f"{name}, " for name in self.e.came)
        return f"{result}cursor, {self._state} = replayed({now}, {self._arguments})"

    @property
    def _arguments(self) -> str:
        about = "node, due, pending, nodes" if self.e.own else "born, k, m, d, emitted, brought"
        return ", ".join([about, *self.e.any_draws, "cursor", "words", "values", "constants", self._state])

    def brought(self, k: str) -> list[str]:
        """Lines that say what the arrival of emission ``k`` brings."""
        e = self.e
        lines = [f"came = emitted[{k}] + d"] if e.came else []
        for place, (one, trace) in enumerate(e.pre if not e.own else ()):
            index = k if len(e.pre) == 1 else f"({k}) * {len(e.pre)} + {place}"
            lines.append(f"{one[trace.name]}_came = brought[{index}]")
        return lines

    def nothing_came(self) -> list[str]:
        """Lines for a synapse at which nothing has arrived yet."""
        return [f"{name} = {'np.int64(0)' if name == 'came' else '0.0'}" for name in self.e.came]

    def _replayed(self) -> str:
        e = self.e
        first = e.looked_up("cursor")
        first += [f"coming = {e.word('cursor', spike.NEXT)}"] if e.follows_spikes else []
        if e.came:
            first += [*self.nothing_came(), "if k > 0:", *[f"    {line}" for line in self.brought("k - 1")]]
        if e.own:
            arrival = "nodes[2 * node] if node >= 0 else (due if pending else LATER)"
            act = [self.happens("arrive", "arrival"), "if node >= 0:", "    node = nodes[2 * node + 1]", "else:",
                   "    pending = False"]
        else:
            arrival = "emitted[k] + d if k < m else LATER"
            act = ["if emitted[k] > born:", f"    {self.happens('arrive', 'arrival')}"] if e.has("on_arrival") else []
            act += [*self.brought("k"), "k += 1"]
        loop = [f"arrival = {arrival if e.follows_arrivals else 'LATER'}",
                f"spike = {e.word('coming', 0) if e.follows_spikes else 'LATER'}",
                "if arrival <= spike:", "    if arrival > now:", "        break", *[f"    {line}" for line in act],
                "else:", "    if spike > now:", "        break", *[f"    {line}" for line in self.fires()]]
        text = f"@inlined\ndef replayed(now, {self._arguments}):\n"
        text += '    """Live through the arrivals and spikes of the target still to come, in order, up to ``now``."""\n'
        text += indented([*first, "while True:"], 1) + indented(loop, 2)
        result = "node, pending, " if e.own else "".join(f"{name}, " for name in e.came)
        return text + f"    return {result}cursor, {self._state}\n"

    def fires(self) -> list[str]:
        """Lines in which the target fires at step ``spike``, the time of the entry ``coming``."""
        e = self.e
        if not e.follows_spikes:
            return []
        lines = [f"{name} = {e.word('coming', place, 'values')}" for name, place in e.captured.items()]
        lines += [self.happens("fire", "spike")] if e.has("on_post") else []
        return [*lines, "cursor = coming", *e.looked_up("cursor"), f"coming = {e.word('coming', spike.NEXT)}"]
