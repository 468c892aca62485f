"""Words about the work on a video: frames done, and the time left of all passes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from material.protect import Stripes, job, talk

from swapset.obstruction.protect import progress as progress_module
from swapset.obstruction.protect.files import protect_file
from swapset.obstruction.protect.progress import Progress


class Clock:
    """Clock that only the test moves."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_the_time_left_is_that_of_all_passes(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Progress("a.mp4")
    shown.expect(protecting=40, checking=8)
    for number in shown.frames(range(5), "finding", 5, lambda frames: frames + 4.0 * (frames > 0)):
        clock.now += 5 if number == 0 else 1  # the first frame takes 5 times as long
    shown.expect(protecting=30)
    for _ in shown.frames(range(20), "protecting", 20):
        clock.now += 2
    for _ in shown.frames(range(4), "checking", 4):
        clock.now += 2
    shown.close(20)
    assert said(capsys) == [
        "a.mp4: finding: 1 of 5 frames, about 52 s left",
        "a.mp4: protecting: 3 of 20 frames, about 42 s left",
        "a.mp4: protecting: 8 of 20 frames, about 32 s left",
        "a.mp4: protecting: 13 of 20 frames, about 22 s left",
        "a.mp4: protecting: 18 of 20 frames, about 12 s left",
        "a.mp4: checking: 3 of 4 frames, about 2 s left",
        "a.mp4: done, 20 frames in 57 s",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (89, "89 s"), (300, "5 min"), (9000, "2.5 h")]
)
def test_times_are_in_words(
    clock: Clock, capsys: pytest.CaptureFixture[str], seconds: float, words: str
) -> None:
    shown = Progress("a.mp4")
    for _ in shown.frames(range(2), "finding", 2):
        clock.now += seconds
    assert said(capsys)[0] == f"a.mp4: finding: 1 of 2 frames, about {words} left"


@pytest.mark.parametrize("total", [None, 2, 10**12])
def test_numbers_of_frames_in_headers_may_be_missing_or_wrong(
    clock: Clock, capsys: pytest.CaptureFixture[str], total: int | None
) -> None:
    shown = Progress("a.mp4")
    assert list(shown.frames(range(3), "finding", total)) == [0, 1, 2]
    (line,) = said(capsys)
    assert line.startswith("a.mp4: finding: 1")
    assert ("left" in line) == (total is not None)


def test_a_terminal_gets_a_bar_with_the_time_left_in_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    shown = Progress("a.mp4")
    shown.expect(protecting=40)
    assert len(list(shown.frames(range(3), "finding", 3))) == 3
    shown.close(3)
    bar = capsys.readouterr().err
    assert "a.mp4: finding: 100%" in bar
    assert "about 40 s left in all" in bar
    assert "done" not in bar


def test_a_video_says_how_long_it_takes_from_its_first_frame_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Slow(Stripes):
        def seconds(self, *_: object) -> float:
            return 5.0

    source = talk(tmp_path / "a.mp4", sound=False)
    protect_file(source, tmp_path / "b.mp4", job(Slow()))
    first, *_, last = said(capsys)
    found = re.fullmatch(r"a\.mp4: finding faces: 1 of 14 frames, about (\d+) s left", first)
    assert found is not None
    assert 65 < int(found[1]) < 90
    assert re.fullmatch(r"a\.mp4: done, 14 frames in \d+ s", last)
