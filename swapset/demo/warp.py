"""Move the head of a still portrait by a simple depth model, turned and projected.

Each canvas point has a depth (an ellipsoid with nose and chin) and a weight (1 on the head, 0 on
the shoulders, smooth in between). A pose moves the points. Frames are drawn through the inverse of
that map, found by fixed-point iteration on a coarse grid and then enlarged, because it is smooth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from swapset.demo.portraits import CANVAS, Portrait
from swapset.demo.sampling import blur, sample, smoothstep
from swapset.types import Floats, Floats32

_STRIDE = 4
_CAMERA = 9.0
_STEPS = 7


@dataclass(frozen=True)
class Pose:
    """Head pose and smooth expression of one frame.

    Attributes
    ----------
    yaw, pitch, roll : float
        Turn (positive: towards the picture's right), nod (positive: down) and tilt (positive:
        clockwise in the picture), in radians.
    shift : tuple of float
        Shift of head and shoulders in x and y, in eye distances.
    scale : float
        Size of the head relative to its size at rest.
    brows, smile, pucker : float
        Strengths from about -1 to 1; 0 at rest.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    brows: float = 0.0
    smile: float = 0.0
    pucker: float = 0.0


def _bump(x: Floats32, y: Floats32, at: Floats, widths: tuple[float, float]) -> Floats32:
    """Return a Gaussian bump of height 1 around the point `at`."""
    return np.exp(-(((x - at[0]) / widths[0]) ** 2) - ((y - at[1]) / widths[1]) ** 2)


class HeadWarp:
    """A dense motion model of one portrait.

    Parameters
    ----------
    portrait : Portrait
        The still face.
    size : int
        Side of the frames in pixels; a frame is the middle of the canvas.
    """

    def __init__(self, portrait: Portrait, size: int) -> None:
        self._size = size
        unit, points = portrait.eye_distance, portrait.landmarks
        self._unit = unit
        self._centre = np.array([points[[0, 16], 0].mean(), points[[28, 30], 1].mean()])
        self._pivot = np.array([points[8, 0], points[8, 1] + 0.35 * unit])
        axis = ((np.arange(CANVAS // _STRIDE) + 0.5) * _STRIDE - 0.5).astype(np.float32)
        self._x, self._y = np.meshgrid(axis, axis)
        margin = (CANVAS - size) / 2
        frame = (np.arange(-1, size // _STRIDE + 1) + 0.5) * _STRIDE - 0.5 + margin
        self._frame_x, self._frame_y = np.meshgrid(*2 * [frame.astype(np.float32)])
        self.depth = self._model_depth(points)
        self.weight = self._model_weight(points)
        # the flat surroundings of the head keep their distance; the transition is smooth
        self._solid = smoothstep(self.depth, 0.0, 0.5 * unit)
        self._sway = smoothstep(self._y, CANVAS + 60.0, float(points[8, 1]))
        self._model_expression(points)
        self._normals = self._model_normals()

    @property
    def unit_grid(self) -> tuple[Floats32, Floats32]:
        """Coordinates x and y in [0, 1] of the coarse frame grid (see `inverse`)."""
        margin = (CANVAS - self._size) / 2
        x, y = ((at - margin) / self._size for at in (self._frame_x, self._frame_y))
        return x.astype(np.float32), y.astype(np.float32)

    def enlarge(self, coarse: Floats32) -> Floats32:
        """Return a map on the coarse frame grid at full size, (size, size) float32."""
        dense = cv2.resize(coarse, None, fx=_STRIDE, fy=_STRIDE, interpolation=cv2.INTER_LINEAR)
        inner = slice(_STRIDE, _STRIDE + self._size)
        return np.ascontiguousarray(dense[inner, inner], dtype=np.float32)

    def normals_at(self, x: Floats32, y: Floats32) -> Floats32:
        """Return the x and y parts of the surface normals, (h, w, 2) float32, at canvas pixels."""
        return sample(self._normals, *self._cells(x, y))

    @staticmethod
    def _cells(x: Floats32, y: Floats32) -> tuple[Floats32, Floats32]:
        """Return canvas positions in units of the coarse canvas grid."""
        columns, rows = ((at + 0.5) / _STRIDE - 0.5 for at in (x, y))
        return columns.astype(np.float32), rows.astype(np.float32)

    def _model_normals(self) -> Floats32:
        """Return the horizontal and vertical parts of the head's unit normals, (h, w, 2)."""
        slope_y, slope_x = np.gradient(blur(self.depth, 2.0) / _STRIDE)
        length = np.sqrt(1 + slope_x**2 + slope_y**2)
        return np.stack([-slope_x / length, -slope_y / length], axis=-1).astype(np.float32)

    def _model_depth(self, points: Floats) -> Floats32:
        """Return each point's height towards the camera, in pixels."""
        unit, x, y = self._unit, self._x, self._y
        centre = self._centre
        radius = ((x - centre[0]) / (1.05 * unit)) ** 2 + ((y - centre[1]) / (1.55 * unit)) ** 2
        depth = 0.78 * np.maximum(1 - radius, 0) ** 1.5
        depth += 0.20 * _bump(x, y, points[30] + (0, 0.02 * unit), (0.17 * unit, 0.2 * unit))
        depth += 0.08 * _bump(x, y, points[28], (0.12 * unit, 0.24 * unit))
        depth += 0.07 * _bump(x, y, points[[62, 66]].mean(axis=0), (0.35 * unit, 0.2 * unit))
        depth += 0.08 * _bump(x, y, points[8] - (0, 0.12 * unit), (0.25 * unit, 0.18 * unit))
        for eye in (points[36:42], points[42:48]):
            depth -= 0.06 * _bump(x, y, eye.mean(axis=0), (0.22 * unit, 0.14 * unit))
        return blur((depth * unit).astype(np.float32), 1.5)

    def _model_weight(self, points: Floats) -> Floats32:
        """Return each point's share in the head's motion: 1 on head and hair, 0 on shoulders."""
        unit, chin = self._unit, float(points[8, 1])
        down = smoothstep(self._y, chin + 0.85 * unit, chin - 0.02 * unit)
        beside = np.abs(self._x - points[8, 0]) / unit
        below_ears = smoothstep(self._y, float(points[2, 1]), float(points[5, 1]))
        sideways = smoothstep(beside, 2.1, 0.75)
        return blur(down * (1 - below_ears * (1 - sideways)), 5.0)

    def _model_expression(self, points: Floats) -> None:
        """Compute the displacements, (h, w, 2), at full strength of brows, smile and pucker."""
        unit, x, y = self._unit, self._x, self._y
        brow = np.zeros_like(x)
        for point in points[17:27]:
            brow = np.maximum(
                brow, _bump(x, y, point - (0, 0.05 * unit), (0.16 * unit, 0.13 * unit))
            )
        self._brows = np.stack([np.zeros_like(x), -0.06 * unit * brow], axis=-1)
        self._smile = np.zeros((*x.shape, 2), np.float32)
        self._pucker = np.zeros((*x.shape, 2), np.float32)
        for corner, side in ((points[48], -1), (points[54], 1)):
            bump = _bump(x, y, corner, (0.22 * unit, 0.20 * unit))
            self._smile += unit * bump[..., None] * np.array([0.045 * side, -0.035])
            self._pucker += unit * bump[..., None] * np.array([-0.075 * side, 0.0])

    def _moved(self, pose: Pose) -> Floats32:
        """Return the displacement of every canvas grid point under `pose`, in pixels."""
        cos, sin = np.cos, np.sin
        expression = pose.brows * self._brows + pose.smile * self._smile
        expression = expression + pose.pucker * self._pucker
        x = self._x + expression[..., 0] - self._centre[0]
        y = self._y + expression[..., 1] - self._centre[1]
        z = self.depth
        turned_x = x * cos(pose.yaw) + z * sin(pose.yaw)
        turned_z = z * cos(pose.yaw) - x * sin(pose.yaw) * self._solid
        nodded_y = y * cos(pose.pitch) + turned_z * sin(pose.pitch)
        nodded_z = turned_z * cos(pose.pitch) - y * sin(pose.pitch) * self._solid
        camera = _CAMERA * self._unit
        zoom = pose.scale * (camera - z) / (camera - nodded_z)
        x = turned_x * zoom + self._centre[0] - self._pivot[0]
        y = nodded_y * zoom + self._centre[1] - self._pivot[1]
        moved_x = x * cos(pose.roll) - y * sin(pose.roll) + self._pivot[0] - self._x
        moved_y = x * sin(pose.roll) + y * cos(pose.roll) + self._pivot[1] - self._y
        body = self._unit * self._sway
        out = np.stack(
            [
                self.weight * moved_x + body * pose.shift[0],
                self.weight * moved_y + body * pose.shift[1],
            ],
            axis=-1,
        )
        return out.astype(np.float32)

    def inverse(self, pose: Pose) -> tuple[Floats32, Floats32]:
        """Return the canvas positions that a frame's pixels come from, on the coarse frame grid.

        Parameters
        ----------
        pose : Pose
            The frame's pose.

        Returns
        -------
        x, y : ndarray of float32, shape (size / 4 + 2, size / 4 + 2)
            Positions in canvas pixels for every fourth pixel, with a border of one cell; `enlarge`
            fills in the pixels between.
        """
        field = self._moved(pose)
        x, y = self._frame_x, self._frame_y
        for _ in range(_STEPS):
            moved = sample(field, *self._cells(x, y))
            x, y = self._frame_x - moved[..., 0], self._frame_y - moved[..., 1]
        return x, y
