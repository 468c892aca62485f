"""The one conversion between RGB and stored video: BT.601, limited range, 4:2:0.

Every video that this project writes uses this conversion, whatever its size, because readers that
ignore colour tags (OpenCV is one) assume BT.601. Chroma is averaged over 2x2 pixels on the way in
and repeated on the way out, so that a picture keeps its colours when it is decoded and converted
again: after the first conversion nothing changes (except colours that lie outside RGB).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from swapset.errors import MediaError

# Rows: Cb and Cr; columns: R, G, B in [0, 255] and the offset (ITU-R BT.601, 8 bit).
_CHROMA = np.array(
    [
        [-37.796824 / 255, -74.203176 / 255, 112.0 / 255, 128.0],
        [112.0 / 255, -93.785790 / 255, -18.214210 / 255, 128.0],
    ],
    dtype=np.float32,
)

# Weights of red and blue in luma, by the matrix code in the stream (ITU-T H.273, table 4).
LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601, 625 lines
    6: (0.299, 0.114),  # BT.601, 525 lines
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
}
YCGCO = 8
"""The code of a matrix that is not made of weights of red and blue."""
_BT601 = 6


_TO_LIMITED = np.rint(16 + np.arange(256) * 219 / 255).astype(np.uint8)


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
    # OpenCV uses the chroma of each block's first pixel, which aliases; average all four instead.
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


def to_bt601(planes: np.ndarray, *, matrix: int, full_range: bool) -> np.ndarray:
    """Convert planar YCbCr 4:2:0 of another colour matrix or range to BT.601, limited range.

    Parameters
    ----------
    planes : ndarray, (H * 3 // 2, W) uint8
        Planes Y, Cb, Cr.
    matrix : int
        Colour matrix of `planes`, a key of `LUMA_WEIGHTS` or `YCGCO`.
    full_range : bool
        Whether Y, Cb and Cr span [0, 255] (JPEG, some phones) instead of the limited range.

    Returns
    -------
    ndarray, (H * 3 // 2, W) uint8
        Planes Y, Cb, Cr; BT.601, limited range. The array itself if it is that already.

    References
    ----------
    ITU-T H.273, equations 32 to 40.
    """
    if LUMA_WEIGHTS.get(matrix) == LUMA_WEIGHTS[_BT601] and not full_range:
        return planes
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    change = _ycbcr_to_rgb(_BT601, False, inverse=True) @ _ycbcr_to_rgb(matrix, full_range)
    zero = np.array([0 if full_range else 16, 128, 128])
    offset = np.array([16, 128, 128]) - change @ zero
    blue, red = planes[height:].reshape(2, height // 2, width // 2)
    out = np.empty_like(planes)
    # Grey stays grey, so that new chroma does not depend on luma, and new luma is old luma, scaled,
    # plus a correction from chroma.
    for row, chroma in enumerate(out[height:].reshape(2, height // 2, width // 2), start=1):
        _, of_blue, of_red = change[row]
        cv2.addWeighted(blue, of_blue, red, of_red, offset[row], dst=chroma, dtype=cv2.CV_8U)
    of_luma, of_blue, of_red = change[0]
    small = cv2.addWeighted(blue, of_blue, red, of_red, offset[0], dtype=cv2.CV_32F)
    correction = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    luma = out[:height]
    cv2.addWeighted(planes[:height], of_luma, correction, 1, 0, dst=luma, dtype=cv2.CV_8U)
    return out


def grey_to_planes(grey: np.ndarray, *, full_range: bool) -> np.ndarray:
    """Convert grey to planar YCbCr 4:2:0.

    Parameters
    ----------
    grey : ndarray, (H, W) uint8
        Grey; H and W even.
    full_range : bool
        Whether black and white are 0 and 255 instead of 16 and 235.

    Returns
    -------
    ndarray, (H * 3 // 2, W) uint8
        Planes Y, Cb, Cr; BT.601, limited range.
    """
    height, width = grey.shape
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = np.take(_TO_LIMITED, grey) if full_range else grey
    return planes


def over_black(planes: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return a transparent picture before a black background.

    Parameters
    ----------
    planes : ndarray, (H * 3 // 2, W) uint8
        Planes Y, Cb, Cr; BT.601, limited range.
    alpha : ndarray, (H, W) uint8
        0 = transparent, 255 = opaque; not multiplied into the planes yet.

    Returns
    -------
    ndarray, (H * 3 // 2, W) uint8
        Planes as before.
    """
    height, width = alpha.shape
    share = alpha.astype(np.float32) / 255
    half = cv2.resize(share, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    out = np.empty_like(planes)
    out[:height] = np.rint(16 + (planes[:height] - np.float32(16)) * share)
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    over = np.rint(128 + (chroma - np.float32(128)) * half)
    out[height:] = over.reshape(height // 2, width)
    return out


def ycbcr_to_signal(planes: np.ndarray, *, matrix: int, full_range: bool) -> npt.NDArray[np.uint16]:
    """Convert YCbCr 4:4:4 of 16 bits to non-linear RGB.

    Parameters
    ----------
    planes : ndarray, (H, W, 3) uint16
        Y, Cb and Cr.
    matrix : int
        Colour matrix of `planes`, a key of `LUMA_WEIGHTS` or `YCGCO`.
    full_range : bool
        Whether Y, Cb and Cr span all values instead of the limited range.

    Returns
    -------
    ndarray, (H, W, 3) uint16
        RGB in [0, 65535].
    """
    # Limited range is 256 times that of 8 bits; full range is all of 16 bits.
    change = _ycbcr_to_rgb(matrix, full_range) * (1 if full_range else 65535 / 65280)
    zero = np.array([0 if full_range else 16 << 8, 1 << 15, 1 << 15])
    whole = np.column_stack([change, -change @ zero]).astype(np.float32)
    rgb = cv2.transform(planes.astype(np.float32), whole)
    return np.clip(np.rint(rgb), 0, 65535).astype(np.uint16)


def add_to_planes(
    planes: Sequence[np.ndarray], change: np.ndarray, *, matrix: int, full_range: bool, bits: int
) -> None:
    """Add a change of RGB to planar YCbCr of any subsampling, in place.

    Values stay as they are where the change is 0.

    Parameters
    ----------
    planes : sequence of ndarray
        Y (H, W), Cb and Cr (H / v, W / h each), uint8 or uint16 in [0, 2**bits - 1]; H and W are
        multiples of the subsampling factors v and h.
    change : ndarray, (H, W, 3) int16
        What is added to R, G and B, in [-255, 255].
    matrix : int
        Colour matrix of `planes`, a key of `LUMA_WEIGHTS` or `YCGCO`.
    full_range : bool
        Whether Y, Cb and Cr span all values instead of the limited range.
    bits : int
        Bits per value of `planes`, such as 8 or 10.

    References
    ----------
    ITU-T H.273, equations 32 to 40.
    """
    weights = _ycbcr_to_rgb(matrix, full_range, inverse=True) * (1 << (bits - 8))
    parts = cv2.transform(np.asarray(change, np.float32), weights.astype(np.float32))
    for number, plane in enumerate(planes):
        height, width = plane.shape
        part = cv2.resize(parts[..., number], (width, height), interpolation=cv2.INTER_AREA)
        plane[:] = np.clip(plane + np.rint(part).astype(np.int32), 0, (1 << bits) - 1)


def _ycbcr_to_rgb(matrix: int, full_range: bool, *, inverse: bool = False) -> np.ndarray:
    """Return the 3x3 matrix from (Y, Cb, Cr), with their zero levels subtracted, to RGB."""
    if matrix == YCGCO:
        full = np.array([[1.0, -1, 1], [1, 1, 0], [1, -1, -1]])
    else:
        red, blue = LUMA_WEIGHTS[matrix]
        green = 1 - red - blue
        full = np.array(
            [
                [1, 0, 2 * (1 - red)],
                [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
                [1, 2 * (1 - blue), 0],
            ]
        )
    scale = np.ones(3) if full_range else np.array([255 / 219, 255 / 224, 255 / 224])
    return np.linalg.inv(full * scale) if inverse else full * scale
