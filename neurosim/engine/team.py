"""Own threads: a team that runs the same chunk together, no larger than it pays."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from neurosim.compiled import JIT
from neurosim.engine.lowering import Plan

_MOST = 64  # threads; more would find no shards to work on
_SHORT = 300e-6  # seconds of work below which waking others does not pay
_PROBE_EVERY = 16, 64  # chunks between two looks at how the other team size would do, and where it did much worse
_MUCH = 1.25  # times the wall time per step of the better size


def cores() -> int:
    """Cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this platform
        return os.cpu_count() or 1


class Team:
    """At most ``threads`` threads. How many work on a chunk does not change results, only speed, so the team keeps
    measuring: one thread or all, whichever has lately cost less wall time per step (other programs may be busy)."""

    def __init__(self, threads: int) -> None:
        self.threads = min(threads, _MOST) if JIT else 1
        self._pool = ThreadPoolExecutor(self.threads - 1, "neurosim") if self.threads > 1 else None
        self._cost: dict[int, float] = {}
        self._chunks = 0

    def run(self, plan: Plan, first: int, n_steps: int) -> int:
        """Run a chunk; returns the steps done."""
        size = self._size(n_steps)
        began = time.perf_counter()
        if size == 1 or self._pool is None:
            done = plan.run(0, 1, first, n_steps)
            size = 1
        else:
            others = [self._pool.submit(plan.run, k, size, first, n_steps) for k in range(1, size)]
            done = plan.run(0, size, first, n_steps)
            for other in others:
                other.result()
        cost = (time.perf_counter() - began) / max(done, 1)
        known = self._cost.get(size, cost)
        self._cost[size] = min(cost, 2 * known) * 0.3 + known * 0.7
        self._chunks += 1
        return done

    def share(self, work: Callable[[int], Any]) -> None:
        """Let thread ``k`` do ``work(k)``, all at once; it must not depend on their number."""
        others = [] if self._pool is None else [self._pool.submit(work, k) for k in range(1, self.threads)]
        try:
            work(0)
        finally:
            wait(others)
        for other in others:
            other.result()

    def _size(self, n_steps: int) -> int:
        if self.threads == 1:
            return 1
        alone, together = self._cost.get(1), self._cost.get(self.threads)
        if alone is None:
            return 1
        if alone * n_steps < _SHORT:
            return 1
        if together is None:
            return self.threads
        best, other = (1, self.threads) if alone < together else (self.threads, 1)
        often, seldom = _PROBE_EVERY
        every = seldom if self._cost[other] > _MUCH * self._cost[best] else often
        return other if self._chunks % every == 0 else best

    def cost_per_step(self) -> float:
        """Wall seconds per step, as last measured; 0 before the first chunk."""
        return min(self._cost.values(), default=0.0)

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)
