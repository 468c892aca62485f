"""What noisy pictures go through before they are judged: real files, read back.

Section 4.4.7 of the chapter: JPEG at quality 75 and 50 by OpenCV; a video in MPEG-4 (C), and that
one again in H.264 (C2). Their settings are not published: the quantiser and the rate factor are
ours.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from swapset.errors import ConfigError, MediaError
from swapset.media.decode import frames as decode
from swapset.media.encode import VideoWriter
from swapset.media.recompress import recompress
from swapset.types import Frames

Codec = Callable[[Frames], Frames]

MPEG4_QUANTISER = 5
H264_RATE_FACTOR = 23


def untouched(frames: Frames) -> Frames:
    """Return frames as they are."""
    return frames


def through_jpeg(frames: Frames, *, quality: int) -> Frames:
    """Return frames (n, H, W, 3) uint8, RGB, each after a JPEG file of its own."""
    return np.stack([_one_jpeg(frame, quality) for frame in frames])


def through_video(frames: Frames, *, twice: bool) -> Frames:
    """Return frames (n, H, W, 3) uint8, RGB, after one MPEG-4 video.

    Parameters
    ----------
    frames : (n, H, W, 3) uint8
        In their order in time. Of an odd size, the last row or column is repeated for the video.
    twice : bool
        The video is compressed again, with H.264.
    """
    height, width = frames.shape[1:3]
    even = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    size = (even.shape[2], even.shape[1])
    with tempfile.TemporaryDirectory() as folder:
        video = write_compressed(even, Path(folder), size, twice=twice)
        return np.stack([image[:height, :width] for image in decode(video)])


def write_compressed(
    frames: Iterable[Frames], folder: Path, size: tuple[int, int], *, twice: bool, fps: int = 30
) -> Path:
    """Write frames (H, W, 3) uint8, RGB, as the MPEG-4 video C, or C2 from it; return its path.

    Parameters
    ----------
    frames : iterable of (H, W, 3) uint8, RGB
        In their order in time.
    folder : Path
        An existing folder, of which nothing else is kept.
    size : (int, int)
        Width and height, both even.
    twice : bool
        The video is compressed again, with H.264.
    fps : int
        Frames per second.
    """
    video = folder / "mpeg4.mp4"
    with VideoWriter(video, *size, fps=fps, codec="mpeg4", quality=MPEG4_QUANTISER) as writer:
        for frame in frames:
            writer.write(frame)
    if not twice:
        return video
    again = folder / "h264.mp4"
    recompress(video, again, crf=H264_RATE_FACTOR)
    return again


CODECS: dict[str, Codec] = {
    "none": untouched,
    "jpeg75": partial(through_jpeg, quality=75),
    "jpeg50": partial(through_jpeg, quality=50),
    "mpeg4": partial(through_video, twice=False),
    "mpeg4+h264": partial(through_video, twice=True),
}
"""By name, as `swapset.config.landmark_breaker.COMPRESSIONS`."""


def compress(frames: Frames, compression: str) -> Frames:
    """Return frames as they come back from a real file.

    Parameters
    ----------
    frames : (n, H, W, 3) uint8, RGB
        For a video, frames that follow each other.
    compression : str
        A key of `CODECS`.

    Returns
    -------
    (n, H, W, 3) uint8, RGB

    Raises
    ------
    ConfigError
        If the compression is unknown.
    MediaError
        If the frames are no frames, or a file cannot be written or read.
    """
    if compression not in CODECS:
        raise ConfigError(f"compression {compression!r} is unknown; choose of {', '.join(CODECS)}")
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not frames.size:
        raise MediaError(f"frames are {frames.shape} {frames.dtype}, not (n, H, W, 3) uint8")
    return CODECS[compression](frames)


def straight_through(codec: str | Codec, images: Tensor) -> Tensor:
    """Return images after a real codec; the gradient passes as if nothing had been done.

    Parameters
    ----------
    codec : str or callable
        A key of `CODECS`, or a function of frames (n, H, W, 3) uint8.
    images : (B, 3, H, W) float in [0, 255], RGB
        Rounded for the codec; for a video, frames that follow each other.

    Returns
    -------
    (B, 3, H, W) float
        Whole numbers.

    References
    ----------
    A. Athalye et al., "Obfuscated gradients give a false sense of security", ICML 2018, section
    4.1.1 (backward pass differentiable approximation, the identity).
    """
    inside = images.detach().round().clamp(0, 255).to(torch.uint8)
    frames = np.ascontiguousarray(inside.permute(0, 2, 3, 1).cpu().numpy())
    shown = compress(frames, codec) if isinstance(codec, str) else codec(frames)
    back = torch.from_numpy(np.ascontiguousarray(shown)).permute(0, 3, 1, 2).to(images)
    return images + (back - images).detach()


def _one_jpeg(frame: Frames, quality: int) -> Frames:
    reverse = np.ascontiguousarray(frame[..., ::-1])  # OpenCV's order is BGR
    done, stored = cv2.imencode(".jpg", reverse, [cv2.IMWRITE_JPEG_QUALITY, quality])
    shown = cv2.imdecode(stored, cv2.IMREAD_COLOR) if done else None
    if shown is None:
        raise MediaError(f"a frame of {frame.shape} could not be stored as JPEG")
    return np.asarray(shown[..., ::-1], np.uint8)
