"""What all tests share: pictures without a screen, repeatable examples, and the count of compiled kernels."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

os.environ["MPLBACKEND"] = "Agg"  # also for the processes that tests start

# Deadlines would blame an example for a kernel that was compiled on its way.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

_from_workers: Counter[str] = Counter()


def _compiled_here() -> dict[str, int]:
    """Kernels this process compiled; none where no test came near the engine."""
    from neurosim.compiled import compilations

    return compilations()


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:  # this process is an xdist worker
        output["compilations"] = _compiled_here()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    _from_workers.update(getattr(node, "workeroutput", {}).get("compilations", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    compiled = _from_workers + Counter(_compiled_here())
    terminalreporter.write_line(f"{compiled.total()} kernels compiled (those found in the cache not counted)")
    if terminalreporter.verbosity > 0:
        for name, count in compiled.most_common():
            terminalreporter.write_line(f"  {count:4d}  {name}")
