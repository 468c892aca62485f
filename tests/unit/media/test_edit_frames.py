"""Changes of some pixels of a frame: there they are seen, elsewhere no value moves."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from material.faces import portrait
from material.media import ffmpeg, write_video

from swapset.errors import MediaError
from swapset.media.container import open_video
from swapset.media.edit_frames import LAYOUTS, FrameEditor
from swapset.media.orientation import Orientation

TURNS = [Orientation(t, x, y) for t in (False, True) for x in (False, True) for y in (False, True)]


def face(width: int = 128, height: int = 96) -> np.ndarray:
    return np.ascontiguousarray(portrait("astronaut")[60 : 60 + height, 150 : 150 + width])


def first(path: Path) -> tuple[av.VideoFrame, FrameEditor]:
    with open_video(path) as (container, stream):
        frame = next(container.decode(stream))
        return frame, FrameEditor(path, frame, stream)


def planes(frame: av.VideoFrame) -> list[np.ndarray]:
    kind = np.uint8 if "10" not in frame.format.name else np.dtype("<u2")
    return [
        np.frombuffer(memoryview(p), kind).reshape(p.height, -1)[:, : p.width] for p in frame.planes
    ]


def square(editor: FrameEditor, frame: av.VideoFrame, grey: int) -> np.ndarray:
    change = np.zeros(editor.view(frame).shape, np.int16)
    change[16:48, 32:64] = grey
    return change


@pytest.mark.parametrize("turn", TURNS)
def test_what_is_turned_upright_is_turned_back(turn: Orientation) -> None:
    image = np.arange(2 * 3 * 3).reshape(2, 3, 3)
    np.testing.assert_array_equal(turn.undo(turn.apply(image)), image)


@pytest.mark.parametrize("layout", [*LAYOUTS, "yuvj420p"])
def test_a_change_is_seen_and_nothing_else_moves(tmp_path: Path, layout: str) -> None:
    path = write_video(tmp_path / "a.mkv", [face()] * 2, pix_fmt=layout)
    frame, editor = first(path)
    kept = editor.stored(frame, np.zeros_like(square(editor, frame, 0)))
    for one, other in zip(planes(frame), planes(kept), strict=True):
        np.testing.assert_array_equal(one, other)
    change = square(editor, frame, 12)
    made = editor.stored(frame, change)
    for one, other in zip(planes(frame), planes(made), strict=True):
        ratio = frame.width // one.shape[1], frame.height // one.shape[0]
        outside = change[:: ratio[1], :: ratio[0], 0] == 0
        np.testing.assert_array_equal(one[outside], other[outside])
    luma = (planes(made)[0].astype(int) - planes(frame)[0])[20:44, 36:60]
    scale = 1 if layout == "yuvj420p" else 219 / 255
    assert abs(luma.mean() - 12 * scale * 2 ** (LAYOUTS.get(layout, 8) - 8)) < 0.6


@pytest.mark.parametrize(
    ("rotation", "aspect"), [(0, None), (90, None), (180, None), (-90, None), (0, Fraction(3, 2))]
)
def test_a_change_comes_back_where_it_was_seen(
    tmp_path: Path, rotation: int, aspect: Fraction | None
) -> None:
    """Whatever turns and stretches the picture between store and view."""
    path = write_video(tmp_path / "a.mp4", [face()] * 2, rotation=rotation, aspect=aspect)
    frame, editor = first(path)
    change = square(editor, frame, 12)
    made, before = editor.stored(frame, change), editor.stored(frame)
    moved = editor.view(made).astype(int) - editor.view(before)
    assert abs(moved[20:44, 36:60].mean() - 12) < 1
    assert np.abs(moved[:12]).max() == 0
    assert np.abs(moved[52:]).max() == 0
    assert np.abs(moved[:, 70:]).max() <= 1


def test_colours_change_by_the_video_s_own_matrix(tmp_path: Path) -> None:
    """A change of red alone: with BT.709's weights in BT.601's place, green would follow."""
    source = write_video(tmp_path / "a.mp4", [np.full((96, 128, 3), 120, np.uint8)] * 2)
    path = tmp_path / "b.mp4"
    ffmpeg("-i", source, "-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709", path)
    frame, editor = first(path)
    assert editor.colours.matrix == 1
    change = square(editor, frame, 0)
    change[16:48, 32:64, 0] = 20
    moved = editor.view(editor.stored(frame, change)).astype(int) - editor.view(frame)
    np.testing.assert_allclose(moved[20:44, 36:60].mean((0, 1)), (20, 0, 0), atol=2)


def test_grey_and_rgb_become_what_h264_holds(tmp_path: Path) -> None:
    for layout, codec in (("gray", "ffv1"), ("bgr0", "ffv1")):
        path = write_video(tmp_path / f"{layout}.mkv", [face()] * 2, codec=codec, pix_fmt=layout)
        frame, editor = first(path)
        made = editor.stored(frame)
        assert made.format.name == "yuv420p"
        assert (editor.colours.matrix, editor.colours.range) == (6, 1)
        with open_video(path) as (_, stream):
            other = FrameEditor(path, made, stream)
        assert np.abs(other.view(made).astype(int) - editor.view(frame)).mean() < 1


def test_odd_sizes_lose_a_pixel_only_where_they_must(tmp_path: Path) -> None:
    for layout, size in (("yuv420p", (94, 126)), ("yuv444p", (95, 127))):
        image = np.ascontiguousarray(face()[:95, :127])
        path = write_video(tmp_path / f"{layout}.mkv", [image] * 2, codec="ffv1", pix_fmt=layout)
        frame, editor = first(path)
        made = editor.stored(frame, square(editor, frame, 5))
        assert (made.height, made.width) == size


def test_a_picture_that_changes_its_size_is_refused(tmp_path: Path) -> None:
    _, editor = first(write_video(tmp_path / "a.mp4", [face()] * 2))
    other, _ = first(write_video(tmp_path / "b.mp4", [face(64, 64)] * 2))
    with pytest.raises(MediaError, match=r"a\.mp4: its picture changes"):
        editor.view(other)
