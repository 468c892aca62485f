"""Open untrusted video files: local, self-contained, and nothing else.

A playlist or a reference inside a file could make ffmpeg open other files or network addresses.
Therefore only the `file` protocol is allowed, and only containers that hold their own streams.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.codec.context import Flags
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from swapset.errors import MediaError

# Demuxers that read a single file. Left out on purpose: hls, concat, dash, imf, image sequences,
# sdp, rtp and all others that open files or addresses named inside the file.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,h263,h261,vc1,"
    "av1,obu,ivf,flv,live_flv,asf,asf_o,ogg,rm,mxf,gxf,nut,dv,gif,mjpeg,yuv4mpegpipe,mjpeg_2000,"
    "avs2,avs3,wtv,swf,nuv,nsv,roq,smk,bink,dirac,cavsvideo,vvc,evc,apng,mp3,wav,aac,flac,aiff,w64"
)
PROTOCOLS = "file,pipe"
# 8K video (7,680 x 4,320) fits; a hostile header cannot claim all memory.
MAX_PIXELS = 1 << 25
MAX_SIDE = 16_384  # pixels; the largest that H.264 can store

UNSUPPORTED = "unsupported_picture"
"""Reason of `UnusableMedia` for pictures that cannot be shown as people would see them."""

_DEFAULT = Disposition.default
_NO_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.dependent


class UnusableMedia(MediaError):  # noqa: N818 - often caught to record its reason, not an error
    """A file that holds no usable video.

    Attributes
    ----------
    reason : str
        `"unreadable"` (no container or codec that can be read), `"no_video"`, or `UNSUPPORTED`.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def file_url(path: str | Path) -> str:
    """Return a URL that ffmpeg opens as this local file, whatever characters the path contains."""
    return f"file:{Path(path).absolute()}"


@contextmanager
def open_video(
    path: str | Path, *, threads: int = 1
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open the video stream of a local file.

    Parameters
    ----------
    path : path-like
        A regular file; its name is never read as a URL or a pattern.
    threads : int
        Decoding threads.

    Yields
    ------
    container : av.container.InputContainer
        The open file, closed at the end of the `with` block.
    stream : av.video.stream.VideoStream
        The video stream that players show.

    Raises
    ------
    UnusableMedia
        If the file is missing, cannot be read as a video, or holds no video stream.
    """
    container = _open(Path(path))
    try:
        stream = _main_stream(container, path)
        stream.codec_context.thread_count = threads
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        # Otherwise decoders crop fewer columns on the left than the stream says, for alignment.
        stream.codec_context.flags |= Flags.unaligned
        yield container, stream
    finally:
        container.close()


def _open(path: Path) -> InputContainer:
    if not path.is_file():
        raise UnusableMedia(f"{path}: no such file", "unreadable")
    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": CONTAINERS}
    try:
        return av.open(
            file_url(path), container_options=options, metadata_errors="replace", timeout=60
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise UnusableMedia(f"{path}: not a readable video ({cause})", "unreadable") from error


def _main_stream(container: InputContainer, path: str | Path) -> VideoStream:
    """Return the stream that players show: the default one, else the largest, else the first."""
    streams = [each for each in container.streams.video if not each.disposition & _NO_VIDEO]
    if not streams:
        raise UnusableMedia(f"{path}: holds no video stream", "no_video")
    readable = [each for each in streams if each.codec_context is not None]
    if not readable:
        raise UnusableMedia(f"{path}: no decoder for its video codec", "unreadable")
    return max(readable, key=lambda each: (each.disposition & _DEFAULT, each.width * each.height))
