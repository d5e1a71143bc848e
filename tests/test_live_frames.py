"""Frames: the same out of a running simulation and out of its result, and no bit of the run changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neurosim as ns
from neurosim.errors import UnknownName
from neurosim.scenario.builder import build
from neurosim.scenario.load import load
from neurosim.scenario.run import run_built
from neurosim.viz.live import wire
from neurosim.viz.live.drawn import Drawn
from neurosim.viz.live.frame import Frame, Scene, Synapses, merged, thinned
from neurosim.viz.live.layout import LAYOUTS, Layout
from neurosim.viz.live.replay import Replay
from neurosim.viz.live.running import Running, capture

LIVING = """\
name: living
duration: 400 ms
populations:
  exc: {size: 120, model: lif_delta, initial: {v: "uniform(0 mV, 20 mV)"}, positions: {ball: {radius: 100 um}}}
  inh: {size: 30, model: lif_delta}
groups:
  cue: {population: inh, first: 10}
inputs:
  drive: {poisson: {rate: 16 kHz}, to: [exc, inh], weight: 0.1 mV}
projections:
  ee: {from: exc, to: exc, connect: {fixed_indegree: 8}, weight: 0.2 mV, delay: "uniform(1 ms, 4 ms)"}
  ei: {from: exc, to: inh, connect: {fixed_indegree: 8}, weight: 0.2 mV, delay: 1 ms}
  ie: {from: inh, to: exc, connect: {fixed_indegree: 3}, weight: -1 mV, delay: 1 ms}
structure:
  - neurogenesis: {population: exc, every: 20 ms, rate: 100 Hz}
  - turnover: {projection: ee, every: 10 ms, lifetime: 500 ms}
protocol:
  - {at: 200 ms, lesion: {population: exc, where: "x > 60 um"}}
"""


@pytest.fixture
def living(tmp_path: Path) -> Path:
    path = tmp_path / "living.yaml"
    path.write_text(LIVING, encoding="utf-8")
    return path


Shown = tuple[bytes, bytes, Scene, Frame]


def captured(path: Path, output: Path, every: float, budget: int = 5000) -> tuple[list[Shown], ns.Result]:
    """A run's frames as bytes, and its result."""
    built = build(load(path))
    shown: list[Shown] = []

    def keep(scene: Scene, frame: Frame) -> None:
        shown.append((wire.scene_message(scene), wire.frame_message(frame), scene, frame))

    capture(built.simulation, every, keep, budget=budget)
    return shown, run_built(built, output, overwrite=True)


@pytest.mark.parametrize("budget", [5000, 200])
def test_replay_shows_what_live_did_byte_for_byte(living: Path, tmp_path: Path, budget: int) -> None:
    shown, result = captured(living, tmp_path / "watched.nsim", 7.0, budget)
    born = sum(frame.births[0] for *_, frame in shown)
    died = sum(frame.deaths[0] for *_, frame in shown)
    assert born > 5
    assert died > 5
    assert sum(frame.deaths[1] for *_, frame in shown) > 50
    assert sum(frame.spikes for *_, frame in shown) > 500
    replay = Replay(result, budget=budget)
    again = [(wire.scene_message(s), wire.frame_message(f)) for s, f in replay.frames(f.time for *_, f in shown)]
    assert again == [(scene, frame) for scene, frame, *_ in shown]


def test_watching_changes_no_bit(living: Path, tmp_path: Path) -> None:
    _, watched = captured(living, tmp_path / "watched.nsim", 3.3)
    plain = ns.run(living, tmp_path / "plain.nsim")
    assert watched.summary["hash"] == plain.summary["hash"]


def test_frames_agree_with_the_network(living: Path, tmp_path: Path) -> None:
    """All spikes are in the frames, and after the last the scene is the network."""
    shown, result = captured(living, tmp_path / "watched.nsim", 10.0)
    scene, last = shown[-1][2:]
    spikes = {name: result.spikes(name) for name in result.populations}
    assert sum(frame.spikes for *_, frame in shown) == sum(times.size for times, _ in spikes.values())
    living_ids = scene.neurons.id[scene.neurons.alive.astype(bool)]
    expected = np.concatenate([result.neurons(name) for name in result.populations])
    assert sorted(living_ids.tolist()) == sorted(expected.tolist())
    drawn = {(int(p), int(i)) for p, i in zip(scene.synapses.projection, scene.synapses.id, strict=True)}
    edges = {(k, int(i)) for k, name in enumerate(result.projections) for i in result.edges(name).id}
    assert drawn == edges
    assert last.synapses.sum() == len(edges)
    assert not scene.sampled
    ends = scene.neurons.id[scene.synapses.pre]
    assert np.array_equal(ends, (scene.synapses.id >> np.uint64(32)).astype(np.uint32))


def test_changes_lead_from_scene_to_scene(living: Path, tmp_path: Path) -> None:
    """A renderer that applies what frames say, merged ones too, has what the scene shows."""
    shown, _ = captured(living, tmp_path / "watched.nsim", 10.0, budget=300)
    for step in (1, 4):
        slots = _table(shown[0][2].synapses)
        frames = [frame for *_, frame in shown[1:]]
        for k in range(0, len(frames), step):
            frame = merged(frames[k : k + step])
            for slot in frame.hidden.slot.tolist():
                slots.pop(slot, None)
            slots |= _table(frame.shown)
        assert slots == _table(shown[-1][2].synapses)
    together = merged([frame for *_, frame in shown])
    few = thinned(together, 100)
    assert few.spike_time.size == 100
    assert few.spikes == together.spikes
    assert set(few.spike_time.tolist()) <= set(together.spike_time.tolist())
    assert together.spikes == sum(frame.spikes for *_, frame in shown)
    assert together.before == 0.0


def _table(synapses: Synapses) -> dict[int, tuple[int, int]]:
    rows = zip(synapses.slot.tolist(), synapses.projection.tolist(), synapses.id.tolist(), strict=True)
    return {slot: (projection, synapse) for slot, projection, synapse in rows}


def test_nobody_moves_when_others_are_born_or_die(living: Path, tmp_path: Path) -> None:
    shown, _ = captured(living, tmp_path / "watched.nsim", 10.0)
    first, last = _places(shown[0][2]), _places(shown[-1][2])
    for neuron in first.keys() & last.keys():
        assert first[neuron] == last[neuron]
    assert len(last.keys() - first.keys()) > 5


def _places(scene: Scene) -> dict[int, tuple[float, ...]]:
    return dict(zip(scene.neurons.id.tolist(), map(tuple, scene.neurons.position.tolist()), strict=True))


def test_modules_are_groups_then_populations(living: Path, tmp_path: Path) -> None:
    shown, result = captured(living, tmp_path / "watched.nsim", 100.0)
    scene = shown[0][2]
    assert scene.modules == ("exc", "inh", "cue")
    cue = scene.neurons.id[scene.neurons.module == 2]
    assert cue.tolist() == result.neurons("inh", 0.0)[:10].tolist()


def test_a_time_can_be_chosen(living: Path, tmp_path: Path) -> None:
    _, result = captured(living, tmp_path / "watched.nsim", 100.0)
    replay = Replay(result)
    for time in (350.0, 150.0, 400.0, 0.0):
        replay.seek(time)
        scene = replay.scene()
        assert scene.time == time
        alive = scene.neurons.id[scene.neurons.alive.astype(bool)]
        assert alive.size == sum(result.neurons(name, time).size for name in result.populations)
        assert scene.total == sum(result.edges(name, time).id.size for name in result.projections)


def test_the_glow_of_a_spike_fades() -> None:
    net = ns.Network(seed=1, dt=0.1)
    net.add_population("src", 3, {"spike_list": {"times": [[5.0], [5.0, 6.0, 7.0], []]}})
    sim = ns.Simulation(net)
    glow: list[NDArray[np.uint8]] = []
    capture(sim, 2.0, lambda scene, frame: glow.append(frame.activity))
    sim.run(40.0)
    one, many, none = np.array(glow).T.astype(int)
    assert one[2] > 100
    assert many[3] >= one[3] > one[8]
    assert one[-1] < 20
    assert not none.any()


def test_nobody_watching_costs_nothing() -> None:
    """Without a viewer the simulation hands nothing over, and one who comes later gets the network as it is then."""
    net = ns.Network(seed=1, dt=0.1)
    exc = net.add_population("exc", 50, "lif_delta")
    net.add_input("drive", {"poisson": {"rate": "20 kHz"}}, exc, weight=0.2)
    ee = net.connect(exc, exc, {"fixed_indegree": 5}, weight=0.1, delay=1.0)
    sim = ns.Simulation(net)
    running = Running(sim)
    sim.every(10.0, lambda sim: running.look())
    sim.run(100.0)
    assert not running._facts
    assert not net.history.followers
    exc.add(5)
    running.frame()
    sim.run(20.0)
    running.frame()
    scene = running.scene()
    assert scene is not None
    assert scene.neurons.id.size == 55
    ee.add(pre=exc.ids[:3], post=exc.ids[3:6])
    sim.run(20.0)
    frame = running.frame()
    assert frame is not None
    assert frame.births == (0, 3)
    assert frame.spikes > 0
    running._asked -= 10.0
    sim.run(10.0)
    assert not net.history.followers
    assert not running._facts


def test_populations_that_are_new_are_seen() -> None:
    net = ns.Network(seed=1, dt=0.1)
    exc = net.add_population("exc", 10, "lif_delta")
    sim = ns.Simulation(net)
    running = Running(sim)
    running.frame()
    running.look()
    running.frame()
    more = net.add_population("more", 5, "lif_delta")
    net.connect(exc, more, "all_to_all", weight=0.1, delay=1.0)
    running.look()
    running.frame()
    scene = running.scene()
    assert scene is not None
    assert [look.name for look in scene.populations] == ["exc", "more"]
    assert scene.total == 50
    assert scene.version == 2


@pytest.mark.parametrize("mode", ["counts", "off"])
def test_a_result_without_births_one_by_one_is_shown_as_far_as_it_is_known(
    living: Path, tmp_path: Path, mode: str
) -> None:
    living.write_text(LIVING + f"record: {{history: {mode}}}\n", encoding="utf-8")
    shown, result = captured(living, tmp_path / "watched.nsim", 20.0)
    assert sum(frame.births[0] for *_, frame in shown) > 5  # live all is known
    replay = Replay(result)
    frames = [frame for _, frame in replay.frames([100.0, 200.0, 400.0])]
    assert sum(frame.spikes for frame in frames) > 500
    assert replay.scene().neurons.id.size == 150


def test_weights_of_drawn_synapses_are_followed() -> None:
    net = ns.Network(seed=1, dt=0.1)
    exc = net.add_population("exc", 10, "lif_delta")
    ee = net.connect(exc, exc, {"fixed_indegree": 5}, weight=0.1, delay=1.0)
    sim = ns.Simulation(net)
    running = Running(sim)
    running.frame()
    running.look()
    running.frame()
    ee.weight[ee.ids[:4]] = 0.7
    running._peeked, running._peeks = -1e9, 4
    sim.run(1.0)
    running.look()
    frame, scene = running.frame(), running.scene()
    assert frame is not None
    assert scene is not None
    assert np.allclose(frame.values.weight, 0.7)
    assert frame.values.slot.size == 4
    assert int(np.isclose(scene.synapses.weight, 0.7).sum()) == 4


@pytest.mark.parametrize("kind", LAYOUTS)
def test_layouts(kind: str) -> None:
    """Deterministic, finite, modules apart; springs and modes bring partners closer than strangers."""
    n, drawn = 200, np.random.default_rng(2)
    ids = np.arange(n, dtype=np.uint32)
    module = np.repeat([0, 1], n // 2)
    pre = drawn.integers(0, n, 2000)
    within, anywhere = pre // 100 * 100 + drawn.integers(0, 100, 2000), drawn.integers(0, n, 2000)
    post = np.where(drawn.random(2000) < 0.95, within, anywhere)
    bare = np.full((n, 3), np.nan)
    first, second = (Layout(kind).begin(ids, module, bare, pre, post) for _ in range(2))
    assert np.array_equal(first, second)
    assert np.isfinite(first).all()
    centres = [first[module == k].mean(axis=0) for k in (0, 1)]
    spread = float(np.linalg.norm(first[module == 0] - centres[0], axis=1).mean())
    assert np.linalg.norm(centres[0] - centres[1]) > spread
    given = first.copy()
    given[:50] = np.nan
    mixed = Layout(kind).begin(ids, module, given, pre, post)
    assert np.array_equal(mixed[50:], first[50:])
    assert np.isfinite(mixed).all()


def test_newborn_stand_near_their_partners() -> None:
    layout = Layout("spring")
    ids = np.arange(30, dtype=np.uint32)
    none = np.full((30, 3), np.nan)
    points = layout.begin(ids, np.zeros(30, np.int64), none, np.arange(29), np.arange(1, 30))
    near = points[[3, 4]]
    placed = layout.newborn(np.array([30], np.uint32), np.array([0]), [near])
    assert np.linalg.norm(placed[0] - near.mean(axis=0)) <= layout.spacing * 1.0001


def test_an_unknown_layout_is_named() -> None:
    with pytest.raises(UnknownName, match="spring"):
        Layout("sprig")


def test_active_sources_are_drawn() -> None:
    """Of more synapses than are drawn, those whose source fires come in, a few at a time."""
    pre = np.repeat(np.arange(1000), 10).astype(np.uint32)
    ids = (pre.astype(np.uint64) << np.uint64(32)) | np.tile(np.arange(10), 1000).astype(np.uint64)
    drawn = Drawn(1, 500)
    drawn.begin([(ids, pre, pre, np.zeros(10_000), np.ones(10_000))], [np.zeros(10_000)])
    place = lambda neurons: neurons.astype(np.int64)  # noqa: E731
    drawn.choose(lambda neurons: np.zeros(neurons.size))
    before: Any = drawn.all(place)
    assert before.slot.size == 500
    for _ in range(200):
        drawn.choose(lambda neurons: np.where(neurons < 100, 50.0, 0.0))
        hidden, _ = drawn.changes(place)
        assert hidden.slot.size <= 25 + 500
        assert not hidden.died.any()
    after = drawn.all(place)
    assert after.slot.size == 500
    assert (after.pre < 100).mean() > 0.9 > 0.3 > (before.pre < 100).mean()
