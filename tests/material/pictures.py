"""Videos with each property of a picture, made by ffmpeg from raw values, and what they show."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from material.faces import portrait

PATCHES = np.array(
    [(40, 40, 40), (224, 172, 150), (60, 90, 160), (90, 150, 70), (220, 220, 220)], np.uint8
)
"""Black, skin, blue, green and white, none at the edge of what YCbCr can hold."""
SIDE = 48

_WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt470bg": (0.299, 0.114)}
_WEIGHTS |= {"smpte240m": (0.212, 0.087), "bt2020nc": (0.2627, 0.0593), "fcc": (0.3, 0.11)}


def patches(colours: np.ndarray = PATCHES) -> np.ndarray:
    """Return an image (SIDE, 5 * SIDE, 3) uint8 RGB, or of the colours' type, of flat squares."""
    return np.repeat(np.repeat(colours[None], SIDE, 0), SIDE, 1)


def colours_of(image: np.ndarray, count: int = len(PATCHES)) -> np.ndarray:
    """Return the colours (count, 3) in the middle of the squares of an image (H, W, 3)."""
    width = image.shape[1] / count
    middles = ((np.arange(count) + 0.5) * width).astype(int)
    row = image.shape[0] // 2
    return np.array([np.median(image[row - 4 : row + 4, x - 4 : x + 4], (0, 1)) for x in middles])


def ycbcr(rgb: np.ndarray, matrix: str, *, full: bool = False, bits: int = 8) -> np.ndarray:
    """Return planar 4:4:4 values, (3, H, W), of RGB in [0, 255], by ITU-T H.273."""
    r, g, b = (rgb[..., k].astype(float) / 255 for k in range(3))
    if matrix == "ycgco":
        y, cb, cr = 0.25 * r + 0.5 * g + 0.25 * b, -0.25 * r + 0.5 * g - 0.25 * b, (r - b) / 2
    else:
        kr, kb = _WEIGHTS[matrix]
        y = kr * r + (1 - kr - kb) * g + kb * b
        cb, cr = (b - y) / (2 - 2 * kb), (r - y) / (2 - 2 * kr)
    scale = 2 ** (bits - 8)
    top = 2**bits - 1
    planes = (
        [y * top, cb * top + 128 * scale, cr * top + 128 * scale]
        if full
        else [scale * v for v in (16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr)]
    )
    return np.clip(np.rint(np.stack(planes)), 0, top).astype("<u2" if bits > 8 else np.uint8)


def encoded(
    path: Path,
    frames: Sequence[np.ndarray],
    layout: str,
    *arguments: str | Path,
    rate: int = 25,
    tags: str = "",
    size: tuple[int, int] | None = None,  # width and height
) -> Path:
    """Encode raw frames of an ffmpeg pixel format; losslessly (FFV1) without other arguments.

    `tags` are arguments of the filter `setparams`, such as `range=pc:colorspace=bt709`.
    """
    packed = frames[0].shape[-1] <= 4  # (H, W, C), else (H, W) or (C, H, W)
    width, height = size or (frames[0].shape[1::-1] if packed else frames[0].shape[:-3:-1])
    source = ["-f", "rawvideo", "-pix_fmt", layout, "-s", f"{width}x{height}", "-r", str(rate)]
    filters = ["-vf", f"setparams={tags}"] if tags else []
    codec = [str(each) for each in arguments] or ["-c:v", "ffv1"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *source, "-i", "-"]
    command += [*filters, "-pix_fmt", layout, *codec, str(path)]
    content = b"".join(np.ascontiguousarray(frame).tobytes() for frame in frames)
    subprocess.run(command, input=content, check=True)
    return path


def chained(path: Path, filters: str, size: tuple[int, int]) -> np.ndarray:
    """Return a video's frames (n, H, W, 3) uint8 RGB after filters of ffmpeg."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-vf", filters]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, size[1], size[0], 3)


def face(width: int = 160, height: int = 128) -> np.ndarray:
    """Return a portrait's face, (height, width, 3) uint8 RGB."""
    return np.ascontiguousarray(portrait("astronaut")[64 : 64 + height, 140 : 140 + width])


def moving(count: int, width: int = 160, height: int = 128, step: int = 3) -> list[np.ndarray]:
    """Return pictures (height, width, 3) uint8 of a face that moves sideways by `step` pixels."""
    image = portrait("astronaut")[64 : 64 + height]
    return [np.ascontiguousarray(image[:, 100 + step * k :][:, :width]) for k in range(count)]


def woven(pictures: Sequence[np.ndarray], *, top_first: bool = True) -> list[np.ndarray]:
    """Return interlaced frames: each takes its rows in turn from two successive pictures."""
    frames = []
    for first, second in zip(pictures[::2], pictures[1::2], strict=True):
        frame = first.copy()
        frame[top_first::2] = second[top_first::2]
        frames.append(frame)
    return frames


def combing(image: np.ndarray) -> float:
    """Return how much more rows differ from their neighbours than from the next but one."""
    grey = image.astype(float).mean(-1)
    near = np.abs(grey[1:-1] * 2 - grey[:-2] - grey[2:]).mean()
    return float(near / (np.abs(grey[2:] - grey[:-2]).mean() + 1))


def with_box(path: Path, kind: str, content: bytes) -> Path:
    """Put a box into the description of the first track of an .mp4 whose index is at its end."""
    data = bytearray(path.read_bytes())
    box = struct.pack(">I4s", 8 + len(content), kind.encode()) + content
    starts, at = [], 0
    for name, header in (
        ("moov", 8), ("trak", 8), ("mdia", 8), ("minf", 8), ("stbl", 8), ("stsd", 16), ("", 0)
    ):  # fmt: skip
        while name and data[at + 4 : at + 8] != name.encode():
            at += struct.unpack_from(">I", data, at)[0]
        starts.append(at)
        at += header
    end = starts[-1] + struct.unpack_from(">I", data, starts[-1])[0]
    for start in starts:
        size = struct.unpack_from(">I", data, start)[0]
        struct.pack_into(">I", data, start, size + len(box))
    data[end:end] = box
    path.write_bytes(data)
    return path


def clap(width: int, height: int, right: int, down: int) -> bytes:
    """Return the content of a `clap` box; `right` and `down` move the middle by half pixels."""
    return struct.pack(">8i", width, 1, height, 1, right, 2, down, 2)
