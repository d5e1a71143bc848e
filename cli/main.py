"""The ``neurosim`` command: finds its commands, and turns every failure into one message and one exit code.

Exit codes: 0 done, 1 the run failed, 2 wrong usage, 3 invalid scenario or file, 4 the run was fine but its
``expect:`` did not hold, 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from neurosim.cli._announced import ANNOUNCED, announced_command
from neurosim.cli._exits import INTERRUPTED, explain
from neurosim.errors import suggest

_EPILOG = """\b
Exit codes: 0 done, 1 the run failed, 2 wrong usage, 3 invalid scenario or file,
            4 the run was fine but its `expect:` did not hold, 130 interrupted.
Completion: eval "$(_NEUROSIM_COMPLETE=bash_source neurosim)"   (or zsh_source, fish_source)
"""
_NOT_COMMANDS = {"main"}


class CommandGroup(click.Group):
    """A group whose commands are the modules of this folder, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands that exist, then the announced ones."""
        built = _built()
        return built + [name for name in ANNOUNCED if name not in built]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; None if there is none of that name."""
        if cmd_name in _built():
            command: click.Command = importlib.import_module(f"neurosim.cli.{cmd_name}").command
            return command
        return announced_command(cmd_name) if cmd_name in ANNOUNCED else None

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Read the arguments (and answer ``--help``)."""
        with _quiet_pipe():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        with _quiet_pipe():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was asked for, or say which one may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as failure:
            hint = suggest(args[0], self.list_commands(ctx)) if args else ""
            raise click.UsageError(f"there is no command '{args[0]}'.{hint}", ctx) from failure

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List what is built and what is only announced under two headings."""
        built = _built()
        sections = {
            "Commands": built,
            "Announced, not built yet": [name for name in ANNOUNCED if name not in built],
        }
        for heading, names in sections.items():
            rows = [(name, _summary(self.get_command(ctx, name))) for name in names]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run the command line and leave the process with the exit code of what happened."""
        given = list(sys.argv[1:] if args is None else args)
        given, debug = _take_debug(given)
        extra["standalone_mode"] = False
        extra.setdefault("prog_name", "neurosim")
        _prepare_streams(debug)
        try:
            code = super().main(given, *rest, **extra)
            sys.stdout.flush()
        except BaseException as failure:  # noqa: BLE001 (the last place where any failure can be explained)
            code = explain(failure, debug)
        _leave(code if isinstance(code, int) else 0)


def _prepare_streams(debug: bool) -> None:
    """Write what the terminal's encoding lacks as ``?``, and nothing of what Python has to ignore anyway."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if not debug:  # Ctrl-C in the middle of loading leaves halves of objects that cannot be tidied up
        sys.unraisablehook = lambda unraisable: None


def _built() -> list[str]:
    """Return the names of the command modules of this folder."""
    folder = os.path.dirname(__file__)
    names = (module.name for module in pkgutil.iter_modules([folder]))
    return sorted(name for name in names if not name.startswith("_") and name not in _NOT_COMMANDS)


@contextmanager
def _quiet_pipe() -> Iterator[None]:
    """End quietly, and well, when whoever reads our output has seen enough (``| head``)."""
    try:
        yield
    except BrokenPipeError:
        raise click.exceptions.Exit(0) from None


def _summary(command: click.Command | None) -> str:
    return command.get_short_help_str(limit=90) if command else ""


def _take_debug(args: list[str]) -> tuple[list[str], bool]:
    """Take ``--debug`` out of the arguments, wherever it stands, so that it may follow the command too."""
    debug = os.environ.get("NEUROSIM_DEBUG", "") not in ("", "0")
    end = args.index("--") if "--" in args else len(args)
    kept = [word for word in args[:end] if word != "--debug"]
    return kept + args[end:], debug or len(kept) < end


def _leave(code: int) -> NoReturn:
    """Exit; what the interpreter still has to flush may meet a closed pipe, which is nobody's error."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _silence(stream)
    sys.exit(code)


def _silence(stream: Any) -> None:
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):  # a stream without a descriptor has nothing left to flush
        pass


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from neurosim import __version__

        click.echo(f"neurosim {__version__}")
        ctx.exit()


@click.group(cls=CommandGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    help="Show the traceback of a failure (also NEUROSIM_DEBUG=1).",
)
def app() -> None:
    """Spiking networks whose structure is alive: run them, look at them, take the graph away."""


def main() -> NoReturn:
    """Entry point of the ``neurosim`` script."""
    try:
        app.main()
    except KeyboardInterrupt:  # a second Ctrl-C while the first is being reported
        os._exit(INTERRUPTED)
