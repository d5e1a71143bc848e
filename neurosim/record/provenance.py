"""Where a result comes from: versions, seed, scenario, command line, machine."""

from __future__ import annotations

import datetime
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = ("neurosim", "numpy", "numba", "networkx")


def collect_provenance(
    *,
    seed: int,
    dt: float,
    threads: int,
    backend: str,
    duration: float | None = None,
    scenario_text: str = "",
    scenario_file: str | None = None,
    command: Sequence[str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Gather what somebody needs to repeat a run; the dictionary that `ResultFile.create` takes.

    Parameters
    ----------
    seed, threads, backend : as the run has them.
    dt : time step (ms).
    duration : planned length of the run (ms), where it is known.
    scenario_text, scenario_file : the scenario exactly as it was read, and the name of its file.
    command : the command line; by default that of this process.
    more : further settings, JSON-able, kept under their names.
    """
    return {
        "versions": versions(),
        "seed": seed,
        "dt": dt,
        "duration": duration,
        "threads": threads,
        "backend": backend,
        "scenario": {"file": scenario_file, "text": scenario_text},
        "command": shlex.join(sys.argv if command is None else command),
        "host": host(),
        "started": now(),
        **more,
    }


def versions() -> dict[str, str]:
    """Versions of this package, Python and the libraries that results depend on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}


def host() -> dict[str, Any]:
    """The machine: processor, cores (those this process may use), memory, operating system."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "name": platform.node(),
        "cpu": _cpu(),
        "cores": usable,
        "memory_mb": _memory_mb(),
        "os": platform.platform(),
        "machine": platform.machine(),
    }


def now() -> str:
    """The time of day with its zone, ISO 8601."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def _memory_mb() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (AttributeError, ValueError, OSError):
        return None
