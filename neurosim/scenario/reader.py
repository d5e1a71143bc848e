"""Read a YAML file into plain values, remembering the line every value came from.

YAML 1.2: ``no`` is a word, ``010`` is ten, ``1e-3`` is a number. Only mappings, lists, text, numbers, booleans and
null are made; tags that name other types are refused. What a careless or hostile file can do is bounded before it
costs anything: its size, what aliases expand to, and how deeply it nests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurosim.errors import InvalidInput, Problem, ScenarioError

FILE_LIMIT = 1_000_000  # bytes; long tables (edges, positions) belong in files of their own
VALUE_LIMIT = 200_000  # values after aliases are expanded
DEPTH_LIMIT = 40

Location = tuple[str | int, ...]


@dataclass
class Document:
    """The values of one YAML file and where each stands.

    ``data`` is made of dict, list, str, int, float, bool and None. ``lines`` maps the location of a value (its keys
    and list indices from the root) to its 1-based line. ``blocks`` maps a text that was written as a block (after
    ``|``) to the line of its own first line. ``flags`` does the same as ``lines`` for values that came from a command
    line flag instead (see `neurosim.scenario.overrides`).
    """

    data: dict[str, Any]
    file: str
    text: str
    lines: dict[Location, int] = field(default_factory=dict)
    flags: dict[Location, str] = field(default_factory=dict)
    blocks: dict[Location, int] = field(default_factory=dict)

    def problem(self, location: Location, message: str, inside: int | None = None) -> Problem:
        """Return the `Problem` that points at ``location``, or at its nearest ancestor that has a line.

        ``inside`` is the line (from 0) within the text at ``location`` that it is about; the file's line is known
        where the text was written as a block.
        """
        path = ".".join(str(part) for part in location)
        for depth in range(len(location), -1, -1):
            if location[:depth] in self.flags:
                return Problem(message, self.flags[location[:depth]], None, path)
            if inside is not None and location[:depth] == location and location in self.blocks:
                return Problem(message, self.file, self.blocks[location] + inside, path)
            if location[:depth] in self.lines:
                return Problem(message, self.file, self.lines[location[:depth]], path)
        return Problem(message, self.file, 1, path)


def read(path: str | Path) -> Document:
    """Read a scenario file.

    Raises
    ------
    InvalidInput : the file cannot be read, is too large, is not text.
    ScenarioError : it is not valid YAML, has duplicate keys, or is not a mapping.
    """
    path = Path(path)
    return parse(_text(path), str(path))


def parse(text: str, file: str = "<text>") -> Document:
    """Parse YAML text whose root is a mapping; see `read`."""
    tree = _Tree(file)
    data, problems = _load(text, tree)
    if not problems and not isinstance(data, dict):
        found = "nothing" if data is None else f"a {_kind(data)}"
        problems = [Problem(f"a scenario is a mapping (`name: …`, `populations: …`), found {found}", file, 1)]
    if problems:
        raise ScenarioError(problems)
    return Document(data, file, text, tree.lines, blocks=tree.blocks)


def parse_value(text: str, source: str) -> Any:
    """Parse the value of a flag, such as ``20 ms``, ``100`` or ``{fixed_indegree: 40}``."""
    data, problems = _load(text, _Tree(source))
    if problems:
        raise ScenarioError([Problem(problem.message, source) for problem in problems])
    return data


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:  # bounded, so that neither a huge file nor an endless device is swallowed
            raw = stream.read(FILE_LIMIT + 1)
            size = max(len(raw), path.stat().st_size)
    except FileNotFoundError:
        raise InvalidInput(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InvalidInput(f"{path}: is a folder, a scenario is a YAML file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"{path}: cannot be read: {reason}") from None
    if raw.startswith(b"SQLite format 3\0"):
        raise InvalidInput(f"{path}: is a result file, not a scenario; `neurosim info {path}` shows what it holds")
    if len(raw) > FILE_LIMIT:
        raise InvalidInput(
            f"{path}: {size / 1e6:.1f} MB is too large for a scenario (at most {FILE_LIMIT / 1e6:g} MB); "
            "keep long tables in a graph file and name it with `from:` or `connect: {graph: …}`"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{path}:{line}: is not UTF-8 text (byte {raw[error.start]:#04x})") from None
    if "\0" in text:
        raise InvalidInput(f"{path}: is a binary file, a scenario is YAML text")
    return text


def _load(text: str, tree: _Tree) -> tuple[Any, list[Problem]]:
    """Return the value of a YAML text and what is wrong with it; ``tree`` takes the places."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        return None, [Problem(f"not valid YAML: {what}", tree.file, mark.line + 1 if mark else None)]
    except (YAMLError, ValueError) as error:
        return None, [Problem(f"not valid YAML: {str(error).splitlines()[0]}", tree.file)]
    except RecursionError:
        return None, [Problem("nests too deeply", tree.file)]
    if root is None:
        return None, []
    try:
        data = tree.value(root, (), ())
    except _TooLarge as error:
        tree.problems.append(error.problem)
        data = None
    return data, tree.problems


class _TooLarge(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Tree:
    """Turns composed nodes into values. Aliases are expanded, so each place can be overridden alone."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Location, int] = {}
        self.blocks: dict[Location, int] = {}
        self.problems: list[Problem] = []
        self.count = 0

    def refuse(self, node: Any, message: str) -> None:
        self.problems.append(Problem(message, self.file, node.start_mark.line + 1))

    def value(self, node: Any, location: Location, above: tuple[int, ...]) -> Any:
        self.count += 1
        line = node.start_mark.line + 1
        if id(node) in above:
            raise _TooLarge(Problem("an alias contains itself", self.file, line))
        if len(above) > DEPTH_LIMIT:
            raise _TooLarge(Problem("nests too deeply", self.file, line))
        if self.count > VALUE_LIMIT:
            message = f"its aliases expand to more than {VALUE_LIMIT} values"
            raise _TooLarge(Problem(message, self.file, line))
        self.lines.setdefault(location, line)
        above = (*above, id(node))
        if node.id == "mapping":
            return self.mapping(node, location, above)
        if node.id == "sequence":
            return [self.value(item, (*location, index), above) for index, item in enumerate(node.value)]
        if node.style == "|":
            self.blocks[location] = line + 1
        return self.scalar(node)

    def mapping(self, node: Any, location: Location, above: tuple[int, ...]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in self.pairs(node):
            key = key_node.value if key_node.id == "scalar" else None
            if key is None:
                self.refuse(key_node, "a key must be a name, found a list or mapping")
                continue
            line = key_node.start_mark.line + 1
            if key in first:
                self.refuse(key_node, f"duplicate key '{key}' (first on line {first[key]})")
                continue
            first[key] = line
            self.lines[(*location, key)] = line
            result[key] = self.value(value_node, (*location, key), above)
        return result

    def pairs(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Yield the pairs of a mapping, then those that `<<: *anchor` adds where the key is not there yet."""
        own = {key.value for key, _ in node.value if key.id == "scalar"}
        merged: list[Any] = []
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:merge":
                yield key, value
            else:
                merged += value.value if value.id == "sequence" else [value]
        for value in merged:
            if value.id != "mapping":
                self.refuse(value, "`<<` takes an alias of a mapping")
                continue
            for key, item in value.value:
                if key.id == "scalar" and key.value not in own:
                    own.add(key.value)
                    yield key, item

    def scalar(self, node: Any) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        text = node.value
        try:
            match kind:
                case "str" | "timestamp" | "merge" | "value":
                    return text
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return _integer(text)
                case "float":
                    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self.refuse(node, f"cannot read {text[:40]!r} as a number")
            return None
        self.refuse(node, f"the tag '{node.tag}' is not allowed in a scenario")
        return None


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    base = {"0o": 8, "0x": 16, "0b": 2}.get(digits[:2].lower(), 10)
    return int(digits if base == 10 else digits[2:], base) * (-1 if text.startswith("-") else 1)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "mapping"
    if isinstance(value, list):
        return "list"
    return "text" if isinstance(value, str) else "number"
