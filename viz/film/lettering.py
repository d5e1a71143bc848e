"""Letters on images: what is shown, when, who fires how fast, and what the protocol says."""

from __future__ import annotations

import textwrap
from collections import deque
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from neurosim.viz.film.painter import Image
from neurosim.viz.film.state import module_colours
from neurosim.viz.live.frame import Frame, Scene
from neurosim.viz.words import count, span

INK, SOFT, FAINT = (236, 240, 246, 255), (150, 162, 178, 255), (150, 162, 178, 70)
PANEL = (8, 12, 22, 150)
_LINES = 6  # populations that are named
_PAST = 150  # frames that the strip of rates looks back


class Lettering:
    """Writes on images: `note` every frame, `write` on those that are kept.

    ``speed`` is simulated s per s of a movie, 0 for a picture that stands still; ``remark`` stands where the number of
    synapses would, if that is not known.
    """

    def __init__(
        self, title: str, width: int, height: int, speed: float = 0.0, fps: float = 25.0, remark: str = ""
    ) -> None:
        self.title, self.speed, self.fps, self.remark = title, speed, fps, remark
        self.width, self.height = width, height
        self.unit = height / 720
        self._rates: deque[Any] = deque(maxlen=_PAST)
        self._caption, self._since = "", 0

    def note(self, frame: Frame) -> None:
        """Keep what the strip needs, and since when the caption has stood."""
        self._rates.append(frame.rates)
        self._since = self._since + 1 if frame.caption == self._caption else 0
        self._caption = frame.caption

    def write(self, image: Image, scene: Scene, frame: Frame) -> Image:
        """Return the image with letters."""
        under = Pictures.fromarray(image).convert("RGBA")
        over = Pictures.new("RGBA", under.size, (0, 0, 0, 0))
        draw = ImageDraw.Draw(over)
        self._who(draw, scene, frame)
        self._when(draw, scene, frame)
        self._strip(draw, scene)
        self._say(draw)
        return np.asarray(Pictures.alpha_composite(under, over).convert("RGB"))

    def _size(self, points: float) -> int:
        return max(1, round(points * self.unit))

    def _who(self, draw: ImageDraw.ImageDraw, scene: Scene, frame: Frame) -> None:
        """The title, and under it the populations (colour, name, neurons, rate) and groups."""
        left, top, step = self._size(26), self._size(22), self._size(21)
        draw.text((left, top), self.title, fill=INK, font=_font(self._size(19), True))
        top += self._size(34)
        name, number = _font(self._size(13), True), _font(self._size(13), False)
        longest = max([0.0, *(name.getlength(_short(look)) for look in scene.modules[:_LINES])])
        alive = scene.neurons.module[scene.neurons.alive.astype(bool)]
        for k, (module, colour) in enumerate(list(zip(scene.modules, module_colours(scene), strict=True))[:_LINES]):
            middle, radius, light = top + k * step + self._size(8), self._size(4), _light(colour)
            draw.ellipse((left, middle - radius, left + 2 * radius, middle + radius), fill=light)
            draw.text((left + self._size(18), top + k * step), _short(module), fill=light, font=name)
            told = f"{count(int((alive == k).sum()))}"
            if k < len(scene.populations):
                told = f"{count(int(frame.neurons[k]))}   {float(frame.rates[k]):.1f} Hz"
            draw.text((left + self._size(32) + longest, top + k * step), _plain(told), fill=SOFT, font=number)
        if len(scene.modules) > _LINES:
            draw.text((left, top + _LINES * step), f"and {len(scene.modules) - _LINES} more", fill=SOFT, font=number)

    def _when(self, draw: ImageDraw.ImageDraw, scene: Scene, frame: Frame) -> None:
        """Upper right: the time, how fast it goes, how many synapses there are."""
        right, top = self.width - self._size(26), self._size(22)
        draw.text((right, top), _clock(frame.time, self.speed), fill=INK, font=_font(self._size(19), True), anchor="ra")
        lines = [self.remark or f"{count(int(frame.synapses.sum()))} synapses"]
        if self.speed:
            lines.insert(0, "real time" if abs(self.speed - 1) < 1e-9 else f"{_pace(self.speed)} real time")
        if scene.sampled:
            lines.append(f"{count(scene.synapses.slot.size)} of them drawn")
        for k, line in enumerate(lines):
            place = (right, top + self._size(32) + k * self._size(19))
            draw.text(place, _plain(line), fill=SOFT, font=_font(self._size(13), False), anchor="ra")

    def _strip(self, draw: ImageDraw.ImageDraw, scene: Scene) -> None:
        """Lower right: the rates of populations over the last frames, as lines."""
        wide, tall = self._size(190), self._size(46)
        right, bottom = self.width - self._size(26), self.height - self._size(26)
        if not self.speed or len(self._rates) < 3 or len({rates.size for rates in self._rates}) != 1:
            return
        table = np.array(self._rates)
        top = max(float(table.max()), 1.0)
        draw.line((right - wide, bottom, right, bottom), fill=FAINT, width=1)
        draw.text((right - wide, bottom - tall - self._size(6)), f"{top:.0f} Hz", fill=SOFT,
                  font=_font(self._size(11), False), anchor="lb")  # fmt: skip
        columns = right - wide * (np.arange(len(table))[::-1] / (_PAST - 1))
        for look, values in list(zip(scene.populations, table.T, strict=True))[:_LINES]:
            line = [(float(x), float(bottom - tall * v / top)) for x, v in zip(columns, values, strict=True)]
            draw.line(line, fill=(*_light(look.colour)[:3], 210), width=max(1, self._size(1.6)), joint="curve")

    def _say(self, draw: ImageDraw.ImageDraw) -> None:
        """The caption, below in the middle; it comes up softly."""
        if not self._caption:
            return
        font = _font(self._size(21), False)
        room = self.width - self._size(520) if self.width > 1.5 * self.height else self.width - self._size(60)
        letters = max(10, int(room / max(font.getlength("n"), 1.0)))
        lines = textwrap.wrap(self._caption, letters)
        share = min(1.0, 0.3 + self._since / (0.4 * self.fps))
        step = self._size(29)
        top = self.height - self._size(30) - step * len(lines)
        widest = max(font.getlength(line) for line in lines)
        middle = self.width / 2
        pad = self._size(14)
        below = top + step * len(lines) + 0.3 * pad
        box = (middle - widest / 2 - pad, top - 0.6 * pad, middle + widest / 2 + pad, below)
        draw.rounded_rectangle(box, radius=self._size(9), fill=(*PANEL[:3], int(PANEL[3] * share)))
        for k, line in enumerate(lines):
            draw.text((middle, top + k * step), line, fill=(*INK[:3], int(255 * share)), font=font, anchor="ma")


def _light(colour: str) -> tuple[int, int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16), 255


@cache
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """The font of our pictures, which matplotlib brings along."""
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), size)


def _short(name: str) -> str:
    return name if len(name) <= 16 else name[:15] + "…"


def _plain(text: str) -> str:
    return text.replace("\u202f", "\u2009")  # a thin space, which the font has


def _clock(time: float, speed: float) -> str:
    """Return a time (ms) with as many digits as move slowly enough to be read."""
    if not speed:
        return span(time)
    if speed < 0.2:
        return f"{time:.0f} ms" if speed >= 0.02 else f"{time:.1f} ms"
    return f"{time * 1e-3:.{0 if speed >= 5 else 1}f} s"


def _pace(speed: float) -> str:
    return f"{speed:.3g} ×" if speed >= 1 else f"1/{1 / speed:.3g} of"
