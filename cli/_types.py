"""Kinds of arguments that the commands share."""

from __future__ import annotations

from pathlib import Path

import click

from neurosim.errors import NeurosimError, UsageError


class Time(click.ParamType[float]):
    """A time such as ``"2 s"``; a plain number is ms. Converts to float ms."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return ``value`` in ms; a usage error if it is no positive time."""
        from neurosim.units import quantity

        try:
            time = quantity(_number(value), "ms", "it")
        except NeurosimError as failure:
            self.fail(str(failure), param, ctx)
        if time <= 0:
            self.fail(f"{value!r} is not a positive time", param, ctx)
        return time


def _number(value: object) -> object:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return value


TIME = Time()


def check_picture(target: Path) -> None:
    """Refuse a place that cannot be drawn to before the work is done."""
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent} to draw {target.name} into.")
    if target.is_dir():
        raise UsageError(f"{target} is a folder; give the name of a picture.")
    if target.suffix in (".nsim", ".yaml"):
        raise UsageError(f"{target} would overwrite a file of its kind; a picture ends in .png, .pdf or .svg.")
