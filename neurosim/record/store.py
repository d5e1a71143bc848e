"""The SQLite file under a result: its schema, how it is opened, and what its errors mean to the user.

`docs/result_file.md` describes the schema for those who read the file without this package.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.errors import InvalidInput, NeurosimError, UsageError

APPLICATION_ID = 0x4E53494D  # "NSIM": what `file` and we know a result by
VERSION = 2  # PRAGMA user_version; the policy is in docs/result_file.md

SCHEMA = """
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE population (
    idx INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, model TEXT NOT NULL,
    parameters TEXT NOT NULL, info TEXT NOT NULL);
CREATE TABLE projection (
    idx INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, source TEXT NOT NULL, target TEXT NOT NULL,
    receptor TEXT, info TEXT NOT NULL);
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY, stream TEXT NOT NULL, owner INTEGER NOT NULL,
    t0 REAL NOT NULL, t1 REAL NOT NULL, n INTEGER NOT NULL);
CREATE INDEX chunk_by_time ON chunk (stream, owner, t0);
CREATE TABLE chunk_column (
    chunk INTEGER NOT NULL REFERENCES chunk, name TEXT NOT NULL, dtype TEXT NOT NULL, base INTEGER,
    data BLOB NOT NULL, PRIMARY KEY (chunk, name));
CREATE TABLE progress (time_ms REAL NOT NULL, wall_s REAL NOT NULL);
CREATE TABLE message (time_ms REAL, clock TEXT NOT NULL, level TEXT NOT NULL, text TEXT NOT NULL);
"""

_PATIENCE = 20.0  # seconds to wait for somebody else's lock
_READERS_LEAVE = 5.0  # seconds a closing writer gives them
_CODES = {  # primary result codes of SQLite
    sqlite3.SQLITE_FULL: "the disk is full. Free some space, or choose another place",
    sqlite3.SQLITE_IOERR: "the disk refuses (full, over a quota or size limit, or failing). "
    "Free some space, or choose another place",
    sqlite3.SQLITE_READONLY: "it may not be written. Change its permissions, or choose another place",
    sqlite3.SQLITE_CANTOPEN: "the folder may not be written. Change its permissions, or choose another place",
    sqlite3.SQLITE_BUSY: "another program keeps it locked. Close that program, or choose another place",
}
_HINDERED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}


def companions(path: Path) -> list[Path]:
    """Files SQLite keeps beside ``path`` while it is written (and after a crash)."""
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what SQLite or the operating system says while writing ``path`` into one clear sentence."""
    try:
        yield
    except sqlite3.Error as error:
        reason = _CODES.get(_code(error), f"SQLite says: {error}")
        raise NeurosimError(f"cannot write {path}: {reason}.{_kept(path)}") from error
    except OSError as error:
        raise NeurosimError(f"cannot write {path}: {error.strerror or error}.{_kept(path)}") from error


def _kept(path: Path) -> str:
    return " What was written before is kept." if path.exists() else ""


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what SQLite says while reading ``path`` into one clear sentence."""
    try:
        yield
    except sqlite3.Error as error:
        if _code(error) == sqlite3.SQLITE_BUSY:
            raise NeurosimError(f"cannot read {path} now: another program keeps it locked.") from error
        if not path.exists():
            raise InvalidInput(f"no result file {path}.") from error
        raise damaged(path, str(error)) from error


def damaged(path: Path, why: str) -> InvalidInput:
    """The error for a result whose contents cannot be trusted."""
    return InvalidInput(f"{path} is damaged: {why}. Restore it from a copy, or run the scenario again.")


def make(path: Path, run: Mapping[str, Any], overwrite: bool) -> None:
    """Make a new result with the given `run` table.

    It is made complete under another name and then moved, so that no half-made file ever bears the name
    ``path``.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    with writing(path):
        try:
            remove(draft)  # of a process that had our number and was killed right here
            _fill(draft, run)
            _move(draft, path, overwrite)
        finally:
            remove(draft)


def remove(path: Path) -> None:
    """Remove a database and what SQLite keeps beside it."""
    for file in (path, *companions(path)):
        file.unlink(missing_ok=True)


def _fill(path: Path, run: Mapping[str, Any]) -> None:
    with contextlib.closing(open_for_writing(path)) as database:
        database.execute("PRAGMA page_size = 8192")
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.executescript(f"BEGIN; {SCHEMA}")
        database.executemany("INSERT INTO run VALUES (?, ?)", [(key, to_json(value)) for key, value in run.items()])
        database.execute("COMMIT")


def _move(draft: Path, path: Path, overwrite: bool) -> None:
    if overwrite:
        # SQLite would play the log of a killed run into the new file.
        for stale in companions(path):
            stale.unlink(missing_ok=True)
        os.replace(draft, path)
        return
    try:
        os.link(draft, path)  # unlike a rename it never replaces, also when two runs choose one name at once
    except FileExistsError:
        raise UsageError(f"{path} exists already. Choose another name, or overwrite it.") from None
    except OSError:  # a file system without hard links
        os.rename(draft, path)
    for stale in companions(path):
        stale.unlink(missing_ok=True)


def leave_one_file(database: sqlite3.Connection) -> None:
    """Bring everything into the one file and clear away what lies beside it.

    Short readings of others are waited for. While a program stays inside, the companions stay too; they are empty
    unless it is in the middle of reading.
    """
    database.execute("PRAGMA busy_timeout = 2000")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    deadline = time.monotonic() + _READERS_LEAVE
    while True:
        try:
            database.execute("PRAGMA journal_mode = DELETE").fetchall()
            return
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > deadline:
                return
        time.sleep(0.02)


def to_json(value: Any) -> str:
    """JSON of anything made of Python's and numpy's numbers, texts, lists and mappings."""
    return json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, set | frozenset | Mapping):
        return dict(value) if isinstance(value, Mapping) else sorted(value)
    return str(value)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open (or make) a database; transactions are ours to begin and to commit."""
    return sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)


class Source:
    """Where a result is read from; every reading opens it anew and leaves it soon.

    A reader that stayed connected would keep the writer from closing to one plain file.

    Nothing in this room opens a database with `open()`: closing any descriptor of a file drops all POSIX
    locks that the process holds on it, also those of a writer in the same process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._uri = path.absolute().as_uri() + "?mode=ro"
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        if not path.exists():
            raise InvalidInput(f"no result file {path}.")
        if path.is_dir():
            raise InvalidInput(f"{path} is a folder, not a result file.")
        if not os.access(path, os.R_OK):
            raise InvalidInput(f"{path} may not be read. Change its permissions.")
        self._check()

    @contextlib.contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection that sees one moment of the file; closed at the end."""
        with reading(self.path), contextlib.closing(self._connect()) as database:
            database.execute("BEGIN")
            yield database

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._uri, uri=True, timeout=_PATIENCE, isolation_level=None)

    def _check(self) -> None:
        """Refuse what is not a result that this version reads."""
        try:
            application, version = self._marks()
        except sqlite3.Error as error:
            if _code(error) == sqlite3.SQLITE_NOTADB:
                raise InvalidInput(f"{self.path} is not a neurosim result.") from error
            with reading(self.path):
                if _code(error) not in _HINDERED:
                    raise
                application, version = self._marks_elsewhere()
        if application != APPLICATION_ID:
            raise InvalidInput(f"{self.path} is not a neurosim result.")
        if version > VERSION:
            raise InvalidInput(
                f"{self.path} was written by a newer neurosim: its schema is version {version}, "
                f"and this neurosim reads up to {VERSION}. Upgrade neurosim to read it."
            )

    def _marks(self) -> tuple[int, int]:
        with contextlib.closing(self._connect()) as database:
            application = int(database.execute("PRAGMA application_id").fetchone()[0])
            return application, int(database.execute("PRAGMA user_version").fetchone()[0])

    def _marks_elsewhere(self) -> tuple[int, int]:
        """Read a file whose folder lets SQLite put nothing beside it.

        A closed result needs nothing beside it. One that its run left open (killed) does; it is read from a
        copy, or, where its write-ahead log is gone, as it stands.
        """
        beside = self.path.with_name(self.path.name + "-wal")
        if beside.exists():
            self._copy = tempfile.TemporaryDirectory(prefix="neurosim-")
            copy = Path(self._copy.name, "copy.nsim")
            shutil.copyfile(self.path, copy)
            shutil.copyfile(beside, copy.with_name("copy.nsim-wal"))
            self._uri = copy.as_uri() + "?mode=ro"
        else:
            self._uri += "&immutable=1"
        return self._marks()
