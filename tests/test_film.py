"""Pictures and movies in space: light is kept, what happens is seen where it happens, files hold what was filmed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image as Pictures

import neurosim as ns
from neurosim.errors import NeurosimError, UsageError
from neurosim.record import Result
from neurosim.record.archive import NotRecorded
from neurosim.viz import network
from neurosim.viz.film import light, movie
from neurosim.viz.film.camera import Camera
from neurosim.viz.film.movie import Look, film
from neurosim.viz.film.painter import Painter
from neurosim.viz.film.state import module_colours
from neurosim.viz.live.replay import Replay
from tests.shell import neurosim

LIVELY = """
name: lively
duration: 1200 ms
populations:
  exc: {size: 60, model: lif_delta, initial: {v: "uniform(0 mV, 20 mV)"}, positions: {ball: {radius: 200 um}}}
  inh: {size: 15, model: lif_delta, positions: {ball: {radius: 200 um}}}
groups:
  few: {population: exc, first: 6}
inputs:
  drive: {poisson: {rate: 300 Hz}, to: [exc, inh], weight: 2.5 mV}
projections:
  e: {from: exc, to: [exc, inh], connect: {fixed_indegree: 6}, weight: 0.3 mV, delay: 20 ms}
  i: {from: inh, to: exc, connect: {fixed_indegree: 3}, weight: -1 mV, delay: 2 ms}
structure:
  - neurogenesis: {population: exc, every: 100 ms, until: 600 ms, rate: 40 Hz}
  - turnover: {projection: e, every: 50 ms, lifetime: 400 ms}
protocol:
  - {at: 0 ms, caption: "It begins."}
  - {at: 800 ms, lesion: {population: exc, where: "x > 60 um"}}
  - {at: 800 ms, caption: "A part is lost."}
"""


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A small network in which neurons and synapses come and go."""
    folder = tmp_path_factory.mktemp("lively")
    (folder / "lively.yaml").write_text(LIVELY, encoding="utf-8")
    return ns.run(folder / "lively.yaml", output=folder / "lively.nsim", threads=1)


# ---- light -----------------------------------------------------------------------------------------------------


def test_a_line_gives_as_much_light_as_it_is_long() -> None:
    drawn = np.random.default_rng(1)
    ends = drawn.uniform(5, 195, (4, 200)).astype(np.float32)
    for k in range(200):
        picture = np.zeros((200, 200, 3), np.float32)
        first, last = drawn.uniform(0, 1, (2, 1, 3)).astype(np.float32)
        light.strokes(picture, *(end[k : k + 1] for end in ends), first, last)
        length = np.hypot(ends[0, k] - ends[2, k], ends[1, k] - ends[3, k])
        assert picture.sum(axis=(0, 1)) == pytest.approx(length * 0.5 * (first + last)[0], rel=0.02, abs=0.5)
        rows, columns = np.nonzero(picture[..., 0])
        across = np.array([ends[2, k] - ends[0, k], ends[3, k] - ends[1, k]]) / length
        away = (columns - ends[0, k]) * across[1] - (rows - ends[1, k]) * across[0]
        assert np.abs(away).max() < 1.5  # pixels beside the line


def test_spots_are_round_and_lines_off_the_page_harmless() -> None:
    picture = np.zeros((60, 80, 3), np.float32)
    one = np.ones(1, np.float32)
    light.sprites(picture, 40 * one, 30 * one, 3 * one, np.array([[1.0, 0.5, 0.0]], np.float32))
    assert picture.sum(axis=(0, 1)) == pytest.approx(2 * np.pi * 9 * np.array([1.0, 0.5, 0.0]), rel=0.02)
    assert np.allclose(picture[30, 40 - 5], picture[30 - 5, 40])
    before = picture.copy()
    for x in (-1e9, -300.0, 1e9, np.nan, np.inf):
        place = np.float32(x) * one
        light.sprites(picture, place, place, 3 * one, np.ones((1, 3), np.float32))
        if not abs(x) < 1e4:
            white = np.ones((1, 3), np.float32)
            light.strokes(picture, place, 0 * one, 20 * one, 20 * one, white, white)
    assert np.array_equal(picture, before)


def test_more_light_is_never_darker() -> None:
    ramp = np.zeros((8, 400, 3), np.float32)
    ramp[:] = np.linspace(0, 4, 400, dtype=np.float32)[None, :, None]
    image = light.expose(ramp, bloom=0.0)
    assert (np.diff(image[4, :, 0].astype(int)) >= 0).all()
    assert image[4, 0, 0] == 0
    assert image[4, -1, 0] > 245
    spot = np.zeros((80, 80, 3), np.float32)
    spot[40, 40] = 50.0
    assert light.expose(spot, bloom=0.5)[40, 48, 0] > light.expose(spot, bloom=0.0)[40, 48, 0] == 0


# ---- camera ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extent", [(300, 300, 300), (1000, 1000, 0), (50, 800, 20), (5, 5, 900), (0, 0, 0)])
def test_the_camera_sees_everybody_from_all_sides(extent: tuple[float, float, float]) -> None:
    points = np.random.default_rng(2).uniform(-0.5, 0.5, (500, 3)) * extent + [700.0, -80.0, 30.0]
    camera = Camera.around(points)
    for turn in range(0, 360, 30):
        seen = camera.turned(turn).project(points, 1280, 720)
        inside = (seen.x > 0) & (seen.x < 1280) & (seen.y > 0) & (seen.y < 720)
        assert inside.mean() > 0.97
    if max(extent) > 0:
        seen = camera.project(points, 1280, 720)
        assert max(np.ptp(seen.x) / 1280, np.ptp(seen.y) / 720) > 0.45  # and not from too far away


def test_what_is_higher_is_higher_and_what_is_near_is_larger() -> None:
    camera = Camera((0.0, 0.0, 0.0), 100.0, 100.0, azimuth=0.0, elevation=0.0)
    seen = camera.project(np.array([[0, 0, 0], [0, 0, 50], [50, 0, 0], [0, -50, 0], [0, 50, 0]]), 200, 100)
    assert (seen.x[0], seen.y[0]) == pytest.approx((100, 50))
    assert seen.y[1] < 50
    assert seen.x[2] > 100
    assert seen.scale[3] > seen.scale[0] > seen.scale[4]
    assert seen.nearness[3] > seen.nearness[0] > seen.nearness[4]
    assert np.linalg.norm(camera.position) == pytest.approx(camera.distance)


# ---- what is seen ----------------------------------------------------------------------------------------------


def test_neurons_glow_where_they_fire(lively: Result) -> None:
    replay, painter = Replay(lively), Painter(640, 360)
    camera = Camera.around(replay.scene().neurons.position)
    bright, dim = [], []
    for k in range(1, 40):
        frame = replay.frame(10.0 * k)
        painter.advance(replay.scene(), frame)
        image = painter.paint(camera).astype(int).sum(axis=2)
        seen = camera.project(painter.state.neurons.position, 640, 360)
        fired = np.isin(np.arange(seen.x.size), frame.spike_neuron)
        rows, columns = seen.y.round().astype(int).clip(0, 359), seen.x.round().astype(int).clip(0, 639)
        bright += image[rows, columns][fired].tolist()
        dim += image[rows, columns][painter.state.heat < 0.05].tolist()
    assert min(len(bright), len(dim)) > 100
    assert np.mean(bright) > 1.15 * np.mean(dim)  # of what is shown, which is far less than of light
    assert np.mean(dim) > 60  # the silent are seen too


def test_synapses_flash_when_they_come_and_go(lively: Result) -> None:
    replay, painter = Replay(lively), Painter(640, 360)
    for time in np.arange(10.0, 420.0, 10.0):
        frame = replay.frame(float(time))
        painter.advance(replay.scene(), frame)
        state = painter.state
        new = frame.shown.slot[frame.shown.born > frame.before]
        assert (state.flash[new] == 1.0).all()
        dead = frame.hidden.slot[frame.hidden.died.astype(bool)]
        newest = state.dying[-1] if state.dying and state.dying[-1][2] == 1.0 else None
        assert (dead.size > 0) == (newest is not None)
        drawn = replay.scene().synapses
        assert np.array_equal(np.flatnonzero(state.used), np.sort(drawn.slot))
        assert np.array_equal(state.pre[drawn.slot], drawn.pre)
        assert np.array_equal(state.neurons.id, replay.scene().neurons.id)
        assert np.array_equal(state.neurons.alive, replay.scene().neurons.alive)
    assert state.young.max() > 0  # neurons are born until 600 ms


def test_spikes_run_along_synapses_at_their_delay(lively: Result) -> None:
    replay, painter = Replay(lively), Painter(64, 36)
    seen = 0
    for time in np.arange(5.0, 400.0, 5.0):
        frame = replay.frame(float(time))
        painter.advance(replay.scene(), frame)
        if painter.state.version != frame.version or not painter.state.under_way:
            continue
        slot, begin, end = painter.state.on_their_way(10**6)
        seen += slot.size
        delay = painter.state.delay[slot]
        assert ((end - begin) * delay <= 5.0 + 1e-3).all()  # no further than time allows
        assert (begin >= 0).all()
        assert (end <= 1).all()
        slow = delay > 15.0
        whole = (begin[slow] > 0) & (end[slow] < 1)
        assert ((end - begin)[slow][whole] * 20.0).tolist() == pytest.approx([5.0] * int(whole.sum()), rel=1e-3)
    assert seen > 500


def test_groups_have_colours_of_their_own(lively: Result) -> None:
    scene = Replay(lively).scene()
    colours = module_colours(scene)
    assert len(colours) == len(set(colours)) == len(scene.modules) == 3
    assert colours[:2] == [look.colour for look in scene.populations]


# ---- pictures --------------------------------------------------------------------------------------------------


def pixels(figure: Any) -> np.ndarray[Any, Any]:
    """A figure as it comes out, (height, width, 3)."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].astype(int)


def test_a_picture_of_the_network(lively: Result) -> None:
    image, later = pixels(network.draw(lively, 500.0)), pixels(network.draw(lively))
    assert image.shape == later.shape == (1000, 1600, 3)
    corner, middle = image[900:, :200], image[200:800, 400:1200]
    assert middle.mean() > 3 * corner.mean()
    assert middle.max() > 200
    red, blue = (middle[..., 0] > middle[..., 2] + 40), (middle[..., 2] > middle[..., 0] + 40)
    assert red.sum() > 300  # excitatory neurons and their synapses are warm, inhibitory ones cool
    assert blue.sum() > 100
    assert np.abs(image - later).mean() > 1


def test_the_picture_at_a_time_and_its_errors(lively: Result, tmp_path: Path) -> None:
    target = tmp_path / "network.png"
    assert neurosim("plot", str(lively.path), "--kind", "network", "--at", "300 ms", "-o", str(target)).exit_code == 0
    assert Pictures.open(target).size == (1600, 1000)
    outcome = neurosim("plot", str(lively.path), "--kind", "network", "--at", "1 h", "-o", str(target))
    assert outcome.exit_code == 2
    assert "has reached 1200 ms, not yet" in outcome.stderr
    text = "duration: 5 ms\npopulations: {a: {size: 3, model: lif_delta}}\n"
    text += "protocol: [{at: 2 ms, lesion: {population: a}}]\n"
    (tmp_path / "none.yaml").write_text(text, encoding="utf-8")
    empty = ns.run(tmp_path / "none.yaml", output=tmp_path / "none.nsim")
    with pytest.raises(NotRecorded, match="no neurons to draw"):
        network.draw(empty)


# ---- movies ----------------------------------------------------------------------------------------------------


def test_an_mp4_holds_what_was_filmed(lively: Result, tmp_path: Path) -> None:
    told: list[float] = []
    number = film(lively, tmp_path / "a.mp4", speed=1.0, progress=lambda what, done, total, spikes: told.append(done))
    assert number == 30 == len(told)
    about, *decoded = imageio_ffmpeg.read_frames(str(tmp_path / "a.mp4"))
    assert about["fps"] == 25
    width, height = about["size"]
    images = [np.frombuffer(image, np.uint8).reshape(height, width, 3).astype(int) for image in decoded]
    assert len(images) == 30
    assert images[0].shape == (720, 1280, 3)
    for image in images:
        assert image[150:570, 320:960].mean() > 2 * image[650:, :200].mean()  # a network on dark ground
        assert image.max() > 200
    for one, next_ in pairwise(images):
        assert np.abs(one - next_).mean() > 0.3  # it moves
    below = [image[640:700, 480:800].max() for image in images]
    assert min(below[3:]) > 150  # the caption
    before, after = (np.abs(images[k][640:700, 400:880] - images[17][640:700, 400:880]).mean() for k in (16, 24))
    assert after > before  # another one since 800 ms


def test_a_gif_needs_no_extra(lively: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("imageio", "imageio.v2", "imageio_ffmpeg", "pyvista", "vtk"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    assert film(lively, tmp_path / "a.gif", speed=2.0, at=300.0) == 5
    with Pictures.open(tmp_path / "a.gif") as picture:
        assert picture.size == (640, 360)
        assert picture.n_frames == 5  # type: ignore[attr-defined]
        assert picture.info["duration"] == 80
        frames = []
        for k in range(5):
            picture.seek(k)
            frames.append(np.asarray(picture.convert("RGB")).astype(int))
    assert all(np.abs(a - b).mean() > 0.3 for a, b in pairwise(frames))
    with pytest.raises(UsageError, match=r"pip install 'neurosim\[desktop\]'"):
        film(lively, tmp_path / "a.mp4")
    assert not (tmp_path / "a.mp4").exists()


def test_a_scenario_is_filmed_while_it_runs(lively: Result, tmp_path: Path) -> None:
    from neurosim.scenario.builder import build
    from neurosim.scenario.load import load

    built = build(load(lively.path.with_name("lively.yaml"), duration=400.0), threads=1)
    result = movie.film_run(built, tmp_path / "a.nsim", tmp_path / "a.gif", speed=1.0)
    assert result.status == "finished"
    alone = ns.run(lively.path.with_name("lively.yaml"), output=tmp_path / "b.nsim", duration=400.0, threads=1)
    assert result.summary["hash"] == alone.summary["hash"]
    film(alone, tmp_path / "b.gif", speed=1.0)
    with Pictures.open(tmp_path / "a.gif") as live, Pictures.open(tmp_path / "b.gif") as replayed:
        assert live.n_frames == replayed.n_frames == 5  # type: ignore[attr-defined]
        for k in range(5):
            live.seek(k)
            replayed.seek(k)
            assert np.array_equal(np.asarray(live.convert("RGB")), np.asarray(replayed.convert("RGB")))


def test_a_movie_that_cannot_be_made_says_why(lively: Result, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no movie: the name ends in \.mp4 or \.gif"):
        film(lively, tmp_path / "a.avi")
    with pytest.raises(NeurosimError, match="cannot write"):
        film(lively, tmp_path / "none" / "a.gif", speed=5.0)


@pytest.mark.parametrize(
    ("duration", "speed"),
    [(3e4, 1.0), (1e5, 2.0), (3.6e6, 100.0), (190.0, 0.01), (1e3, 0.1), (9e3, 0.5), (0.0, 1.0)],
)
def test_a_movie_is_neither_too_long_nor_too_short(tmp_path: Path, duration: float, speed: float) -> None:
    assert Look.of(tmp_path / "a.mp4", duration).speed == pytest.approx(speed)


# ---- from the shell --------------------------------------------------------------------------------------------


def test_watch_films_a_scenario_and_a_result(lively: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = str(lively.path.with_name("lively.yaml"))
    outcome = neurosim("watch", scenario, "--movie", "a.gif", "--duration", "200 ms", "--speed", "1")
    assert outcome.exit_code == 0, outcome.stderr
    assert "filmed a.gif" in outcome.stdout
    assert Result("lively.nsim").time_reached == 200.0  # nothing is lost
    with Pictures.open("a.gif") as picture:
        assert picture.n_frames == 2  # type: ignore[attr-defined]
    outcome = neurosim("watch", str(lively.path), "--movie", "b.gif", "--speed", "1", "--at", "1 s")
    assert outcome.exit_code == 0, outcome.stderr
    assert "filmed b.gif, 2 images" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["FILE", "--movie", "a.avi"], 2, "the name ends in .mp4 or .gif"),
        (["FILE", "--movie", "none/a.gif"], 2, "no folder none"),
        (["FILE", "--movie", "a.gif", "--at", "2 s"], 2, "must be before that"),
        (["FILE", "--movie", "a.gif", "--seed", "2"], 2, "`--seed` is for scenarios"),
        (["SCENARIO", "--movie", "a.gif", "--at", "1 s"], 2, "`--at` is for results"),
        (["SCENARIO", "--movie", "a.png"], 2, "a.png is no movie"),
        (["none.nsim", "--movie", "a.gif"], 3, "no result file none.nsim"),
    ],
)
def test_mistakes_get_one_message(
    lively: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {"FILE": str(lively.path), "SCENARIO": str(lively.path.with_name("lively.yaml"))}
    outcome = neurosim("watch", *(places.get(word, word) for word in arguments))
    assert outcome.exit_code == code
    assert said in outcome.stderr
    assert not list(tmp_path.iterdir())
