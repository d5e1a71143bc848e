"""The page in a real browser, beside a simulation that really runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurosim as ns
from neurosim.viz.live.server import Server
from neurosim.viz.live.show import ReplayShow
from tests.browser import Page, browser
from tests.watched import SMALL, Watched, watched

LONG = SMALL.replace("duration: 400 ms", "duration: 100 s").replace(
    "inh: {size: 40, model: lif_delta, positions", "inh: {size: 40, model: {lif_delta: {tau_m: 20 ms}}, positions"
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """One long run for all tests of this file."""
    folder = tmp_path_factory.mktemp("live")
    warm = folder / "warm.yaml"
    warm.write_text(SMALL, encoding="utf-8")
    ns.run(warm, folder / "warm.nsim")  # what must be compiled is compiled now
    with watched(LONG, folder, speed=0.1) as running:
        yield running
        running.server.show.simulation.stop()  # type: ignore[attr-defined]


@contextmanager
def looking(chromium: Any, server: Server) -> Iterator[Page]:
    page = Page(chromium, server.url)
    page.until("globalThis.neurosim && neurosim.counts.scenes > 0")
    yield page
    page.close()


def _soon(holds: Callable[[], bool], seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.03)
    return False


def _simulation(run: Watched) -> ns.Simulation:
    simulation: ns.Simulation = run.server.show.simulation  # type: ignore[attr-defined]
    return simulation


def test_the_network_is_seen_and_moves(chromium: Any, run: Watched) -> None:
    with looking(chromium, run.server) as page:
        page.frames(8)
        before = page.pixels()
        page.frames(8)
        after = page.pixels()
        page.keep("live")
        bright = before.max(axis=2) > 90
        assert bright.mean() > 0.01  # not blank
        assert len(np.unique(before.reshape(-1, 3), axis=0)) > 500
        changed = np.abs(before.astype(int) - after).max(axis=2) > 40
        assert changed.mean() > 0.003
        assert page.value("document.getElementById('title').textContent") == "small"
        assert page.value("document.querySelectorAll('.legend-row').length") == 2
        raster = "(() => { const c = document.getElementById('raster'); return c.getContext('2d')"
        page.until(raster + ".getImageData(0, 0, c.width, c.height).data.some((v) => v > 60); })()")
        assert page.value("neurosim.world.n") == sum(p.size for p in _simulation(run).network.populations.values())
        for mode in ("weight", "delay", "age", "projection", "source"):
            page.page.select_option("#synapse-colour", mode)
        for mode in ("rate", "module", "population"):
            page.page.select_option("#neuron-colour", mode)
        page.frames(2)


def test_a_neuron_is_picked_traced_and_lesioned(chromium: Any, run: Watched) -> None:
    exc = _simulation(run).network.populations["exc"]
    with looking(chromium, run.server) as page:
        page.value("neurosim.camera.orbiting = false")
        page.frames(4)
        time.sleep(0.5)
        place = page.value("""(() => { const w = neurosim.world, c = neurosim.camera; let best = null;
            for (let i = 0; i < w.n; i++) { const p = c.screen(w.position.subarray(3 * i, 3 * i + 3));
              if (w.alive[i] && p[0] > 60 && p[0] < 900 && p[1] > 150 && p[1] < 500) {
                const at = c.pick(p[0], p[1], w.position, w.alive.subarray(0, w.n));
                if (at === i && w.population[i] === 0) { best = [p[0], p[1], w.id[i]]; break; } } }
            return best; })()""")
        assert place is not None
        page.page.mouse.click(place[0], place[1])
        page.until("!document.getElementById('neuron').hidden")
        assert page.value("neurosim.neuron.picked") == place[2]
        assert f"neuron {place[2]}" in page.value("document.getElementById('neuron').textContent")
        page.until("neurosim.neuron.trace.length > 10")
        drawn = page.value("neurosim.world.layers.links.array.length / 12")
        degrees = len(_edges(run, place[2]))
        assert drawn == pytest.approx(degrees, abs=4)  # synapses come and go meanwhile
        page.keep("picked")
        before = exc.size
        page.page.click("#lesion")
        assert _soon(lambda: exc.size == before - 1)
        assert place[2] not in exc.ids
        page.until("document.getElementById('neuron').hidden")
        page.until(f"neurosim.world.placeOf({place[2]}) < 0")


def _edges(run: Watched, neuron: int) -> list[int]:
    network = _simulation(run).network
    listed = run.server.show.do({"do": "pick", "neuron": neuron}, 0)
    assert network.populations[listed["population"]]
    return [synapse["neuron"] for way in ("in", "out") for synapse in listed[way]["synapses"]]


def test_a_slider_changes_the_rate_of_the_running_simulation(chromium: Any, run: Watched) -> None:
    simulation = _simulation(run)
    drive, exc = simulation.network.inputs["drive"], simulation.network.populations["exc"]

    def given() -> float:
        return float(exc.columns[drive.column][exc.slots(exc.ids)].mean())

    with looking(chromium, run.server) as page:
        slider = page.page.locator(".slider[data-path='inputs.drive.rate'] input")
        slider.wait_for()
        page.until("neurosim.world.rates && neurosim.world.rates[0] > 2")
        slider.focus()
        page.page.keyboard.press("Home")
        assert _soon(lambda: given() == 0.0)
        page.until("neurosim.world.rates[0] < 0.5")
        page.page.keyboard.press("End")
        assert _soon(lambda: given() > 30_000)
        page.until("neurosim.world.rates[0] > 20")
        page.keep("slider")
        shown = page.value("document.querySelector(\".slider[data-path='inputs.drive.rate'] .value\").textContent")
        assert shown.endswith("Hz")
        page.value("neurosim.link.ask('set', {path: 'inputs.drive.rate', value: 16000})")
        page.page.click("#code")
        page.until("document.getElementById('code-dialog').open")
        code = page.value("document.getElementById('code-text').textContent")
        assert "inputs.drive.rate: 0.0 Hz" in code
        assert code.startswith("name: small")
        page.keep("code")


def test_pause_and_step(chromium: Any, run: Watched) -> None:
    simulation = _simulation(run)
    with looking(chromium, run.server) as page:
        page.frames(2)
        page.page.click("#play")
        page.until("document.getElementById('status').textContent === 'paused'")
        time.sleep(0.2)
        here = simulation.time
        time.sleep(0.3)
        assert simulation.time == here
        page.page.click("#step")
        assert _soon(lambda: simulation.time == pytest.approx(here + 1.0))
        page.until(f"neurosim.world.time > {here + 0.9}")
        page.page.locator("#world").focus()
        page.page.keyboard.press(" ")
        assert _soon(lambda: simulation.time > here + 3.0)


def test_a_dropped_connection_recovers(chromium: Any, run: Watched) -> None:
    with looking(chromium, run.server) as page:
        page.frames(2)
        loop = run.server._loop
        assert loop is not None
        for viewer in list(run.server.viewers.values()):
            loop.call_soon_threadsafe(viewer.socket._writer.transport.abort)  # type: ignore[union-attr]
        page.until("neurosim.counts.lost > 0")
        page.until("neurosim.counts.scenes > 1")
        page.frames(3)
        assert page.value("document.getElementById('status').textContent") == "live"


def test_a_result_is_scrubbed(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    server = Server(ReplayShow(ns.run(path, tmp_path / "small.nsim"), speed=0.02), port=0)
    server.start()
    try:
        with looking(chromium, server) as page:
            page.frames(3)
            page.value("(() => { const s = document.getElementById('scrub'); s.value = 301; s.oninput(); })()")
            page.until("Math.abs(neurosim.world.time - 301) < 60 && neurosim.world.time >= 301")
            page.page.click("#play")
            page.until("document.getElementById('status').textContent === 'replay paused'")
            page.value("(() => { const s = document.getElementById('scrub'); s.value = 150; s.oninput(); })()")
            page.until("neurosim.world.time === 150")
            page.until("document.getElementById('time').textContent === '150.0'")
            assert page.pixels().max(axis=2).mean() > 8
            page.keep("replay")
            assert page.value("document.getElementById('sliders').hidden")
    finally:
        server.close()


def test_no_socket_of_another_page(chromium: Any, run: Watched) -> None:
    """A page from elsewhere in the same browser cannot reach the server."""
    stranger = chromium.new_page()
    stranger.route("http://elsewhere.example/", lambda route: route.fulfill(body="<p>a page</p>"))
    stranger.goto("http://elsewhere.example/")
    outcome = stranger.evaluate(
        """(url) => new Promise((done) => { const socket = new WebSocket(url);
        socket.onopen = () => done("open"); socket.onerror = () => done("refused"); })""",
        run.server.url.replace("http", "ws") + "socket",
    )
    stranger.close()
    assert outcome == "refused"
