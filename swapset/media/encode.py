"""Encode frames to video files that appear whole or not at all."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from types import TracebackType
from typing import IO, Literal

import ffmpeg
import imageio_ffmpeg
import numpy as np

from swapset.errors import MediaError
from swapset.io.files import atomic_output
from swapset.media.colour import check_even, rgb_to_i420
from swapset.media.container import file_url

Codec = Literal["mpeg4", "h264", "lossless"]

# BT.601, to which swapset.media.colour has converted already; ffmpeg only writes the tags.
COLOUR_TAGS = {
    "colorspace": "smpte170m",
    "color_primaries": "smpte170m",
    "color_trc": "smpte170m",
    "color_range": "tv",
}
# One thread and no version strings: the same frames give the same bytes.
REPRODUCIBLE = {"threads": 1, "fflags": "+bitexact", "flags:v": "+bitexact"}
# Without use_metadata_tags, the mp4 writer silently drops every key that it does not know.
MP4 = {"f": "mp4", "movflags": "+faststart+use_metadata_tags"}


def codec_options(codec: Codec, quality: int | None) -> dict[str, str | int]:
    """Return ffmpeg's output options for a codec.

    Parameters
    ----------
    codec : {"mpeg4", "h264", "lossless"}
        `mpeg4` is MPEG-4 Part 2 (the chapter's MPEG4.0); `lossless` stores the planes exactly.
    quality : int, optional
        Quantiser of `mpeg4` (2 to 31, default 2) or rate factor of `h264` (0 to 51, default 16);
        lower is better.

    Raises
    ------
    MediaError
        If `codec` is unknown or `quality` is out of range.
    """
    limits = {"mpeg4": (2, 31, 2), "h264": (0, 51, 16), "lossless": (0, 0, 0)}
    if codec not in limits:
        raise MediaError(f"codec {codec!r} is unknown; use one of {', '.join(limits)}")
    low, high, default = limits[codec]
    value = default if quality is None else quality
    if not low <= value <= high:
        raise MediaError(f"quality {value} of codec {codec!r} must lie in [{low}, {high}]")
    if codec == "mpeg4":
        return {"vcodec": "mpeg4", "q:v": value, **MP4}
    if codec == "h264":
        return {"vcodec": "libx264", "crf": value, **MP4}
    # Clips are read many times: Ut Video decodes two to four times as fast as lossless H.264. It
    # does not notice damage, for which `swapset.media.checksums` looks.
    return {"vcodec": "utvideo", "pred": "left", "f": "matroska"}


def metadata_options(metadata: dict[str, str] | None) -> dict[str, str]:
    """Return the ffmpeg options that write container metadata, one per key."""
    pairs = enumerate((metadata or {}).items())
    return {f"metadata:g:{index}": f"{key}={value}" for index, (key, value) in pairs}


class VideoWriter:
    """Write frames to one video file; a context manager.

    The file appears when the block ends without an error. All frames are stored as 4:2:0 BT.601
    (see `swapset.media.colour`), in .mp4 for `mpeg4` and `h264`, in Matroska for `lossless`.

    Parameters
    ----------
    path : path-like
        Where the video belongs.
    width, height : int
        Size in pixels, both even.
    fps : int or Fraction
        Constant frame rate.
    codec : {"mpeg4", "h264", "lossless"}
        See `codec_options`.
    quality : int, optional
        See `codec_options`.
    metadata : dict of str to str, optional
        Container metadata, for example the label of a fake.

    Raises
    ------
    MediaError
        If the size, codec or quality cannot be used, or ffmpeg fails (also on a full disk).
    """

    def __init__(
        self,
        path: str | Path,
        width: int,
        height: int,
        *,
        fps: int | Fraction = 30,
        codec: Codec = "mpeg4",
        quality: int | None = None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        check_even(width, height)
        self.path = Path(path)
        self.width, self.height, self.fps = width, height, Fraction(fps)
        self.frames = 0
        self._options = {**codec_options(codec, quality), **metadata_options(metadata)}
        self._stack = ExitStack()
        self._process: Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def __enter__(self) -> VideoWriter:
        with ExitStack() as stack:
            scratch = stack.enter_context(atomic_output(self.path))
            # A file, not a pipe: ffmpeg would block on a full pipe that nobody reads.
            self._log = stack.enter_context(tempfile.TemporaryFile())
            self._process = Popen(  # noqa: S603 - the binary is imageio_ffmpeg's own
                self._command(scratch), stdin=-1, stdout=-3, stderr=self._log
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:  # its exit renames the file, or deletes it after an error
            if error is not None:
                self._kill()
                raise error
            self._finish()

    def write(self, frame: np.ndarray) -> None:
        """Append one frame.

        Parameters
        ----------
        frame : ndarray, (height, width, 3) uint8
            RGB in [0, 255].

        Raises
        ------
        MediaError
            If the frame's shape or dtype is wrong or ffmpeg fails.
        """
        if frame.shape != (self.height, self.width, 3) or frame.dtype != np.uint8:
            raise MediaError(
                f"{self.path}: frame {self.frames} is {frame.shape} {frame.dtype}, "
                f"not ({self.height}, {self.width}, 3) uint8"
            )
        self.write_planes(rgb_to_i420(frame))

    def write_planes(self, planes: np.ndarray) -> None:
        """Append one frame as (height * 3 // 2, width) uint8 planes of BT.601 4:2:0.

        Raises
        ------
        MediaError
            If the writer is not open or ffmpeg fails.
        """
        if self._process is None or self._process.stdin is None:
            raise MediaError(f"{self.path}: write frames inside the writer's `with` block")
        try:
            self._process.stdin.write(np.ascontiguousarray(planes).data)
        except OSError as error:
            raise self._failure() from error
        self.frames += 1

    def _command(self, scratch: Path) -> list[str]:
        source = ffmpeg.input(
            "pipe:0",
            f="rawvideo",
            pix_fmt="yuv420p",
            s=f"{self.width}x{self.height}",
            framerate=str(self.fps),
            **COLOUR_TAGS,
        )
        target = source.output(
            file_url(scratch), pix_fmt="yuv420p", **COLOUR_TAGS, **REPRODUCIBLE, **self._options
        )
        quiet = target.global_args("-hide_banner", "-loglevel", "error", "-nostats")
        return quiet.overwrite_output().compile(cmd=imageio_ffmpeg.get_ffmpeg_exe())

    def _finish(self) -> None:
        if self._process is None or self._process.stdin is None:
            raise MediaError(f"{self.path}: the writer was never opened")
        if not self.frames:
            self._kill()
            raise MediaError(f"{self.path}: no frame was written")
        try:
            self._process.stdin.close()
        except OSError as error:
            raise self._failure() from error
        if self._process.wait():
            raise self._failure()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _failure(self) -> MediaError:
        """Wait for ffmpeg to end and return an error with its last message."""
        if self._process is not None:
            try:
                self._process.wait(timeout=10)
            except TimeoutExpired:
                self._kill()
        return MediaError(
            f"{self.path}: encoding failed after {self.frames} frames: {self._last()}"
        )

    def _last(self) -> str:
        if self._log is None:
            return "no message"
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "ffmpeg ended without a message"
