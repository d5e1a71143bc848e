"""Those who watch: each gets what it has not seen yet as soon as it has shown what it got before.

A viewer that is slow gets several frames as one. So nobody waits for it, and it costs little memory.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import TYPE_CHECKING, Any

from neurosim.viz.live import wire
from neurosim.viz.live.frame import Frame, Scene, merged, thinned

if TYPE_CHECKING:
    from aiohttp.web import WebSocketResponse

_MOST_FRAMES = 60  # that wait for a viewer, before they become one
_MOST_SPIKES = 20_000
_UNDER_WAY = 2  # messages that may be on their way, or wait to be shown
_numbers = itertools.count(1)


class Encoded:
    """A frame that is encoded once, for however many viewers."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._bytes: bytes | None = None

    @property
    def bytes(self) -> bytes:
        """The frame as a message."""
        if self._bytes is None:
            self._bytes = wire.frame_message(self.frame)
        return self._bytes


class Viewer:
    """One viewer, and what waits for it."""

    def __init__(self, socket: WebSocketResponse) -> None:
        self.socket = socket
        self.number = next(_numbers)
        self.needs_scene = True
        self._scene: Scene | None = None
        self.version = -1  # of the scene that it has, or will get next
        self._missed: list[Encoded] = []
        self._words: list[str] = []
        self._in_flight = 0
        self._news = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether it has shown nearly all that was sent."""
        return self._in_flight < _UNDER_WAY

    def acknowledge(self) -> None:
        """It has shown what was sent last."""
        self._in_flight = 0
        self._news.set()

    def offer_scene(self, scene: Scene) -> None:
        """Everything, as it is after the frames offered so far."""
        self._scene, self._missed, self.needs_scene, self.version = scene, [], False, scene.version
        self._news.set()

    def offer(self, frame: Encoded) -> None:
        """The next frame."""
        if self.needs_scene:
            return
        if frame.frame.version != self.version:
            self.needs_scene, self._missed = True, []
            return
        self._missed.append(frame)
        waiting = sum(one.frame.spike_time.size for one in self._missed)
        if len(self._missed) > _MOST_FRAMES or waiting > 2 * _MOST_SPIKES:
            self._missed = [Encoded(self._joined())]
        self._news.set()

    def _joined(self) -> Frame:
        """All frames that wait, as one; of their spikes a part, where they are many."""
        return thinned(merged([one.frame for one in self._missed]), _MOST_SPIKES)

    def say(self, words: dict[str, Any]) -> None:
        """A short message, not to be acknowledged."""
        self._words.append(json.dumps(words, allow_nan=False, default=str))
        self._news.set()

    async def serve(self) -> None:
        """Send whatever waits, a scene or frame at a time, until the socket closes."""
        while not self.socket.closed:
            await self._news.wait()
            self._news.clear()
            words, self._words = self._words, []
            for word in words:
                await self.socket.send_str(word)
            if not self.ready:
                continue
            if self._scene is not None:
                scene, self._scene = self._scene, None
                self._in_flight += 1
                await self.socket.send_bytes(wire.scene_message(scene))
            elif self._missed and not self.needs_scene:
                whole = self._missed[0] if len(self._missed) == 1 else Encoded(self._joined())
                self._missed = []
                self._in_flight += 1
                await self.socket.send_bytes(whole.bytes)
