"""What a projection's rules call their symbols among each other, so that several rules can live in one kernel."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosim.expressions.source import FUNCTIONS

if TYPE_CHECKING:
    from neurosim.models.rules import BoundRule

#: Names that the generated kernels use for themselves.
_TAKEN = """
    _send act amount amplitude array_at arrival arrive arrive_now arriving as_half as_level ask_for ask_for_row at
    at_head at_place back base before begin births born born_at bound brought by_address c call came chosen clocked
    column coming constants count cursor d d_high d_low delay delays deliver deliver_kept_up draw_key dt due early
    emission emissions emitted emitted_by end ends enqueue entry events every f fade faded fields fill fire fire_now
    fired first floats following forget_emissions forget_spikes from_half from_level full gather gathered gone head
    heads i ids in_delays in_heads in_places inlined integers is_young j k keep_up key lanes late latest left
    line_up list_of listed longest look_back look_early looked_up looked_up_to m mask math n n_births n_fired n_in
    n_listed n_slots n_steps needed_nodes node nodes nodes_of note_emission note_spike note_spikes noted now np odd
    older on_modulator out parity peek pending piece_of place places pool population post posts posts_at queue
    queue_mask queue_of queue_room queued r reals recent recent_words recents record record_at released remembered
    replayed ring room rounds route row row_limit row_start row_steps row_values row_words rows s_hi s_lo scratch
    seed_high seed_low seen serial serials settle settled_at shard share share_of shown since slot slots source
    spike spike_limit spike_seen spike_words spikes spliced starts state step stride taken tally target tend tick
    to_half to_level total u under_way unused v values w w_high w_low w_per_step w_step waiting weight when wholes
    word words young
    BITS EMISSIONS FIELDS FLAT KEPT_UP LANES LATER NEVER POOL POPULATION RECORD ROUTE ROWS SOON SPIKES TAKEN USED
"""
#: What names look like that are made from those of a rule's symbols.
_DERIVED = re.compile(
    r"^shown_|_drive_|__(all|few|flat)$"
    r"|_(brought|came|column|fading|gone|kept|latest|left|level|older|rate|since|target|then)$"
)
#: Names that synapses have for users already.
_SHOWN = frozenset({"pre", "post", "id", "serial", "weight", "delay"})
_RESERVED = frozenset([*_TAKEN.split(), *dir(builtins), *FUNCTIONS])


@dataclass(frozen=True)
class Named:
    """One rule, the names that its symbols have in the kernel, and those that its variables have for users."""

    rule: BoundRule
    names: dict[str, str]
    shown: dict[str, str]
    suffix: str

    def __getitem__(self, symbol: str) -> str:
        return self.names[symbol]


def named(rules: Sequence[BoundRule]) -> list[Named]:
    """Give every parameter, trace, variable and captured value of every rule a name of its own."""
    taken: set[str] = set(_RESERVED)
    shown: set[str] = set(_SHOWN)
    result = []
    for number, rule in enumerate(rules, start=1):
        names: dict[str, str] = {"weight": "weight", "delay": "delay", "dt": "dt", "amount": "amount"}
        for symbol in _symbols(rule):
            own = f"{symbol}_{number}" if _DERIVED.search(symbol) else symbol
            names[symbol] = _free(own, number, taken)
        result.append(Named(rule, names, {v.name: _free(v.name, number, shown) for v in rule.variables}, f"_{number}"))
    return result


def _free(symbol: str, number: int, taken: set[str]) -> str:
    """A name for a symbol of rule ``number`` that is not taken; it is from now on."""
    name = symbol
    while name in taken or keyword.iskeyword(name):
        name = f"{name}_{number}"
    taken.add(name)
    return name


def _symbols(rule: BoundRule) -> Iterable[str]:
    yield from rule.constants
    for group in (rule.variables, rule.traces):
        for item in group:
            yield item.name
    for name, _ in rule.captures:
        yield name
