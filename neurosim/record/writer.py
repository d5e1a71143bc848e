"""Writing a result file while the run goes on."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.errors import NeurosimError, UsageError, unknown
from neurosim.record import store
from neurosim.record.chunks import Chunk, cut
from neurosim.record.process import interrupts_wait, this_process
from neurosim.record.provenance import now
from neurosim.record.result import Result
from neurosim.record.store import to_json
from neurosim.record.topology import HISTORY

Columns = Mapping[str, ArrayLike]


class EdgeArrays(Protocol):
    """The synapses of a projection as arrays of equal length (weight in the receptor's unit, delay in ms)."""

    @property
    def id(self) -> NDArray[Any]: ...
    @property
    def pre(self) -> NDArray[Any]: ...
    @property
    def post(self) -> NDArray[Any]: ...
    @property
    def weight(self) -> NDArray[Any]: ...
    @property
    def delay(self) -> NDArray[Any]: ...


class Events(Protocol):
    """Births and deaths as columns by name."""

    def __getitem__(self, name: str, /) -> NDArray[Any]: ...
    def parts(self) -> Sequence[Events]: ...


def free_path(path: str | os.PathLike[str]) -> Path:
    """Return ``path``, or the first of ``NAME-2.nsim``, ``NAME-3.nsim`` … that does not exist."""
    path = Path(path)
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


class ResultFile:
    """A result that is being written; made by `ResultFile.create`, used with ``with``.

    Every method that stores something does so in one transaction: after a crash the file holds all of it or
    nothing. Leaving the ``with`` block closes the file to one plain file and says how the run ended:
    ``finished``, ``interrupted`` (Ctrl-C) or ``failed`` (any other exception, whose message is kept). One
    thread uses it at a time.
    """

    def __init__(self, path: Path, dt: float) -> None:
        self.path = path
        self.dt = dt
        self._populations: dict[str, int] = {}
        self._projections: dict[str, int] = {}
        self._changed: dict[str, float] = {}
        self._open = True
        with store.writing(path):
            self._database = store.open_for_writing(path)
            # A power failure may cost the last transactions, never the file; the end of a process costs nothing.
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")

    @classmethod
    def create(cls, path: str | os.PathLike[str], provenance: Mapping[str, Any], overwrite: bool = False) -> ResultFile:
        """Make a new result file.

        It is made complete under another name and then moved, so no half-made file ever bears the name
        ``path``.

        Parameters
        ----------
        path : where. An existing file is replaced only with ``overwrite``, and never while a run writes it.
        provenance : what `collect_provenance` gives; ``dt`` (ms) is required.

        Raises UsageError if the file exists or the folder does not, NeurosimError if it cannot be written.
        """
        path = Path(path)
        dt = provenance.get("dt")
        if isinstance(dt, bool) or not isinstance(dt, int | float) or not (math.isfinite(dt) and dt > 0):
            raise UsageError(f"provenance needs dt, the time step in ms, above 0 (found {dt!r}).")
        _check_place(path, overwrite)
        run = {"provenance": dict(provenance), "writer": this_process(), "status": "running"}
        store.make(path, run, overwrite)
        try:
            return cls(path, float(dt))
        except NeurosimError:
            store.remove(path)
            raise

    def describe(
        self,
        populations: Mapping[str, Mapping[str, Any]],
        projections: Mapping[str, Mapping[str, Any]],
        recorded: Mapping[str, Any] | None = None,
    ) -> None:
        """Say what the network is made of, once, in order of declaration.

        Parameters
        ----------
        populations : name -> ``model`` (str), ``parameters`` (dict), ``ids`` (initial neurons), optionally
            ``positions`` ((n, 3), um, in the order of ids) and anything else that is JSON-able.
        projections : name -> ``source``, ``target`` (names), optionally ``receptor`` and anything else JSON-able.
        recorded : what the run records: ``{"spikes": [names], "state": {name: …}, "synapses": {name: …}, "history":
            mode, "history_bin": ms}``. With it, asking a result for what was not recorded is an error, not an empty
            answer.
        """
        if self._populations or self._projections:
            raise UsageError(f"{self.path}: the network has been described already.")
        rows: list[Chunk] = []
        with self._transaction():
            for idx, (name, about) in enumerate(populations.items()):
                about = dict(about)
                ids = np.asarray(about.pop("ids"), np.uint32)
                positions = about.pop("positions", None)
                values = (
                    idx,
                    name,
                    str(about.pop("model")),
                    to_json(about.pop("parameters", {})),
                    to_json(about),
                )
                self._database.execute("INSERT INTO population VALUES (?, ?, ?, ?, ?)", values)
                rows += cut("neurons", idx, {"id": ids})
                if positions is not None:
                    rows += cut("positions", idx, _positions(ids, positions))
            for idx, (name, about) in enumerate(projections.items()):
                about = dict(about)
                ends = (about.pop("source"), about.pop("target"), about.pop("receptor", None))
                self._database.execute(
                    "INSERT INTO projection VALUES (?, ?, ?, ?, ?, ?)", (idx, name, *ends, to_json(about))
                )
            self._put("recorded", None if recorded is None else dict(recorded))
            self._insert(rows)
        self._populations = {name: idx for idx, name in enumerate(populations)}
        self._projections = {name: idx for idx, name in enumerate(projections)}

    def snapshot(self, time: float, projection: str, edges: EdgeArrays) -> None:
        """Store all synapses of a projection as they are at ``time`` (ms).

        The first one, with the history after it, is what the graph at any later time is rebuilt from; later
        ones say what weights and delays were then. Every edit up to ``time`` must have been appended before
        a later one.
        """
        columns = {name: getattr(edges, name) for name in ("id", "pre", "post", "weight", "delay")}
        columns = {"time": np.full(len(columns["id"]), float(time)), **columns}
        rows = cut("edges", self._projection(projection), columns, float(time))
        with self._transaction():
            self._insert(rows)

    def census(self, time: float, population: str, ids: ArrayLike, positions: ArrayLike | None = None) -> None:
        """Store which neurons of a population are alive at ``time`` (ms), and where they are ((n, 3), um)."""
        owner, ids = self._population(population), np.asarray(ids, np.uint32)
        rows = cut("living", owner, {"time": np.full(ids.size, float(time)), "id": ids}, float(time))
        if positions is not None:
            rows += cut("positions", owner, _positions(ids, positions), float(time))
        with self._transaction():
            self._insert(rows)

    def append(
        self,
        time_ms: float,
        wall_s: float,
        *,
        spikes: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
        states: Mapping[str, Columns] | None = None,
        synapses: Mapping[str, Columns] | None = None,
        history: Events | NDArray[Any] | None = None,
        structure: Columns | None = None,
        changed: Mapping[str, float] | None = None,
        positions: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    ) -> None:
        """Store what was recorded since the last call, and how far the run has come: one transaction.

        Parameters
        ----------
        time_ms, wall_s : simulated time reached, and wall-clock seconds it took.
        spikes : population -> (steps (n,) int64, ids (n,)); a spike's time is ``step · dt``.
        states : population -> columns of equal length: ``time`` (ms), ``id``, and one per variable.
        synapses : projection -> the same.
        history : births and deaths: a structured array, or some parts, with the columns of `HISTORY`.
        structure : their numbers over time: columns ``time`` (ms), ``kind``, ``owner`` and ``n``.
        changed : name of every population and projection that has changed so far -> when it first did (ms).
        positions : population -> (ids (n,), (n, 3) um) of neurons born since.
        """
        rows: list[Chunk] = []
        with interrupts_wait():
            for name, (steps, ids) in (spikes or {}).items():
                rows += self._spikes(self._population(name), np.asarray(steps), np.asarray(ids))
            for name, columns in (states or {}).items():
                rows += cut("state", self._population(name), columns, columns["time"])
            for name, columns in (synapses or {}).items():
                rows += cut("synapses", self._projection(name), columns, columns["time"])
            for name, (ids, places) in (positions or {}).items():
                rows += cut("positions", self._population(name), _positions(ids, places), time_ms)
            if history is not None:
                for part in [history] if isinstance(history, np.ndarray) else history.parts():
                    rows += cut("history", 0, _history(part), part["time"], quick=self.dt)
            if structure is not None:
                rows += cut("structure", 0, structure, structure["time"])
            with self._transaction():
                self._insert([row for row in rows if row.n])
                if changed is not None and changed != self._changed:
                    self._put("changed", dict(changed))
                    self._changed = dict(changed)
                self._database.execute("INSERT INTO progress VALUES (?, ?)", (float(time_ms), float(wall_s)))

    def log(self, text: str, level: str = "info", time_ms: float | None = None) -> None:
        """Keep a message to the user (``level``: info, warning, error or caption) with the file."""
        with self._transaction():
            self._database.execute("INSERT INTO message VALUES (?, ?, ?, ?)", (time_ms, now(), level, text))

    def close(self, summary: Mapping[str, Any] | None = None, status: str = "finished") -> None:
        """Store the summary (JSON-able) and leave one plain file, with nothing beside it.

        A second call does nothing. While a foreign program keeps the file open, SQLite's ``-wal`` and ``-shm``
        stay beside it and belong to it (`Result` never keeps a file open).
        """
        if not self._open:
            return
        try:
            with interrupts_wait(), store.writing(self.path):
                with self._transaction():
                    self._put("summary", dict(summary or {}))
                    self._put("status", status)
                    self._put("ended", now())
                store.leave_one_file(self._database)
        finally:
            self._open = False
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        interrupted = isinstance(error, KeyboardInterrupt)
        # The error on its way is the one to report; a full disk may well refuse these last words too.
        with contextlib.suppress(NeurosimError):
            if not interrupted and self._open:
                self.log(f"{type(error).__name__}: {error}", "error")
        with contextlib.suppress(NeurosimError):
            self.close(status="interrupted" if interrupted else "failed")

    def __repr__(self) -> str:
        return f"<ResultFile {self.path.name}: {'open' if self._open else 'closed'}>"

    # ---- inside ----------------------------------------------------------------------------

    def _population(self, name: str) -> int:
        if name not in self._populations:
            raise unknown("population", name, self._populations, f"in {self.path.name}")
        return self._populations[name]

    def _projection(self, name: str) -> int:
        if name not in self._projections:
            raise unknown("projection", name, self._projections, f"in {self.path.name}")
        return self._projections[name]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        if not self._open:
            raise UsageError(f"{self.path} is closed.")
        with store.writing(self.path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def _put(self, key: str, value: Any) -> None:
        self._database.execute("INSERT OR REPLACE INTO run VALUES (?, ?)", (key, to_json(value)))

    def _insert(self, rows: Iterable[Chunk]) -> None:
        for row in rows:
            values = (row.stream, row.owner, row.t0, row.t1, row.n)
            insert = "INSERT INTO chunk (stream, owner, t0, t1, n) VALUES (?, ?, ?, ?, ?)"
            number = self._database.execute(insert, values).lastrowid
            columns = ((number, name, *packed) for name, packed in row.columns.items())
            self._database.executemany("INSERT INTO chunk_column VALUES (?, ?, ?, ?, ?)", columns)

    def _spikes(self, owner: int, steps: NDArray[Any], ids: NDArray[Any]) -> list[Chunk]:
        if steps.size and steps.dtype.kind not in "iu":
            raise UsageError("spikes are given by whole time steps; times in ms are steps · dt.")
        steps, ids = steps.astype(np.int64), ids.astype(np.uint32)
        if steps.shape == ids.shape and not _in_order(steps, ids):
            order = np.lexsort((ids, steps))
            steps, ids = steps[order], ids[order]
        return cut("spikes", owner, {"step": steps, "id": ids}, steps * self.dt)


def _check_place(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder. Name a file, for example {path / 'run.nsim'}.")
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {path.parent}.")
    if not path.exists():
        return
    if not overwrite:
        raise UsageError(f"{path} exists already. Choose another name, or overwrite it.")
    try:
        running = Result(path).status == "running"
    except NeurosimError:
        running = False  # nothing of ours
    if running:
        raise UsageError(f"{path} is being written by a run that goes on. Wait for it, or choose another name.")


def _in_order(steps: NDArray[Any], ids: NDArray[Any]) -> bool:
    later, same = steps[1:] > steps[:-1], steps[1:] == steps[:-1]
    return bool((later | (same & (ids[1:] >= ids[:-1]))).all())


def _positions(ids: ArrayLike, places: ArrayLike) -> dict[str, NDArray[Any]]:
    ids, places = np.asarray(ids, np.uint32), np.asarray(places, np.float64)
    if places.shape != (ids.size, 3):
        raise UsageError(f"positions of {ids.size} neurons have the shape ({ids.size}, 3), not {places.shape}.")
    return {"id": ids, "x": places[:, 0], "y": places[:, 1], "z": places[:, 2]}


def _history(events: Events | NDArray[Any]) -> dict[str, NDArray[Any]]:
    if isinstance(events, np.ndarray):
        missing = set(HISTORY.names or ()) - set(events.dtype.names or ())
        if missing:
            raise UsageError(f"history lacks the fields {', '.join(sorted(missing))}.")
    names = [name for name in HISTORY.names or () if name != "pre"]  # a synapse's id tells
    return {name: events[name].astype(HISTORY[name], copy=False) for name in names}
