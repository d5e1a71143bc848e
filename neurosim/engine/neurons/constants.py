"""What a kernel need not compute: constants, found in the trees when a kernel is generated, computed when lowered."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from neurosim.expressions.source import FUNCTIONS, source
from neurosim.expressions.tree import Constant, Node, Symbol, children
from neurosim.models.algebra import collected, names_in, rebuilt, symbol

#: Names that generated kernels use themselves; a model's own get two underscores.
TAKEN = frozenset({
    "np", "range", "abs", "min", "max", "array_at", "by_address", "inlined", "record_at", "POPULATION", "arrivals",
    "clear", "emit", "floats", "integers", "normals_of_block", "words_of_block", "uniform", "advance", "propagate",
    "reset", "record", "first", "n_steps", "lo", "hi", "shard", "parity", "r", "population", "size", "mark",
    "held_until", "free", "i", "j", "k", "step", "slot", "block", "ids", "exprel_of", "per_exprel_of", "KERNEL",
    "RECORD", *FUNCTIONS,
})  # fmt: skip


def spelled(name: str) -> str:
    """How a model's symbol is written in a kernel."""
    return f"{name}__" if name in TAKEN or keyword.iskeyword(name) else name


@dataclass(frozen=True)
class Propagator:
    """An element of an exact step.

    ``from`` is one of e^(A dt) by row and column, ``rest`` where a row stands still, ``shift`` its ∫e^(A s) ds b, and
    ``noise`` what the normal of a column adds to it; ``held`` ones are of the system while refractory.
    """

    kind: str
    row: str
    column: str = ""
    held: bool = False


@dataclass(frozen=True)
class Steps:
    """A time in whole steps."""

    tree: Node


@dataclass(frozen=True)
class Recipe:
    """How a constant is computed, and for whom: ``one`` value for all neurons, one for ``each``, or ``drive``: one for
    each where injected currents differ between them."""

    what: Node | Propagator | Steps
    scope: str


@dataclass
class Constants:
    """The constants of one kernel, by name.

    ``known`` are the symbols that do not change while it runs, ``varying`` those that every neuron has its own of,
    ``defined`` the subexpressions that are constant, in order.
    """

    known: frozenset[str]
    varying: frozenset[str]
    recipes: dict[str, Recipe] = field(default_factory=dict)
    defined: dict[str, Node] = field(default_factory=dict)
    _made_of: dict[str, frozenset[str]] = field(default_factory=dict)
    _named: dict[str, str] = field(default_factory=dict)

    def take(self, named: Mapping[str, Node]) -> dict[str, Node]:
        """Take over the subexpressions that are constant; returns the others."""
        changing: dict[str, Node] = {}
        for name, tree in named.items():
            if self.is_constant(tree):
                self.defined[name] = tree
                self._made_of[name] = self._sources(names_in(tree))
                self.known |= {name}
            else:
                changing[name] = tree
        return changing

    def is_constant(self, node: Node) -> bool:
        """Whether a tree reads nothing that changes."""
        return names_in(node) <= self.known

    def _sources(self, names: Iterable[str]) -> frozenset[str]:
        """What constants are made of in the end."""
        return frozenset().union(*(self._made_of.get(name, frozenset({name})) for name in names))

    def scope(self, names: Iterable[str]) -> str:
        """For whom a constant made of these symbols is computed."""
        read = self._sources(names)
        return "each" if read & self.varying else "drive" if "i_stim" in read else "one"

    def name(self, tree: Node) -> str:
        """The name of a constant tree; each is computed once."""
        text = source(tree, {name: name for name in names_in(tree)})
        if text not in self._named:
            count = sum(name.startswith("k__") for name in self.recipes)
            self._named[text] = spelled(tree.name) if isinstance(tree, Symbol) else f"k__{count + 1}"
            self.recipes[self._named[text]] = Recipe(tree, self.scope(names_in(tree)))
        return self._named[text]

    def special(self, name: str, what: Propagator | Steps, names: Iterable[str]) -> str:
        """Add a constant that is no tree; ``names`` are the symbols that it depends on."""
        self.recipes[name] = Recipe(what, self.scope(names))
        return name

    def hoisted(self, node: Node) -> Node:
        """The tree with its constant parts replaced by their names."""
        if isinstance(node, Constant):
            return node
        if node.unit is not None and self.is_constant(node):
            return symbol(self.name(node))
        return rebuilt(node, (self.hoisted(part) for part in children(node)))

    def prepared(self, node: Node) -> Node:
        """The tree with its constants brought together, then replaced by their names."""
        return self.hoisted(collected(node, self.is_constant))
