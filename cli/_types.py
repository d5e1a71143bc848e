"""Kinds of arguments that the commands share."""

from __future__ import annotations

import click

from neurosim.errors import NeurosimError


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
