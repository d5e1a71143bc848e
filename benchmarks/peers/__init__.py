"""Other simulators, beside us in one run: each in a Python environment and a process of its own."""

from __future__ import annotations

from neurosim.benchmarks.peers.environments import PEERS, find_python, install
from neurosim.benchmarks.peers.process import Peer

__all__ = ["PEERS", "Peer", "find_python", "install"]
