"""Arrays as blobs: what a column of a chunk looks like on disk, exactly reversible.

Integers are kept in the narrowest type that holds them, or as differences from one to the next where those are
narrower: the time steps of spikes become single bytes that compress to almost nothing. A plain blob is an ordinary
``.npy`` file (it begins with ``\\x93``), compressed with zlib where that pays (``\\x78``). The others begin with a
letter, followed by ``.npy`` files: ``R``, runs (values, lengths); ``W``, words of 64 bits (upper halves, lower halves);
``Q``, whole multiples of a quantum (quantum, multiples).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.errors import UsageError

Array = NDArray[Any]

ROWS = 1 << 20  # at most so many rows in a chunk: a blob stays far below SQLite's limit of 1 GB
QUICK_ROWS = 1 << 16  # of those that are packed quickly: they stay in the processor's cache meanwhile
_PROBE = 1 << 16  # bytes that decide whether compression pays
_PAYS = 0.8
_RUN = 16  # rows that a run must have on average to be kept as one
_RUNS, _WORDS, _QUANTA = b"R", b"W", b"Q"
_NARROW = tuple(np.dtype(name) for name in ("<u1", "<i1", "<u2", "<i2", "<u4", "<i4"))


class Packed(NamedTuple):
    """A column on disk: ``data`` as ``dtype``; with a base, ``base + cumsum(data)`` modulo 2**64."""

    dtype: str
    base: int | None
    data: bytes


class Chunk(NamedTuple):
    """Some rows of one stream: ``n`` of them, of times (ms) from ``t0`` to ``t1``."""

    stream: str
    owner: int
    t0: float
    t1: float
    n: int
    columns: dict[str, Packed]


def cut(
    stream: str, owner: int, columns: Mapping[str, ArrayLike], times: ArrayLike = 0.0, quick: float | None = None
) -> list[Chunk]:
    """Pack columns of equal length into chunks of at most `ROWS` rows; at least one chunk, even of no rows.

    Parameters
    ----------
    times : time of each row, or of all (ms); not stored, only what the chunks say about themselves.
    quick : pack in a fraction of the time, and larger where numbers are random; times may be multiples of this (ms).
    """
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    lengths = {name: len(values) for name, values in arrays.items()}
    n = next(iter(lengths.values()))
    if any(length != n for length in lengths.values()):
        raise UsageError(f"the columns of {stream} differ in length: {lengths}.")
    moments = np.asarray(times, np.float64)
    result = []
    rows = ROWS if quick is None else QUICK_ROWS
    for begin in range(0, max(n, 1), rows):
        part = slice(begin, begin + rows)
        here = moments[part] if moments.ndim else moments
        low, high = (float(here.min()), float(here.max())) if here.size else (0.0, 0.0)
        packed = {name: pack(values[part], quick) for name, values in arrays.items()}
        result.append(Chunk(stream, owner, low, high, min(n - begin, rows), packed))
    return result


def pack(values: Array, quick: float | None = None) -> Packed:
    """Encode a one-dimensional array of numbers or booleans; ``quick`` as in `cut`."""
    values = np.ascontiguousarray(values)
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        raise UsageError(f"a column is a row of numbers, not {values.dtype} of shape {values.shape}")
    dtype = values.dtype.newbyteorder("<").str
    if quick is not None and values.size:
        return Packed(dtype, None, _quickly(values, quick))
    stored, base = _narrowed(values) if values.dtype.kind in "iu" and values.size else (values, None)
    return Packed(dtype, base, _blob(stored))


def unpack(dtype: str, base: int | None, data: bytes) -> Array:
    """Decode what `pack` made. Raises ValueError or zlib.error for data that is not such a blob."""
    letter, rest = data[:1], io.BytesIO(data[1:])
    if letter == _RUNS:
        stored = np.repeat(_read(rest), _read(rest))
    elif letter == _WORDS:
        stored = (_read(rest).astype(np.uint64) << np.uint64(32)) | _read(rest)
    elif letter == _QUANTA:
        stored = _read(rest)[0] * _read(rest)
    else:
        stored = _read(io.BytesIO(data if data.startswith(b"\x93NUMPY") else zlib.decompress(data)))
    if base is not None:
        stored = np.cumsum(stored, dtype=np.int64) + np.int64(base)
    return stored.astype(np.dtype(dtype), copy=False)


def _read(buffer: io.BytesIO) -> Array:
    array: Array = np.lib.format.read_array(buffer, allow_pickle=False)
    return array


def _quickly(values: Array, quantum: float) -> bytes:
    """Encode without compression, but nothing that is known already."""
    bits = _bits(values)
    first = np.flatnonzero(bits[1:] != bits[:-1]) + 1
    if (first.size + 1) * _RUN <= values.size:
        starts = np.concatenate([np.zeros(1, np.int64), first])
        return _RUNS + _plain(values[starts]) + _plain(np.diff(starts, append=values.size))
    if values.dtype == np.uint64:
        halves = values.astype("<u8", copy=False).view("<u4").reshape(-1, 2)
        return _WORDS + b"".join(_plain(_narrowest(halves[:, k].copy())) for k in (1, 0))
    if values.dtype == np.float64:
        with np.errstate(all="ignore"):
            shorter, multiples = values.astype(np.float32), np.rint(values / quantum)
        if np.array_equal(_bits(shorter.astype(np.float64)), bits):
            return _plain(shorter)
        if np.abs(multiples).max() < 2**31:
            whole = multiples.astype(np.int64)
            if np.array_equal(_bits(quantum * whole), bits):
                return _QUANTA + _plain(np.array([quantum])) + _plain(_narrowest(whole))
    return _plain(_narrowest(values) if values.dtype.kind in "iu" else values)


def _bits(values: Array) -> Array:
    """The same as whole numbers, so that -0 is not 0 and a NaN equals itself."""
    return values.view(f"u{values.itemsize}") if values.dtype.kind == "f" else values


def _narrowed(values: Array) -> tuple[Array, int | None]:
    """``values`` in fewer bytes if possible, and the base if they are differences."""
    plain = _narrowest(values)
    wide = values.astype(np.int64)  # unsigned 64-bit numbers wrap, and wrap back
    steps = np.diff(wide, prepend=wide[:1])
    differences = _narrowest(steps)
    ascending = values.size > 1 and bool((steps >= 0).all())
    if differences.itemsize < plain.itemsize or (differences.itemsize == plain.itemsize and ascending):
        return differences, int(wide[0])
    return plain, None


def _narrowest(values: Array) -> Array:
    low, high = int(values.min()), int(values.max())
    for dtype in _NARROW:
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max and dtype.itemsize < values.dtype.itemsize:
            return values.astype(dtype)
    return values


def _blob(values: Array) -> bytes:
    raw = _plain(values)
    probe = raw[:_PROBE]
    if len(zlib.compress(probe, 1)) > _PAYS * len(probe):
        return raw
    return zlib.compress(raw, 1)


def _plain(values: Array) -> bytes:
    buffer = io.BytesIO()
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    np.lib.format.write_array(buffer, little, allow_pickle=False)
    return buffer.getvalue()
