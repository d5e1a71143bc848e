"""A real browser without a screen, to measure (and test) what people see: Debian's Chromium, drawing in software."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from neurosim.errors import NeurosimError

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
)  # fmt: skip


@contextmanager
def browser() -> Iterator[Any]:
    """A browser, driven by Playwright. Raises NeurosimError that says what to install where something is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NeurosimError("playwright is not installed: pip install 'neurosim[test]'.") from None
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise NeurosimError("no Chromium is installed: apt-get install -y chromium.")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield running
        finally:
            running.close()
