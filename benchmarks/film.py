"""Pictures in space: an image of ours beside one that pyvista draws, and how soon the demo moves."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Sequence

import aiohttp

import neurosim as ns
from neurosim.benchmarks.rows import Progress, Row, load_note
from neurosim.errors import NeurosimError
from neurosim.viz.film.movie import Director, Look, Renderer
from neurosim.viz.live.frame import Frame, Scene
from neurosim.viz.live.running import capture

SUMMARY = "pictures in space: an image of ours beside one of pyvista, and how soon the demo moves"

_LOOK = Look(1280, 720, 25.0, 1.0)


def run(
    against: Sequence[str], progress: Progress, neurons: int = 500, synapses: int = 20_000, images: int = 8
) -> list[Row]:
    """Measure; ``against`` is ignored. Without pyvista, or an OpenGL for it, its row is left out."""
    rows = paint(neurons, synapses, images, progress)
    progress("film: the demo")
    until = min(_first_movement() for _ in range(2))
    note = f"from the command to the second frame, compiled before; {load_note()}"
    return [*rows, Row("film", "the demo moves", "neurosim", None, until, "s", note=note, limit=5.0)]


def paint(neurons: int, synapses: int, images: int, progress: Progress) -> list[Row]:
    """The shortest time of an image, ours and pyvista's."""
    from neurosim.viz.desktop import opengl

    frames = _frames(neurons, synapses, images + 1)
    what = f"an image of {neurons} neurons, {synapses} synapses, {_LOOK.width} x {_LOOK.height}"
    progress("film: our images")
    ours = _fastest(Director("film", _LOOK), frames)
    rows = [Row("film", what, "neurosim", 1, 1e3 * ours, "ms", note=load_note())]
    try:
        opengl.require()
    except NeurosimError as failure:
        progress(f"film: pyvista is left out. {failure}")
    else:
        from neurosim.viz.desktop.window import Filming

        progress("film: pyvista's images")
        window = Filming("film", _LOOK)
        theirs = _fastest(window, frames)
        window.close()
        rows.append(Row("film", what, "pyvista", None, 1e3 * theirs, "ms", ratio=theirs / ours, note=load_note()))
    return rows


def _frames(neurons: int, synapses: int, number: int) -> list[tuple[Scene, Frame]]:
    """Frames of a network in a ball that fires at some 8 Hz, 40 ms each."""
    net = ns.Network(seed=1, dt=0.1)
    cells = net.add_population(
        "cells", neurons, "lif_delta", initial={"v": ns.uniform("0 mV", "20 mV")}, positions=ns.place.ball("250 um")
    )
    net.add_input("drive", ns.inputs.poisson("11 kHz"), cells, weight=0.1)
    net.connect(cells, cells, ns.connectors.fixed_total(synapses), weight=0.1, delay=ns.uniform("1 ms", "20 ms"))
    simulation = ns.Simulation(net, threads=1)
    simulation.run(200.0)
    frames: list[tuple[Scene, Frame]] = []
    capture(simulation, 40.0, lambda scene, frame: frames.append((scene, frame)))
    simulation.run(40.0 * number)
    return frames


def _fastest(renderer: Renderer, frames: Sequence[tuple[Scene, Frame]]) -> float:
    """The shortest time of an image (s); the first, which compiles and makes buffers, does not count."""
    times = []
    for scene, frame in frames:
        began = time.perf_counter()
        renderer.image(scene, frame)
        times.append(time.perf_counter() - began)
    return min(times[1:])


def _first_movement() -> float:
    """Seconds from `neurosim demo` to the second frame that a viewer gets."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "neurosim.cli", "demo", "--no-open", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            if found is None:
                raise NeurosimError("`neurosim demo` did not say where it is shown")
            asyncio.run(_see(found[0].replace("http", "ws") + "socket"))
            return time.perf_counter() - began
        finally:
            process.terminate()


async def _see(url: str) -> None:
    """Look until two frames have come; the first binary message is the scene."""
    binary = 0
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as socket:
        async for heard in socket:
            if heard.type is aiohttp.WSMsgType.BINARY:
                binary += 1
                if binary == 3:
                    return
                await socket.send_str('{"do":"shown"}')
