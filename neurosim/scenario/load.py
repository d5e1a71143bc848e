"""From a file to a checked scenario: read, override, shape, check; all problems at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neurosim.errors import InvalidInput, Problem, ScenarioError, suggest
from neurosim.scenario import checks, expect, learning, limits, protocol, recording, structure_checks
from neurosim.scenario.checker import Checker
from neurosim.scenario.overrides import override
from neurosim.scenario.reader import Document, read
from neurosim.scenario.schema import Spec
from neurosim.scenario.shape import shape
from neurosim.units import format_quantity


@dataclass
class Scenario:
    """A scenario that can be built: everything in it has been checked.

    ``document`` knows where every value came from; ``settings`` are the command line's changes, as written.
    """

    document: Document
    spec: Spec
    settings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name, or its file's."""
        return self.spec.header.name or Path(self.document.file).stem

    @property
    def folder(self) -> Path:
        """The folder that file names in it are relative to."""
        return Path(self.document.file).parent

    @property
    def duration(self) -> float:
        """How long it runs, in ms."""
        return self.spec.header.duration

    @property
    def text(self) -> str:
        """The file as it was read."""
        return self.document.text

    @property
    def notes(self) -> list[str]:
        """What will not happen because the run ends before it, in words."""
        end = format_quantity(self.duration, "ms")
        late = [
            (location, time)
            for location, time in (
                *((("protocol", i), entry.at or entry.start or 0.0) for i, entry in self.spec.protocol.items()),
                *((("expect", i), expect.needed(entry)) for i, entry in self.spec.expect.items()),
            )
            if time > self.duration
        ]
        return [
            str(self.document.problem(location, f"{format_quantity(time, 'ms')} lies beyond the run ({end}): not "
                                      + ("evaluated" if location[0] == "expect" else "reached")))
            for location, time in late
        ]  # fmt: skip


def load(
    path: str | Path,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    duration: float | str | None = None,
) -> Scenario:
    """Read and check a scenario file.

    Parameters
    ----------
    path : the YAML file, or the name of an example (``"brunel"``) where there is no such file.
    overrides : ``path=value`` texts, as after ``--set``.
    seed, duration : replace the scenario's own (ms, or a text with a unit).

    Raises
    ------
    ScenarioError : everything that is wrong with it, ``file:line: message``.
    InvalidInput : the file cannot be read.
    """
    document = read(_find(path))
    override(document, overrides, seed, duration)
    settings = tuple(document.flags.values())
    spec, problems = shape(document)
    checker = Checker(document, spec)
    for part in (checks, learning, structure_checks, protocol, recording, expect, limits):
        part.check(checker)
    problems += checker.problems
    if problems:
        raise ScenarioError(_in_order(problems))
    return Scenario(document, spec, settings)


def _find(path: str | Path) -> Path:
    """Return the file; an example's if ``path`` is the bare name of one."""
    from neurosim import scenarios

    file = Path(path)
    if file.exists() or file.name != str(path):
        return file
    if file.stem in scenarios.names() and file.suffix in ("", ".yaml"):
        return scenarios.path(file.stem)
    nearby = suggest(str(path), [*(f.name for f in file.parent.glob("*.y*ml")), *scenarios.names()])
    raise InvalidInput(f"{path}: no such file.{nearby} Examples: {', '.join(scenarios.names())}.")


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Return each problem once: those of flags first, then by line."""
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda problem: (problem.line is not None, problem.line or 0))
