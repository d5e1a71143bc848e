"""Physical quantities: one table of units, one parser, one way to say what was wrong.

Inside, every quantity is a plain float in the unit that its owner documents. The coherent system is ms, mV,
pA, um, from which pF = pA*ms/mV and nS = pA/mV follow, so that equations in it need no factors.

A unit is written ``ms``, ``1/ms``, ``mV/ms``, ``nS/cm^2``, ``pA*ms``; factors are applied from left to right,
as in Python, and powers are written ``^2`` or ``**2``. Noise needs half powers: ``1/sqrt(ms)``, ``ms^1.5``.
Names are case-sensitive: ``MS`` is megasiemens, never a time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from neurosim.errors import UnitError, suggest

Exponent = int | Fraction  # whole numbers and halves
Dimension = tuple[Exponent, Exponent, Exponent, Exponent]  # of time, voltage, current and length

_COHERENT = ("ms", "mV", "pA", "um")
_NO_DIMENSION: Dimension = (0, 0, 0, 0)
_MEANING = {
    _NO_DIMENSION: "a plain number",
    (1, 0, 0, 0): "a time",
    (-1, 0, 0, 0): "a rate",
    (0, 1, 0, 0): "a voltage",
    (0, 0, 1, 0): "a current",
    (0, 0, 0, 1): "a length",
    (-1, 0, 0, 1): "a velocity",
    (0, -1, 1, 0): "a conductance",
    (0, 1, -1, 0): "a resistance",
    (1, -1, 1, 0): "a capacitance",
}
_LONGEST = 200  # characters of a quantity; bounds the work that a hostile text can ask for


@dataclass(frozen=True)
class Unit:
    """A scale relative to the coherent system (ms, mV, pA, um), and a dimension.

    The scale is an exact fraction, so that converting a written quantity rounds once. ``name`` is how the
    unit was written and does not take part in comparisons.
    """

    scale: Fraction
    dimension: Dimension
    name: str = field(default="", compare=False)

    def __mul__(self, other: Unit) -> Unit:
        time, voltage, current, length = (a + b for a, b in zip(self.dimension, other.dimension, strict=True))
        return Unit(_tidy(self.scale * other.scale), (time, voltage, current, length))

    def __truediv__(self, other: Unit) -> Unit:
        return self * other**-1

    def __pow__(self, power: Exponent) -> Unit:
        time, voltage, current, length = self.dimension
        scale = self.scale ** int(power) if power == int(power) else _root(self.scale ** int(2 * power))
        return Unit(_tidy(scale), (time * power, voltage * power, current * power, length * power))

    @property
    def root(self) -> Unit | None:
        """The square root of the unit; None if it would need quarters of powers."""
        return None if self.is_half else self ** Fraction(1, 2)

    @property
    def is_half(self) -> bool:
        """Whether a half power takes part in it."""
        return any(n.denominator > 1 for n in self.dimension)

    @property
    def coherent(self) -> Unit:
        """The unit of the same dimension in the coherent system."""
        return Unit(Fraction(1), self.dimension)

    @property
    def meaning(self) -> str:
        """What the unit measures, e.g. ``a time``; the unit itself where the dimension has no name."""
        return _MEANING.get(self.dimension) or f"a quantity in {self}"

    def __str__(self) -> str:
        if self.name or self == PLAIN:
            return self.name
        for name, unit in UNITS.items():
            if unit == self:
                return name
        factor = "" if self.scale == 1 else f"{float(self.scale):g} "
        return factor + _composed(self.dimension)


def _root(scale: Fraction) -> Fraction:
    """The square root to 240 digits: ``sqrt(s)`` is 31.6… ``sqrt(ms)``. Sevens because no scale has them to cancel."""
    return Fraction(math.isqrt(scale.numerator * scale.denominator * 7**568), scale.denominator * 7**284)


def _tidy(scale: Fraction) -> Fraction:
    """Undo the rounding of roots: a scale is a simple fraction, or the root of one."""
    if min(scale.numerator, scale.denominator) < 10**100:
        return scale
    if scale < 1:
        return 1 / _tidy(1 / scale)
    near = scale.limit_denominator(10**20)
    return near if abs(near - scale) < scale / 10**200 else _root((scale * scale).limit_denominator(10**20))


def _composed(dimension: Dimension) -> str:
    """Write a dimension in coherent units, numerator first: ``pA*ms/mV``, ``1/ms^2``, ``mV/sqrt(ms)``."""
    above = [_power(name, n) for name, n in zip(_COHERENT, dimension, strict=True) if n > 0]
    below = [_power(name, -n) for name, n in zip(_COHERENT, dimension, strict=True) if n < 0]
    return "/".join(["*".join(above) or "1", *below])


def _power(name: str, exponent: Exponent) -> str:
    if exponent == 1:
        return name
    return f"sqrt({name})" if 2 * exponent == 1 else f"{name}^{float(exponent):g}"


PLAIN = Unit(Fraction(1), _NO_DIMENSION)
"""The unit of a number without one."""

# Base unit -> decimal exponent of its scale, dimension, prefixes it is used with. Time has no prefix above
# one: a "Ms" is far more likely a slip of the finger than a span of eleven days.
_BASES: dict[str, tuple[int, Dimension, str]] = {
    "s": (3, (1, 0, 0, 0), " m u µ μ n p"),
    "V": (3, (0, 1, 0, 0), " k m u µ μ n"),
    "A": (12, (0, 0, 1, 0), " k m u µ μ n p f"),
    "F": (12, (1, -1, 1, 0), " m u µ μ n p f"),
    "S": (9, (0, -1, 1, 0), " M k m u µ μ n p f"),
    "ohm": (-9, (0, 1, -1, 0), " m k M G T"),
    "Ohm": (-9, (0, 1, -1, 0), " m k M G T"),
    "Ω": (-9, (0, 1, -1, 0), " m k M G T"),
    "m": (6, (0, 0, 0, 1), " k c m u µ μ n"),
    "Hz": (-3, (-1, 0, 0, 0), " m k M G"),
}
_PREFIXES = {
    "": 0, "T": 12, "G": 9, "M": 6, "k": 3, "c": -2, "m": -3,
    "u": -6, "µ": -6, "μ": -6, "n": -9, "p": -12, "f": -15,
}  # fmt: skip


def _table() -> Iterator[tuple[str, Unit]]:
    for base, (exponent, dimension, prefixes) in _BASES.items():
        for prefix in prefixes.split(" "):
            name = prefix + base
            yield name, Unit(Fraction(10) ** (exponent + _PREFIXES[prefix]), dimension, name)
    yield "min", Unit(Fraction(60_000), (1, 0, 0, 0), "min")
    yield "h", Unit(Fraction(3_600_000), (1, 0, 0, 0), "h")


UNITS: dict[str, Unit] = dict(_table())
"""Every unit that has a name of its own."""

_FACTOR = re.compile(
    r"\s*(?:sqrt\s*\(\s*(?P<root>[^\W\d_]+)\s*\)|(?P<name>[^\W\d_]+|1))"
    r"\s*(?:(?:\^|\*\*)\s*(?P<power>-?(?:[1-9][0-9]?(?:\.[05])?|0\.5))(?![\d.]))?\s*"
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITY = re.compile(r"[+-]?inf(?![^\W\d_])")


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> Unit:
    """Read a unit such as ``mV``, ``1/ms``, ``nS/cm^2``, ``mV/sqrt(ms)``; ``""`` and ``"1"`` are plain numbers.

    Raises UnitError, with the nearest name, if it cannot be read.
    """
    written = text.strip()
    if written in ("", "1"):
        return PLAIN
    if len(written) > _LONGEST:
        raise UnitError(f"a unit of {len(written)} characters is too long (at most {_LONGEST})")
    unit, place, sign = PLAIN, 0, "*"
    while True:
        factor = _FACTOR.match(written, place)
        if factor is None:
            raise UnitError(f"cannot read the unit '{written}'. Write it like 'mV', '1/ms' or 'nS/cm^2'.")
        power = Fraction(factor["power"] or 1) / (2 if factor["root"] else 1)
        if power.denominator > 2:
            raise UnitError(f"cannot read the unit '{written}': half powers are as far as it goes.")
        unit = unit * _named(factor["name"] or factor["root"]) ** (power if sign == "*" else -power)
        place = factor.end()
        if place == len(written):
            return Unit(unit.scale, unit.dimension, "" if unit == PLAIN else written)
        sign = written[place]
        if sign not in "*/·":
            raise UnitError(f"cannot read the unit '{written}'. Join units with * or /.")
        sign, place = ("/" if sign == "/" else "*"), place + 1


def _named(name: str) -> Unit:
    if name == "1":
        return PLAIN
    if name not in UNITS:
        raise UnitError(f"no unit '{name}'.{suggest(name, UNITS)}")
    return UNITS[name]


def quantity(value: Any, unit: str, what: str = "value", *, infinite: bool = False) -> float:
    """Read one quantity and return it as a float in ``unit``.

    Parameters
    ----------
    value : a number (taken to be in ``unit``), a text such as ``"20 ms"``, ``"-65mV"`` or ``"1e-3 s"``, or a
        quantity of brian2 or pint. A text is converted with one rounding: ``"0.07 s"`` is exactly 70.0 ms.
        Digits are not grouped (``1_000`` is refused).
    unit : the unit of the result.
    what : names the quantity in messages.
    infinite : whether infinity (``math.inf``, ``"inf"``) is allowed. NaN never is.

    Raises UnitError.
    """
    target = parse_unit(unit)
    if isinstance(value, str):
        number = _from_text(value, target, what)
    elif isinstance(value, bool | np.bool_):
        raise UnitError(f"{what} must be {_expected(target)}, found {value!r}")
    elif isinstance(value, int | float | np.integer | np.floating):
        number = _plain(value, what)
    else:
        converted = _converted(value, target, what)
        if converted.ndim:
            raise UnitError(f"{what} must be one value, found an array of shape {converted.shape}")
        number = float(converted)
    if math.isnan(number) or (math.isinf(number) and not infinite):
        raise UnitError(f"{what} must be finite, found {_shown(value)}")
    return number


def quantities(values: Any, unit: str, what: str = "values") -> npt.NDArray[np.float64]:
    """Read many quantities and return a new float64 array in ``unit``.

    ``values`` is an array of numbers, a (nested) sequence of what `quantity` takes, or an array quantity of
    brian2 or pint. Raises UnitError.
    """
    target = parse_unit(unit)
    if isinstance(values, list | tuple) and not all(type(item) in (int, float) for item in values):
        rows = [quantities(item, unit, what) if isinstance(item, list | tuple) else quantity(item, unit, what)
                for item in values]  # fmt: skip
        values = _array(rows, what)
    array = _converted(values, target, what)
    if not np.isfinite(array).all():
        raise UnitError(f"{what} must be finite, found {float(array[~np.isfinite(array)][0])}")
    return array


def _plain(value: Any, what: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise UnitError(f"{what} must be finite, found an integer that is too large") from None


def _from_text(text: str, target: Unit, what: str) -> float:
    written = text.strip()
    number = (_NUMBER.match(written) or _INFINITY.match(written)) if len(written) <= _LONGEST else None
    rest = written[number.end() :].strip() if number else "?"
    if number is None or rest[:1] in ("_", ",", "."):
        raise UnitError(f"{what} must be {_expected(target)}, found {_shown(text)}")
    try:
        found = parse_unit(rest) if rest else target
    except UnitError as error:
        hint = suggest(rest, _of_dimension(target))
        why = f"no unit '{rest}'.{hint}" if hint else str(error)
        raise UnitError(f"{what} must be {_expected(target)}, found {_shown(text)}: {why}") from None
    _check(found, target, text, what)
    return _scaled_text(number[0], found.scale / target.scale)


def _scaled_text(number: str, ratio: Fraction) -> float:
    """Multiply a decimal number by an exact ratio with one rounding."""
    value = float(number)
    if value == 0 or not math.isfinite(value):  # Fraction would write out the zeros of 1e-999999999
        return value
    try:
        return float(Fraction(number) * ratio)
    except OverflowError:
        return math.copysign(math.inf, value)


def convert(value: float, source: Unit, target: Unit) -> float:
    """Convert a float between two units of one dimension, reading it as the decimal it prints as."""
    if source.scale == target.scale:
        return value
    return _scaled_text(repr(float(value)), source.scale / target.scale)


def _converted(value: Any, target: Unit, what: str) -> npt.NDArray[np.float64]:
    """Return numbers, or a quantity of another library, as a new float64 array in ``target``."""
    if hasattr(value, "magnitude") and hasattr(value, "to"):
        value, scale = _from_pint(value, target, what)
    elif hasattr(value, "get_best_unit") or hasattr(value, "dimensions"):
        value, scale = _from_brian2(value, target, what)
    else:
        scale = target.scale
    if isinstance(value, list | tuple | np.ndarray) or np.isscalar(value):
        array = _array(value, what)
    else:
        raise UnitError(f"{what} must be {_expected(target)}, found {_shown(value)}")
    if scale == target.scale:
        return array
    if array.ndim == 0:  # 15 digits hide the rounding of 100*um = 9.999999999999999e-05 m
        return np.array(_scaled_text(f"{float(array):.15g}", scale / target.scale))
    ratio = scale / target.scale  # dividing by an integer is exact where multiplying by its inverse is not
    return array / float(1 / ratio) if ratio < 1 else array * float(ratio)


def _array(values: Any, what: str) -> npt.NDArray[np.float64]:
    try:
        array = np.array(values)
    except ValueError:
        raise UnitError(f"{what} must be a rectangular array of numbers") from None
    if array.size and array.dtype.kind not in "iuf":
        raise UnitError(f"{what} must be numbers, found {_shown(array.flat[0])}")
    return array.astype(np.float64, copy=False)


def _from_brian2(value: Any, target: Unit, what: str) -> tuple[Any, Fraction]:
    """Return the numbers of a brian2 quantity, which are in SI base units, and the scale of those."""
    dimensions = getattr(value, "dim", None) or value.dimensions
    try:
        exponents = [dimensions.get_dimension(base) for base in ("m", "kg", "s", "A", "K", "mol", "cd")]
    except (AttributeError, KeyError):
        raise UnitError(f"{what} must be {_expected(target)}, found {_shown(value)}") from None
    if any(exponents[4:]) or any(2 * n != int(2 * n) for n in exponents):
        raise UnitError(f"{what} must be {_expected(target)}, found {_shown(value)}")
    length, mass, time, current = (Fraction(n) for n in exponents[:4])
    # V = kg m² s⁻³ A⁻¹: every kilogram belongs to a volt, with two metres, three seconds and an ampere
    dimension = (time + 3 * mass, mass, current + mass, length - 2 * mass)
    digits = 3 * dimension[0] + 3 * dimension[1] + 12 * dimension[2] + 6 * dimension[3]
    scale = _tidy(_root(Fraction(10) ** int(2 * digits)))
    _check(Unit(scale, dimension), target, value, what)
    return np.asarray(value), scale


def _from_pint(value: Any, target: Unit, what: str) -> tuple[Any, Fraction]:
    """Return the numbers of a pint quantity in the coherent system, and the scale of that."""
    names = ("millisecond", "millivolt", "picoampere", "micrometer")
    powers = zip(names, target.dimension, strict=True)
    coherent = " * ".join(f"{name} ** {float(n):g}" for name, n in powers if n) or "dimensionless"
    try:
        return value.to(coherent).magnitude, Fraction(1)
    except (AttributeError, TypeError, ValueError):  # what pint's own errors derive from
        raise UnitError(f"{what} must be {_expected(target)}, found {_shown(value)}") from None


def _check(found: Unit, target: Unit, value: Any, what: str) -> None:
    if found.dimension != target.dimension:
        is_a = f", which is {found.meaning}" if found.dimension in _MEANING else ""
        hint = suggest(found.name, _of_dimension(target)) if found.name.lower() != found.name else ""
        raise UnitError(f"{what} must be {_expected(target)}, found {_shown(value)}{is_a}.{hint}")


def _expected(target: Unit) -> str:
    if target == PLAIN:
        return "a plain number"
    names = _of_dimension(target)
    if not names:
        return f"{_MEANING.get(target.dimension, 'a quantity')} in {target} (so are plain numbers)"
    return f"{target.meaning} ({', '.join(names)}; plain numbers are {target})"


@cache
def _of_dimension(target: Unit) -> list[str]:
    """Return the ASCII names of the units that measure the same, once each."""
    return [name for name, unit in UNITS.items()
            if unit.dimension == target.dimension and name.isascii() and "Ohm" not in name]  # fmt: skip


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:60] + "…"


def format_quantity(value: float, unit: str) -> str:
    """Write a quantity for a person, with the prefix that fits: ``1500.0`` ms is ``"1.5 s"``.

    Values between 0.01 and 1000 keep the unit they come in, and so do units that are not a single name.
    """
    given = parse_unit(unit)
    names = _of_dimension(given) if given.name in UNITS else []
    if value == 0 or not math.isfinite(value) or 0.01 <= abs(value) < 1000 or not names:
        return f"{value:.6g} {given}".rstrip()
    steps = [UNITS[name] for name in names if name not in ("cm", "min", "h")]
    steps.sort(key=lambda step: step.scale)
    fitting = [step for step in steps if abs(convert(value, given, step)) >= 1]
    best = fitting[-1] if fitting else steps[0]
    return f"{convert(value, given, best):.6g} {best}"
