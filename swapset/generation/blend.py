"""Blend a synthesised face into the frame; every pixel outside the mask keeps its value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from swapset.faces.align import invert, scale_of, transform_points
from swapset.faces.masks import render_mask
from swapset.types import Bytes, Floats, Floats32, Image

_LEAST_ALPHA = 0.1
"""Values of a learned mask below this count as 0: no ghost of the face lies over the frame."""


@dataclass(frozen=True)
class FaceMask:
    """The pixels of a frame that a face replaces, and its opacity there.

    Attributes
    ----------
    outline : (p, 2) float64
        Polygon x, y in frame pixels; nothing outside is replaced.
    feather : float
        Width of the soft edge inside the outline, in frame pixels.
    alpha : (S, S) float32 in [0, 1] or None
        A mask in the aligned crop, in place of the filled outline.
    """

    outline: Floats
    feather: float
    alpha: Floats32 | None = None


def learned_mask(values: Bytes, matrix: Floats, feather: float, border: float) -> FaceMask | None:
    """Return the mask that a network predicted with a face; None if it covers nothing.

    Parameters
    ----------
    values : (S, S) uint8 in [0, 255]
        The network's mask in the aligned crop. Values below a tenth count as 0.
    matrix : (2, 3) float64
        Transform from frame to crop, in pixels.
    feather : float
        Width in frame pixels over which the mask fades out at the crop's border.
    border : float
        The same in pixels of the crop.
    """
    share = (values / np.float32(255) - _LEAST_ALPHA) / (1 - _LEAST_ALPHA)
    alpha = np.clip(share, 0, 1).astype(np.float32)
    inside = np.minimum(np.arange(len(alpha)), np.arange(len(alpha))[::-1]).astype(np.float32)
    ramp = np.clip(inside / max(border, 1e-6), 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    alpha *= np.minimum.outer(ramp, ramp)
    covered = cv2.findNonZero((alpha > 0).view(np.uint8))
    if covered is None or len(covered) < 3:
        return None
    hull = cv2.convexHull(covered)[:, 0].astype(np.float64)
    return FaceMask(transform_points(invert(matrix), hull), feather, alpha)


def paste(frame: Image, face: Image, matrix: Floats, mask: FaceMask) -> Image | None:
    """Return a copy of `frame` with `face` warped back and blended in.

    Parameters
    ----------
    frame : (H, W, 3) uint8 in [0, 255], RGB
        The target's frame.
    face : (S, S, 3) uint8 in [0, 255], RGB
        Synthesised face in the aligned crop.
    matrix : (2, 3) float64
        Transform from frame to crop, in pixels; it is inverted here.
    mask : FaceMask

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB, or None
        Equal to `frame` wherever the mask is 0; None if that is everywhere.
    """
    low, high = _box(mask.outline, frame.shape[:2])
    if np.any(high <= low):
        return None
    alpha = _alpha(mask, matrix, low, (high[1] - low[1], high[0] - low[0]))
    if not alpha.any():
        return None
    result = frame.copy()
    region = result[low[1] : high[1], low[0] : high[0]]
    warped = _warp_back(face, matrix, low, (region.shape[1], region.shape[0]))
    cv2.blendLinear(warped, region, alpha, 1 - alpha, dst=region)
    return result


def clone(
    frame: Image, face: Image, matrix: Floats, mask: FaceMask
) -> tuple[Image, FaceMask] | None:
    """Clone `face` into a copy of `frame` by Poisson blending.

    The face keeps its gradients, and its colours follow from the frame around it. OpenCV solves for
    the whole rectangle around the mask.

    Parameters
    ----------
    frame : (H, W, 3) uint8 in [0, 255], RGB
        The target's frame.
    face : (S, S, 3) uint8 in [0, 255], RGB
        Synthesised face in the aligned crop.
    matrix : (2, 3) float64
        Transform from frame to crop, in pixels.
    mask : FaceMask

    Returns
    -------
    frame : (H, W, 3) uint8 in [0, 255], RGB
    changed : FaceMask
        The rectangle that changed. None instead of both if it is too small to solve for.

    References
    ----------
    P. Perez, M. Gangnet, A. Blake, "Poisson image editing", SIGGRAPH 2003.
    """
    low, high = _box(mask.outline, frame.shape[:2])
    # The solver needs a margin of one pixel of the frame.
    low, high = np.maximum(low, 1), np.minimum(high, np.array(frame.shape[1::-1]) - 1)
    if np.any(high - low < 3):
        return None
    width, height = high - low
    filled = (_alpha(mask, matrix, low, (height, width)) > 0).astype(np.uint8) * 255
    x, y, across, down = cv2.boundingRect(filled)
    if min(across, down) < 3:
        return None
    warped = _warp_back(face, matrix, low, (width, height))
    centre = (int(low[0]) + x + across // 2, int(low[1]) + y + down // 2)
    cloned = cv2.seamlessClone(warped, frame, filled, centre, cv2.NORMAL_CLONE)
    left, top = low[0] + x, low[1] + y
    right, bottom = left + across - 1, top + down - 1
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)
    return np.asarray(cloned, np.uint8), FaceMask(corners, 0.0)


def _box(
    outline: Floats, shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """Return the upper left and lower right corner x, y of an outline's region in a frame."""
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 2, [shape[1], shape[0]])
    return low, high


def _alpha(
    mask: FaceMask, matrix: Floats, low: npt.NDArray[np.int_], shape: tuple[int, ...]
) -> Floats32:
    """Return a mask's opacity, (height, width) = `shape`, in the frame's region from `low` on."""
    height, width = shape
    if mask.alpha is None:
        return render_mask(mask.outline - low, (height, width), mask.feather)
    inside = render_mask(mask.outline - low, (height, width), 0)
    to_frame = invert(matrix)
    to_frame[:, 2] -= low
    return np.asarray(inside * cv2.warpAffine(mask.alpha, to_frame, (width, height)), np.float32)


def _warp_back(
    face: Image, matrix: Floats, low: npt.NDArray[np.int_], size: tuple[int, int]
) -> Image:
    """Warp a face into the frame's region from `low` on, of `size` = (width, height)."""
    # A crop with more pixels than its region of the frame is shrunk first, so that nothing aliases.
    shrink = math.floor(float(scale_of(matrix)))
    if shrink > 1:
        side = face.shape[0] // shrink
        share = side / face.shape[0]
        face = np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        matrix = matrix * share
        matrix[:, 2] += (share - 1) / 2
    to_frame = invert(matrix)
    to_frame[:, 2] -= low
    warped = cv2.warpAffine(
        face, to_frame, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.uint8)
