"""Kernels that look through the synapses of a projection for those that a structural rule is about.

One pass over the rows, generated from the rule's expressions: which synapses ``die`` holds for (and has held for long
enough), with their rank and their chance. The text depends on what the rule says and how synapses are stored, never
on sizes or parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim import generated
from neurosim.compiled import address_of
from neurosim.engine.structure.looks import Look
from neurosim.expressions.source import functions_in, source
from neurosim.graph.population import Slots
from neurosim.graph.projection import Projection
from neurosim.graph.structure import BoundStructure

Index = NDArray[np.int64]
Values = NDArray[np.float64]

_ROOM = 2**20  # synapses found in one go
_TYPES = {"u1": "np.uint8", "u2": "np.uint16", "u4": "np.uint32", "i4": "np.int32", "i8": "np.int64",
          "f4": "np.float32", "f8": "np.float64"}  # fmt: skip

_TEXT = '''"""Synapses that a structural rule is about: {about}. Generated; do not edit."""

import numpy as np

from neurosim.compiled import array_at, kernel, record_at
from neurosim.graph.row_kernels import ROWS, row_end
{imports}

@kernel
def survey(
    store: int, first: int, n_rows: int, listed: int, numbers_at: int, n_numbers: int, pre: int, n_pre: int, post: int,
    n_post: int, columns_at: int, n_columns: int, room: int, found: int, out_row: int, out_place: int, out_rank: int,
    out_chance: int,
) -> int:
    """List what is found in the rows ``listed`` from the ``first`` on; returns where it ended, for want of ``room``."""
    rows = record_at(store, ROWS)
    row_of = array_at(listed, n_rows, np.int64)
    start = array_at(rows.start, rows.n_rows, np.int64)
    ends = array_at(rows.ends, rows.n_rows * rows.shards, np.uint32)
    targets = array_at(rows.post, rows.capacity, np.uint32)
    numbers = array_at(numbers_at, n_numbers, np.float64)
    pre_, post_ = array_at(pre, n_pre, np.int64), array_at(post, n_post, np.int64)
    columns = array_at(columns_at, n_columns, np.int64)
    row_out, place_out = array_at(out_row, room, np.int64), array_at(out_place, room, np.int64)
    rank_out, chance_out = array_at(out_rank, room, np.float64), array_at(out_chance, room, np.float64)
{opened}
    k = 0
    for i in range(first, n_rows):
        row = row_of[i]
        n = row_end(ends, row, rows.shards)
        if k + n > room:
            array_at(found, 1, np.int64)[0] = k
            return i
{of_row}
        for c in range(n):
            place = start[row] + c
            target = np.int64(targets[place])
{of_synapse}
            if holds:
                row_out[k] = row
                place_out[k] = place
{outputs}
                k += 1
    array_at(found, 1, np.int64)[0] = k
    return n_rows
'''


@dataclass(frozen=True)
class Found:
    """Synapses by row and place, in the order of their sources' ids and of rows, with their ranks and chances."""

    rows: Index
    places: Index
    rank: Values
    chance: Values


class Survey:
    """How one rule looks through one projection."""

    def __init__(self, rule: BoundStructure, projection: Projection) -> None:
        self.rule, self.projection = rule, projection
        expressions = {
            clause: rule.expressions[clause, projection.name]
            for clause in ("die", "chance", "rank")
            if (clause, projection.name) in rule.expressions
        }
        self._trees = {clause: expression.tree for clause, expression in expressions.items()}
        self._names = frozenset(name for expression in expressions.values() for name in expression.names)
        self._units = sorted(self._names & set(rule.units))

    def find(self, look: Look) -> Found:
        """Look through all rows, in the order of the sources' ids."""
        projection = self.projection
        self._bring_up()
        held, columns = self._held(look), self._columns()
        module = generated.module(f"structure_{self.rule.rule.name}", self._text(held, columns))
        numbers = np.array(self._numbers(look), np.float64)
        tables = {side: np.array([address_of(a) for _, a in named] or [0], np.int64) for side, named in held.items()}
        stored = np.array([address_of(array) for _, array in columns] or [0], np.int64)
        store, rows = projection.store, projection._rows_by_id()
        room = max(int(store.ends[:, -1].max(initial=0)), min(_ROOM, projection.size), 1)
        row_out, place_out = np.empty(room, np.int64), np.empty(room, np.int64)
        rank = np.empty(room if "rank" in self._trees else 1)
        chance = np.empty(room if "chance" in self._trees else 1)
        parts, begin, count = [], 0, np.zeros(1, np.int64)
        while begin < rows.size:
            begin = module.survey(
                store.address, begin, rows.size, address_of(rows), address_of(numbers), numbers.size,
                address_of(tables["pre"]), tables["pre"].size, address_of(tables["post"]), tables["post"].size,
                address_of(stored), stored.size, room, address_of(count), address_of(row_out), address_of(place_out),
                address_of(rank), address_of(chance),
            )  # fmt: skip
            n = int(count[0])
            parts.append((row_out[:n].copy(), place_out[:n].copy(), rank[:n].copy(), chance[:n].copy()))
        nothing = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
        return Found(*(np.concatenate(columns) for columns in zip(nothing, *parts, strict=True)))

    def code(self, look: Look) -> str:
        """The source of the kernel."""
        return self._text(self._held(look), self._columns())

    def _held(self, look: Look) -> dict[str, list[tuple[str, Values]]]:
        pairs = look.pair_columns(self.projection, self._names)
        return {side: self._side(look, pairs, side) for side in ("pre", "post")}

    def _bring_up(self) -> None:
        """Structural rules are events: rows are settled, so that columns hold what is true now."""
        plasticity = self.projection.values.plasticity
        if plasticity is None or plasticity.runner is None or self.projection.size == 0:
            return
        plasticity.runner.settle(self.projection, None)
        moving = {*plasticity.variables, *(["weight"] if plasticity.drives_weight else [])}
        if plasticity.moves and self._names & moving:
            plasticity.bring_up(*self.projection.store.places())

    # -- what the kernel gets ---------------------------------------------------------------------------------------

    def _side(self, look: Look, pairs: dict[str, Any], side: str) -> list[tuple[str, Values]]:
        """Numbers of the neurons on one side: (name in the text, column by slot)."""
        named = [
            (name, look.column(*where)) for name, where in sorted(pairs.items()) if name.endswith(f"_{side}")
        ]
        population = self.projection.source if side == "pre" else self.projection.target
        if "distance" in self._names:
            named += [(f"{axis}_of_{side}", look.column(population, axis)) for axis in "xyz"]
        if "last_use" in self._names and side == "pre":
            named.append(("silence_of_pre", look.column(population, "silence")))
        return named

    def _columns(self) -> list[tuple[str, NDArray[Any]]]:
        """Columns of the store: (name, array); what is the same for all synapses has none."""
        store = self.projection.store
        wanted = [name for name in self.projection.variables if name in self._names]
        if self._names & {"age", "last_use"}:
            wanted.append("_born")
        columns = [(name, store.columns[name]) for name in wanted if name in store.columns]
        if store.precision.coarse:
            with np.errstate(invalid="ignore"):  # in places that nobody uses
                columns = [(n, store.precision.shown(c) if n == "weight" else c) for n, c in columns]
        if self.rule.lasting:  # under a name that is the same for every rule, so that it is compiled once
            columns.append(("_held", store.columns[self.rule.column("held")]))
        return columns

    def _numbers(self, look: Look) -> list[float]:
        """Numbers that are the same for all synapses, in the order of ``_number_names``."""
        always, uniform = look.always, self.projection.store.uniform
        shared = {name: self._as_kept(name, value) for name, value in self.rule.shared(self._units).items()}
        own = [float(self.projection.store.record["uniform_weight"][0]), float(uniform.get("delay", 0.0))]
        counts = [float(look.now), float(self.projection.size), float(look.needed)]
        return [look.dt, *counts, *always.values(), *own, *shared.values()]

    def _as_kept(self, name: str, value: float) -> float:
        """Weights are compared with numbers of their own precision: what was set to 0.7 is not below 0.7."""
        weighs = self.rule.units[name] == self.projection.weight_unit != ""
        return self.projection.values.precision.kept(value) if weighs else value

    def _number_names(self) -> list[str]:
        always = ["time", "every"]
        return ["dt", "now", "size", "needed", *always, "uniform_weight", "uniform_delay",
                *(f"{name}_given" for name in self._units)]  # fmt: skip

    # -- text -----------------------------------------------------------------------------------------------------

    def _text(self, held: dict[str, list[tuple[str, Values]]], columns: list[tuple[str, NDArray[Any]]]) -> str:
        opened = [f"{name} = numbers[{k}]" for k, name in enumerate(self._number_names())]
        for side, count in (("pre", "rows.n_rows"), ("post", self._n_posts())):
            for k, (name, _) in enumerate(held[side]):
                opened.append(f"{name}_column = array_at({side}_[{k}], {count}, np.float64)")
        for k, (name, array) in enumerate(columns):
            opened.append(f"{name}_column = array_at(columns[{k}], rows.capacity, {_TYPES[array.dtype.str[1:]]})")
        of_row = [f"{name}_here = {name}_column[row]" for name, _ in held["pre"]]
        of_synapse = [f"{name}_here = {name}_column[target]" for name, _ in held["post"]]
        of_synapse += self._values({name for name, _ in columns})
        names = self._spelled(held)
        of_synapse += self._condition(names)
        outputs = [
            f"{clause}_out[k] = {source(self._trees[clause], names)}"
            for clause in ("rank", "chance")
            if clause in self._trees
        ]
        called = functions_in("\n".join([*of_synapse, *outputs]))
        return _TEXT.format(
            about=self.rule.rule.name, opened=_indented(opened, 1), of_row=_indented(of_row, 2),
            imports=f"from neurosim.functions import {', '.join(called)}\n" if called else "",
            of_synapse=_indented(of_synapse, 3), outputs=_indented(outputs, 4),
        )  # fmt: skip

    def _n_posts(self) -> str:
        return "rows.shards * rows.stride"

    def _values(self, kept: set[str]) -> list[str]:
        """Lines for what a synapse has itself."""
        plasticity, lines = self.projection.values.plasticity, []
        learned = plasticity is not None and plasticity.learns_delay
        for name in self.projection.variables:
            if name in self._names:
                value = f"{name}_column[place]" if name in kept else f"uniform_{name}"
                steps = "*dt" if name == "delay" and not learned else ""
                lines.append(f"{name}_here = np.float64({value}){steps}")
        if self._names & {"age", "last_use"}:
            lines.append("age_here = np.float64((np.int64(now) - np.int64(_born_column[place])) & 0xFFFFFFFF)*dt")
        if "last_use" in self._names:
            lines.append("last_use_here = min(age_here, silence_of_pre_here)")
        if "distance" in self._names:
            squares = [f"({a}_of_pre_here - {a}_of_post_here)*({a}_of_pre_here - {a}_of_post_here)" for a in "xyz"]
            lines.append(f"distance_here = np.sqrt({' + '.join(squares)})")
        return lines

    def _spelled(self, held: dict[str, list[tuple[str, Values]]]) -> dict[str, str]:
        """Symbol -> what it is called in the text."""
        names = {name: f"{name}_here" for name in self._names}
        names |= {name: name for name in ("time", "every", "size")}
        return names | {name: f"{name}_given" for name in self._units}

    def _condition(self, names: dict[str, str]) -> list[str]:
        lines = [f"holds = {source(self._trees['die'], names)}" if "die" in self._trees else "holds = True"]
        if self.rule.lasting:
            lines += ["lasts = np.int64(_held_column[place]) + 1 if holds else np.int64(0)",
                      "_held_column[place] = np.uint32(lasts)", "holds = lasts >= needed"]  # fmt: skip
        return lines


def places_at(projection: Projection, positions: Index) -> tuple[Slots, Index]:
    """Row and place of synapses by their position among all, counted by source id and along rows; ascending."""
    return projection.store.places_of(projection._rows_by_id(), positions)


def _indented(lines: list[str], depth: int) -> str:
    return "\n".join("    " * depth + line for line in lines)
