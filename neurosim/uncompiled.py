"""What kernels are written with where nothing is compiled (``NUMBA_DISABLE_JIT=1``); see `neurosim.compiled`."""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

_kernels: list[Callable[..., int]] = [lambda *_: 0]


def register(kernel: Callable[..., int]) -> int:
    """Remember a kernel and return the number that stands for its address."""
    _kernels.append(kernel)
    return len(_kernels) - 1


def array_at(address: int, size: int, dtype: Any) -> Any:
    """View ``size`` items of ``dtype`` at ``address``."""
    size = int(size)
    if size == 0 or address == 0:
        return np.empty(0, dtype)
    buffer = (ctypes.c_char * (size * np.dtype(dtype).itemsize)).from_address(int(address))
    array = np.frombuffer(buffer, dtype, size)
    return array.view(np.recarray) if array.dtype.names else array


def record_at(address: int, dtype: Any) -> Any:
    """View one record of structured ``dtype`` at ``address``."""
    return array_at(address, 1, dtype)[0]


def call(address: int, a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> int:
    """Call the kernel at ``address``."""
    with np.errstate(all="ignore"):  # kernels divide and overflow without a word
        return _kernels[address](a, b, c, d, e, f, g)


def bits_of(value: float) -> int:
    """The bits of a float64 as an int64."""
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


def float_of_bits(bits: int) -> float:
    """The float64 with these bits; what does not fit into 64 bits is cut off, as in a register."""
    return float(struct.unpack("<d", struct.pack("<Q", int(bits) & 0xFFFF_FFFF_FFFF_FFFF))[0])


def fma(a: float, b: float, c: float) -> float:
    """``a*b + c``, rounded once."""
    a, b, c = float(a), float(b), float(c)
    rough = a * b + c
    if (rough == 0.0 and a * b == 0.0) or not math.isfinite(a * b) or not math.isfinite(c):
        return rough
    try:
        whole = Fraction(a) * Fraction(b) + Fraction(c)
        return float(whole) if whole else rough
    except OverflowError:
        return math.copysign(math.inf, rough)


def prefetch(array: Any, index: int) -> None:
    """Ask for the cache line of ``array[index]``; nothing to do in plain Python."""


def barrier(cells: Any, threads: int, spins: int) -> None:
    """Wait until all ``threads`` have arrived; without compilation there is one."""
