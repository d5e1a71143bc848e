"""Numbers as people read them: in pictures, and in what commands print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def count(number: float) -> str:
    """Write a number of things: ``9 731``, ``1.25 M``."""
    for limit, unit in ((1e9, "G"), (1e6, "M")):
        if abs(number) >= limit:
            return f"{number / limit:.3g} {unit}"
    return f"{number:,.0f}".replace(",", "\u202f")  # a narrow space that does not break


def span(milliseconds: float) -> str:
    """Write a time to three digits: ``5 ms``, ``1.53 s``."""
    from neurosim.units import format_quantity

    return format_quantity(float(f"{milliseconds:.3g}"), "ms")


def memory(megabytes: float) -> str:
    """Write an amount of memory: ``140 MB``, ``1.2 GB``."""
    if megabytes >= 1000:
        return f"{megabytes / 1e3:.1f} GB"
    return f"{megabytes:.0f} MB" if megabytes >= 1 else f"{megabytes * 1e3:.0f} kB"


def sign(outcome: Mapping[str, Any]) -> str:
    """Return the sign of an expectation's outcome: held, failed, or not evaluated."""
    return {"held": "✓", "failed": "✗"}.get(str(outcome.get("status")), "–")


def measured(outcome: Mapping[str, Any]) -> str:
    """Say what one expectation measured beside what it allows: ``5.25 Hz, expected 1 to 9 Hz``."""
    low, high = ("…" if bound is None else _plain(bound, 6) for bound in outcome.get("between") or (None, None))
    unit = f" {outcome['unit']}" if outcome.get("unit") else ""
    value = outcome.get("value")
    found = "not evaluated" if value is None else f"{_plain(value, 4)}{unit}"
    return f"{found}, expected {low if low == high else f'{low} to {high}'}{unit}"


def _plain(number: float, digits: int) -> str:
    """Write a number without an exponent where it is large."""
    return f"{number:.{digits}g}" if abs(number) < 1e4 else f"{number:,.0f}".replace(",", "\u202f")
