"""Interlaced pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from material.media import ffmpeg, rewrite, seen
from material.pictures import combing, encoded, moving, woven
from material.properties.cells import (
    cell,
    check_refused,
    check_rejected,
    clip_of,
    first_of,
    values_of,
)

from swapset.media.container import open_video
from swapset.media.deinterlace import FieldOrder

FIELDS = {"tff": True, "bff": False}


def interlaced(path: Path, order: str, *codec: str, flagged: bool = True) -> Path:
    """Write a moving face, interlaced; `flagged` = also in the frames, not only the container."""
    pictures = woven(moving(16, step=4), top_first=FIELDS[order])
    whole = encoded(
        path.with_name("w.mkv"), pictures, "rgb24", "-pix_fmt", "yuv422p", "-c:v", "ffv1"
    )
    fields = "+ilme+ildct" if flagged else "0"
    settings = codec or ("-c:v", "libx264", "-qp", "0", "-x264-params", f"{order}=1")
    steps = f"setfield={order},scale=interl=1,format=yuv420p"
    ffmpeg("-i", whole, "-vf", steps, *settings, "-flags", fields, path)
    return path


def combs_left(source: Path) -> float:
    """Return how combed a clip is beside the face itself."""
    record, pictures = clip_of(source)
    assert "interlaced frames deinterlaced" in record.converted[0]
    assert record.source_frames == 8
    whole = moving(16, step=4)
    return max(combing(p) / combing(whole[0]) for p in pictures)


def interlaced_files(folder: Path) -> list[tuple[Path, str]]:
    return [
        (interlaced(folder / f"{order}{name}", order, *codec), order)
        for order in FIELDS
        for name, codec in (
            (".mp4", ()),
            (".mpg", ("-c:v", "mpeg2video", "-q:v", "2")),
            (".mov", ("-c:v", "prores")),
        )
    ]


@cell("interlaced frames", "ingest")
def _(folder: Path) -> None:
    for path, order in interlaced_files(folder):
        combed = woven(moving(16, step=4), top_first=FIELDS[order])
        assert combing(combed[3]) > 1.6 * combing(moving(1)[0])
        assert combs_left(path) < 1.25, path
        # The first field's picture is the one that is completed.
        _, pictures = clip_of(path)
        first, other = moving(16, step=4)[6:8]
        near, far = (np.abs(pictures[4].astype(int) - each)[8:-8] for each in (first, other))
        assert near.mean() < 0.6 * far.mean()


def field_orders(path: Path) -> set[str]:
    with open_video(path) as (container, stream):
        fields = FieldOrder(stream)
        return {fields.of(frame) for frame in container.decode(stream)}


@cell("interlaced frames", "protect")
def _(folder: Path) -> None:
    for path, order in interlaced_files(folder):
        assert field_orders(path) == {order}
        output = folder / "out.mkv"
        rewrite(path, output)
        assert field_orders(output) == {order}
        one, other = first_of(path), first_of(output)
        assert other.interlaced_frame
        np.testing.assert_array_equal(values_of(one.planes[0]), values_of(other.planes[0]))


def by_container(folder: Path) -> list[tuple[Path, str]]:
    files = []
    for order in FIELDS:
        for name, codec in (
            ("a.mkv", ("-c:v", "libvpx-vp9", "-lossless", "1")),
            ("b.mkv", ("-c:v", "huffyuv", "-pix_fmt", "yuv422p")),
            ("c.mov", ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj422p")),
        ):
            path = interlaced(folder / f"{order}{name}", order, *codec, flagged=False)
            assert not first_of(path).interlaced_frame
            files.append((path, order))
    return files


@cell("interlaced by the container alone", "ingest")
def _(folder: Path) -> None:
    for path, _ in by_container(folder):
        assert combs_left(path) < 1.3, path


@cell("interlaced by the container alone", "protect")
def _(folder: Path) -> None:
    for path, order in by_container(folder):
        rewrite(path, folder / "out.mkv")
        assert field_orders(folder / "out.mkv") == {order}
        assert first_of(folder / "out.mkv").interlaced_frame


def mixed(folder: Path) -> Path:
    """Write eight interlaced frames of MPEG-2, then eight progressive ones."""
    first = interlaced(folder / "a.mpg", "tff", "-c:v", "mpeg2video", "-q:v", "2", "-f", "mpegts")
    plain = encoded(folder / "w2.mkv", moving(8), "rgb24", "-pix_fmt", "yuv420p", "-c:v", "ffv1")
    ffmpeg("-i", plain, "-c:v", "mpeg2video", "-q:v", "2", "-f", "mpegts", folder / "b.ts")
    path = folder / "mixed.ts"
    path.write_bytes(first.read_bytes() + (folder / "b.ts").read_bytes())
    return path


@cell("interlaced and progressive frames mixed", "ingest")
def _(folder: Path) -> None:
    record, pictures = clip_of(mixed(folder))
    assert record.converted == ["8 interlaced frames deinterlaced"]
    assert combing(pictures[3]) < 1.25 * combing(moving(1)[0])
    _, alone = clip_of(folder / "b.ts")
    np.testing.assert_array_equal(pictures[-1], alone[-1])


@cell("interlaced and progressive frames mixed", "protect")
def _(folder: Path) -> None:
    check_refused(mixed(folder), "field order from tff to progressive")


def fields_as_pictures(folder: Path) -> Path:
    plain = encoded(folder / "w.mkv", moving(8), "rgb24", "-pix_fmt", "yuv420p", "-c:v", "ffv1")
    ffmpeg("-i", plain, "-vf", "setfield=tff,separatefields", "-c:v", "libx265", "-x265-params",
           "interlace=tff:log-level=none", folder / "a.mkv")  # fmt: skip
    return folder / "a.mkv"


@cell("fields stored as pictures (HEVC)", "ingest")
def _(folder: Path) -> None:
    check_rejected(fields_as_pictures(folder), "each field is a picture")


@cell("fields stored as pictures (HEVC)", "protect")
def _(folder: Path) -> None:
    check_refused(fields_as_pictures(folder), "each field is a picture")


@cell("repeated fields (telecine)", "ingest", "protect")
def _(folder: Path) -> None:
    whole = encoded(folder / "w.mkv", moving(12, step=2), "rgb24", "-pix_fmt", "yuv420p",
                    "-c:v", "ffv1", rate=24)  # fmt: skip
    source = folder / "a.ts"
    ffmpeg("-i", whole, "-vf", "telecine=first_field=top,setfield=tff", "-c:v", "mpeg2video",
           "-q:v", "2", "-flags", "+ilme+ildct", source)  # fmt: skip
    record, pictures = clip_of(source)
    assert record.source_frames == 15
    assert max(map(combing, pictures)) < 1.3 * combing(moving(1)[0])
    rewrite(source, folder / "out.mkv")
    (times, _), (written, _) = seen(source), seen(folder / "out.mkv")
    late = np.array(written, float) - np.array(times, float)
    assert np.ptp(late) < 0.0015
