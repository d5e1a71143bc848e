"""Everything that can go wrong in a way the user should read.

Every error a user can cause derives from `NeurosimError`. ``str(error)`` is the whole message: what was
found, what is allowed, the nearest valid name. ``exit_code`` is what the command line returns for it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LISTED = 12  # names shown in a message before "…"


class NeurosimError(Exception):
    """A failure that is reported to the user as a message, never as a traceback."""

    exit_code = 1


class UsageError(NeurosimError):
    """Wrong arguments, in Python or on the command line."""

    exit_code = 2


class InvalidInput(NeurosimError):
    """A scenario, an expression, a quantity or a file that cannot be accepted as it is."""

    exit_code = 3


class UnitError(InvalidInput):
    """A quantity that cannot be read, or whose unit does not fit."""


class UnknownName(InvalidInput):
    """A name that does not exist where it was looked up."""


class ExpressionError(InvalidInput):
    """An expression that cannot be accepted.

    Parameters
    ----------
    message : one sentence that says what is wrong.
    text : the expression as the user wrote it.
    position : 0-based character in ``text`` that the caret points at; None for the whole.
    """

    def __init__(self, message: str, text: str = "", position: int | None = None) -> None:
        super().__init__(message, text, position)
        self.message = message
        self.text = text
        self.position = position

    def __str__(self) -> str:
        if not self.text.strip():
            return self.message
        if self.position is None:
            return f"{self.message}\n    {_window(self.text, 0)[0]}"
        line, column = _line_at(self.text, self.position)
        shown, column = _window(line, column)
        return f"{self.message}\n    {shown}\n    {' ' * column}^"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a scenario, and where.

    ``path`` is dotted, e.g. ``populations.exc.size``; ``line`` is 1-based.
    """

    message: str
    file: str | None = None
    line: int | None = None
    path: str = ""

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place = f"{place}:{self.line}" if place else f"line {self.line}"
        about = f"{self.path}: " if self.path else ""
        return f"{place}: {about}{self.message}" if place else f"{about}{self.message}"


class ScenarioError(InvalidInput):
    """All problems of a scenario at once, one ``file:line: message`` line each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def suggest(name: str, candidates: Iterable[str]) -> str:
    """Return ``" Did you mean 'exc'?"`` for the candidate nearest to ``name``, or an empty string."""
    if not name or len(name) > 100:
        return ""
    known = list(candidates)
    by_case = {candidate.lower(): candidate for candidate in known}
    letters = sorted(name.lower())
    if name.lower() in by_case:
        close = [by_case[name.lower()]]
    else:  # letters in another order come first: a short name is below the cutoff, or another one as near
        close = [candidate for candidate in known if sorted(candidate.lower()) == letters][:1]
    close = close or difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def unknown(kind: str, name: object, candidates: Iterable[str], where: str = "") -> UnknownName:
    """Make the error for a name that does not exist.

    >>> str(unknown("population", "ecx", ["exc", "inh"]))
    "no population 'ecx'. Known: exc, inh. Did you mean 'exc'?"
    """
    known, wanted = list(candidates), str(name)
    place = f" {where}" if where else ""
    listed = f"Known: {_listing(known)}." if known else "There are none."
    return UnknownName(f"no {kind} {_quoted(wanted)}{place}. {listed}{suggest(wanted, known)}")


def _quoted(name: str) -> str:
    return repr(name) if len(name) <= 60 else repr(name[:60] + "…")


def _listing(names: Sequence[str]) -> str:
    more = f", … ({len(names)} in all)" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _line_at(text: str, position: int) -> tuple[str, int]:
    """Return the line of ``text`` that holds ``position``, and the column in it."""
    begin = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    return text[begin : end if end >= 0 else len(text)], position - begin


def _window(line: str, column: int, width: int = 90) -> tuple[str, int]:
    """Cut a long line to what surrounds ``column``, and return the column in that."""
    line = "".join(c if c.isprintable() else " " for c in line)  # so that the caret stands where it should
    begin = max(0, column - width + 20) if len(line) > width else 0
    end = begin + width
    left, right = ("…" if begin else ""), ("…" if end < len(line) else "")
    return left + line[begin:end] + right, column - begin + len(left)
