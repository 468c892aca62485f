"""HDR, wide gamuts and transfers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from material.media import ffmpeg, rewrite
from material.pictures import PATCHES, chained, encoded, face, patches, with_box
from material.properties.cells import (
    cell,
    check_patches,
    check_refused,
    check_rejected,
    check_same_values,
    clip_of,
    difference_of,
    first_of,
    flat,
    stored,
    zscaled,
)

HDR = {"arib-std-b67": "HLG", "smpte2084": "PQ"}


def hdr(path: Path, transfer: str, nits: int, *codec: str) -> Path:
    """Write a face whose white is light of so many cd/m², in 10 bits of HEVC."""
    steps = (
        f"zscale=t=linear:npl={nits},format=gbrpf32le,zscale=p=bt2020:npl={nits},"
        f"zscale=t={transfer}:m=bt2020nc:r=tv:npl={nits}"
    )
    zscaled(path.with_name("whole.mkv"), face(), steps, "yuv420p10le")
    settings = codec or ("-c:v", "libx265", "-x265-params", "log-level=none:crf=8")
    ffmpeg("-i", path.with_name("whole.mkv"), *settings, path)
    return path


@cell("HLG and PQ", "ingest")
def _(folder: Path) -> None:
    for transfer, name in HDR.items():
        for nits in (100, 203, 1000):
            source = hdr(folder / f"a{nits}.mov", transfer, nits)
            record, pictures = clip_of(source)
            white = f"{name}, BT.2020 converted to BT.709, {nits} cd/m² as white"
            assert record.converted == [white]
            steps = (
                f"zscale=t=linear:npl={nits},format=gbrpf32le,zscale=p=bt709,tonemap=clip:desat=0"
            )
            (shown, *_) = chained(
                source, f"{steps},zscale=t=bt709:m=gbr:r=pc,format=gbrp", (160, 128)
            )
            assert np.abs(pictures[0].astype(int) - shown).mean() < 2
            assert np.abs(pictures[0].astype(int) - face()).mean() < 4


@cell("HLG and PQ", "protect")
def _(folder: Path) -> None:
    for transfer in HDR:
        written = check_same_values(hdr(folder / "a.mp4", transfer, 203))
        assert written.format.name == "yuv420p10le"
        assert int(written.color_primaries) == 9


SCREEN = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(6000000,50)"


def with_light_levels(path: Path, peak: int) -> Path:
    settings = f"log-level=none:hdr10=1:master-display={SCREEN}:max-cll={peak},200"
    return hdr(path, "smpte2084", 203, "-c:v", "libx265", "-x265-params", settings)


@cell("light levels of HDR", "ingest")
def _(folder: Path) -> None:
    lamp = face().astype(float)
    lamp[:32, :48] = 255
    light = (lamp / 255) ** 2.4 * 203
    light[:32, :48] *= 600 / 203
    steps = (
        "zscale=t=linear:npl=600,format=gbrpf32le,zscale=p=bt2020:npl=600,"
        "zscale=t=smpte2084:m=bt2020nc:r=tv:npl=600"
    )
    picture = np.rint(255 * (light / 600) ** (1 / 2.4)).astype(np.uint8)
    shown = {}
    for peak in (600, 4000):
        whole = zscaled(folder / "w.mkv", picture, steps, "yuv420p10le")
        settings = f"log-level=none:hdr10=1:master-display={SCREEN}:max-cll={peak},200:crf=8"
        ffmpeg("-i", whole, "-c:v", "libx265", "-x265-params", settings, folder / "a.mp4")
        _, pictures = clip_of(folder / "a.mp4")
        shown[peak] = pictures[0].astype(int)
    assert shown[600][8:24, 8:40].mean() > 250  # the brightest of the file is white
    assert shown[4000][8:24, 8:40].mean() < 245  # there could be brighter light
    assert np.abs(shown[600] - shown[4000])[64:].mean() < 15


@cell("light levels of HDR", "protect")
def _(folder: Path) -> None:
    source = with_light_levels(folder / "a.mp4", 800)
    assert rewrite(source, folder / "out.mp4") == []
    one, other = first_of(source), first_of(folder / "out.mp4")
    for kind in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"):
        assert kind in {each.type.name for each in one.side_data}
        np.testing.assert_allclose(
            _fractions(bytes(one.side_data[kind])), _fractions(bytes(other.side_data[kind]))
        )


def _fractions(data: bytes) -> np.ndarray:
    numbers = np.frombuffer(data, np.int32)
    return numbers if len(numbers) < 20 else numbers[:20:2] / numbers[1:20:2]


def dolby(path: Path) -> Path:
    """Write a video that says it is Dolby Vision of profile 5."""
    hdr(
        path,
        "smpte2084",
        203,
        "-c:v",
        "libx265",
        "-tag:v",
        "hvc1",
        "-x265-params",
        "log-level=none",
    )
    return with_box(path, "dvcC", bytes([1, 0, 5 << 1, 0b1101, 0]) + bytes(19))


@cell("Dolby Vision without other colours (profile 5)", "ingest")
def _(folder: Path) -> None:
    check_rejected(dolby(folder / "a.mp4"), "profile 5")


@cell("Dolby Vision without other colours (profile 5)", "protect")
def _(folder: Path) -> None:
    check_refused(dolby(folder / "a.mp4"), "profile 5")


WIDE = {"bt2020": "bt2020nc", "smpte432": "bt709"}


@cell("BT.2020, P3 and other wide primaries", "ingest")
def _(folder: Path) -> None:
    for primaries, matrix in WIDE.items():
        steps = f"zscale=p={primaries}:t=bt709:m={matrix}:r=tv"
        source = zscaled(folder / f"{primaries}.mkv", face(), steps, "yuv444p12le")
        record, pictures = clip_of(source)
        assert "converted to BT.709" in record.converted[0]
        assert np.abs(pictures[0].astype(int) - stored(face())).mean() < 1


@cell("BT.2020, P3 and other wide primaries", "protect")
def _(folder: Path) -> None:
    steps = "zscale=p=bt2020:t=bt709:m=bt2020nc:r=tv"
    written = check_same_values(zscaled(folder / "a.mkv", face(), steps, "yuv420p10le"))
    assert int(written.color_primaries) == 9


@cell("primaries near BT.709 (BT.601, BT.470 BG)", "ingest")
def _(folder: Path) -> None:
    for primaries in ("smpte170m", "bt470bg", "smpte240m"):
        steps = f"zscale=p={primaries}:t=bt709:m=bt709:r=tv"
        wrong = difference_of(zscaled(folder / "a.mkv", face(), steps, "yuv444p12le"))
        assert wrong.mean() < 2
        assert np.percentile(wrong, 99.9) <= 8


@cell("primaries near BT.709 (BT.601, BT.470 BG)", "protect")
def _(folder: Path) -> None:
    check_same_values(flat(folder / "a.mkv", tags="color_primaries=bt470bg:range=tv"))


@cell("linear, logarithmic and cinema transfer", "ingest")
def _(folder: Path) -> None:
    cinema = ((PATCHES / 255) ** 2.4 * 48 / 52.37) ** (1 / 2.6)
    values = np.moveaxis(patches(np.rint(cinema * 65535).astype("<u2")), -1, 0)[[1, 2, 0]]
    check_patches(encoded(folder / "c.mkv", [values] * 3, "gbrp16le", tags="color_trc=smpte428"))
    for transfer in ("linear", "log100", "log316"):
        steps = f"zscale=p=bt709:t={transfer}:m=bt709:r=tv"
        source = zscaled(folder / "a.mkv", face(), steps, "yuv444p12le")
        record, pictures = clip_of(source)
        assert len(record.converted) == 1
        assert np.abs(pictures[0] - stored(face())).mean() < 2.5


@cell("linear, logarithmic and cinema transfer", "protect")
def _(folder: Path) -> None:
    check_same_values(flat(folder / "a.mkv", tags="color_trc=linear:range=tv"))


@cell("transfer by sRGB, gamma 2.2 or 2.8", "ingest")
def _(folder: Path) -> None:
    for transfer in ("iec61966-2-1", "bt470m", "bt470bg"):
        steps = f"zscale=p=bt709:t={transfer}:m=bt709:r=tv"
        wrong = difference_of(zscaled(folder / "a.mkv", face(), steps, "yuv444p12le"))
        assert wrong.mean() < 10
        assert np.percentile(wrong, 99.9) <= 19


@cell("transfer by sRGB, gamma 2.2 or 2.8", "protect")
def _(folder: Path) -> None:
    check_same_values(flat(folder / "a.mkv", tags="color_trc=bt470bg:range=tv"))
