"""Arrays that begin where a cache line begins, and not all at the same place of a page; and large ones, hardly used.

What threads write side by side must not share a line. And where two arrays lie a whole number of pages apart, a load
from one waits for stores to the other, because their addresses end alike; so each begins at another line of its page.
"""

from __future__ import annotations

import itertools
import math
import mmap
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

WORDS = 8  # of eight bytes that a cache line holds
_LINE, _PAGE = 64, 4096  # bytes
_APART = 13 * _LINE  # from one array's first line to the next one's: 64 arrays until two begin alike
_made = itertools.count()


def whole_lines(words: int) -> int:
    """So many words of eight bytes, and as many more as fill their last cache line."""
    return -(-words // WORDS) * WORDS


def sparse(shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Zeros of which few will be touched: only those take memory, and the time in which it is cleared.

    For large arrays numpy asks for huge pages, of which the first touch clears two megabytes.
    """
    kind, shape = np.dtype(dtype), (shape,) if isinstance(shape, int) else shape
    n = math.prod(shape)
    own = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_ANONYMOUS") else {}
    try:
        room = mmap.mmap(-1, max(n * kind.itemsize, 1), **own)
    except OSError as error:
        raise MemoryError(f"no room for {n * kind.itemsize} bytes") from error
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with suppress(OSError):  # there are none
            room.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(room, kind, n).reshape(shape)


def zeros(shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Like :func:`numpy.zeros`, but the first element stands at the beginning of a cache line."""
    kind, shape = np.dtype(dtype), (shape,) if isinstance(shape, int) else shape
    size = math.prod(shape) * kind.itemsize
    room = np.zeros(size + _PAGE, np.uint8)
    first = (next(_made) * _APART - room.ctypes.data) % _PAGE
    return room[first : first + size].view(kind).reshape(shape)
