"""NumPy archive: every column as an array, for Python without networkx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.formats._format import Content, Format, replacing

_NUMBERS = (int, float, type(None))


def write(content: Content, path: Path) -> list[Path]:
    """Write ``nodes.<column>``, ``edges.<column>``, ``spikes.<population>.times`` (ms) and ``….ids``.

    Read it with ``np.load(path)``; nothing in it is pickled. An absent text is empty, an absent number NaN.
    """
    arrays: dict[str, NDArray[Any]] = {}
    if (tables := content.tables) is not None:
        arrays |= {f"nodes.{name}": _typed(values) for name, values in tables.nodes.items()}
        arrays |= {f"edges.{name}": _typed(values) for name, values in tables.edges.items()}
    for name, (times, ids) in content.spikes.items():
        arrays |= {f"spikes.{name}.times": times, f"spikes.{name}.ids": ids}
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return [path]


def _typed(values: NDArray[Any]) -> NDArray[Any]:
    """Objects as numbers where all of them are, as texts otherwise."""
    if values.dtype != object:
        return values
    cells = values.tolist()
    if any(cell is not None for cell in cells) and all(isinstance(cell, _NUMBERS) for cell in cells):
        return np.array([np.nan if cell is None else cell for cell in cells], np.float64)
    return np.array(["" if cell is None else str(cell) for cell in cells], np.str_)


FORMAT = Format("NumPy archive", ".npz", write, has_spikes=True)
