"""What is compiled, when, and where it is kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import neurosim
import neurosim as ns
from neurosim.compiled import JIT, compilations

pytestmark = pytest.mark.skipif(not JIT, reason="nothing is compiled in this lane")

SCRIPT = """
import json, neurosim as ns
from neurosim.compiled import compilations
net = ns.Network(seed=4)
sources = net.add_population("s", 50, ns.models.poisson(rate=100.0))
sim = ns.Simulation(net, threads=1)
sim.run(50.0)
print(json.dumps({"hash": sim.hash(), "compiled": compilations(), "file": ns.__file__}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package, to be changed at will."""
    folder = tmp_path_factory.mktemp("copy")
    source = Path(neurosim.__file__).parent
    shutil.copytree(source, folder / "neurosim", ignore=shutil.ignore_patterns("__pycache__", "*.graphml", "*.nsim"))
    return folder


def run(package: Path, cache: Path) -> dict[str, Any]:
    """Run the script in a process of its own with that copy and that cache."""
    environment = os.environ | {"PYTHONPATH": str(package), "NEUROSIM_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", SCRIPT], env=environment, cwd=package, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["file"].startswith(str(package))
    return told


def test_a_second_process_compiles_nothing_and_a_change_anywhere_is_seen(package: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = run(package, cache)
    assert {"drive", "advance"} <= set(first["compiled"])
    again = run(package, cache)
    assert (again["compiled"], again["hash"]) == ({}, first["hash"])

    callee = package / "neurosim" / "rng.py"  # two calls below the kernel, in another file
    text = callee.read_text(encoding="utf-8")
    assert text.count("0x9E3779B9") == 1
    callee.write_text(text.replace("0x9E3779B9", "0x9E3779B8"), encoding="utf-8")
    changed = run(package, cache)
    callee.write_text(text, encoding="utf-8")
    assert changed["hash"] != first["hash"]
    assert set(changed["compiled"]) == set(first["compiled"])
    back = run(package, cache)
    assert (back["compiled"], back["hash"]) == ({}, first["hash"])

    for kept in cache.rglob("*.nb?"):  # as after a crash of the machine
        kept.write_bytes(kept.read_bytes()[:7])
    damaged = run(package, cache)
    assert damaged["hash"] == first["hash"]
    assert set(damaged["compiled"]) == set(first["compiled"])


def test_without_a_place_for_the_cache_it_runs_all_the_same(package: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "file"
    nowhere.write_text("not a folder", encoding="utf-8")
    assert len(run(package, nowhere / "cache")["hash"]) == 32


def build(n: int, delay: Any, weight: Any) -> ns.Simulation:
    """A network with every model and every way of delivery."""
    net = ns.Network(seed=n)
    for model in ("lif_delta", "lif_exp", "izhikevich"):
        net.add_population(model, n, model)
    net.add_population("poisson", n, {"poisson": {"rate": 50.0}})
    net.add_population("list", 1, ns.models.spike_list(times=[[1.0, 2.0]]))
    for source in list(net.populations):
        for target in ("lif_delta", "lif_exp", "izhikevich"):
            net.connect(source, target, ns.connectors.fixed_outdegree(3), weight=weight, delay=delay, receptor="exc")
    net.add_input("drive", ns.inputs.poisson(100.0), ["lif_delta", "lif_exp"], weight=1.0)
    return ns.Simulation(net)


def test_a_new_network_of_known_models_compiles_nothing() -> None:
    build(10, ns.uniform(0, 2), 1.0).run(5.0)
    before = compilations()
    for n, delay, weight in ((3, 1.0, 1.0), (1300, ns.uniform(0.1, 40.0), ns.uniform(0, 1)), (5, 0.0, 2.0)):
        build(n, delay, weight).run(5.0)
    assert compilations() == before
