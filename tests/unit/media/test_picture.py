"""Picture files: depth, alpha, greyness, orientation and metadata stay as they were."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from material.faces import portrait
from material.pictures import encoded
from PIL import Image, ImageCms, ImageOps

from swapset.errors import MediaError
from swapset.media import picture as pictures
from swapset.media.picture import Picture, read_picture

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
CHANGE = np.zeros((40, 60, 3), np.int16)
CHANGE[5:15, 10:30] = (9, -6, 3)


def small(height: int = 40, width: int = 60) -> np.ndarray:
    """Return part of a face without black and white: changes are not cut."""
    part = portrait("astronaut")[90 : 90 + height, 190 : 190 + width]
    return np.ascontiguousarray(part // 2 + 60)


def deep(image: np.ndarray) -> np.ndarray:
    """Return an image with 16 bits whose low bits are not those of 8 bits made longer."""
    noise = np.random.default_rng(1).integers(-100, 101, image.shape)
    return np.clip(image.astype(int) * 257 + noise, 0, 65535).astype(np.uint16)


def saved(path: Path, image: np.ndarray, *, mode: str = "RGB", **options: Any) -> Path:
    Image.fromarray(image).convert(mode).save(path, **options)
    return path


def changed(picture: Picture, change: np.ndarray) -> Picture:
    """Return a picture with a change of its view; the original stays."""
    made, view = replace(picture, pixels=picture.pixels.copy()), picture.view()
    made.add(view, (view + change).clip(0, 255).astype(np.uint8))
    return made


def exif(orientation: int) -> Image.Exif:
    about = Image.Exif()
    about[0x0112], about[0x010E] = orientation, "a portrait"
    return about


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".tif", ".bmp"])
def test_what_is_not_changed_stays(tmp_path: Path, ending: str) -> None:
    path = saved(tmp_path / f"a{ending}", small())
    picture = read_picture(path)
    changed(picture, CHANGE).write(tmp_path / f"b{ending}")
    moved = read_picture(tmp_path / f"b{ending}").view().astype(int) - picture.view()
    most = 12 if ending == ".jpg" else 0
    assert np.abs(moved - CHANGE).max() <= most
    assert np.abs(moved - CHANGE).mean() <= most / 8


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_view_is_upright_and_the_file_stays_so(
    tmp_path: Path, ending: str, orientation: int
) -> None:
    path = saved(tmp_path / f"a{ending}", small(), exif=exif(orientation))
    picture = read_picture(path)
    upright = np.array(ImageOps.exif_transpose(Image.open(path)))
    assert np.abs(picture.view().astype(int) - upright).max() <= 3
    change = np.zeros(upright.shape, np.int16)
    change[4:12, 8:24] = 20
    changed(picture, change).write(tmp_path / f"b{ending}", quality=100)
    shown = np.array(ImageOps.exif_transpose(Image.open(tmp_path / f"b{ending}"))).astype(int)
    np.testing.assert_allclose(shown - picture.view(), change, atol=4)


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp"])
def test_exif_and_colour_profile_stay(tmp_path: Path, ending: str) -> None:
    path = saved(tmp_path / f"a{ending}", small(), exif=exif(6), icc_profile=PROFILE)
    changed(read_picture(path), CHANGE.swapaxes(0, 1)).write(tmp_path / f"b{ending}")
    with Image.open(tmp_path / f"b{ending}") as picture:
        assert picture.info["icc_profile"] == PROFILE
        assert dict(picture.getexif()) == {0x0112: 6, 0x010E: "a portrait"}


def test_alpha_stays(tmp_path: Path) -> None:
    alpha = np.random.default_rng(0).integers(0, 256, (40, 60, 1)).astype(np.uint8)
    for ending in (".png", ".webp", ".tif"):
        options = {"lossless": True, "exact": True} if ending == ".webp" else {}
        image = np.dstack([small(), alpha])
        path = saved(tmp_path / f"a{ending}", image, mode="RGBA", **options)
        picture = read_picture(path)
        changed(picture, CHANGE).write(tmp_path / f"b{ending}")
        written = cv2.imread(str(tmp_path / f"b{ending}"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(written[..., 3], alpha[..., 0])
        with pytest.raises(MediaError, match="transparency"):
            picture.write(tmp_path / "b.jpg")


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey_stays_grey(tmp_path: Path, mode: str) -> None:
    picture = read_picture(saved(tmp_path / "a.png", small(), mode=mode))
    assert picture.grey
    changed(picture, CHANGE).write(tmp_path / "b.png")
    shown = read_picture(tmp_path / "b.png").view().astype(int)
    assert (shown == shown[..., :1]).all()
    if mode != "1":
        assert set(np.unique(shown - picture.view())) == {0, 2}  # the mean of 9, -6 and 3
    if mode != "LA":
        assert cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED).ndim == 2


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("grey", [False, True])
def test_sixteen_bits_keep_their_low_ones(tmp_path: Path, ending: str, grey: bool) -> None:
    image = deep(small()[..., 0] if grey else small())
    cv2.imwrite(str(tmp_path / f"a{ending}"), image)
    picture = read_picture(tmp_path / f"a{ending}")
    change = np.full_like(CHANGE, 2) if grey else CHANGE
    changed(picture, change).write(tmp_path / f"b{ending}")
    written = cv2.imread(str(tmp_path / f"b{ending}"), cv2.IMREAD_UNCHANGED)
    added = change[..., 0] if grey else change[..., ::-1]
    np.testing.assert_array_equal(written.astype(int) - image, 257 * added.astype(int))
    with pytest.raises(MediaError, match="16 bits"):
        picture.write(tmp_path / "b.jpg")


def test_jpeg_is_written_with_all_its_colours(tmp_path: Path) -> None:
    read_picture(saved(tmp_path / "a.jpg", small())).write(tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as picture:
        assert [part[1:3] for part in picture.layer] == [(1, 1)] * 3
        # 4:2:0 would be (2, 2), (1, 1), (1, 1)


def _gif(path: Path) -> None:
    frames = [Image.fromarray(small()), Image.fromarray(255 - small())]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def _cut(path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(small()).save(stream, "PNG" if path.suffix == ".png" else "JPEG")
    path.write_bytes(stream.getvalue()[: len(stream.getvalue()) * 2 // 3])


def test_bad_files_are_named_with_what_is_wrong(tmp_path: Path) -> None:
    cases = {
        "cut.jpg": (_cut, "damaged|cannot be read"),
        "cut.png": (_cut, "damaged|cannot be read"),
        "text.png": (lambda path: path.write_text("no picture"), "cannot be read"),
        "empty.jpg": (lambda path: path.touch(), "cannot be read"),
        "print.jpg": (lambda path: saved(path, small(), mode="CMYK"), "CMYK.*convert"),
        "several.tif": (_gif, "holds 2 pictures"),
        "moving.png": (_gif, "holds 2 pictures"),
        "moving.webp": (_gif, "holds 2 pictures"),
        "numbers.tif": (lambda path: saved(path, small(), mode="F"), "convert"),
    }
    for name, (make, said) in cases.items():
        make(tmp_path / name)
        with pytest.raises(MediaError, match=rf"{name}: .*({said})"):
            read_picture(tmp_path / name)


def test_pictures_that_need_too_much_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), deep(np.zeros((40, 60, 3), np.uint8)))
    monkeypatch.setattr(pictures, "MOST_BYTES", 40 * 60 * 6 - 1)
    with pytest.raises(MediaError, match=r"a\.png: its pixels take .* make it smaller, or use 8"):
        read_picture(path)


def test_names_of_other_formats_are_refused(tmp_path: Path) -> None:
    picture = read_picture(saved(tmp_path / "a.png", small()))
    with pytest.raises(MediaError, match=r"b\.gif: pictures are written as"):
        picture.write(tmp_path / "b.gif")
    assert not (tmp_path / "b.gif").exists()


def test_the_tag_of_hdr_stays(tmp_path: Path) -> None:
    """A PNG's cICP chunk: BT.2020 and PQ."""
    values = np.moveaxis(deep(small()), -1, 0)[[1, 2, 0]]
    path = encoded(tmp_path / "a.png", [values], "gbrp16le", "-frames:v", "1", "-update", "1",
                   tags="color_primaries=bt2020:color_trc=smpte2084:range=pc")  # fmt: skip
    tag = b"cICP\x09\x10\x00\x01"
    assert tag in path.read_bytes()
    read_picture(path).write(tmp_path / "b.png")
    assert tag in (tmp_path / "b.png").read_bytes()
