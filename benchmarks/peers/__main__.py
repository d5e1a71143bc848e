"""``python -m neurosim.benchmarks.peers [brian2] [nest]`` makes the peers' environments."""

from __future__ import annotations

import sys

from neurosim.benchmarks.peers.environments import PEERS, find_python, install
from neurosim.errors import NeurosimError, UsageError


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> int:
    """Install what is not there yet; returns the exit code."""
    try:
        for name in sys.argv[1:] or PEERS:
            try:
                python = find_python(name)
            except UsageError:
                python = install(name, _tell)
            sys.stdout.write(f"{name}: {python}\n")
    except NeurosimError as error:
        _tell(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
