"""Make blending masks: the part of the target's face that the synthesised face replaces.

The shapes of the chapter's figure 4.7 are polygons of landmarks. They are rendered as an alpha
that falls smoothly to zero inside the polygon.
"""

from __future__ import annotations

from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from swapset.errors import ConfigError
from swapset.types import Floats, Floats32

MaskKind = Literal["rectangle", "hull", "face-hull", "smooth"]
MASK_KINDS: tuple[MaskKind, ...] = get_args(MaskKind)

EYEBROWS = np.arange(17, 27)
LOWER_LIP = np.array([54, 55, 56, 57, 58, 59, 48])

# Positions of the smooth mask's points between the inner face (0) and the jaw line (1). The jaw
# points themselves are on the silhouette, where a seam would show; these stay on the skin.
CHEEK_WAY = 0.8
CHIN_WAY = 0.65
# The soft edge is inside the outline. Eyebrow points move up by this share of the distance from
# chin to nose bridge, so that the edge does not cut through the eyebrows.
BROW_LIFT = 0.14
SPLINE_STEPS = 8


def polygon(
    landmarks: npt.ArrayLike, kind: MaskKind, *, corners: npt.ArrayLike | None = None
) -> Floats:
    """Return the outline of a blending mask.

    Parameters
    ----------
    landmarks : (68, 2) array-like
        Landmarks x, y in pixels of the frame or of the crop.
    kind : {"rectangle", "hull", "face-hull", "smooth"}
        `rectangle`: the whole crop. `hull`: convex hull of eyebrows and lower lip only.
        `face-hull`: convex hull of all landmarks with eyebrows moved up, as in DeepFaceLab.
        `smooth`: eyebrows (moved up a little), points interpolated on the cheeks and points
        interpolated between lower lip and chin, joined by a smooth curve.
    corners : (4, 2) array-like, optional
        Corners of the crop, in the same coordinates as `landmarks`; `rectangle` needs them.

    Returns
    -------
    (p, 2) float64
        Points x, y along the outline, in the coordinates of `landmarks`.

    Raises
    ------
    ConfigError
        If `kind` is unknown.
    ValueError
        If `kind` is `rectangle` and `corners` is None.

    References
    ----------
    Celeb-DF chapter, section 4.3.1 "Inaccurate face masks" and figure 4.7.
    """
    points = np.asarray(landmarks, np.float64)
    if kind == "rectangle":
        if corners is None:
            raise ValueError("the rectangle mask needs the crop's corners")
        return np.asarray(corners, np.float64)
    if kind == "hull":
        return _hull(points[np.concatenate([EYEBROWS, LOWER_LIP])])
    if kind == "face-hull":
        return _hull(np.concatenate([points, _lifted_brows(points)]))
    if kind == "smooth":
        return _closed_spline(_hull(_smooth_points(points)))
    raise ConfigError(f"mask {kind!r} is unknown; choose one of {', '.join(MASK_KINDS)}")


def _smooth_points(points: Floats) -> Floats:
    """Return the eyebrows, and points between eyes, mouth corners or lower lip and the jaw."""
    inner = np.empty((17, 2))
    inner[0:4] = points[36]
    inner[13:17] = points[45]
    inner[4:6] = points[48]
    inner[11:13] = points[54]
    inner[6:11] = points[[59, 58, 57, 56, 55]]
    way = np.full((17, 1), CHEEK_WAY)
    way[6:11] = CHIN_WAY
    outer = inner + way * (points[:17] - inner)
    return np.concatenate([_lifted_brows(points), outer[1:16]])


def _lifted_brows(points: Floats) -> Floats:
    return points[EYEBROWS] + BROW_LIFT * (points[27] - points[8])


def _hull(points: Floats) -> Floats:
    return cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)


def _closed_spline(corners: Floats) -> Floats:
    """Return a closed Catmull-Rom curve through `corners`."""
    t = (np.arange(SPLINE_STEPS) / SPLINE_STEPS)[None, :, None]
    before, here, after, beyond = (np.roll(corners, k, axis=0)[:, None] for k in (1, 0, -1, -2))
    curve = here + 0.5 * t * (
        after
        - before
        + t
        * (2 * before - 5 * here + 4 * after - beyond + t * (3 * (here - after) + beyond - before))
    )
    return curve.reshape(-1, 2)


def render_mask(outline: npt.ArrayLike, shape: tuple[int, int], feather: float) -> Floats32:
    """Render an outline as an alpha mask with its soft edge inside the outline.

    Parameters
    ----------
    outline : (p, 2) array-like
        Polygon x, y in pixels; it may reach beyond the image.
    shape : (int, int)
        Height and width of the mask.
    feather : float
        Width in pixels of the ramp from 0 at the outline to 1 inside; 0 gives a hard edge.

    Returns
    -------
    (H, W) float32 in [0, 1]
        Exactly 0 outside the outline (with `feather` 0, outside the pixels that it crosses). The
        ramp is a smoothstep, without a visible edge at either end. There is no ramp along the
        border of the image.

    Raises
    ------
    ValueError
        If `feather` is negative.
    """
    if feather < 0:
        raise ValueError(f"feather must not be negative, got {feather}")
    points = np.asarray(outline, np.float64)
    alpha = np.zeros(shape, np.float32)
    low = np.maximum(np.floor(points.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 2, [shape[1], shape[0]])
    if np.any(high <= low):
        return alpha
    region = alpha[low[1] : high[1], low[0] : high[0]]
    region[:] = _ramp(points - low, region.shape, feather)
    return alpha


def _ramp(points: Floats, shape: tuple[int, ...], feather: float) -> Floats32:
    """Return a filled polygon with values that fall towards its outline by the distance to it."""
    bits = 4
    filled = np.zeros(shape, np.uint8)
    fixed = np.round(points * (1 << bits)).astype(np.int32)
    cv2.fillPoly(filled, [fixed], 1, lineType=cv2.LINE_8, shift=bits)
    if feather == 0:
        return filled.astype(np.float32)
    # Filling includes the pixels that the outline crosses; at distance 1 they get alpha 0.
    distance = cv2.distanceTransform(filled, cv2.DIST_L2, cv2.DIST_MASK_5)
    t = np.clip((distance - 1) / np.float32(feather), 0, 1)
    return t * t * (3 - 2 * t)
