"""Where neurons are drawn: where they lie, or, where a population has no positions, where a layout puts them.

``module`` puts every group, or else population, into a ball of its own; ``region`` into boxes side by side;
``spring`` draws connected neurons together, ``spectral`` places them by the network's slowest modes. All depend on
ids and synapses only, so they are the same for everybody, and nobody moves once placed: whoever is born later stands
near its partners, or in the ball or box of its module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import unknown
from neurosim.viz.live.numbers import uniform

Points = NDArray[np.float64]
Index = NDArray[np.int64]

LAYOUTS = ("module", "region", "spring", "spectral")
SPACING = 22.0  # um between neighbours where nobody says otherwise
_PULLS = 400_000  # synapses that a layout looks at


@dataclass
class _Room:
    """The ball or box of a module."""

    centre: Points
    radius: float


class Layout:
    """Places neurons, once and for all."""

    def __init__(self, kind: str = "module") -> None:
        if kind not in LAYOUTS:
            raise unknown("layout", kind, LAYOUTS)
        self.kind = kind
        self.spacing = SPACING
        self._rooms: dict[int, _Room] = {}

    def begin(self, ids: NDArray[np.uint32], module: Index, given: Points, pre: Index, post: Index) -> Points:
        """Positions (n, 3) in um of the first neurons.

        Parameters
        ----------
        module : number of the module of each neuron.
        given : positions (n, 3) in um, NaN for neurons that have none.
        pre, post : places in these arrays of the two ends of synapses.
        """
        bare = np.isnan(given[:, 0])
        if not bare.any():
            self.spacing = _spacing(given)
            return given
        points = given.copy()
        if not bare.all():
            self.spacing = max(_spacing(given[~bare]), 1e-3)
        self._rooms = self._arranged(module[bare], given[~bare])
        points[bare] = self._in_rooms(ids[bare], module[bare])
        if self.kind in ("spring", "spectral") and bare.all() and pre.size:
            pre, post = _some(pre, post)
            radius = 0.62 * self.spacing * ids.size ** (1 / 3)
            if self.kind == "spring":
                points = _springs(points, pre, post, radius)
            else:
                points = _spectral(points, pre, post, radius)
        return np.asarray(points)

    def newborn(self, ids: NDArray[np.uint32], module: Index, partners: Sequence[Points]) -> Points:
        """Positions of newborn neurons: near the ``partners`` of each ((m, 3), or none of them), or in its module."""
        points = self._in_rooms(ids, module)
        for k, near in enumerate(partners):
            lone = int(module[k]) not in self._rooms
            if len(near) and (lone or self.kind in ("spring", "spectral")):
                points[k] = near.mean(axis=0) + self.spacing * (_in_ball(ids[k : k + 1])[0])
        return points

    def _in_rooms(self, ids: NDArray[np.uint32], module: Index) -> Points:
        shape = _in_box if self.kind == "region" else _in_ball
        unit: Points = shape(ids)
        nowhere = _Room(np.zeros(3), 4 * self.spacing)
        rooms = [self._rooms.get(int(number), nowhere) for number in module]
        if not rooms:
            return np.zeros((0, 3))
        centres, radii = np.stack([room.centre for room in rooms]), np.array([[room.radius] for room in rooms])
        return np.asarray(centres + unit * radii)

    def _arranged(self, module: Index, others: Points) -> dict[int, _Room]:
        """A room for each module, none of which touch, beside the neurons that have positions."""
        numbers, sizes = np.unique(module, return_counts=True)
        radii: Points = np.asarray(0.62 * self.spacing * np.maximum(sizes, 8.0) ** (1 / 3), np.float64)
        ends = np.cumsum(2.3 * radii)
        row = np.stack([ends - 1.15 * radii - ends[-1] / 2, 0 * ends, 0 * ends], axis=1)
        centres = np.asarray(row if self.kind == "region" else _around(radii), np.float64)
        if len(others):
            gap = 1.2 * float((np.abs(centres[:, 1]) + radii).max())
            centres += others.mean(axis=0) * [1, 0, 1] + [0, float(others[:, 1].max()) + gap, 0]
        return {int(n): _Room(centre, float(r)) for n, centre, r in zip(numbers, centres, radii, strict=True)}


def _around(radii: Points) -> Points:
    """Centres of balls on a sphere, as close as they may come."""
    n = int(radii.size)
    if n == 1:
        return np.zeros((1, 3))
    k = np.arange(n) + 0.5
    if n <= 4:  # in the plane: two beside each other, three in a triangle
        angle = 2 * np.pi * (k - 0.5) / n + (np.pi if n == 2 else np.pi / 2)
        unit = np.stack([np.cos(angle), np.sin(angle), np.zeros(n)], axis=1)
    else:
        height, turn = 1 - 2 * k / n, np.pi * (1 + 5**0.5) * k
        flat = np.sqrt(1 - height**2)
        unit = np.stack([flat * np.cos(turn), height, flat * np.sin(turn)], axis=1)
    apart = np.linalg.norm(unit[:, None] - unit[None], axis=2) + 1e9 * np.eye(n)
    return unit * float((1.08 * (radii[:, None] + radii[None]) / apart).max())


def _in_ball(ids: NDArray[np.uint32]) -> Points:
    """Points in the unit ball."""
    height, angle = 2 * uniform(ids, 1) - 1, 2 * np.pi * uniform(ids, 2)
    flat, radius = np.sqrt(1 - height**2), np.cbrt(uniform(ids, 3))
    return np.stack([flat * np.cos(angle), height, flat * np.sin(angle)], axis=1) * radius[:, None]


def _in_box(ids: NDArray[np.uint32]) -> Points:
    """Points in the cube from -1 to 1."""
    return 2 * np.stack([uniform(ids, salt) for salt in (1, 2, 3)], axis=1) - 1


def _spacing(points: Points) -> float:
    """About how far neighbours lie apart (um)."""
    extent = np.sort(np.ptp(points, axis=0))[::-1]
    long = float(extent[0])
    if long <= 0.0:
        return SPACING
    filled = extent[extent > 0.05 * long]
    return float((np.prod(filled) / len(points)) ** (1 / filled.size))


def _some(pre: Index, post: Index) -> tuple[Index, Index]:
    step = -(-pre.size // _PULLS)
    return pre[::step], post[::step]


def _springs(points: Points, pre: Index, post: Index, radius: float) -> Points:
    """Connected neurons attract each other, all others repel: each some others drawn anew in every round."""
    n = len(points)
    drawn = np.random.default_rng(1)
    where: Points = _spread(points, 1.0)
    rounds = 120 if n <= 20_000 else 40
    degree = np.maximum(np.bincount(pre, minlength=n) + np.bincount(post, minlength=n), 1)[:, None]
    for turn in range(rounds):
        heat = 0.25 * (1 - turn / rounds)
        along = where[post] - where[pre]
        pull = np.stack(
            [np.bincount(pre, along[:, k], n) - np.bincount(post, along[:, k], n) for k in range(3)], axis=1
        )
        push = np.zeros((n, 3))
        for _ in range(6):
            away = where - where[drawn.permutation(n)]
            push += away / (np.sum(away**2, axis=1, keepdims=True) + 0.02)
        move = pull / degree + 0.12 * push - 0.05 * where
        length = np.linalg.norm(move, axis=1, keepdims=True)
        where = np.asarray(where + move * np.minimum(1.0, heat / np.maximum(length, 1e-12)))
    return _spread(where, radius)


def _spectral(points: Points, pre: Index, post: Index, radius: float) -> Points:
    """The three slowest modes of a random walk on the network."""
    from scipy.sparse import coo_matrix, diags, identity
    from scipy.sparse.linalg import eigsh

    n = len(points)
    if n < 8:
        return _springs(points, pre, post, radius)
    links = coo_matrix((np.ones(pre.size), (pre, post)), shape=(n, n)).tocsr()
    links = links + links.T
    root = diags(1.0 / np.sqrt(np.maximum(np.asarray(links.sum(axis=1)).ravel(), 1.0)))
    walk = identity(n) + root @ links @ root
    _, modes = eigsh(walk, k=4, which="LA", v0=np.linspace(1.0, 2.0, n))
    found = modes[:, [2, 1, 0]]
    found = found * np.where(found[np.abs(found).argmax(axis=0), np.arange(3)] < 0, -1.0, 1.0)
    ranks = found.argsort(axis=0).argsort(axis=0) / (n - 1) * 2 - 1  # modes alone would pile most neurons up
    scale = np.abs(found).max(axis=0)
    return _spread(0.5 * found / scale + 0.5 * ranks, radius) + 0.15 * radius * _in_ball(np.arange(n, dtype=np.uint32))


def _spread(points: Points, radius: float) -> Points:
    """Points around the origin, nearly all within ``radius``."""
    centred = points - points.mean(axis=0)
    size = float(np.quantile(np.linalg.norm(centred, axis=1), 0.95))
    return np.asarray(centred * (radius / size if size > 0 else 1.0))
