"""Elementary functions for kernels: branch-free, so that a loop over neurons runs on many at once.

The functions of the C library are called neuron by neuron, and round differently from one machine to the next. These
are sums and products only; where two are fused it is written so (``fma``), never left to the compiler. A vector
loop, its remainder and plain Python (``NUMBA_DISABLE_JIT=1``) give the same bits.

All take and return float64. NaN stays NaN. Errors are in ulp of the exact result, as measured by the tests:

========================= ====== ============================================================================
exp                       1.2    0 below -708 (where results are smaller than 3.3e-308), inf above 709.78
expm1                     2.6    from 1e-300 on
exprel, (exp(x) - 1)/x    2.5    1 at 0
per_exprel, x/(exp(x)-1)  2.5    1 at 0
log                       0.8    -inf at 0, NaN below
pow_                      1.5    3 where results are huge or tiny; NaN for a broken power of a negative number
square, cube, fourth      1.5
tanh                      2.6
cosh                      1.5    inf above 709.78
sin, cos                  0.8    up to 1.6 million; beyond, the absolute error is like the spacing of x
mod                       0      as long as x/y is below 2**52; beyond, the result means nothing
========================= ====== ============================================================================

sqrt, floor, ceil, sign, clip, minimum and maximum are exact and treat NaN as numpy does.

References: W. J. Cody and W. Waite, Software Manual for the Elementary Functions (1980), for the reduction of
arguments; the polynomials of sin and cos are those of Sun's fdlibm (1993), those of exp and log are minimax.
"""

from __future__ import annotations

import math

import numpy as np

from neurosim.compiled import bits_of, embedded, float_of_bits, fma, spliced

__all__ = [
    "ceil", "clip", "cos", "cosh", "cube", "exp", "expm1", "exprel", "floor", "fourth", "log", "maximum", "minimum",
    "mod", "per_exprel", "pow_", "sign", "sin", "sqrt", "square", "tanh",
]  # fmt: skip

_INFINITY, _NAN = math.inf, math.nan
_LEAST_NORMAL = 2.0**-1022

# Adding this to a small number rounds it to a whole one n; the lowest bits are then n + 1022, the exponent of 2**(n-1).
_ROUNDER = 1.5 * 2.0**52 + 1022.0
_PER_LN2 = 1.4426950408889634
_LN2_HIGH = 0.6931471804855391  # 33 bits: its multiples by an exponent are exact
_LN2_LOW = 7.440617110012397e-11
_EXP_LOW, _EXP_HIGH = -708.0, 710.0
_EXPM1_LOW = -40.0  # below, the result is -1
_ALL_BUT_0, _NOT_QUITE_0 = 1e-200, 1e-100  # expm1 of the second is exact

# (exp(r) - 1 - r)/r² for |r| <= ln(2)/2, relative error 1e-16
_E0, _E1, _E2, _E3, _E4 = (
    0.5000000000000001, 0.16666666666666669, 0.04166666666662348, 0.008333333333330011, 0.0013888888917538296,
)  # fmt: skip
_E5, _E6, _E7, _E8, _E9 = (
    0.00019841269863303223, 2.4801520792572694e-05, 2.75572680728901e-06, 2.762032742826824e-07, 2.5100569275813683e-08,
)  # fmt: skip

# log((1 + s)/(1 - s)) = 2s + s³ P(s²) for |s| <= 0.1716, relative error 2e-18
_L0, _L1, _L2, _L3 = 0.6666666666666666, 0.40000000000000885, 0.28571428570799784, 0.22222222392581045
_L4, _L5, _L6, _L7 = 0.18181795547521137, 0.15386244737621665, 0.13268638369266825, 0.13088034850927555
_SQRT2 = 1.4142135623730951
_FRACTION_BITS, _EXPONENT_BITS = 0x000F_FFFF_FFFF_FFFF, 0x7FF
_ONE_BITS, _TWO52_BITS = 0x3FF0_0000_0000_0000, 0x4330_0000_0000_0000
_TWO52_AND_BIAS = 2.0**52 + 1023.0

# π/2 in parts of 33, 33 and 53 bits; sin(r) and cos(r) for |r| <= π/4
_PER_HALF_PI, _HALF_PI_1, _HALF_PI_2, _HALF_PI_3 = (
    0.6366197723675814, 1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21,
)  # fmt: skip
_MANY_TURNS = 2.0**20
_S1, _S2, _S3 = -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04
_S4, _S5, _S6 = 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10
_C1, _C2, _C3 = 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05
_C4, _C5, _C6 = -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11


# --- exponentials --------------------------------------------------------------------------------------


@spliced
def _halved_power(x):
    """Write ``exp(x)`` as ``2 h (1 + r + r² p)``: returns h, a power of two, and r. |x| is at most 710.

    Half the power, because the whole one would not fit at the upper end.
    """
    t = fma(x, _PER_LN2, _ROUNDER)
    n = t - _ROUNDER
    return float_of_bits(bits_of(t) << 52), fma(n, -_LN2_LOW, fma(n, -_LN2_HIGH, x))


@spliced
def _grown(r):
    """``exp(r) - 1`` for |r| <= ln(2)/2."""
    r2 = r * r
    r4 = r2 * r2
    low = fma(r2, fma(r, _E3, _E2), fma(r, _E1, _E0))
    high = fma(r2, fma(r, _E7, _E6), fma(r, _E5, _E4))
    return fma(r2, fma(r4, fma(r4, fma(r, _E9, _E8), high), low), r)


@spliced
def _bounded(x, low, high):
    x = low if x < low else x
    return high if x > high else x


@embedded
def exp(x):
    """``e**x``."""
    h, r = _halved_power(_EXP_HIGH if x > _EXP_HIGH else x)
    value = fma(h, _grown(r), h) * 2.0
    return 0.0 if x < _EXP_LOW else value  # whatever came out there


@embedded
def expm1(x):
    """``e**x - 1``, without loss near 0."""
    h, r = _halved_power(_bounded(x, _EXPM1_LOW, _EXP_HIGH))
    return fma(h, _grown(r), h - 0.5) * 2.0


@embedded
def exprel(x):
    """``(e**x - 1)/x``, which is 1 at 0: what rates such as ``a/(1 - exp(-x))`` become without the gap."""
    x = _NOT_QUITE_0 if abs(x) < _ALL_BUT_0 else x
    return expm1(x) / (_EXP_HIGH if x > _EXP_HIGH else x)


@embedded
def per_exprel(x):
    """``x/(e**x - 1)``, which is 1 at 0; one division less than ``1/exprel(x)``."""
    x = _NOT_QUITE_0 if abs(x) < _ALL_BUT_0 else x
    return (_EXP_HIGH if x > _EXP_HIGH else x) / expm1(x)


@embedded
def tanh(x):
    """Hyperbolic tangent."""
    e = expm1(-2.0 * abs(x))
    value = -e / (2.0 + e)
    return -value if x < 0.0 else value


@embedded
def cosh(x):
    """Hyperbolic cosine."""
    half = 0.5 * exp(abs(x))
    return half + 0.25 / half


# --- logarithm and powers ------------------------------------------------------------------------------


@spliced
def _exponent_and_fraction(x):
    """Write a positive finite x as ``2**k m`` with m from sqrt(1/2) to sqrt(2): returns k and m."""
    tiny = x < _LEAST_NORMAL
    bits = bits_of(x * 2.0**54 if tiny else x)
    k = float_of_bits(((bits >> 52) & _EXPONENT_BITS) | _TWO52_BITS) - _TWO52_AND_BIAS
    m = float_of_bits((bits & _FRACTION_BITS) | _ONE_BITS)
    large = m > _SQRT2
    k = k + 1.0 if large else k
    return k - 54.0 if tiny else k, m * 0.5 if large else m


@spliced
def _log_series(z):
    z2 = z * z
    z4 = z2 * z2
    low = fma(z2, fma(z, _L3, _L2), fma(z, _L1, _L0))
    high = fma(z2, fma(z, _L7, _L6), fma(z, _L5, _L4))
    return fma(z4, high, low)


@embedded
def log(x):
    """Natural logarithm."""
    k, m = _exponent_and_fraction(x)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    half_square = 0.5 * f * f
    series = z * _log_series(z)
    value = k * _LN2_HIGH - ((half_square - (s * (half_square + series) + k * _LN2_LOW)) - f)
    beyond = (-_INFINITY if x == 0.0 else _NAN) if x <= 0.0 else x
    return value if (x > 0.0) & (x < _INFINITY) else beyond


@spliced
def _log_in_two(x):
    """The logarithm of x >= 0 as a sum of two numbers, with 59 bits or more: powers multiply its error."""
    k, m = _exponent_and_fraction(x)
    f = m - 1.0
    u = 2.0 + f
    per_u = 1.0 / u
    s = f * per_u
    rest = (fma(-s, u, f) - s * ((2.0 - u) + f)) * per_u
    z = s * s
    begin = k * _LN2_HIGH
    high = begin + 2.0 * s
    low = ((begin - high) + 2.0 * s) + ((s * z * _log_series(z) + 2.0 * rest) + k * _LN2_LOW)
    total = high + low
    beyond = -_INFINITY if x == 0.0 else x
    return total if (x > 0.0) & (x < _INFINITY) else beyond, (high - total) + low


@embedded
def pow_(x, y):
    """``x**y``, as numpy's power."""
    size = abs(x)
    log_high, log_low = _log_in_two(size)
    power = y * log_high
    rest = fma(y, log_high, -power) + y * log_low
    h, r = _halved_power(_bounded(power, _EXP_LOW, _EXP_HIGH))
    value = fma(h, _grown(r + (rest if abs(power) < 1000.0 else 0.0)), h) * 2.0
    value = 0.0 if power < _EXP_LOW else value
    value = 1.0 if size == 1.0 else value
    half = 0.5 * y
    whole, even = np.floor(y) == y, np.floor(half) == half
    value = -value if (x < 0.0) & whole & (not even) else value
    value = value if (x >= 0.0) | whole | (size == _INFINITY) else _NAN
    return 1.0 if (x == 1.0) | (y == 0.0) else value


@embedded
def square(x):
    """``x*x``."""
    return x * x


@embedded
def cube(x):
    """``x*x*x``."""
    return x * x * x


@embedded
def fourth(x):
    """``x*x*x*x``."""
    return x * x * x * x


@embedded
def sqrt(x):
    """Square root; NaN below 0."""
    return np.sqrt(x)


# --- circular functions --------------------------------------------------------------------------------


@spliced
def _turned(x):
    """Take whole quarter turns from an angle: returns their number modulo 4, the rest, and its rounding error."""
    n = np.floor(x * _PER_HALF_PI + 0.5)
    first = x - n * _HALF_PI_1
    second = n * _HALF_PI_2
    rest = first - second
    third = n * _HALF_PI_3 - ((first - rest) - second)
    angle = rest - third
    error = (rest - angle) - third if abs(n) <= _MANY_TURNS else 0.0
    return n - 4.0 * np.floor(0.25 * n), _bounded(angle, -1.0, 1.0), error


@spliced
def _sin_near_0(x, error):
    z = x * x
    v = z * x
    r = _S2 + z * (_S3 + z * (_S4 + z * (_S5 + z * _S6)))
    return x - ((z * (0.5 * error - v * r) - error) - v * _S1)


@spliced
def _cos_near_0(x, error):
    z = x * x
    w = z * z
    r = z * (_C1 + z * (_C2 + z * _C3)) + w * w * (_C4 + z * (_C5 + z * _C6))
    half = 0.5 * z
    w = 1.0 - half
    return w + (((1.0 - w) - half) + (z * r - x * error))


@embedded
def sin(x):
    """Sine of an angle in radians."""
    quarter, angle, error = _turned(x)
    across, along = _sin_near_0(angle, error), _cos_near_0(angle, error)
    value = along if (quarter == 1.0) | (quarter == 3.0) else across
    return -value if quarter >= 2.0 else value


@embedded
def cos(x):
    """Cosine of an angle in radians."""
    quarter, angle, error = _turned(x)
    across, along = _sin_near_0(angle, error), _cos_near_0(angle, error)
    value = across if (quarter == 1.0) | (quarter == 3.0) else along
    return -value if (quarter == 1.0) | (quarter == 2.0) else value


# --- pieces --------------------------------------------------------------------------------------------


@embedded
def floor(x):
    """The next whole number below."""
    return np.floor(x)


@embedded
def ceil(x):
    """The next whole number above."""
    return np.ceil(x)


@embedded
def mod(x, y):
    """The remainder of ``x/y`` with the sign of y (numpy's and Python's ``%``); NaN where y is 0."""
    q = np.floor(x / (_NAN if y == 0.0 else y))
    product = q * y
    rest = (x - product) - fma(q, y, -product)
    rest = x if q == 0.0 else rest  # also where y is infinite
    # the quotient may have been rounded up to a whole number
    return rest + y if (rest < 0.0) & (y > 0.0) | (rest > 0.0) & (y < 0.0) else rest


@embedded
def sign(x):
    """-1, 0 or 1."""
    return 1.0 if x > 0.0 else (-1.0 if x < 0.0 else x)


@embedded
def minimum(a, b):
    """The smaller of two."""
    return a if (a <= b) | (a != a) else b


@embedded
def maximum(a, b):
    """The larger of two."""
    return a if (a >= b) | (a != a) else b


@embedded
def clip(x, low, high):
    """The nearest number from low to high."""
    return minimum(maximum(x, low), high)
