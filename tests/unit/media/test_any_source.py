"""Public datasets' videos as clips: any codec, or a folder of pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
from material.media import HEIGHT, WIDTH, number_of, numbered

from swapset.media.any_source import converted_clip
from swapset.media.decode import frames
from swapset.media.encode import VideoWriter

NUMBERS = [3, 77, 129, 254]


def test_a_video_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, WIDTH, HEIGHT, codec="h264", quality=5) as video:
        for number in NUMBERS:
            video.write(numbered(number))
    with converted_clip(path) as (clip, reason):
        assert reason == ""
        assert [number_of(frame) for frame in frames(clip)] == NUMBERS
    assert not clip.exists()


def test_a_folder_of_pictures_without_extensions(tmp_path: Path) -> None:
    for place, number in enumerate(NUMBERS):
        done, data = cv2.imencode(".png", numbered(number)[..., ::-1])
        assert done
        (tmp_path / f"{place + 1:03d}").write_bytes(data.tobytes())
    (tmp_path / "000").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no picture")
    with converted_clip(tmp_path) as (clip, reason):
        assert reason == ""
        assert [number_of(frame) for frame in frames(clip)] == NUMBERS


def test_what_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (text, empty):
        with converted_clip(path) as (clip, reason):
            assert reason == "unreadable"
            assert not clip.exists()
