"""Matrix, range, grey, depth, RGB, transparency and the place of chroma."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from material.media import rewrite
from material.pictures import PATCHES, SIDE, colours_of, encoded, face, patches, ycbcr
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
    zscaled,
)

from swapset.media.layout import kind_of

MATRICES = ("bt709", "smpte170m", "fcc", "smpte240m", "bt2020nc")


@cell("colour matrix", "ingest")
def _(folder: Path) -> None:
    for name in MATRICES:
        check_patches(flat(folder / "a.mkv", matrix=name, tags=f"colorspace={name}:range=tv"))


@cell("colour matrix", "protect")
def _(folder: Path) -> None:
    for name in MATRICES:
        check_same_values(flat(folder / "a.mkv", matrix=name, tags=f"colorspace={name}:range=tv"))


@cell("YCgCo", "ingest")
def _(folder: Path) -> None:
    check_patches(flat(folder / "a.mkv", matrix="ycgco", tags="colorspace=ycgco:range=tv"))


@cell("YCgCo", "protect")
def _(folder: Path) -> None:
    check_same_values(flat(folder / "a.mkv", matrix="ycgco", tags="colorspace=ycgco:range=tv"))


FOREIGN = {"bt2020c": "constant luminance", "14": "ICtCp", "smpte2085": "2085"}


@cell("matrices of constant luminance, ICtCp, IPT", "ingest")
def _(folder: Path) -> None:
    for name, words in FOREIGN.items():
        check_rejected(flat(folder / "a.mkv", tags=f"colorspace={name}:range=tv"), words)


@cell("matrices of constant luminance, ICtCp, IPT", "protect")
def _(folder: Path) -> None:
    for name, words in FOREIGN.items():
        check_refused(flat(folder / "a.mkv", tags=f"colorspace={name}:range=tv"), words)


@cell("range", "ingest")
def _(folder: Path) -> None:
    for full in (False, True):
        for bits in (8, 10):
            tags = f"colorspace=bt709:range={'pc' if full else 'tv'}"
            check_patches(flat(folder / "a.mkv", full=full, bits=bits, tags=tags))


@cell("range", "protect")
def _(folder: Path) -> None:
    for full in (False, True):
        tags = f"colorspace=bt709:range={'pc' if full else 'tv'}"
        check_same_values(flat(folder / "a.mkv", full=full, tags=tags))


GREY = PATCHES[:, 1]


def grey_files(folder: Path) -> list[Path]:
    """Return grey videos of both ranges, without a tag, and of several depths."""
    levels = patches(np.repeat(GREY[:, None], 3, 1))[..., 0].astype(float)
    files = []
    for layout, bits in (("gray", 8), ("gray10le", 10), ("gray12le", 12), ("gray16le", 16)):
        for tags in ("", "range=pc", "range=tv"):
            top = 2**bits - 1
            limited = (16 + levels * 219 / 255) * 2 ** (bits - 8)
            values = limited if tags == "range=tv" else levels / 255 * top
            path = folder / f"{layout}{len(files)}.mkv"
            kind = np.uint8 if bits == 8 else "<u2"
            files.append(encoded(path, [np.rint(values).astype(kind)] * 3, layout, tags=tags))
    return files


@cell("grey", "ingest")
def _(folder: Path) -> None:
    for path in grey_files(folder):
        check_patches(path, np.repeat(GREY[:, None], 3, 1), within=1)


@cell("grey", "protect")
def _(folder: Path) -> None:
    for path in grey_files(folder):
        rewrite(path, folder / "out.mkv")
        assert first_of(folder / "out.mkv").format.name == "yuv420p"
        check_patches(folder / "out.mkv", np.repeat(GREY[:, None], 3, 1), within=2)


@cell("place of chroma", "ingest")
def _(folder: Path) -> None:
    for place in ("left", "center", "topleft"):
        steps = f"zscale=m=smpte170m:r=tv:c={place}"
        wrong = difference_of(zscaled(folder / "a.mkv", face(), steps, "yuv420p"))
        assert wrong.mean() < 2
    steps = "zscale=m=smpte170m:r=tv:c={}"
    left, centre = (
        clip_of(zscaled(folder / f"{place}.mkv", face(), steps.format(place), "yuv420p"))[1][0]
        for place in ("left", "center")
    )
    assert np.abs(left.astype(int) - centre).mean() < 1


@cell("place of chroma", "protect")
def _(folder: Path) -> None:
    check_same_values(zscaled(folder / "a.mkv", face(), "zscale=m=bt709:r=tv:c=topleft", "yuv420p"))


@cell("more than 8 bits", "ingest")
def _(folder: Path) -> None:
    for bits in (10, 12):
        check_patches(flat(folder / "a.mkv", bits=bits, tags="colorspace=bt709:range=tv"))


@cell("more than 8 bits", "protect")
def _(folder: Path) -> None:
    check_same_values(flat(folder / "a.mkv", bits=10, tags="colorspace=bt709:range=tv"))
    rewrite(flat(folder / "b.mkv", bits=12, tags="colorspace=bt709:range=tv"), folder / "c.mkv")
    assert first_of(folder / "c.mkv").format.name == "yuv420p10le"
    check_patches(folder / "c.mkv")


LOSSLESS_RGB = ("-c:v", "libx264rgb", "-qp", "0")


def rgb_files(folder: Path) -> list[Path]:
    planes = np.moveaxis(patches(), -1, 0)[[1, 2, 0]].astype(float)
    deep = [np.rint(planes / 255 * (2**bits - 1)).astype("<u2") for bits in (10, 16)]
    whole = np.dstack([patches()[..., ::-1], patches()[..., :1]])
    return [
        encoded(folder / "10.mkv", [deep[0]] * 3, "gbrp10le"),
        encoded(folder / "16.mkv", [deep[1]] * 3, "gbrp16le"),
        encoded(folder / "8.mkv", [whole] * 3, "bgr0"),
        encoded(folder / "a.mp4", [planes.astype(np.uint8)] * 3, "gbrp", *LOSSLESS_RGB),
        encoded(folder / "p.mkv", [patches()] * 3, "rgb24", "-vf",
                "split[a][b];[a]palettegen[p];[b][p]paletteuse", "-c:v", "png", "-pix_fmt", "pal8"),
    ]  # fmt: skip


@cell("RGB", "ingest")
def _(folder: Path) -> None:
    for path in rgb_files(folder):
        assert kind_of(first_of(path).format.name).colours == "rgb"
        check_patches(path)


@cell("RGB", "protect")
def _(folder: Path) -> None:
    for path in rgb_files(folder):
        rewrite(path, folder / "out.mkv")
        assert first_of(folder / "out.mkv").format.name == "yuv420p"
        check_patches(folder / "out.mkv", within=4)


def transparent_files(folder: Path) -> list[Path]:
    """Return videos whose black is invisible and whose skin is half transparent."""
    alpha = np.full(patches().shape[:2], 255, np.uint8)
    alpha[:, :SIDE], alpha[:, SIDE : 2 * SIDE] = 0, 128
    rgba = np.dstack([patches(), alpha])
    values = np.concatenate([ycbcr(patches(), "bt709"), alpha[None]])
    grey = np.dstack([patches()[..., 1], alpha])
    return [
        encoded(folder / "a.mkv", [rgba] * 3, "rgba", "-c:v", "ffv1", "-pix_fmt", "bgra"),
        encoded(folder / "b.mov", [rgba] * 3, "rgba", "-c:v", "qtrle", "-pix_fmt", "argb"),
        encoded(folder / "c.mkv", [values] * 3, "yuva444p", tags="colorspace=bt709:range=tv"),
        encoded(folder / "d.mkv", [grey] * 3, "ya8", "-c:v", "png"),
    ]


def over_black(path: Path, *, within: float) -> None:
    expected = PATCHES.astype(float)
    if path.stem.startswith("d"):
        expected = np.repeat(expected[:, 1:2], 3, 1)
    expected[0] = 0
    expected[1] *= 128 / 255
    record, pictures = clip_of(path)
    assert np.abs(colours_of(pictures[0]) - expected).max() <= within, record


@cell("transparency", "ingest")
def _(folder: Path) -> None:
    for path in transparent_files(folder):
        over_black(path, within=3)


@cell("transparency", "protect")
def _(folder: Path) -> None:
    for path in transparent_files(folder):
        output = path.with_name(f"{path.stem}_out.mkv")
        rewrite(path, output)
        over_black(output, within=4)
