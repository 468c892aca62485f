"""Blending masks: which part of the target's face the synthesised face replaces.

The three shapes of the chapter's figure 4.7 as polygons of landmarks, and their rendering as an
alpha that falls smoothly to zero inside the polygon.
"""

from __future__ import annotations

from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from swapset.errors import ConfigError

MaskKind = Literal["rectangle", "hull", "face-hull", "smooth"]
MASK_KINDS: tuple[MaskKind, ...] = get_args(MaskKind)

EYEBROWS = np.arange(17, 27)
LOWER_LIP = np.array([54, 55, 56, 57, 58, 59, 48])

# How far the smooth mask's points lie on the way from the inner face to the jaw line. Jaw points
# themselves sit on the silhouette, where a seam would show; these stay on the skin.
CHEEK_WAY = 0.8
CHIN_WAY = 0.65
# The soft edge runs inside the outline: eyebrow points move up by this share of the way from chin
# to nose bridge, so that it does not cut the eyebrows in half.
BROW_LIFT = 0.14
SPLINE_STEPS = 8


def polygon(
    landmarks: npt.ArrayLike, kind: MaskKind, *, corners: npt.ArrayLike | None = None
) -> npt.NDArray[np.float64]:
    """Return the outline of a blending mask.

    Parameters
    ----------
    landmarks : (68, 2) array-like
        Landmarks x, y in pixels of the frame or of the crop.
    kind : {"rectangle", "hull", "face-hull", "smooth"}
        `rectangle`: the whole crop. `hull`: convex hull of eyebrows and lower lip only.
        `face-hull`: convex hull of all landmarks, eyebrows lifted as DeepFaceLab does. `smooth`:
        eyebrows (slightly lifted), points interpolated on the cheeks and points interpolated
        between lower lip and chin, joined by a smooth curve.
    corners : (4, 2) array-like, optional
        Corners of the crop, in the same coordinates as `landmarks`; `rectangle` needs them.

    Returns
    -------
    (p, 2) float64
        Outline x, y in order.

    Raises
    ------
    ConfigError
        If `kind` is unknown.
    ValueError
        If `rectangle` is asked for without `corners`.

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


def _smooth_points(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return eyebrows, points between eye or mouth corners and jaw, and between lip and chin."""
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


def _lifted_brows(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return points[EYEBROWS] + BROW_LIFT * (points[27] - points[8])


def _hull(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)


def _closed_spline(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
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


def render_mask(
    outline: npt.ArrayLike, shape: tuple[int, int], feather: float
) -> npt.NDArray[np.float32]:
    """Render an outline as an alpha mask whose soft edge lies inside it.

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
        ramp is a smoothstep, with no visible kink at either end. The image's border is no outline.

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


def _ramp(
    points: npt.NDArray[np.float64], shape: tuple[int, ...], feather: float
) -> npt.NDArray[np.float32]:
    """Fill a polygon and let it fall off towards its outline by the distance to it."""
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
