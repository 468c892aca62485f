"""Decode videos that this project wrote, frame by frame, and refuse damaged ones."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from swapset.errors import MediaError
from swapset.media.colour import LUMA_WEIGHTS, i420_to_rgb, rgb_to_i420, to_bt601
from swapset.media.container import open_video

RGB_LIKE = ("gray", "ya8", "ya16", "pal8", "mono")
_HD_HEIGHT = 720  # an untagged picture of at least this height is BT.709 by convention


def frames(path: str | Path, *, threads: int = 1) -> Iterator[np.ndarray]:
    """Decode all frames of a clip in order.

    Parameters
    ----------
    path : path-like
        A video written by `swapset.media`. (Other videos: odd sizes lose one pixel and rotation is
        not applied; use `swapset.media.ingest`.)
    threads : int
        Decoding threads.

    Yields
    ------
    ndarray, (H, W, 3) uint8
        RGB in [0, 255], C-contiguous; a new array each time.

    Raises
    ------
    MediaError
        If the file cannot be read, is damaged, or holds fewer frames than its header says.
    """
    with open_video(path, threads=threads) as (container, stream):
        stream.codec_context.options = {**stream.codec_context.options, "err_detect": "explode"}
        expected = expected_frames(container, stream)
        convert = PlaneConverter()
        count = 0
        try:
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    raise MediaError(f"{path}: frame {count} is damaged")
                yield i420_to_rgb(convert(frame))
                count += 1
        except av.error.FFmpegError as error:
            raise MediaError(f"{path}: damaged after {count} frames ({error.strerror})") from error
    if count < (expected or 1):
        raise MediaError(f"{path}: {count} of {expected} frames decode")


def expected_frames(container: InputContainer, stream: VideoStream) -> int | None:
    """Return the number of frames by the container's header; None if the header does not tell."""
    if stream.frames:
        return stream.frames
    if container.duration is None or not stream.average_rate:
        return None
    return round(Fraction(container.duration, av.time_base) * stream.average_rate)


class PlaneConverter:
    """Convert decoded frames of any pixel format to BT.601 4:2:0 planes of one size.

    Parameters
    ----------
    size : (int, int), optional
        Width and height to scale to; by default, each frame keeps its size.
    """

    def __init__(self, size: tuple[int, int] | None = None) -> None:
        self._size = size
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        """Convert one frame.

        Parameters
        ----------
        frame : VideoFrame
            Any size, pixel format, colour matrix and range.

        Returns
        -------
        ndarray, (H * 3 // 2, W) uint8
            Planes as in `swapset.media.colour.rgb_to_i420`; odd sizes lose one pixel.
        """
        size = self._size or (frame.width, frame.height)
        if frame.format.is_rgb or frame.format.name.startswith(RGB_LIKE):
            return rgb_to_i420(
                _even(relayout(frame, "rgb24", size, self._reformatter).to_ndarray())
            )
        full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
        if frame.format.name not in ("yuv420p", "yuvj420p") or (frame.width, frame.height) != size:
            frame = relayout(frame, "yuv420p", size, self._reformatter)
        return to_bt601(_planes(frame), matrix=matrix_of(frame), full_range=full)


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
    same = ColorRange.JPEG if layout == "rgb24" else frame.color_range
    return (reformatter or VideoReformatter()).reformat(
        frame,
        width=size[0],
        height=size[1],
        format=layout,
        src_color_range=same,
        dst_color_range=same,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
        threads=1,
    )


def matrix_of(frame: VideoFrame) -> int:
    """Return the frame's colour matrix, a key of `LUMA_WEIGHTS`; untagged: guessed by height."""
    matrix = int(frame.colorspace)
    if matrix in LUMA_WEIGHTS:
        return matrix
    return int(Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601)


def _even(image: np.ndarray) -> np.ndarray:
    return image[: image.shape[0] & ~1, : image.shape[1] & ~1]


def _planes(frame: VideoFrame) -> np.ndarray:
    """Return a 4:2:0 frame's planes without row padding, cropped to even sizes."""
    width, height = frame.width & ~1, frame.height & ~1
    out = np.empty((height * 3 // 2, width), np.uint8)
    chroma = out[height:].reshape(2, height // 2, width // 2)
    for plane, target in zip(frame.planes, (out[:height], *chroma), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        target[:] = rows[: target.shape[0], : target.shape[1]]
    return out
