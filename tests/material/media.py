"""Small videos whose frames carry their own number, for the tests of swapset.media."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

from swapset.media.container import open_video
from swapset.media.edit_frames import FrameEditor
from swapset.media.rewrite import Rewriter
from swapset.media.source import SourceReader
from swapset.media.stream_copy import plan_rewrite

BITS = 8
WIDTH, HEIGHT = 128, 64


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Return an image (H, W, 3) uint8 RGB whose 8 black or white bars encode `number`."""
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    columns = np.arange(width) * BITS // width
    row = np.where(np.array(bits)[columns], 220, 30).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (height, width, 3)))


def number_of(frame: np.ndarray) -> int:
    """Read the number of a frame (H, W, 3) uint8 from its bars."""
    width = frame.shape[1]
    middles = (np.arange(BITS) + 0.5) * width / BITS
    values = frame[:, middles.astype(int)].mean((0, 2))
    return sum(1 << bit for bit, value in enumerate(values) if value > 125)


def corners(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Return an image (H, W, 3) uint8 RGB with a red, green, blue and white corner, clockwise."""
    image = np.full((height, width, 3), 60, np.uint8)
    h, w = height // 2, width // 2
    image[:h, :w], image[:h, w:] = (200, 40, 40), (40, 200, 40)
    image[h:, w:], image[h:, :w] = (40, 40, 200), (210, 210, 210)
    return image


def write_video(
    path: Path,
    images: Sequence[np.ndarray],
    *,
    times: Sequence[float] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    faststart: bool = False,
    options: dict[str, str] | None = None,
    rotation: int = 0,
    aspect: Fraction | None = None,
) -> Path:
    """Encode RGB or grey images at the times in seconds, by default at 30 fps."""
    layout = {"movflags": "+faststart"} if faststart else {}
    with av.open(f"file:{path}", "w", container_options=layout) as out:
        stream = out.add_stream(codec, rate=30, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.time_base = stream.codec_context.time_base = Fraction(1, 30000)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for index, image in enumerate(images):
            colours = "rgb24" if image.ndim == 3 else "gray"
            frame = av.VideoFrame.from_ndarray(image, format=colours)
            time = index / 30 if times is None else times[index]
            frame.pts, frame.time_base = round(time * 30000), Fraction(1, 30000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def ffmpeg(*arguments: str | Path) -> None:
    """Run the bundled ffmpeg."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *map(str, arguments)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def seen(path: Path) -> tuple[list[Fraction], list[np.ndarray]]:
    """Return the times and pictures (H, W, 3) uint8 of a video, upright, with square pixels."""
    with open_video(path) as (container, stream):
        frames = list(SourceReader(container, stream))
        editor = FrameEditor(path, frames[0][1], stream)
        return [time for time, _ in frames], [editor.view(frame) for _, frame in frames]


def rewrite(source: Path, output: Path, *, quality: int = 0) -> list[str]:
    """Write a video again with its own pictures; return what was left out."""
    with open_video(source) as (container, stream):
        plan = plan_rewrite(source, container, stream, output)
        frames = list(SourceReader(container, stream))
        editor = FrameEditor(source, frames[0][1], stream)
        with Rewriter(
            output,
            plan,
            colours=editor.colours,
            orientation=editor.orientation,
            quality=quality,
            field_order=editor.field_order,
            hdr=editor.hdr,
        ) as writer:
            for time, frame in frames:
                editor.check(frame)
                writer.write(time, editor.stored(frame))
    return plan.left_out + editor.left_out


def packets(path: Path, kind: str) -> list[list[tuple[float, bytes]]]:
    """Return the times and bytes of the packets of each stream of a kind."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        by_stream: dict[int, list[tuple[float, bytes]]] = {stream.index: [] for stream in streams}
        for packet in container.demux(streams):
            if packet.size:
                time = float(packet.pts * packet.time_base)
                by_stream[packet.stream.index].append((time, bytes(packet)))
        return list(by_stream.values())
