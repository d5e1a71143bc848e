"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import neurosim

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

ROOT = Path(__file__).parent.parent
LINKED = ("benchmarks", "cli", "scenarios", "viz")  # top-level folders that are imported as neurosim.…
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# Each may import what stands lower; neighbours on one floor only in one direction.
FLOORS = {
    "cli": 5,
    "viz": 5,
    "benchmarks": 5,
    "formats": 4,
    "scenario": 4,
    "scenarios": 4,
    "record": 3,
    "engine": 2,
    "graph": 1,
    "models": 1,
    "errors": 0,
    "units": 0,
    "memory": 0,
    "rng": 0,
    "expressions": 0,
    "compiled": 0,
    "uncompiled": 0,
    "functions": 0,
    "generated": 0,
}
# Imported nowhere but in the rooms and extras that exist for them.
HEAVY = {"torch", "torch_geometric", "brian2", "nest", "vtk", "pyvista", "sympy", "scipy", "h5py", "optuna"}
# One file for each that the core needs after all, on first use.
HEAVY_IN = {"neurosim/graph/space.py": {"scipy"}}
# What `import neurosim` may not load: it has to start quickly and on machines that have none of these.
NOT_AT_IMPORT = HEAVY | {"pydantic", "ruamel", "matplotlib", "click", "rich", "platformdirs", "asyncio"}
TEXT = {".py", ".md", ".toml", ".txt", ".yaml", ".json", ".graphml", ".gexf", ".csv", ""}


def _sources() -> list[Path]:
    """Every module of the package, by its real place (links not followed)."""
    return sorted(path for top in ("neurosim", *LINKED) for path in _walk(ROOT / top) if path.suffix == ".py")


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name == "__pycache__" or path.is_symlink():
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def _module(path: Path) -> str:
    """The one name under which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "neurosim" else ("neurosim", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _for_types_only(tree: ast.Module) -> set[ast.AST]:
    """What stands under ``if TYPE_CHECKING:`` is never run."""
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    return {inner for block in blocks for statement in block.body for inner in ast.walk(statement)}


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, full dotted name) of every import that is run, those inside functions too."""
    tree, module = _tree(path), _module(path)
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    skipped = _for_types_only(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{prefix}.{alias.name}") for alias in node.names)


def _room(name: str) -> str | None:
    """The room that a dotted name belongs to; None outside the package and for ``neurosim`` itself."""
    parts = name.split(".")
    return parts[1] if parts[0] == "neurosim" and len(parts) > 1 and parts[1] in FLOORS else None


def _project_files() -> list[Path]:
    """All text files that belong to the project."""
    folders = ("neurosim", *LINKED, "tests", "docs", ".ci")
    inside = [path for folder in folders for path in _walk(ROOT / folder)]
    above = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]  # a file in a worktree
    return [path for path in (*above, *inside) if path.suffix in TEXT]


# ---- floors ------------------------------------------------------------------------------------


def _uses() -> Iterator[tuple[str, str, str]]:
    """(room, other room that it imports, place of the import)."""
    for path in _sources():
        room = _room(_module(path))
        for line, name in _imports(path):
            other = _room(name)
            if room and other and other != room:
                yield room, other, f"{_place(path)}:{line}: {room} imports {name}"


def test_imports_never_go_up() -> None:
    wrong = [place for room, other, place in _uses() if FLOORS[other] > FLOORS[room]]
    assert not wrong, "\n".join(wrong)


def test_rooms_do_not_import_in_circles() -> None:
    """Rooms of one floor may use each other, in one direction."""
    uses: dict[str, set[str]] = {room: set() for room in FLOORS}
    for room, other, _ in _uses():
        uses[room].add(other)
    while free := [room for room, others in uses.items() if not others & uses.keys()]:
        for room in free:
            del uses[room]
    assert not uses


def test_every_room_has_a_floor() -> None:
    inside = [p for p in (ROOT / "neurosim").iterdir() if p.suffix == ".py" or p.is_dir()]
    assert {p.stem for p in inside} - {"__init__", "__pycache__"} <= FLOORS.keys()


def test_rooms_are_not_reached_through_the_front_door() -> None:
    """``from neurosim import Network`` in a room would hide which floor is used."""
    wrong = [
        f"{_place(path)}:{line}: {name}"
        for path in _sources()
        for line, name in _imports(path)
        if (room := _room(_module(path))) and FLOORS[room] < max(FLOORS.values())
        if name.split(".")[0] == "neurosim" and not _room(name) and name != "neurosim.__version__"
    ]
    assert not wrong, "\n".join(wrong)


def test_only_compiled_imports_numba() -> None:
    users = {
        _place(path)
        for path in _sources()
        for _, name in _imports(path)
        if name.split(".")[0] in {"numba", "llvmlite"}
    }
    assert users <= {"neurosim/compiled.py"}


def test_the_core_imports_nothing_heavy() -> None:
    wrong = [
        f"{_place(path)}:{line}: {name}"
        for path in _sources()
        if path.is_relative_to(ROOT / "neurosim") or path.is_relative_to(ROOT / "cli")
        for line, name in _imports(path)
        if name.split(".")[0] in HEAVY - HEAVY_IN.get(_place(path), set())
    ]
    assert not wrong, "\n".join(wrong)


def test_nobody_imports_the_linked_folders_by_their_bare_names() -> None:
    wrong = [
        f"{_place(path)}:{line}: {name}"
        for path in (*_sources(), *(ROOT / "tests").rglob("*.py"))
        for line, name in _imports(path)
        if name.split(".")[0] in LINKED
    ]
    assert not wrong, "\n".join(wrong)


def test_import_is_light() -> None:
    """Beyond what numpy, numba and networkx load themselves."""
    code = (
        "import sys, numpy, numba, networkx; before = set(sys.modules); import neurosim; "
        "neurosim.Network, neurosim.place, neurosim.connectors, neurosim.kernels; import neurosim.graph.space; "
        "print(*sorted({name.split('.')[0] for name in sys.modules.keys() - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & NOT_AT_IMPORT


# ---- packaging ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LINKED)
def test_linked_folder(name: str) -> None:
    link = ROOT / "neurosim" / name
    assert link.is_symlink()
    assert link.readlink() == Path("..") / name
    assert (ROOT / name / "__init__.py").is_file()
    assert PYPROJECT["tool"]["setuptools"]["package-dir"][f"neurosim.{name}"] == name


def test_package_list_agrees_with_the_folders() -> None:
    folders = {_module(path) for path in _sources() if path.name == "__init__.py"}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == folders


def test_every_folder_with_modules_is_a_package() -> None:
    bare = {_place(path) for path in _sources() if not path.with_name("__init__.py").is_file()}
    assert not bare


def test_scenarios_ship_with_the_package() -> None:
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["neurosim.scenarios"]
    data = [path for path in _walk(ROOT / "scenarios") if path.suffix != ".py"]
    left_behind = [_place(path) for path in data if not any(path.match(pattern) for pattern in patterns)]
    assert not left_behind


def test_one_version() -> None:
    assert neurosim.__version__ == PYPROJECT["project"]["version"]
    assert f"## [{neurosim.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_dependencies_are_pinned_once() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==")[0].lower() for line in lines if line and not line.startswith("#")]
    assert len(pins) == len(set(pins))
    core = {re.split(r"[><=\[]", d)[0].lower() for d in PYPROJECT["project"]["dependencies"]}
    assert core <= set(pins)


# ---- reading -----------------------------------------------------------------------------------


def test_files_stay_short() -> None:
    code = [p for p in _project_files() if p.suffix == ".py"]
    lengths = {_place(p): len(p.read_text(encoding="utf-8").splitlines()) for p in code}
    assert not {place: n for place, n in lengths.items() if n >= 400}


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    private = re.compile(r"(?<![\w./~-])/(?:work|tmp|home|Users)/")
    wrong = [
        f"{_place(path)}:{number}: {line.strip()}"
        for path in _project_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if private.search(line)
    ]
    assert not wrong, "\n".join(wrong)


@cache
def _classes() -> dict[str, ast.ClassDef]:
    nodes = [node for path in _sources() for node in _tree(path).body]
    return {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}


def _public(body: list[ast.stmt]) -> Iterator[Definition]:
    return (n for n in body if isinstance(n, Definition) and not n.name.startswith("_"))


def _documented(owner: ast.ClassDef) -> set[str]:
    """The methods of a class that it, or a class of ours that it derives from, documents."""
    names = {node.name for node in _public(owner.body) if ast.get_docstring(node)}
    bases = [ast.unparse(base).split("[")[0].split(".")[-1] for base in owner.bases]
    return names.union(*(_documented(_classes()[base]) for base in bases if base in _classes()))


def _silent(path: Path) -> Iterator[str]:
    """Module-level functions and classes, and methods of such classes, without a docstring."""
    for node in _public(_tree(path).body):
        if not ast.get_docstring(node):
            yield f"{_place(path)}:{node.lineno}: {node.name}"
        if isinstance(node, ast.ClassDef) and not any("Protocol" in ast.unparse(base) for base in node.bases):
            for method in _public(node.body):
                if method.name not in _documented(node):
                    yield f"{_place(path)}:{method.lineno}: {node.name}.{method.name}"


def test_every_module_says_what_it_is_for() -> None:
    assert not [_place(p) for p in _sources() if not ast.get_docstring(_tree(p))]


def test_public_names_have_docstrings() -> None:
    """In public modules: no part of the path begins with an underscore. A Protocol speaks for its members."""
    public = [p for p in _sources() if not any(part.startswith("_") for part in _module(p).split("."))]
    silent = [line for path in public for line in _silent(path)]
    assert not silent, "\n".join(silent)


def test_nothing_unfinished_is_called_done() -> None:
    marks = re.compile(r"\b(?:NotImplemented" + r"Error|TO" + r"DO|FIX" + r"ME)\b")
    wrong = [
        f"{_place(path)}:{number}: {line.strip()}"
        for path in _project_files() if path.suffix == ".py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]  # fmt: skip
    assert not wrong, "\n".join(wrong)


# ---- documents ---------------------------------------------------------------------------------


def test_links_between_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
    broken = [
        f"{_place(path)}: {target}"
        for path in _project_files() if path.suffix == ".md"
        for target in link.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]  # fmt: skip
    assert not broken, "\n".join(broken)
