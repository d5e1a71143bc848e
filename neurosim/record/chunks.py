"""Arrays as blobs: what a column of a chunk looks like on disk, exactly reversible.

A blob is an ordinary ``.npy`` file, compressed with zlib where that pays (a ``.npy`` file begins with
``\\x93``, a zlib stream with ``\\x78``). Integers are kept in the narrowest type that holds them, or as
differences from one to the next where those are narrower: the time steps of spikes become single bytes that
compress to almost nothing.
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
_PROBE = 1 << 16  # bytes that decide whether compression pays
_PAYS = 0.8
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


def cut(stream: str, owner: int, columns: Mapping[str, ArrayLike], times: ArrayLike = 0.0) -> list[Chunk]:
    """Pack columns of equal length into chunks of at most `ROWS` rows; at least one chunk, even of no rows.

    Parameters
    ----------
    times : time of each row, or of all (ms); not stored, only what the chunks say about themselves.
    """
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    lengths = {name: len(values) for name, values in arrays.items()}
    n = next(iter(lengths.values()))
    if any(length != n for length in lengths.values()):
        raise UsageError(f"the columns of {stream} differ in length: {lengths}.")
    moments = np.asarray(times, np.float64)
    result = []
    for begin in range(0, max(n, 1), ROWS):
        part = slice(begin, begin + ROWS)
        here = moments[part] if moments.ndim else moments
        low, high = (float(here.min()), float(here.max())) if here.size else (0.0, 0.0)
        packed = {name: pack(values[part]) for name, values in arrays.items()}
        result.append(Chunk(stream, owner, low, high, min(n - begin, ROWS), packed))
    return result


def pack(values: Array) -> Packed:
    """Encode a one-dimensional array of numbers or booleans."""
    values = np.ascontiguousarray(values)
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        raise UsageError(f"a column is a row of numbers, not {values.dtype} of shape {values.shape}")
    stored, base = _narrowed(values) if values.dtype.kind in "iu" and values.size else (values, None)
    return Packed(values.dtype.newbyteorder("<").str, base, _blob(stored))


def unpack(dtype: str, base: int | None, data: bytes) -> Array:
    """Decode what `pack` made. Raises ValueError or zlib.error for data that is not such a blob."""
    if not data.startswith(b"\x93NUMPY"):
        data = zlib.decompress(data)
    stored: Array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    if base is not None:
        stored = np.cumsum(stored, dtype=np.int64) + np.int64(base)
    return stored.astype(np.dtype(dtype), copy=False)


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
    buffer = io.BytesIO()
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    np.lib.format.write_array(buffer, little, allow_pickle=False)
    raw = buffer.getvalue()
    probe = raw[:_PROBE]
    if len(zlib.compress(probe, 1)) > _PAYS * len(probe):
        return raw
    return zlib.compress(raw, 1)
