"""Interchange formats: one per file, found by suffix.

A module here declares ``FORMAT``; nothing else needs to know of it.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosim.errors import InvalidInput, NeurosimError, UsageError, suggest
from neurosim.formats._format import Content, Format, Spikes
from neurosim.record import GraphTables, NotRecorded, Result

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Format", "export", "formats", "read_graph", "write_graph"]

_LATER = (".gexf", ".pt", ".h5", ".nir", ".nwb")  # announced, not built


@cache
def formats() -> dict[str, Format]:
    """All formats by suffix."""
    names = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    found: list[Format] = [importlib.import_module(f"{__name__}.{name}").FORMAT for name in names]
    return {each.suffix: each for each in found}


def export(result: Result, path: str | os.PathLike[str], at: float | str | None = None) -> list[Path]:
    """Write what a run recorded in the format that the suffix of ``path`` names; return the files made.

    Parameters
    ----------
    at : the time whose graph is wanted (ms or text with a unit); by default the last.

    Raises UsageError for a suffix that cannot be written, NotRecorded where the format needs a graph and
    the run kept none, NeurosimError where the file cannot be written. An existing file is replaced, in one
    step.
    """
    path = Path(path)
    target = _writable(path)
    spikes = _spikes(result) if target.has_spikes else {}
    graph: GraphTables | None = None
    try:
        graph = result.tables(at)
    except NotRecorded:
        if not any(len(ids) for _, ids in spikes.values()):
            raise
    return _write(target, Content(graph, spikes), path)


def write_graph(graph: nx.Graph[Any] | GraphTables, path: str | os.PathLike[str]) -> list[Path]:
    """Write a graph in the format that the suffix of ``path`` names; return the files made.

    Raises UsageError for a suffix that cannot be written, InvalidInput for a graph that the format cannot
    hold.
    """
    path = Path(path)
    return _write(_writable(path), Content(graph), path)


def read_graph(path: str | os.PathLike[str]) -> nx.Graph[Any]:
    """Read a graph file (``.graphml .gexf .gml``, node-link ``.json``, edge-list ``.csv``) with networkx.

    Parallel edges and attributes are kept; ids that are whole numbers become such. Raises InvalidInput for
    a file that is missing, unreadable or not what its suffix says.
    """
    path = Path(path)
    known = {suffix: each for suffix, each in formats().items() if each.read}
    suffix = path.suffix.lower()
    source = known.get(suffix)
    if source is None or source.read is None:
        raise InvalidInput(f"cannot read {path}: {_choices(suffix, known, 'reading')}")
    try:
        return source.read(path)
    except NeurosimError:
        raise
    except FileNotFoundError as error:
        raise InvalidInput(f"no graph file {path}.") from error
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}.") from error
    except MemoryError:
        raise
    except Exception as error:  # parsers of others, on files of others, raise whatever they meet
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InvalidInput(f"{path} is not readable as {source.name}: {reason}.") from error


def _writable(path: Path) -> Format:
    known = {suffix: each for suffix, each in formats().items() if each.write}
    suffix = path.suffix.lower()
    if suffix not in known:
        raise UsageError(f"cannot write {path}: {_choices(suffix, known, 'writing')}")
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder.")
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {path.parent}.")
    return known[suffix]


def _choices(suffix: str, known: dict[str, Format], doing: str) -> str:
    allowed = f"Allowed: {', '.join(sorted(known))}."
    if suffix in _LATER:
        return f"{doing} {suffix} is not built yet. {allowed}"
    found = f"the suffix '{suffix}' names no format" if suffix else "a format is named by its suffix"
    return f"{found}. {allowed}{suggest(suffix, known)}"


def _write(target: Format, content: Content, path: Path) -> list[Path]:
    assert target.write is not None
    try:
        return target.write(content, path)
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{target.name} cannot hold the text {error.object!r}. Rename it.") from error


def _spikes(result: Result) -> dict[str, Spikes]:
    found = {}
    for name in result.populations:
        try:
            found[name] = result.spikes(name)
        except NotRecorded:
            continue
    return found
