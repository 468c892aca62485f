"""Procedural background, light and sensor noise of a demo clip."""

from __future__ import annotations

import cv2
import numpy as np

from swapset.demo.motion import band_limited
from swapset.demo.sampling import blur
from swapset.types import Floats, Floats32, Image

_MARGIN = 40
_GRID = 4
_NOISE_TILE = 512


def _wall(rng: np.random.Generator, size: int) -> Floats32:
    """Return a plain wall: a soft gradient between two colours, with faint plaster."""
    first, second = rng.uniform(60, 190, (2, 3)) * 0.5 + rng.uniform(60, 110)
    axis = np.linspace(-1, 1, size)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = 0.5 + 0.35 * (np.cos(angle) * axis[None] + np.sin(angle) * axis[:, None])
    plaster = blur(rng.normal(0, 1, (size, size)).astype(np.float32), 6.0)
    wall = ramp[..., None] * first + (1 - ramp[..., None]) * second
    return (wall + 45 * plaster[..., None]).astype(np.float32)


def _shelf(rng: np.random.Generator, image: Floats32) -> None:
    """Draw a bookshelf, which will be blurred later."""
    size = image.shape[0]
    for top in range(int(rng.uniform(-60, 0)), size, int(rng.uniform(95, 130))):
        left = -10.0
        while left < size:
            width = rng.uniform(12, 30)
            colour = rng.uniform(45, 165) + rng.uniform(-32, 32, 3)
            corner = int(left), int(top + rng.uniform(8, 40))
            cv2.rectangle(image, corner, (int(left + width), top + 88), colour.tolist(), -1)
            left += width + 2
        cv2.rectangle(image, (0, top + 88), (size, top + 96), (70.0, 52.0, 38.0), -1)


def _window(rng: np.random.Generator, image: Floats32) -> None:
    """Draw a bright window and a darker piece of furniture, which will be blurred later."""
    size = image.shape[0]
    x, y = int(rng.uniform(0, 0.6) * size), int(rng.uniform(0, 0.15) * size)
    width, height = int(rng.uniform(0.25, 0.4) * size), int(rng.uniform(0.4, 0.6) * size)
    sky = (rng.uniform(0.9, 1.0) * np.array([215, 225, 238])).tolist()
    cv2.rectangle(image, (x, y), (x + width, y + height), sky, -1)
    frame = (rng.uniform(90, 170) * np.array([1.0, 0.95, 0.88])).tolist()
    cv2.rectangle(image, (x, y), (x + width, y + height), frame, 8)
    cv2.line(image, (x + width // 2, y), (x + width // 2, y + height), frame, 6)
    wood = (rng.uniform(40, 110) * np.array([1.1, 0.9, 0.75])).tolist()
    edge = int(rng.uniform(0.62, 0.75) * size)
    cv2.rectangle(image, (0, edge), (size, size), wood, -1)


def _lights(rng: np.random.Generator, image: Floats32) -> None:
    """Draw points of light, which will be blurred later."""
    image *= 0.45
    for _ in range(26):
        centre = tuple(int(v) for v in rng.uniform(0, image.shape[0], 2))
        colour = (rng.uniform(110, 200) + rng.uniform(-50, 50, 3) + (15, 5, -20)).tolist()
        cv2.circle(image, centre, int(rng.uniform(8, 24)), colour, -1)


class Background:
    """A blurred procedural background that drifts as if filmed with a hand-held camera.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all randomness.
    kind : int
        Modulo 4: 0 = plain wall, 1 = bookshelf, 2 = window, 3 = lights.
    frames, size : int
        Length of the clip in frames and side of its frames in pixels.
    """

    def __init__(self, rng: np.random.Generator, kind: int, frames: int, size: int) -> None:
        self._size = size
        image = _wall(rng, size + 2 * _MARGIN)
        draw = (None, _shelf, _window, _lights)[kind % 4]
        if draw is not None:
            draw(rng, image)
        self._image = np.clip(blur(image, 4.5), 0, 255).astype(np.uint8)
        limit = _MARGIN - 8
        self._x = limit * band_limited(rng, frames, 0.1, 0.5)
        self._y = 0.5 * limit * band_limited(rng, frames, 0.1, 0.5)
        self._turn = np.radians(1.2) * band_limited(rng, frames, 0.1, 0.4)

    def draw(self, frame: int) -> Image:
        """Return the background of frame number `frame`, (size, size, 3) uint8 RGB."""
        half = (self._size - 1) / 2
        cos, sin = np.cos(self._turn[frame]), np.sin(self._turn[frame])
        matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
        offset = np.array([self._x[frame], self._y[frame]]) + half + _MARGIN
        matrix[:, 2] = offset - matrix[:, :2] @ (half, half)
        moved = cv2.warpAffine(
            self._image,
            matrix,
            (self._size, self._size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        return np.asarray(moved, dtype=np.uint8)


class Light:
    """Changing light of one clip: gain, direction, colour temperature and gamma.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all randomness.
    frames : int
        Length of the clip in frames.
    exposure, warmth : float
        Means about which gain and colour temperature change; see `swapset.demo.specs.Subject`.
    """

    def __init__(
        self, rng: np.random.Generator, frames: int, *, exposure: float, warmth: float
    ) -> None:
        def around(spread: float, change: float) -> Floats:
            return rng.uniform(-spread, spread) + change * band_limited(rng, frames, 0.1, 0.6)

        self._gain = around(0.06, 0.07) + exposure
        self._across, self._down = around(0.07, 0.08), around(0.05, 0.05)
        self._shade_x, self._shade_y = around(0.10, 0.10), around(0.05, 0.05)
        self._warmth = around(0.03, 0.02) + warmth
        self._gamma = np.exp(around(0.08, 0.04))

    def exponent(self, frame: int, x: Floats32, y: Floats32, normals: Floats32) -> Floats32:
        """Return the logarithm of the light's gain at points of a frame.

        Parameters
        ----------
        frame : int
            Number of the frame.
        x, y : ndarray of float32, shape (h, w)
            Positions in [0, 1] over the frame's width and height.
        normals : ndarray of float32, shape (h, w, 2)
            Horizontal and vertical component of the unit surface normals, 0 off the person.

        Returns
        -------
        ndarray of float32, shape (h, w)
        """
        flat = self._gain[frame] + self._across[frame] * (2 * x - 1)
        flat = flat + self._down[frame] * (2 * y - 1)
        shade = self._shade_x[frame] * normals[..., 0] + self._shade_y[frame] * normals[..., 1]
        return (flat + shade).astype(np.float32)

    def apply(self, frame: int, image: Image) -> Image:
        """Return an image, (H, W, 3) uint8 RGB, with the frame's gamma and colour temperature."""
        level = (np.arange(256) / 255) ** self._gamma[frame]
        tint = np.array([1 + self._warmth[frame], 1.0, 1 - self._warmth[frame]])
        curves = np.clip(np.rint(255 * level[:, None, None] * tint), 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(image, curves), dtype=np.uint8)


class Noise:
    """Sensor noise: for each frame a random window of one tile of slightly correlated noise.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all randomness.
    frames, size : int
        Length of the clip in frames and side of its frames in pixels.
    """

    def __init__(self, rng: np.random.Generator, frames: int, size: int) -> None:
        self._size = size
        self._places = rng.integers(0, _NOISE_TILE - size + 1, (frames, 2))
        tile = rng.normal(0, 1, (_NOISE_TILE, _NOISE_TILE, 3)).astype(np.float32)
        tile = blur(tile, 0.6)
        strength = rng.uniform(1.0, 1.8) / float(tile.std())
        self._tile = np.rint(strength * tile).astype(np.int16)

    def add(self, frame: int, image: Image) -> Image:
        """Return an image, (size, size, 3) uint8 RGB, with the noise of frame number `frame`."""
        x, y = self._places[frame]
        noise = self._tile[y : y + self._size, x : x + self._size]
        return np.clip(image.astype(np.int16) + noise, 0, 255).astype(np.uint8)
