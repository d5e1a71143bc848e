"""Source text of how quiet rows learn: many synapses at a time, in passes over a short piece of the row.

Most rows are *quiet*: since they were settled one spike has arrived at every synapse, or none. Then all synapses go
through the same: the target fires before the arrival (seldom), the arrival, the target fires after it (now and then).
Each of these is a pass: what a synapse needs is brought together in short columns, *lanes*, and arithmetic runs over
them, eight synapses at once. Spikes are followed for those that have one more, in rounds, until nobody has: what a
round costs depends on how many they are, and no branch has to be foreseen. At last all is sent in the order of the row.

What is computed for a synapse, and in which order, is what the general way computes: the bits are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from neurosim.engine.learning.base import LANES
from neurosim.engine.learning.events import Events, indented
from neurosim.engine.learning.replay import Replay

_WHOLE = {"d", "cursor", "left", "coming", "spike", "at", "listed"}  # the others are real numbers


class Passes:
    """The functions and lines for quiet rows under the rules of one projection."""

    def __init__(self, events: Events, replay: Replay) -> None:
        self.e, self.replay = events, replay
        e = events
        follow = ["cursor", *e.left, "coming", "spike", "listed"] if e.follows_spikes else []
        self._all = [*e.state, "d", *follow]
        self._few = [*e.state, "d", "spike", *e.left, *e.captured] if e.has("on_post") else []
        self._names = [f"{name}__all" for name in self._all] + [f"{name}__few" for name in self._few]
        self._names += ["amplitude__all"] if e.transmits is not None else []

    @property
    def words(self) -> int:
        """Words that a synapse needs."""
        return len(self._names)

    def _lanes(self, used: Sequence[str]) -> list[str]:
        """Lines that view the lanes of these names."""
        lines = ["wholes = array_at(lanes, n_lanes, np.int64)", "reals = array_at(lanes, n_lanes, np.float64)"]
        lines.insert(0, f"n_lanes = {len(self._names)} * {LANES}")
        for k, name in enumerate(self._names):
            if name in used:
                kind = "wholes" if name.partition("__")[0] in _WHOLE else "reals"
                lines.append(f"{name} = {kind}[{k * LANES}:{(k + 1) * LANES}]")
        return lines

    def _brought(self, emission: str) -> list[str]:
        """Lines that say what the arrival of an emission has brought to a synapse."""
        return [f"came = {emission} + d"] if self.e.came else []

    # -- the target fires -------------------------------------------------------------------------------------

    def functions(self) -> list[str]:
        """The text of all functions."""
        return [self._catch_up()] if self.e.follows_spikes else []

    def call(self, end: str, emission: str) -> list[str]:
        """The lines that live through the target's spikes before ``end``, after the arrival of ``emission``."""
        brought = [f"{name[:-5]}_{emission}" for name in self.e.came[1:]]
        return [f"catch_up(lanes, n, {', '.join([end, emission, *brought])}, words, values, constants)"]

    def _catch_up(self) -> str:
        e, came = self.e, self.e.came[1:]
        seen = ["cursor", *e.left, "coming", "spike"]
        body = [*self.replay.unpacked(), *self._lanes(self._names)]
        body += ["k = 0", "for c in range(n):", "    listed__all[k] = c",
                 "    k += spike__all[c] - ahead * d__all[c] < end", f"while k > {'FEW' if self._few else 0}:"]
        rounds = []
        if self._few:
            fetch = [f"{name}__few[i] = {name}__all[c]" for name in self._few if name not in e.captured]
            fetch += [f"{name}__few[i] = {e.word('coming__all[c]', k, 'values')}" for name, k in e.captured.items()]
            rounds += ["for i in range(k):", "    c = np.uint64(listed__all[i])", *[f"    {line}" for line in fetch]]
            rounds += ["for i in range((k + 7) & ~7):", *[f"    {name} = {name}__few[i]" for name in self._few],
                       *[f"    {line}" for line in self._brought("emission")],
                       f"    {self.replay.happens('fire', 'spike')}",
                       *[f"    {name}__few[i] = {name}" for name in e.state]]
        put = [f"{name}__all[c] = {name}__few[i]" for name in e.state] if self._few else []
        move = ["cursor = coming__all[c]", *e.looked_up("cursor"), f"coming = {e.word('cursor', 1)}",
                f"spike = {e.word('coming', 0)}", *[f"{name}__all[c] = {name}" for name in seen]]
        rounds += ["more = 0", "for i in range(k):", "    c = np.uint64(listed__all[i])",
                   *[f"    {line}" for line in [*put, *move]], "    listed__all[more] = np.int64(c)",
                   "    more += spike - ahead * d__all[c] < end", "k = more"]
        body += [f"    {line}" for line in rounds]
        if self._few:
            load = [f"{name} = {name}__all[c]" for name in [*e.state, "d", *seen]]
            one = [*self.replay.fires(), f"spike = {e.word('coming', 0)}"]
            body += ["for i in range(k):  # too few to fill a vector", "    c = np.uint64(listed__all[i])",
                     *[f"    {line}" for line in [*load, *self._brought("emission")]],
                     "    while spike - ahead * d < end:", *[f"        {line}" for line in one],
                     *[f"    {name}__all[c] = {name}" for name in [*e.state, *seen]]]
        arguments = ", ".join(["lanes", "n", "end", "ahead", "emission", *came, "words", "values", "constants"])
        return (
            f"@inlined\ndef catch_up({arguments}):\n"
            '    """Live through the target\'s spikes before step ``end`` (``ahead``: before the arrival of ``end``)."""\n'
            + indented(body, 1)
        )

    # -- the row ----------------------------------------------------------------------------------------------

    def row(self, send: Sequence[str]) -> list[str]:
        """Lines for a piece of a quiet row, at most `LANES` synapses from place ``begin`` on."""
        e = self.e
        used = [name for name in self._names if not name.endswith("__few") and name != "listed__all"]
        lines = [*self._lanes(used)]
        gather = [f"{name}__all[c] = {name}_column[c]" for name in [*e.state, "d"]]
        lines += ["for c in range(n):", *[f"    {line}" for line in gather]]
        if e.follows_spikes:
            look = ["cursor = np.int64(cursor_column[c])", "cursor__all[c] = cursor", *e.looked_up("cursor"),
                    f"coming = {e.word('cursor', 1)}", f"spike = {e.word('coming', 0)}"]
            look += [f"{name}__all[c] = {name}" for name in [*e.left, "coming", "spike"]]
            lines += ["for c in range(n):", *[f"    {line}" for line in look]]
        arrive = self.call("latest, 1", "older") if e.follows_spikes and e.follows_arrivals else []
        if e.has("on_arrival"):
            arrive += self._vector([*self._brought("older"), *self._traces("older"),
                                    self.replay.happens("arrive", "latest + d")], e.left)
        if arrive:
            lines += ["if arriving:", *[f"    {line}" for line in arrive]]
        if e.follows_spikes:
            lines += self.call("step + 1, 0", "latest")
        shown, amplitude = e.amplitude("step")
        emit = [*e.traces(("transmit",), e.rules, "step"), *shown] if e.transmits is not None else []
        emit += [f"amplitude__all[c] = {amplitude}"] if e.transmits is not None else []
        emit += e.code("on_emission", e.rules, "step") if e.has("on_emission") else []
        if emit:
            lines += self._vector([*self._brought("latest"), *self._traces("latest"), *emit], e.left)
        kept = [name for name, _, _ in e.stored if name != "d"]
        lines += ["for c in range(n):", *[f"    {name}_column[c] = {name}__all[c]" for name in kept]]
        sent = "amplitude__all[c]" if e.transmits is not None else "weight__all[c]"
        return [*lines, "for c in range(n):", *[f"    {line.format(d='d__all[c]', amplitude=sent)}" for line in send]]

    def _traces(self, emission: str) -> list[str]:
        return [f"{name} = {name[:-5]}_{emission}" for name in self.e.came[1:]]

    def _vector(self, lines: Sequence[str], left: Sequence[str]) -> list[str]:
        """A loop over all lanes, the unused up to the next eight as well."""
        e = self.e
        load = [f"{name} = {name}__all[c]" for name in [*e.state, "d", *left]]
        store = [f"{name}__all[c] = {name}" for name in e.state]
        return ["for c in range((n + 7) & ~7):", *[f"    {line}" for line in [*load, *lines, *store]]]

    def before(self) -> list[str]:
        """Lines for a quiet row, before its synapses: what was brought by the last two emissions."""
        e = self.e
        lines = ["latest = emitted[m - 1] if m > 0 else -r.longest",
                 "older = emitted[m - 2] if m > 1 else latest - r.longest"]
        for place, (one, _) in enumerate(e.pre):
            name, n = one[_.name], len(e.pre)
            at = [f"(m - {back}) * {n} + {place}" if n > 1 else f"m - {back}" for back in (1, 2)]
            lines += [f"{name}_latest = brought[{at[0]}] if m > 0 else 0.0",
                      f"{name}_older = brought[{at[1]}] if m > 1 else 0.0"]
        return lines
