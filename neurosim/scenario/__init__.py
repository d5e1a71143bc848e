"""Scenario files: read, checked, built and run.

>>> from neurosim import scenario
>>> scenario.load("brunel").duration            # ms; every problem of a file at once, with its line
1000.0
>>> scenario.run("brunel", duration="200 ms").summary["rate_hz"]
"""

from __future__ import annotations

from neurosim.scenario.builder import Built, build
from neurosim.scenario.estimate import Size, describe, size
from neurosim.scenario.load import Scenario, load
from neurosim.scenario.run import RunInterrupted, run

__all__ = ["Built", "RunInterrupted", "Scenario", "Size", "build", "describe", "load", "run", "size"]
