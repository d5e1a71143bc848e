"""Whether this machine can draw in 3D: VTK crashes the whole process where it cannot, so another one tries first."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache

from neurosim.errors import NeurosimError, UsageError

PACKAGES = "libegl1 libegl-mesa0 libgl1-mesa-dri"
NO_SCREEN = (
    "there is no screen to open a window on (DISPLAY names none that answers). Without --desktop the network is "
    "shown in the browser; with --movie FILE.mp4 it is filmed."
)
_PATIENCE = 60.0  # s

# As the window does it: a context, something drawn, and read back. The last word says that all went well.
_TRIAL = """
import pyvista
plotter = pyvista.Plotter(off_screen=True, window_size=(32, 32))
plotter.set_background("red")
plotter.show(auto_close=False)
image = plotter.screenshot(return_img=True)
print("drew" if image[..., 0].mean() > 200 > 50 > image[..., 1].mean() else "blank")
"""


def require() -> None:
    """Raise UsageError where the extra is missing, NeurosimError where there is no working OpenGL."""
    missing = [name for name in ("pyvista", "vtk") if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"--desktop needs {' and '.join(missing)}: pip install 'neurosim[desktop]'. The browser (`neurosim watch` "
            "without it), pictures and GIFs need nothing more."
        )
    said = probe()
    if said:
        raise NeurosimError(
            f"this machine has no working OpenGL ({said}). On Debian or Ubuntu: apt-get install {PACKAGES}. "
            "The browser (`neurosim watch` without --desktop), pictures and movies do without."
        )


def require_screen() -> None:
    """Raise NeurosimError where a window has nowhere to be shown."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise NeurosimError(NO_SCREEN)


@cache
def probe() -> str:
    """Draw something in a process of its own; what went wrong, in a few words, or nothing."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TRIAL], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return "trying it took too long"
    except OSError as failure:
        return f"it could not be tried: {failure.strerror or failure}"
    if done.returncode < 0:
        return f"VTK was ended by signal {-done.returncode}"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["VTK failed"])[-1][:120]
    return "" if done.stdout.strip().endswith("drew") else "what it draws stays black"
