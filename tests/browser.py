"""The real browser of the tests of the page: Debian's Chromium, without a screen, drawing in software."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from neurosim.benchmarks import chromium
from neurosim.errors import NeurosimError

# Pictures of the page are kept here, for people to look at.
SCREENSHOTS = Path(__file__).parent.parent / "build" / "screenshots"

@contextmanager
def browser() -> Iterator[Any]:
    """A browser; a test without one fails with what to install."""
    try:
        with chromium.browser() as running:
            yield running
    except NeurosimError as failure:
        pytest.fail(str(failure), pytrace=False)


class Page:
    """The page of a server, at 1280 × 720, that must not complain."""

    def __init__(self, running: Any, url: str) -> None:
        self.page = running.new_page(viewport={"width": 1280, "height": 720})
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.set_default_timeout(30_000)
        self.page.goto(url)

    def value(self, script: str) -> Any:
        """What an expression of JavaScript gives; ``neurosim`` is the page's own."""
        return self.page.evaluate(script)

    def until(self, script: str, seconds: float = 30.0) -> None:
        """Wait until an expression holds (asked from here: the page's own policy forbids it to evaluate texts)."""
        end = time.monotonic() + seconds
        while not self.value(f"Boolean({script})"):
            assert time.monotonic() < end, f"it has not come to {script}"
            self.page.wait_for_timeout(40)

    def frames(self, more: int = 3) -> None:
        """Wait for some frames."""
        self.until(f"neurosim.counts.frames >= {self.value('neurosim.counts.frames') + more}")

    def pixels(self) -> NDArray[np.uint8]:
        """The canvas as it is shown, (height, width, 3), without the panels."""
        return self._read(self.page.screenshot(clip={"x": 40, "y": 130, "width": 900, "height": 390}))

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SCREENSHOTS / f"{name}.png"))

    def _read(self, png: bytes) -> NDArray[np.uint8]:
        from PIL import Image

        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))

    def close(self) -> None:
        """Leave; there must have been no error."""
        self.page.close()
        assert not self.errors
