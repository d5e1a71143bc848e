"""The server of the page: a web server in a thread of its own, with a socket for each viewer.

It listens on this machine only unless told otherwise; then the page is given to those only who know the token in its
address. Sockets are opened for pages of this server only (their `Origin`), and for names of this machine only, so
that no other page in the browser can reach it. What a viewer sends is never fatal: it is answered, or dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import json
import secrets
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from neurosim.errors import NeurosimError
from neurosim.viz.live.pace import FRAME
from neurosim.viz.live.show import Show
from neurosim.viz.live.viewers import Encoded, Viewer

PORT = 8642
_PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_LARGEST = 1 << 16  # bytes of a message from a viewer
_MOST_VIEWERS = 64
_WORDS_PER_S = 200.0  # commands of one viewer per second; what comes faster waits
_NO_STORE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:",
}


class Server:
    """A server that shows something; `start` returns once it listens."""

    def __init__(self, show: Show, *, host: str = "127.0.0.1", port: int | None = None) -> None:
        self.show = show
        self.host = host
        self.local = _is_local(host)
        self.token = "" if self.local else secrets.token_urlsafe(16)
        self.viewers: dict[int, Viewer] = {}
        self.frame_s = 0.0  # CPU seconds spent on frames, their encoding included
        self.frames = 0
        self._wanted = PORT if port is None else port
        self._strict = port is not None
        self._socket = self._bound()
        self.port = int(self._socket.getsockname()[1])
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="neurosim-view", daemon=True)
        self._maker = ThreadPoolExecutor(1, "neurosim-frames")  # so that no command that waits holds frames up
        self._started = threading.Event()
        self._said: dict[str, Any] = {}

    @property
    def url(self) -> str:
        """Address of the page."""
        name = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        name = f"[{name}]" if ":" in name else name
        return f"http://{name}:{self.port}/" + (f"?token={self.token}" if self.token else "")

    def _bound(self) -> socket.socket:
        """A listening socket: at the wanted port, or, where nobody insists on it, at one of the next."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        candidates = [self._wanted] if self._strict else [*range(self._wanted, self._wanted + 20), 0]
        failure: OSError | None = None
        for port in candidates:
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((self.host, port))
                listener.listen(64)
                return listener
            except (OSError, OverflowError) as error:
                listener.close()
                failure = error if isinstance(error, OSError) else OSError(errno.EINVAL, "no such port")
                if failure.errno != errno.EADDRINUSE:
                    break
        assert failure is not None
        if failure.errno == errno.EADDRINUSE:
            raise NeurosimError(f"port {self._wanted} is in use; choose another, or 0 for any that is free.")
        raise NeurosimError(f"cannot listen at {self.host} port {self._wanted}: {failure.strerror or failure}.")

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._thread.start()
        self._started.wait(10.0)

    def close(self) -> None:
        """Close all sockets and end the thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(5.0)
        self._maker.shutdown(wait=False)
        self._socket.close()

    def change(self, show: Show) -> None:
        """Show something else from now on; all viewers get its scene."""
        self.show = show
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._begin_again)

    def _begin_again(self) -> None:
        for viewer in self.viewers.values():
            viewer.needs_scene = True

    # -- the thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with contextlib.suppress(RuntimeError):  # the interpreter is going away
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._page)
        app.router.add_get("/socket", self._viewer)
        app.router.add_get("/{name}", self._page)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, self._socket).start()
        beat = asyncio.create_task(self._beat())
        self._started.set()
        await self._stop.wait()
        beat.cancel()
        for viewer in list(self.viewers.values()):
            with contextlib.suppress(TimeoutError, ConnectionError, asyncio.CancelledError):  # one that stalls is left
                await asyncio.wait_for(viewer.socket.close(code=1001, message=b"the server ends"), 1.0)
        await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Let in only who comes by a name of this machine, or with the token."""
        name = _name(request.headers.get("Host", ""))
        if self.local and not _is_local(name):
            raise web.HTTPForbidden(text="This server answers to names of its own machine only.")
        needs_token = request.path in ("/", "/socket")
        if self.token and needs_token and not secrets.compare_digest(request.query.get("token", ""), self.token):
            raise web.HTTPForbidden(text="The address of this page has a token, which is missing or wrong.")
        response: web.StreamResponse = await handler(request)
        return response

    async def _page(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "index.html")
        file = _PAGE / name
        if "/" in name or "\\" in name or file.suffix not in _TYPES or not file.is_file():
            raise web.HTTPNotFound(text="There is no such page.")
        return web.Response(body=file.read_bytes(), headers={**_NO_STORE, "Content-Type": _TYPES[file.suffix]})

    async def _viewer(self, request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
            raise web.HTTPForbidden(text="This page may not open sockets here.")
        if len(self.viewers) >= _MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text="There are too many viewers.")
        connection = web.WebSocketResponse(heartbeat=20.0, max_msg_size=_LARGEST, compress=False)
        await connection.prepare(request)
        viewer = Viewer(connection)
        self.viewers[viewer.number] = viewer
        viewer.say({"hello": viewer.number, "state": self.show.state()})
        sending = asyncio.create_task(viewer.serve())
        try:
            await self._listen(viewer)
        finally:
            self.viewers.pop(viewer.number, None)
            self.show.left(viewer.number)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError, RuntimeError):
                await sending
        return connection

    async def _listen(self, viewer: Viewer) -> None:
        """Take in what a viewer sends until it goes."""
        spent = 0.0
        async for received in viewer.socket:
            if received.type is not WSMsgType.TEXT:
                continue
            try:
                said = json.loads(received.data)
            except (ValueError, RecursionError):
                said = None
            if isinstance(said, dict) and said.get("do") == "shown":
                viewer.acknowledge()
                continue
            now = time.monotonic()
            spent = max(spent, now) + 1.0 / _WORDS_PER_S
            if spent - now > 1.0:  # a flood: it waits, and nobody else does
                await asyncio.sleep(spent - now - 1.0)
            if not isinstance(said, dict):
                viewer.say({"error": "a message is one JSON object"})
            elif "do" in said:
                await self._do(viewer, said)
            else:
                viewer.say({"re": said.get("re"), "error": "a message says what to `do`"})

    async def _do(self, viewer: Viewer, said: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"re": said.get("re"), "do": said.get("do")}
        try:
            answer |= await asyncio.to_thread(self.show.do, said, viewer.number)
        except NeurosimError as failure:
            answer["error"] = str(failure)
        except TimeoutError:
            answer["error"] = "the simulation did not answer in time"
        except Exception as failure:  # noqa: BLE001 (nothing that a viewer sends may end the server)
            answer["error"] = f"that could not be done: {failure}"
        try:
            viewer.say(answer)
        except ValueError:
            viewer.say({"re": said.get("re"), "error": "the answer holds numbers that cannot be sent"})

    # -- frames -----------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Make frames as long as anybody can take one, and tell how things stand when that changes."""
        loop = asyncio.get_running_loop()
        while True:
            began = time.perf_counter()
            if any(viewer.ready or viewer.needs_scene for viewer in self.viewers.values()):
                try:
                    await loop.run_in_executor(self._maker, self._frame)
                except Exception as failure:  # noqa: BLE001 (the next frame may be fine again)
                    for viewer in self.viewers.values():
                        viewer.say({"error": f"no frame could be made: {failure}"})
                        viewer.needs_scene = True
                    await asyncio.sleep(1.0)
            state = self.show.state()
            if state != self._said:
                self._said = state
                for viewer in self.viewers.values():
                    viewer.say({"state": state})
            await asyncio.sleep(max(FRAME - (time.perf_counter() - began), 0.002))

    def _frame(self) -> None:
        """One frame for all; in a thread, as it may take a while to begin."""
        began = time.thread_time()
        show, loop = self.show, self._loop
        frame = show.frame()
        assert loop is not None
        encoded = None
        if frame is not None:
            encoded = Encoded(frame)
            _ = encoded.bytes
            self.frames += 1
        version = show.version
        behind = [one for one in list(self.viewers.values()) if one.needs_scene or one.version != version]
        for viewer in behind:
            viewer.needs_scene = True
        scene = show.scene() if behind else None
        self.frame_s += time.thread_time() - began
        loop.call_soon_threadsafe(self._hand_out, encoded, scene)

    def _hand_out(self, frame: Encoded | None, scene: Any) -> None:
        for viewer in self.viewers.values():
            if frame is not None and not viewer.needs_scene:
                viewer.offer(frame)
            if viewer.needs_scene and scene is not None:
                viewer.offer_scene(scene)


def _name(host: str) -> str:
    """The name in a ``Host`` header, without the port."""
    return host[1 : host.index("]")] if host.startswith("[") and "]" in host else host.rpartition(":")[0] or host


def _is_local(host: str) -> bool:
    """Whether a name or address means this machine only."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
