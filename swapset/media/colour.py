"""The one conversion between RGB and stored video: BT.601, limited range, 4:2:0.

Every video this project writes uses this conversion, whatever its size, since readers that ignore
colour tags (OpenCV among them) assume BT.601. Chroma is averaged over 2x2 pixels and repeated on
the way back, so that a picture that is decoded and encoded again keeps its colours: from the
second generation on, nothing moves (except colours that lie outside RGB).
"""

from __future__ import annotations

import cv2
import numpy as np

from swapset.errors import MediaError

# Rows: Cb and Cr; columns: R, G, B in [0, 255] and the offset (ITU-R BT.601, 8 bit).
_CHROMA = np.array(
    [
        [-37.796824 / 255, -74.203176 / 255, 112.0 / 255, 128.0],
        [112.0 / 255, -93.785790 / 255, -18.214210 / 255, 128.0],
    ],
    dtype=np.float32,
)


def check_even(width: int, height: int) -> None:
    """Refuse sizes that 4:2:0 video cannot hold.

    Raises
    ------
    MediaError
        If `width` or `height` is odd or not positive.
    """
    if width < 2 or height < 2 or width % 2 or height % 2:
        raise MediaError(
            f"a video of {width}x{height} pixels cannot be stored: width and height must be "
            "even and positive; crop the frames by one pixel"
        )


def rgb_to_i420(image: np.ndarray) -> np.ndarray:
    """Convert an RGB image to planar YCbCr 4:2:0.

    Parameters
    ----------
    image : ndarray, (H, W, 3) uint8
        RGB in [0, 255]; H and W even.

    Returns
    -------
    ndarray, (H * 3 // 2, W) uint8
        Planes Y (H x W), Cb and Cr (H/2 x W/2 each) one after the other; BT.601, Y in [16, 235].

    References
    ----------
    ITU-R BT.601-7, section 2.5.
    """
    height, width = image.shape[:2]
    planes = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)
    # OpenCV takes the chroma of each block's first pixel, which aliases: average instead.
    half = cv2.resize(
        image.astype(np.float32), (width // 2, height // 2), interpolation=cv2.INTER_AREA
    )
    chroma = np.rint(cv2.transform(half, _CHROMA)).astype(np.uint8)
    planes[height:] = chroma.transpose(2, 0, 1).reshape(height // 2, width)
    return planes


def i420_to_rgb(planes: np.ndarray) -> np.ndarray:
    """Convert planar YCbCr 4:2:0 (as `rgb_to_i420` makes it) to RGB.

    Parameters
    ----------
    planes : ndarray, (H * 3 // 2, W) uint8
        Planes Y, Cb, Cr; BT.601, limited range.

    Returns
    -------
    ndarray, (H, W, 3) uint8
        RGB in [0, 255], C-contiguous.
    """
    return cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)
