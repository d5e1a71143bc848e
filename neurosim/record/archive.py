"""The stored arrays and descriptions of a result, read but not yet interpreted."""

from __future__ import annotations

import json
import math
import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import InvalidInput, unknown
from neurosim.record import store
from neurosim.record.chunks import unpack

Columns = dict[str, NDArray[Any]]

_COLUMNS = """
    SELECT chunk.id, n, name, dtype, base, data FROM chunk JOIN chunk_column ON chunk = chunk.id
    WHERE stream = ? AND owner = ? AND t1 >= ? AND t0 <= ? ORDER BY chunk.id, chunk_column.rowid"""
_KINDS = """
    SELECT name, dtype FROM chunk_column
    WHERE chunk = (SELECT MIN(id) FROM chunk WHERE stream = ? AND owner = ?) ORDER BY rowid"""


class NotRecorded(InvalidInput):
    """A question about something that the run was not asked to record."""


@dataclass(frozen=True)
class PopulationInfo:
    """A population as it was declared; ``size`` is its initial number of neurons."""

    name: str
    index: int
    model: str
    parameters: dict[str, Any]
    size: int
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProjectionInfo:
    """A projection as it was declared."""

    name: str
    index: int
    source: str
    target: str
    receptor: str | None
    info: dict[str, Any] = field(default_factory=dict)


class Archive:
    """A result file as descriptions and streams of columns. `neurosim.record.Result` says what they mean."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._source = store.Source(self.path)

    @property
    def populations(self) -> dict[str, PopulationInfo]:
        """Populations by name, in order of declaration."""
        rows = self._rows(
            "SELECT name, idx, model, parameters, info, "
            "(SELECT SUM(n) FROM chunk WHERE stream = 'neurons' AND owner = idx) FROM population ORDER BY idx"
        )
        return {
            name: PopulationInfo(name, idx, model, self._parsed(parameters), size or 0, self._parsed(info))
            for name, idx, model, parameters, info, size in rows
        }

    @property
    def projections(self) -> dict[str, ProjectionInfo]:
        """Projections by name, in order of declaration."""
        rows = self._rows("SELECT name, idx, source, target, receptor, info FROM projection ORDER BY idx")
        return {
            name: ProjectionInfo(name, idx, source, target, receptor, self._parsed(info))
            for name, idx, source, target, receptor, info in rows
        }

    @property
    def contents(self) -> dict[str, dict[str, int]]:
        """Rows, chunks and bytes on disk by kind of recording (``spikes``, ``state``, ``history`` …)."""
        rows = self._rows("SELECT stream, SUM(n), COUNT(*) FROM chunk GROUP BY stream ORDER BY stream")
        joined = "chunk_column JOIN chunk ON chunk.id = chunk"
        sizes = dict(self._rows(f"SELECT stream, SUM(LENGTH(data)) FROM {joined} GROUP BY stream"))
        return {stream: {"rows": n, "chunks": count, "bytes": sizes[stream]} for stream, n, count in rows}

    def _population(self, name: str) -> PopulationInfo:
        populations = self.populations
        if name not in populations:
            raise unknown("population", name, populations, f"in {self.path.name}")
        return populations[name]

    def _projection(self, name: str) -> ProjectionInfo:
        projections = self.projections
        if name not in projections:
            raise unknown("projection", name, projections, f"in {self.path.name}")
        return projections[name]

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._source.connect() as database:
            return database.execute(query, values).fetchall()

    def _run(self, key: str) -> Any:
        rows = self._rows("SELECT value FROM run WHERE key = ?", (key,))
        return self._parsed(rows[0][0]) if rows else None

    def _parsed(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            raise store.damaged(self.path, str(error)) from error

    def _columns(
        self, stream: str, owner: int, after: float = -math.inf, until: float = math.inf, slack: float = 0.0
    ) -> Columns:
        """Join the chunks of a stream that may hold rows with ``after < time ≤ until`` (ms, give or take
        ``slack``).

        Whole chunks: the caller drops the rows outside. A column that some chunks lack is NaN there. Empty
        where the stream has no chunk at all.
        """
        parts: dict[int, Columns] = {}
        with self._source.connect() as database:
            kinds = database.execute(_KINDS, (stream, owner)).fetchall()
            rows = database.execute(_COLUMNS, (stream, owner, after - slack, until + slack))
            for number, n, name, *packed in rows:
                parts.setdefault(number, {})[name] = self._unpacked(n, *packed)
        empty = {name: np.empty(0, dtype) for name, dtype in kinds}
        return _joined([*parts.values()]) if parts else empty

    def _unpacked(self, n: int, dtype: str, base: int | None, data: bytes) -> NDArray[Any]:
        try:
            values = unpack(dtype, base, data)
        except (ValueError, TypeError, EOFError, zlib.error) as error:
            raise store.damaged(self.path, f"a stored array cannot be read ({error})") from error
        if values.shape != (n,):
            raise store.damaged(self.path, f"a stored array has the shape {values.shape} instead of ({n},)")
        return values


def _joined(parts: list[Columns]) -> Columns:
    names = list(dict.fromkeys(name for part in parts for name in part))
    lengths = [len(next(iter(part.values()))) for part in parts]
    return {
        name: np.concatenate([part[name] if name in part else np.full(n, np.nan) for part, n in zip(parts, lengths)])
        for name in names
    }
