"""Crop, stereo, spherical pictures, odd sizes, rates and several streams."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from material.media import ffmpeg, number_of, numbered, rewrite, write_video
from material.pictures import (
    PATCHES,
    SIDE,
    chained,
    clap,
    colours_of,
    encoded,
    face,
    moving,
    patches,
    with_box,
    ycbcr,
)
from material.properties.cells import (
    LOSSLESS,
    cell,
    check_patches,
    check_refused,
    check_rejected,
    check_same_values,
    check_shown_alike,
    clip_of,
    first_of,
    stored,
)


def cropped_streams(folder: Path) -> list[tuple[Path, np.ndarray]]:
    """Return files whose stream hides columns and rows, and the colours that are left."""
    files = []
    for layout in ("yuv420p", "yuv444p"):
        for number, (crop, first, last) in enumerate(
            [("crop_left=48", 1, 5), ("crop_left=22:crop_right=10", 0, 5),
             ("crop_left=2:crop_right=98:crop_top=10", 0, 3)]
        ):  # fmt: skip
            path = folder / f"{layout}{number}.mp4"
            codec = ("-c:v", "libx264", "-qp", "0", "-pix_fmt", layout)
            bits = ("-bsf:v", f"h264_metadata={crop}")
            encoded(path, [patches()] * 3, "rgb24", *codec, *bits)
            files.append((path, PATCHES[first:last]))
    hevc = folder / "a.mkv"
    encoded(hevc, [patches()] * 3, "rgb24", "-c:v", "libx265", "-pix_fmt", "yuv420p",
            "-x265-params", "lossless=1:log-level=none",
            "-bsf:v", "hevc_metadata=crop_left=48")  # fmt: skip
    return [*files, (hevc, PATCHES[1:])]


def cropped_containers(folder: Path) -> list[tuple[Path, np.ndarray]]:
    files = []
    for number, (box, first, last) in enumerate(
        [(clap(2 * SIDE, 36, -SIDE, 4), 1, 3), (clap(2 * SIDE + 1, 39, -SIDE, 0), 1, 3)]
    ):
        path = folder / f"{number}.mp4"
        with_box(encoded(path, [patches()] * 3, "rgb24", *LOSSLESS), "clap", box)
        ffmpeg("-i", path, "-c", "copy", folder / f"{number}.mkv")  # PixelCrop elements
        files += [(path.with_suffix(end), PATCHES[first:last]) for end in (".mp4", ".mkv")]
    return files


def check_crop(source: Path, colours: np.ndarray) -> None:
    record, pictures = clip_of(source)
    probe = chained(source, "null", _shown_size(source))
    width, height = _shown_size(source)
    assert (record.width, record.height) == (width & ~1, height & ~1)
    whole = probe[0][: height & ~1, : width & ~1]
    assert np.abs(pictures[0].astype(int) - whole)[2:-2].mean() < 2
    assert np.abs(colours_of(pictures[0], len(colours)) - colours).max() <= 4 or len(colours) == 5


def _shown_size(source: Path) -> tuple[int, int]:
    """Return width and height that ffmpeg, which crops as players do, shows."""
    small = source.with_name("shown.mkv")
    ffmpeg("-i", source, "-c:v", "ffv1", small)
    frame = first_of(small)
    return frame.width, frame.height


@cell("crop in the stream", "ingest")
def _(folder: Path) -> None:
    for path, colours in cropped_streams(folder):
        check_crop(path, colours)


@cell("crop in the stream", "protect")
def _(folder: Path) -> None:
    for path, _ in cropped_streams(folder):
        check_shown_alike(path)


@cell("crop in the container", "ingest")
def _(folder: Path) -> None:
    for path, colours in cropped_containers(folder):
        record, _ = clip_of(path)
        assert "as the container says" in record.converted[0]
        check_crop(path, colours)


@cell("crop in the container", "protect")
def _(folder: Path) -> None:
    for path, _ in cropped_containers(folder):
        check_shown_alike(path)
        assert first_of(path.with_name("out.mp4")).width in (96, 97)


def stereo_files(folder: Path) -> list[Path]:
    """Return packed stereo pictures whose left view is the face and whose right one is grey."""
    left, right = moving(1, 160, 90)[0], np.full((90, 160, 3), 128, np.uint8)
    beside, above = np.hstack([left, right]), np.vstack([left, right])
    squeezed = np.hstack([left[:, ::2], right[:, ::2]])
    mkv = (*LOSSLESS, "-metadata:s:v")
    sei = ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p", "-x264-params")
    made: Sequence[tuple[str, np.ndarray, tuple[str, ...]]] = [
        ("a.mkv", beside, (*mkv, "stereo_mode=left_right")),
        ("b.mkv", beside[:, ::-1], (*mkv, "stereo_mode=right_left")),
        ("c.mkv", above, (*mkv, "stereo_mode=top_bottom")),
        ("d.mp4", squeezed, (*sei, "frame-packing=3")),
        ("e.mp4", beside, (*sei, "frame-packing=3")),
        ("f.mp4", above[::2], (*sei, "frame-packing=4")),
    ]
    return [encoded(folder / name, [image] * 3, "rgb24", *codec) for name, image, codec in made]


@cell("stereo, side by side or top-bottom", "ingest")
def _(folder: Path) -> None:
    for path in stereo_files(folder):
        record, pictures = clip_of(path)
        assert "left view of a stereo picture" in record.converted[0]
        assert record.cuts == []
        left = moving(1, 160, 90)[0]
        expected = left[:, ::-1] if path.stem == "b" else left
        if path.stem == "f":  # half the rows; squeezed in width to be round again
            assert (record.width, record.height) == (80, 44)
            continue
        assert (record.width, record.height) == (160, 90), path
        assert np.abs(pictures[2].astype(int) - expected).mean() < 8, path


@cell("stereo, side by side or top-bottom", "protect")
def _(folder: Path) -> None:
    for path in stereo_files(folder):
        check_refused(path, "two views of a stereo picture")


def mixed_views(folder: Path) -> list[Path]:
    files = [
        encoded(folder / f"{mode}.mkv", [patches()] * 3, "rgb24", *LOSSLESS, "-metadata:s:v",
                f"stereo_mode={mode}")
        for mode in ("checkerboard_lr", "row_interleaved_lr", "col_interleaved_rl", "block_lr")
    ]  # fmt: skip
    return files + [
        encoded(folder / f"{kind}.mp4", [patches()] * 3, "rgb24", *LOSSLESS, "-x264-params",
                f"frame-packing={kind}")
        for kind in (0, 1, 2, 5)
    ]  # fmt: skip


@cell("stereo of other layouts", "ingest")
def _(folder: Path) -> None:
    for path in mixed_views(folder):
        check_rejected(path, "stereo picture")


@cell("stereo of other layouts", "protect")
def _(folder: Path) -> None:
    for path in mixed_views(folder):
        check_refused(path, "stereo picture")


def spherical(path: Path) -> Path:
    """Write a video with the boxes `sv3d` of an equirectangular picture."""
    encoded(path, [patches()] * 3, "rgb24", *LOSSLESS)

    def box(kind: bytes, content: bytes) -> bytes:
        return (8 + len(content)).to_bytes(4, "big") + kind + content

    header = box(b"svhd", bytes(4) + b"test\0")
    pose, bounds = box(b"prhd", bytes(16)), box(b"equi", bytes(20))
    projection = box(b"proj", pose + bounds)
    return with_box(path, "sv3d", header + projection)


@cell("spherical", "ingest")
def _(folder: Path) -> None:
    check_rejected(spherical(folder / "a.mp4"), "equirectangular")


@cell("spherical", "protect")
def _(folder: Path) -> None:
    check_refused(spherical(folder / "a.mp4"), "equirectangular")


@cell("odd size", "ingest")
def _(folder: Path) -> None:
    image = np.ascontiguousarray(face()[:101, :131])
    record, pictures = clip_of(
        encoded(folder / "a.mkv", [image] * 3, "rgb24", "-pix_fmt", "bgr0", "-c:v", "ffv1")
    )
    assert (record.width, record.height) == (130, 100)
    assert np.abs(pictures[0] - stored(np.ascontiguousarray(image[:100, :130]))).max() <= 2


@cell("odd size", "protect")
def _(folder: Path) -> None:
    values = ycbcr(np.ascontiguousarray(face()[:101, :131]), "bt709")
    check_same_values(encoded(folder / "a.mkv", [values] * 3, "yuv444p", tags="range=tv"))


@cell("frame rate", "ingest")
def _(folder: Path) -> None:
    images = [numbered(number) for number in range(25)]
    _, pictures = clip_of(write_video(folder / "a.mp4", images, times=[k / 25 for k in range(25)]))
    expected = np.round(np.arange(30) / 30 * 25 - 1e-9).astype(int).clip(0, 24)
    assert [number_of(picture) for picture in pictures] == expected.tolist()


@cell("frame rate", "protect")
def _(folder: Path) -> None:
    check_shown_alike(
        write_video(folder / "a.mkv", [numbered(3)] * 6, times=[0, 0.1, 0.15, 0.5, 0.6, 1])
    )


def several_streams(folder: Path) -> list[Path]:
    """Return files with a grey picture, then the patches, which are the default or larger."""
    grey = np.full((SIDE, 4 * SIDE, 3), 90, np.uint8)
    one = encoded(folder / "one.mp4", [grey] * 3, "rgb24", *LOSSLESS)
    large = encoded(folder / "l.mp4", [np.full((96, 480, 3), 90, np.uint8)] * 3, "rgb24", *LOSSLESS)
    two = encoded(folder / "two.mp4", [patches()] * 3, "rgb24", *LOSSLESS)
    for end in (".mkv", ".mp4"):
        ffmpeg("-i", large, "-i", two, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0",
               "0", "-disposition:v:1", "default", folder / f"default{end}")  # fmt: skip
    ffmpeg("-i", one, "-i", two, "-map", "0", "-map", "1", "-c", "copy", folder / "larger.ts")
    return [folder / name for name in ("default.mkv", "default.mp4", "larger.ts")]


@cell("several video streams", "ingest")
def _(folder: Path) -> None:
    for path in several_streams(folder):
        check_patches(path)


@cell("several video streams", "protect")
def _(folder: Path) -> None:
    for path in several_streams(folder):
        (left_out,) = rewrite(path, folder / "out.mkv")
        assert "second picture" in left_out
        check_patches(folder / "out.mkv")
