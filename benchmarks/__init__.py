"""Benchmarks: how fast neurosim is here, with peers beside it in the same run.

One benchmark is one file that holds ``SUMMARY`` and ``run(against, progress) -> list[Row]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from neurosim.benchmarks.peers import find_python
from neurosim.benchmarks.rows import Progress, Row
from neurosim.errors import unknown

__all__ = ["Row", "names", "run"]

_NAMES = (
    "brunel",
    "cuba",
    "cobahh",
    "polychronization",
    "stdp_brunel",
    "learning",
    "declared",
    "loop",
    "structure",
    "growth",
    "turnover",
    "soak",
    "watch",
    "film",
    "build",
    "startup",
)


def names() -> dict[str, str]:
    """The benchmarks and what each measures."""
    return {name: str(import_module(f"{__name__}.{name}").SUMMARY) for name in _NAMES}


def run(names: Sequence[str], against: Sequence[str] = (), progress: Progress = lambda text: None) -> list[Row]:
    """Run benchmarks by name.

    Parameters
    ----------
    names : of the benchmarks, in the order to run them.
    against : peers to run beside us ("brian2", "nest"); each needs a Python of its own, see
        `neurosim.benchmarks.peers`. Benchmarks that a peer cannot do ignore it.
    progress : called with a few words before each step.

    Raises ``UnknownName`` and ``UsageError`` (a peer that is not installed) before anything is measured.
    """
    for name in names:
        if name not in _NAMES:
            raise unknown("benchmark", name, _NAMES)
    for peer in against:
        find_python(peer)
    rows: list[Row] = []
    for name in names:
        measure: Callable[..., list[Row]] = import_module(f"{__name__}.{name}").run
        rows += measure(against=tuple(against), progress=progress)
    return rows
