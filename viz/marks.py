"""What the protocol of a scenario did to the network, and when: the marks on a time axis."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neurosim.errors import NeurosimError

LIMIT = 20  # marks of one repeated entry; where there would be more, they are a texture: only the first is one


@dataclass(frozen=True)
class Mark:
    """Something the protocol did: from ``start`` to ``stop`` (ms; equal where it happened at once)."""

    start: float
    stop: float
    label: str
    caption: bool = False


def marks_from_scenario(text: str, duration: float) -> list[Mark]:
    """Return the marks of a scenario's protocol up to ``duration`` (ms), in order of time.

    Entries with ``when`` are left out: the text does not know when they came true. A text that cannot be read
    any more (an old result) has no marks.
    """
    from neurosim.scenario.reader import parse

    try:
        protocol = parse(text).data.get("protocol") if text.strip() else None
        entries = protocol if isinstance(protocol, list) else []
        found = [mark for entry in entries if isinstance(entry, dict) for mark in _marks(entry, duration)]
        found = _without_doubles(found)
    except NeurosimError:
        return []
    return sorted(found, key=lambda mark: (mark.start, mark.stop))


def _marks(entry: Mapping[str, Any], duration: float) -> Iterator[Mark]:
    actions = (entry, *entry.get("do", ()))
    said = next((str(action["caption"]) for action in actions if action.get("caption")), "")
    labels = [_label(action) for action in actions]
    label = short(said) or ", ".join(word for word in labels if word)
    lasting = max((_lasting(action) for action in (entry, *entry.get("do", ()))), default=0.0)
    for number, start in enumerate(_times(entry, duration)):
        yield Mark(start, min(start + lasting, duration), label if number == 0 else "", bool(said))


def _without_doubles(marks: Sequence[Mark]) -> list[Mark]:
    """Leave away what is done beside a caption at the same time: it says so better."""
    captioned = {mark.start for mark in marks if mark.caption}
    return [mark for mark in marks if mark.caption or mark.stop > mark.start or mark.start not in captioned]


def short(caption: str) -> str:
    """Return a caption as short as a mark needs it."""
    return textwrap.shorten(caption, 44, placeholder=" …")


def _times(entry: Mapping[str, Any], duration: float) -> Sequence[float]:
    if entry.get("when") is not None:
        return []
    if entry.get("at") is not None:
        at = _ms(entry["at"])
        return [at] if at < duration else []
    if entry.get("every") is None:
        return []
    period, begin = _ms(entry["every"]), entry.get("from")
    first = period if begin is None else _ms(begin)
    last = min(duration, _ms(entry["until"]) if entry.get("until") is not None else duration)
    number = int(max(0.0, (last - first) / period)) + 1 if period > 0 else 0
    times = [first + k * period for k in range(min(number, LIMIT + 1)) if first + k * period < last]
    return times if len(times) <= LIMIT else times[:1]


def _lasting(action: Mapping[str, Any]) -> float:
    stimulus = action.get("stimulate")
    return _ms(stimulus["for"]) if isinstance(stimulus, dict) and "for" in stimulus else 0.0


def _label(action: Mapping[str, Any]) -> str:
    """Say in a few words what an action does: ``stimulate cue``, ``lesion exc``, ``set drive.rate``."""
    words = []
    for verb in ("stimulate", "lesion"):
        target = action.get(verb)
        if isinstance(target, dict):
            names = (target.get(key) for key in ("group", "population", "projection"))
            words.append(f"{verb} {next((name for name in names if name), '')}".strip())
    changed = action.get("set")
    if isinstance(changed, dict):
        where = action.get("on")
        on = f" on {', '.join([where] if isinstance(where, str) else where)}" if where else ""
        words += [
            f"{path.removeprefix('inputs.').removeprefix('populations.')} → {value}{on}"
            for path, value in changed.items()
        ]
    return ", ".join(words)


def _ms(value: Any) -> float:
    from neurosim.units import quantity

    return quantity(value, "ms")
