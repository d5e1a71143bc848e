"""Kernels for what structural rules keep of neurons: traces, and their integrals, brought up spike by spike.

Between a neuron's spikes a trace fades by an exponential, and an integral grows by the integral of its change, which
is computed by Gauss-Legendre quadrature until all traces have faded: eight nodes in every quarter of the fastest
trace's time constant, four where there is less than a sixteenth of one. What is linear in a trace is then exact to the
last digits; curves as steep as a tenth of their argument are, to 1e-10. Nothing is written but at spikes, so it does
not matter when and how often anybody looks.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim import generated
from neurosim.compiled import address_of
from neurosim.expressions.source import functions_in, source
from neurosim.graph.population import Population
from neurosim.graph.structure import BoundStructure

_FADED = 40.0  # time constants after which nothing is left that a double could tell
_BRIEF = 1.0 / 16.0  # of the fastest trace's time constant; four nodes will do for less
_LANES = 128  # neurons at a time


def _gauss(n: int) -> list[tuple[float, float]]:
    """Nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return list(zip(((nodes + 1) / 2).tolist(), (weights / 2).tolist(), strict=True))


_EIGHT, _FOUR = _gauss(8), _gauss(4)

_TEXT = '''"""What a structural rule keeps of neurons: {about}. Generated; do not edit."""

import numpy as np

from neurosim.compiled import array_at, inlined, kernel, spliced
from neurosim.functions import {functions}

NODES = {nodes}
WEIGHTS = {weights}


@inlined
def lived(h, constants, {state}):
    """The state after ``h`` ms without a spike."""
    {unpacked} = constants
{integrals}
{faded}
    return {state}


@spliced
def lived_briefly(h, constants, {state}):
    """The same where four nodes will do; without a branch, so that many neurons may live at once."""
    {unpacked} = constants
{brief_integrals}
{faded}
    return {state}


@inlined
def is_brief(h, constants):
    """Whether four nodes will do."""
    return h*constants[0] < {brief}


@kernel
def advance(n: int, slot_of: int, step_of: int, n_slots: int, table: int, numbers_at: int) -> None:
    """Let ``n`` spikes happen, each of a neuron (its slot) at a step, in the order of time."""
    slots, steps = array_at(slot_of, n, np.int64), array_at(step_of, n, np.int64)
    numbers = array_at(numbers_at, {n_numbers}, np.float64)
    dt, constants = numbers[0], ({constants})
    {unpacked} = constants
    columns = array_at(table, {n_columns}, np.int64)
    seen, born = array_at(columns[0], n_slots, np.int64), array_at(columns[1], n_slots, np.int64)
{columns}
{lanes}
    done = 0
    while done < n:
        m = 0
        while m < {n_lanes} and done + m < n and seen[slots[done + m]] >= 0:  # neurons that are not among them already
            slot = slots[done + m]
            h__all[m] = (steps[done + m] - max(seen[slot], born[slot])) * dt
            seen[slot] = -1
            m += 1
        for i in range(m):
            slot = slots[done + i]
{taken}
        for i in range((m + 7) & ~7):
            {state} = lived_briefly(h__all[i], constants, {lane})
{put}
        for i in range(m):
            slot = slots[done + i]
            if not is_brief(h__all[i], constants):
                {state} = lived(h__all[i], constants, {loaded})
{put_again}
            {state} = {lane}
{jumps}
{kept}
            seen[slot] = steps[done + i]
        done += m


@kernel
def shown(now: int, n_slots: int, table: int, numbers_at: int, out: int) -> None:
    """Write what all neurons have at step ``now`` into ``out``, one column after the other."""
    numbers = array_at(numbers_at, {n_numbers}, np.float64)
    dt, constants = numbers[0], ({constants})
    columns = array_at(table, {n_columns}, np.int64)
    seen, born = array_at(columns[0], n_slots, np.int64), array_at(columns[1], n_slots, np.int64)
{columns}
    shown_ = array_at(out, {n_state}*n_slots, np.float64)
{lanes}
    for first in range(0, n_slots, {n_lanes}):
        n = min(n_slots - first, {n_lanes})
        for i in range(n):
            slot = first + i
            h__all[i] = (now - max(seen[slot], born[slot])) * dt
{taken}
        for i in range((n + 7) & ~7):
            {state} = lived_briefly(h__all[i], constants, {lane})
{put}
        for i in range(n):
            if not is_brief(h__all[i], constants):
                slot = first + i
                {state} = lived(h__all[i], constants, {loaded})
{put_again}
        for i in range(n):
{written}
'''


class NeuronTraces:
    """What one rule keeps of the neurons of one population."""

    def __init__(self, rule: BoundStructure, population: Population, dt: float) -> None:
        self.rule, self.population = rule, population
        self.dynamics = rule.dynamics[population.name]
        self.names = list(self.dynamics.variables)
        self._numbers = np.array([dt, *self._values()], np.float64)
        self._kernels: ModuleType = generated.module(f"structure_{rule.rule.name}", self._text())
        self._kept = [rule.column("seen"), "born", *map(rule.column, self.names)]
        self._columns: list[NDArray[Any]] = []
        self._addresses = np.zeros(len(self._kept), np.int64)

    def advance(self, steps: NDArray[np.int64], ids: NDArray[np.uint32]) -> None:
        """Take in spikes, in the order of time."""
        slots = self.population.network._slots_of(self.population, ids)
        living = slots >= 0
        slots, steps = np.ascontiguousarray(slots[living]), np.ascontiguousarray(steps[living])
        self._kernels.advance(
            slots.size, address_of(slots), address_of(steps), self.population.n_slots, self._table(),
            address_of(self._numbers),
        )  # fmt: skip

    def shown(self, now: int) -> dict[str, NDArray[np.float64]]:
        """Values of all slots as they are at step ``now``, by name; writes nothing."""
        n = self.population.n_slots
        out = np.zeros((len(self.names), n))
        self._kernels.shown(now, n, self._table(), address_of(self._numbers), address_of(out))
        return dict(zip(self.names, out, strict=True))

    def settle(self, now: int) -> None:
        """Bring what is kept up to step ``now``."""
        for name, values in self.shown(now).items():
            self.population.columns[self.rule.column(name)][:] = values
        self.population.columns[self.rule.column("seen")][:] = now

    def renew(self) -> None:
        """Go on with the rule's parameters as they are now."""
        self.dynamics = self.rule.dynamics[self.population.name]
        self._numbers = np.array([self._numbers[0], *self._values()], np.float64)

    def code(self) -> str:
        """The source of the kernels."""
        return self._text()

    def _table(self) -> int:
        """Where the addresses of the columns stand; they move only when slots do."""
        columns = [self.population.columns[name] for name in self._kept]
        if not self._columns or any(new is not old for new, old in zip(columns, self._columns, strict=True)):
            self._columns = columns
            self._addresses[:] = [address_of(column) for column in columns]
        return address_of(self._addresses)

    # -- text ---------------------------------------------------------------------------------------------------

    def _values(self) -> list[float]:
        traces = [value for t in self.dynamics.traces for value in (t.rate, t.target, t.jump)]
        rates = [t.rate for t in self.dynamics.traces]
        most = [max(rates), _FADED / min(rates)] if rates else [0.0, 0.0]
        return [*most, *traces, *self.dynamics.constants.values()]

    def _text(self) -> str:
        dynamics, symbols = self.dynamics, [f"{name}_now" for name in self.names]
        numbers = ["fastest", "faded_after"]
        for trace in dynamics.traces:
            numbers += [f"{trace.name}_rate", f"{trace.name}_target", f"{trace.name}_jump"]
        parameters = [f"{name}_given" for name in dynamics.constants]
        named = [*numbers, *parameters]
        faded = [f"{t.name}_now = {_faded(t.name, 'h')}" for t in dynamics.traces]
        integrals, brief = self._integrals(), self._brief_integrals()
        jumps = [f"{t.name}_now += {t.name}_jump" for t in dynamics.traces]
        body = "\n".join([*integrals, *faded])
        arrays = [f"{n}_column = array_at(columns[{k}], n_slots, np.float64)" for k, n in enumerate(self.names, 2)]
        # pieces of one array: only then is it plain to the compiler that they lie apart
        lanes = [f"lanes = np.zeros({(len(self.names) + 1) * _LANES})"]
        for k, name in enumerate(["h", *self.names]):
            lanes.append(f"{name}__all = lanes[{k * _LANES} : {(k + 1) * _LANES}]")
        put = [f"{name}__all[i] = {name}_now" for name in self.names]
        return _TEXT.format(
            about=", ".join(self.names), functions=", ".join(sorted({"exp", *functions_in(body)})),
            nodes=tuple(node for node, _ in _EIGHT), weights=tuple(weight for _, weight in _EIGHT), brief=_BRIEF,
            state=", ".join(symbols), unpacked=", ".join(named), n_numbers=len(named) + 1,
            constants=", ".join(f"numbers[{k}]" for k in range(1, len(named) + 1)),
            integrals=_indented(integrals, 1), brief_integrals=_indented(brief, 1),
            faded=_indented(faded, 1), n_columns=len(self.names) + 2, columns=_indented(arrays, 1),
            loaded=", ".join(f"{name}_column[slot]" for name in self.names), jumps=_indented(jumps, 3),
            kept=_indented([f"{name}_column[slot] = {name}_now" for name in self.names], 3), n_state=len(self.names),
            n_lanes=_LANES, lanes=_indented(lanes, 1),
            taken=_indented([f"{name}__all[i] = {name}_column[slot]" for name in self.names], 3),
            lane=", ".join(f"{name}__all[i]" for name in self.names),
            put=_indented(put, 3), put_again=_indented(put, 4),
            written=_indented([f"shown_[{k}*n_slots + first + i] = {n}__all[i]" for k, n in enumerate(self.names)], 3),
        )  # fmt: skip

    def _changes(self) -> tuple[dict[str, str], dict[str, str]]:
        """What each integral grows by in a ms, and the name of its sum: what is alike is summed up once."""
        names = {name: f"{name}_given" for name in self.dynamics.constants}
        names |= {t.name: f"{t.name}_then" for t in self.dynamics.traces}
        changes = {z.name: source(z.change.tree, names) for z in self.dynamics.integrals}
        return changes, {text: f"sum_{k}" for k, text in enumerate(dict.fromkeys(changes.values()))}

    def _integrals(self) -> list[str]:
        changes, sums = self._changes()
        if not sums:
            return []
        lines = ["fading = min(h, faded_after)", "pieces = max(1.0, np.ceil(4.0*fading*fastest))"]
        lines += ["width = fading/pieces", *(f"{total} = 0.0" for total in sums.values())]
        lines += ["for p in range(int(pieces)):", "    for q in range(8):", "        s = (p + NODES[q])*width"]
        lines += [f"        {line}" for line in self._summed(sums, "WEIGHTS[q]")]
        lines += [f"{t.name}_then = {_faded(t.name, 'fading')}" for t in self.dynamics.traces]
        lines += [f"{total} = {total}*width + (h - fading)*({change})" for change, total in sums.items()]
        return [*lines, *_grown(changes, sums)]

    def _brief_integrals(self) -> list[str]:
        changes, sums = self._changes()
        lines = [f"{total} = 0.0" for total in sums.values()]
        for node, weight in _FOUR if sums else ():
            lines += [f"s = {node}*h", *self._summed(sums, f"{weight}")]
        lines += [f"{total} = {total}*h" for total in sums.values()]
        return [*lines, *_grown(changes, sums)]

    def _summed(self, sums: dict[str, str], weight: str) -> list[str]:
        """Lines for one node, at ``s``."""
        lines = [f"{t.name}_then = {_faded(t.name, 's')}" for t in self.dynamics.traces]
        return lines + [f"{total} += {weight}*({change})" for change, total in sums.items()]


def _grown(changes: dict[str, str], sums: dict[str, str]) -> list[str]:
    return [f"{name}_now = max(0.0, {name}_now + {sums[change]})" for name, change in changes.items()]


def _faded(name: str, time: str) -> str:
    return f"{name}_target + ({name}_now - {name}_target)*exp(-{name}_rate*{time})"


def _indented(lines: list[str], depth: int) -> str:
    return "\n".join("    " * depth + line for line in lines)


