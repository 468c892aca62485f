"""The register of tests of a picture's properties, and what they ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from material.media import ffmpeg, rewrite, seen
from material.pictures import PATCHES, chained, colours_of, encoded, face, patches, ycbcr

from swapset.errors import MediaError
from swapset.media.colour import i420_to_rgb, rgb_to_i420
from swapset.media.container import open_video
from swapset.media.decode import frames
from swapset.media.edit_frames import ColourTags
from swapset.media.ingest import IngestRecord, ingest
from swapset.media.properties import Where

Cell = Callable[[Path], None]
CELLS: dict[tuple[str, str], Cell] = {}
"""The test of each property, by its name and place."""

LOSSLESS = ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p")


def cell(name: str, *places: Where) -> Callable[[Cell], Cell]:
    """Make a function the test of a property in some places."""

    def register(test: Cell) -> Cell:
        CELLS.update({(name, where): test for where in places})
        return test

    return register


def clip_of(source: Path) -> tuple[IngestRecord, list[np.ndarray]]:
    """Return a source's record and the pictures of its clip."""
    clip = source.with_name("clip.mkv")
    record = ingest(source, clip)
    return record, list(frames(clip)) if record.ok else []


def check_patches(source: Path, colours: np.ndarray = PATCHES, *, within: float = 3) -> None:
    record, pictures = clip_of(source)
    assert record.ok, record
    got = colours_of(pictures[0], len(colours))
    assert np.abs(got - colours.astype(float)).max() <= within, got


def check_rejected(source: Path, words: str) -> None:
    record, _ = clip_of(source)
    assert (record.ok, record.reason) == (False, "unsupported_picture")
    assert words in record.detail


def check_refused(source: Path, words: str) -> None:
    with pytest.raises(MediaError, match=words) as error:
        rewrite(source, source.with_name("out.mkv"))
    assert str(error.value).startswith(str(source))
    assert "\n" not in str(error.value)


def first_of(path: Path) -> av.VideoFrame:
    with open_video(path) as (container, stream):
        return next(container.decode(stream))


def check_same_values(source: Path) -> av.VideoFrame:
    """Assert that `protect` would write the same values and tags; return a written frame."""
    output = source.with_name("out.mkv")
    rewrite(source, output)
    one, other = first_of(source), first_of(output)
    assert ColourTags.of(one) == ColourTags.of(other)
    for a, b in zip(one.planes, other.planes, strict=True):
        np.testing.assert_array_equal(values_of(a), values_of(b))
    return other


def values_of(plane: av.video.plane.VideoPlane) -> np.ndarray:
    deep = plane.line_size >= 2 * plane.width
    rows = np.frombuffer(memoryview(plane), "<u2" if deep else np.uint8)
    return rows.reshape(-1, plane.line_size // (2 if deep else 1))[: plane.height, : plane.width]


def flat(
    path: Path, *, tags: str, matrix: str = "bt709", bits: int = 8, full: bool = False
) -> Path:
    values = ycbcr(patches(), matrix, bits=bits, full=full)
    layout = "yuv444p" if bits == 8 else f"yuv444p{bits}le"
    return encoded(path, [values] * 3, layout, tags=tags)


def zscaled(path: Path, image: np.ndarray, arguments: str, layout: str) -> Path:
    """Write a picture of BT.709, (H, W, 3) uint8, converted by ffmpeg's zscale, without loss."""
    source = encoded(
        path.with_name("rgb.mkv"), [image] * 3, "rgb24", "-pix_fmt", "gbrp", "-c:v", "ffv1"
    )
    steps = f"setparams=color_primaries=bt709:color_trc=bt709,{arguments},format={layout}"
    ffmpeg("-i", source, "-vf", steps, "-c:v", "ffv1", path)
    return path


def stored(image: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 as it comes out of 4:2:0 of BT.601."""
    return i420_to_rgb(rgb_to_i420(image)).astype(int)


def check_as_players_show(source: Path) -> None:
    _, pictures = clip_of(source)
    height, width = pictures[0].shape[:2]
    (shown, *_) = chained(source, "null", (width, height))
    assert np.abs(pictures[0].astype(int) - shown).max() <= 3


def check_shown_alike(source: Path) -> None:
    """Assert that the written video shows the same, at the same times."""
    output = source.with_name("out.mp4")
    rewrite(source, output)
    (times, images), (written, copies) = seen(source), seen(output)
    np.testing.assert_allclose(np.array(written, float), np.array(times, float), atol=0.0015)
    for one, other in zip(images, copies, strict=True):
        np.testing.assert_array_equal(one, other)


def difference_of(source: Path) -> np.ndarray:
    """Return by how much a clip differs from the face, (H, W, 3) int."""
    record, pictures = clip_of(source)
    assert record.converted == []
    return np.abs(pictures[0] - stored(face()))
