"""Rotation, shape and size of pictures, and their changes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from material.media import corners, ffmpeg, write_video
from material.pictures import PATCHES, colours_of, encoded, face, moving, patches, ycbcr
from material.properties.cells import (
    cell,
    check_as_players_show,
    check_refused,
    check_shown_alike,
    clip_of,
)


def turned(path: Path, steps: str) -> Path:
    write_video(path.with_name("plain.mp4"), [corners()] * 3)
    ffmpeg(*steps.split(), "-i", path.with_name("plain.mp4"), "-c", "copy", path)
    return path


TURNS = ("-display_rotation 90", "-display_rotation 180", "-display_rotation 270")
MIRRORS = ("-display_hflip", "-display_vflip", "-display_rotation 90 -display_hflip")


@cell("rotation", "ingest")
def _(folder: Path) -> None:
    for number, steps in enumerate(TURNS):
        check_as_players_show(turned(folder / f"{number}.mp4", steps))


@cell("rotation", "protect")
def _(folder: Path) -> None:
    for number, steps in enumerate(TURNS):
        check_shown_alike(turned(folder / f"{number}.mp4", steps))


@cell("mirror", "ingest")
def _(folder: Path) -> None:
    for number, steps in enumerate(MIRRORS):
        check_as_players_show(turned(folder / f"{number}.mp4", steps))


@cell("mirror", "protect")
def _(folder: Path) -> None:
    for number, steps in enumerate(MIRRORS):
        check_shown_alike(turned(folder / f"{number}.mp4", steps))


def shaped(path: Path, image: np.ndarray, aspect: str, *codec: str) -> Path:
    """Write a picture with a pixel aspect; MPEG-2 stores display aspects ("4/3", "16/9") only."""
    settings = codec or ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv420p", "-bf", "2")
    whole = encoded(
        path.with_name("w.mkv"), [image] * 12, "rgb24", "-pix_fmt", "gbrp", "-c:v", "ffv1"
    )
    ffmpeg("-i", whole, "-vf", aspect, *settings, path)
    return path


@cell("pixel shape", "ingest")
def _(folder: Path) -> None:
    for name in ("a.mp4", "a.mkv", "a.ts"):
        record, pictures = clip_of(shaped(folder / name, face(), "setsar=4/3"))
        assert (record.width, record.height) == (213 & ~1, 128)
        assert pictures[0].shape == (128, 212, 3)


@cell("pixel shape", "protect")
def _(folder: Path) -> None:
    check_shown_alike(shaped(folder / "a.mkv", face(), "setsar=4/3"))


def joined(folder: Path, *parts: Path) -> Path:
    path = folder / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def changing_aspect(folder: Path) -> list[Path]:
    """Return broadcasts that change from 4:3 to 16:9 in the same 160 x 128 pixels, at frame 12."""
    files = []
    for number, codec in enumerate(((), ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2"))):
        parts = [
            shaped(folder / f"{number}{name}.ts", face(), f"setdar={aspect}", *codec)
            for name, aspect in (("a", "4/3"), ("b", "16/9"))
        ]
        files.append(joined(folder, *parts).rename(folder / f"{number}.ts"))
    return files


def bars_of(image: np.ndarray) -> tuple[int, int]:
    """Return width and height of what is not black in a picture."""
    lit = image.max(2) > 40
    return int(lit.any(0).sum()), int(lit.any(1).sum())


@cell("pixel shape that changes", "ingest")
def _(folder: Path) -> None:
    for source in changing_aspect(folder):
        record, pictures = clip_of(source)
        (cut,) = record.cuts
        assert (record.width, record.height) == (170, 128)  # 128 * 4 / 3
        bright = [bars_of(picture) for picture in pictures]
        wide, high = bright[cut - 1]
        assert abs(high - 128) < 8
        # 16:9 across the whole width; its height is 170 * 9 / 16
        assert {abs(size[1] - 96) < 8 for size in bright[cut:]} == {True}
        assert {size == (wide, high) for size in bright[:cut]} == {True}
        assert abs(cut / len(pictures) - 0.5) < 0.05


@cell("pixel shape that changes", "protect")
def _(folder: Path) -> None:
    for source in changing_aspect(folder):
        check_refused(source, "pixel aspect from .* to ")


def changing_size(folder: Path) -> Path:
    small = moving(1, 96, 96)[0]
    first = shaped(folder / "a.ts", face(), "setsar=1")
    return joined(folder, first, shaped(folder / "b.ts", small, "setsar=1"))


@cell("size that changes", "ingest")
def _(folder: Path) -> None:
    record, pictures = clip_of(changing_size(folder))
    (cut,) = record.cuts
    assert (record.width, record.height) == (160, 128)
    assert abs(cut / len(pictures) - 0.5) < 0.05
    side = 16  # (160 - 128) / 2: a square in the middle
    assert pictures[-1][:, : side - 1].max() < 8
    assert pictures[-1][:, -side + 1 :].max() < 8
    square = cv2.resize(moving(1, 96, 96)[0], (128, 128), interpolation=cv2.INTER_CUBIC)
    assert np.abs(pictures[-1][:, side:-side].astype(int) - square).mean() < 4


@cell("size that changes", "protect")
def _(folder: Path) -> None:
    check_refused(changing_size(folder), "size from 160x128 to 96x96")


def changing_orientation(folder: Path) -> Path:
    parts = []
    for number, rotate in enumerate((0, 90)):
        part = shaped(folder / f"{number}.ts", face(), "setsar=1")
        ffmpeg("-i", part, "-c", "copy", "-bsf:v",
               f"h264_metadata=display_orientation=insert:rotate={rotate}",
               folder / f"t{number}.ts")  # fmt: skip
        parts.append(folder / f"t{number}.ts")
    return joined(folder, *parts)


@cell("orientation that changes", "ingest")
def _(folder: Path) -> None:
    record, pictures = clip_of(changing_orientation(folder))
    assert len(record.cuts) == 1
    upright = cv2.resize(np.rot90(face()), (102, 128), interpolation=cv2.INTER_AREA)
    shown = pictures[-1][:, 29:131]
    assert np.abs(shown[:, 2:-2].astype(int) - upright[:, 2:-2]).mean() < 12
    np.testing.assert_allclose(pictures[0], face(), atol=40)


@cell("orientation that changes", "protect")
def _(folder: Path) -> None:
    check_refused(changing_orientation(folder), "orientation from ")


def changing_tags(folder: Path) -> Path:
    parts = []
    for matrix in ("bt709", "smpte170m"):
        values = ycbcr(patches(), matrix)
        parts.append(
            encoded(
                folder / f"{matrix}.ts",
                [values] * 6,
                "yuv444p",
                "-c:v",
                "libx264",
                "-qp",
                "0",
                tags=f"colorspace={matrix}:range=tv",
            )
        )
    return joined(folder, *parts)


@cell("colour tags that change", "ingest")
def _(folder: Path) -> None:
    record, pictures = clip_of(changing_tags(folder))
    assert record.cuts == []
    for picture in (pictures[0], pictures[-1]):
        assert np.abs(colours_of(picture) - PATCHES.astype(float)).max() <= 3


@cell("colour tags that change", "protect")
def _(folder: Path) -> None:
    check_refused(changing_tags(folder), "colour tags from ")
