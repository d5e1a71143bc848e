"""Source text of how quiet rows learn: many synapses at a time, in passes over a short piece of the row.

Most rows are *quiet*: since they were settled one spike has arrived at every synapse, or none. Then all synapses go
through the same: the target fires before the arrival (seldom), the arrival, the target fires after it (now and then).
First the target's spikes are listed: from its latest one back to the arrival, in rounds, for those that have one more,
until nobody has. What a round costs depends on how many they are, and no branch has to be foreseen. Then come passes
over short columns, *lanes*, eight synapses or spikes at once: traces as they are at every listed spike, the arrival at
every synapse. The list from its end to its beginning is every synapse's spikes in the order of time: so they act, one
by one where a few products are all there is to do, else round by round. At last all is sent in the order of the row.

What is computed for a synapse, and in which order, is what the general way computes: the bits are the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from neurosim.engine.learning.base import FLAT, LANES
from neurosim.engine.learning.events import Events, indented
from neurosim.engine.learning.replay import Replay
from neurosim.graph import emission_memory as emissions
from neurosim.graph import spike_memory as memory

#: Lanes of whole numbers; all others are reals.
_WHOLE = {"d", "serial", "left", "key", "bound", "listed", "place", "early", "odd", "entry", "ends"}
_LIGHT = {"min", "max", "abs", "float32", "float64", "int64"}  # calls that take no longer than a product
_LENGTH = {"all": LANES, "few": LANES, "flat": FLAT}
_GAP = 8  # words between lanes: where they are whole pages apart, a load waits for a store that it only resembles
_OPENED = {"posts": "posts = array_at(posts_at, n, np.uint32)", "words": "words, values = spike_words(spikes)",
           "recent": "recent, recents = recent_words(spikes)"}


class Passes:
    """The functions and lines for quiet rows under the rules of one projection."""

    def __init__(self, events: Events, replay: Replay) -> None:
        self.e, self.replay = events, replay
        e = events
        self.acts = e.has("on_post")  # else spikes only leave traces
        self._told = replay.told("on_post") if self.acts else []
        self._fades = e.traces(("on_post",), e.rules, "spike") if self.acts else []
        self._does = e.acts("on_post", e.rules, "spike") if self.acts else []
        calls = {name for line in self._does for name in re.findall(r"(\w+)\(", line)}
        self._light = calls <= _LIGHT  # spikes act one by one
        self._faded = [line.split(" = ")[0] for line in self._fades] if self._light else []
        self._carried = [name for name in self._told if name in e.left]
        text = "\n".join([*self._fades, *self._does])
        rest = text.replace("spike - came", "")
        self._plain = self._light and not re.search(r"\b(spike|came|d)\b", rest)  # how long ago it came is enough
        delays = ["d"] if self._light and re.search(r"\b(came|d)\b", rest if self._plain else text) else []
        self._facts = [*delays, *e.captured, *self._carried]  # of a spike of the target, besides its time
        self._own = [*e.state, *e.draws("on_post")[:1]]
        self._each = [*e.state, "d", *e.any_draws[:1]]  # what every synapse has; the source is the row's
        follow = ["key", "bound", "entry", *(e.left or ["left"]), "odd", *(["early"] if self.acts else [])]
        self._all = [*self._each, *(follow if e.follows_spikes else []), "place"]
        self._all += ["amplitude"] if e.sends_other_than_weight else []
        self._few = ["d", *self._own] if self.acts and not self._light else []
        ends = ["ends"] if self._few else []  # where the rounds end, and in the last word how many there are
        self._flat = ["listed", *self._facts, *self._faded, *ends] if e.follows_spikes else []

    @property
    def words(self) -> int:
        """Words of all lanes together."""
        return sum((_LENGTH[kind] + _GAP) * len(names) for kind, names in self._kinds)

    @property
    def _kinds(self) -> list[tuple[str, list[str]]]:
        return [("all", self._all), ("few", self._few), ("flat", self._flat)]

    def lanes(self, text: str) -> list[str]:
        """Lines that view the lanes of which a text speaks: pieces of one array, known to lie apart."""
        views = [("wholes", "int64"), ("reals", "float64")]
        lines = [f"{name} = array_at(lanes, {self.words}, np.{kind})" for name, kind in views]
        begin = 0
        for kind, names in self._kinds:
            for name in names:
                if re.search(rf"\b{name}__{kind}\b", text):
                    words = "wholes" if name in _WHOLE else "reals"
                    lines.append(f"{name}__{kind} = {words}[{begin} : {begin + _LENGTH[kind]}]")
                begin += _LENGTH[kind] + _GAP
        return lines

    def _function(self, name: str, arguments: Sequence[str], about: str, body: Sequence[str]) -> str:
        text = indented(body, 1)
        opened = [line for word, line in _OPENED.items() if re.search(rf"\b{word}\b", text)]
        opened += self.replay.unpacked() if "constants" in arguments else []
        head = f'@inlined\ndef {name}({", ".join(arguments)}):\n    """{about}"""\n'
        return head + indented([*opened, *self.lanes(text)], 1) + text

    # -- the target's spikes ----------------------------------------------------------------------------------

    def functions(self) -> list[str]:
        """The text of all functions."""
        if not self.e.follows_spikes:
            return []
        acting = [self._look_early(), *([self._fade(), self._act()] if self._light else [self._act_in_rounds()])]
        return [self._look_back(), *(acting if self.acts else [])]

    @property
    def _base(self) -> str:
        """Where the recent spikes of a synapse's target begin."""
        return f"base = np.uint64(posts[c]) * np.uint64({memory.BLOCK * (1 + self.e.width - memory.VALUES)})"

    def _value(self, block: int, back: int | str | None) -> str:
        """A step (block 0) or value of the spike ``back`` places before the target's latest one; None: of ``entry``."""
        if back is None:
            return self.e.word("entry", memory.VALUES + block - 1 if block else 0, "values" if block else "words")
        place = f"{memory.BLOCK * block} + {back}" if isinstance(back, str) else memory.BLOCK * block + back
        return f"{'recents' if block else 'recent'}[base + np.uint64({place})]"

    def _left(self, back: int | None) -> list[str]:
        """Lines that keep what a spike has left, as long as it is the last before those that are listed."""
        names = self.e.left or ["left"]
        return [f"{name}__all[c] = {'spike' if name == 'left' else self._value(block, back)}"
                for block, name in enumerate(names)]

    def _listing(self, back: int | str | None) -> list[str]:
        """Lines that list a spike as number ``k``; it stays there if ``k`` grows."""
        if not self.acts:
            return ["word = (spike << BITS) - key__all[c]", "listed__flat[np.uint64(k)] = word"]
        lines = ["u = np.uint64(k)", "word = (spike << BITS) - key__all[c]", "listed__flat[u] = word"]
        lines += ["d__flat[u] = d__all[c]"] if "d" in self._facts else []
        captured = [(name, self._value(1 + at - memory.VALUES, back)) for name, at in self.e.captured.items()]
        return [*lines, *[f"{name}__flat[u] = {value}" for name, value in captured]]

    def _carry(self, u: str, back: int | str | None) -> list[str]:
        """Lines that keep, with spike number ``u``, what the one before it has left."""
        return [f"{name}__flat[{u}] = {self._value(self.e.left.index(name), back)}" for name in self._carried]

    def _look_back(self) -> str:
        """The function that lists spikes after the arrival, in rounds: one more of each target that has another."""
        more = "k += word >= bound__all[c]"
        first = [self._base, f"spike = {self._value(0, 0)}", *self._left(0), *self._listing(0), "if spike > step:",
                 "    odd__all[np.uint64(odd)] = c", "    odd += 1", "else:", f"    {more}"]
        body = ["k, odd = np.int64(0), np.int64(0)", *_inside("for c in range(n):", first), "end = np.int64(0)"]
        over = ["begin, end = end, k"]  # a round is
        if self._few:
            over += ["rounds += 1", "ends__flat[np.uint64(rounds)] = k"]
            body += ["rounds, ends__flat[0] = np.int64(0), 0"]
        body += over
        for back in range(1, memory.RECENT):
            body += [*self._round([self._base], back, more), *over]
        kept = "entry__all[c] = entry"
        body += self._round([self._base, f"entry = {self._value(0, memory.LINK)}", kept], None, more)
        seen = f"spike_seen(words, {self.e.width}, np.int64(posts[c]), step)"
        skip = ["c = np.uint64(odd__all[j])", f"entry = {seen}", kept, f"spike = {self._value(0, None)}",
                *self._left(None), *self._listing(None), more]
        body += [*_inside("for j in range(odd):", skip), *over]
        on = [f"entry = {self.e.word('entry__all[c]', memory.BEFORE)}", kept]
        many = _inside("if k + end - begin > FLAT - 16:", ["return np.int64(-1), np.int64(0)"])
        body += _inside("while begin < end:", [*many, *self._round(on, None, more), *over])
        body += ["ends__flat[FLAT - 1] = rounds"] if self._few else []
        if self.acts:
            body += ["odd = np.int64(0)", "for c in range(n):", "    early__all[np.uint64(odd)] = c",
                     "    odd += left__all[c] > since"]
        about = "List spikes up to ``step``, newest first; how many (-1: too many), and how many targets fired early."
        arguments = ["lanes", "posts_at", "n", "since", "step", "spikes"]
        return self._function("look_back", arguments, about, [*body, "return k, odd"])

    def _round(self, go: Sequence[str], back: int | None, more: str) -> list[str]:
        """Lines in which those that were listed last go on to their target's spike before."""
        return _inside("for j in range(begin, end):", [
            "i = np.uint64(j)", "c = np.uint64(listed__flat[i] & (LANES - 1))", *go, f"spike = {self._value(0, back)}",
            *self._left(back), *self._carry("i", back), *self._listing(back), more])  # fmt: skip

    def _look_early(self) -> str:
        """The function that lists spikes before the arrival."""
        n, before, step = memory.RECENT, self.e.word("entry", memory.BEFORE), self._value(0, None)
        newer = " + ".join(f"np.int64({self._value(0, back)} > spike)" for back in range(n))
        listing, latest = self._listing("back"), "np.uint64(k - 1)"
        if self.e.captured:
            listing = [*_inside(f"if back < {n}:", listing), *_inside("else:", self._listing(None))]
        near = [f"spike = {self._value(0, 'back')}", *self._carry(latest, "back")]
        far = [*_inside(f"if back > {n}:", [f"entry = {before}"]), f"spike = {step}", *self._carry(latest, None)]
        on = ["if k >= FLAT - 16:", "    return np.int64(-1)", *listing, "k, back = k + 1, back + 1",
              *_inside(f"if back < {n}:", near), *_inside("else:", far)]
        each = ["c = np.uint64(early__all[j])", self._base, "spike = left__all[c]", f"back = {newer}",
                f"entry = {self._value(0, memory.LINK)}",
                *_inside(f"while back == {n} and {step} > spike:", [f"entry = {before}"]),
                *_inside("while spike > since:", on)]
        about = "List spikes after ``since`` and before the arrival, of ``m`` synapses, behind the ``k`` listed ones."
        arguments = ["lanes", "posts_at", "n", "since", "k", "m", "spikes"]
        return self._function("look_early", arguments, about, [*_inside("for j in range(m):", each), "return k"])

    @property
    def _brings(self) -> list[str]:
        return [*self.e.came[1:], *self.e.any_draws[1:]]

    def _brought(self, emission: str) -> list[str]:
        """Lines that say what the arrival of an emission has brought to a synapse."""
        return [f"came = {emission} + d"] if self.e.came else []

    def _fade(self) -> str:
        """The function that brings traces to the times of the listed spikes."""
        fades = [line.replace("spike - came", "gone") if self._plain else line for line in self._fades]
        time = ["gone = (listed__flat[u] >> BITS) - emission"] if self._plain else ["spike = listed__flat[u] >> BITS"]
        came = [] if self._plain else self._brought("emission")
        body = _inside("for i in range((k - first + 7) & ~7):", [
            "u = np.uint64(first + i)", *time, *[f"{name} = {name}__flat[u]" for name in self._facts], *came, *fades,
            *[f"{name}__flat[u] = {name}" for name in self._faded]])  # fmt: skip
        about = "Bring traces to the times of the spikes listed from ``first`` to ``k``."
        arguments = ["lanes", "first", "k", "emission", *self._brings, "constants"]
        return self._function("fade", arguments, about, body)

    def _act(self) -> str:
        """The function in which targets fire, one after the other."""
        text = "\n".join(self._does)
        known = [name for name in [*self.e.captured, *self._faded] if re.search(rf"\b{name}\b", text)]
        each = ["u = np.uint64(k - 1 - i)", "c = np.uint64(listed__flat[u] & (LANES - 1))",
                *(["spike = listed__flat[u] >> BITS"] if re.search(r"\bspike\b", text) else []),
                *[f"{name} = {name}__flat[u]" for name in known],
                *[f"{name} = {name}__all[c]" for name in self.e.state], *self._does,
                *[f"{name}__all[c] = {name}" for name in self.e.state]]
        about = "Targets fire: the spikes listed from ``first`` to ``k``, from the last to the first."
        body = _inside("for i in range(k - first):", each)
        return self._function("act", ["lanes", "first", "k", "constants"], about, body)

    def _act_in_rounds(self) -> str:
        """The function in which targets fire, many at once."""
        e, facts = self.e, self._facts
        load = ["u = np.uint64(begin + i)", "spike = listed__flat[u] >> BITS",
                *[f"{name} = {name}__flat[u]" for name in facts]]
        fire = [*self._brought("emission"), self.replay.happens("fire", "spike")]
        at = "c = np.uint64(listed__flat[np.uint64(begin + i)] & (LANES - 1))"
        own = ["d", *self._own]
        alone = [at, *load, *[f"{name} = {name}__all[c]" for name in own], *fire,
                 *[f"{name}__all[c] = {name}" for name in e.state]]
        together = [*load, *[f"{name} = {name}__few[i]" for name in own], *fire,
                    *[f"{name}__few[i] = {name}" for name in e.state]]
        each, fetch = "for i in range(end - begin):", [f"{name}__few[i] = {name}__all[c]" for name in own]
        put = [f"{name}__all[c] = {name}__few[i]" for name in e.state]
        early = _inside("for j in range(k - first):", ["begin, i = k - 1 - j, 0", *alone])
        body = [*_inside("if not late:", [*early, "return"]), "rounds = ends__flat[FLAT - 1]",
                *_inside("for r in range(rounds):", [
                    "begin, end = ends__flat[np.uint64(rounds - r - 1)], ends__flat[np.uint64(rounds - r)]",
                    *_inside(each, [at, *fetch]), *_inside("for i in range((end - begin + 7) & ~7):", together),
                    *_inside(each, [at, *put])])]  # fmt: skip
        about = "Targets fire: the listed spikes after the arrival (``late``) in rounds, those before it one by one."
        arguments = ["lanes", "first", "k", "late", "emission", *self._brings, "constants"]
        return self._function("act", arguments, about, body)

    # -- the row ----------------------------------------------------------------------------------------------

    def before(self) -> list[str]:
        """Lines for a quiet row, before its synapses: what was brought by the last two emissions."""
        lines = []
        for place, (one, trace) in enumerate(self.e.pre):
            name, n = one[trace.name], len(self.e.pre)
            lines += [f"{name}_latest = row_values[at_head + {emissions.VALUES + place}]",
                      f"{name}_older = row_values[at_head + {emissions.VALUES + n + place}]"]
        return lines

    def looked(self) -> list[str]:
        """Lines that take a piece of a quiet row out of its columns and list spikes; ``total`` is -1 for too many."""
        e = self.e
        load = [f"{name}__all[c] = {e.decoded(name, f'{name}_column[c]')}" for name in [*e.state, "d"]]
        lines = ["for c in range(n):", *[f"    {line}" for line in load], *self._numbered()]
        if not e.follows_spikes:
            return [*lines, "total = k = np.int64(0)"]
        key = "(d__all[c] << BITS) - c" if self._plain else "-c"
        bounds = ("latest", "since + 1 - d__all[c]") if self._plain else ("latest + d__all[c]", "since + 1")
        lines += ["for c in range(n):", f"    key__all[c] = {key}", "if arriving:", "    for c in range(n):",
                  f"        bound__all[c] = ({bounds[0]}) << BITS", "else:", "    for c in range(n):",
                  f"        bound__all[c] = ({bounds[1]}) << BITS",
                  "k, m = look_back(lanes, posts_at, n, since, step, spikes)", "total = k"]
        early = ["if m > 0:", "    total = look_early(lanes, posts_at, n, since, k, m, spikes)"]
        return [*lines, *(early if self.acts else [])]

    def _bring(self, emission: str) -> str:
        brings = [*(f"{name[:-5]}_{emission}" for name in self.e.came[1:]), *self.e.any_draws[1:]]
        return "".join(f", {name}" for name in [emission, *brings])

    def lived(self) -> list[str]:
        """Lines that bring a piece of a quiet row up to ``step``."""
        e, lines = self.e, []
        after, before = self._bring("latest"), self._bring("older")
        acts = e.follows_spikes and self.acts
        if acts and self._light:
            lines += [f"fade(lanes, 0, k{after}, constants)", "if total > k:",
                      f"    fade(lanes, k, total{before}, constants)", "    act(lanes, k, total, constants)"]
        elif acts:
            lines += ["if total > k:", f"    act(lanes, k, total, False{before}, constants)"]
        if e.has("on_arrival"):
            told = self.replay.told("on_arrival")
            arrive = self._vector("older", told, [self.replay.happens("arrive", "latest + d")])
            lines += ["if arriving:", *[f"    {line}" for line in arrive]]
        if acts:
            lines += ["act(lanes, 0, k, constants)" if self._light else f"act(lanes, 0, k, True{after}, constants)"]
        return lines

    def sent(self) -> list[str]:
        """Lines that send the spikes of ``step`` on their way, and put everything back."""
        e, sends = self.e, "amplitude__all[c]" if "amplitude" in self._all else "weight__all[c]"
        lines = []
        if "amplitude" in self._all:
            shown, amplitude = e.amplitude("step")
            emit = [*e.traces(("transmit",), e.rules, "step"), *shown, f"amplitude__all[c] = {amplitude}"]
            emit += e.code("on_emission", e.rules, "step") if e.has("on_emission") else []
            lines = [*self._looked_up(), *self._vector("latest", [*e.came, *e.left], emit)]
        return [*lines, *self.kept(),
                "for c in range(n):",
                "    place__all[c] = ((step + d__all[c]) & mask) * n_slots + np.int64(posts[c])",
                "for c in range(n):", f"    ring[np.uint64(place__all[c])] += {sends}",
                "if tally.size > 0:", "    for c in range(n):", "        tally[place__all[c]] += np.uint32(1)"]

    def _looked_up(self) -> list[str]:
        """A loop that looks up what the last spike seen has left."""
        if not self.e.left:
            return []
        look = [f"cursor = spike_seen(words, {self.e.width}, np.int64(posts[c]), step)", *self.e.looked_up(),
                *[f"{name}__all[c] = {name}" for name in self.e.left]]
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


def _inside(head: str, lines: Sequence[str]) -> list[str]:
    """Lines under a head that ends with a colon."""
    return [head, *[f"    {line}" for line in lines]]
