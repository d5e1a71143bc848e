"""A run that is watched, in the background of a test, and a viewer without a browser."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

import neurosim as ns
from neurosim.viz.live.server import Server
from neurosim.viz.live.watching import run_watched

PATIENCE = 120.0  # seconds: the first simulation of a machine compiles, and others may do so beside it

SMALL = """\
name: small
about: A network for the tests of the live view.
duration: 400 ms
populations:
  exc: {size: 160, model: lif_delta, initial: {v: "uniform(0 mV, 20 mV)"}, positions: {ball: {radius: 100 um}}}
  inh: {size: 40, model: lif_delta, positions: {ball: {radius: 100 um}}}
inputs:
  drive: {poisson: {rate: 16 kHz}, to: [exc, inh], weight: 0.1 mV}
projections:
  ee: {from: exc, to: exc, connect: {fixed_indegree: 8}, weight: 0.2 mV, delay: "uniform(1 ms, 4 ms)"}
  ie: {from: inh, to: exc, connect: {fixed_indegree: 3}, weight: -1 mV, delay: 1 ms}
structure:
  - turnover: {projection: ee, every: 10 ms, lifetime: 2 s}
protocol:
  - {at: 100 ms, set: {inputs.drive.rate: 18 kHz}}
"""


class Watched:
    """A watched run: its server at once, its result when it has ended."""

    def __init__(self, path: Path, output: Path, **options: Any) -> None:
        self.server: Server
        self.result: ns.Result
        self.failure: BaseException | None = None
        listens = threading.Event()

        def told(server: Server) -> None:
            self.server = server
            listens.set()

        def run() -> None:
            try:
                self.result, _ = run_watched(path, output, port=0, told=told, **options)
            except BaseException as failure:  # noqa: BLE001 (the test asks for it)
                self.failure = failure
                listens.set()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert listens.wait(300)

    def wait(self, timeout: float = 60.0) -> ns.Result:
        """The result, once the run has ended."""
        self._thread.join(timeout)
        assert not self._thread.is_alive()
        if self.failure is not None:
            raise self.failure
        return self.result


@contextmanager
def watched(text: str, folder: Path, name: str = "watched", **options: Any) -> Iterator[Watched]:
    """Run a scenario while it is watched; the server is closed at the end."""
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    run = Watched(path, folder / f"{name}.nsim", overwrite=True, **options)
    try:
        yield run
    finally:
        if hasattr(run, "server"):
            run.server.show.do({"do": "speed", "speed": 1000.0}, 0)
            run.server.show.do({"do": "resume"}, 0)
            run._thread.join(60)
            run.server.close()


class Viewer:
    """A viewer that speaks the page's language."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.number = 0
        self.scenes: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self.errors: list[str] = []

    async def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Ask, and wait for the answer; frames that come meanwhile are acknowledged."""
        self.number += 1
        await self.socket.send_json({"do": what, "re": self.number, **more})
        return await self.until(lambda said: said.get("re") == self.number)

    async def until(self, holds: Callable[[dict[str, Any]], bool], timeout: float = PATIENCE) -> dict[str, Any]:
        """Listen until a message is what is waited for."""
        async with asyncio.timeout(timeout):
            while True:
                said = await self.hear()
                if holds(said):
                    return said

    async def scene_at(self, time: float) -> None:
        """Wait until a scene of that time has come."""
        async with asyncio.timeout(PATIENCE):
            while not any(scene["time"] == time for scene in self.scenes):
                await self.hear()

    async def hear(self, acknowledge: bool = True) -> dict[str, Any]:
        """The next message; of binary ones the head."""
        received = await self.socket.receive()
        if received.type is aiohttp.WSMsgType.TEXT:
            said: dict[str, Any] = json.loads(received.data)
            if "state" in said:
                self.states.append(said["state"])
            if "error" in said:
                self.errors.append(said["error"])
            return said
        if received.type is not aiohttp.WSMsgType.BINARY:
            raise ConnectionError(f"closed: {received.type}")
        (length,) = struct.unpack_from("<I", received.data)
        head: dict[str, Any] = json.loads(received.data[4 : 4 + length])
        (self.scenes if head["kind"] == "scene" else self.frames).append(head)
        if acknowledge:
            await self.socket.send_json({"do": "shown"})
        return head


def look(server: Server, act: Callable[[Viewer], Any], **headers: str) -> Any:
    """Open a viewer at a server and let ``act`` use it."""

    async def visit() -> Any:
        url = socket_url(server)
        async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
            return await act(Viewer(socket))

    return asyncio.run(visit())


def socket_url(server: Server) -> str:
    """The address of a server's socket."""
    return server.url.replace("http://", "ws://").replace("/?", "/socket?").rstrip("/") + (
        "" if server.token else "/socket"
    )
