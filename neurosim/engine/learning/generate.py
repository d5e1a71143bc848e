"""Writes the kernels of a list of learning rules: one touch per spike per synapse.

The text depends on what the rules are and on how a synapse is stored, never on a network, its sizes or the values of
parameters. The kernels of one projection are

* ``deliver``: at an emission, replay what happened to each synapse of the row since it was last touched, then send;
* ``settle``: bring rows up to now in place, and do what is due periodically or by a modulator;
* ``peek``: the same on copies, for whoever reads;
* ``note_spikes``: remember the target's spikes of an epoch, with the traces at those times;
* ``tick``: before the emissions of a step, settle where something periodic is due;
* ``tend``: when a memory grows long, settle all rows and forget what nobody needs any more;
* ``keep_up``, ``deliver_kept_up`` and ``line_up``: the same without delay, where a projection is small.
"""

from __future__ import annotations

from neurosim.engine.learning.at_once import AtOnce
from neurosim.engine.learning.events import Events, indented, tuple_of
from neurosim.engine.learning.passes import Passes
from neurosim.engine.learning.prompt import Prompt
from neurosim.engine.learning.replay import Replay
from neurosim.expressions.source import functions_in, source
from neurosim.expressions.tree import Node, Symbol, walk
from neurosim.graph import emission_memory as emissions
from neurosim.graph import spike_memory as memory

_HEAD = '''"""Learning rules: {rules}. Generated; do not edit."""

import math

import numpy as np

from neurosim.compiled import array_at, by_address, call, inlined, record_at, spliced
from neurosim.engine.learning.base import (
    BITS, FIELDS, FLAT, LANES, ask_for, born_at, column, emitted_by, faded, forget_emissions, forget_spikes, gather,
    gathered, is_young, looked_up, looked_up_to, note_emission, note_spike, piece_of, queue_of, recent_words, row_words,
    settled_at, spike_seen, spike_words, under_way,
)
from neurosim.engine.low_bit import (
    as_half, as_level, from_half, from_level, share_of, to_half, to_level,
)
from neurosim.engine.learning.queues import enqueue, nodes_of, released
from neurosim.engine.records import POPULATION, ROUTE, floats, integers, list_of
{imports}from neurosim.graph.emission_memory import EMISSIONS, KEPT_UP, NEVER, SOON, USED
from neurosim.graph.row_kernels import ROWS
from neurosim.graph.spike_memory import LATER, SPIKES
from neurosim.graph.waiting import POOL, TAKEN

RECORD = np.dtype(
    FIELDS
    + floats({floats})
    + integers({integers})
)
'''


def module_source(events: Events) -> str:
    """The text of the kernels for the rules of one projection."""
    writer = _Writer(events)
    parts = [*writer.replay.functions(), *writer.quick(), *writer.at_once.functions(), _SEND, writer.ask_for_row(),
             writer.deliver(), writer.settle(), writer.peek(), writer.note_spikes(), writer.at_once.tick(), _TEND,
             *(Prompt(events, writer.opened()).parts() if events.can_be_prompt else [])]
    body = "\n\n".join(part.strip("\n") + "\n" for part in parts)
    called = functions_in(body)
    numbers = [*(f"state_{name}" for name in events.states), *events.fadings, *events.gone]
    numbers += [f"_every_{k}" for k, one in enumerate(events.rules) if one.rule.events.get("every")]
    head = _HEAD.format(
        rules=", ".join(one.rule.name for one in events.rules) or "none",
        imports=f"from neurosim.functions import {', '.join(called)}\n" if called else "",
        floats=", ".join(f'"{name}"' for name in events.constants if name not in numbers),
        integers=", ".join(f'"{name}"' for name in numbers),
    )  # fmt: skip
    return head + "\n\n" + body


def lanes_of(events: Events) -> int:
    """Words that a synapse of a quiet row needs while it is worked on."""
    return 0 if events.own else Passes(events, Replay(events)).words


class _Writer:
    def __init__(self, events: Events) -> None:
        self.e = events
        self.replay = Replay(events)
        self.at_once = AtOnce(events, self.replay)
        self.passes = None if events.own else Passes(events, self.replay)
        self.n_pre = len(events.pre)

    def quick(self) -> list[str]:
        """The functions for quiet rows."""
        return self.passes.functions() if self.passes is not None else []

    # -- pieces of text -----------------------------------------------------------------------------------

    def opened(self) -> list[str]:
        """Lines that open the record and what it points to; numbers are taken out once per call."""
        lines = [*_OPEN, *(["pool = record_at(r.pool, POOL)"] if self.e.own else [])]
        lines.append(f"constants = {tuple_of([f'r.{name}' for name in self.e.constants])}")
        return [*lines, *self.replay.unpacked()]

    def columns(self, begin: str, n: str) -> list[str]:
        """Lines that view a piece of every column."""
        lines = [f"posts_at = rows.post + 4 * {begin}", f"posts = array_at(posts_at, {n}, np.uint32)"]
        for k, (name, dtype, size) in enumerate(self.e.stored, start=1):
            lines.append(f"{name}_column = array_at(column(rows, {k}) + {size} * {begin}, {n}, np.{dtype})")
        return lines

    def loaded(self, c: str) -> list[str]:
        """Lines that take one synapse out of its columns."""
        lines = []
        for name, dtype, _ in self.e.stored:
            kind = "np.float64" if dtype.startswith("float") else "np.int64"
            lines.append(f"{name} = {self.e.decoded(name, f'{kind}({name}_column[{c}])')}")
        return lines

    def kept(self, c: str) -> list[str]:
        """Lines that put it back."""
        return [f"{name}_column[{c}] = {self.e.encoded(name, name)}" for name, _, _ in self.e.stored if name != "d"]

    def prepared(self) -> list[str]:
        """Lines that list a row's emissions, and say which synapses were born since some of them."""
        lines = ["head = row * rows.shards + shard", "at_head = head * emissions.width",
                 "since = settled_at(row_steps, emissions, at_head, shard)"]
        drawing, numbered = [], "young"
        if self.e.any_draws:
            numbered = "rows.serial != 0"
            drawing = ["source = array_at(r.ids, row + 1, np.uint32)[row]",
                       "row_start = array_at(rows.start, rows.n_rows, np.int64)[row]"]
        return [
            *lines,
            "young = is_young(r, row, since)",
            f"serials = array_at(rows.serial + 4 * begin, n if {numbered} else 0, np.uint32)",
            *drawing,
        ]

    def gathered(self) -> list[str]:
        """Lines that list a row's emissions which may still matter."""
        if not self.e.follows_arrivals or self.e.own:
            return ["m = np.int64(0)"]
        return ["m = gather(row_steps, row_values, emissions, head, r.longest, emitted, brought)"]

    def lived(self, c: str) -> list[str]:
        """Lines that take a synapse out of its columns and bring it to ``step``."""
        lines = [*self.loaded(c), f"born = born_at(r, row, serials[{c}]) if young else np.int64(-1)"]
        cursor = f"spike_seen(words, {self.e.width}, np.int64(posts[{c}]), max(since, born))"
        lines.append(f"cursor = {cursor if self.e.follows_spikes else 'np.int64(0)'}")
        if self.e.any_draws:
            lines.append(f"serial = np.int64(serials[{c}]) if rows.serial != 0 else begin + {c} - row_start")
        if self.e.own:
            lines += ["pending = due > since", "node = waiting"]
        else:
            lines.append("k = 0")
            if self.e.follows_arrivals:
                lines += ["while k < m and emitted[k] + d <= since:", "    k += 1"]
        return [*lines, self.replay.call("step")]

    def scratch(self) -> list[str]:
        """Lines that give a shard its room for the emissions of one row."""
        width = 8 * (1 + max(self.n_pre, 1))
        nodes = ["nodes = nodes_of(pool, shard)"] if self.e.own else []
        return [
            *nodes,
            f"emitted = array_at(r.scratch + {width} * r.room * shard, r.room, np.int64)",
            f"brought = array_at(r.scratch + {width} * r.room * shard + 8 * r.room, {max(self.n_pre, 1)} * r.room, "
            "np.float64)",
        ]

    def ways(self, quiet: list[str], general: list[str]) -> list[str]:
        """Lines for a row: piece by piece where it is quiet, else synapse by synapse."""
        e, passes = self.e, self.passes
        general = [*self.gathered(), *general]
        if passes is None:
            return [*self.columns("begin", "n"), *general]
        arriving = "np.int64(0)"
        steps = [f"latest, older = row_steps[at_head], row_steps[at_head + {emissions.OLDER}]"]
        if e.follows_arrivals:
            arriving = "under_way(latest, older, r.longest, since, step)"
        look = [*passes.looked(), "if total >= 0:", *[f"    {line}" for line in quiet]]
        piece = [*self.columns("begin", "n"), *passes.lanes("\n".join(look)), "total = np.int64(-1)"]
        return [
            *steps, f"arriving = {arriving}", "if young or route.has_zero:", "    arriving = np.int64(-1)",
            *passes.before(), "end = begin + n", "while begin < end:",
            "    n = min(end - begin, LANES)", *[f"    {line}" for line in piece],
            "    if arriving >= 0:", *[f"        {line}" for line in look],
            "    if total < 0:", *[f"        {line}" for line in general], "    begin += LANES",
        ]  # fmt: skip

    def room(self) -> list[str]:
        """The line that gives a shard its lanes."""
        return [f"lanes = r.lanes + {8 * self.passes.words} * shard"] if self.passes is not None else []

    def sent(self) -> list[str]:
        """Lines that send a spike on its way: amplitude and arrival first, then the rules' code at emission."""
        e = self.e
        shown, amplitude = e.amplitude("step")
        looked_up = e.looked_up() if e.transmits is not None or e.has("on_emission") else []
        lines = [*looked_up, *e.traces(("transmit",), e.rules, "step"), *shown, f"amplitude = {amplitude}"]
        if e.own:
            lines += ["d = max(np.int64(math.floor(delay / r.dt + 0.5)), np.int64(1))",
                      "waiting = released(nodes, pool, shard, waiting, node)",
                      "if pending:  # the one before is still under way", "    d = max(d, due - step)",
                      "    waiting = enqueue(nodes, pool, shard, waiting, due)", "due = step + d"]
        if e.has("on_emission"):
            lines += e.code("on_emission", e.rules, "step")
        if e.follows_arrivals and not e.own:
            again = ["k = m", "m += 1", self.replay.call("step"), "m -= 1"]
            lines += ["if d == 0:  # arrives now, after everything else of this step", *[f"    {x}" for x in again]]
        return [*lines, *self.kept("c"), "_send(route, ring, step, d, posts[c], amplitude, rows.stride)"]

    # -- kernels --------------------------------------------------------------------------------------------

    def ask_for_row(self) -> str:
        """The function that asks for a row before it is needed."""
        columns = [f"ask_for(column(rows, {k}) + {size} * begin, {size} * n)"
                   for k, (_, _, size) in enumerate(self.e.stored, start=1)]
        body = ["begin, n = piece_of(rows, row, shard)", "ask_for(rows.post + 4 * begin, 4 * n)", *columns]
        head = '@inlined\ndef ask_for_row(rows, row, shard):\n    """Ask for the first lines of a piece of a row."""\n'
        return head + indented(body, 1)

    def deliver(self) -> str:
        """The kernel of an emission."""
        e = self.e
        traces, new = ["before = row_steps[at_head]"], ["emitted[m] = step"]
        after = ["note_emission(row_steps, emissions, shard, head, step)"]
        for place, (one, trace) in enumerate(e.pre):
            name = one[trace.name]
            fading = f"faded(step - before, {name}_rate)"
            at = f"row_values[at_head + {emissions.VALUES + place}]"
            traces.append(f"{name}_brought = {'1.0' if trace.nearest else f'{at} * {fading} + 1.0'}")
            new.append(f"brought[m * {self.n_pre} + {place}] = {name}_brought")
            after += [f"row_values[at_head + {emissions.VALUES + self.n_pre + place}] = {at}", f"{at} = {name}_brought"]
        fetch = ["if f == 0:", "    ask_for_row(rows, row, shard)", "if f + 1 < n_fired:",
                 "    ask_for_row(rows, np.int64(slots[f + 1]), shard)"]
        per_row = ["row = np.int64(slots[f])", "begin, n = piece_of(rows, row, shard)", "events += n", *fetch,
                   *([] if e.pre else ["if n == 0:", "    continue"]), *self.prepared(), *traces]
        general = [*new, "for c in range(n):", *[f"    {line}" for line in [*self.lived("c"), *self.sent()]]]
        quiet = [*self.passes.lived(), *self.passes.sent()] if self.passes is not None else []
        return (
            "@by_address\n"
            "def deliver(record: int, step: int, fired: int, n_fired: int, s_lo: int, s_hi: int, unused: int) -> int:\n"
            '    """Deliver the spikes of ``fired`` (slots, in order of ids) emitted in ``step`` to some shards."""\n'
            + indented([*self.opened(), "slots = array_at(fired, n_fired, np.uint32)",
                        "ring = array_at(route.ring, (route.mask + 1) * route.n_slots, np.float64)",
                        "tally = array_at(route.tally, (route.mask + 1) * route.n_slots if route.tally != 0 else 0, "
                        "np.uint32)", "mask, n_slots = route.mask, route.n_slots", "events = 0",
                        "for shard in range(s_lo, s_hi):"], 1)
            + indented([*self.scratch(), *self.room(), "for f in range(n_fired):"], 2)
            + indented([*per_row, *self.ways(quiet, general), *after], 3) + "    return events\n"
        )  # fmt: skip

    def settle(self) -> str:
        """The kernel that brings rows up to now in place."""
        e = self.e
        free = ["waiting = released(nodes, pool, shard, waiting, node)"] if e.own else []
        at_once = [line for kind in self.at_once.kinds
                   for line in (self.at_once.condition(kind), f"    {self.at_once.event(kind)}")]
        act = ["if mask:", *[f"    {line}" for line in [*e.looked_up(), *at_once]]]
        each = [*self.lived("c"), *free, *(act if at_once else []), *self.kept("c")]
        general = ["for c in range(n):", *[f"    {line}" for line in each]]
        quiet = []
        if self.passes is not None:
            quiet = [*self.passes.lived(), *self._at_once_in_passes(), *self.passes.kept()]
        return (
            "@by_address\n"
            "def settle(record: int, step: int, mask: int, listed: int, n_listed: int, s_lo: int, s_hi: int) -> int:\n"
            '    """Bring rows (``listed``, or all) up to ``step``, and do what the rules of ``mask`` do now."""\n'
            + indented([*self.opened(), "chosen = array_at(listed, n_listed, np.int64)",
                        "for shard in range(s_lo, s_hi):"], 1)
            + indented([*self.scratch(), *self.room(), "for i in range(n_listed if listed != 0 else rows.n_rows):"], 2)
            + indented(["row = chosen[i] if listed != 0 else np.int64(i)", "begin, n = piece_of(rows, row, shard)",
                        *self.prepared(), "if since >= step and mask == 0:", "    continue", *self.ways(quiet, general),
                        f"row_steps[at_head + {emissions.SETTLED}] = step"], 3)
            + "    return 0\n"
        )  # fmt: skip

    def _at_once_in_passes(self) -> list[str]:
        """The same for a piece of a quiet row: many synapses at a time, but for code that looks at neurons."""
        assert self.passes is not None
        lines = []
        for kind in self.at_once.kinds:
            act = self.passes.all_at_once(self.at_once.event(kind), self.at_once.looks_up(kind), kind != "clocked")
            lines += [self.at_once.condition(kind), *[f"    {line}" for line in act]]
        return lines

    def peek(self) -> str:
        """The kernel that shows synapses as they are now and writes nothing."""
        e = self.e
        names = [name for name in e.state if name != "at"]
        outs = [f"out[{k} * n_listed + i] = {name}" for k, name in enumerate(names)]
        return (
            "@by_address\n"
            "def peek(record: int, step: int, listed: int, n_listed: int, places: int, shown: int, u: int) -> int:\n"
            '    """Write what synapses (rows ``listed``, at ``places``) are like at ``step`` into ``shown``."""\n'
            + indented([*self.opened(), "chosen = array_at(listed, n_listed, np.int64)",
                        "at_place = array_at(places, n_listed, np.int64)",
                        f"out = array_at(shown, {len(outs)} * n_listed, np.float64)", "n = np.int64(1)",
                        "for i in range(n_listed):"], 1)
            + indented(["row, begin = chosen[i], at_place[i]", *self.columns("begin", "n"),
                        "shard = np.int64(posts[0]) // rows.stride", *self.scratch(), *self.prepared(),
                        *self.gathered(), *self.lived("0"), *e.peeked("step"), *outs], 2)
            + "    return 0\n"
        )  # fmt: skip

    def note_spikes(self) -> str:
        """The kernel that remembers spikes of the target."""
        e = self.e
        lines = ["slot = np.int64(slots[f])", f"latest = slot * {e.width}", "before = words[latest]"]
        for place, (one, trace) in enumerate(e.post):
            name = one[trace.name]
            fading = f"faded(step - before, {name}_rate)"
            old = f"values[latest + {memory.VALUES + place}] * {fading} + 1.0"
            lines.append(f"{name} = {'1.0' if trace.nearest else old}")
        for name in [n for n in e.states if any(_reads(tree, n) for one in e.rules for _, tree in one.rule.captures)]:
            lines.append(f"{name} = array_at(r.state_{name}, slot + 1, np.float64)[slot]")
        for one in e.rules:
            names = one.names | {name: name for name in e.states}
            lines += [f"{one[name]} = {source(tree, names)}" for name, tree in one.rule.captures]
        lines.append("note_spike(words, spikes, shard, slot, step)")
        kept = [one[t.name] for one, t in e.post] + [one[name] for one, name in e.captures]
        lines += [f"values[latest + {memory.VALUES + k}] = {name}" for k, name in enumerate(kept)]
        width = memory.BLOCK * (1 + len(kept))
        lines += [f"recent[slot * {width} + {memory.BLOCK * (1 + k)}] = {name}" for k, name in enumerate(kept)]
        return (
            "@by_address\n"
            "def note_spikes(record: int, first: int, n_steps: int, shard: int, parity: int, u: int, w: int) -> int:\n"
            '    """Remember the spikes of one shard of the target in an epoch, with the traces right after them."""\n'
            + indented([*self.opened(), "if r.starts != 0:  # then it is done promptly", "    return 0",
                        "population = record_at(r.target, POPULATION)",
                        "recent = recent_words(spikes)[1]", "for j in range(n_steps):", "    step = first + j",
                        "    count, slots = list_of(population, shard, parity, j)", "    for f in range(count[0]):"], 1)
            + indented(lines, 3) + "    return 0\n"
        )  # fmt: skip


def _reads(tree: Node, name: str) -> bool:
    return any(isinstance(node, Symbol) and node.name == name for node in walk(tree))


_OPEN = '''
r = record_at(record, RECORD)
route = record_at(r.route, ROUTE)
rows = record_at(route.rows, ROWS)
spikes, emissions = record_at(r.spikes, SPIKES), record_at(r.emissions, EMISSIONS)
words, values = spike_words(spikes)
row_steps, row_values = row_words(emissions)
'''.strip().splitlines()

_SEND = '''
@inlined
def _send(route, ring, step, delay, post, amplitude, stride):
    """Put a spike on its way; one without delay arrives at once, unless it would move a membrane that is held."""
    if delay > 0:
        place = np.uint64(((step + delay) & route.mask) * route.n_slots) + np.uint64(post)
        ring[place] += amplitude
        if route.tally != 0:
            array_at(route.tally, (route.mask + 1) * route.n_slots, np.uint32)[place] += np.uint32(1)
        return
    if route.gate == 0 or array_at(route.gate, route.n_slots, np.int64)[post] < step:
        array_at(route.direct, route.n_slots, np.float64)[post] += amplitude
    if route.direct_tally != 0:
        shard = np.int64(post) // stride
        array_at(route.direct_tally, 8 * (shard + 1), np.int64)[8 * shard] += 1
'''

_TEND = '''
@by_address
def tend(record: int, step: int, s_lo: int, s_hi: int, u: int, v: int, w: int) -> int:
    """Keep memories short: where one has grown long, settle all rows of its shard and forget what is past."""
    r = record_at(record, RECORD)
    rows = record_at(record_at(r.route, ROUTE).rows, ROWS)
    spikes, emissions = record_at(r.spikes, SPIKES), record_at(r.emissions, EMISSIONS)
    full = 0
    for shard in range(s_lo, s_hi):
        noted = array_at(spikes.used + 64 * shard, 1, np.int64)
        emitted = array_at(emissions.used + 64 * shard, 8, np.int64)
        if noted[0] > r.spike_limit or emitted[USED] > r.row_limit:
            call(r.settle, record, step, 0, 0, 0, shard, shard + 1)
            forget_spikes(spike_words(spikes)[0], spikes, shard, shard * rows.stride, (shard + 1) * rows.stride)
            forget_emissions(row_words(emissions)[0], emissions, shard, rows.n_rows, r.remembered, step)
            full |= np.int64(emitted[USED] > r.row_limit)
        elif emitted[KEPT_UP] == step and emitted[USED] > emitted[SOON]:  # a short log stays in the caches
            forget_emissions(row_words(emissions)[0], emissions, shard, rows.n_rows, r.remembered, step)
            emitted[SOON] = max(rows.n_rows, 2 * emitted[USED])
        if r.pool != 0:
            pool = record_at(r.pool, POOL)
            taken = array_at(pool.counts + 64 * shard, 8, np.int64)[TAKEN]
            full |= np.int64(pool.capacity - taken < r.needed_nodes)
    return full
'''
