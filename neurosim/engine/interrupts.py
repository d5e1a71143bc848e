"""Ctrl-C waits until the network is whole.

While threads advance a network it is between two states, and an exception raised there by a signal would leave it
so. Ctrl-C is therefore held back for the milliseconds until the next moment at which everything fits together.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_held_back() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back; what is yielded raises the ``KeyboardInterrupt`` if one has come, and so does the end.

    Only Python's own handling of Ctrl-C is replaced, and only in the main thread, which alone gets signals: whoever
    has installed a handler knows what to do.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield lambda: None
        return
    asked: list[int] = []

    def raise_now() -> None:
        if asked:
            asked.clear()
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    try:
        yield raise_now
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    raise_now()
