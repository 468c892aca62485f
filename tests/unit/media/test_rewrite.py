"""A video with other pictures: sound, subtitles, chapters, times and metadata stay."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from material.faces import portrait
from material.media import ffmpeg, numbered, packets, rewrite, seen, write_video

from swapset.errors import MediaError
from swapset.media.container import open_video
from swapset.media.edit_frames import ColourTags, FrameEditor
from swapset.media.orientation import Orientation
from swapset.media.rewrite import Rewriter
from swapset.media.source import SourceReader
from swapset.media.stream_copy import plan_rewrite

TIMES = [0, 0.04, 0.1, 0.5, 0.52, 0.8, 1.1, 1.2]
CHAPTERS = ";FFMETADATA1\ntitle=A talk\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=5\ntitle=One\n"


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of variable rate with two sounds, subtitles, a chapter, a title and a cover."""
    folder = tmp_path_factory.mktemp("talk")
    images = [numbered(number) for number in range(len(TIMES))]
    video = write_video(folder / "v.mp4", images, times=TIMES, rotation=90, aspect=Fraction(4, 3))
    words, about = folder / "words.srt", folder / "about.txt"
    words.write_text("1\n00:00:00,100 --> 00:00:00,900\nHello\n")
    about.write_text(CHAPTERS)
    path = folder / "talk.mkv"
    sounds = [part for f in (300, 500) for part in ("-f", "lavfi", "-i", f"sine={f}:duration=1.3")]
    ffmpeg("-i", video, *sounds, "-i", words, "-i", about, "-map", "0", "-map", "1", "-map", "2",
           "-map", "3", "-map_metadata", "4", "-c:v", "copy", "-c:a", "aac", "-c:s", "srt",
           "-metadata:s:a:1", "language=fra", path)  # fmt: skip
    return path


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".mov"])
def test_all_but_the_pictures_is_copied(talk: Path, tmp_path: Path, ending: str) -> None:
    output = tmp_path / f"out{ending}"
    assert rewrite(talk, output) == []
    (times, images), (written, copies) = seen(talk), seen(output)
    np.testing.assert_allclose(np.array(written, float), np.array(times, float), atol=0.0015)
    for one, other in zip(images, copies, strict=True):
        np.testing.assert_array_equal(one, other)
    for own, copied in zip(packets(talk, "audio"), packets(output, "audio"), strict=True):
        assert [part for _, part in own] == [part for _, part in copied]
        late = np.array([time for time, _ in copied]) - [time for time, _ in own]
        assert np.abs(late).max() < 0.0015
    assert len(packets(output, "subtitle")) == 1
    assert b"Hello" in b"".join(part for _, part in packets(output, "subtitle")[0])
    with av.open(str(output)) as container:
        assert container.metadata["title"] == "A talk"
        assert container.streams.audio[1].metadata["language"] in ("fra", "fre")
        assert [part["metadata"].get("title") for part in container.chapters()] == ["One"]


@pytest.mark.parametrize("flips", range(8))
def test_the_turn_to_upright_is_kept(tmp_path: Path, flips: int) -> None:
    turn = Orientation(bool(flips & 1), bool(flips & 2), bool(flips & 4))
    source, output = tmp_path / "a.mp4", tmp_path / "b.mp4"
    write_video(source, [numbered(3)] * 2)
    with open_video(source) as (container, stream):
        plan = plan_rewrite(source, container, stream, output)
        frames = list(SourceReader(container, stream))
        editor = FrameEditor(source, frames[0][1], stream)
        with Rewriter(output, plan, colours=editor.colours, orientation=turn, quality=0) as writer:
            for time, frame in frames:
                writer.write(time, editor.stored(frame))
    with open_video(output) as (container, stream):
        assert FrameEditor(output, next(container.decode(stream)), stream).orientation == turn


@pytest.mark.parametrize("layout", ["yuvj420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_depth_subsampling_and_range_are_kept(tmp_path: Path, layout: str) -> None:
    source, output = tmp_path / "a.mkv", tmp_path / "b.mkv"
    image = np.ascontiguousarray(portrait("astronaut")[:96, 150:278])
    write_video(source, [image] * 3, pix_fmt=layout)
    rewrite(source, output)
    with av.open(str(source)) as one, av.open(str(output)) as other:
        for a, b in zip(one.decode(video=0), other.decode(video=0), strict=True):
            assert a.format.name == b.format.name
            np.testing.assert_array_equal(a.to_ndarray(), b.to_ndarray())


def test_colour_tags_are_kept(tmp_path: Path) -> None:
    plain, source, output = (tmp_path / name for name in ("a.mp4", "b.mp4", "c.mp4"))
    write_video(plain, [numbered(1)] * 2)
    bt709 = "range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    ffmpeg("-i", plain, "-vf", f"setparams={bt709}", source)
    rewrite(source, output)
    with av.open(str(source)) as one, av.open(str(output)) as other:
        tags = [ColourTags.of(next(each.decode(video=0))) for each in (one, other)]
    assert tags[0] == tags[1] == ColourTags(range=1, matrix=1, primaries=1, transfer=1)


def test_a_transport_stream_begins_at_zero_and_stays_in_step(talk: Path, tmp_path: Path) -> None:
    source, output = tmp_path / "a.ts", tmp_path / "b.mp4"
    ffmpeg("-i", talk, "-map", "0:v", "-map", "0:a:0", "-c", "copy", source)
    rewrite(source, output)
    first, _ = seen(source)
    written, _ = seen(output)
    sound, copied = packets(source, "audio")[0], packets(output, "audio")[0]
    assert first[0] > 1
    assert 0 <= written[0] < 0.1
    assert abs((written[0] - first[0]) - (copied[0][0] - sound[0][0])) < 0.002


def test_a_cover_would_show_the_face_and_is_left_out(tmp_path: Path) -> None:
    plain, source, cover = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.png"
    write_video(plain, [numbered(1)] * 2)
    ffmpeg("-i", plain, "-frames:v", "1", cover)
    ffmpeg("-i", plain, "-i", cover, "-map", "0", "-map", "1", "-c", "copy", "-c:v:1", "png",
           "-disposition:v:1", "attached_pic", source)  # fmt: skip
    (left_out,) = rewrite(source, tmp_path / "d.mp4")
    assert "cover" in left_out
    with av.open(str(tmp_path / "d.mp4")) as container:
        assert len(container.streams.video) == 1


def test_what_a_container_cannot_hold_is_said_before_the_work(tmp_path: Path) -> None:
    plain, source = tmp_path / "a.mp4", tmp_path / "b.mkv"
    write_video(plain, [numbered(1)] * 2)
    ffmpeg("-i", plain, "-f", "lavfi", "-i", "sine=duration=0.1", "-c:v", "copy", "-c:a", "wmav2",
           source)  # fmt: skip
    with pytest.raises(MediaError, match=r"cannot hold the audio.*name it c\.mkv"):
        rewrite(source, tmp_path / "c.mp4")
    with pytest.raises(MediaError, match=r"written as \.mp4"):
        rewrite(plain, tmp_path / "c.webm")


def test_a_higher_rate_factor_gives_a_smaller_file(tmp_path: Path) -> None:
    image = np.ascontiguousarray(portrait("astronaut")[:256, :256])
    source = write_video(tmp_path / "a.mp4", [image] * 3)
    sizes = []
    for quality in (0, 10, 40):
        rewrite(source, tmp_path / "b.mp4", quality=quality)
        sizes.append((tmp_path / "b.mp4").stat().st_size)
    assert sizes == sorted(sizes, reverse=True)
    with pytest.raises(MediaError, match="52"):
        rewrite(source, tmp_path / "b.mp4", quality=52)


def test_an_error_between_frames_ends_ffmpeg(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", [numbered(1)] * 2)
    with open_video(source) as (container, stream):
        plan = plan_rewrite(source, container, stream, tmp_path / "b.mp4")
        time, frame = next(iter(SourceReader(container, stream)))
        editor = FrameEditor(source, frame, stream)
        writer = Rewriter(
            tmp_path / "b.mp4",
            plan,
            colours=editor.colours,
            orientation=editor.orientation,
            quality=16,
        )
        children = []

        def stopped() -> None:
            with writer:
                writer.write(time, editor.stored(frame))
                children.append(writer._running().pid)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            stopped()
    with pytest.raises(ProcessLookupError):
        os.kill(children[0], 0)


def test_a_folder_that_is_not_there_is_an_error_with_ffmpeg_s_words(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", [numbered(1)] * 2)
    with pytest.raises(MediaError, match="No such file"):
        rewrite(source, tmp_path / "nowhere" / "b.mp4")
