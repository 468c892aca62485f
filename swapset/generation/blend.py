"""Put a synthesised face back into the frame; every pixel outside the mask stays as it was."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from swapset.faces.align import invert, scale_of
from swapset.faces.masks import render_mask

Image = npt.NDArray[np.uint8]


def paste(
    frame: Image,
    face: Image,
    matrix: npt.NDArray[np.float64],
    outline: npt.NDArray[np.float64],
    feather: float,
) -> Image:
    """Return a copy of `frame` with `face` warped back and blended in.

    Parameters
    ----------
    frame : (H, W, 3) uint8, RGB
        The target's frame.
    face : (S, S, 3) uint8, RGB
        Synthesised face in the aligned crop.
    matrix : (2, 3) float64
        Transform from frame to crop, in pixels; it is inverted here.
    outline : (p, 2) float64
        The mask's outline in frame pixels.
    feather : float
        Width of the mask's soft edge in frame pixels.

    Returns
    -------
    (H, W, 3) uint8, RGB
        Equal to `frame` wherever the mask is 0.
    """
    height, width = frame.shape[:2]
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 2, [width, height])
    result = frame.copy()
    if np.any(high <= low):
        return result
    region = result[low[1] : high[1], low[0] : high[0]]
    alpha = render_mask(outline - low, region.shape[:2], feather)
    warped = _warp_back(face, matrix, low, (region.shape[1], region.shape[0]))
    cv2.blendLinear(warped, region, alpha, 1 - alpha, dst=region)
    return result


def _warp_back(
    face: Image, matrix: npt.NDArray[np.float64], low: npt.NDArray[np.int_], size: tuple[int, int]
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
