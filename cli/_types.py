"""Kinds of arguments that the commands share."""

from __future__ import annotations

import re
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


class Size(click.ParamType[tuple[int, int]]):
    """A size in pixels such as ``1280x720``, even numbers (movies need them). Converts to (width, height)."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return (width, height); a usage error if it is none."""
        parts = re.fullmatch(r"(\d{2,5})[x×](\d{2,5})", str(value).strip())
        if parts is None or not all(64 <= int(side) <= 8192 and int(side) % 2 == 0 for side in parts.groups()):
            self.fail(f"{value!r} is not a size: two even numbers of pixels, 64 to 8192, as in 1280x720", param, ctx)
        return int(parts[1]), int(parts[2])


SIZE = Size()


def check_picture(target: Path) -> None:
    """Refuse a place that cannot be drawn to before the work is done."""
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent} to draw {target.name} into.")
    if target.is_dir():
        raise UsageError(f"{target} is a folder; give the name of a picture.")
    if target.suffix in (".nsim", ".yaml"):
        raise UsageError(f"{target} would overwrite a file of its kind; a picture ends in .png, .pdf or .svg.")
