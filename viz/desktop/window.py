"""A network in a pyvista window: one actor of points and one of lines, whose buffers are written in place.

VTK takes no actor per synapse, and no points more than a mesh began with: so both have room, and what is not used does
not show, a point because it is black, a line because it goes from a point to itself. What glows, and what was just born
or has died, is kept by `neurosim.viz.film.state`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import NeurosimError
from neurosim.viz.desktop.opengl import NO_SCREEN
from neurosim.viz.film.camera import FIELD_OF_VIEW, Camera
from neurosim.viz.film.movie import Look
from neurosim.viz.film.painter import BORN, LOST, NIGHT, Image
from neurosim.viz.film.state import State
from neurosim.viz.live.frame import Frame, Scene
from neurosim.viz.words import count

_ROOM = 1.5  # points that a mesh has for each neuron


class Window:
    """A window, or an image of one (``off_screen``). `draw` shows what a frame brings, `close` ends it.

    One in a process at a time: VTK draws the next one black while anything of the one before is still there.
    """

    def __init__(self, title: str, width: int = 1280, height: int = 720, off_screen: bool = False) -> None:
        import pyvista

        self.title, self.width, self.height = title, width, height
        self.state = State()
        plotter: Any = pyvista.Plotter
        self._plotter: Any = plotter(off_screen=off_screen, window_size=[width, height], title=title)
        if not off_screen and not self._has_screen():
            self._plotter.close()
            raise NeurosimError(NO_SCREEN)
        self._plotter.set_background(NIGHT, top="#14203a")
        self._plotter.disable_anti_aliasing()  # llvmpipe takes three times as long with it
        self._points: Any = None
        self._lines: Any = None
        self._letters: dict[str, Any] = {}
        self.shown = False
        self.closed = False

    def draw(self, scene: Scene, frame: Frame) -> None:
        """Show the network as it is after a frame."""
        new = self.state.take(scene, frame)
        if new or self.state.neurons.id.size > len(self._points.points):
            self._build(scene)
        self._paint_points()
        self._paint_lines()
        self._write(frame)
        if not self.shown:
            self._look(scene)
            self._plotter.show(interactive_update=True, auto_close=False)
            self.shown = True

    def update(self) -> None:
        """Let the window answer the mouse and the keyboard, and draw; it may be closed by that."""
        self._plotter.update()
        gone = bool(getattr(self._plotter, "_closed", False)) or self._plotter.render_window is None
        self.closed = self.closed or gone

    def image(self, scene: Scene, frame: Frame) -> Image:
        """The image of a frame, (height, width, 3) bytes."""
        self.draw(scene, frame)
        self._plotter.render()  # a screenshot alone would be of the image before
        return np.asarray(self._plotter.screenshot(return_img=True))[..., :3]

    def close(self) -> None:
        """Close the window and let go of everything that belongs to it."""
        self._points = self._lines = None
        self._letters.clear()
        self._plotter.close()
        self.closed = True

    def _has_screen(self) -> bool:
        """Whether VTK has found a screen; where it has not, it draws into memory, and an open window is never seen."""
        return not any(word in type(self._plotter.render_window).__name__ for word in ("EGL", "OSOpenGL", "OSMesa"))

    # -- inside ----------------------------------------------------------------------------------------------

    def _build(self, scene: Scene) -> None:
        """Make the two actors anew, with room for what may come."""
        import pyvista

        for name in ("neurons", "synapses"):
            self._plotter.remove_actor(name, render=False)
        room = max(int(_ROOM * self.state.neurons.id.size), 16)
        self._points = pyvista.PolyData(np.zeros((room, 3), np.float32))
        self._points["light"] = np.zeros((room, 3), np.uint8)
        ends = 2 * max(scene.slots, 1)
        joined = np.column_stack([np.full(ends // 2, 2), np.arange(0, ends, 2), np.arange(1, ends, 2)])
        self._lines = pyvista.PolyData(np.zeros((ends, 3), np.float32), lines=joined.ravel())
        self._lines["light"] = np.zeros((ends, 3), np.uint8)
        self._paint_points()
        self._paint_lines()
        common = {"scalars": "light", "rgb": True, "lighting": False, "reset_camera": False, "render": False}
        self._plotter.add_mesh(self._lines, name="synapses", opacity=self._clearness(), line_width=1.0, **common)
        self._plotter.add_mesh(self._points, name="neurons", style="points_gaussian", emissive=True,
                               point_size=0.13 * self.state.spacing, **common)  # fmt: skip

    def _clearness(self) -> float:
        """How opaque a line is: with many synapses each is fainter."""
        return float(np.clip(12.0 / np.sqrt(max(int(self.state.used.sum()), 1)), 0.06, 0.5))

    def _look(self, scene: Scene) -> None:
        """Put the camera where a movie would have it."""
        aim = Camera.around(scene.neurons.position, self.width / self.height)
        camera = self._plotter.camera
        camera.focal_point, camera.position, camera.up = aim.centre, tuple(aim.position), (0.0, 0.0, 1.0)
        camera.view_angle = FIELD_OF_VIEW
        self._plotter.renderer.ResetCameraClippingRange()

    def _paint_points(self) -> None:
        state, mesh = self.state, self._points
        n, alive = state.neurons.id.size, state.neurons.alive.astype(bool)
        mesh.points[:] = state.neurons.position[alive][:1] if alive.any() else 0.0
        mesh.points[:n][alive] = state.neurons.position[alive]
        glow, young = state.glow(), state.young
        white = np.minimum(0.5 * glow**2 + 0.8 * young, 0.95)[:, None]
        light = state.looks[state.neurons.module] * (1 - white) + white
        light = light * (0.3 + 0.7 * np.minimum(glow + young, 1.0))[:, None]
        mesh["light"][:] = 0  # points add their light to what is behind them: black ones do not show
        mesh["light"][:n][alive] = _bytes(light)[alive]
        mesh.Modified()

    def _paint_lines(self) -> None:
        state, mesh = self.state, self._lines
        used = np.flatnonzero(state.used)
        ends = mesh.points.reshape(-1, 2, 3)
        ends[:] = state.neurons.position[:1] if state.neurons.id.size else 0.0
        ends[used, 0] = state.neurons.position[state.pre[used]]
        ends[used, 1] = state.neurons.position[state.post[used]]
        lit, flash = np.minimum(state.lit[used], 1.0)[:, None], state.flash[used][:, None]
        source = state.looks[state.neurons.module[state.pre[used]]]
        light = source * (0.35 + 0.9 * lit) + flash * np.array(BORN, np.float32)
        colours = mesh["light"].reshape(-1, 2, 3)
        colours[:] = 0
        colours[used] = _bytes(light)[:, None]
        self._show_deaths(ends, colours)
        mesh.Modified()

    def _show_deaths(self, ends: NDArray[np.float32], colours: NDArray[np.uint8]) -> None:
        """Lend slots that are free to synapses that have died lately, in the colour of loss."""
        free = np.flatnonzero(~self.state.used)
        for pre, post, age in self.state.dying:
            slots, free = free[: pre.size], free[pre.size :]
            ends[slots, 0] = self.state.neurons.position[pre[: slots.size]]
            ends[slots, 1] = self.state.neurons.position[post[: slots.size]]
            colours[slots] = _bytes(np.array(LOST, np.float32) * age)

    def _write(self, frame: Frame) -> None:
        """Time and sizes above, the caption below."""
        told = f"{self.title}\n{frame.time * 1e-3:.2f} s\n{count(int(frame.neurons.sum()))} neurons\n"
        told = (told + f"{count(int(frame.synapses.sum()))} synapses").replace("\u202f", " ")
        for name, text, place, size in (
            ("told", told, "upper_left", 9),
            ("caption", frame.caption or " ", (0.03 * self.width, 0.04 * self.height), 13),
        ):
            letters = self._letters.get(name)
            if letters is None:
                look = {"font_size": size, "color": "#e6ebf2", "name": name}
                self._letters[name] = self._plotter.add_text(text, position=place, **look)
            elif name == "told":
                letters.set_text("upper_left", text)
            else:
                letters.SetInput(text)


class Filming(Window):
    """A window that nobody sees, whose images make a movie."""

    def __init__(self, title: str, look: Look) -> None:
        super().__init__(title, look.width, look.height, off_screen=True)


def _bytes(light: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.asarray(255 * np.clip(light, 0.0, 1.0) ** (1 / 2.2), np.uint8)
