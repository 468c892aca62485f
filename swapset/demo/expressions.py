"""Open, close and move the mouth and eyes of a still face, by layers instead of a smooth warp.

A talking mouth and a blink cover and uncover teeth and eyeballs, which no smooth warp can do. Both
are therefore drawn in layers: the lower lip and chin slide over the inside of the mouth, the upper
lid and its lashes over the eyeball. All lengths are in units of the distance between the outer eye
corners, except those with names that end in `_px`.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from swapset.demo.portraits import Portrait
from swapset.demo.sampling import sample, smoothstep
from swapset.types import Floats, Floats32

_CAVITY = np.array([46.0, 18.0, 17.0], np.float32)
_TONGUE = np.array([128.0, 62.0, 58.0], np.float32)
_TEETH = np.array([206.0, 190.0, 168.0], np.float32)
_OPEN_AT_REST = 0.04
_FIXED_POINT_STEPS = 6


def _curve(points: Floats, x: Floats32) -> Floats32:
    """Return the values at `x` of a smooth curve through `points` (n, 2), constant at its ends."""
    order = np.argsort(points[:, 0])
    xs, ys = points[order].T
    return PchipInterpolator(xs, ys)(np.clip(x, xs[0], xs[-1])).astype(np.float32)


class Mouth:
    """The lower face of one portrait, with a mouth that can be opened and closed.

    Parameters
    ----------
    portrait : Portrait
        The still face. Its lips may be open (the picture's teeth are used then) or closed.
    """

    def __init__(self, portrait: Portrait) -> None:
        points, unit = portrait.landmarks, portrait.eye_distance
        self._unit = unit
        middle, chin = points[[48, 54], 0].mean(), points[8, 1]
        left, right = int(middle - 0.95 * unit), int(middle + 0.95 * unit)
        top, bottom = int(points[33, 1] - 0.05 * unit), int(chin + 0.62 * unit)
        self._window = slice(top, bottom), slice(left, right)
        self._x = np.arange(left, right, dtype=np.float32)
        self._grid_x, self._grid_y = np.meshgrid(self._x, np.arange(top, bottom, dtype=np.float32))
        self._place_lips(points)
        self._place_jaw(float(middle), float(chin))
        self._interior = self._draw_teeth(portrait.image[self._window])

    def _place_lips(self, points: Floats) -> None:
        corners = (points[[48, 54]] + points[[60, 64]]) / 2
        upper = _curve(np.vstack([corners, points[61:64]]), self._x)
        lower = _curve(np.vstack([corners, points[65:68]]), self._x)
        half = (corners[1, 0] - corners[0, 0]) / 2
        along = np.clip((self._x - corners[:, 0].mean()) / half, -1, 1)
        gap = np.maximum(lower - upper, 0)
        self.gap_px = float(gap.max())
        if self.gap_px < _OPEN_AT_REST * self._unit:
            upper = lower = ((upper + lower) / 2).astype(np.float32)
            self.gap_px = 0.0
            profile = ((1 - along**2) ** 0.75).astype(np.float32)
        else:
            profile = (gap / self.gap_px).astype(np.float32)
        self._upper, self._lower = upper, lower
        self._along, self._profile = along, profile

    def _place_jaw(self, middle: float, chin: float) -> None:
        """Compute how far points sink (below the lips) or rise (above) per pixel of opening."""
        unit = self._unit
        below = np.maximum(self._grid_y - self._lower, 0) / unit
        near_lip = np.exp(-((below / 0.26) ** 2))
        sideways = smoothstep(np.abs(self._x - middle) / unit, 0.92, 0.15)
        neck = smoothstep(self._grid_y, chin + 0.6 * unit, chin - 0.02 * unit)
        self._sink = ((self._profile * near_lip + 0.85 * sideways * (1 - near_lip)) * neck).astype(
            np.float32
        )
        above = np.maximum(self._upper - self._grid_y, 0) / unit
        self._rise = (0.14 * self._profile * np.exp(-((above / 0.12) ** 2))).astype(np.float32)

    def _draw_teeth(self, picture: Floats32) -> Floats32:
        """Return the inside of the mouth at rest, with the picture's teeth or drawn ones."""
        unit, along = self._unit, self._along
        depth = self._grid_y - self._upper
        if self.gap_px > 0:
            rows = np.clip(depth, 1.5, None) + self._upper
            teeth = sample(picture, self._grid_x - self._grid_x[0, 0], rows - self._grid_y[0, 0])
            height = self._lower - self._upper
            visible = smoothstep(depth - height, 0.0, -2.5)
        else:
            seams = 1 - 0.16 * np.exp(-((((self._x / (0.075 * unit)) % 1 - 0.5) / 0.09) ** 2))
            shade = (0.95 - 0.6 * along**2) * seams
            skin = np.median(picture.reshape(-1, 3), axis=0)
            tint = np.sqrt(skin / skin.mean())
            teeth = _TEETH * tint * shade[None, :, None] * np.ones_like(depth)[..., None]
            height = 0.075 * unit * np.sqrt(np.maximum(1 - along**2, 0))
            visible = smoothstep(depth - height, 1.2, -1.2)
        visible = visible * smoothstep(np.abs(along), 1.0, 0.8)
        visible = visible[..., None]
        return (visible * teeth + (1 - visible) * _CAVITY).astype(np.float32)

    def _sources(self, field: Floats32, opening_px: float) -> Floats32:
        """Return the row that each pixel comes from if rows move down by `opening_px * field`."""
        column = self._grid_x - self._grid_x[0, 0]
        first = self._grid_y[0, 0]
        rows = self._grid_y
        for _ in range(_FIXED_POINT_STEPS):
            moved = sample(field, column, rows - first)
            rows = self._grid_y - opening_px * moved
        return rows

    def apply(self, image: Floats32, gap: float) -> None:
        """Open or close the mouth of `image` in place.

        Parameters
        ----------
        image : ndarray of float32, shape (512, 512, 3)
            The portrait's picture (other parts may have changed already), RGB in [0, 255].
        gap : float
            Distance between the inner edges of the lips, in eye distances; 0 closes the mouth.
        """
        opening_px = max(gap, 0.0) * self._unit - self.gap_px
        low_rows = self._sources(self._sink, opening_px)
        up_rows = self._sources(self._rise, -max(opening_px, 0.0))
        low = sample(image, self._grid_x, low_rows, cubic=True)
        up = sample(image, self._grid_x, up_rows, cubic=True)
        in_low = np.clip((low_rows - self._lower) / 1.4 + 0.5, 0, 1)
        in_up = np.clip((self._upper - up_rows) / 1.4 + 0.5, 0, 1)
        gap_now = opening_px * self._profile + self._lower - self._upper
        shown = np.clip(gap_now / 2.0, 0, 1)[:, None]
        inside = shown * self._shade_interior(low_rows, up_rows) + (1 - shown) * up
        mixed = in_up[..., None] * up + (1 - in_up[..., None]) * inside
        mixed = in_low[..., None] * low + (1 - in_low[..., None]) * mixed
        image[self._window] = self._draw_lip_line(mixed, low_rows, opening_px)

    def _shade_interior(self, low_rows: Floats32, up_rows: Floats32) -> Floats32:
        """Return teeth and cavity with the upper lip's shadow and a hint of the tongue."""
        unit = self._unit
        tongue = smoothstep(self._lower - low_rows, 0.10 * unit, 0.0)
        tongue *= 0.8 * smoothstep(np.abs(self._along), 0.8, 0.3)
        dark = np.abs(self._interior - _CAVITY).max(axis=2) < 24
        weight = (tongue * dark)[..., None]
        inside = weight * _TONGUE + (1 - weight) * self._interior
        if self.gap_px > 0:
            return inside
        shadow = 0.55 + 0.45 * smoothstep(up_rows - self._upper, 0.0, 0.045 * unit)
        return inside * shadow[..., None]

    def _draw_lip_line(self, image: Floats32, low_rows: Floats32, opening_px: float) -> Floats32:
        """Darken the line along which lips now touch that were open at rest."""
        if self.gap_px == 0:
            return image
        touching = np.clip(1 - (opening_px + self.gap_px) / 3.0, 0, 1)
        if touching == 0:
            return image
        line = np.exp(-(((low_rows - self._lower) / 1.5) ** 2)) * self._profile**0.3
        return image * (1 - 0.5 * touching * line)[..., None]


class Eye:
    """One eye of a portrait that can be closed and turned.

    Parameters
    ----------
    portrait : Portrait
        The still face.
    first : int
        Index of the eye's first landmark (36 or 42).
    """

    def __init__(self, portrait: Portrait, first: int) -> None:
        points, unit = portrait.landmarks, portrait.eye_distance
        left, upper, lower, right = (
            points[first],
            points[first + 1 : first + 3],
            points[first + 4 : first + 6],
            points[first + 3],
        )
        middle, reach = (left + right) / 2, 1.14
        corners = np.array([middle + reach * (left - middle), middle + reach * (right - middle)])
        x0, x1 = int(corners[0, 0] - 2), int(corners[1, 0] + 3)
        y0 = int(upper[:, 1].min() - 0.16 * unit)
        y1 = int(lower[:, 1].max() + 0.08 * unit)
        self._window = slice(y0, y1), slice(x0, x1)
        self._unit = unit
        x = np.arange(x0, x1, dtype=np.float32)
        self._grid_x, self._grid_y = np.meshgrid(x, np.arange(y0, y1, dtype=np.float32))
        self._upper = _curve(np.vstack([corners, upper - (0, 0.008 * unit)]), x)
        self._lower = _curve(np.vstack([corners, lower + (0, 0.008 * unit)]), x)
        self._opening = np.maximum(self._lower - self._upper, 0)
        brows = points[17:22] if first == 36 else points[22:27]
        self._skin = np.clip(
            0.42 * (self._upper - _curve(brows, x)), 0.03 * unit, portrait.lid * unit
        ).astype(np.float32)
        half = (corners[1, 0] - corners[0, 0]) / 2
        self._along = np.clip((x - middle[0]) / half, -1, 1).astype(np.float32)

    def apply(self, image: Floats32, closure: float, gaze: float) -> None:
        """Turn the eyeball, then lower the lid over it, in place.

        Parameters
        ----------
        image : ndarray of float32, shape (512, 512, 3)
            RGB in [0, 255].
        closure : float
            From 0 (as in the picture) to 1 (closed).
        gaze : float
            Shift of the iris to the right, in eye distances, from about -0.04 to 0.04.
        """
        open_now = np.clip(
            np.minimum(self._grid_y - self._upper, self._lower - self._grid_y) / 1.5, 0, 1
        )
        shift = gaze * self._unit * (1 - self._along**2) * open_now
        ball = sample(image, (self._grid_x - shift).astype(np.float32), self._grid_y, cubic=True)
        edge = self._upper + closure * 0.95 * self._opening
        above = edge - self._grid_y
        lashes = np.minimum(0.035 * self._unit, 0.6 * self._skin)
        stretch = (self._skin - lashes) / (self._skin - lashes + edge - self._upper)
        source = self._upper - np.where(above < lashes, above, lashes + (above - lashes) * stretch)
        moved = above < edge - self._upper + self._skin
        rows = np.where(moved, source, self._grid_y).astype(np.float32)
        lid = sample(image, self._grid_x, rows, cubic=True)
        weight = np.clip(above + 0.5, 0, 1)[..., None]
        image[self._window] = weight * lid + (1 - weight) * ball
