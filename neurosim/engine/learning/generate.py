"""Writes the kernels of a list of learning rules: one touch per spike per synapse.

The text depends on what the rules are and on how a synapse is stored, never on a network, its sizes or the values of
parameters. The kernels of one projection are

* ``deliver``: at an emission, replay what happened to each synapse of the row since it was last touched, then send;
* ``settle``: bring rows up to now in place, and do what is due periodically or by a modulator;
* ``peek``: the same on copies, for whoever reads;
* ``note_spikes``: remember the target's spikes of an epoch, with the traces at those times;
* ``tend``: when a history grows long, settle all rows and forget what nobody needs any more.
"""

from __future__ import annotations

from neurosim.engine.learning.events import Events, indented, tuple_of
from neurosim.expressions.source import functions_in, source
from neurosim.expressions.tree import Node, Symbol, walk

_HEAD = '''"""Learning rules: {rules}. Generated; do not edit."""

import math

import numpy as np

from neurosim.compiled import array_at, by_address, call, inlined, record_at
from neurosim.engine.learning.base import (
    FIELDS, LATER, born_at, column, forget_emissions, forget_posts, gather, piece_of, remember, spike_after, spikes_since,
)
from neurosim.engine.learning.queues import enqueue, nodes_of, released
from neurosim.engine.learning.memory import SETTLED, faded, steps_of, values_of
from neurosim.engine.records import POPULATION, ROUTE, integers, floats
{imports}from neurosim.graph.chain_memory import CHAIN, NEVER, STEP, VALUES
from neurosim.graph.row_kernels import ROWS
from neurosim.graph.waiting import POOL, TAKEN

RECORD = np.dtype(FIELDS + {fields})
'''


def module_source(events: Events) -> str:
    """The text of the kernels for the rules of one projection."""
    return _Writer(events).text()


class _Writer:
    def __init__(self, events: Events) -> None:
        self.e = events
        self.n_pre, self.n_post = len(events.pre), len(events.post)
        self.follows_arrivals, self.follows_spikes = events.follows_arrivals, events.follows_spikes

    def text(self) -> str:
        names = ", ".join(one.rule.name for one in self.e.rules) or "none"
        fields = [f'"{name}"' for name in self.e.constants]
        tables = [f'"{name}", "{name}_size"' for name in self.e.tables]
        tables += [f'"state_{name}"' for name in self.e.states]
        tables += [f'"period_{k}"' for k, one in enumerate(self.e.rules) if one.rule.events.get("every")]
        record = f"floats({', '.join(fields)}) + integers({', '.join(tables)})"
        parts = [self.replayed(), self.ticked(), self.deliver(), self.settle(), self.peek(), self.note_spikes(),
                 self.tick(), _TEND]
        body = "\n\n".join(part.strip("\n") + "\n" for part in parts)
        called = functions_in(body)
        imports = f"from neurosim.functions import {', '.join(called)}\n" if called else ""
        return _HEAD.format(rules=names, fields=record, imports=imports) + "\n\n" + body

    # -- pieces of text -----------------------------------------------------------------------------------

    def unpacked(self) -> list[str]:
        """Lines that give the numbers and tables their names."""
        lines = [f"{tuple_of(self.e.constants)} = constants".replace("(", "", 1).replace(")", "", 1)]
        if self.e.tables:
            lines.append(f"{tuple_of(self.e.tables)} = tables".replace("(", "", 1).replace(")", "", 1))
        return lines

    def packed(self) -> list[str]:
        """Lines that take the numbers and tables out of the record, once per call."""
        tables = [f"array_at(r.{name}, r.{name}_size, np.float64)" for name in self.e.tables]
        lines = [f"constants = {tuple_of([f'r.{name}' for name in self.e.constants])}"]
        return [*lines, f"tables = {tuple_of(tables)}" if tables else "tables = constants"]

    def columns(self, begin: str, n: str) -> list[str]:
        """Lines that view a piece of every column."""
        item = 4 if self.e.weight_type == "float32" else 8
        lines = [f"posts = array_at(rows.post + 4 * {begin}, {n}, np.uint32)"]
        for k, (name, dtype, size) in enumerate(self.stored(item), start=1):
            lines.append(f"{name}_column = array_at(column(rows, {k}) + {size} * {begin}, {n}, np.{dtype})")
        return lines

    def stored(self, item: int) -> list[tuple[str, str, int]]:
        """(name, type, bytes) of the columns after ``post``, in the order in which the store has them."""
        real = self.e.weight_type
        columns = [("weight", real, item)]
        columns.append(("delay", real, item) if self.e.own else ("d", "uint16", 2))
        columns += [(one[v.name], real, item) for one, v in self.e.variables]
        if self.e.own:
            columns += [(f"{one[t.name]}_kept", "float64", 8) for one, t in self.e.pre]
            columns += [("seen", "uint32", 4)] if self.e.pre else []
            columns += [("due", "uint32", 4), ("waiting", "int32", 4)]
        return columns + ([("at", "uint32", 4)] if self.e.dynamic else [])

    def loaded(self, c: str) -> list[str]:
        """Lines that take one synapse out of its columns."""
        lines = []
        for name, dtype, _ in self.stored(4):
            kind = "np.float64" if dtype.startswith("float") else "np.int64"
            lines.append(f"{name} = {kind}({name}_column[{c}])")
        return lines

    def kept(self, c: str) -> list[str]:
        """Lines that put it back."""
        changed = [name for name, _, _ in self.stored(4) if name in self.e.state or name in ("due", "waiting")]
        return [f"{name}_column[{c}] = {name}" for name in changed]

    @property
    def opened(self) -> list[str]:
        """Lines that open the record and what it points to."""
        return [*_OPEN, *(["pool = record_at(r.pool, POOL)"] if self.e.own else []), *self.packed()]

    @property
    def _about_arrivals(self) -> str:
        """Arguments that tell when spikes arrive at a synapse, and what they bring."""
        return "node, due, pending, nodes" if self.e.own else "born, k, m, d, emitted, brought"

    _ABOUT_SPIKES = "last, coming, words, values, width, heads"

    def replayed(self) -> str:
        """The function that lives through what happened to one synapse since it was last touched."""
        e, state = self.e, ", ".join(self.e.state)
        arguments = f"now, {self._about_arrivals}, {self._ABOUT_SPIKES}, constants, tables, {state}"
        text = f"@inlined\ndef replayed({arguments}):\n"
        text += '    """Live through the coming arrivals and spikes of the target, in their order, up to step ``now``."""\n'
        text += indented([*self.unpacked(), *([] if e.own else ["kx = k - 1"]), "while True:"], 1)
        arrival, after = self._arrivals()
        spike = "words[coming * width + STEP] if coming >= 0 else LATER" if self.follows_spikes else "LATER"
        loop = [f"arrival = {arrival if self.follows_arrivals else 'LATER'}", f"spike = {spike}",
                "if arrival <= spike:", "    if arrival > now:", "        break",
                *[f"    {line}" for line in after], "else:", "    if spike > now:", "        break"]
        if e.has("on_post"):
            loop += [f"    {line}" for line in e.code("on_post", e.rules, "spike")]
        loop += ["    last = coming", "    coming = spike_after(words, width, heads, coming)"]
        return text + indented(loop, 2) + f"    return {'node, pending' if e.own else 'kx'}, last, {state}\n"

    def _arrivals(self) -> tuple[str, list[str]]:
        """The step of the next arrival, and what is done when it has come."""
        e = self.e
        code = e.code("on_arrival", e.rules, "arrival") if e.has("on_arrival") else []
        if not e.own:
            act = ["if emitted[k] > born:", *[f"    {line}" for line in code]] if code else []
            return "emitted[k] + d if k < m else LATER", [*act, "kx = k", "k += 1"]
        act = code or e.traces(("on_arrival",), e.rules, "arrival")
        for one, trace in e.pre:
            name = one[trace.name]
            act.append(f"{name}_kept = " + ("1.0" if trace.nearest else f"{name} + 1.0"))
        act += ["seen = arrival"] if e.pre else []
        act += ["if node >= 0:", "    node = nodes[2 * node + 1]", "else:", "    pending = False"]
        return "nodes[2 * node] if node >= 0 else (due if pending else LATER)", act

    _AT_ONCE = (("on_modulator", 0), ("every", 20), ("clocked", 40))  # kind of event and its first bit in the mask

    def ticked(self) -> str:
        """The function that does what is due at once: modulators and periodic code, one event of each kind."""
        e, state = self.e, ", ".join(self.e.state)
        arguments = f"r, mask, now, row, target, {'' if e.own else 'kx, d, emitted, brought, '}last, words, values, width"
        body = self.unpacked()
        for kind, first in self._AT_ONCE:
            if not e.has(kind):
                continue
            body += [f"if mask & {(2**20 - 1) << first}:", *[f"    {line}" for line in e.brought_up("now")]]
            for name in e.states if kind == "clocked" else ():
                neuron = "target" if name.endswith("_post") else "row"
                body.append(f"    {name} = array_at(r.state_{name}, {neuron} + 1, np.float64)[{neuron}]")
            for number, one in enumerate(e.rules):
                if one.rule.events.get(kind):
                    body.append(f"    if mask & {1 << (first + number)}:")
                    own = [*e.traces((kind,), [one], "now"), *e.statements(one, kind)]
                    body += [f"        {line}" for line in own]
            body += [f"    {line}" for line in e.settled()]
        if e.has("on_modulator"):
            body.insert(0, "amount = r.amount")
        body.append(f"return {state}")
        head = f"@inlined\ndef ticked({arguments}, constants, tables, {state}):\n"
        return head + '    """Do what the rules of ``mask`` (one bit each) do now."""\n' + indented(body, 1)

    def prepared(self) -> list[str]:
        """Lines that list a row's emissions, and say which synapses were born since some of them."""
        lines = ["head = row * rows.shards + shard", "since = row_words[head * row_width + SETTLED]"]
        if self.follows_arrivals and not self.e.own:
            lines.append("m = gather(row_words, row_values, row_chain, head, r.longest, emitted, brought)")
        else:
            lines.append("m = np.int64(0)")
        return [
            *lines,
            "young = array_at(r.young, rows.n_rows, np.int64)[row] >= 0",
            "serials = array_at(rows.serial + 4 * begin, n if young else 0, np.uint32)",
        ]

    def lived(self, c: str) -> list[str]:
        """Lines that take a synapse out of its columns and bring it to ``step``."""
        lines = [*self.loaded(c), f"born = born_at(r, row, serials[{c}]) if young else np.int64(-1)",
                 "then = max(since, born)"]
        if self.e.own:
            lines += ["pending = due > then", "node = waiting"]
        else:
            lines.append("k = 0")
            if self.follows_arrivals:
                lines += ["while k < m and emitted[k] + d <= then:", "    k += 1"]
        if self.follows_spikes:
            lines.append(f"last, coming = spikes_since(words, width, np.int64(posts[{c}]), then)")
        else:
            lines.append("last, coming = np.int64(-1), np.int64(-1)")
        return [*lines, self.replay()]

    def replay(self) -> str:
        """The call of ``replayed``."""
        state = ", ".join(self.e.state)
        arguments = f"step, {self._about_arrivals}, {self._ABOUT_SPIKES}, constants, tables, {state}"
        return f"{'node, pending' if self.e.own else 'kx'}, last, {state} = replayed({arguments})"

    def sent(self) -> list[str]:
        """Lines that send a spike on its way: amplitude and arrival first, then the rules' code at emission."""
        e = self.e
        shown, amplitude = e.amplitude("step")
        lines = [*e.traces(("transmit",), e.rules, "step"), *shown, f"amplitude = {amplitude}"]
        if e.own:
            lines += ["d = max(np.int64(math.floor(delay / r.dt + 0.5)), np.int64(1))",
                      "waiting = released(nodes, pool, shard, waiting, node)",
                      "if pending:  # the one before is still under way", "    d = max(d, due - step)",
                      "    waiting = enqueue(nodes, pool, shard, waiting, due)", "due = step + d"]
        if e.has("on_emission"):
            lines += e.code("on_emission", e.rules, "step")
        if self.follows_arrivals and not e.own:
            again = ["k = m", "m += 1", self.replay(), "m -= 1"]
            lines += ["if d == 0:  # arrives now, after everything else of this step", *[f"    {x}" for x in again]]
        return lines

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

    def deliver(self) -> str:
        """The kernel of an emission."""
        e = self.e
        per_synapse = [*self.lived("c"), *self.sent(), *self.kept("c"),
                       "_send(route, ring, step, d, posts[c], amplitude, rows.stride)"]
        traces = ["before = row_words[head * row_width + STEP]"]
        for place, (one, trace) in enumerate(e.pre):
            name = one[trace.name]
            old = f"row_values[head * row_width + VALUES + {place}]"
            if trace.nearest:
                traces.append(f"{name}_brought = 1.0")
            else:
                fading = f"faded({name}_fading, step - before, {name}_rate)"
                traces.append(f"{name}_brought = {old} * {fading} + 1.0 if before != NEVER else 1.0")
            traces.append(f"brought[m * {self.n_pre} + {place}] = {name}_brought")
        per_row = ["row = np.int64(slots[f])", "begin, n = piece_of(rows, row, shard)", *([] if e.pre else ["if n == 0:", "    continue"]),
                   *self.prepared(), "emitted[m] = step", *traces, *self.columns("begin", "n"), "for c in range(n):"]
        after = ["remember(row_words, row_chain, shard, head, step)"]
        for place, (one, trace) in enumerate(e.pre):
            after.append(f"row_values[head * row_width + VALUES + {place}] = {one[trace.name]}_brought")
        after += ["row_words[head * row_width + SETTLED] = step", "events += n"]
        return (
            _SEND + "\n\n@by_address\n"
            "def deliver(record: int, step: int, fired: int, n_fired: int, s_lo: int, s_hi: int, unused: int) -> int:\n"
            '    """Deliver the spikes of ``fired`` (slots, in order of ids) emitted in ``step`` to some shards."""\n'
            + indented([*self.opened, *self.unpacked(), "slots = array_at(fired, n_fired, np.uint32)",
                        "ring = array_at(route.ring, (route.mask + 1) * route.n_slots, np.float64)",
                        "events = 0", "for shard in range(s_lo, s_hi):"], 1)
            + indented([*self.scratch(), "for f in range(n_fired):"], 2)
            + indented(per_row, 3) + indented(per_synapse, 4) + indented(after, 3) + "    return events\n"
        )

    def settle(self) -> str:
        """The kernel that brings rows up to now in place."""
        state = ", ".join(self.e.state)
        about = "" if self.e.own else "kx, d, emitted, brought, "
        arguments = f"r, mask, step, row, np.int64(posts[c]), {about}last, words, values, width, constants, tables"
        free = ["waiting = released(nodes, pool, shard, waiting, node)"] if self.e.own else []
        per_synapse = [*self.lived("c"), *free, "if mask:", f"    {state} = ticked({arguments}, {state})", *self.kept("c")]
        return (
            "@by_address\n"
            "def settle(record: int, step: int, mask: int, listed: int, n_listed: int, s_lo: int, s_hi: int) -> int:\n"
            '    """Bring rows (``listed``, or all) up to ``step``, and do what the rules of ``mask`` do now."""\n'
            + indented([*self.opened, "chosen = array_at(listed, n_listed, np.int64)",
                        "for shard in range(s_lo, s_hi):"], 1)
            + indented([*self.scratch(), "for i in range(n_listed if listed != 0 else rows.n_rows):"], 2)
            + indented(["row = chosen[i] if listed != 0 else np.int64(i)", "begin, n = piece_of(rows, row, shard)",
                        *self.prepared(), *self.columns("begin", "n"), "for c in range(n):"], 3)
            + indented(per_synapse, 4)
            + indented(["row_words[head * row_width + SETTLED] = step"], 3) + "    return 0\n"
        )

    def peek(self) -> str:
        """The kernel that shows synapses as they are now and writes nothing."""
        e = self.e
        shown = [*self.lived("0"), *e.peeked("step")] if e.dynamic else self.lived("0")
        outs = [f"out[{k} * n_listed + i] = {name}" for k, name in enumerate(e.state) if name != "at"]
        return (
            "@by_address\n"
            "def peek(record: int, step: int, listed: int, n_listed: int, places: int, shown: int, unused: int) -> int:\n"
            '    """Write what synapses (rows ``listed``, ``places``) are like at ``step`` into ``shown``, by variable."""\n'
            + indented([*self.opened, *self.unpacked(), "chosen = array_at(listed, n_listed, np.int64)",
                        "at_place = array_at(places, n_listed, np.int64)",
                        f"out = array_at(shown, {len(outs)} * n_listed, np.float64)",
                        "shard, n = np.int64(0), np.int64(1)", *self.scratch(), "for i in range(n_listed):"], 1)
            + indented(["row, begin = chosen[i], at_place[i]", *self.columns("begin", "n"),
                        "shard = np.int64(posts[0]) // rows.stride", *self.prepared(), *shown, *outs], 2)
            + "    return 0\n"
        )

    def note_spikes(self) -> str:
        """The kernel that remembers spikes of the target."""
        e = self.e
        lines = ["head = np.int64(slots[f])", "at = head * width", "before = words[at + STEP]"]
        for place, (one, trace) in enumerate(e.post):
            name = one[trace.name]
            table = f"tables[{e.tables.index(name + '_fading')}]"
            old = f"values[at + VALUES + {place}] * faded({table}, step - before, r.{name}_rate) + 1.0"
            lines.append(f"{name} = 1.0" if trace.nearest else f"{name} = {old} if before != NEVER else 1.0")
        for name in {n for one in e.rules for _, tree in one.rule.captures for n in e.states if _reads(tree, n)}:
            lines.append(f"{name} = array_at(r.state_{name}, head + 1, np.float64)[head]")
        for one in e.rules:
            own = {symbol: f"r.{name}" for symbol, name in one.names.items()} | {name: name for name in e.states}
            lines += [f"{one[name]} = {source(tree, own)}" for name, tree in one.rule.captures]
        lines.append("remember(words, post_chain, shard, head, step)")
        kept = [one[t.name] for one, t in e.post] + [one[name] for one, name in e.captures]
        lines += [f"values[at + VALUES + {k}] = {name}" for k, name in enumerate(kept)]
        return (
            "@by_address\n"
            "def note_spikes(record: int, first: int, n_steps: int, shard: int, parity: int, u: int, w: int) -> int:\n"
            '    """Remember the spikes of one shard of the target in an epoch, with the traces right after them."""\n'
            + indented([*self.opened, "population = record_at(r.target, POPULATION)",
                        "for j in range(n_steps):", "    step = first + j",
                        "    place = (parity * population.shards + shard) * population.epoch + j",
                        "    n = array_at(population.count, place + 1, np.int64)[place]",
                        "    slots = array_at(population.out + 4 * place * population.stride, n, np.uint32)",
                        "    for f in range(n):"], 1)
            + indented(lines, 3) + "    return 0\n"
        )


    def tick(self) -> str:
        """The kernel that does what is due periodically, before the emissions of a step."""
        lines = ["mask = 0"]
        for number, one in enumerate(self.e.rules):
            if one.rule.events.get("every"):
                lines += [f"if step % r.period_{number} == 0:", f"    mask |= {1 << (20 + number)}"]
            if one.rule.events.get("clocked"):
                lines.append(f"mask |= {1 << (40 + number)}")
        return (
            "@by_address\n"
            "def tick(record: int, step: int, s_lo: int, s_hi: int, u: int, v: int, w: int) -> int:\n"
            '    """Do what the rules do periodically at ``step``, if anything."""\n'
            + indented(["r = record_at(record, RECORD)", *lines, "if mask != 0:",
                        "    call(r.settle, record, step, mask, 0, 0, s_lo, s_hi)", "return mask"], 1)
        )


def _reads(tree: Node, name: str) -> bool:
    return any(isinstance(node, Symbol) and node.name == name for node in walk(tree))


_OPEN = '''
r = record_at(record, RECORD)
route = record_at(r.route, ROUTE)
rows = record_at(route.rows, ROWS)
post_chain, row_chain = record_at(r.posts, CHAIN), record_at(r.emissions, CHAIN)
words, values, width = steps_of(post_chain), values_of(post_chain), post_chain.width
row_words, row_values, row_width = steps_of(row_chain), values_of(row_chain), row_chain.width
heads = post_chain.heads
'''.strip().splitlines()

_SEND = '''
@inlined
def _send(route, ring, step, delay, post, amplitude, stride):
    """Put a spike on its way; one without delay arrives at once, unless it would move a membrane that is held."""
    if delay > 0:
        ring[((step + delay) & route.mask) * route.n_slots + np.int64(post)] += amplitude
    elif route.gate == 0 or array_at(route.gate, route.n_slots, np.int64)[post] < step:
        array_at(route.direct, route.n_slots, np.float64)[post] += amplitude
    if route.tally != 0 and delay > 0:
        tally = array_at(route.tally, (route.mask + 1) * route.n_slots, np.uint32)
        tally[((step + delay) & route.mask) * route.n_slots + np.int64(post)] += np.uint32(1)
    elif route.direct_tally != 0 and delay == 0:
        shard = np.int64(post) // stride
        array_at(route.direct_tally, 8 * (shard + 1), np.int64)[8 * shard] += 1
'''.strip("\n") + "\n"

_TEND = '''
@by_address
def tend(record: int, step: int, s_lo: int, s_hi: int, u: int, v: int, w: int) -> int:
    """Keep histories short: where one has grown long, settle all rows of its shard and forget what is past."""
    r = record_at(record, RECORD)
    rows = record_at(record_at(r.route, ROUTE).rows, ROWS)
    post_chain, row_chain = record_at(r.posts, CHAIN), record_at(r.emissions, CHAIN)
    full = 0
    for shard in range(s_lo, s_hi):
        noted = array_at(post_chain.used + 64 * shard, 1, np.int64)
        emitted = array_at(row_chain.used + 64 * shard, 1, np.int64)
        if noted[0] > r.post_limit or emitted[0] > r.row_limit:
            call(r.settle, record, step, 0, 0, 0, shard, shard + 1)
            forget_posts(steps_of(post_chain), post_chain, shard, shard * rows.stride, (shard + 1) * rows.stride)
            forget_emissions(steps_of(row_chain), row_chain, shard, rows.n_rows, r.longest, step)
            full |= np.int64(emitted[0] > r.row_limit)
        if r.pool != 0:
            pool = record_at(r.pool, POOL)
            taken = array_at(pool.counts + 64 * shard, 8, np.int64)[TAKEN]
            full |= np.int64(pool.capacity - taken < r.needed_nodes)
    return full
'''
