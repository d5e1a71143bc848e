"""Runs generated source twice, compiled here and as plain Python in a process of its own, to compare the bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SCRIPT = """
import sys
import numpy as np
from neurosim.compiled import JIT
from neurosim.generated import module
assert not JIT
folder = sys.argv[1] + "/"
compute = module("plain", open(folder + "source.py").read()).compute
rows = np.load(folder + "rows.npy")
out = np.zeros(np.load(folder + "shape.npy"))
with np.errstate(all="ignore"):
    compute(rows, out)
np.save(folder + "out.npy", out)
"""


def compute_plainly(source: str, rows: Floats, shape: tuple[int, ...], folder: Path) -> Floats:
    """What ``compute(rows, out)`` of the source writes into zeros of ``shape`` when nothing is compiled."""
    (folder / "source.py").write_text(source, encoding="utf-8")
    np.save(folder / "rows.npy", rows)
    np.save(folder / "shape.npy", np.array(shape))
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "NEUROSIM_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(folder)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    out: Floats = np.load(folder / "out.npy")
    return out
