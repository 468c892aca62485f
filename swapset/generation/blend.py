"""Put a synthesised face back into the frame; every pixel outside the mask stays as it was."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from swapset.faces.align import invert, scale_of, transform_points
from swapset.faces.masks import render_mask
from swapset.types import Floats, Image

_LEAST = 0.1


@dataclass(frozen=True)
class FaceMask:
    """Which pixels of a frame a face replaces, and how much of them.

    Attributes
    ----------
    outline : (p, 2) float64
        In frame pixels; nothing outside is replaced.
    feather : float
        Width of the soft edge inside the outline, in frame pixels.
    alpha : (S, S) float32 in [0, 1] or None
        A mask in the aligned crop, in place of the filled outline.
    """

    outline: Floats
    feather: float
    alpha: npt.NDArray[np.float32] | None = None


def learned_mask(
    made: npt.NDArray[np.uint8], matrix: Floats, feather: float, border: float
) -> FaceMask | None:
    """Return the mask that a network made beside a face; None if it takes nothing.

    Parameters
    ----------
    made : (S, S) uint8
        The network's mask in the aligned crop. What is below a tenth counts as nothing, so that no
        ghost of the face lies over the frame.
    matrix : (2, 3) float64
        Transform from frame to crop.
    feather : float
        Width in frame pixels over which the mask fades out at the crop's border.
    border : float
        The same in pixels of the crop.
    """
    alpha = np.clip((made / np.float32(255) - _LEAST) / (1 - _LEAST), 0, 1).astype(np.float32)
    inside = np.minimum(np.arange(len(alpha)), np.arange(len(alpha))[::-1]).astype(np.float32)
    ramp = np.clip(inside / max(border, 1e-6), 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    alpha *= np.minimum.outer(ramp, ramp)
    places = cv2.findNonZero((alpha > 0).view(np.uint8))
    if places is None or len(places) < 3:
        return None
    hull = cv2.convexHull(places)[:, 0].astype(np.float64)
    return FaceMask(transform_points(invert(matrix), hull), feather, alpha)


def paste(frame: Image, face: Image, matrix: Floats, mask: FaceMask) -> Image | None:
    """Return a copy of `frame` with `face` warped back and blended in.

    Parameters
    ----------
    frame : (H, W, 3) uint8, RGB
        The target's frame.
    face : (S, S, 3) uint8, RGB
        Synthesised face in the aligned crop.
    matrix : (2, 3) float64
        Transform from frame to crop, in pixels; it is inverted here.
    mask : FaceMask

    Returns
    -------
    (H, W, 3) uint8, RGB, or None
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
    """Return a copy of `frame` with `face` cloned in seamlessly, and what that has changed.

    The face's slopes are kept and its colours follow from the frame around. OpenCV solves in the
    whole rectangle around the mask, which is what changes. None if that is too small to solve in.

    Parameters
    ----------
    frame, face, matrix, mask
        See `paste`.

    References
    ----------
    P. Perez, M. Gangnet, A. Blake, "Poisson image editing", SIGGRAPH 2003.
    """
    low, high = _box(mask.outline, frame.shape[:2])
    # The solver needs a pixel of frame around.
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
    """Return the corners x, y of the region of a frame that an outline is in."""
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 2, [shape[1], shape[0]])
    return low, high


def _alpha(
    mask: FaceMask, matrix: Floats, low: npt.NDArray[np.int_], shape: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    """Return a mask in the region of the frame that starts at `low`."""
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
    """Return the part of the warped face that starts at `low`, (width, height) = `size`."""
    # A face larger than its place in the frame is shrunk first, so that no detail aliases.
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
