"""Where neurons lie: each placement fills its shape evenly, by the seed, newborns too; what cannot be is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import neurosim as ns
from neurosim.errors import InvalidInput, NeurosimError, ScenarioError, UsageError
from neurosim.graph.placement import placement, placements
from neurosim.scenario import load

place = ns.place
N = 4000
CENTRE = (30.0, -20.0, 500.0)


def drawn(spec: Any, n: int = N, seed: int = 1) -> Any:
    return placement(spec).draw(n, np.random.default_rng(seed))


def even(values: Any, low: float, high: float) -> bool:
    return bool(stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 1e-3)


def about_centre(spec: Any) -> Any:
    points = drawn(spec) - CENTRE
    assert points.shape == (N, 3)
    return points, np.linalg.norm(points, axis=1)


# ---- shapes: a measure of content that has to be uniform, and directions that have to be --------------------


def directions_are_even(points: Any) -> None:
    """The height of a random direction is uniform (Archimedes), and so is its azimuth."""
    assert even(points[:, 2] / np.linalg.norm(points, axis=1), -1, 1)
    assert even(np.arctan2(points[:, 1], points[:, 0]), -np.pi, np.pi)


def test_ball() -> None:
    points, radii = about_centre(place.ball("0.3 mm", centre=CENTRE))
    assert even(radii**3, 0, 300.0**3)
    directions_are_even(points)
    assert even(about_centre(place.ball(300, inner=200, centre=CENTRE))[1] ** 3, 200.0**3, 300.0**3)


def test_sphere() -> None:
    points, radii = about_centre(place.sphere("300 um", centre=CENTRE))
    assert radii == pytest.approx(np.full(N, 300.0))
    directions_are_even(points)


def test_box() -> None:
    points, _ = about_centre(place.box([100, "20 um", "1 mm"], centre=CENTRE))
    for axis, side in enumerate((100, 20, 1000)):
        assert even(points[:, axis], -side / 2, side / 2)
    assert abs(np.corrcoef(points.T)[np.triu_indices(3, 1)]).max() < 0.06
    assert place.box(10).size == (10, 10, 10)
    assert (drawn(place.box([10, 10]))[:, 2] == 0).all()


def test_disc_and_cylinder() -> None:
    points, _ = about_centre(place.disc(100, centre=CENTRE))
    assert (points[:, 2] == 0).all()
    upright, _ = about_centre(place.cylinder(100, height="200 um", centre=CENTRE))
    assert even(upright[:, 2], -100, 100)
    for flat in (points, upright):
        assert even(flat[:, 0] ** 2 + flat[:, 1] ** 2, 0, 100.0**2)
        assert even(np.arctan2(flat[:, 1], flat[:, 0]), -np.pi, np.pi)


def test_ring_and_line() -> None:
    points, radii = about_centre(place.ring(50, centre=CENTRE))
    assert radii == pytest.approx(np.full(N, 50.0))
    assert even(np.arctan2(points[:, 1], points[:, 0]), -np.pi, np.pi)
    regular = drawn(place.ring(50, regular=True), 4)
    assert regular == pytest.approx(np.array([[50, 0, 0], [0, 50, 0], [-50, 0, 0], [0, -50, 0]]), abs=1e-12)
    points, _ = about_centre(place.line("1 mm", axis="z", centre=CENTRE))
    assert even(points[:, 2], -500, 500)
    assert not points[:, :2].any()
    assert drawn(place.line(10, regular=True), 3).tolist() == [[-5, 0, 0], [0, 0, 0], [5, 0, 0]]
    assert drawn(place.line(10, regular=True), 1).tolist() == [[0, 0, 0]]


def test_grid() -> None:
    assert drawn(place.grid(10), 4).tolist() == [[-5, -5, 0], [-5, 5, 0], [5, -5, 0], [5, 5, 0]]
    cubic = drawn(place.grid(10, shape=[2, 3, 2], centre=[0, 0, 5]), 12)
    assert len({tuple(site) for site in cubic.tolist()}) == 12
    assert cubic.min(axis=0).tolist() == [-5, -10, 0]
    assert cubic.max(axis=0).tolist() == [5, 10, 10]
    about = drawn(place.grid(10, jitter=2), 400) - drawn(place.grid(10), 400)
    assert stats.kstest(about[:, :2].ravel(), stats.norm(0, 2).cdf).pvalue > 1e-3
    assert not about[:, 2].any()
    with pytest.raises(UsageError, match="a grid of 2 × 3 sites has no room for 7 neurons"):
        place.grid(10, shape=(2, 3)).check(7)


def test_layers() -> None:
    points, _ = about_centre(place.layers([-100, 0, 300], ["1 mm", 10], shares=[3, 1], centre=CENTRE))
    low = points[:, 2] < 0
    assert stats.binomtest(int(low.sum()), N, 0.75).pvalue > 1e-3
    assert even(points[low, 2], -100, 0)
    assert even(points[~low, 2], 0, 300)
    assert even(points[:, 0], -500, 500)
    assert even(points[:, 1], -5, 5)
    by_thickness = drawn(place.layers([-100, 0, 300], 10))
    assert even(by_thickness[:, 2], -100, 300)


def test_near() -> None:
    parents = [[0, 0], [1000, 0], [0, 1000]]
    one_each = drawn(place.near(parents, spread=0), 3)
    assert one_each.tolist() == [[0, 0, 0], [1000, 0, 0], [0, 1000, 0]]
    points = drawn(place.near(parents, "5 um"))
    nearest = np.argmin(np.linalg.norm(points[:, None] - one_each, axis=2), axis=1)
    assert stats.chisquare(np.bincount(nearest)).pvalue > 1e-3
    for axis in range(3):
        assert stats.kstest((points - one_each[nearest])[:, axis], stats.norm(0, 5).cdf).pvalue > 1e-3
    assert not drawn(place.near(parents, 5, flat=True))[:, 2].any()


# ---- in populations -------------------------------------------------------------------------------------------

SPECS: list[Any] = [
    place.ball(10), {"sphere": "10 um"}, place.box(10), place.disc(10), place.cylinder(5, 10), place.ring(10),
    place.line(10), {"near": {"parents": [[0, 0, 0]], "spread": 3}}, place.grid(10), place.layers([0, 1], 10),
]  # fmt: skip


def test_every_placement_is_tried() -> None:
    assert {placement(spec).name for spec in SPECS} == placements().keys()


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_same_seed_gives_the_same_points(spec: Any) -> None:
    def grown(seed: int, name: str = "a") -> Any:
        population = ns.Network(seed=seed).add_population(name, 20, positions=spec)
        before = population.positions
        assert before.shape == (20, 3)
        if placement(spec).open:
            first, second = population.add(5), population.add(5)
            points = np.stack([population.x[first], population.x[second]])
            assert np.unique(points).size == 10 or not np.ptp(before[:, 0])
        return population.positions

    assert np.array_equal(grown(1), grown(1))
    if placement(spec).open:
        assert not np.array_equal(grown(1), grown(2))
        assert not np.array_equal(grown(1), grown(1, "b"))
    assert drawn(spec, 0).shape == (0, 3)


def test_newborns_are_placed_as_the_population_was() -> None:
    net = ns.Network(seed=3)
    cells = net.add_population("cells", 0, positions=place.ball(100))
    ids = cells.add(N)
    assert even(np.linalg.norm(cells.positions, axis=1) ** 3, 0, 100.0**3)
    born = cells.add(2, positions=place.near(cells.positions[:2], 0))
    assert np.array_equal(cells.positions[-2:], cells.positions[:2])
    assert cells.placement == place.ball(100)
    assert born[0] == ids[-1] + 1


def test_draws_do_not_depend_on_what_else_is_drawn() -> None:
    def newborn(*, others: bool) -> Any:
        net = ns.Network(seed=3)
        cells = net.add_population("cells", 10, positions=place.ball(100))
        if others:
            net.add_population("more", 10, positions=place.ball(100)).add(3)
            cells.v.set(ns.uniform(0, 1))
            cells.remove(cells.ids[:4])
        return cells.x[cells.add(3)].tolist()

    assert newborn(others=False) == newborn(others=True)


def test_nowhere_to_put_newborns() -> None:
    net = ns.Network()
    listed = net.add_population("listed", 2, positions=[[1, 2], [3, 4]])
    lattice = net.add_population("lattice", 2, positions=place.grid(10))
    ring = net.add_population("ring", 2, positions=place.ring(10, regular=True))
    for population, how in ((listed, "neuron by neuron"), (lattice, "as a grid"), (ring, "as a ring")):
        with pytest.raises(UsageError, match=rf"was given positions {how}.*add\(…, positions=…\)"):
            population.add(1)
        assert population.size == 2
        population.add(1, positions=place.ball(5))
        assert population.size == 3
    with pytest.raises(UsageError, match="'bare' has no positions; give them when it is made"):
        net.add_population("bare", 2).add(1, positions=place.ball(5))
    with pytest.raises(UsageError, match="no room for 5 neurons"):
        net.add_population("many", 5, positions=place.grid(10, shape=[2, 2]))
    assert "many" not in net.populations


LENGTHS = st.floats(0.1, 1e5)


@given(LENGTHS, LENGTHS, st.integers(0, 30), st.integers(0, 2**32))
def test_no_neuron_lies_outside(a: float, b: float, n: int, seed: int) -> None:
    inner, outer = sorted((a, b + 1e5))
    radii = np.linalg.norm(drawn(place.ball(outer, inner=inner), n, seed), axis=1)
    assert np.all((radii >= inner * (1 - 1e-9)) & (radii <= outer * (1 + 1e-9)))
    assert np.all(np.abs(drawn(place.box([a, b]), n, seed)) <= np.array([a, b, 0]) / 2)
    heights = drawn(place.layers([-a, 0, b], a), n, seed)[:, 2]
    assert np.all((heights >= -a) & (heights <= b))


# ---- what cannot be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"bal": 3}, "no placement 'bal'.*Did you mean 'ball'"),
        ("ball", "placement ball needs radius"),
        ({"ball": {"radus": 3}}, "no parameter 'radus' of placement ball.*Did you mean 'radius'"),
        ({"ball": "3 ms"}, "ball.radius must be a length"),
        ({"ball": 0}, "ball.radius must be more than 0; found 0 um"),
        ({"ball": -1}, "ball.radius must be more than 0; found -1 um"),
        ({"ball": float("nan")}, "ball.radius must be finite"),
        ({"ball": {"radius": 1, "inner": 1}}, r"ball.inner \(1 um\) must be less than its radius"),
        ({"ball": {"radius": 1, "centre": [1]}}, "ball.centre is a point"),
        ({"ball": {"radius": 1, "centre": "1 um"}}, "ball.centre"),
        ({"ball": [1, 2]}, "ball.radius must be one value"),
        ({"box": [1]}, "box.size is a length, or 2 to 3 lengths; found 1"),
        ({"grid": {"spacing": 1, "shape": [2.5, 2]}}, "grid.shape must be a whole number, 1 or more; found 2.5"),
        ({"grid": {"spacing": 1, "shape": 4}}, "grid.shape is two or three numbers of sites"),
        ({"line": {"length": 1, "axis": "w"}}, "no value 'w' of line.axis. Known: x, y, z"),
        ({"ring": {"radius": 1, "regular": 1}}, "ring.regular is true or false; found 1"),
        ({"layers": {"borders": [3, 1], "size": 1}}, "layers.borders are two or more heights, ascending"),
        ({"layers": {"borders": [1, 3], "size": 1, "shares": [1, 2]}}, "1 layers need as many shares; found 2"),
        ({"layers": {"borders": [1, 3], "size": 1, "shares": [-1]}}, "layers.shares are numbers, 0 or more"),
        ({"near": {"parents": [], "spread": 1}}, "near.parents are points"),
        ({"near": {"parents": [[1, 2, 3, 4]], "spread": 1}}, "near.parents are points"),
        ({"ball": 1, "box": 1}, "a placement is written as a name or as"),
    ],
)
def test_placements_that_cannot_be(spec: Any, message: str) -> None:
    with pytest.raises(NeurosimError, match=message):
        ns.Network().add_population("a", 3, positions=spec)
    with pytest.raises(AttributeError, match="no placement 'bal'"):
        _ = place.bal


# ---- in scenarios -------------------------------------------------------------------------------------------

SCENARIO = """\
duration: 10 ms
populations:
  exc: {size: 9, model: lif_delta, positions: {ball: {radius: 300 um}}}
  tiles:
    size: 9
    model: lif_delta
    positions: {grid: {spacing: 10 um, shape: [3, 3]}}
groups:
  east: {population: exc, where: "x > 0 um"}
"""


def test_a_scenario_places_as_python_does(tmp_path: Path) -> None:
    from neurosim.scenario.builder import build

    path = tmp_path / "placed.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    net = build(load(path)).network
    same = ns.Network(seed=1).add_population("exc", 9, positions=place.ball("300 um"))
    assert np.array_equal(net.populations["exc"].positions, same.positions)
    assert net.groups["east"].ids.tolist() == np.flatnonzero(same.positions[:, 0] > 0).tolist()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("ball:", "bal:", "3: populations.exc.positions: no placement 'bal'"),
        ("300 um", "300 mV", "3: populations.exc.positions: ball.radius must be a length"),
        ("{ball: {radius: 300 um}}", "ball", "3: populations.exc.positions: placement ball needs radius"),
        ("{ball: {radius: 300 um}}", "7", "3: populations.exc.positions: a placement is written as"),
        ("{ball: {radius: 300 um}}", "[[1, 2]]", "3: populations.exc.positions: has 1 points for 9 neurons"),
        ("shape: [3, 3]", "shape: [3, 2]", "7: populations.tiles.positions: a grid of 3 × 2 sites has no room for 9"),
    ],
)
def test_a_scenario_that_places_wrongly(tmp_path: Path, old: str, new: str, expected: str) -> None:
    path = tmp_path / "placed.yaml"
    path.write_text(SCENARIO.replace(old, new), encoding="utf-8")
    with pytest.raises((ScenarioError, InvalidInput)) as caught:
        load(path)
    assert str(caught.value).removeprefix(f"{path}:").startswith(expected)
