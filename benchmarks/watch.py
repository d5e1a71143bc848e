"""What it costs to be watched: the simulation, the server, and the page in a browser that draws in software."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from statistics import median

import aiohttp

import neurosim as ns
from neurosim.benchmarks.chromium import browser
from neurosim.benchmarks.rows import Progress, Row, load_note
from neurosim.errors import NeurosimError
from neurosim.viz.live.server import Server
from neurosim.viz.live.show import LiveShow

SUMMARY = "watching live: the simulation's own processor time, the server's per frame, frames per second in Chromium"

_SLOW = 0.05  # simulated seconds per second, for the page
_WARM = 1_000.0  # ms
_PATIENCE = 3.2  # s after which a viewer that shows nothing is not waited for


def run(
    against: Sequence[str],
    progress: Progress,
    neurons: int = 5_000,
    synapses: int = 20_000,
    large: tuple[int, int] = (100_000, 1_000_000),
    duration: float = 5_000.0,
    repeats: int = 16,
    seconds: float = 8.0,
) -> list[Row]:
    """Watch two networks; ``against`` is ignored. Without a browser what concerns it is left out."""
    rows = costs(neurons, synapses, duration, repeats, progress)
    try:
        with browser() as running:
            for size in ((neurons, synapses), large):
                progress(f"watch: {size[0]} neurons, {size[1]} synapses in the browser")
                rows += _page(running, *size, seconds)
    except NeurosimError as failure:
        progress(f"watch: no page is measured. {failure}")
    return rows


def _network(neurons: int, synapses: int) -> ns.Simulation:
    """A network that fires at some 8 Hz by its input alone, in a ball."""
    net = ns.Network(seed=1, dt=0.1)
    cells = net.add_population(
        "cells", neurons, "lif_delta", initial={"v": ns.uniform("0 mV", "20 mV")},
        positions=ns.place.ball(f"{20 * neurons ** (1 / 3):.0f} um"),
    )  # fmt: skip
    net.add_input("drive", ns.inputs.poisson("11 kHz"), cells, weight=0.1)
    net.connect(cells, cells, ns.connectors.fixed_total(synapses), weight=0.1, delay=ns.uniform("1 ms", "20 ms"))
    return ns.Simulation(net, threads=1)


# ---- the simulation and the server ------------------------------------------------------------------------------


def costs(neurons: int, synapses: int, duration: float, repeats: int, progress: Progress) -> list[Row]:
    """Processor time of a run that is unwatched, watched at ten frames a second, and by a viewer that stalls.

    Each is compared with the unwatched run just before it; the median of the repeats is told.
    """
    own: dict[str, list[float]] = {"unwatched": [], "watched": [], "stalled": []}
    frames, wall_s = 0, 0.0
    for turn in range(repeats):
        for way in ("unwatched", "watched", "unwatched", "stalled"):
            progress(f"watch: {way}, {turn + 1} of {repeats}")
            simulation = _network(neurons, synapses)
            simulation.run(20.0)  # what must be compiled is compiled
            if way == "unwatched":
                own[way].append(_warm_s(simulation, duration))
                continue
            server = Server(LiveShow(simulation), port=0)
            server.start()
            viewer = _Viewer(server, 0.1 if way == "watched" else float("inf"))
            if way == "stalled":
                time.sleep(_PATIENCE)
            began = time.perf_counter()
            own[way].append(_warm_s(simulation, duration))
            if way == "watched":
                frames, wall_s = frames + server.frames, wall_s + time.perf_counter() - began
            viewer.close()
            server.close()
    base = median(own["unwatched"])
    rates = f"{frames / wall_s:.1f} frames/s; {load_note()}"
    size = f"{neurons} neurons, {synapses} synapses"
    pairs = zip(own["unwatched"][::2], own["unwatched"][1::2], strict=True)
    noise = f"two of them differ by {100.0 * median(abs(b / a - 1.0) for a, b in pairs):.1f} %; {load_note()}"
    rows = [Row("watch", f"{size}: {duration / 1e3:g} s unwatched", "neurosim", 1, base, "CPU s", note=noise)]
    for way, limit in (("watched", 5.0), ("stalled", None)):
        before = own["unwatched"][0 if way == "watched" else 1 :: 2]
        more = 100.0 * (median(b / a for a, b in zip(before, own[way], strict=True)) - 1.0)
        note = rates if way == "watched" else "a viewer that never says it has shown anything"
        rows.append(Row("watch", f"{way}: more of its own CPU time", "neurosim", 1, more, "%", note=note, limit=limit))
    progress("watch: the server")
    return [*rows, _server(neurons, synapses, min(duration, 4_000.0))]


def _server(neurons: int, synapses: int, duration: float) -> Row:
    """Processor time that one frame takes, in a run at half real time that one viewer follows."""
    simulation = _network(neurons, synapses)
    server = Server(LiveShow(simulation, speed=0.5), port=0)
    server.start()
    viewer = _Viewer(server, 0.0)
    spent, own = time.process_time(), _thread_s(simulation, duration)
    spent = time.process_time() - spent - own
    viewer.close()
    server.close()
    frames = max(server.frames, 1)
    spikes = sum(simulation.spike_counts.values()) / frames
    note = (
        f"{frames} frames of {spikes:.0f} spikes; with the sockets and this benchmark's viewer "
        f"{1e3 * spent / frames:.2f}; {load_note()}"
    )
    each = 1e3 * server.frame_s / frames
    return Row("watch", "server: a frame made and encoded", "neurosim", None, each, "CPU ms", note=note, limit=2.0)


def _thread_s(simulation: ns.Simulation, duration: float) -> float:
    """Processor time of this thread for a run."""
    began = time.thread_time()
    simulation.run(duration)
    return time.thread_time() - began


def _warm_s(simulation: ns.Simulation, duration: float) -> float:
    """The same, once it is warm: after a pause caches are cold, and the clock is slow."""
    simulation.run(_WARM)
    return _thread_s(simulation, duration)


class _Viewer:
    """A viewer in a thread of its own, who takes ``pause`` s to show a frame."""

    def __init__(self, server: Server, pause: float) -> None:
        self._url = server.url.replace("http", "ws") + "socket"
        self._pause = pause
        self._loop = asyncio.new_event_loop()
        self._looks = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._watch(),), daemon=True)
        self._thread.start()
        self._looks.wait(10.0)

    async def _watch(self) -> None:
        self._end = asyncio.Event()
        ended = asyncio.create_task(self._end.wait())
        async with aiohttp.ClientSession() as session, session.ws_connect(self._url, max_msg_size=0) as socket:
            while not self._end.is_set():
                heard = asyncio.create_task(socket.receive())
                await asyncio.wait({heard, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not heard.done():
                    heard.cancel()
                    break
                if heard.result().type is aiohttp.WSMsgType.BINARY:
                    self._looks.set()
                    if self._pause == float("inf"):
                        await ended
                        break
                    await asyncio.sleep(self._pause)
                    await socket.send_str('{"do":"shown"}')

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10.0)
        self._loop.close()


# ---- the page ------------------------------------------------------------------------------------------------------


def _page(running: object, neurons: int, synapses: int, seconds: float) -> list[Row]:
    """Frames shown per second, while the camera stands still and while it turns."""
    simulation = _network(neurons, synapses)
    show = LiveShow(simulation, speed=_SLOW)
    server = Server(show, port=0)
    server.start()
    worker = threading.Thread(target=simulation.run, args=("1000 s",), daemon=True)
    worker.start()
    page = running.new_page(viewport={"width": 1280, "height": 720})  # type: ignore[attr-defined]
    rows = []
    try:
        page.goto(server.url)
        page.wait_for_timeout(8_000)  # it finds out how much it can draw
        for turns in (False, True):
            page.evaluate(f"neurosim.camera.orbiting = {str(turns).lower()}")
            page.wait_for_timeout(3_000)
            counts = "[neurosim.counts.frames, neurosim.counts.drawn, performance.now() / 1000]"
            before = page.evaluate(counts)
            page.wait_for_timeout(1e3 * seconds)
            *passed, took = (b - a for a, b in zip(before, page.evaluate(counts), strict=True))
            shown, drawn = (number / took for number in passed)
            what = f"{neurons} neurons, {synapses} synapses: page, {'turning' if turns else 'standing still'}"
            drawn_edges = page.evaluate("neurosim.world.drawn")
            note = f"{drawn:.1f} drawn/s, {drawn_edges} synapses drawn; {load_note()}"
            rows.append(Row("watch", what, "Chromium", None, shown, "frames/s", note=note))
    finally:
        page.close()
        simulation.stop()
        worker.join(30.0)
        server.close()
    return rows
