"""What a structural rule keeps of every neuron: traces of its spikes, and integrals of those.

    dcalcium/dt = (spikes - calcium)/tau : Hz               a trace: it fades, and a spike raises it
    daxons/dt = nu*(1 - calcium/target) : 1 (pre)           an integral, here of neurons on the presynaptic side

``spikes`` is the neuron's own spike train, in Hz. A trace is linear in itself and in ``spikes`` and reads nothing else
that changes; an integral reads traces and parameters. Integrals never fall below 0: they count synaptic elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neurosim.expressions import Expression
from neurosim.models.rule_equations import Equation
from neurosim.units import parse_unit

SPIKES = "spikes"
_PER_SPIKE = 1000.0  # the integral of one spike over time, in Hz·ms
_PROBES = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (2.0, 3.0))  # of the variable itself and of `spikes`


@dataclass(frozen=True)
class Trace:
    """``dx/dt = rate·(target - x)``, raised by ``jump`` at each spike; ``rate`` in 1/ms."""

    name: str
    unit: str
    rate: float
    target: float
    jump: float


@dataclass(frozen=True)
class Integral:
    """``dz/dt = change`` (in its unit per ms), at 0 or above; ``side`` is "pre", "post" or "" for both."""

    name: str
    unit: str
    side: str
    change: Expression


@dataclass(frozen=True)
class Dynamics:
    """What a rule keeps of the neurons of one population; ``constants`` are its parameters there."""

    traces: tuple[Trace, ...]
    integrals: tuple[Integral, ...]
    constants: Mapping[str, float]

    @property
    def variables(self) -> dict[str, str]:
        """Names and units."""
        traces = {item.name: item.unit for item in self.traces}
        return traces | {item.name: item.unit for item in self.integrals}

    def __bool__(self) -> bool:
        return bool(self.traces or self.integrals)


def read_dynamics(
    lines: Sequence[Equation], units: Mapping[str, str], constants: Mapping[str, float]
) -> Dynamics:
    """Check the equations of a rule with its parameters; raises ExpressionError, which points at the place."""
    known = {**units, SPIKES: "Hz", **{line.name: _plain(line.unit) for line in lines}}
    parsed = {line.name: line.parse(known, _per_ms(line.unit)) for line in lines}
    is_trace = {line.name: bool({line.name, SPIKES} & parsed[line.name].names) for line in lines}
    traces, integrals = [], []
    for line in lines:
        read = parsed[line.name].names
        if is_trace[line.name]:
            traces.append(_trace(line, parsed[line.name], constants))
            continue
        for name in read:
            if name in is_trace and not is_trace[name]:
                raise line.error(f"d{line.name}/dt reads '{name}', which is an integral itself; it may read traces")
        side = line.kind if line.is_trace else ""
        integrals.append(Integral(line.name, _plain(line.unit), side, parsed[line.name]))
    return Dynamics(tuple(traces), tuple(integrals), constants)


def _trace(line: Equation, change: Expression, constants: Mapping[str, float]) -> Trace:
    others = change.names - {line.name, SPIKES} - set(constants)
    if others:
        message = f"d{line.name}/dt may read {line.name}, spikes and parameters; '{min(others)}' changes with time"
        raise line.error(message)
    at = []
    for own, spikes in _PROBES:
        values = {**constants, line.name: own, SPIKES: spikes}
        at.append(float(change.evaluate({name: values[name] for name in change.names})))
    offset, own, spikes = at[0], at[1] - at[0], at[2] - at[0]
    if not np.isfinite(at).all():
        raise line.error(f"with these parameters, d{line.name}/dt is not finite")
    if not np.isclose(at[3], offset + 2 * own + 3 * spikes, rtol=1e-9, atol=1e-12 * max(map(abs, at))):
        raise line.error(f"d{line.name}/dt must be linear in {line.name} and spikes, so that it has a closed form")
    if own >= 0.0:
        raise line.error(f"'{line.name}' must fade: write something like (spikes - {line.name})/tau")
    return Trace(line.name, _plain(line.unit), -own, offset / -own, spikes * _PER_SPIKE)


def _per_ms(unit: str) -> str:
    plain = _plain(unit)
    return f"{plain}/ms" if plain else "1/ms"


def _plain(unit: str) -> str:
    return "" if parse_unit(unit).name == "" else unit


