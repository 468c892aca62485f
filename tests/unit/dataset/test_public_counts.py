"""The number of frames of a public dataset's videos, in every container."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.media import ffmpeg, numbered, write_video

from swapset.dataset.public_counts import count_public


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm", "ts", "avi", "h264"])
def test_frames_are_counted_whatever_the_header_says(tmp_path: Path, ending: str) -> None:
    real, fake = write_video(tmp_path / "a.mkv", [numbered(n) for n in range(45)]), tmp_path / "b"
    video = tmp_path / f"v.{ending}"
    # Sound that lasts longer makes the container longer than its picture.
    sound = ["-f", "lavfi", "-i", "sine=duration=9:r=48000"] if ending != "h264" else []
    ffmpeg("-i", real, *sound, *(["-c:v", "libx264"] if ending != "webm" else []), video)
    fake.mkdir()
    for name in ("1.png", "2.png", "3.png"):
        (fake / name).touch()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    table = count_public("dfdc", [(str(video), 0), (str(broken), 0), (str(fake), 1)])
    assert table.values.tolist() == [["dfdc", 2, 45, 1, 3]]


def test_an_edit_list_leaves_frames_out(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.mp4", [numbered(n) for n in range(90)], options={"bf": "0"})
    cut = tmp_path / "b.mp4"
    ffmpeg("-ss", "1.5", "-i", whole, "-c", "copy", cut)
    # Frames before the cut, back to the key frame, are in the file, but are not shown.
    assert count_public("dfdc", [(str(cut), 0)]).real_frames[0] == 45
