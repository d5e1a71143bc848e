"""What a projection's rules call their symbols among each other, so that several rules can live in one kernel."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurosim.models.rules import BoundRule

#: Names that the generated kernels use for themselves.
_TAKEN = frozenset(
    "abs amplitude arrival at begin births born brought c chain column coming constants d delay delays due entry "
    "events exp fired first head i j k kx last log longest m mask max min n now np out parity piece post posts r "
    "record ring room route row rows s serial shard shards since slot slots spike state step steps table tables "
    "tick values weight weights width words young dt pow sqrt sin cos tanh floor ceil clip".split()
)


@dataclass(frozen=True)
class Named:
    """One rule and the names that its symbols have in the kernel."""

    rule: BoundRule
    names: dict[str, str]
    suffix: str

    def __getitem__(self, symbol: str) -> str:
        return self.names[symbol]


def named(rules: Sequence[BoundRule]) -> list[Named]:
    """Give every parameter, trace, variable and captured value of every rule a name of its own."""
    taken: set[str] = set(_TAKEN)
    result = []
    for number, rule in enumerate(rules, start=1):
        names: dict[str, str] = {"weight": "weight", "delay": "delay", "dt": "dt", "amount": "amount"}
        for symbol in _symbols(rule):
            name = symbol
            while name in taken or keyword.iskeyword(name):
                name = f"{name}_{number}"
            taken.add(name)
            names[symbol] = name
        result.append(Named(rule, names, f"_{number}"))
    return result


def _symbols(rule: BoundRule) -> Iterable[str]:
    yield from rule.constants
    for group in (rule.variables, rule.traces):
        for item in group:
            yield item.name
    for name, _ in rule.captures:
        yield name
