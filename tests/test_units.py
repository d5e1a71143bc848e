"""Quantities: reading, converting, refusing with a useful word."""

from __future__ import annotations

import contextlib
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurosim.errors import ExpressionError, Problem, ScenarioError, UnitError, suggest, unknown
from neurosim.units import PLAIN, UNITS, Unit, format_quantity, parse_unit, quantities, quantity


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("20 ms", "ms", 20.0),
        ("-65mV", "mV", -65.0),
        ("1e-3 s", "ms", 1.0),
        ("0.07 s", "ms", 70.0),  # 0.07 * 1000 is 70.00000000000001
        ("16.5 kHz", "Hz", 16500.0),
        ("10 min", "ms", 600_000.0),
        (".5 V", "mV", 500.0),
        ("3 nS/cm^2", "uS/cm**2", 0.003),
        ("2 1/ms", "Hz", 2000.0),
        ("5 µm", "um", 5.0),
        ("5 μm", "um", 5.0),
        ("1 MOhm", "ohm", 1e6),
        ("250 pA*ms/mV", "pF", 250.0),
        ("7", "ms", 7.0),
        (" 7 ", "", 7.0),
        (3, "ms", 3.0),
        (np.float32(0.5), "ms", 0.5),
        (np.array(3), "ms", 3.0),
        ("1e-999999999 s", "ms", 0.0),
    ],
)
def test_quantities_are_read_with_one_rounding(value: object, unit: str, expected: float) -> None:
    assert quantity(value, unit) == expected


def test_the_coherent_system_needs_no_factors() -> None:
    assert parse_unit("pA*ms/mV") == parse_unit("pF")
    assert parse_unit("pA/mV") == parse_unit("nS")
    assert parse_unit("1/s") == parse_unit("Hz")
    assert parse_unit("mV/mV") == parse_unit("1") == PLAIN


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("20 MS", "ms", ["'20 MS'", "a conductance", "Did you mean 'ms'?"]),
        ("20 Ms", "ms", ["no unit 'Ms'", "Did you mean 'ms'?"]),
        ("20 KHz", "Hz", ["Did you mean 'kHz'?"]),
        ("20 mV", "ms", ["must be a time (s, ms,", "a voltage"]),
        ("5 mV", "", ["must be a plain number", "a voltage"]),
        ("5 mV", "mV/ms", ["a quantity in mV/ms"]),
        ("1_000 ms", "ms", ["'1_000 ms'"]),
        ("1,5 ms", "ms", ["'1,5 ms'"]),
        ("ms", "ms", ["'ms'"]),
        ("", "ms", ["''"]),
        ("nan ms", "ms", ["'nan ms'"]),
        ("inf", "ms", ["must be finite"]),
        ("1e999 ms", "ms", ["must be finite"]),
        (math.nan, "ms", ["must be finite"]),
        (10**400, "ms", ["too large"]),
        (True, "ms", ["True"]),
        (np.True_, "ms", ["True"]),
        (None, "ms", ["None"]),
        (1j, "ms", ["must be numbers"]),
        ([1, 2], "ms", ["one value"]),
        ("5 " + "m" * 1_000_000, "ms", ["…"]),
        ("5 ms^100", "ms", ["cannot read the unit"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_word(value: object, unit: str, said: list[str]) -> None:
    with pytest.raises(UnitError) as caught:
        quantity(value, unit, "tau_m")
    message = str(caught.value)
    assert message.startswith("tau_m")
    assert len(message) < 400
    for part in said:
        assert part in message


def test_infinity_only_where_it_is_allowed() -> None:
    assert quantity("inf", "ms", infinite=True) == math.inf
    assert quantity("-inf ms", "ms", infinite=True) == -math.inf
    with pytest.raises(UnitError):
        quantity("nan", "ms", infinite=True)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(sorted(UNITS)))
def test_a_printed_quantity_reads_back(value: float, unit: str) -> None:
    assert quantity(f"{value!r} {unit}", unit) == value


@given(st.decimals(-(10**6), 10**6, places=4), st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)))
def test_conversion_is_the_nearest_float(value: object, source: str, target: str) -> None:
    if parse_unit(source).dimension != parse_unit(target).dimension:
        with pytest.raises(UnitError):
            quantity(f"{value} {source}", target)
    else:
        exact = Fraction(str(value)) * parse_unit(source).scale / parse_unit(target).scale
        assert quantity(f"{value} {source}", target) == float(exact)


@given(
    st.lists(
        st.tuples(st.sampled_from("*/"), st.sampled_from(sorted(UNITS)), st.integers(1, 3)),
        min_size=1,
        max_size=4,
    )
)
def test_units_form_an_algebra(factors: list[tuple[str, str, int]]) -> None:
    text, unit = "1", PLAIN
    for sign, name, power in factors:
        text += f"{sign}{name}^{power}"
        unit = unit * UNITS[name] ** power if sign == "*" else unit / UNITS[name] ** power
    assert parse_unit(text) == unit
    assert parse_unit(str(unit.coherent)) == unit.coherent


@pytest.mark.parametrize(
    ("text", "same", "written"),
    [
        ("1/sqrt(ms)", "ms^-0.5", "1/sqrt(ms)"),
        ("sqrt(kHz)", "1 / sqrt( ms )", "1/sqrt(ms)"),
        ("sqrt(ms)^3", "ms**1.5", "ms^1.5"),
        ("mV^2.5/sqrt(ms)*sqrt(ms)", "mV**2.5", "mV^2.5"),
        ("sqrt(s)*sqrt(s)", "s", "s"),
        ("mV/sqrt(s)/sqrt(s)", "mV/s", "0.001 mV/ms"),
        ("sqrt(h)^4/sqrt(uF)^2*uF", "h^2", "1.296e+13 ms^2"),
        ("sqrt(s)/sqrt(ms)*sqrt(ms)/sqrt(s)", "1", ""),
    ],
)
def test_half_powers(text: str, same: str, written: str) -> None:
    unit = parse_unit(text)
    assert unit == parse_unit(same)
    assert hash(unit) == hash(parse_unit(same))
    assert str(Unit(unit.scale, unit.dimension)) == written


def test_half_powers_convert_and_halve_no_further() -> None:
    assert quantity("2 mV/sqrt(s)", "mV/sqrt(ms)") == pytest.approx(2 / math.sqrt(1000), rel=1e-15)
    assert quantity("3 mV^2/s", "mV^2/ms") == 0.003
    with pytest.raises(UnitError, match="a voltage"):
        quantity("2 mV", "mV/sqrt(ms)")
    assert parse_unit("1/ms").root == parse_unit("1/sqrt(ms)")
    assert parse_unit("mV^3").root == parse_unit("mV^1.5")
    assert parse_unit("1/sqrt(ms)").root is None
    for wrong in ("ms^0.25", "sqrt(ms)^0.5", "sqrt(ms", "sqrt(ms*mV)", "sqrt(1)", "sqrt", "ms^.5", "ms^0", "ms^0.0"):
        with pytest.raises(UnitError):
            parse_unit(wrong)


@given(st.lists(st.tuples(st.sampled_from("*/"), st.sampled_from(sorted(UNITS)), st.booleans()), max_size=5))
def test_a_root_squared_is_what_it_was(factors: list[tuple[str, str, bool]]) -> None:
    text = "1" + "".join(f"{sign}sqrt({name})" if root else f"{sign}{name}" for sign, name, root in factors)
    unit = parse_unit(text)
    whole = PLAIN
    for sign, name, root in factors:
        power = (1 if root else 2) * (1 if sign == "*" else -1)
        whole = whole * UNITS[name] ** power
    assert unit * unit == unit**2 == whole
    assert whole.root in (None, unit)
    assert (unit / unit) == PLAIN
    assert parse_unit(str(unit.coherent)) == unit.coherent


@given(st.text(max_size=30))
def test_any_text_is_a_unit_or_an_error(text: str) -> None:
    for read in (parse_unit, lambda value: quantity(value, "ms")):
        with contextlib.suppress(UnitError):
            read(text)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1500.0, "ms", "1.5 s"),
        (0.1, "ms", "0.1 ms"),
        (0.001, "ms", "1 us"),
        (16500.0, "Hz", "16.5 kHz"),
        (0.0, "mV", "0 mV"),
        (-70.0, "mV", "-70 mV"),
        (5000.0, "um", "5 mm"),
        (1e-12, "mV", "1e-06 nV"),
        (1e9, "ms", "1e+06 s"),
        (2.5, "mV/ms", "2.5 mV/ms"),
        (5.0, "", "5"),
        (math.inf, "ms", "inf ms"),
    ],
)
def test_quantities_are_written_for_people(value: float, unit: str, expected: str) -> None:
    assert format_quantity(value, unit) == expected


def test_many_quantities_at_once() -> None:
    assert quantities(np.arange(3, dtype=np.int32), "ms").tolist() == [0.0, 1.0, 2.0]
    assert quantities(["1 s", 2, "3 ms"], "ms").tolist() == [1000.0, 2.0, 3.0]
    assert quantities([["1 s", 2], [3, 4]], "ms").shape == (2, 2)
    assert quantities([], "ms").shape == (0,)
    given_array = np.ones(2)
    quantities(given_array, "ms")[:] = 5.0
    assert given_array.tolist() == [1.0, 1.0]
    for wrong in ([1.0, math.nan], ["1 mV"], [[1, 2], [3]], np.array(["a"]), np.array([True]), {1, 2}):
        with pytest.raises(UnitError):
            quantities(wrong, "ms")


class _Dimensions:
    """The exponents of SI base units, asked for as brian2 is."""

    def __init__(self, **exponents: float) -> None:
        self.exponents = exponents

    def get_dimension(self, base: str) -> float:
        return self.exponents.get(base, 0)


class _InBaseUnits(np.ndarray):
    """An array in SI base units that knows its dimensions, as brian2's quantities are."""

    dim: _Dimensions


def _in_base_units(value: object, **exponents: float) -> _InBaseUnits:
    array = np.asarray(value, float).view(_InBaseUnits)
    array.dim = _Dimensions(**exponents)
    array.dimensions = array.dim
    return array


def test_quantities_in_si_base_units() -> None:
    assert quantity(_in_base_units(100 * 1e-6, m=1), "um") == 100.0  # 100e-6 is 9.999999999999999e-05
    assert quantity(_in_base_units(5e-3, m=2, kg=1, s=-3, A=-1), "mV") == 5.0
    assert quantity(_in_base_units(250e-12, m=-2, kg=-1, s=4, A=2), "pF") == 250.0
    noise = _in_base_units(2e-3, m=2, kg=1, s=-3.5, A=-1)
    assert quantity(noise, "mV/sqrt(ms)") == pytest.approx(2 / math.sqrt(1000), rel=1e-14)
    assert quantities(_in_base_units([0.001, 0.002], s=1), "ms").tolist() == [1.0, 2.0]
    with pytest.raises(UnitError, match="a voltage"):
        quantity(_in_base_units(5e-3, m=2, kg=1, s=-3, A=-1), "ms")
    with pytest.raises(UnitError):
        quantity(_in_base_units(300.0, K=1), "ms")


def test_brian2_quantities() -> None:
    b2 = pytest.importorskip("brian2")
    assert quantity(70 * b2.ms, "ms") == 70.0
    assert quantity(b2.ms, "ms") == 1.0
    assert quantity(3 * b2.nS / b2.cm**2, "nS/cm^2") == 3.0
    assert quantities(np.arange(3) * b2.mV, "mV").tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(UnitError, match="a voltage"):
        quantity(5 * b2.mV, "ms")


def test_pint_quantities() -> None:
    units = pytest.importorskip("pint").UnitRegistry()
    assert quantity(0.07 * units.second, "ms") == 70.0
    assert quantity(100 * units.Mohm, "MOhm") == 100.0
    assert quantity(units.Quantity(5), "") == 5.0
    assert quantities(np.arange(3) * units.mV, "mV").tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(UnitError):
        quantity(5 * units.mV, "ms")


def test_names_that_do_not_exist_are_answered_with_the_nearest() -> None:
    error = unknown("population", "ecx", ["exc", "inh"])
    assert str(error) == "no population 'ecx'. Known: exc, inh. Did you mean 'exc'?"
    assert error.exit_code == 3
    assert "There are none" in str(unknown("group", "cue", []))
    assert suggest("Weight", ["delay", "weight"]) == " Did you mean 'weight'?"
    assert suggest("zzz", ["delay", "weight"]) == ""
    assert "(20 in all)" in str(unknown("key", "x", [f"name{i}" for i in range(20)]))


def test_problems_stand_one_per_line() -> None:
    error = ScenarioError(
        [Problem("is missing", "a.yaml", 3, "populations.exc.size"), Problem("is empty", "a.yaml")]
    )
    assert str(error) == "a.yaml:3: populations.exc.size: is missing\na.yaml: is empty"
    assert str(Problem("is odd")) == "is odd"
    assert str(Problem("is odd", line=2)) == "line 2: is odd"


def test_the_caret_stands_below_the_place() -> None:
    assert str(ExpressionError("no", "ab\ncd ef", 6)) == "no\n    cd ef\n       ^"
    long = str(ExpressionError("no", "x" * 5000 + "!" + "y" * 5000, 5000)).splitlines()
    assert long[1][long[2].index("^")] == "!"
    assert len(long[1]) < 110
    assert str(ExpressionError("no")) == "no"
