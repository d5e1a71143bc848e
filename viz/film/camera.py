"""Where the network is looked at from: a point that goes round it, and what that does to positions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

FIELD_OF_VIEW = 34.0  # degrees, from the lower to the upper edge
_ASIDE = 24.0  # degrees from where the network is seen in its full width
_MARGIN = 1.1  # room around the network
_ELEVATION = ((0.05, 54.0), (0.6, 16.0))  # degrees, by how flat the network is: a sheet is seen from higher up


class Projected(NamedTuple):
    """Points as they are seen: pixels from the upper left, how near (from 0, far, to 1), and pixels per um there."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    nearness: NDArray[np.float32]
    scale: NDArray[np.float32]


@dataclass(frozen=True)
class Camera:
    """A camera on a ball round ``centre`` (um); angles in degrees.

    ``radius`` (um) is that of the ball it sees from edge to edge, ``depth`` (um) how far the network reaches towards it
    and away from it.
    """

    centre: tuple[float, float, float]
    radius: float
    depth: float
    azimuth: float = 0.0
    elevation: float = 16.0

    @classmethod
    def around(cls, points: NDArray[np.floating], shape: float = 16 / 9) -> Camera:
        """A camera that sees all points ((n, 3), um), whichever way it turns, on pictures ``shape`` as wide as high."""
        if not len(points):
            return cls((0.0, 0.0, 0.0), 100.0, 100.0)
        low, high = np.quantile(points, [0.005, 0.995], axis=0)
        centre = 0.5 * (low + high)
        away = points - centre
        wide = max(float(np.quantile(np.hypot(away[:, 0], away[:, 1]), 0.995)), 1e-3)
        tall = float(np.quantile(np.abs(away[:, 2]), 0.995))
        (flat, above), (round_, level) = _ELEVATION
        elevation = float(np.interp(tall / wide, [flat, round_], [above, level]))
        rise = np.radians(elevation)
        far = float(np.quantile(np.linalg.norm(away, axis=1), 0.995))
        upright = min(wide * np.sin(rise) + tall * np.cos(rise), far)
        radius = max(float(upright), wide / (0.92 * shape), 1.0)
        middle = (float(centre[0]), float(centre[1]), float(centre[2]))
        return cls(middle, radius, max(far, 1.0), _broadside(away) + _ASIDE, elevation)

    def turned(self, degrees: float) -> Camera:
        """The same, gone round by some degrees."""
        return replace(self, azimuth=self.azimuth + degrees)

    def towards(self, other: Camera, share: float = 0.06) -> Camera:
        """The same, a ``share`` of the way nearer to what another looks at: a network that grows does not jump."""
        x, y, z = (a + share * (b - a) for a, b in zip(self.centre, other.centre, strict=True))
        radius, depth = (a + share * (b - a) for a, b in ((self.radius, other.radius), (self.depth, other.depth)))
        return replace(self, centre=(x, y, z), radius=radius, depth=depth)

    @property
    def ahead(self) -> Points:
        """The direction it looks in, of length 1."""
        turn, rise = np.radians(self.azimuth), np.radians(self.elevation)
        return np.array([-np.cos(rise) * np.sin(turn), np.cos(rise) * np.cos(turn), -np.sin(rise)])

    @property
    def distance(self) -> float:
        """From the centre, um."""
        return float(_MARGIN * self.radius / np.sin(np.radians(FIELD_OF_VIEW / 2)))

    @property
    def position(self) -> Points:
        """Where it stands, um."""
        return np.asarray(self.centre) - self.distance * self.ahead

    def project(self, points: NDArray[np.floating], width: int, height: int) -> Projected:
        """Points ((n, 3), um) as they are seen on a picture of ``width`` × ``height`` pixels."""
        turn, ahead, distance = np.radians(self.azimuth), self.ahead, self.distance
        right = np.array([np.cos(turn), np.sin(turn), 0.0])
        up = np.cross(right, ahead)
        seen = np.asarray(points, np.float64) - np.asarray(self.centre)
        depth = seen @ ahead + distance
        depth = np.maximum(depth, 0.05 * distance)
        scale = 0.5 * height / np.tan(np.radians(FIELD_OF_VIEW / 2)) / depth
        nearness = np.clip(0.5 - (seen @ ahead) / (2.0 * self.depth), 0.0, 1.0)
        columns = (0.5 * width + scale * (seen @ right), 0.5 * height - scale * (seen @ up), nearness, scale)
        return Projected(*(column.astype(np.float32) for column in columns))


def _broadside(away: Points) -> float:
    """The azimuth at which points around the origin are seen in their full width; 0 where they are as deep as wide."""
    if len(away) < 3:
        return 0.0
    values, ways = np.linalg.eigh(np.cov(away[:, :2].T))
    if values[0] > 0.8 * values[1]:
        return 0.0
    x, y = ways[:, 1] * (1.0 if ways[0, 1] >= 0 else -1.0)
    return float(np.degrees(np.arctan2(y, x)))
