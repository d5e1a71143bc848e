"""Writes the kernel of a neuron model: its equations as a loop over neurons.

A kernel depends on a model's equations, conditions and statements, on which parameters every neuron has its own value
of, and on nothing else: not on names, sizes or values. `code` shows one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import ModuleType

from neurosim import generated
from neurosim.engine.neurons.constants import Constants, Propagator, Recipe, Steps, spelled
from neurosim.engine.neurons.integrators import Body, step
from neurosim.engine.neurons.powers import with_shared_powers
from neurosim.expressions.source import source
from neurosim.expressions.tree import Node
from neurosim.models import NeuronModel
from neurosim.models.algebra import names_in, symbol
from neurosim.models.dynamics import DRAWN, Dynamics

_HEAD = '''\
from __future__ import annotations

import numpy as np

'''
_IMPORTED = {
    "neurosim.compiled": ("array_at", "by_address", "inlined", "record_at"),
    "neurosim.engine.neurons.draws": ("normals_of_block", "uniform", "words_of_block"),
    "neurosim.engine.neurons.powers": ("exprel_of", "per_exprel_of"),
    "neurosim.engine.records": ("POPULATION", "arrivals", "clear", "emit", "floats", "integers"),
}
_SIGNATURE = "record: int, first: int, n_steps: int, lo: int, hi: int, shard: int, parity: int"


@dataclass(frozen=True, eq=False)
class Program:
    """A generated kernel: its source, how its constants are computed, and the random streams it draws from.

    ``defined`` are the constant subexpressions that recipes read, in order; ``spans`` the distances between exponents
    that share an exponential, see `powers`.
    """

    source: str
    recipes: Mapping[str, Recipe]
    streams: tuple[str, ...]
    defined: Mapping[str, Node]
    spans: tuple[Node, ...] = ()

    @cached_property
    def module(self) -> ModuleType:
        """The imported source: ``RECORD``, ``KERNEL``."""
        return generated.module("neuron", self.source)


@lru_cache(maxsize=512)
def program(
    dynamics: Dynamics, inputs: tuple[str, ...], varying: frozenset[str], resting: bool = True, sharing: bool = True
) -> Program:
    """The kernel of a model.

    Parameters
    ----------
    inputs : the variables that receptors add to.
    varying : the parameters that every neuron has its own value of.
    resting : whether the linear system has a state of rest.
    sharing : whether exponentials that are powers of each other are computed once.
    """
    constants = Constants(dynamics.constants, varying)
    dynamics = replace(dynamics, named=constants.take(dynamics.named))
    dynamics, spans = with_shared_powers(dynamics, constants.is_constant) if sharing else (dynamics, ())
    return replace(_Writer(dynamics, inputs, constants, resting).program(), spans=spans)


def code(model: NeuronModel, varying: Iterable[str] = ()) -> str:
    """The source of a model's kernel, where the parameters ``varying`` differ from neuron to neuron."""
    return program(model.dynamics, model.input_variables, frozenset(varying)).source


class _Writer:
    def __init__(self, dynamics: Dynamics, inputs: tuple[str, ...], constants: Constants, resting: bool) -> None:
        self.dynamics, self.inputs, self.constants, self.resting = dynamics, inputs, constants, resting
        self.state = tuple(dynamics.equations.state)
        self.fires = dynamics.threshold is not None
        self.holds = dynamics.refractory is not None
        self.draws = [f"{DRAWN}{k + 1}" for k in range(dynamics.draws)]

    def program(self) -> Program:
        loop, reset = self._loop(), self._reset()
        times = {body: self._times(body) for body in (loop, reset)}
        streams = (*self.draws, *loop.normals)
        parts = [
            self._record(streams),
            self._propagate(loop, times[loop]),
            *([self._reset_function(reset, times[reset])] if reset.lines else []),
            self._advance(loop, reset),
            "KERNEL = advance\n",
        ]
        text = "\n\n\n".join(parts)
        imports = {**_IMPORTED, "neurosim.functions": tuple(sorted(loop.functions | reset.functions))}
        written = set(re.findall(r'(?<!")\b[^\W\d]\w*\b(?!")', text))
        lines = [
            f"from {module} import {', '.join(used)}"
            for module, names in imports.items() if (used := [name for name in names if name in written])
        ]  # fmt: skip
        whole = f"{self._about()}{_HEAD}" + "\n".join(lines) + "\n\n" + text
        return Program(whole, dict(self.constants.recipes), streams, dict(self.constants.defined))

    def _about(self) -> str:
        """What was declared, as the module's docstring."""
        dynamics = self.dynamics
        said = [e.text for e in dynamics.equations.differentials] + [p.text for p in dynamics.equations.subexpressions]
        return "\n".join(['"""Generated from equations.', *([""] if said else []), *said, '"""', "", ""])

    # -- what happens to one neuron -------------------------------------------------------------------

    def _loop(self) -> Body:
        """The lines for neuron ``i``."""
        body = Body(self.dynamics, self.constants)
        if self.holds:
            body.let("free", "held_until[i] < step")
        old = {name: body.let(spelled(name), f"{name}__all[i]") for name in self.state}
        new = step(body, old, self.resting)
        for name in self.inputs:
            arriving = f"0.0 if {name}__in is None else {name}__in[i]"
            if name in new:
                body.let(new[name], f"{new[name]} + ({arriving})")
            else:
                new[name] = body.let(f"{name}__new", arriving)
        for name in new:
            if name in self.dynamics.held:
                body.let(new[name], f"{new[name]} if free else {old[name]}")
            body.lines.append(f"{name}__all[i] = {new[name]}")
        if self.dynamics.threshold is not None:
            drawn = {name: f"uniform({name}__words[i])" for name in self.draws}
            at = body.point({**old, **new, **drawn}, "end", "__end")
            condition = at.text(self.dynamics.threshold)
            body.lines.append(f"mark[i] = free & ({condition})" if self.holds else f"mark[i] = {condition}")
        return body

    def _reset(self) -> Body:
        """The lines for neuron ``k``, which has fired."""
        body = Body(self.dynamics, self.constants)
        names = {name: f"{name}__all[k]" for name in self.state}
        for k, statement in enumerate(self.dynamics.reset):
            at = body.point(names, "end", f"__{k}")
            text = at.text(statement.expression.tree)
            target = names.get(statement.target)
            if target is None:
                target = names[statement.target] = f"{statement.target}__local"
            body.lines.append(f"{target} {statement.operator} {text}")
        if self.dynamics.refractory is not None:
            what = Steps(self.dynamics.refractory)
            name = self.constants.special("held__for", what, names_in(self.dynamics.refractory))
            body.used.add(name)
            body.lines += [f"if {name} > 0:", f"    held_until[k] = step + {name}"]
        return body

    # -- the module -----------------------------------------------------------------------------------

    def _record(self, streams: Iterable[str]) -> str:
        whole = ["population", "mark", "zeros", "seed", "held_until", *(f"{name}__all" for name in self.state)]
        for name in self.inputs:
            whole += [f"{name}__ring", f"{name}__mask"]
        whole += [f"{stream}__purpose" for stream in streams]
        broken: list[str] = []
        for name, recipe in self.constants.recipes.items():
            if recipe.scope != "one":
                whole += [f"{name}__each", f"{name}__stride"]
            else:
                (whole if isinstance(recipe.what, Steps) else broken).append(name)
        text = f"integers({_listed(whole)})"
        return f"RECORD = np.dtype({text} + floats({_listed(broken)}))" if broken else f"RECORD = np.dtype({text})"

    # -- functions ------------------------------------------------------------------------------------

    def _read(self, body: Body, scope: str) -> list[str]:
        """The constants of a scope that a body reads."""
        return [name for name, recipe in self.constants.recipes.items() if name in body.used and recipe.scope == scope]

    def _begin(self, body: Body, times: Iterable[str]) -> list[str]:
        """What is read before the loop."""
        return [*(f'{name} = r["{name}"]{self._meaning(name)}' for name in self._read(body, "one")), *times]

    def _meaning(self, name: str) -> str:
        """What an unnamed constant is, as a comment."""
        tree = self.constants.recipes[name].what
        if not name.startswith("k__") or isinstance(tree, Propagator | Steps):
            return ""
        return f"  # {source(tree, {name: name for name in names_in(tree)})}"

    def _times(self, body: Body) -> list[str]:
        written = {"t__begin": "step - 1", "t__middle": "step - 0.5", "t__end": "step"}
        needed = [name for name in written if name in body.times]
        return [f"{name} = ({written[name]})*{body.constant(symbol('dt'))}" for name in needed]

    def _arrays(self, body: Body) -> list[str]:
        """What a loop reads and writes for each neuron, besides what may be the same for all."""
        names = ["mark"] if self.fires else []
        names += ["held_until"] if self.holds else []
        names += [f"{name}__all" for name in self.state]
        names += [f"{name}__each" for name in self._read(body, "each")]
        return names + [f"{name}__words" for name in self.draws] + [f"{name}__drawn" for name in body.normals]

    def _propagate(self, body: Body, times: list[str]) -> str:
        drives = self._read(body, "drive")
        optional = [f"{name}__{what}" for name in drives for what in ("same", "each")]
        arguments = ["r", "step", "size", *self._arrays(body), *optional, *(f"{name}__in" for name in self.inputs)]
        inside = [f"{name} = {name}__each[i]{self._meaning(name)}" for name in self._read(body, "each")]
        inside += [
            f"{name} = {name}__same if {name}__each is None else {name}__each[i]{self._meaning(name)}"
            for name in drives
        ]
        return _function(
            f"propagate({', '.join(arguments)})",
            "One step of all neurons of a tile, without branches; what is None need not be read.",
            [*self._begin(body, times), "for i in range(size):", *_indented(inside + body.lines)],
        )

    def _reset_arguments(self, body: Body) -> list[str]:
        names = ["held_until"] if self.holds else []
        names += [f"{name}__all" for name in self.state]
        return names + [f"{name}__each" for scope in ("each", "drive") for name in self._read(body, scope)]

    def _reset_function(self, body: Body, times: list[str]) -> str:
        inside = [f"{name} = {name}__each[k]" for scope in ("each", "drive") for name in self._read(body, scope)]
        return _function(
            f"reset({', '.join(['r', 'k', 'step', *self._reset_arguments(body)])})",
            "Neuron ``k`` of the tile has fired.",
            [*self._begin(body, times), *inside, *body.lines],
        )

    def _advance(self, loop: Body, reset: Body) -> str:
        lines = ["r = record_at(record, RECORD)"]
        lines += ['population = record_at(r["population"], POPULATION)', "size = hi - lo"]
        lines += ['mark = array_at(r["mark"] + lo, size, np.uint8)'] if self.fires else []
        lines += ['held_until = array_at(r["held_until"] + 8*lo, size, np.int64)'] if self.holds else []
        lines += [f'{name}__all = array_at(r["{name}__all"] + 8*lo, size, np.float64)' for name in self.state]
        for name, recipe in self.constants.recipes.items():
            if recipe.scope != "one":
                kind = "np.int64" if isinstance(recipe.what, Steps) else "np.float64"
                lines.append(f'{name}__each = array_at(r["{name}__each"] + 8*lo*r["{name}__stride"], size, {kind})')
        inside = ["step = first + j"]
        if self.draws or loop.normals:
            lines += ["ids = array_at(population.id + 4*lo, size, np.uint32)", "block = -1"]
            inside += self._draw(loop, lines)
        inside += self._steps(loop)
        if self.fires:
            emitted = 'emit(population, r["mark"], lo, size, shard, parity, j)'
            given = ", ".join(["r", "np.int64(slot) - lo", "step", *self._reset_arguments(reset)])
            inside += [f"for slot in {emitted}:", f"    reset({given})"] if reset.lines else [emitted]
        lines += ["for j in range(n_steps):", *_indented(inside), "return 0"]
        return "@by_address\n" + _function(
            f"advance({_SIGNATURE}) -> int", "All steps of an epoch for the neurons of a tile.", lines, decorator=""
        )

    def _draw(self, loop: Body, before: list[str]) -> list[str]:
        """Random numbers: a block serves four steps."""
        fill, take = [], []
        words = (self.draws, "words", "np.uint32", "words_of_block")
        for names, what, kind, maker in (words, (loop.normals, "drawn", "np.float64", "normals_of_block")):
            for name in names:
                before.append(f"{name}__block = np.empty((4, size), {kind})")
                fill.append(f'{maker}({name}__block, ids, block, r["{name}__purpose"], r["seed"])')
                take.append(f"{name}__{what} = {name}__block[step & 3]")
        return ["if step >> 2 != block:", *_indented(["block = step >> 2", *fill]), *take]

    def _steps(self, loop: Body) -> list[str]:
        """The call of ``propagate``, and another where nothing arrives and nothing differs, if that saves time."""
        drives = self._read(loop, "drive")
        given = ["r", "step", "size", *self._arrays(loop)]
        varied = [text for name in drives for text in ("0.0", f"{name}__each")]
        ring = 'r["{0}__ring"], r["{0}__mask"], population.n_slots, r["zeros"], step, lo, size'
        lines = [f"{name}__in = arrivals({ring.format(name)})" for name in self.inputs]
        lines.append(f"propagate({', '.join([*given, *varied, *(f'{name}__in' for name in self.inputs)])})")
        lines += [f'clear({name}__in, r["{name}__ring"])' for name in self.inputs]
        if loop.functions or loop.normals or not (drives or self.inputs):
            return lines
        alike = [text for name in drives for text in (f"{name}__each[0]", "None")]
        quiet = [f'r["{name}__ring"] == 0' for name in self.inputs] + [f'r["{name}__stride"] == 0' for name in drives]
        call = f"propagate({', '.join([*given, *alike, *('None' for _ in self.inputs)])})"
        return [f"if {' and '.join(quiet)}:", f"    {call}", "else:", *_indented(lines)]


def _function(head: str, about: str, lines: Iterable[str], decorator: str = "@inlined\n") -> str:
    return "\n".join([f"{decorator}def {head}:", f'    """{about}"""', *_indented(lines)])


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _listed(names: Iterable[str]) -> str:
    """Names as texts, a few to a line."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > 100:
            lines.append("")
        lines[-1] += f'"{name}", '
    return "\n" + "\n".join(_indented(line.strip() for line in lines)) + "\n"
