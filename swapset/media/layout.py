"""Pixel formats: what they hold, and changes from one to another without a change of colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from swapset.media.colour import LUMA_WEIGHTS, YCGCO, ycbcr_to_signal
from swapset.media.container import UNSUPPORTED, UnusableMedia
from swapset.media.light import Signal

_GREY = ("gray", "ya8", "ya16", "yaf")
_RGB_LIKE = ("pal8", "mono")
_FULL = "yuvj"  # ffmpeg's prefix of full-range formats
_HD_HEIGHT = 720  # an untagged picture of at least this height is BT.709 by convention

# H.273, table 4: matrices that depend on more than their own code, or are not linear.
_FOREIGN = {10: "BT.2020 constant luminance", 11: "SMPTE ST 2085", 14: "ICtCp", 15: "IPT-C2"}
_FOREIGN |= {13: "constant luminance of its primaries", 16: "YCgCo-Re", 17: "YCgCo-Ro"}
_OF_PRIMARIES = 12  # "chromaticity-derived": the weights follow from the primaries


@dataclass(frozen=True)
class Kind:
    """The contents of a pixel format.

    Attributes
    ----------
    colours : {"yuv", "rgb", "grey"}
        Its components; palettes and black-and-white formats count as "rgb".
    alpha : bool
        Whether it has transparency.
    """

    colours: str
    alpha: bool


@cache
def kind_of(name: str) -> Kind:
    """Return what a pixel format, named as by ffmpeg, holds."""
    layout = VideoFormat(name)
    alpha = name == "pal8" or any(part.is_alpha for part in layout.components)
    if name.startswith(_GREY):
        return Kind("grey", alpha)
    return Kind("rgb" if layout.is_rgb or name.startswith(_RGB_LIKE) else "yuv", alpha)


def is_full_range(frame: VideoFrame) -> bool:
    """Return whether a frame's values span the full range.

    Grey without a tag does (it comes from pictures), YCbCr without a tag does not.
    """
    name = frame.format.name
    if kind_of(name).colours == "grey":
        return frame.color_range != ColorRange.MPEG
    return frame.color_range == ColorRange.JPEG or name.startswith(_FULL)


def matrix_of(frame: VideoFrame) -> int:
    """Return the frame's colour matrix, a key of `LUMA_WEIGHTS` or `YCGCO`.

    Untagged: guessed by height.

    Raises
    ------
    UnusableMedia
        If it is tagged with a matrix that is not supported.
    """
    matrix = int(frame.colorspace)
    if matrix == _OF_PRIMARIES:
        matrix = int(frame.color_primaries)
    if matrix in LUMA_WEIGHTS or matrix == YCGCO:
        return matrix
    if matrix in _FOREIGN:
        raise UnusableMedia(
            f"its colours are stored as {_FOREIGN[matrix]}, which is not supported; convert it to "
            "BT.709",
            UNSUPPORTED,
        )
    return int(Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601)


def relayout(
    frame: VideoFrame,
    layout: str,
    size: tuple[int, int],
    reformatter: VideoReformatter | None = None,
) -> VideoFrame:
    """Change a frame's pixel layout and size, but neither its colour matrix nor its range.

    Parameters
    ----------
    frame : VideoFrame
        Any pixel format.
    layout : str
        ffmpeg's name of the new pixel format.
    size : (int, int)
        New width and height.
    reformatter : VideoReformatter, optional
        One to use again for many frames of a kind, which is faster.

    Returns
    -------
    VideoFrame
    """
    whole = kind_of(layout).colours == "rgb" or is_full_range(frame)
    same = ColorRange.JPEG if whole else ColorRange.MPEG
    # The same made-up matrix before and after: ffmpeg refuses some of those that streams have.
    matrix = Colorspace.ITU709 if layout.startswith("yuv") else None
    return (reformatter or VideoReformatter()).reformat(
        frame,
        width=size[0],
        height=size[1],
        format=layout,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=same,
        dst_color_range=same,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
        threads=1,
    )


def signal_of(frame: VideoFrame, size: tuple[int, int]) -> Signal:
    """Return a frame of any pixel format as non-linear RGB of 16 bits, (H, W, 3).

    Parameters
    ----------
    frame : VideoFrame
    size : (int, int)
        Width and height to scale to.
    """
    colours = kind_of(frame.format.name).colours
    if colours == "rgb":
        return np.asarray(relayout(frame, "rgb48le", size).to_ndarray(), np.uint16)
    full = is_full_range(frame)
    if colours == "grey":
        grey = relayout(frame, "gray16le", size).to_ndarray()
        signal = (
            grey.astype(np.float32) if full else (grey.astype(np.float32) - 4096) * 65535 / 56064
        )
        return np.repeat(np.clip(np.rint(signal), 0, 65535).astype(np.uint16)[..., None], 3, 2)
    planes = relayout(frame, "yuv444p16le", size).to_ndarray()
    return ycbcr_to_signal(planes, matrix=matrix_of(frame), full_range=full)
