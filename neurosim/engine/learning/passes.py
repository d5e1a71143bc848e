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

from neurosim.engine.learning.events import Events, indented
from neurosim.engine.learning.replay import Replay

_WHOLE = {"d", "serial", "cursor", "left", "coming", "spike", "at", "listed"}  # the others are real numbers


class Passes:
    """The functions and lines for quiet rows under the rules of one projection."""

    def __init__(self, events: Events, replay: Replay) -> None:
        self.e, self.replay = events, replay
        e = events
        self.acts = e.has("on_post")  # else spikes only leave traces
        told = replay.told("on_post") if self.acts else []
        self._carried = [name for name in told if name in e.left]
        follow = ["cursor", *e.left, "coming", "spike", "listed"] if e.follows_spikes else []
        self._drawn = ["serial"] if e.draws("on_post") else []  # what those who follow spikes are rounded by
        few = [*(e.state if self.acts else []), "d", *self._drawn, "coming", "spike", *self._carried, *e.captured]
        self._few = few if e.follows_spikes else []
        self._each = [*e.state, "d", *e.any_draws[:1]]  # what every synapse has; the source is the row's
        self._names = [f"{name}__all" for name in [*self._each, *follow]] + [f"{name}__few" for name in self._few]
        self._names += ["amplitude__all"] if e.sends_other_than_weight else []

    @property
    def words(self) -> int:
        """Words that a synapse needs."""
        return len(self._names)

    def _lanes(self, unused: Sequence[str] = ()) -> list[str]:
        """Lines that view the lanes: pieces of one array, so that the compiler sees that they lie apart."""
        lines = [f"wholes = array_at(lanes, {len(self._names)} * LANES, np.int64)",
                 f"reals = array_at(lanes, {len(self._names)} * LANES, np.float64)"]
        for k, name in enumerate(self._names):
            if name not in unused:
                kind = "wholes" if name.partition("__")[0] in _WHOLE else "reals"
                lines.append(f"{name} = {kind}[{k} * LANES : {k + 1} * LANES]")
        return lines

    def _brought(self, emission: str) -> list[str]:
        """Lines that say what the arrival of an emission has brought to a synapse."""
        return [f"came = {emission} + d"] if self.e.came else []

    # -- the target fires -------------------------------------------------------------------------------------

    def functions(self) -> list[str]:
        """The text of all functions."""
        return [self._catch_up(early=True), self._catch_up(early=False)] if self.e.follows_spikes else []

    def _brings(self, emission: str) -> str:
        brings = [*(f"{name[:-5]}_{emission}" for name in self.e.came[1:]), *self.e.any_draws[1:]]
        return "".join(f", {name}" for name in brings)

    def _catch_up(self, early: bool) -> str:
        """The function that lives through the spikes before an arrival (``early``), or after it."""
        brings = ["emission", *self.e.came[1:], *self.e.any_draws[1:]]
        arguments = ", ".join([*brings, "words", "values", "constants"])
        if early:
            head = f"catch_up(lanes, k, latest, {arguments})"
            about = "Live through the target's spikes before the arrival of ``latest``, of the ``k`` that are listed."
        else:
            head = f"go_on(lanes, n, step, {arguments})"
            about = "Live through the target's spikes up to ``step``, of ``n`` synapses."
        body = [*self.replay.unpacked(), *self._lanes(), *self._begin(early)]
        body += [f"while k > {'FEW' if self.acts else 0}:", *[f"    {line}" for line in self._round(early)]]
        return f'@inlined\ndef {head}:\n    """{about}"""\n' + indented([*body, *self._rest(early)], 1)

    def _begin(self, early: bool) -> list[str]:
        """Lines that bring those together that have a spike to live through."""
        e, more = self.e, "i" if early else "k"
        fetch = [f"{name}__few[{more}] = {name}__all[c]" for name in self._few if name not in e.captured]
        fetch += [f"{name}__few[{more}] = {e.word('coming__all[c]', at, 'values')}" for name, at in e.captured.items()]
        if early:
            return ["for i in range(k):", "    c = np.uint64(listed__all[i])", *[f"    {line}" for line in fetch]]
        return ["k = 0", "for c in range(n):", "    listed__all[k] = c", *[f"    {line}" for line in fetch],
                "    k += spike__all[c] <= step"]

    def _round(self, early: bool) -> list[str]:
        """Lines in which the target of each of them fires once; those stay that have another spike to come."""
        e, lines = self.e, []
        if self.acts:
            read = [name for name in self._few if name != "coming"]
            lines += ["for i in range((k + 7) & ~7):", *[f"    {name} = {name}__few[i]" for name in read],
                      *[f"    {line}" for line in self._brought("emission")],
                      f"    {self.replay.happens('fire', 'spike')}",
                      *[f"    {name}__few[i] = {name}" for name in e.state]]
        own = e.state if self.acts else []
        move = ["c = np.uint64(listed__all[i])", *[f"{name} = {name}__few[i]" for name in [*own, "d", *self._drawn]],
                "cursor = coming__few[i]", *(e.looked_up() if early or self._carried else []),
                f"coming = {e.word('cursor', 1)}", f"spike = {e.word('coming', 0)}",
                *[f"{name} = {e.word('coming', at, 'values')}" for name, at in e.captured.items()],
                *[f"{name}__all[c] = {name}" for name in [*own, *self._moved(early)]],
                "listed__all[more] = np.int64(c)",
                *[f"{name}__few[more] = {name}" for name in self._few], f"more += {self._another(early)}"]
        return [*lines, "more = 0", "for i in range(k):", *[f"    {line}" for line in move], "k = more"]

    def _rest(self, early: bool) -> list[str]:
        """Lines for those who are too few to fill a vector."""
        if not self.acts:
            return []
        e = self.e
        load = [f"{name} = {name}__few[i]"
                for name in [*e.state, "d", *self._drawn, "coming", "spike", *self._carried]]
        cursor = ["cursor = coming"]
        once = [*[f"{name} = {e.word('coming', at, 'values')}" for name, at in e.captured.items()],
                self.replay.happens("fire", "spike"), *cursor, *(e.looked_up() if early or self._carried else []),
                f"coming = {e.word('cursor', 1)}", f"spike = {e.word('coming', 0)}"]
        lines = ["c = np.uint64(listed__all[i])", *load, *self._brought("emission"), "cursor = coming",
                 f"while {self._another(early)}:", *[f"    {line}" for line in once],
                 *[f"{name}__all[c] = {name}" for name in [*e.state, *self._moved(early)]]]
        return ["for i in range(k):", *[f"    {line}" for line in lines]]

    def _moved(self, early: bool) -> list[str]:
        """What has changed after a spike, and will be read: after the arrival the cursor alone."""
        return ["cursor", *self.e.left, "coming", "spike"] if early else ["cursor"]

    @staticmethod
    def _another(early: bool) -> str:
        return "spike - d < latest" if early else "spike <= step"

    # -- the row ----------------------------------------------------------------------------------------------

    def before(self) -> list[str]:
        """Lines for a quiet row, before its synapses: what was brought by the last two emissions."""
        e = self.e
        lines = ["latest = emitted[m - 1] if m > 0 else -r.longest",
                 "older = emitted[m - 2] if m > 1 else latest - r.longest"]
        lines += ["first = latest if arriving else np.int64(-LATER)"] if e.follows_spikes else []
        for place, (one, trace) in enumerate(e.pre):
            name, n = one[trace.name], len(e.pre)
            at = [f"(m - {back}) * {n} + {place}" if n > 1 else f"m - {back}" for back in (1, 2)]
            lines += [f"{name}_latest = brought[{at[0]}] if m > 0 else 0.0",
                      f"{name}_older = brought[{at[1]}] if m > 1 else 0.0"]
        return lines

    def lived(self) -> list[str]:
        """Lines that take a piece of a quiet row, at most `LANES` synapses, out of its columns and up to ``step``."""
        e = self.e
        lines = self._lanes(unused=[name for name in self._names if name.endswith("__few")])
        load = [f"{name}__all[c] = {e.decoded(name, f'{name}_column[c]')}" for name in [*e.state, "d"]]
        lines += ["for c in range(n):", *[f"    {line}" for line in load], *self._numbered()]
        if e.follows_spikes:
            look = ["cursor = np.int64(cursor_column[c])", *e.looked_up(), f"coming = {e.word('cursor', 1)}",
                    f"spike = {e.word('coming', 0)}",
                    *[f"{name}__all[c] = {name}" for name in ["cursor", *e.left, "coming", "spike"]],
                    "listed__all[k] = c", "k += spike - d__all[c] < first"]
            early = f"catch_up(lanes, k, latest, older{self._brings('older')}, words, values, constants)"
            lines += ["k = 0", "for c in range(n):", *[f"    {line}" for line in look], "if k > 0:", f"    {early}"]
        if e.has("on_arrival"):
            told = self.replay.told("on_arrival")
            arrive = self._vector("older", told, [self.replay.happens("arrive", "latest + d")])
            lines += ["if arriving:", *[f"    {line}" for line in arrive]]
        if e.follows_spikes:
            lines.append(f"go_on(lanes, n, step, latest{self._brings('latest')}, words, values, constants)")
        return lines

    def sent(self) -> list[str]:
        """Lines that send the spikes of ``step`` on their way, and put everything back."""
        e, sends = self.e, f"{self._names[-1]}[c]" if "amplitude__all" in self._names else "weight__all[c]"
        lines = []
        if "amplitude__all" in self._names:
            shown, amplitude = e.amplitude("step")
            emit = [*e.traces(("transmit",), e.rules, "step"), *shown, f"amplitude__all[c] = {amplitude}"]
            emit += e.code("on_emission", e.rules, "step") if e.has("on_emission") else []
            lines = [*self._looked_up(), *self._vector("latest", [*e.came, *e.left], emit)]
        put = ["place = np.uint64(((step + d__all[c]) & route.mask) * route.n_slots) + np.uint64(posts[c])",
               f"ring[place] += {sends}", "if tally.size > 0:", "    tally[place] += np.uint32(1)"]
        return [*lines, *self.kept(), "for c in range(n):", *[f"    {line}" for line in put]]

    def _looked_up(self) -> list[str]:
        """A loop that looks up what the last spike seen has left."""
        if not self.e.left:
            return []
        look = ["cursor = cursor__all[c]", *self.e.looked_up(), *[f"{name}__all[c] = {name}" for name in self.e.left]]
        return ["for c in range(n):", *[f"    {line}" for line in look]]

    def all_at_once(self, event: str, looks_up: bool, vector: bool) -> list[str]:
        """A loop that does what is due to all synapses at one time; ``looks_up`` what the target's spikes have left."""
        loop = self._vector("latest", self.e.left if looks_up else [], [event], "(n + 7) & ~7" if vector else "n")
        return [*(self._looked_up() if looks_up else []), *loop]

    def kept(self) -> list[str]:
        """A loop that puts everything back."""
        kept = [name for name, _, _ in self.e.stored if name != "d"]
        put = [f"{name}_column[c] = {self.e.encoded(name, f'{name}__all[c]')}" for name in kept]
        return ["for c in range(n):", *[f"    {line}" for line in put]]

    def _numbered(self) -> list[str]:
        """A loop that looks up birth numbers, where draws are keyed by them."""
        if not self.e.any_draws:
            return []
        numbers = "array_at(rows.serial + 4 * begin, n if rows.serial != 0 else 0, np.uint32)"
        return [f"serials = {numbers}", "if serials.size > 0:", "    for c in range(n):",
                "        serial__all[c] = serials[c]", "else:", "    for c in range(n):",
                "        serial__all[c] = begin + c - row_start"]

    def _vector(
        self, emission: str, read: Sequence[str], lines: Sequence[str], upto: str = "(n + 7) & ~7"
    ) -> list[str]:
        """A loop over all lanes, up to the next eight; the latest arrival is that of ``emission``."""
        e = self.e
        wanted = [*self._each, *(name for name in read if name in e.left)]
        load = [f"{name} = {name}__all[c]" for name in wanted]
        load += [*self._brought(emission), *[f"{name} = {name[:-5]}_{emission}" for name in e.came[1:]]]
        store = [f"{name}__all[c] = {name}" for name in e.state]
        return [f"for c in range({upto}):", *[f"    {line}" for line in [*load, *lines, *store]]]
