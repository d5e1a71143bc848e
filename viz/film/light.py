"""Kernels that add light to a picture, and that make of light what a screen can show.

A picture is (height, width, 3), float32, linear: light adds up, as glowing things do. `expose` spreads what is bright
over its surroundings, as lenses and eyes do, and rounds it off where it would be too bright.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from neurosim.compiled import kernel

Light = NDArray[np.float32]

_BLOOM = 4  # pixels that are one while light is spread


@kernel
def sprites(picture: Light, x: Light, y: Light, width: Light, colour: Light) -> None:
    """Add round spots at ``x``, ``y``, of a Gaussian ``width`` (pixels) and ``colour`` ((n, 3), in the middle)."""
    height, across = picture.shape[0], picture.shape[1]
    for k in range(x.size):
        reach = 3.0 * width[k]
        if not (x[k] > -reach and x[k] < across + reach and y[k] > -reach and y[k] < height + reach):
            continue
        fall = -0.5 / (width[k] * width[k])
        top, bottom = max(0, int(y[k] - reach)), min(height - 1, int(y[k] + reach) + 1)
        left, right = max(0, int(x[k] - reach)), min(across - 1, int(x[k] + reach) + 1)
        for i in range(top, bottom + 1):
            up = (i - y[k]) * (i - y[k])
            for j in range(left, right + 1):
                light = math.exp(fall * (up + (j - x[k]) * (j - x[k])))
                picture[i, j, 0] += light * colour[k, 0]
                picture[i, j, 1] += light * colour[k, 1]
                picture[i, j, 2] += light * colour[k, 2]


@kernel
def strokes(picture: Light, x0: Light, y0: Light, x1: Light, y1: Light, first: Light, last: Light) -> None:
    """Add straight lines a pixel wide, whose colour ((n, 3)) goes from ``first`` to ``last``.

    Each step along the longer side is shared between the two pixels nearest to the line, so that lines are smooth.
    """
    height, across = picture.shape[0], picture.shape[1]
    for k in range(x0.size):
        dx, dy = x1[k] - x0[k], y1[k] - y0[k]
        steep = abs(dy) > abs(dx)
        length = abs(dy) if steep else abs(dx)
        if not length < 20000.0:
            continue
        steps = int(length) + 1
        # as much light per length whichever way a line goes, and less for one that is shorter than a pixel
        thin = np.float32(math.sqrt(dx * dx + dy * dy) / steps)
        red, green, blue = first[k, 0] * thin, first[k, 1] * thin, first[k, 2] * thin
        per = thin / np.float32(steps)
        more_red, more_green = (last[k, 0] - first[k, 0]) * per, (last[k, 1] - first[k, 1]) * per
        more_blue = (last[k, 2] - first[k, 2]) * per
        along, over = (y0[k], x0[k]) if steep else (x0[k], y0[k])
        ahead = (dy if steep else dx) / steps
        aside = (dx if steep else dy) / steps
        along += np.float32(0.5) * ahead
        over += np.float32(0.5) * aside
        for _ in range(steps):
            a, b = math.floor(along + np.float32(0.5)), math.floor(over)
            share = over - np.float32(b)
            i, j = (a, b) if steep else (b, a)
            if 0 <= i < height and 0 <= j < across:
                rest = np.float32(1.0) - share
                picture[i, j, 0] += rest * red
                picture[i, j, 1] += rest * green
                picture[i, j, 2] += rest * blue
            i, j = (a, b + 1) if steep else (b + 1, a)
            if 0 <= i < height and 0 <= j < across:
                picture[i, j, 0] += share * red
                picture[i, j, 1] += share * green
                picture[i, j, 2] += share * blue
            along += ahead
            over += aside
            red += more_red
            green += more_green
            blue += more_blue


@kernel
def shrink(picture: Light, table: Light, least: float) -> None:
    """Write into ``table`` the means of squares of 4 pixels a side, as far as they are more than ``least``."""
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            for c in range(3):
                total = np.float32(0.0)
                for a in range(4):
                    for b in range(4):
                        total += picture[4 * i + a, 4 * j + b, c]
                table[i, j, c] = max(total / np.float32(16.0) - np.float32(least), np.float32(0.0))


@kernel
def smooth(table: Light, radius: int) -> None:
    """Replace each pixel by the mean of its row, then of its column, within ``radius``: a box, in place."""
    height, across = table.shape[0], table.shape[1]
    line = np.zeros(max(height, across) + 1, np.float32)
    for c in range(3):
        for i in range(height):
            for j in range(across):
                line[j + 1] = line[j] + table[i, j, c]
            for j in range(across):
                low, high = max(0, j - radius), min(across, j + radius + 1)
                table[i, j, c] = (line[high] - line[low]) / (2 * radius + 1)
        for j in range(across):
            for i in range(height):
                line[i + 1] = line[i] + table[i, j, c]
            for i in range(height):
                low, high = max(0, i - radius), min(height, i + radius + 1)
                table[i, j, c] = (line[high] - line[low]) / (2 * radius + 1)


@kernel
def develop(picture: Light, halo: Light, strength: float, curve: NDArray[np.uint8], image: NDArray[np.uint8]) -> None:
    """Write a picture with its halo (a quarter as wide and high) into an image; ``curve`` makes bytes of light."""
    height, across = picture.shape[0], picture.shape[1]
    rows, columns = halo.shape[0], halo.shape[1]
    last = curve.size - 1
    row = np.empty((columns, 3), np.float32)
    for i in range(height):
        v = min(max((i + 0.5) / 4 - 0.5, 0.0), rows - 1.0)
        a = min(int(v), rows - 2)
        share = np.float32(v - a)
        for b in range(columns):
            for c in range(3):
                row[b, c] = halo[a, b, c] + share * (halo[a + 1, b, c] - halo[a, b, c])
        for j in range(across):
            u = min(max((j + 0.5) / 4 - 0.5, 0.0), columns - 1.0)
            b = min(int(u), columns - 2)
            share = np.float32(u - b)
            for c in range(3):
                light = picture[i, j, c] + strength * (row[b, c] + share * (row[b + 1, c] - row[b, c]))
                image[i, j, c] = curve[min(int(math.sqrt(light) * 1024.0), last)]


def expose(picture: Light, bloom: float = 0.24) -> NDArray[np.uint8]:
    """Return light as an image of bytes, (height, width, 3); ``bloom`` is how much of it spreads."""
    height, across = picture.shape[:2]
    halo = np.empty((height // _BLOOM, across // _BLOOM, 3), np.float32)
    shrink(picture, halo, 0.02)
    radius = max(1, round(height / _BLOOM / 42))
    for _ in range(3):  # boxes on boxes come near a Gaussian
        smooth(halo, radius)
    image = np.empty(picture.shape, np.uint8)
    develop(picture, halo, float(bloom), _CURVE, image)
    return image


# What is twice as bright never looks twice as bright, and nothing is brighter than white; by the root of light, so that
# there are steps enough where it is dark.
_CURVE = np.round(255 * (1 - np.exp(-((np.arange(3 * 1024) / 1024) ** 2))) ** (1 / 2.2)).astype(np.uint8)


def linear(colour: str) -> tuple[float, float, float]:
    """The light of a colour ``#rrggbb``."""
    red, green, blue = ((int(colour[k : k + 2], 16) / 255) ** 2.2 for k in (1, 3, 5))
    return red, green, blue
