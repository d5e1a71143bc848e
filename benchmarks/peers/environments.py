"""Where a peer's Python is, and how to make one.

A peer's interpreter is named by an environment variable (``NEUROSIM_BRIAN2_PYTHON``,
``NEUROSIM_NEST_PYTHON``), or stands in ``.venv-peers/<name>`` of the checkout (of the user's cache
directory, for an installed package).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from neurosim.errors import NeurosimError, UsageError, unknown

PEERS: dict[str, tuple[str, ...]] = {
    "brian2": ("brian2==2.9.0", "numpy<2.4"),  # 2.9.0 does not import with numpy 2.4
    "nest": ("nest-simulator==3.10.0",),
}


def find_python(name: str) -> Path:
    """The interpreter that has peer ``name``; ``UsageError`` says how to get one where there is none."""
    if name not in PEERS:
        raise unknown("peer", name, PEERS)
    variable = f"NEUROSIM_{name.upper()}_PYTHON"
    given = os.environ.get(variable)
    python = Path(given) if given else _home(name) / "bin" / "python"
    if python.is_file():
        return python
    if given:
        raise UsageError(f"{variable} names {given}, which is not there.")
    raise UsageError(
        f"{name} is not at hand. `make peers` (or `python -m neurosim.benchmarks.peers {name}`) makes an "
        f"environment with it; or let {variable} name a Python that has it."
    )


def install(name: str, tell: Callable[[str], None]) -> Path:
    """Make the environment of peer ``name`` with venv and pip; returns its interpreter."""
    if name not in PEERS:
        raise unknown("peer", name, PEERS)
    home = _home(name)
    python = home / "bin" / "python"
    tell(f"Installing {', '.join(PEERS[name])} into {home} ...")
    venv.create(home, with_pip=True)
    pip = [str(python), "-m", "pip", "-qq", "--no-input", "--disable-pip-version-check"]
    if subprocess.run([*pip, "install", *PEERS[name]], check=False).returncode:
        shutil.rmtree(home)  # half an environment would pass for a whole one
        raise NeurosimError(f"pip could not install {', '.join(PEERS[name])} with {sys.executable}.")
    return python


def _home(name: str) -> Path:
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".venv-peers" / name
    import platformdirs

    return Path(platformdirs.user_cache_dir("neurosim")) / "peers" / name
