"""Decode videos that this project wrote, frame by frame, and refuse damaged ones."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from swapset.errors import MediaError
from swapset.media.checksums import check_matroska
from swapset.media.colour import grey_to_planes, over_black, rgb_to_i420, to_bt601
from swapset.media.container import open_video
from swapset.media.hdr_metadata import peak_of
from swapset.media.layout import is_full_range, kind_of, matrix_of, relayout, signal_of
from swapset.media.light import Light, White, largest_of, light_of, linear, to_bt709, white_level
from swapset.media.planar import PlanarImage


def frames(path: str | Path, *, threads: int = 1) -> Iterator[np.ndarray]:
    """Decode all frames of a clip in order, as RGB.

    Parameters
    ----------
    path : path-like
        See `planar_frames`.
    threads : int
        Decoding threads.

    Yields
    ------
    ndarray, (H, W, 3) uint8
        RGB in [0, 255], C-contiguous; a new array each time.

    Raises
    ------
    MediaError
        See `planar_frames`.
    """
    for image in planar_frames(path, threads=threads):
        yield image.rgb


def planar_frames(path: str | Path, *, threads: int = 1) -> Iterator[PlanarImage]:
    """Decode all frames of a clip in order, without converting them to RGB.

    Parameters
    ----------
    path : path-like
        A video written by `swapset.media`. (Other videos: odd sizes lose one pixel and rotation is
        not applied; use `swapset.media.ingest`.)
    threads : int
        Decoding threads.

    Yields
    ------
    PlanarImage

    Raises
    ------
    MediaError
        If the file cannot be read, is damaged, or holds fewer frames than its header says.
    """
    with open_video(path, threads=threads) as (container, stream):
        if container.format.name.startswith("matroska"):
            check_matroska(Path(path))
        stream.codec_context.options = {**stream.codec_context.options, "err_detect": "explode"}
        expected = expected_frames(container, stream)
        convert = PlaneConverter()
        count = 0
        try:
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    raise MediaError(f"{path}: frame {count} is damaged")
                yield PlanarImage(convert(frame))
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
    as_shown : bool
        Whether HDR and wide-gamut pictures become what a BT.709 screen shows. Otherwise their
        values are taken for BT.709's, as by software that ignores the tags.

    Attributes
    ----------
    converted : list of str
        Conversions so far that change what software would show that ignores the tags.
    """

    def __init__(self, size: tuple[int, int] | None = None, *, as_shown: bool = True) -> None:
        self._size, self._as_shown = size, as_shown
        self._reformatter = VideoReformatter()
        self._white: White | None = None
        self.converted: list[str] = []

    def __call__(self, frame: VideoFrame, size: tuple[int, int] | None = None) -> np.ndarray:
        """Convert one frame.

        Parameters
        ----------
        frame : VideoFrame
            Any size, pixel format, colour matrix and range.
        size : (int, int), optional
            Width and height to scale to, instead of the size for all frames.

        Returns
        -------
        ndarray, (H * 3 // 2, W) uint8
            Planes as in `swapset.media.colour.rgb_to_i420`; odd sizes lose one pixel.

        Raises
        ------
        MediaError
            If the colour matrix is one that cannot be converted.
        """
        size = size or self._size or (frame.width, frame.height)
        kind = kind_of(frame.format.name)
        light = light_of(int(frame.color_primaries), int(frame.color_trc))
        if light is not None and self._as_shown:
            planes = rgb_to_i420(self._shown(frame, size, light))
        elif kind.colours == "rgb":
            rgb = relayout(frame, "rgb24", size, self._reformatter).to_ndarray()
            planes = rgb_to_i420(_even(rgb))
        elif kind.colours == "grey":
            grey = relayout(frame, "gray", size, self._reformatter).to_ndarray()
            planes = grey_to_planes(_even(grey), full_range=is_full_range(frame))
        else:
            matrix, full = matrix_of(frame), is_full_range(frame)
            plain, same = frame, (frame.width, frame.height) == size
            if frame.format.name not in ("yuv420p", "yuvj420p") or not same:
                plain = relayout(frame, "yuv420p", size, self._reformatter)
            planes = to_bt601(_planes(plain), matrix=matrix, full_range=full)
        return self._over_black(planes, frame, size) if kind.alpha else planes

    def _shown(self, frame: VideoFrame, size: tuple[int, int], light: Light) -> np.ndarray:
        """Return what a BT.709 screen shows, (H, W, 3) uint8 RGB with even sides."""
        signal = _even(signal_of(frame, size))
        white = self._white
        if light.is_hdr and white is None:
            sample = linear(np.ascontiguousarray(signal[::4, ::4]), light)
            white, certain = white_level(largest_of(sample), peak_of(frame))
            if certain:
                self._white = white
        shown = f", {white.level:.0f} cd/m² as white" if white else ""
        if white is self._white:
            self._note(f"{light} converted to BT.709{shown}")
        return to_bt709(signal, light, white)

    def _over_black(
        self, planes: np.ndarray, frame: VideoFrame, size: tuple[int, int]
    ) -> np.ndarray:
        """Lay planes over black by the alpha of their frame, as most players do."""
        alpha = relayout(frame, "rgba", size).to_ndarray()[..., 3]
        if alpha.min() == 255:
            return planes
        self._note("transparency laid over black")
        return over_black(planes, _even(alpha))

    def _note(self, conversion: str) -> None:
        if conversion not in self.converted:
            self.converted.append(conversion)


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
