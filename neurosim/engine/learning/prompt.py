"""Source text of learning without delay: synapses of a small projection are touched by every event as it happens.

To touch a synapse only when its source fires saves memory traffic, but to find out what its target has done meanwhile
takes longer than to do it at the time. So where all synapses of a projection stay at hand in the caches, there is a
list of those onto each neuron, which learn when it fires, and a queue of arrivals for each step to come. Everything
else stays as it is: rows are settled in every step, and whoever finds them so may go on either way. What is computed
for a synapse, and in which order, is the same: the bits are the same.
"""

from __future__ import annotations

import copy

from neurosim.engine.learning.events import Events, indented
from neurosim.engine.learning.replay import Replay
from neurosim.graph import emission_memory as emissions
from neurosim.graph import spike_memory as memory


class Prompt:
    """The kernels for the rules of one projection; ``opened`` are the lines that open its record."""

    def __init__(self, events: Events, opened: list[str]) -> None:
        self.e = copy.copy(events)
        self.e.fades = "looked_up_to({0}_fading, {1}, {0}_gone)"
        self._replay, self._opened = Replay(self.e), opened

    def parts(self) -> list[str]:
        """The text of all functions."""
        return [*self._replay.events("_now"), self._keep_up(), self._deliver(), self._line_up()]

    def _columns(self, begin: str, n: str) -> list[str]:
        return [f"{name}_column = array_at(column(rows, {k}) + {size} * {begin}, {n}, np.{dtype})"
                for k, (name, dtype, size) in enumerate(self.e.stored, start=1)]

    def _happens(self, name: str, at: str) -> list[str]:
        """Lines in which an event happens to the synapse at a place."""
        load = [f"{name} = np.float64({name}_column[{at}])" for name in self.e.state]
        keep = [f"{name}_column[{at}] = {name}" for name in self.e.state]
        return [*load, self._replay.happens(name, "step"), *keep]

    def _arrivals(self) -> list[str]:
        """Lines for the arrivals that are due."""
        if not self.e.has("on_arrival"):
            return []
        delay = ["d = np.int64(d_column[place])"] if "d" in self._replay.told("on_arrival") else []
        each = ["place = np.uint64(queue[np.uint64(first + i)])", "post = np.int64(posts[place])",
                *self.e.looked_up("post"), *delay, *self._happens("arrive_now", "place")]
        return ["queue, queued = queue_of(r, shard)", "first = (step & r.queue_mask) * r.queue_room",
                "due = step & r.queue_mask", "for i in range(queued[due] - first):", *[f"    {x}" for x in each],
                "queued[due] = first"]

    def _came(self) -> list[str]:
        """Lines that say which arrival was the last one at a synapse, and what it has brought.

        A row's two latest emissions stand side by side, steps and values alike: ``late`` chooses between them without a
        branch, which would often be foreseen wrongly.
        """
        e, n = self.e, len(self.e.pre)
        names = list(enumerate(e.came[1:], start=emissions.VALUES))
        latest = [f"{name} = row_values[at + np.uint64({k}) + late * np.uint64({n})]" for k, name in names]
        older = [f"{name} = row_values[entry + {k}] if entry >= 0 else 0.0" for k, name in names]
        return ["late = np.uint64(row_steps[at] > step - d)", "came = row_steps[at + late]", *latest,
                "if came > step - d:  # neither of the two latest has arrived",
                "    entry = emitted_by(row_steps, emissions, np.int64(at), step - d)",
                "    came = row_steps[entry] if entry >= 0 else NEVER", *[f"    {line}" for line in older], "came += d"]

    def _keep_up(self) -> str:
        """The kernel of everything in a step but emissions."""
        e = self.e
        synapse = ["u = np.uint64(i)", "place, at = np.uint64(places[u]), np.uint64(heads[u])",
                   "d = np.int64(delays[u])", *self._came(), *self._happens("fire_now", "place")]
        noted, block = [], memory.BLOCK * (1 + e.width - memory.VALUES)
        for k, (one, trace) in enumerate(e.post):
            name = one[trace.name]
            faded = f"{name}_left * {e.fading(name, 'step - left')} + 1.0"
            noted += [f"values[latest + {memory.VALUES + k}] = {'1.0' if trace.nearest else faded}",
                      f"recents[slot * {block} + {memory.BLOCK * (1 + k)}] = values[latest + {memory.VALUES + k}]"]
        noted += ["words[latest] = step", f"recent[slot * {block}] = step"]
        fired = ["slot = np.int64(slots[f])", f"latest = slot * {e.width}", *e.looked_up("slot"),
                 "for i in range(starts[slot], starts[slot + 1]):", *[f"    {line}" for line in synapse], *noted]
        return (
            "@by_address\n"
            "def keep_up(record: int, step: int, s_lo: int, s_hi: int, parity: int, j: int, u: int) -> int:\n"
            '    """Arrivals of ``step``, then the spikes of the target: entry ``j`` of the lists of an epoch."""\n'
            + indented([*self._opened, "recent, recents = recent_words(spikes)",
                        "population = record_at(r.target, POPULATION)", *self._columns("0", "rows.capacity"),
                        "posts = array_at(rows.post, rows.capacity, np.uint32)",
                        "starts = array_at(r.starts, population.n_slots + 1, np.int64)",
                        "places = array_at(r.in_places, r.n_in, np.uint32)",
                        "heads = array_at(r.in_heads, r.n_in, np.uint32)",
                        "delays = array_at(r.in_delays, r.n_in, np.uint16)", "for shard in range(s_lo, s_hi):"], 1)
            + indented([*self._arrivals(), "count, slots = list_of(population, shard, parity, j)",
                        "for f in range(count[0]):"], 2)
            + indented(fired, 3)
            + indented([f"array_at(emissions.used + 64 * shard, 8, np.int64)[{emissions.KEPT_UP}] = step"], 2)
            + "    return 0\n"
        )  # fmt: skip

    def _deliver(self) -> str:
        """The kernel of an emission: its synapses know everything already."""
        e = self.e
        traces, after = ["before = row_steps[at_head]"], ["note_emission(row_steps, emissions, shard, head, step)"]
        for k, (one, trace) in enumerate(e.pre, start=emissions.VALUES):
            name, at = one[trace.name], f"row_values[at_head + {k}]"
            faded = f"{at} * {e.fading(name, 'step - before')} + 1.0"
            traces.append(f"{name}_brought = {'1.0' if trace.nearest else faded}")
            after += [f"row_values[at_head + {k + len(e.pre)}] = {at}", f"{at} = {name}_brought"]
        send = ["when, post = now + np.uint64(d_column[c]), np.uint64(posts[c])",
                "ring[(when & mask) * n_slots + post] += np.float64(weight_column[c])"]
        if e.has("on_arrival"):
            send += ["k = np.uint64(queued[when & queue_mask])",
                     "queue[k] = np.uint32(begin + c)",
                     "queued[when & queue_mask] = np.int64(k + np.uint64(1))"]
        counted = ["if tally.size > 0:", "    for c in range(n):",
                   "        at = ((now + np.uint64(d_column[c])) & mask) * n_slots + np.uint64(posts[c])",
                   "        tally[at] += np.uint32(1)"]
        row = ["if f + 1 < n_fired:", "    ask_for_row(rows, np.int64(slots[f + 1]), shard)",
               "row = np.int64(slots[f])", "begin, n = piece_of(rows, row, shard)", "events += n",
               "head = row * rows.shards + shard", "at_head = head * emissions.width", *traces,
               "posts = array_at(rows.post + 4 * begin, n, np.uint32)", *self._columns("begin", "n"),
               "for c in range(n):", *[f"    {line}" for line in send], *counted, *after]
        return (
            "@by_address\n"
            "def deliver_kept_up(\n"
            "    record: int, step: int, fired: int, n_fired: int, s_lo: int, s_hi: int, unused: int\n) -> int:\n"
            '    """Deliver the spikes of ``fired`` where all synapses are kept up: see ``deliver``."""\n'
            + indented([*self._opened, "slots = array_at(fired, n_fired, np.uint32)",
                        "ring = array_at(route.ring, (route.mask + 1) * route.n_slots, np.float64)",
                        "tally = array_at(route.tally, (route.mask + 1) * route.n_slots if route.tally != 0 else 0, "
                        "np.uint32)", "mask, n_slots = np.uint64(route.mask), np.uint64(route.n_slots)",
                        "queue_mask, now = np.uint64(r.queue_mask), np.uint64(step)", "events = 0",
                        "for shard in range(s_lo, s_hi):", "    queue, queued = queue_of(r, shard)",
                        "    for f in range(n_fired):"], 1)
            + indented(row, 3) + "    return events\n"
        )  # fmt: skip

    def _line_up(self) -> str:
        """The kernel that begins with it: what is under way lines up in the queues."""
        synapse = ["d = np.int64(delays[c])",
                   "born = born_at(r, row, serials[c]) if young else np.int64(-1)", "for k in range(m):",
                   "    if emitted[k] + d > step and emitted[k] > born:",
                   "        due = (emitted[k] + d) & r.queue_mask",
                   "        queue[queued[due]] = np.uint32(begin + c)", "        queued[due] += 1"]
        n = max(len(self.e.pre), 1)
        row = ["begin, n = piece_of(rows, row, shard)", "head = row * rows.shards + shard",
               "posts = array_at(rows.post + 4 * begin, n, np.uint32)",
               "delays = array_at(column(rows, 2) + 2 * begin, n, np.uint16)", "young = is_young(r, row, step)",
               "serials = array_at(rows.serial + 4 * begin, n if young else 0, np.uint32)",
               "m = gather(row_steps, row_values, emissions, head, r.longest, emitted, brought)",
               "for c in range(n):", *[f"    {line}" for line in synapse]]
        return (
            "@by_address\n"
            "def line_up(record: int, step: int, s_lo: int, s_hi: int, u: int, v: int, w: int) -> int:\n"
            '    """Put what arrives after ``step`` into the queues; all rows are settled."""\n'
            + indented([*self._opened, "for shard in range(s_lo, s_hi):", "    queue, queued = queue_of(r, shard)",
                        "    for due in range(r.queue_mask + 1):", "        queued[due] = due * r.queue_room",
                        f"    emitted = array_at(r.scratch + {8 * (1 + n)} * r.room * shard, r.room, np.int64)",
                        f"    brought = array_at(r.scratch + {8 * (1 + n)} * r.room * shard + 8 * r.room, "
                        f"{n} * r.room, np.float64)",
                        "    for row in range(rows.n_rows):"], 1)
            + indented(row, 3) + "    return 0\n"
        )  # fmt: skip
