"""Good files of every container, the basis of hostile ones; they have the same bytes each time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from material.faces import placed
from material.media import write_video
from PIL import Image

SIZE = (144, 176)
FRAMES = 8

_SOUND = {"mp4": "aac", "mkv": "flac", "mpg": "mp2", "ts": "mp2", "webm": "libopus"}
_SOUND |= {"avi": "pcm_s16le", "flv": "aac", "ogv": "flac", "wmv": "wmav2", "fragments.mp4": "aac"}
_PICTURE = {
    "mp4": ["libx264", "-movflags", "+faststart"],
    "fragments.mp4": ["libx264", "-movflags", "+frag_keyframe+empty_moov", "-g", "3"],
    "mkv": ["ffv1"],
    "webm": ["libvpx", "-deadline", "realtime"],
    "avi": ["mpeg4"],
    "ts": ["mpeg2video", "-g", "4"],
    "mpg": ["mpeg2video"],
    "flv": ["flv"],
    "ogv": ["libtheora"],
    "wmv": ["wmv2"],
    "3gp": ["h263"],
    "mxf": ["mpeg2video"],
    "nut": ["huffyuv"],
    "ivf": ["libvpx", "-deadline", "realtime"],
    "h264": ["libx264"],
    "mjpeg": ["mjpeg"],
    "y4m": ["rawvideo"],
    "gif": ["gif"],
    "apng": ["apng"],
}
_PICTURES = ("png", "jpg", "webp", "tif", "bmp")
_BITEXACT = ["-fflags", "+bitexact", "-flags", "+bitexact", "-threads", "1"]


def make_media(folder: Path) -> dict[str, bytes]:
    """Return a small video of a face in every container, sounds and pictures, by extension."""
    images = [placed("astronaut", (80 + 2 * k, 72), 70, size=SIZE) for k in range(FRAMES)]
    _write_videos(folder, images)
    write_video(folder / "seed.mov", images, codec="mpeg4", rotation=90)
    picture = Image.fromarray(images[0])
    for ending in _PICTURES:
        picture.save(folder / f"seed.{ending}", quality=80)
    files = {path.name.partition(".")[2]: path.read_bytes() for path in folder.glob("seed.*")}
    return dict(sorted(files.items()))


def _write_videos(folder: Path, images: list[np.ndarray]) -> None:
    height, width = SIZE
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "30"]
    command += ["-i", "pipe:0", "-f", "lavfi", "-i", "sine=duration=0.3:sample_rate=48000"]
    for ending, codec in _PICTURE.items():
        sound = _SOUND.get(ending)
        command += ["-map", "0", *(["-map", "1", "-c:a", sound] if sound else [])]
        if ending in ("mp4", "ts", "mpg", "fragments.mp4", "h264", "mxf", "y4m"):
            command += ["-pix_fmt", "yuv420p"]
        command += ["-c:v", *codec, *_BITEXACT, str(folder / f"seed.{ending}")]
    for ending in ("wav", "mp3"):
        command += ["-map", "1", *_BITEXACT, str(folder / f"seed.{ending}")]
    subprocess.run(command, input=b"".join(image.tobytes() for image in images), check=True)
