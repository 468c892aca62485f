"""Recompress a finished video with H.264, as FaceForensics++ does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import ffmpeg
import imageio_ffmpeg

from swapset.errors import MediaError
from swapset.io.files import atomic_output
from swapset.media.container import CONTAINERS, PROTOCOLS, file_url, open_video
from swapset.media.decode import expected_frames
from swapset.media.encode import COLOUR_TAGS, MP4, REPRODUCIBLE, metadata_options


def recompress(
    source: str | Path,
    destination: str | Path,
    *,
    crf: int,
    metadata: dict[str, str] | None = None,
) -> None:
    """Encode a video again with x264 at a constant rate factor, and change nothing else.

    Parameters
    ----------
    source : path-like
        A video written by `swapset.media`; its container metadata are kept.
    destination : path-like
        The .mp4 file, written whole or not at all.
    crf : int
        Rate factor, 0 to 51; FaceForensics++ uses 23 and 40.
    metadata : dict of str to str, optional
        Container metadata to add or change.

    Raises
    ------
    MediaError
        If `crf` is out of range, the source is missing or damaged, or ffmpeg fails.

    References
    ----------
    Roessler et al., FaceForensics++, ICCV 2019, section 3 (H.264, rate factors 23 and 40).
    """
    if not 0 <= crf <= 51:
        raise MediaError(f"crf {crf} must lie in [0, 51]")
    if not Path(source).is_file():
        raise MediaError(f"{source}: no such file")
    with atomic_output(destination) as scratch:
        command = _command(Path(source), scratch, crf, metadata)
        process = subprocess.run(  # noqa: S603 - the binary is imageio_ffmpeg's own
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if process.returncode:
            lines = process.stderr.decode(errors="replace").strip().splitlines()
            raise MediaError(f"{source}: recompressing failed: {lines[-1] if lines else '?'}")
        _check_whole(source, scratch)


def _check_whole(source: str | Path, result: Path) -> None:
    """Refuse a result with another number of frames than its source."""
    counts = []
    for path in (source, result):
        with open_video(path) as (container, stream):
            counts.append(expected_frames(container, stream))
    if counts[0] != counts[1]:
        raise MediaError(f"{source}: {counts[1]} of {counts[0]} frames decode")


def _command(source: Path, scratch: Path, crf: int, metadata: dict[str, str] | None) -> list[str]:
    stream = ffmpeg.input(
        file_url(source),
        threads=1,
        protocol_whitelist=PROTOCOLS,
        format_whitelist=CONTAINERS,
        err_detect="explode",
    )
    target = stream.video.output(
        file_url(scratch),
        vcodec="libx264",
        crf=crf,
        pix_fmt="yuv420p",
        fps_mode="passthrough",
        **COLOUR_TAGS,
        **REPRODUCIBLE,
        **metadata_options(metadata),
        **MP4,
    )
    quiet = target.global_args("-hide_banner", "-loglevel", "error", "-nostats", "-xerror")
    return quiet.overwrite_output().compile(cmd=imageio_ffmpeg.get_ffmpeg_exe())
