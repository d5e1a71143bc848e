"""Runnable examples, each with its source and what it must show.

>>> from neurosim import scenarios
>>> scenarios.names()
['brunel', 'cuba', 'first_light', 'from_graph']
>>> scenarios.path("brunel")
PosixPath('…/scenarios/brunel.yaml')
"""

from __future__ import annotations

from pathlib import Path

from neurosim.errors import unknown

_FOLDER = Path(__file__).resolve().parent


def names() -> list[str]:
    """Return the names of the examples, sorted."""
    return sorted(file.stem for file in _FOLDER.glob("*.yaml"))


def path(name: str) -> Path:
    """Return the file of example ``name`` (``"brunel"`` or ``"brunel.yaml"``).

    Raises ``UnknownName`` if there is no such example.
    """
    stem = name.removesuffix(".yaml")
    if stem not in names():
        raise unknown("example scenario", name, names())
    return _FOLDER / f"{stem}.yaml"
