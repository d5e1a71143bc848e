"""From an exception to a message on stderr and an exit code."""

from __future__ import annotations

import errno
import sys
import traceback

import click

from neurosim.errors import InvalidInput, NeurosimError

FAILED, USAGE, INVALID, UNEXPECTED, INTERRUPTED = 1, 2, 3, 4, 130


def explain(failure: BaseException, debug: bool = False) -> int:
    """Say on stderr what happened, in words for whoever caused it, and return the exit code.

    A user's mistake is a message and never a traceback; a traceback is shown with ``debug`` only.
    """
    if isinstance(failure, SystemExit):
        return failure.code if isinstance(failure.code, int) else (FAILED if failure.code else 0)
    if isinstance(failure, OSError) and failure.errno == errno.EPIPE:
        return 0  # whoever read our output has seen enough
    if debug and not isinstance(failure, click.exceptions.Exit):
        traceback.print_exception(failure, file=sys.stderr)
    if isinstance(failure, (click.Abort, KeyboardInterrupt)):
        say("interrupted", "yellow")
        return INTERRUPTED
    if isinstance(failure, click.ClickException):
        return _usage(failure)
    if isinstance(failure, NeurosimError):
        say_error(str(failure))
        return failure.exit_code
    if isinstance(failure, OSError):
        return _system(failure)
    if isinstance(failure, MemoryError):
        say_error(f"not enough memory{_detail(failure)}. `neurosim check` says how much a scenario needs.")
        return FAILED
    return _bug(failure, debug)


def say(message: str, colour: str | None = None) -> None:
    """Write one message to stderr, in colour on a terminal; a closed stderr is no reason to fail."""
    try:
        click.secho(message, err=True, fg=colour)
    except OSError:
        pass


def say_error(message: str) -> None:
    """Write ``error: message`` to stderr; a list of problems, one per line, stands as it is."""
    try:
        lone = "\n" not in message.strip() or message.split("\n", 1)[1].startswith(" ")
        head = "error: " if lone else ""
        click.echo(click.style(head, fg="red", bold=True) + message, err=True)
        if not head:
            problems = [line for line in message.splitlines() if not line.startswith(" ")]  # carets are indented
            click.secho(f"{len(problems)} problems found", err=True, fg="red", bold=True)
    except OSError:
        pass


def _usage(failure: click.ClickException) -> int:
    """Show a click error as click does, in our style: what is wrong, and where help stands."""
    if isinstance(failure, click.exceptions.NoArgsIsHelpError):
        click.echo(failure.format_message(), err=True)
        return USAGE
    say_error(failure.format_message())
    context = getattr(failure, "ctx", None)
    if context is not None:
        say(f"Try `{context.command_path} --help`.")
    return failure.exit_code if isinstance(failure, click.UsageError) else INVALID


def _system(failure: OSError) -> int:
    """Explain an error of the operating system by the file it is about."""
    reason = (failure.strerror or str(failure) or type(failure).__name__).lower()
    place = f"{failure.filename}: " if failure.filename else ""
    say_error(f"{place}{reason}")
    unreadable = isinstance(failure, (FileNotFoundError, IsADirectoryError, NotADirectoryError))
    return InvalidInput.exit_code if unreadable else FAILED


def _bug(failure: BaseException, debug: bool) -> int:
    """Own up to an error that no user can have caused."""
    say_error(f"this is a bug in neurosim: {type(failure).__name__}{_detail(failure)}")
    if not debug:
        say("Run it again with --debug to see where, and please report it.")
    return FAILED


def _detail(failure: BaseException) -> str:
    text = str(failure).strip()
    return f": {text.splitlines()[0][:300]}" if text else ""
