"""Source text of what rules do at an event: every rule in order, then the bounds once, then the rounding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from neurosim.expressions.source import source
from neurosim.expressions.tree import Symbol, walk
from neurosim.graph import spike_memory as spike
from neurosim.graph.precision import Precision
from neurosim.graph.rule_names import Named

KINDS = ("on_arrival", "on_post", "on_emission", "on_modulator", "every", "clocked")
DRAWS = ["draw_key", "seed_low", "seed_high"]  # of the stream by which weights of few bits are rounded


class Events:
    """What is known of the rules of one projection as far as code depends on it."""

    def __init__(self, rules: Sequence[Named], precision: Precision, own: bool, w_bounded: bool) -> None:
        self.rules = rules
        self.precision = precision
        self.real = str(precision.real)
        # tables pay where synapses are taken one by one; in passes, eight exponentials at a time are as fast
        self.fades = "looked_up({0}_fading, {1}, {0}_rate)" if own else "faded({1}, {0}_rate)"
        self.own = own  # delays are learned: each synapse has a delay, arrivals and traces of its own
        self.w_bounded = w_bounded or precision.coarse
        self.pre = [(one, trace) for one in rules for trace in one.rule.traces if trace.side == "pre"]
        self.post = [(one, trace) for one in rules for trace in one.rule.traces if trace.side == "post"]
        self.captures = [(one, name) for one in rules for name, _ in one.rule.captures]
        self.signals = [(one, trace) for one in rules for trace in one.rule.traces if trace.side == "modulator"]
        self.variables = [(one, variable) for one in rules for variable in one.rule.variables]
        self.dynamic = [(one, variable) for one, variable in self.variables if variable.rate is not None]
        self.drives = [(one, drive) for one in rules for drive in one.rule.drives]
        self.transmits = next((one for one in rules if one.rule.transmit is not None), None)

    @property
    def moves(self) -> bool:
        """Whether anything of a synapse changes between its events, so that it keeps the step of its last one."""
        return bool(self.dynamic or self.drives)

    @property
    def drives_weight(self) -> bool:
        """Whether the weight moves between events."""
        return any(drive.target == "weight" for _, drive in self.drives)

    @property
    def sends_other_than_weight(self) -> bool:
        """Whether what is sent must be worked out: by `transmit`, a weight that moves, or before code at emission."""
        return self.transmits is not None or self.drives_weight or self.has("on_emission")

    @property
    def can_be_prompt(self) -> bool:
        """Whether synapses can be touched by every event as it happens; see `neurosim.engine.learning.prompt`.

        Not where more happens to them than arrivals and spikes, nor where an arrival must know of the one before.
        """
        more = [self.own, self.moves, self.precision.coarse, self.captures, self.signals, self.states]
        more += [self.sends_other_than_weight, self.has("every"), self.has("on_modulator"), self.has("clocked")]
        before = any(self.reads(("on_arrival",), trace.name, one) for one, trace in self.pre)
        return not any(more) and not before and bool(self.pre) and self.has("on_post")

    def has(self, kind: str) -> bool:
        """Whether any rule does something at such an event."""
        return any(one.rule.events.get(kind) for one in self.rules)

    @property
    def stored(self) -> list[tuple[str, str, int]]:
        """(name, type, bytes) of the columns after ``post``, in the order in which the store has them."""
        real = self.real, self.precision.real.itemsize
        size = self.precision.column.itemsize
        weight = ("weight", f"uint{8 * size}", size) if self.precision.coarse else ("weight", *real)
        columns = [weight, ("delay", *real) if self.own else ("d", "uint16", 2)]
        columns += [(one[v.name], *real) for one, v in self.variables]
        if self.own:
            columns += [(f"{one[t.name]}_kept", "float64", 8) for one, t in self.pre]
            columns += [("seen", "uint32", 4)] if self.pre else []
            columns += [("due", "uint32", 4), ("waiting", "int32", 4)]
        return columns + ([("at", "uint32", 4)] if self.moves else [])

    @property
    def states(self) -> list[str]:
        """State variables of neurons that captured values and ``clocked`` code read: ``v_post``, ``u_pre``."""
        trees = [tree for one in self.rules for _, tree in one.rule.captures]
        trees += [s.expression.tree for one in self.rules for s in one.rule.events.get("clocked", ())]
        symbols = {node.name for tree in trees for node in walk(tree) if isinstance(node, Symbol)}
        own = {name for one in self.rules for name in one.names}
        local = {s.target for one in self.rules for s in one.rule.events.get("clocked", ())}
        return sorted(name for name in symbols - own - local if name.endswith(("_post", "_pre")))

    @property
    def follows_arrivals(self) -> bool:
        """Whether arrivals matter to a synapse."""
        return bool(self.pre) or self.has("on_arrival")

    @property
    def follows_spikes(self) -> bool:
        """Whether the target's spikes matter to a synapse."""
        return bool(self.post) or self.has("on_post")

    @property
    def constants(self) -> list[str]:
        """Names of the numbers that the code reads, in the order of the tuple that carries them."""
        names = [one[name] for one in self.rules for name in one.rule.constants]
        names += [f"{one[trace.name]}_rate" for one, trace in self.pre + self.post]
        for one, variable in self.dynamic:
            names += [f"{one[variable.name]}_rate", f"{one[variable.name]}_target"]
        for one, trace in self.signals:
            names += [f"{one[trace.name]}_{what}" for what in ("rate", "level", "since")]
        for name, _, _ in self.terms:
            names += [f"{name}_factor", f"{name}_rate"]
        if self.w_bounded:
            names += ["w_low", "w_high"]
        if self.own:
            names += ["d_low", "d_high"]
        names += ["w_step", "w_per_step"] if self.precision.levels else []
        names += DRAWS if self.precision.is_stochastic else []
        return [*names, "dt", *self.fadings, *self.gone]

    @property
    def fadings(self) -> list[str]:
        """Names of tables of how traces fade, for synapses that are taken one by one."""
        wanted = self.pre + self.post if self.own or self.can_be_prompt else []
        return [f"{one[trace.name]}_fading" for one, trace in wanted]

    @property
    def gone(self) -> list[str]:
        """Names of the numbers of steps after which nothing is left of a trace, where that must be known."""
        return [name.replace("_fading", "_gone") for name in self.fadings if not self.own]

    @property
    def terms(self) -> list[tuple[str, Named, tuple[float, tuple[str, ...], float]]]:
        """What drives: a name for the kernel, the rule, and (factor, names multiplied, rate) of every term."""
        found = []
        for one, drive in self.drives:
            for k, ((factor, names), rate) in enumerate(zip(drive.terms, drive.rates, strict=True)):
                found.append((f"{one[drive.target]}_drive{one.suffix}_{k}", one, (factor, names, rate)))
        return found

    @property
    def state(self) -> list[str]:
        """Names of what a synapse has of its own, weight first."""
        names = ["weight"] + (["delay"] if self.own else [])
        names += [one[variable.name] for one, variable in self.variables]
        if self.own:
            names += [f"{one[trace.name]}_kept" for one, trace in self.pre] + (["seen"] if self.pre else [])
        return names + (["at"] if self.moves else [])

    def reads(self, kinds: Sequence[str], symbol: str, one: Named) -> bool:
        """Whether one rule's code of some kinds (or its ``transmit``) reads a symbol."""
        trees = [s.expression.tree for kind in kinds for s in one.rule.events.get(kind, ()) if kind != "transmit"]
        if "transmit" in kinds and one.rule.transmit is not None:
            trees.append(one.rule.transmit)
        if any(isinstance(node, Symbol) and node.name == symbol for tree in trees for node in walk(tree)):
            return True
        statements = [s for kind in kinds for s in one.rule.events.get(kind, ())]
        return any(s.target == symbol and s.operator != "=" for s in statements)

    # -- text -----------------------------------------------------------------------------------------

    def code(self, kind: str, rules: Sequence[Named], now: str) -> list[str]:
        """Lines that do what ``rules`` do at an event of a ``kind`` at step ``now``, with bounds and rounding."""
        return [*self.traces((kind,), rules, now), *self.acts(kind, rules, now)]

    def acts(self, kind: str, rules: Sequence[Named], now: str) -> list[str]:
        """The same lines without those that bring traces to ``now``: what depends on the synapse's own state."""
        lines = self.brought_up(now)
        for one in rules:
            lines += self.statements(one, kind)
        return [*lines, *self.settled(kind, now)]

    def statements(self, one: Named, kind: str) -> list[str]:
        """The rule's own code."""
        lines, names = [], one.names | {name: name for name in self.states}
        for statement in one.rule.events.get(kind, ()):
            text = source(statement.expression.tree, names)
            target = names.setdefault(statement.target, f"{statement.target}{one.suffix}")
            if statement.operator != "=":
                sign = statement.operator[0]
                product = re.fullmatch(r"[\w.*]+", text) is not None
                simple = (sign == "+" and " if " not in text) or (sign in "-*" and product)
                text = f"{target} {sign} {text if simple else f'({text})'}"
            lines.append(f"{target} = {text}")
        return lines

    def traces(self, kinds: Sequence[str], rules: Sequence[Named], now: str) -> list[str]:
        """Lines that bring the traces which are read to step ``now``."""
        lines = []
        for one, trace in self.pre:
            name = one[trace.name]
            read = one in rules and self.reads(kinds, trace.name, one)
            if self.own and (read or (one in rules and kinds == ("on_arrival",))):
                lines.append(f"{name} = {name}_kept * {self.fading(name, f'{now} - seen')}")
            elif read:
                lines.append(f"{name} = {name}_came * {self.fading(name, f'{now} - came')}")
        for one, trace in self.post:
            name = one[trace.name]
            if one in rules and self.reads(kinds, trace.name, one):
                lines.append(f"{name} = {name}_left * {self.fading(name, f'{now} - left')}")
        for one, trace in self.signals:
            name = one[trace.name]
            if one in rules and self.reads(kinds, trace.name, one):
                fading = f"faded({now} - np.int64({name}_since), {name}_rate)"
                lines.append(f"{name} = {name}_level * {fading}")
        if any(self.reads(kinds, "delay", one) for one in rules) and not self.own:
            lines.append("delay = d * dt")
        return lines

    def fading(self, name: str, steps: str) -> str:
        """By which factor a trace has faded."""
        return self.fades.format(name, steps)

    @property
    def width(self) -> int:
        """Words of an entry in the memory of spikes."""
        return spike.VALUES + len(self.post) + len(self.captures)

    def word(self, entry: str, k: int, array: str = "words") -> str:
        """Word ``k`` of an entry."""
        return f"{array}[np.uint64({entry} * {self.width}{f' + {k}' if k else ''})]"

    @property
    def left(self) -> list[str]:
        """Names of what the last spike seen has left: its step, and the postsynaptic traces right after it."""
        return ["left", *(f"{one[t.name]}_left" for one, t in self.post)] if self.post else []

    def looked_up(self, entry: str = "cursor") -> list[str]:
        """Lines that look up what the spike of an entry has left."""
        lines = [f"left = {self.word(entry, spike.STEP)}"] if self.post else []
        names = enumerate(self.left[1:], start=spike.VALUES)
        return lines + [f"{name} = {self.word(entry, k, 'values')}" for k, name in names]

    @property
    def captured(self) -> dict[str, int]:
        """Values captured at the target's spike that its event reads: name, and which word of the entry it is."""
        captures = enumerate(self.captures, start=spike.VALUES + len(self.post))
        return {one[name]: place for place, (one, name) in captures if self.reads(("on_post",), name, one)}

    @property
    def came(self) -> list[str]:
        """Names of what the latest arrival has brought: its step, and the shared presynaptic traces."""
        return [] if self.own or not self.pre else ["came", *(f"{one[t.name]}_came" for one, t in self.pre)]

    def brought_up(self, now: str) -> list[str]:
        """Lines that bring all that moves of a synapse to the time of its event."""
        lines = [*self._driven(now), *[self._faded_variable(one[v.name], now) for one, v in self.dynamic]]
        return [*lines, f"at = {now}"] if lines else []

    def _driven(self, now: str, shown: bool = False) -> list[str]:
        """Lines that move what is driven, from what drives it as it was at ``at``."""
        lines, begun = [], set()
        for one, trace in self.signals:
            name = one[trace.name]
            if any(trace.name in names for _, of, (_, names, _) in self.terms if of is one):
                fading = f"faded(at - np.int64({name}_since), {name}_rate)"
                lines.append(f"{name}_then = {name}_level * {fading}")
        signals = {(id(one), trace.name) for one, trace in self.signals}
        targets = [one[drive.target] for one, drive in self.drives for _ in drive.terms]
        for target, (term, one, (_, names, _)) in zip(targets, self.terms, strict=True):
            values = [f"{one[name]}_then" if (id(one), name) in signals else one[name] for name in names]
            moved = f"{term}_factor * {' * '.join(values)} * gathered({now} - at, {term}_rate)"
            into = f"shown_{target}" if shown else target
            lines.append(f"{into} = {into if target in begun or not shown else target} + {moved}")
            begun.add(target)
        return lines

    @staticmethod
    def _faded_variable(name: str, now: str) -> str:
        fading = f"faded({now} - at, {name}_rate)"
        return f"{name} = {name}_target + ({name} - {name}_target) * {fading}"

    def peeked(self, now: str) -> list[str]:
        """Lines that show all that moves as it stands at ``now`` without storing it."""
        lines = [*self._driven(now), *[self._faded_variable(one[v.name], now) for one, v in self.dynamic]]
        return [*lines, *self._bounded("weight")]

    def _bounded(self, weight: str) -> list[str]:
        """Lines for a weight that has moved and is looked at: inside its bounds."""
        bound = self.drives_weight and self.w_bounded
        return [f"{weight} = min(max({weight}, w_low), w_high)"] if bound else []

    def amplitude(self, now: str) -> tuple[list[str], str]:
        """What a spike carries: lines that show dynamic variables as they stand at ``now``, and the expression."""
        lines, names = self._driven(now, shown=True), dict(self.transmits.names if self.transmits else {})
        for target in {one[drive.target]: drive.target for one, drive in self.drives}:
            lines += self._bounded("shown_weight") if target == "weight" else []
            names |= {symbol: f"shown_{target}" for symbol, name in names.items() if name == target}
        if self.transmits is None:
            return (lines, "shown_weight") if self.drives_weight else ([], "weight")
        for one, variable in self.dynamic:
            if one is self.transmits and self.reads(("transmit",), variable.name, one):
                name = one[variable.name]
                lines.append(self._faded_variable(name, now).replace(name, f"shown_{name}", 1))
                names[variable.name] = f"shown_{name}"
        assert self.transmits.rule.transmit is not None
        return lines, source(self.transmits.rule.transmit, names)

    def settled(self, kind: str, now: str) -> list[str]:
        """Lines that bring a synapse back inside its bounds, and to the precision it is stored in."""
        lines = []
        if self.w_bounded:
            lines.append("weight = min(max(weight, w_low), w_high)")
        if self.own:
            lines.append("delay = min(max(delay, d_low), d_high)")
        if self.moves_weight(kind):
            lines += self._coarse(kind, now)
        if self.real == "float32":
            stored = ["weight"] if not self.precision.coarse else []
            stored += (["delay"] if self.own else []) + [one[v.name] for one, v in self.variables]
            lines += [f"{name} = np.float64(np.float32({name}))" for name in stored]
        return lines

    # -- weights of few bits ------------------------------------------------------------------------------

    def moves_weight(self, kind: str) -> bool:
        """Whether a weight of few bits may come out of such an event as one that cannot be kept."""
        written = any(s.target == "weight" for one in self.rules for s in one.rule.events.get(kind, ()))
        return self.precision.coarse and (written or self.drives_weight)

    def draws(self, kind: str) -> list[str]:
        """Names of what a draw at such an event is keyed by, besides the step: birth number and source's id."""
        return ["serial", "source"] if self.precision.is_stochastic and self.moves_weight(kind) else []

    @property
    def any_draws(self) -> list[str]:
        """The same, if any kind of event draws."""
        return ["serial", "source"] if any(self.draws(kind) for kind in KINDS) else []

    def _coarse(self, kind: str, now: str) -> list[str]:
        share, lines = "0.5", []
        if self.draws(kind):
            lines.append(f"share = share_of(serial, source, {now}, {', '.join(DRAWS)}, {KINDS.index(kind)})")
            share = "share"
        if not self.precision.levels:
            return [*lines, f"weight = as_half(weight, {share})"]
        return [*lines, f"weight = as_level(weight, w_low, w_high, w_step, w_per_step, {share})"]

    def decoded(self, name: str, stored: str) -> str:
        """A value of a column as numbers are worked with."""
        if name != "weight" or not self.precision.coarse:
            return stored
        return f"from_level({stored}, w_low, w_high, w_step)" if self.precision.levels else f"from_half({stored})"

    def encoded(self, name: str, value: str) -> str:
        """A value as it stands in its column."""
        if name != "weight" or not self.precision.coarse:
            return value
        return f"np.uint8(to_level({value}, w_low, w_per_step))" if self.precision.levels else (
            f"np.uint16(to_half({value}))")


def indented(lines: Sequence[str], depth: int) -> str:
    """Lines as text, ``depth`` levels in."""
    return "".join(f"{'    ' * depth}{line}\n" for line in lines)


def tuple_of(names: Sequence[Any]) -> str:
    """A tuple of names as text, right for one as well."""
    return f"({', '.join(map(str, names))}{',' if len(names) == 1 else ''})"
