"""The library's neuron models once more, written by hand from their papers.

Nothing here reads a declaration: matrices and right-hand sides are typed from the formulas, so that a wrong sign in
a model's file has nowhere to hide. Parameters come as a namespace, states in the order of ``start``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy import exp
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import expm

Array = NDArray[np.float64]
Range = tuple[float, float]


@dataclass(frozen=True)
class Linear:
    """dx/dt = A x + b, with what keeps the neuron from firing and where states may begin, in the order of A."""

    system: Callable[[Any], tuple[Array, Array]]
    silent: dict[str, float]
    start: dict[str, Range]


def exact(model: Linear, parameters: dict[str, float], start: Array, duration: float) -> Array:
    """States after ``duration`` ms; ``start`` has shape (variables, neurons)."""
    a, b = model.system(SimpleNamespace(**parameters))
    n = len(b)
    whole = np.zeros((n + 1, n + 1))
    whole[:n, :n], whole[:n, n] = a, b
    grown: Array = expm(whole * duration) @ np.vstack([start, np.ones(start.shape[1])])
    return grown[:n]


def _membrane(p: Any) -> tuple[float, float]:
    """Leak rate (1/ms) and what drives the membrane at v = 0 (mV/ms)."""
    return 1.0 / p.tau_m, p.e_l / p.tau_m + p.i_e / p.c_m


def _delta(p: Any) -> tuple[Array, Array]:
    leak, drive = _membrane(p)
    return np.array([[-leak]]), np.array([drive])


def _exp(p: Any) -> tuple[Array, Array]:
    leak, drive = _membrane(p)
    a = [[-leak, 1 / p.c_m, 1 / p.c_m], [0, -1 / p.tau_exc, 0], [0, 0, -1 / p.tau_inh]]
    return np.array(a), np.array([drive, 0, 0])


def _two_stages(p: Any, exc: tuple[float, float, float], inh: tuple[float, float, float]) -> tuple[Array, Array]:
    """v, current and its rise for both receptors; each (decay, gain, decay of the rise), in 1/ms."""
    leak, drive = _membrane(p)
    c = 1 / p.c_m
    a = [
        [-leak, c, 0, c, 0],
        [0, -exc[0], exc[1], 0, 0],
        [0, 0, -exc[2], 0, 0],
        [0, 0, 0, -inh[0], inh[1]],
        [0, 0, 0, 0, -inh[2]],
    ]
    return np.array(a), np.array([drive, 0, 0, 0, 0])


def _alpha(p: Any) -> tuple[Array, Array]:
    e = float(np.e)
    return _two_stages(p, (1 / p.tau_exc, e / p.tau_exc, 1 / p.tau_exc), (1 / p.tau_inh, e / p.tau_inh, 1 / p.tau_inh))


def double_exponential_gain(rise: float, decay: float) -> float:
    """What makes the peak of the current the weight (1/ms); the two time constants differ, or are one."""
    if rise == decay:
        return float(np.e) / rise
    peak = rise * decay / (decay - rise) * np.log(decay / rise)  # ms
    return float((decay - rise) / (decay * rise) / (exp(-peak / decay) - exp(-peak / rise)))


def _double(p: Any) -> tuple[Array, Array]:
    exc = (1 / p.tau_exc, double_exponential_gain(p.tau_rise_exc, p.tau_exc), 1 / p.tau_rise_exc)
    inh = (1 / p.tau_inh, double_exponential_gain(p.tau_rise_inh, p.tau_inh), 1 / p.tau_rise_inh)
    return _two_stages(p, exc, inh)


def _adaptive_threshold(p: Any) -> tuple[Array, Array]:
    leak, drive = _membrane(p)
    a = [
        [-leak, 0, 1 / p.c_m, 1 / p.c_m],
        [0, -1 / p.tau_th, 0, 0],
        [0, 0, -1 / p.tau_exc, 0],
        [0, 0, 0, -1 / p.tau_inh],
    ]
    return np.array(a), np.array([drive, p.v_th / p.tau_th, 0, 0])


def _intrinsic(p: Any) -> tuple[Array, Array]:
    a, _ = _adaptive_threshold(SimpleNamespace(**vars(p), tau_th=np.inf))
    return a, np.array([_membrane(p)[1], -p.eta * p.target / 1000.0, 0, 0])


def _gif(p: Any) -> tuple[Array, Array]:
    taus = p.c_m / p.g_l, p.tau_stc_1, p.tau_stc_2, p.tau_sfa_1, p.tau_sfa_2, p.tau_exc, p.tau_inh
    a = np.diag([-1 / tau for tau in taus])
    a[0, 1:3], a[0, 5:7] = -1 / p.c_m, 1 / p.c_m
    return a, np.array([(p.g_l * p.e_l + p.i_e) / p.c_m, 0, 0, 0, 0, 0, 0])


_V: Range = (-90.0, -40.0)
_CURRENTS: dict[str, Range] = {"i_exc": (0.0, 300.0), "i_inh": (-300.0, 0.0)}
_STAGES: dict[str, Range] = {
    "v": _V, "i_exc": (0.0, 300.0), "rise_exc": (0.0, 300.0), "i_inh": (-300.0, 0.0), "rise_inh": (-300.0, 0.0)
}  # fmt: skip
_STC: Range = (-50.0, 90.0)
_SFA: Range = (-5.0, 20.0)
_HIGH = {"v_th": 1e6}

LINEAR = {
    "lif_delta": Linear(_delta, _HIGH, {"v": _V}),
    "lif_exp": Linear(_exp, _HIGH, {"v": _V, **_CURRENTS}),
    "lif_alpha": Linear(_alpha, _HIGH, _STAGES),
    "lif_double_exp": Linear(_double, _HIGH, _STAGES),
    "lif_adaptive_threshold": Linear(_adaptive_threshold, {"v_th": 1e3}, {"v": _V, "theta": (0.0, 9.0), **_CURRENTS}),
    "lif_intrinsic": Linear(_intrinsic, {"v_th": 1e3}, {"v": _V, "theta": (1000.0, 1040.0), **_CURRENTS}),
    "lif_noise": Linear(_exp, {"v_th": 1e6, "sigma": 0.0}, {"v": _V, **_CURRENTS}),
    "lif_escape": Linear(_exp, {"rho_th": 0.0}, {"v": _V, **_CURRENTS}),
    "gif": Linear(
        _gif, {"rho_0": 0.0}, {"v": _V, "stc_1": _STC, "stc_2": _STC, "sfa_1": _SFA, "sfa_2": _SFA, **_CURRENTS}
    ),
}


@dataclass(frozen=True)
class Nonlinear:
    """dx/dt = f(parameters, *x), where states may begin, in that order, and for how long (ms) they meet no reset."""

    right: Callable[..., tuple[Any, ...]]
    start: dict[str, Range]
    parameters: dict[str, float]
    duration: float


def integrated(model: Nonlinear, parameters: dict[str, float], start: Array, duration: float) -> Array:
    """States after ``duration`` ms, to some twelve digits; ``start`` has shape (variables, neurons)."""
    p = SimpleNamespace(**parameters)

    def right(_: float, y: Array) -> Array:
        return np.concatenate(model.right(p, *y.reshape(start.shape)))

    done = solve_ivp(right, (0, duration), start.ravel(), "DOP853", rtol=3e-14, atol=1e-13, t_eval=[duration])
    end: Array = done.y[:, -1].reshape(start.shape)
    return end


def _decay(p: Any, exc: Array, inh: Array) -> tuple[Array, Array]:
    return -exc / p.tau_exc, -inh / p.tau_inh


def _conductances(p: Any, v: Array, exc: Array, inh: Array) -> Array:
    """Leak, synapses and injected current (pA)."""
    return p.g_l * (p.e_l - v) + exc * (p.e_exc - v) + inh * (p.e_inh - v) + p.i_e


def _lif_cond_exp(p: Any, v: Array, exc: Array, inh: Array) -> tuple[Array, ...]:
    return (_conductances(p, v, exc, inh) / p.c_m, *_decay(p, exc, inh))


def _lif_cond_alpha(p: Any, v: Array, exc: Array, rise_e: Array, inh: Array, rise_i: Array) -> tuple[Array, ...]:
    e = float(np.e)
    exc_inh = (e * rise_e - exc) / p.tau_exc, -rise_e / p.tau_exc, (e * rise_i - inh) / p.tau_inh, -rise_i / p.tau_inh
    return (_conductances(p, v, exc, inh) / p.c_m, *exc_inh)


def adex(p: Any, v: Array, w: Array, exc: Array, inh: Array) -> tuple[Array, ...]:
    """Brette & Gerstner 2005, equations 1 and 2, without a bound."""
    upstroke = p.g_l * p.delta_t * exp((v - p.v_t) / p.delta_t)
    dv = (-p.g_l * (v - p.e_l) + upstroke - w + exc + inh + p.i_e) / p.c_m
    return (dv, (p.a * (v - p.e_l) - w) / p.tau_w, *_decay(p, exc, inh))


def _quadratic(p: Any, v: Array, exc: Array, inh: Array) -> tuple[Array, ...]:
    return (p.k * (v - p.e_l) * (v - p.v_c) / p.tau_m + (exc + inh + p.i_e) / p.c_m, *_decay(p, exc, inh))


def _theta(p: Any, theta: Array, exc: Array, inh: Array) -> tuple[Array, ...]:
    drive = exc + inh + p.i_e
    return ((1 - np.cos(theta) + (1 + np.cos(theta)) * drive) / p.tau_m, *_decay(p, exc, inh))


def _izhikevich(p: Any, v: Array, u: Array, i_syn: Array) -> tuple[Array, ...]:
    return 0.04 * v**2 + 5 * v + 140 - u + p.i_e, p.a * (p.b * v - u), 0 * i_syn


def traub_miles(p: Any, v: Array, m: Array, h: Array, n: Array, exc: Array, inh: Array) -> tuple[Array, ...]:
    """Benchmark 3 of Brette et al. 2007, appendix 2, with the channels' densities times the area of 20 000 μm²."""
    area = 20e-5  # cm²
    g_na, g_k, v_t = 100e6 * area, 30e6 * area, -63.0  # nS, mV
    am = 0.32 * (13 - v + v_t) / (exp((13 - v + v_t) / 4) - 1)
    bm = 0.28 * (v - v_t - 40) / (exp((v - v_t - 40) / 5) - 1)
    ah = 0.128 * exp((17 - v + v_t) / 18)
    bh = 4 / (1 + exp((40 - v + v_t) / 5))
    an = 0.032 * (15 - v + v_t) / (exp((15 - v + v_t) / 5) - 1)
    bn = 0.5 * exp((10 - v + v_t) / 40)
    leak = 0.05e6 * area * (-60 - v)
    current = leak - g_na * m**3 * h * (v - 50) - g_k * n**4 * (v + 90) - exc * v - inh * (v + 80) + p.i_e
    gates = am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n
    return (current / (1e6 * area), *gates, -exc / 5, -inh / 10)


def interneuron(p: Any, v: Array, h: Array, n: Array, exc: Array, inh: Array) -> tuple[Array, ...]:
    """Wang & Buzsáki 1996, page 6403: 1 μF/cm², times 10 000 μm²."""
    am, bm = -0.1 * (v + 35) / (exp(-0.1 * (v + 35)) - 1), 4 * exp(-(v + 60) / 18)
    ah, bh = 0.07 * exp(-(v + 58) / 20), 1 / (exp(-0.1 * (v + 28)) + 1)
    an, bn = -0.01 * (v + 34) / (exp(-0.1 * (v + 34)) - 1), 0.125 * exp(-(v + 44) / 80)
    m = am / (am + bm)
    channels = 35 * m**3 * h * (v - 55) + 9 * n**4 * (v + 90) + 0.1 * (v + 65)  # μA/cm², or 100 pA
    dv = -channels + (-exc * v - inh * (v + 75) + p.i_e) / 100
    return dv, 5 * (ah * (1 - h) - bh * h), 5 * (an * (1 - n) - bn * n), -exc / 2, -inh / 10


_G: dict[str, Range] = {"g_exc": (0.0, 10.0), "g_inh": (0.0, 20.0)}
_GATE = (0.05, 0.9)
_WEAK = {"i_exc": (0.0, 60.0), "i_inh": (-60.0, 0.0)}

NONLINEAR = {
    "lif_cond_exp": Nonlinear(_lif_cond_exp, {"v": (-75.0, -55.0), **_G}, {"v_th": 1e6, "i_e": 30.0}, 20.0),
    "lif_cond_alpha": Nonlinear(
        _lif_cond_alpha, {"v": (-75.0, -60.0), "g_exc": (0.0, 10.0), "rise_exc": (0.0, 10.0), "g_inh": (0.0, 20.0),
                          "rise_inh": (0.0, 20.0)}, {"v_th": 1e6, "i_e": 30.0, "tau_exc": 1.5}, 10.0,
    ),
    "adex": Nonlinear(adex, {"v": (-80.0, -56.0), "w": (-50.0, 90.0), **_WEAK}, {"i_e": 50.0}, 10.0),
    "quadratic": Nonlinear(_quadratic, {"v": (-80.0, -50.0), **_WEAK}, {"i_e": -20.0}, 20.0),
    "theta": Nonlinear(
        _theta, {"theta": (-2.5, 0.5), "i_exc": (0.0, 0.4), "i_inh": (-0.4, 0.0)}, {"i_e": -0.1}, 10.0
    ),
    "izhikevich": Nonlinear(
        _izhikevich, {"v": (-75.0, -62.0), "u": (-16.0, -8.0), "i_syn": (0.0, 0.0)}, {"i_e": 1.0}, 8.0
    ),
    "hh_cond_exp": Nonlinear(
        traub_miles, {"v": (-80.0, -45.0), "m": _GATE, "h": _GATE, "n": _GATE, **_G}, {"i_e": 200.0}, 5.0
    ),
    "wang_buzsaki": Nonlinear(interneuron, {"v": (-80.0, -50.0), "h": _GATE, "n": _GATE, **_G}, {"i_e": 100.0}, 5.0),
}  # fmt: skip
