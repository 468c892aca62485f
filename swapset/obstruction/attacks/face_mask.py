"""Where noise on faces may be: on them and close around."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from swapset.faces.masks import render_mask
from swapset.types import Points

GROWN = 1.6
"""Size of the outline within which noise is, in hulls of the landmarks, which end at the eyebrows.

The hull alone leaves extractors that look at the whole head much of what they need.
"""
FEATHER = 0.04
"""Width of the noise's soft edge, in widths of that outline."""


def face_masks(points: Points, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return how much noise each pixel may have.

    Parameters
    ----------
    points : (n, 68, 2) float32
        Landmarks x, y in pixels.
    shape : (int, int)
        Height and width of the masks.

    Returns
    -------
    (n, 1, H, W) float32 in [0, 1]
        1 inside the landmarks' hull, grown a little, 0 outside, with a soft edge between.
    """
    centres = points.mean(1, keepdims=True)
    hulls = [cv2.convexHull(own)[:, 0] for own in centres + GROWN * (points - centres)]
    masks = [render_mask(hull, shape, FEATHER * float(np.ptp(hull[:, 0]))) for hull in hulls]
    return np.stack(masks)[:, None]
