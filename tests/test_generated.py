"""Modules made of generated text: one of each, cached like the others, and nothing but what was generated."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurosim
from neurosim.compiled import JIT, address_of, before_compiling, cache_folder, call
from neurosim.generated import module

KERNEL = '''"""The exponentials of what is at an address."""

import numpy as np

from neurosim.compiled import array_at, by_address
from neurosim.functions import exp


@by_address
def grow(address, n, b, c, d, e, f):
    x = array_at(address, n, np.float64)
    for i in range(x.size):
        x[i] = exp(x[i])
    return n
'''


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv("NEUROSIM_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_same_source_is_the_same_module() -> None:
    made = module("one", "x = 1\n")
    assert made.x == 1
    assert module("one", "x = 1\n") is made
    assert module("one", "x = 2\n").x == 2
    assert module("two", "x = 1\n") is not made
    assert sys.modules[made.__name__] is made


@pytest.mark.parametrize(
    ("name", "begin"),
    [("lif exp", "lif_exp_"), ("../../up", "up_"), ("é", "generated_"), ("", "generated_"), ("2nd", "_2nd_"),
     ("a" * 500, "a" * 40 + "_"), ("__init__", "init_"), ("x\0\n/y", "x_y_")],
)  # fmt: skip
def test_names_become_those_of_files(name: str, begin: str, cache: Path) -> None:
    path = Path(str(module(name, f"x = {name!r}\n").__file__))
    assert path.name.startswith(begin)
    assert path.parent == cache_folder()
    assert path.is_relative_to(cache)
    assert path.read_text(encoding="utf-8") == f"x = {name!r}\n"


def test_a_traceback_shows_the_line() -> None:
    made = module("falls", "def fall(τ):\n    return 1 / τ  # here\n")
    with pytest.raises(ZeroDivisionError) as caught:
        made.fall(0)
    assert "return 1 / τ  # here" in "".join(traceback.format_exception(caught.value))


def test_what_cannot_be_imported_leaves_nothing() -> None:
    before = set(sys.modules)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            module("broken", "1 / 0\n")
        with pytest.raises(SyntaxError):
            module("broken", "1 +\n")
    assert set(sys.modules) == before


def test_only_the_text_is_run(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was changed, and byte code beside it, are put right or left alone, never run."""
    made = module("honest", "x = 'honest'\n")
    path = Path(str(made.__file__))
    path.write_text("x = 'forged'\n", encoding="utf-8")
    script = "import sys; from neurosim.generated import module; print(module('honest', sys.argv[1]).x)"
    done = subprocess.run([sys.executable, "-c", script, "x = 'honest'\n"], capture_output=True, text=True, check=True)
    assert done.stdout == "honest\n"
    assert path.read_text(encoding="utf-8") == "x = 'honest'\n"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_without_a_place_to_write_it_works_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = tmp_path / "file"
    nowhere.write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("NEUROSIM_CACHE_DIR", str(nowhere / "cache"))
    made = module("homeless", "x = 3\n")
    assert made.x == 3
    assert Path(str(made.__file__)).is_relative_to(tempfile.gettempdir())


@pytest.mark.lane
def test_kernels_are_called_by_address() -> None:
    heard: list[str] = []
    before_compiling.append(heard.append)
    try:
        made = module("called", KERNEL)
        x = np.array([0.0, 1.0, -1.0])
        if JIT:
            assert made.grow(address_of(x), 3, 0, 0, 0, 0, 0) == 3
            assert heard == [f"{made.__name__.rpartition('.')[2]}.grow"]
        else:
            assert call(made.grow.address, address_of(x), 3, 0, 0, 0, 0, 0) == 3
            assert heard == []
    finally:
        before_compiling.remove(heard.append)
    np.testing.assert_allclose(x, np.exp([0.0, 1.0, -1.0]), rtol=1e-15)


# ---- across processes ---------------------------------------------------------------------------------

SCRIPT = """
import json, sys
import numpy as np
from neurosim.compiled import address_of, before_compiling, compilations
from neurosim.generated import module
heard = []
before_compiling.append(heard.append)
x = np.array([1.0])
made = module("kernels", open(sys.argv[1]).read())
made.grow(address_of(x), 1, 0, 0, 0, 0, 0)
print(json.dumps({"x": x[0], "compiled": compilations(), "heard": heard, "file": made.__file__}))
"""


def start(package: Path, cache: Path, source: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(package), "NEUROSIM_CACHE_DIR": str(cache)}
    command = [sys.executable, "-P", "-c", SCRIPT, str(source)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, cwd=package, stdout=pipe, stderr=pipe, text=True)


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.skipif(not JIT, reason="nothing is compiled in this lane")
def test_kernels_are_kept_across_processes_until_what_they_call_changes(tmp_path: Path, cache: Path) -> None:
    package = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "*.graphml", "*.nsim")
    shutil.copytree(Path(neurosim.__file__).parent, package / "neurosim", ignore=ignored)
    source = tmp_path / "source.py"
    source.write_text(KERNEL, encoding="utf-8")

    both = [start(package, cache, source) for _ in range(2)]  # at once: each finds a whole file or writes one
    for process in both:
        first = told(process)
        assert first["x"] == pytest.approx(np.e)
    again = told(start(package, cache, source))
    assert (again["compiled"], again["heard"], again["x"]) == ({}, [], first["x"])
    assert again["file"] == first["file"]

    callee = package / "neurosim" / "functions.py"
    text = callee.read_text(encoding="utf-8")
    assert text.count("    return 0.0 if x < _EXP_LOW else value") == 1
    callee.write_text(text.replace("0.0 if x < _EXP_LOW else value", "7.0 * value"), encoding="utf-8")
    changed = told(start(package, cache, source))
    assert changed["x"] == pytest.approx(7 * np.e)
    assert changed["compiled"] == {"grow": 1}
    assert changed["heard"] == [f"{Path(changed['file']).stem}.grow"]
    assert not list(cache.rglob("*.part"))
