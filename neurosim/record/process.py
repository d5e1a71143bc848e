"""The process that writes a result: how a reader tells a run that goes on from one that was killed."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def this_process() -> dict[str, Any]:
    """What identifies this process for as long as its machine is up."""
    return {"host": platform.node(), "pid": os.getpid(), "born": _born(os.getpid())}


def may_be_alive(writer: dict[str, Any]) -> bool:
    """Whether the process that called itself ``writer`` may still run: False only where that is certain."""
    if writer.get("host") != platform.node() or os.name != "posix":
        return True
    pid = int(writer["pid"])
    try:
        os.kill(pid, 0)  # signal 0 asks and does nothing
    except ProcessLookupError:
        return False
    except OSError:
        pass  # somebody else's process: it exists
    # A process number is used again, its time of birth is not.
    return writer.get("born") is None or _born(pid) in (None, writer["born"])


def _born(pid: int) -> int | None:
    """Clock ticks from the machine's start to the process's; -1 once it is dead, None where nobody tells."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()  # the name before it may hold anything
        return -1 if fields[0] in "ZX" else int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


@contextlib.contextmanager
def interrupts_wait() -> Iterator[None]:
    """Let a Ctrl-C that arrives inside act only at the end, so that what was recorded is written first."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals never arrive here
        return
    arrived: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if arrived:
            signal.raise_signal(signal.SIGINT)
