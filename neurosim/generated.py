"""Modules whose source was generated: written to the kernel cache, imported, remembered.

A module is a file of its own, named by what it holds, so tracebacks show its lines and the kernels in it are cached
across processes like those of the package (`neurosim.compiled`). What is run is the text that was given, never what
a file happens to hold.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
from functools import cache
from importlib.abc import SourceLoader
from pathlib import Path
from threading import Lock
from types import ModuleType

from neurosim.compiled import cache_folder

_LONGEST = 40  # characters of a name that become part of the file's
_modules: dict[tuple[str, str], ModuleType] = {}
_lock = Lock()


def module(name: str, source: str) -> ModuleType:
    """Make a module of ``source``; the same name and source give the same module.

    ``name`` begins the name of its file; anything but ASCII letters, digits and underscores is replaced. Where the
    cache cannot be written the file is a temporary one, and kernels are compiled anew in every process.
    """
    stem = f"{_identifier(name)}_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    with _lock:
        found = _modules.get((stem, source))
        if found is None:
            found = _modules[stem, source] = _imported(stem, source)
    return found


def _identifier(name: str) -> str:
    word = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:_LONGEST].strip("_") or "generated"
    return word if word[0].isalpha() else f"_{word}"


def _imported(stem: str, source: str) -> ModuleType:
    path = _written(f"{stem}.py", source.encode())
    full_name = f"{__name__}.{stem}"
    spec = importlib.util.spec_from_file_location(full_name, path, loader=_Loader(full_name, path, source))
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot make a module of {path}")
    made = importlib.util.module_from_spec(spec)
    sys.modules[full_name] = made  # where a kernel found in the cache looks for its globals
    try:
        spec.loader.exec_module(made)
    except BaseException:
        del sys.modules[full_name]
        raise
    return made


class _Loader(SourceLoader):
    """Imports a text it was given; the file is there for people, tracebacks and the names of cached kernels."""

    def __init__(self, name: str, path: str, source: str) -> None:
        self._name = name
        self._path = path
        self._source = source

    def get_filename(self, fullname: str) -> str:
        return self._path

    def get_data(self, path: str | bytes) -> bytes:
        if str(path) != self._path:  # byte code, which is neither read nor written
            raise OSError(f"no data at {path!r}")
        return self._source.encode()


def _written(name: str, data: bytes) -> str:
    """Write a file into the cache, unless it is there, and return its path; all or nothing."""
    folder = cache_folder().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _replaced(folder / name, data)
    except OSError:
        return _replaced(Path(_folder_of_this_process().name) / name, data)


@cache
def _folder_of_this_process() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="neurosim-")


def _replaced(path: Path, data: bytes) -> str:
    try:
        if path.read_bytes() == data:
            return str(path)
    except OSError:
        pass
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return str(path)
