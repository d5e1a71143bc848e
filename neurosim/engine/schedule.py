"""What happens between epochs, and in which order.

Everything due at one time happens in the order of the law: recorders, structural rules, protocol entries,
callbacks. Within one kind, in order of declaration.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from neurosim.errors import UsageError


class Order(IntEnum):
    """Kinds of happenings, in the order in which those of one time are done."""

    RECORD = 0
    STRUCTURE = 1
    PROTOCOL = 2
    CALLBACK = 3


@dataclass(order=True)
class Due:
    """A happening at a step; ``every`` steps it comes again, before step ``until``."""

    step: int
    order: int
    number: int
    act: Callable[[], None] = field(compare=False)
    every: int = field(compare=False, default=0)
    until: float = field(compare=False, default=math.inf)


class Schedule:
    """A queue of happenings, keyed by (step, kind, declaration)."""

    def __init__(self) -> None:
        self._queue: list[Due] = []
        self._declared = 0

    def at(self, step: int, act: Callable[[], None], order: Order = Order.CALLBACK) -> None:
        """Do ``act`` once, when ``step`` has been completed."""
        self._push(Due(step, order, self._number(), act))

    def every(
        self, steps: int, act: Callable[[], None], order: Order = Order.CALLBACK, *, first: int, until: float = math.inf
    ) -> None:
        """Do ``act`` at step ``first`` and every ``steps`` from there, before step ``until``."""
        if steps < 1:
            raise UsageError("what happens again and again needs a period of at least one time step.")
        if first < until:
            self._push(Due(first, order, self._number(), act, steps, until))

    def _number(self) -> int:
        self._declared += 1
        return self._declared

    def _push(self, due: Due) -> None:
        heapq.heappush(self._queue, due)

    @property
    def next_step(self) -> float:
        """Step of the next happening; infinity when there is none."""
        return self._queue[0].step if self._queue else math.inf

    def happen(self, step: int) -> None:
        """Do everything that is due by ``step``, also what is put on the schedule meanwhile."""
        while self._queue and self._queue[0].step <= step:
            due = heapq.heappop(self._queue)
            if due.every:
                again = due.step + due.every
                if again < due.until:
                    self._push(Due(again, due.order, due.number, due.act, due.every, due.until))
            due.act()
