"""The bar that a run shows while it goes on: what it does, how far it is, how fast, how long still."""

from __future__ import annotations

import re
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from neurosim.cli._console import console
from neurosim.viz.words import count, span

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_REFRESH = 10  # times per second
_DIGEST = re.compile(r"_[0-9a-f]{8,}(?=\.)")  # in the names of generated modules


class RunProgress:
    """A progress bar on stderr, on a terminal only; elsewhere every call does nothing.

    Used with ``with``; a run calls ``phase`` when it begins something and ``update`` while it does it.
    """

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._phase = ""
        self._began = 0.0
        self._compiled = 0

    def __enter__(self) -> Self:
        out = console(stderr=True)
        if out.is_terminal:
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

            columns = (
                SpinnerColumn(style="command"),
                TextColumn("{task.description}"),
                BarColumn(bar_width=20, complete_style="green", finished_style="green"),
                TextColumn("{task.fields[facts]}", style="label"),
            )
            self._bar = Progress(*columns, console=out, transient=True, refresh_per_second=_REFRESH)
            self._bar.start()
            self.report("preparing", 0, 0)
            from neurosim.compiled import before_compiling  # the first thing that takes long

            before_compiling.append(self.compiling)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            from neurosim.compiled import before_compiling

            if self.compiling in before_compiling:  # not if loading the compiler was interrupted
                before_compiling.remove(self.compiling)
            self._bar.stop()

    def compiling(self, kernel: str) -> None:
        """Show that a kernel is being compiled, which happens once on every machine and takes seconds."""
        self._compiled += 1
        if self._bar is not None and self._task is not None:
            name = _DIGEST.sub("", kernel)
            self._bar.update(self._task, facts=f"compiling {name} … ({self._compiled}, once only)")

    def report(self, phase: str, done: float, total: float, spikes: int = 0) -> None:
        """Show that ``done`` of ``total`` of a phase is reached (while running: ms)."""
        if self._bar is None:
            return
        if phase != self._phase:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._phase, self._began = phase, time.perf_counter()
            self._task = self._bar.add_task(f"{phase:<10}", total=total or None, facts="")
        assert self._task is not None
        elapsed = time.perf_counter() - self._began
        facts = _running(done, total, elapsed, spikes) if phase == "running" else _share(done, total)
        self._bar.update(self._task, completed=done, total=total or None, facts=facts)


def _share(done: float, total: float) -> str:
    return f"{done / total:.0%}" if total else ""


def _running(done: float, total: float, elapsed: float, spikes: int) -> str:
    """Say how far a run is: simulated time, speed, time left, spikes."""
    words = [f"{span(done)} of {span(total)}"]
    if done > 0 and elapsed > 0.3:
        factor, left = elapsed * 1e3 / done, elapsed * (total - done) / done
        words += [f"rtf {factor:.2g}", f"{_clock(left)} left"]
    words.append(f"{count(spikes)} spikes")
    return " · ".join(words)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
