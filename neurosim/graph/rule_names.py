"""What a projection's rules call their symbols among each other, so that several rules can live in one kernel."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosim.expressions.source import FUNCTIONS

if TYPE_CHECKING:
    from neurosim.models.rules import BoundRule

#: Names that the generated kernels use for themselves.
_TAKEN = """
    act amount amplitude arrival arrive arriving as_half as_level ask_for ask_for_row at at_head at_place back base
    before begin born born_at bound brought c call came chosen clocked column coming constants cursor d d_high d_low
    delay draw_key dt due early emission emissions emitted end ends enqueue entry events every f fade faded fields
    fill fire fired first floats following from_half from_level gather gathered gone head i integers is_young j k
    key lanes late latest left listed look_back look_early looked_up m mask math n n_fired n_listed n_slots node
    nodes nodes_of now np odd older on_modulator out parity pending piece_of place places pool population posts
    posts_at r reals recent recent_words recents record released replayed ring room rounds route row row_start
    row_steps row_values rows s_hi s_lo seed_high seed_low seen serial serials settle shard share share_of shown
    since slot slots source spike spike_seen spikes state step target to_half to_level total u under_way unused v
    values w w_high w_low w_per_step w_step waiting weight wholes word words young
"""
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
            names[symbol] = _free(symbol, number, taken)
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
