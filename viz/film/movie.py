"""Movies: images one after the other, into an MP4 or a GIF."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from neurosim.errors import NeurosimError, UsageError
from neurosim.viz.film.camera import Camera
from neurosim.viz.film.lettering import Lettering
from neurosim.viz.film.painter import DUSK, NIGHT, Image, Painter
from neurosim.viz.live.frame import Frame, Scene

if TYPE_CHECKING:
    from neurosim.record import Result
    from neurosim.scenario.builder import Built

FORMATS = (".mp4", ".gif")
SYNAPSES = 10_000  # drawn in a movie
COLOURS, DARKS = 104, 24  # of each image of a GIF: those that stand out most, and those of its ground
_SHORTEST, _LONGEST = 10.0, 60.0  # s that a movie lasts where no speed is asked for
_TURN = 5.0  # degrees in a second of the movie

Progress = Callable[[str, float, float, int], None]


@dataclass(frozen=True)
class Look:
    """How a movie looks: pixels, images per second, simulated time per time of the movie."""

    width: int
    height: int
    fps: float
    speed: float

    @classmethod
    def of(
        cls, target: Path, duration: float, speed: float | None = None, size: tuple[int, int] | None = None
    ) -> Look:
        """What suits a file and a simulated duration (ms). Raises UsageError for a suffix that is no movie's."""
        if target.suffix.lower() not in FORMATS:
            raise UsageError(f"{target} is no movie: the name ends in {' or '.join(FORMATS)}.")
        gif = target.suffix.lower() == ".gif"
        width, height = size or ((640, 360) if gif else (1280, 720))
        return cls(width, height, 12.5 if gif else 25.0, speed or _pace(duration))

    @property
    def every(self) -> float:
        """Simulated time (ms) from image to image."""
        return 1e3 * self.speed / self.fps


def _pace(duration: float) -> float:
    """Return 1, or 1, 2 or 5 times a power of ten with which a movie is neither too short nor too long."""
    seconds = duration * 1e-3
    if _SHORTEST <= seconds <= _LONGEST or seconds <= 0:
        return 1.0
    wanted = seconds / _LONGEST if seconds > _LONGEST else seconds / _SHORTEST
    decade = 10.0 ** math.floor(math.log10(wanted))
    steps = [step * decade for step in (1, 2, 5, 10)]
    if seconds > _LONGEST:
        return next(step for step in steps if step >= wanted * 0.999)
    return next(step for step in reversed(steps) if step <= wanted * 1.001)


class Renderer(Protocol):
    """Who makes images of scenes and frames: our `Director`, or the desktop's window."""

    def image(self, scene: Scene, frame: Frame) -> Image:
        """The image of a frame."""


Crew = Callable[[str, Look], Renderer]
"""Makes a renderer for a title and a look."""


class Director:
    """Makes images: keeps the camera on the network, goes slowly round it, and writes what is to be read."""

    def __init__(self, title: str, look: Look, remark: str = "") -> None:
        self.look = look
        self.painter = Painter(look.width, look.height)
        self.lettering = Lettering(title, look.width, look.height, look.speed, look.fps, remark)
        self.camera: Camera | None = None

    def image(self, scene: Scene, frame: Frame) -> Image:
        """The image of a frame."""
        self.painter.advance(scene, frame)
        self.lettering.note(frame)
        living = scene.neurons.position[scene.neurons.alive.astype(bool)]
        aim = Camera.around(living, self.look.width / self.look.height)
        turn = _TURN / self.look.fps if self.look.speed else 0.0  # a still picture keeps the best side
        self.camera = aim if self.camera is None else self.camera.towards(aim).turned(turn)
        return self.lettering.write(self.painter.paint(self.camera), scene, frame)


class Movie:
    """A movie file that is being written; ``with`` closes it. Raises NeurosimError where it cannot be written."""

    def __init__(self, target: Path, look: Look) -> None:
        self.target, self.look = target, look
        self.images = 0
        self._writer: Any = None
        self._gif: list[Any] = []

    def __enter__(self) -> Self:
        if self.target.suffix.lower() == ".mp4":
            self._writer = _ffmpeg(self.target, self.look)
        return self

    def add(self, image: Image) -> None:
        """Append an image."""
        self.images += 1
        if self._writer is not None:
            with _writing(self.target):
                self._writer.append_data(image)
            return
        self._gif.append(_in_few_colours(image))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _writing(self.target):
            if self._writer is not None:
                self._writer.close()
            elif self._gif:
                wait = round(1000 / self.look.fps)
                first, *others = self._gif
                first.save(self.target, save_all=True, append_images=others, duration=wait, loop=0, optimize=True)


def _in_few_colours(image: Image) -> Any:
    """An image with a palette: the colours that differ most, and a ramp for the ground, which would show bands."""
    from PIL import Image as Pictures

    picture = Pictures.fromarray(image)
    palette = picture.quantize(COLOURS, Pictures.Quantize.MAXCOVERAGE, dither=Pictures.Dither.NONE).getpalette() or []
    night, dusk = ([int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in (NIGHT, DUSK))
    ramp = [round(a + k / DARKS * (b - a)) for k in range(DARKS) for a, b in zip(night, dusk, strict=True)]
    chosen = Pictures.new("P", (1, 1))
    chosen.putpalette(palette[: 3 * COLOURS] + ramp)
    return picture.quantize(palette=chosen, dither=Pictures.Dither.NONE)


def film(
    result: Result, target: Path, speed: float | None = None, at: float | None = None, layout: str = "module",
    size: tuple[int, int] | None = None, progress: Progress | None = None, renderer: Crew | None = None,
) -> int:  # fmt: skip
    """Film a result, from the beginning or from a time (ms) on, and return how many images that made.

    ``size`` is in pixels (width, height), ``speed`` simulated s per s, ``progress`` called with each image.
    """
    from neurosim.viz.live.replay import Replay

    look = Look.of(target, result.time_reached - (at or 0.0), speed, size)
    with Movie(target, look) as movie:
        replay = Replay(result, layout, SYNAPSES)
        if at:
            replay.seek(at)
        title = title_of(result.scenario_text, result.path.stem)
        start, director = replay.time, renderer(title, look) if renderer else of_result(result, look)
        number = max(1, math.floor((replay.end - start) / look.every + 1e-9))
        for k in range(number):
            frame = replay.frame(min(start + (k + 1) * look.every, replay.end))
            movie.add(director.image(replay.scene(), frame))
            if progress is not None:
                progress("filming", k + 1, number, 0)
    return movie.images


def film_run(
    built: Built, path: Path, target: Path, speed: float | None = None, layout: str = "module",
    size: tuple[int, int] | None = None, renderer: Crew | None = None, **options: Any,
) -> Result:  # fmt: skip
    """Film a scenario while it runs, into ``target``, and return its result, in ``path``.

    ``options`` are those of `neurosim.scenario.run.run_built`. Frames fall on time steps; so a movie is as slow as one
    step an image, at most.
    """
    from neurosim.scenario.run import run_built
    from neurosim.viz.live.running import capture

    look = Look.of(target, built.scenario.duration, speed, size)
    with Movie(target, look) as movie:
        director = (renderer or Director)(built.scenario.name, look)
        step = max(1, round(look.every / built.simulation.dt)) * built.simulation.dt
        capture(built.simulation, step, lambda s, f: movie.add(director.image(s, f)), layout, SYNAPSES)
        return run_built(built, path, **options)


def of_result(result: Result, look: Look) -> Director:
    """Who films a result: with its title, and a word where its synapses are not known."""
    from neurosim.record.archive import NotRecorded

    remark = ""
    try:
        for name in list(result.projections)[:1]:
            result.edges(name, 0.0)
    except NotRecorded:
        remark = "synapses were not recorded"
    return Director(title_of(result.scenario_text, result.path.stem), look, remark)


def title_of(scenario: str, otherwise: str) -> str:
    """The name that a scenario's text gives itself."""
    from neurosim.scenario.reader import parse

    try:
        return str(parse(scenario).data.get("name") or otherwise) if scenario.strip() else otherwise
    except NeurosimError:
        return otherwise


def _ffmpeg(target: Path, look: Look) -> Any:
    """Return imageio's writer of MP4 files; it comes with the extra ``desktop``."""
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # type: ignore[import-untyped]  # noqa: F401 (imageio would complain late)
    except ImportError:
        raise UsageError(
            "an MP4 needs imageio and its ffmpeg: pip install 'neurosim[desktop]'. A .gif needs nothing more."
        ) from None
    with _writing(target):
        return imageio.get_writer(target, fps=look.fps, codec="libx264", quality=None, macro_block_size=8,
                                  pixelformat="yuv420p", output_params=["-crf", "21", "-preset", "medium",
                                  "-movflags", "+faststart"], ffmpeg_log_level="error")  # fmt: skip


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise NeurosimError(f"cannot write {target}: {failure.strerror or failure}") from failure

