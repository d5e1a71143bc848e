"""Source text of how one synapse lives through what has happened since its row was last touched.

The general way takes arrivals and the target's spikes one by one, whichever comes next. Most rows are *quiet*: one
spike was under way, it has arrived by now, and few spikes of the target lie around it. For rules whose code is cheap
there is a quick way for them without branches that nobody can foresee: the first spike before the arrival, the
arrival, the first spike after it, each done or undone by selection; loops take what is left.
"""

from __future__ import annotations

from neurosim.engine.learning.events import Events, indented
from neurosim.expressions.source import functions_in


class Replay:
    """The functions that replay synapses under the rules of one projection."""

    def __init__(self, events: Events) -> None:
        self.e = events
        code = "\n".join(line for kind in ("on_arrival", "on_post") for line in self._code(kind))
        heavy = set(functions_in(code)) - {"maximum", "minimum", "square", "clip"}
        both = events.has("on_arrival") and events.has("on_post")
        self.has_quick = both and not events.own and not heavy

    def _code(self, kind: str) -> list[str]:
        return self.e.code(kind, self.e.rules, "now")

    def unpacked(self) -> list[str]:
        """Lines that give numbers and tables their names."""
        lines = [f"{', '.join(self.e.constants)}{',' if len(self.e.constants) == 1 else ''} = constants"]
        if self.e.tables:
            lines.append(f"{', '.join(self.e.tables)}{',' if len(self.e.tables) == 1 else ''} = tables")
        return lines

    @property
    def _state(self) -> str:
        return ", ".join(self.e.state)

    _SPIKES = "words, values, constants, tables"

    @property
    def _came(self) -> str:
        return "".join(f"{name}, " for name in self.e.came)

    @property
    def _arguments(self) -> str:
        about = "node, due, pending, nodes" if self.e.own else "born, k, m, d, emitted, brought"
        return f"{about}, cursor, {self._SPIKES}, {self._state}"

    def call(self, function: str, now: str) -> str:
        """The call of ``replayed``."""
        result = "node, pending, " if self.e.own else self._came
        return f"{result}cursor, {self._state} = {function}({now}, {self._arguments})"

    def _next(self, entry: str) -> str:
        return self.e.word(entry, 1)

    def _step(self, entry: str) -> str:
        return f"step_of(words, {self.e.width}, {entry})"

    def brought(self, k: str) -> list[str]:
        """Lines that say what the arrival of emission ``k`` brings; nothing where there was none."""
        e = self.e
        lines = [f"came = emitted[{k}] + d"] if e.came else []
        for place, (one, trace) in enumerate(e.pre if not e.own else ()):
            index = k if len(e.pre) == 1 else f"({k}) * {len(e.pre)} + {place}"
            lines.append(f"{one[trace.name]}_came = brought[{index}]")
        return lines

    def nothing_came(self) -> list[str]:
        """Lines for a synapse at which nothing has arrived yet."""
        return [f"{name} = {'np.int64(0)' if name == 'came' else '0.0'}" for name in self.e.came]

    def functions(self) -> list[str]:
        """The text of all functions."""
        events = [self._event("arrive", "on_arrival", "A spike arrives at the synapse at step ``now``.")]
        events.append(self._event("fire", "on_post", "The target fires at step ``now``: entry ``coming``."))
        wanted = [self.e.follows_arrivals, self.e.has("on_post")]
        texts = [text for text, is_wanted in zip(events, wanted, strict=True) if is_wanted]
        return [*texts, self._replayed(), *([_IS_QUICK] if self.has_quick else [])]

    def _event(self, name: str, kind: str, about: str) -> str:
        entry = "coming, " if kind == "on_post" else ""
        lines = list(self.unpacked())
        code = self._code(kind) if self.e.has(kind) else []
        if self.e.own and kind == "on_arrival":
            lines += code or self.e.traces(("on_arrival",), self.e.rules, "now")
            for one, trace in self.e.pre:
                lines.append(f"{one[trace.name]}_kept = " + ("1.0" if trace.nearest else f"{one[trace.name]} + 1.0"))
            lines += ["seen = now"] if self.e.pre else []
        else:
            lines += code
        head = f"@inlined\ndef {name}(now, {entry}{self._about_trace}cursor, {self._SPIKES}, {self._state}):\n"
        return head + f'    """{about}"""\n' + indented([*lines, f"return {self._state}"], 1)

    @property
    def _about_trace(self) -> str:
        """Arguments that tell what the latest arrival has brought."""
        return self._came if self.e.own else f"{self._came}d, "

    def _happens(self, name: str, now: str, entry: str = "") -> str:
        first = f"{entry}, " if entry else ""
        return f"{self._state} = {name}({now}, {first}{self._about_trace}cursor, {self._SPIKES}, {self._state})"

    def _replayed(self) -> str:
        """The function for the general way."""
        e = self.e
        if e.own:
            arrival = "nodes[2 * node] if node >= 0 else (due if pending else LATER)"
            act = [self._happens("arrive", "arrival"), "if node >= 0:", "    node = nodes[2 * node + 1]", "else:",
                   "    pending = False"]
        else:
            arrival = "emitted[k] + d if k < m else LATER"
            act = ["if emitted[k] > born:", "    " + self._happens("arrive", "arrival")] if e.has("on_arrival") else []
            act += [*self.brought("k"), "k += 1"]
        loop = [f"arrival = {arrival if e.follows_arrivals else 'LATER'}",
                f"spike = {self._step('coming') if e.follows_spikes else 'LATER'}",
                "if arrival <= spike:", "    if arrival > now:", "        break", *[f"    {line}" for line in act],
                "else:", "    if spike > now:", "        break"]
        if e.has("on_post"):
            loop.append("    " + self._happens("fire", "spike", "coming"))
        loop += ["    cursor = coming", f"    coming = {self._next('coming')}"]
        text = f"@inlined\ndef replayed(now, {self._arguments}):\n"
        text += '    """Live through the arrivals and spikes of the target still to come, in order, up to ``now``."""\n'
        first = [f"coming = {self._next('cursor')}" if e.follows_spikes else "coming = np.int64(-1)"]
        if e.came:
            first += [*self.nothing_came(), "if k > 0:", *[f"    {line}" for line in self.brought("k - 1")]]
        text += indented([*first, "while True:"], 1) + indented(loop, 2)
        result = "node, pending, " if e.own else self._came
        return text + f"    return {result}cursor, {self._state}\n"

    def before_quick(self) -> list[str]:
        """Lines for a quiet row, before its synapses: what was brought by the last two emissions."""
        lines = ["latest = emitted[m - 1]", "older = emitted[m - 2] if m > 1 else latest - r.longest"]
        for place, (one, trace) in enumerate(self.e.pre):
            n, name = len(self.e.pre), one[trace.name]
            at = [f"(m - {back}) * {n} + {place}" if n > 1 else f"m - {back}" for back in (1, 2)]
            lines += [f"{name}_latest = brought[{at[0]}]", f"{name}_older = brought[{at[1]}] if m > 1 else 0.0"]
        return lines

    def quick(self) -> list[str]:
        """Lines for a synapse of a quiet row: the spike of ``latest`` arrives, all before it have arrived."""
        e = self.e
        new = ", ".join(f"new_{name}" for name in e.state)

        def came(which: str) -> list[str]:
            values = [f"{one[t.name]}_came = {one[t.name]}_{which}" for one, t in e.pre]
            return [f"came = {which} + d", *values] if e.came else []

        after = [f"spike = {self._step('coming')}", "hit = spike <= step",
                 f"{new} = {self._happens('fire', 'min(spike, step)', 'max(coming, 0)').partition(' = ')[2]}",
                 *[f"{name} = new_{name} if hit else {name}" for name in e.state],
                 "cursor = coming if hit else cursor",
                 f"coming = {self._next('max(coming, 0)')} if hit else np.int64(-1)"]

        def rest(limit: str) -> list[str]:
            return [f"while {self._step('coming')} {limit}:",
                    "    " + self._happens("fire", self._step("coming"), "coming"), "    cursor = coming",
                    f"    coming = {self._next('coming')}"]

        return ["arrival = latest + d", f"coming = {self._next('cursor')}", *came("older"), *rest("< arrival"),
                self._happens("arrive", "arrival"), *came("latest"), *after, *rest("<= step")]  # fmt: skip


_IS_QUICK = '''
@inlined
def is_quick(emitted, m, longest, since, step):
    """Whether a row has one spike under way, which has arrived by ``step``, and was settled when it was emitted."""
    return (
        m > 0 and emitted[m - 1] == since and emitted[m - 1] + longest <= step
        and (m == 1 or emitted[m - 2] + longest <= since)
    )
'''
