from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from material.media import number_of, numbered, write_video
from skimage import data

from swapset.errors import MediaError
from swapset.media.colour import i420_to_rgb, rgb_to_i420
from swapset.media.decode import frames
from swapset.media.encode import VideoWriter
from swapset.media.recompress import recompress

AWKWARD = [
    "with space.mp4",
    "-leading.mp4",
    "frame%d.mp4",
    "%03d.mp4",
    "quote'\"`$(x).mp4",
    "ünï-日本.mp4",
    "http:example.mp4",
    "concat:a|b.mp4",
    "a[1]*?.mp4",
    "back\\slash.mp4",
]


def photographs(count: int = 12) -> list[np.ndarray]:
    image = data.astronaut()[:128, 160:320]
    return [np.ascontiguousarray(np.roll(image, 2 * index, 1)) for index in range(count)]


def write(path: Path, images: list[np.ndarray], **options: object) -> Path:
    height, width = images[0].shape[:2]
    with VideoWriter(path, width, height, **options) as writer:  # type: ignore[arg-type]
        for image in images:
            writer.write(image)
    return path


@pytest.mark.parametrize("codec", ["mpeg4", "h264"])
def test_lossy_codecs_keep_order_size_and_mean_colour(tmp_path: Path, codec: str) -> None:
    images = photographs()
    decoded = list(frames(write(tmp_path / "a.mp4", images, codec=codec)))
    assert len(decoded) == len(images)
    for image, got in zip(images, decoded, strict=True):
        assert got.shape == image.shape
        assert got.dtype == np.uint8
        assert got.flags.c_contiguous
        assert np.abs(got.astype(float) - image).mean() < 5
        assert np.abs((got.astype(float) - image).mean((0, 1))).max() < 1


def test_lossless_changes_only_what_the_colour_conversion_changes(tmp_path: Path) -> None:
    images = photographs()
    decoded = list(frames(write(tmp_path / "a.mkv", images, codec="lossless")))
    again = list(frames(write(tmp_path / "b.mkv", decoded, codec="lossless")))
    for image, got, second in zip(images, decoded, again, strict=True):
        assert np.array_equal(got, i420_to_rgb(rgb_to_i420(image)))
        assert np.abs((second.astype(float) - got).mean((0, 1))).max() < 0.05


@pytest.mark.parametrize("width", [34, 66, 98, 130])
def test_widths_that_decoders_pad_come_back_unpadded(tmp_path: Path, width: int) -> None:
    images = [numbered(index, width, 50) for index in range(5)]
    decoded = list(frames(write(tmp_path / "a.mkv", images, codec="lossless")))
    assert [number_of(frame) for frame in decoded] == [0, 1, 2, 3, 4]
    assert all(frame.shape == (50, width, 3) and frame.flags.c_contiguous for frame in decoded)


@pytest.mark.parametrize(("codec", "name"), [("mpeg4", "mpeg4"), ("h264", "h264")])
def test_container_says_what_it_is(tmp_path: Path, codec: str, name: str) -> None:
    label = {"comment": "fake: a=b; c", "swapset_label": "1"}
    path = write(tmp_path / "a.mp4", photographs(6), codec=codec, fps=25, metadata=label)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        assert stream.codec_context.name == name
        assert stream.average_rate == 25
        assert stream.frames == 6
        assert (frame.format.name, int(frame.colorspace), int(frame.color_range)) == (
            "yuv420p",
            6,
            1,
        )
        assert label.items() <= container.metadata.items()
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # starts to play before it is whole


@pytest.mark.parametrize(
    ("codec", "suffix"), [("mpeg4", "mp4"), ("h264", "mp4"), ("lossless", "mkv")]
)
def test_same_frames_same_bytes(tmp_path: Path, codec: str, suffix: str) -> None:
    first = write(tmp_path / f"a.{suffix}", photographs(), codec=codec)
    second = write(tmp_path / f"b.{suffix}", photographs(), codec=codec)
    assert first.read_bytes() == second.read_bytes()


def test_better_quality_is_nearer(tmp_path: Path) -> None:
    images = photographs()

    def error(quality: int) -> float:
        path = write(tmp_path / f"{quality}.mp4", images, quality=quality)
        pairs = zip(images, frames(path), strict=True)
        return float(np.mean([np.abs(a.astype(float) - b).mean() for a, b in pairs]))

    assert error(2) < error(10) < error(31)


@pytest.mark.parametrize("name", AWKWARD)
def test_file_names_are_only_names(tmp_path: Path, name: str) -> None:
    images = [numbered(index) for index in (7, 8, 9)]
    path = write(tmp_path / name, images)
    recompress(path, tmp_path / f"again {name}", crf=23)
    assert [number_of(frame) for frame in frames(tmp_path / f"again {name}")] == [7, 8, 9]
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted([name, f"again {name}"])


def test_relative_name_with_leading_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("-i.mp4"), [numbered(1)] * 2)
    assert [number_of(frame) for frame in frames("-i.mp4")] == [1, 1]


def test_nothing_appears_when_the_block_fails(tmp_path: Path) -> None:
    old = write(tmp_path / "a.mp4", photographs(3)).read_bytes()
    wrong = [*photographs(1), np.zeros((2, 2, 3), np.uint8)]
    with pytest.raises(MediaError):
        write(tmp_path / "a.mp4", wrong)
    assert [item.name for item in tmp_path.iterdir()] == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == old


def test_wrong_use_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with pytest.raises(MediaError, match="even"):
        VideoWriter(path, 33, 32)
    with pytest.raises(MediaError, match="vp9"):
        VideoWriter(path, 32, 32, codec="vp9")  # type: ignore[arg-type]
    with pytest.raises(MediaError, match=r"\[2, 31\]"):
        VideoWriter(path, 32, 32, quality=0)
    with pytest.raises(MediaError, match="uint8"), VideoWriter(path, 32, 32) as writer:
        writer.write(np.zeros((32, 32, 3)))
    with (
        pytest.raises(MediaError, match="not \\(32, 32, 3\\)"),
        VideoWriter(path, 32, 32) as writer,
    ):
        writer.write(np.zeros((32, 34, 3), np.uint8))
    with pytest.raises(MediaError, match="no frame"), VideoWriter(path, 32, 32):
        pass
    with pytest.raises(MediaError, match="with"):
        VideoWriter(path, 32, 32).write(np.zeros((32, 32, 3), np.uint8))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_disk_is_an_error_with_ffmpegs_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swapset.media.encode.file_url", lambda _: "file:/dev/full")
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    with pytest.raises(MediaError, match=r"(?i)space|write"):
        write(tmp_path / "a.mkv", [noise] * 40, codec="lossless")
    assert not list(tmp_path.iterdir())


def test_damage_is_an_error(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.mp4", photographs(30), codec="h264").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(MediaError, match=r"decode|damaged"):
        list(frames(cut))
    with pytest.raises(MediaError, match=r"decode|failed|damaged"):
        recompress(cut, tmp_path / "again.mp4", crf=23)
    assert not (tmp_path / "again.mp4").exists()
    clip = write(tmp_path / "a.mkv", photographs(30), codec="lossless").read_bytes()
    cut = tmp_path / "cut.mkv"
    for share in (0.5, 0.9):
        cut.write_bytes(clip[: int(len(clip) * share)])
        with pytest.raises(MediaError, match=r"decode|damaged"):
            list(frames(cut))


def test_any_changed_byte_of_a_clip_is_an_error(tmp_path: Path) -> None:
    clip = write(tmp_path / "a.mkv", photographs(12), codec="lossless").read_bytes()
    broken = tmp_path / "broken.mkv"
    rng = np.random.default_rng(0)
    for place in rng.integers(len(clip) // 20, len(clip) * 19 // 20, 12):
        changed = bytearray(clip)
        changed[place] ^= 1 << int(rng.integers(8))
        broken.write_bytes(changed)
        with pytest.raises(MediaError, match=r"broken\.mkv.*damaged"):
            list(frames(broken))


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no such file"):
        next(frames(tmp_path / "none.mp4"))
    with pytest.raises(MediaError, match="no such file"):
        recompress(tmp_path / "none.mp4", tmp_path / "b.mp4", crf=23)


def test_recompress_keeps_frames_rate_and_labels_and_gets_smaller(tmp_path: Path) -> None:
    images = photographs(30)
    source = write(tmp_path / "a.mp4", images, fps=25, metadata={"comment": "fake", "x": "1"})
    sizes = []
    for crf in (23, 40):
        path = tmp_path / f"{crf}.mp4"
        recompress(source, path, crf=crf, metadata={"crf": str(crf)})
        sizes.append(path.stat().st_size)
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.average_rate) == ("h264", 25)
            assert {"comment": "fake", "x": "1", "crf": str(crf)}.items() <= (
                container.metadata.items()
            )
        decoded = list(frames(path))
        assert len(decoded) == len(images)
        bias = np.mean([(a.astype(float) - b).mean() for a, b in zip(images, decoded, strict=True)])
        assert abs(bias) < 2
    assert source.stat().st_size > sizes[0] > sizes[1]
    recompress(source, tmp_path / "twice.mp4", crf=40, metadata={"crf": "40"})
    assert (tmp_path / "twice.mp4").read_bytes() == (tmp_path / "40.mp4").read_bytes()


def test_recompress_refuses_bad_rate_factor(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", [numbered(1)] * 3)
    with pytest.raises(MediaError, match=r"\[0, 51\]"):
        recompress(source, tmp_path / "b.mp4", crf=52)
