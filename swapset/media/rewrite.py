"""Re-encode a video's frames and copy its sound, subtitles, times and metadata."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import av
import ffmpeg
import imageio_ffmpeg
from av.container import OutputContainer
from av.video.frame import VideoFrame

from swapset.errors import MediaError
from swapset.media.container import CONTAINERS, PROTOCOLS, file_url
from swapset.media.edit_frames import ColourTags
from swapset.media.encode import MP4, REPRODUCIBLE
from swapset.media.orientation import Orientation
from swapset.media.stream_copy import FORMATS, CopyPlan

_UNKNOWN = (0, 2)  # codes of ITU-T H.273: reserved, unspecified
_PIPE = 1 << 22  # bytes of buffer
_WAITING = 10_000  # packets of sound that may wait for the first picture
_INTERLACED = "+bitexact+ilme+ildct"
_THREADS = 4  # fixed, not the machine's cores: another number gives other bytes


class Rewriter:
    """Encodes frames with H.264 beside the copied streams of their video; a context manager.

    Parameters
    ----------
    scratch : Path
        The file to write, best a scratch path of `atomic_output`.
    plan : CopyPlan
        What is copied from the source.
    colours : ColourTags
        Colour tags of the frames.
    orientation : Orientation
        Orientation to store, by which players turn the frames upright.
    quality : int
        Rate factor of H.264, 0 to 51; 0 = without loss.
    field_order : {"", "tff", "bff"}
        For interlaced video: whether the top or the bottom field is first.
    hdr : str
        Static HDR metadata, as parameters of x264.

    Raises
    ------
    MediaError
        If `quality` is out of range, or ffmpeg fails (for example on a full disk).
    """

    def __init__(
        self,
        scratch: Path,
        plan: CopyPlan,
        *,
        colours: ColourTags,
        orientation: Orientation,
        quality: int,
        field_order: str = "",
        hdr: str = "",
    ) -> None:
        if not 0 <= quality <= 51:
            raise MediaError(f"a rate factor of {quality} must lie in [0, 51]")
        self._scratch, self._plan = scratch, plan
        self._colours, self._orientation, self._quality = colours, orientation, quality
        self._field_order, self._hdr = field_order, hdr
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: OutputContainer | None = None
        self._log: IO[bytes] | None = None
        self.frames = 0

    def __enter__(self) -> Rewriter:
        # A file, not a pipe: ffmpeg would block on a full pipe that nobody reads.
        self._log = self._stack.enter_context(tempfile.TemporaryFile())
        self._process = subprocess.Popen(  # noqa: S603 - the binary is imageio_ffmpeg's own
            self._command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            process_group=0,  # Ctrl-C reaches this process only, which then stops ffmpeg
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            if error is not None:
                self._end()
                return
            self._finish()

    def write(self, time: Fraction, frame: VideoFrame) -> None:
        """Append a frame that is shown from `time` on (seconds of the source).

        Raises
        ------
        MediaError
            If the writer is not open or ffmpeg fails.
        """
        frame.pts = round((time - self._plan.origin) / self._plan.time_base)
        frame.time_base = self._plan.time_base
        try:
            if self._pipe is None:
                self._pipe = self._opened(frame)
            self._pipe.mux(self._pipe.streams.video[0].encode(frame))
        except (OSError, av.error.FFmpegError) as error:
            raise self._failure() from error
        self.frames += 1

    def _opened(self, first: VideoFrame) -> OutputContainer:
        """Open a stream of raw frames with times into ffmpeg, in the first frame's format."""
        process = self._running()
        pipe = av.open(process.stdin, "w", format="nut", buffer_size=_PIPE)
        stream: Any = pipe.add_stream("rawvideo", rate=self._plan.rate)
        stream.width, stream.height = first.width, first.height
        stream.pix_fmt = first.format.name
        stream.time_base = stream.codec_context.time_base = self._plan.time_base
        return pipe

    def _command(self) -> list[str]:
        plan, colours = self._plan, self._tags()
        pictures = ffmpeg.input("pipe:0", f="nut", **colours, **self._turn())
        # Filled in at the end: ffmpeg-python accepts text only, and a file name may not be text.
        names = {"<source>": file_url(plan.source), "<target>": file_url(self._scratch)}
        others = ffmpeg.input(
            "<source>",
            protocol_whitelist=PROTOCOLS,
            format_whitelist=CONTAINERS,
            itsoffset=-float(plan.origin),
        )
        kind = FORMATS[self._scratch.suffix.lower()]
        metadata = [plan.picture, *plan.kept]
        shown = pictures["v"]
        if plan.aspect != 1:
            shown = shown.filter("setsar", f"{plan.aspect.numerator}/{plan.aspect.denominator}")
        if self._field_order:
            shown = shown.filter("setfield", self._field_order)
        target = ffmpeg.output(
            shown,
            # Nothing to copy: "a?" (sound, if any) keeps the source an input, for its metadata.
            *(others[name] for name in [str(index) for index in plan.kept] or ["a?"]),
            "<target>",
            f=kind,
            map_metadata=1,
            map_chapters=1,
            **plan.options,
            **{"c:v": "libx264", "fps_mode": "passthrough", "enc_time_base": "demux"},
            **({"qp": 0} if self._quality == 0 else {"crf": self._quality}),
            **colours,
            **{f"map_metadata:s:{n}": f"1:s:{index}" for n, index in enumerate(metadata)},
            **({} if kind == "matroska" else _mp4_options(plan.time_base)),
            max_muxing_queue_size=_WAITING,
            **({"x264-params": self._hdr} if self._hdr else {}),
            **REPRODUCIBLE | {"threads": _THREADS} | self._fields(),
        )
        quiet = target.global_args("-hide_banner", "-loglevel", "error", "-nostats", "-copyts")
        words = quiet.overwrite_output().compile(cmd=imageio_ffmpeg.get_ffmpeg_exe())
        return [names.get(word, word) for word in words]

    def _tags(self) -> dict[str, int]:
        """Return the colour tags as ffmpeg options for both input and output: no conversion."""
        colours = self._colours
        tags = {
            "color_range": colours.range,
            "colorspace": colours.matrix,
            "color_primaries": colours.primaries,
            "color_trc": colours.transfer,
        }
        return {
            key: value
            for key, value in tags.items()
            if value and (key == "color_range" or value not in _UNKNOWN)
        }

    def _fields(self) -> dict[str, str]:
        """Return the option that makes the encoder keep the fields of interlaced video apart."""
        return {"flags:v": _INTERLACED} if self._field_order else {}

    def _turn(self) -> dict[str, Any]:
        """Return the options that write the display matrix without turning the frames."""
        turn = self._orientation
        if turn == Orientation():
            return {}
        # ffmpeg turns counter-clockwise, then mirrors.
        options: dict[str, Any] = {"noautorotate": None, "display_rotation": -90 * turn.transpose}
        if turn.flip_x != turn.transpose:
            options["display_hflip"] = None
        if turn.flip_y:
            options["display_vflip"] = None
        return options

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise MediaError(f"{self._scratch}: write frames inside the rewriter's `with` block")
        return self._process

    def _finish(self) -> None:
        process = self._running()
        try:
            if self._pipe is not None:
                self._pipe.mux(self._pipe.streams.video[0].encode(None))
                self._pipe.close()
            if process.stdin is not None:
                process.stdin.close()
        except (OSError, av.error.FFmpegError) as error:
            raise self._failure() from error
        if process.wait():
            raise self._failure()

    def _end(self) -> None:
        """Stop ffmpeg at once."""
        process = self._running()
        process.kill()
        process.wait()
        try:
            if self._pipe is not None:
                self._pipe.close()
            if process.stdin is not None:
                process.stdin.close()
        except (OSError, av.error.FFmpegError):
            pass  # nobody reads the frames that are still in the pipe

    def _failure(self) -> MediaError:
        """Stop ffmpeg and return an error with its last messages."""
        self._end()
        lines = []
        if self._log is not None:
            self._log.seek(0)
            lines = self._log.read().decode(errors="replace").strip().splitlines()
        message = " / ".join(lines[-3:]) if lines else "ffmpeg ended without a message"
        return MediaError(f"{self._plan.source}: re-encoding failed: {message}")


def _mp4_options(time_base: Fraction) -> dict[str, Any]:
    """Return the options for .mp4 and .mov that keep times as exact as the source's."""
    exact = {"video_track_timescale": time_base.denominator} if time_base.numerator == 1 else {}
    return {"movflags": MP4["movflags"], **exact}
