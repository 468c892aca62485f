"""Align faces by the similarity transform that moves 68 landmarks to standard positions.

A transform is a (2, 3) float64 matrix `[A | t]` that maps a pixel position (x, y) of the frame to
its position in the aligned crop. Pixel centres have integer coordinates in both.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from swapset.types import Floats

# Mean shape of the iBUG 300-W faces, from which dlib's 68-point predictor starts; it is symmetric
# about x = 0.5. It is scaled so that its bounding box, made square, is the unit square.
# fmt: off
MEAN_FACE: Floats = np.array([
    # jaw, 0-16
    (0.0000, 0.1873), (0.0034, 0.3196), (0.0175, 0.4513), (0.0450, 0.5805), (0.0965, 0.7005),
    (0.1756, 0.8046), (0.2724, 0.8914), (0.3792, 0.9611), (0.5000, 0.9819), (0.6208, 0.9611),
    (0.7276, 0.8914), (0.8244, 0.8046), (0.9035, 0.7005), (0.9550, 0.5805), (0.9825, 0.4513),
    (0.9966, 0.3196), (1.0000, 0.1873),
    # eyebrows, 17-26
    (0.0953, 0.0906), (0.1573, 0.0348), (0.2448, 0.0181), (0.3354, 0.0311), (0.4202, 0.0663),
    (0.5798, 0.0663), (0.6646, 0.0311), (0.7552, 0.0181), (0.8427, 0.0348), (0.9047, 0.0906),
    # nose, 27-35
    (0.5000, 0.1699), (0.5000, 0.2551), (0.5000, 0.3396), (0.5000, 0.4265), (0.3985, 0.4853),
    (0.4473, 0.5032), (0.5000, 0.5185), (0.5527, 0.5032), (0.6015, 0.4853),
    # eyes, 36-47
    (0.1960, 0.1805), (0.2500, 0.1495), (0.3149, 0.1504), (0.3718, 0.1933), (0.3109, 0.2041),
    (0.2463, 0.2033), (0.6282, 0.1933), (0.6851, 0.1504), (0.7500, 0.1495), (0.8040, 0.1805),
    (0.7537, 0.2033), (0.6891, 0.2041),
    # mouth, 48-67
    (0.3057, 0.6433), (0.3772, 0.6147), (0.4496, 0.5999), (0.5000, 0.6124), (0.5504, 0.5999),
    (0.6228, 0.6147), (0.6943, 0.6433), (0.6251, 0.7132), (0.5548, 0.7442), (0.5000, 0.7500),
    (0.4452, 0.7442), (0.3749, 0.7132), (0.3355, 0.6471), (0.4489, 0.6421), (0.5000, 0.6475),
    (0.5511, 0.6421), (0.6645, 0.6471), (0.5521, 0.6801), (0.5000, 0.6863), (0.4479, 0.6801),
])
# fmt: on
MEAN_FACE.setflags(write=False)

# Foreheads need more room than chins: this share of the context above and below is above the brows.
SHARE_ABOVE = 0.6

# Largest side of the fine grid on which a crop is sampled: in pixels, and in multiples of the
# frame's longer side. Larger regions, from landmarks that are not a face, are subsampled.
LARGEST_GRID = 8192
MOST_FRAMES = 3


def umeyama(src: npt.ArrayLike, dst: npt.ArrayLike) -> Floats:
    """Return the best similarity (rotation, scale and shift, no mirroring) by least squares.

    Parameters
    ----------
    src : (..., n, 2) array-like
        Points x, y; leading axes are a batch. A batch entry with NaN gives a NaN matrix.
    dst : (n, 2) or (..., n, 2) array-like
        Positions to which the points should move.

    Returns
    -------
    (..., 2, 3) float64
        Matrices `[A | t]` minimising the sum of |A src + t - dst|².

    Raises
    ------
    ValueError
        If the shapes do not fit, or all points of an entry of `src` coincide.

    Notes
    -----
    In the plane, rotation and scale together are one complex number, and the optimum of Umeyama's
    eq. (40) to (42) is a quotient of two inner products. So a batch needs neither SVD nor loop.

    References
    ----------
    S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    IEEE TPAMI 13(4), 1991.
    """
    source, goal = np.asarray(src, np.float64), np.asarray(dst, np.float64)
    if source.shape[-1:] != (2,) or source.shape[-2:] != goal.shape[-2:]:
        raise ValueError(f"umeyama needs (..., n, 2) points, got {source.shape} and {goal.shape}")
    source_mean, goal_mean = source.mean(axis=-2), goal.mean(axis=-2)
    x, y = np.moveaxis(source - source_mean[..., None, :], -1, 0)
    u, v = np.moveaxis(goal - goal_mean[..., None, :], -1, 0)
    spread = (x * x + y * y).sum(axis=-1)
    if np.any(spread == 0):
        raise ValueError("umeyama needs at least two different source points")
    cosine = (x * u + y * v).sum(axis=-1) / spread
    sine = (x * v - y * u).sum(axis=-1) / spread
    linear = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    shift = goal_mean - np.einsum("...ij,...j->...i", linear, source_mean)
    return np.concatenate([linear, shift[..., None]], axis=-1)


def standard_points(size: int, context: float) -> Floats:
    """Return the positions of the mean face's 68 points in an aligned crop.

    Parameters
    ----------
    size : int
        Side of the crop in pixels.
    context : float
        Side of the crop in sides of the mean face's box; at 1 the crop ends at brows and chin.

    Returns
    -------
    (68, 2) float64
        x, y in pixels of the crop.
    """
    above = SHARE_ABOVE * (context - 1)
    beside = (context - 1) / 2
    return (MEAN_FACE + [beside, above]) * (size / context) - 0.5


def crop_transform(landmarks: npt.ArrayLike, size: int, context: float) -> Floats:
    """Return the transforms from frame to aligned crop.

    Parameters
    ----------
    landmarks : (..., 68, 2) array-like
        Landmarks x, y in frame pixels; NaN rows give NaN matrices.
    size : int
        Side of the crop in pixels.
    context : float
        Side of the crop in sides of the mean face's box.

    Returns
    -------
    (..., 2, 3) float64
        Matrices from frame pixels to crop pixels.

    Raises
    ------
    ValueError
        If `size` or `context` is not positive, or the landmarks are not (..., 68, 2).
    """
    if size <= 0 or context <= 0:
        raise ValueError(f"size and context must be positive, got {size} and {context}")
    return umeyama(landmarks, standard_points(size, context))


def narrower_drop(share: float) -> float:
    """Return how far the middle of a narrower crop is below that of a wider crop of the same face.

    More context is added above the face than below it, so that a wider crop has a higher middle.

    Parameters
    ----------
    share : float
        Side of the narrower crop over that of the wider one.

    Returns
    -------
    float
        Distance in half sides of the wider crop.
    """
    return (2 * SHARE_ABOVE - 1) * (1 - share)


def face_width(landmarks: npt.ArrayLike) -> Floats:
    """Return the width of a face: the side of the mean face's box, fitted to its landmarks.

    Parameters
    ----------
    landmarks : (..., 68, 2) array-like
        x, y in pixels; NaN rows give NaN.

    Returns
    -------
    (...) float64
        In pixels, about from ear to ear. In an aligned crop it is the side over the context.
    """
    return np.asarray(1 / scale_of(umeyama(landmarks, MEAN_FACE)))


def shape_error(landmarks: npt.ArrayLike) -> Floats:
    """Return the distance of landmarks from the mean face after alignment with it.

    Parameters
    ----------
    landmarks : (..., 68, 2) array-like
        x, y in any unit; NaN rows give NaN.

    Returns
    -------
    (...) float64
        Mean distance of the points, in sides of the mean face's box: 0.02 to 0.05 for frontal
        faces, and 0.4 for points that have nothing to do with a face.
    """
    points = np.asarray(landmarks, np.float64)
    aligned = transform_points(umeyama(points, MEAN_FACE), points)
    return np.asarray(np.linalg.norm(aligned - MEAN_FACE, axis=-1).mean(axis=-1))


def invert(matrix: npt.ArrayLike) -> Floats:
    """Return the inverses, (..., 2, 3) float64, of affine matrices (..., 2, 3).

    Raises
    ------
    ValueError
        If a matrix is singular.
    """
    m = np.asarray(matrix, np.float64)
    a, b, c, d = m[..., 0, 0], m[..., 0, 1], m[..., 1, 0], m[..., 1, 1]
    determinant = a * d - b * c
    if np.any(determinant == 0):
        raise ValueError("a transform that flattens the plane has no inverse")
    linear = np.stack([np.stack([d, -b], -1), np.stack([-c, a], -1)], -2)
    linear = linear / determinant[..., None, None]
    shift = -np.einsum("...ij,...j->...i", linear, m[..., 2])
    return np.concatenate([linear, shift[..., None]], axis=-1)


def transform_points(matrix: npt.ArrayLike, points: npt.ArrayLike) -> Floats:
    """Return points (..., n, 2) moved by matrices (..., 2, 3), in float64; batches broadcast."""
    m, p = np.asarray(matrix, np.float64), np.asarray(points, np.float64)
    return np.einsum("...ij,...nj->...ni", m[..., :2], p) + m[..., None, :, 2]


def crop_corners(matrix: npt.ArrayLike, size: int) -> Floats:
    """Return the outer corners of a crop in the frame, clockwise from the top left.

    Parameters
    ----------
    matrix : (..., 2, 3) array-like
        Transforms from frame to crop.
    size : int
        Side of the crop in pixels.

    Returns
    -------
    (..., 4, 2) float64
        x, y in pixels of the frame.
    """
    low, high = -0.5, size - 0.5
    return transform_points(invert(matrix), [(low, low), (high, low), (high, high), (low, high)])


def scale_of(matrix: npt.ArrayLike) -> Floats:
    """Return the crop pixels per frame pixel, (...) float64, of similarities (..., 2, 3)."""
    m = np.asarray(matrix, np.float64)
    return np.hypot(m[..., 0, 0], m[..., 1, 0])


def warp_crop(frame: npt.NDArray, matrix: npt.ArrayLike, size: int) -> npt.NDArray:
    """Cut the aligned crop out of a frame, without aliasing when it shrinks.

    A crop smaller than its region of the frame is sampled on a finer grid and averaged down, so
    that every pixel of the region counts. Beyond the frame, its border pixels repeat.

    Parameters
    ----------
    frame : (H, W) or (H, W, C) array
        uint8 or float32 of any range, in any channel order.
    matrix : (2, 3) array-like
        Transform from frame to crop.
    size : int
        Side of the crop in pixels.

    Returns
    -------
    (size, size) or (size, size, C) array, dtype of `frame`
    """
    m = np.asarray(matrix, np.float64)
    fine = max(1, math.ceil(1 / float(scale_of(m)) - 1e-6))
    most = min(LARGEST_GRID // size, math.ceil(MOST_FRAMES * max(frame.shape[:2]) / size))
    fine = min(fine, max(1, most))
    # Positions on a grid `fine` times finer: x -> fine * (x + 1/2) - 1/2.
    finer = m * fine
    finer[:, 2] += (fine - 1) / 2
    crop = cv2.warpAffine(
        frame,
        invert(finer),
        (size * fine, size * fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return crop if fine == 1 else cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
