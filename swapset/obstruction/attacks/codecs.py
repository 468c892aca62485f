"""Compress pictures to real files and read them back.

Section 4.4.7 of the chapter: JPEG at quality 75 and 50 by OpenCV; video in MPEG-4 (C), and the same
video again in H.264 (C2). The settings of the videos are not published; the quantiser and the rate
factor are this project's choice.
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
from swapset.media.perturbations.names import parse
from swapset.media.perturbations.videos import perturb_frames
from swapset.media.recompress import recompress
from swapset.types import Frames, Image

Codec = Callable[[Frames], Frames]
"""Function of frames (n, H, W, 3) uint8, RGB."""

MPEG4_QUANTISER = 5
H264_RATE_FACTOR = 23


def untouched(frames: Frames) -> Frames:
    """Return frames (n, H, W, 3) uint8 RGB unchanged."""
    return frames


def through_jpeg(frames: Frames, *, quality: int) -> Frames:
    """Return frames (n, H, W, 3) uint8 RGB, each read back from a JPEG file."""
    return np.stack([_one_jpeg(frame, quality) for frame in frames])


def through_video(frames: Frames, *, twice: bool) -> Frames:
    """Return frames (n, H, W, 3) uint8 RGB, read back from one video in MPEG-4.

    Parameters
    ----------
    frames : (n, H, W, 3) uint8, RGB
        Consecutive frames. Where a side is odd, its last row or column is repeated for the video.
    twice : bool
        Compress the video again, with H.264.

    Raises
    ------
    MediaError
        If the video cannot be written or read.
    """
    height, width = frames.shape[1:3]
    even = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    size = (even.shape[2], even.shape[1])
    with tempfile.TemporaryDirectory() as folder:
        video = write_compressed(even, Path(folder), size, twice=twice)
        return np.stack([image[:height, :width] for image in decode(video)])


def write_compressed(
    frames: Iterable[Image], folder: Path, size: tuple[int, int], *, twice: bool, fps: int = 30
) -> Path:
    """Write frames as the MPEG-4 video C, or as C2 from it, and return the file's path.

    Parameters
    ----------
    frames : iterable of (H, W, 3) uint8, RGB
        Consecutive frames.
    folder : Path
        An existing folder for temporary files.
    size : (int, int)
        Width and height in pixels, both even.
    twice : bool
        Compress the video again, with H.264.
    fps : int
        Frames per second.

    Raises
    ------
    MediaError
        If the video cannot be written.
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
"""All codecs by the names in `swapset.config.landmark_breaker.COMPRESSIONS`."""


def compress(frames: Frames, compression: str, seed: int = 0) -> Frames:
    """Compress frames to a real file and return them as read back, or perturb them.

    Parameters
    ----------
    frames : (n, H, W, 3) uint8, RGB
        Consecutive frames, if the compression is a video's.
    compression : str
        A key of `CODECS`, or the name of a perturbation (`swapset.media.perturbations`). Frames
        that a perturbation made smaller are made as large as they were.
    seed : int
        Of the random numbers of perturbations.

    Returns
    -------
    (n, H, W, 3) uint8, RGB

    Raises
    ------
    ConfigError
        If the compression is unknown.
    MediaError
        If the array is not of frames, or a file cannot be written or read.
    """
    codec = CODECS.get(compression) or partial(_perturbed, name=compression, seed=seed)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not frames.size:
        raise MediaError(f"frames are {frames.shape} {frames.dtype}, not (n, H, W, 3) uint8")
    return codec(frames)


def _perturbed(frames: Frames, name: str, seed: int) -> Frames:
    try:
        perturbation = parse(name)
    except ValueError as error:
        raise ConfigError(
            f"compression {name!r} is not allowed: it is unknown; choose from "
            f"{', '.join(CODECS)}, or a perturbation: {error}"
        ) from error
    shown = perturb_frames(frames, perturbation, "", seed)
    size = frames.shape[2], frames.shape[1]
    if shown.shape == frames.shape:
        return shown
    return np.stack([cv2.resize(frame, size) for frame in shown])


def straight_through(codec: str | Codec, images: Tensor) -> Tensor:
    """Return images after a real codec, whose gradient is taken to be the identity.

    Parameters
    ----------
    codec : str or callable
        A key of `CODECS`, or a function of frames (n, H, W, 3) uint8.
    images : (B, 3, H, W) float in [0, 255], RGB
        Rounded for the codec. Consecutive frames, if the codec is a video's.

    Returns
    -------
    (B, 3, H, W) float
        Whole numbers in [0, 255].

    Raises
    ------
    ConfigError
        If the codec's name is unknown.
    MediaError
        If a file cannot be written or read.

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


def _one_jpeg(frame: Image, quality: int) -> Image:
    reverse = np.ascontiguousarray(frame[..., ::-1])  # OpenCV's order is BGR
    done, stored = cv2.imencode(".jpg", reverse, [cv2.IMWRITE_JPEG_QUALITY, quality])
    shown = cv2.imdecode(stored, cv2.IMREAD_COLOR) if done else None
    if shown is None:
        raise MediaError(f"a frame of {frame.shape} could not be stored as JPEG")
    return np.asarray(shown[..., ::-1], np.uint8)
