"""Picture files of any depth, whose pixels change by little and whose other contents stay."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import UnidentifiedImageError

from swapset.errors import MediaError
from swapset.media.orientation import Orientation

IMAGES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
MOST_PIXELS = 100_000_000
MOST_BYTES = 3 * MOST_PIXELS
"""Of a picture's file, and of its pixels: with 16 bits in RGB, as many as of 50 megapixels."""
# Others that Pillow knows run programs (PostScript), or are read by nobody's choice.
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")

_WITH_METADATA = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_JPEG = frozenset({".jpg", ".jpeg"})
_DEEP = frozenset({".png", ".tif", ".tiff"})
"""Endings of formats that hold 16 bits."""
_GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"})
_OTHER_COLOURS = frozenset({"CMYK", "LAB", "F"})
# Pillow's of damaged files: of PNG (the first two), of headers, and of EXIF.
_DAMAGE = (SyntaxError, EOFError, struct.error, OverflowError, IndexError, KeyError, TypeError)
_TURNS = {
    1: Orientation(),
    2: Orientation(flip_x=True),
    3: Orientation(flip_x=True, flip_y=True),
    4: Orientation(flip_y=True),
    5: Orientation(transpose=True),
    6: Orientation(transpose=True, flip_x=True),
    7: Orientation(transpose=True, flip_x=True, flip_y=True),
    8: Orientation(transpose=True, flip_y=True),
}
"""EXIF's orientations (CIPA DC-008, section 4.6.5, tag 0x0112)."""


def is_image(path: Path) -> bool:
    """Say by its name whether a file is a picture."""
    return path.suffix.lower() in IMAGES


@dataclass(frozen=True)
class Picture:
    """A picture as it is stored.

    Attributes
    ----------
    path : Path
    pixels : (H, W), (H, W, 3) or (H, W, 4) uint8 or uint16
        Grey, BGR or BGRA.
    grey : bool
        Whether it has no colours, whatever its channels.
    orientation : Orientation
        How it becomes upright.
    kinds : (n,) int
    metadata : sequence of (m,) uint8
        EXIF, XMP and colour profile, as OpenCV reads them; TIFF's and BMP's are not read.
    """

    path: Path
    pixels: npt.NDArray[Any]
    grey: bool
    orientation: Orientation
    kinds: Any
    metadata: Any

    def view(self) -> npt.NDArray[np.uint8]:
        """Return the picture (H, W, 3) uint8, RGB, upright; without its alpha."""
        colours = self.pixels[..., 2::-1]
        if self.pixels.ndim == 2:
            colours = np.broadcast_to(self.pixels[..., None], (*self.pixels.shape, 3))
        upright = self.orientation.apply(colours)
        view = np.empty(upright.shape, np.uint8)
        for rows in _strips(len(view)):
            part = upright[rows]
            deep = part.dtype == np.uint16
            view[rows] = (part.astype(np.uint32) + 128) // 257 if deep else part
        return view

    def add(self, before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]) -> None:
        """Add the difference of two views (H, W, 3) uint8, RGB, to the picture itself.

        A pixel that does not change keeps all its bits, and alpha is as it was. The change of a
        grey picture is the mean of that of R, G and B.
        """
        one, other = (self.orientation.undo(view)[..., ::-1] for view in (before, after))
        shown = self.pixels[..., None] if self.pixels.ndim == 2 else self.pixels[..., :3]
        bits = np.iinfo(self.pixels.dtype).bits
        for rows in _strips(len(shown)):
            change = other[rows].astype(np.int32) - one[rows]
            if self.grey:
                change[:] = np.rint(change.mean(2, keepdims=True))
            change = change[..., : shown.shape[2]] * (257 if bits == 16 else 1)
            shown[rows] = np.clip(shown[rows] + change, 0, 2**bits - 1)

    def check_writable(self, output: Path) -> None:
        """Refuse a format that cannot hold the picture.

        Raises
        ------
        MediaError
            If the ending is no picture's, or the format lacks the depth or alpha.
        """
        ending = output.suffix.lower()
        if ending not in IMAGES:
            raise MediaError(f"{output}: pictures are written as {', '.join(sorted(IMAGES))}")
        if self.pixels.dtype == np.uint16 and ending not in _DEEP:
            raise MediaError(f"{output}: {ending} holds no 16 bits; name it .png or .tif")
        if self.pixels.shape[2:] == (4,) and ending in {*_JPEG, ".bmp"}:
            raise MediaError(f"{output}: {ending} holds no transparency; name it .png or .webp")

    def write(self, path: Path, *, quality: int = 95) -> None:
        """Write the picture; by its ending as JPEG (4:4:4), or without loss.

        Where the format's metadata are not written (TIFF, BMP), it is turned upright first.

        Parameters
        ----------
        path : Path
        quality : int
            Of JPEG, 1 to 100.

        Raises
        ------
        MediaError
            If it cannot be stored.
        """
        self.check_writable(path)
        ending = path.suffix.lower()
        try:
            if ending in _WITH_METADATA:
                done, stored = cv2.imencodeWithMetadata(
                    ending, self.pixels, self.kinds, self.metadata, _options(ending, quality)
                )
            else:
                upright = np.ascontiguousarray(self.orientation.apply(self.pixels))
                done, stored = cv2.imencode(ending, upright)
        except cv2.error as error:
            raise MediaError(f"{path}: cannot be stored ({error.err})") from error
        if not done:
            raise MediaError(f"{path}: cannot be stored")
        path.write_bytes(stored.data)


def read_picture(path: Path) -> Picture:
    """Return a picture file as it is stored.

    Raises
    ------
    MediaError
        If it is damaged, animated, of colours other than RGB or grey, or larger than 100
        megapixels or 300 MB.
    """
    kind, mode, orientation = _examined(path)
    content = np.fromfile(path, np.uint8)
    try:
        pixels, kinds, metadata = cv2.imdecodeWithMetadata(content, flags=cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise MediaError(f"{path}: cannot be read as a picture ({error.err})") from error
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise MediaError(f"{path}: has pixels that are not 8 or 16 bits each; convert it to PNG")
    if pixels.nbytes > MOST_BYTES:
        raise MediaError(
            f"{path}: its pixels are {pixels.nbytes / 10**6:.0f} MB, and {MOST_BYTES // 10**6} are "
            "the most; make it smaller, or take 8 bits"
        )
    if kind == "TIFF":  # OpenCV turns these by itself
        orientation = Orientation()
    return Picture(path, pixels, mode in _GREY, orientation, kinds, metadata)


def decode_picture(
    path: Path, flags: int = cv2.IMREAD_COLOR_RGB, *, most_pixels: int = MOST_PIXELS
) -> npt.NDArray[np.uint8]:
    """Return the pixels of an untrusted picture, of what of it decodes.

    Parameters
    ----------
    path : Path
    flags : int
        OpenCV's.
    most_pixels : int

    Returns
    -------
    (H, W, 3) uint8, RGB
        Grey and 16-bit pictures are converted, alpha is left out.

    Raises
    ------
    MediaError
        If it is larger, or as of `opened_picture`.
    """
    with opened_picture(path) as header:
        if header.width * header.height > most_pixels:
            raise MediaError(f"{path}: is larger than {most_pixels / 1e6:.0f} megapixels")
    try:
        image = cv2.imdecode(np.fromfile(path, np.uint8), flags)
    except cv2.error as error:
        raise MediaError(f"{path}: cannot be read as a picture ({error.err})") from error
    if image is None:
        raise MediaError(f"{path}: cannot be read as a picture")
    return np.asarray(image, np.uint8)


@contextmanager
def opened_picture(path: Path) -> Iterator[Pictures.Image]:
    """Open an untrusted picture by Pillow; its pixels are not decoded yet.

    Only the formats of `IMAGES` are tried, whatever the file is called.

    Raises
    ------
    MediaError
        If it is none of these, larger than 100 megapixels or 300 MB, or, also later on, damaged.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MediaError(f"{path}: is larger than {MOST_BYTES // 10**6} MB; make it smaller")
        with warnings.catch_warnings(action="ignore", category=Pictures.DecompressionBombWarning):
            opened = Pictures.open(path, formats=_FORMATS)
        with opened as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise MediaError(f"{path}: is larger than 100 megapixels; make it smaller")
            yield picture
    except (UnidentifiedImageError, Pictures.DecompressionBombError, ValueError) as error:
        raise MediaError(f"{path}: cannot be read as a picture ({error})") from error
    except _DAMAGE as error:
        raise MediaError(f"{path}: is damaged ({error}); save it again") from error
    except OSError as error:
        if error.errno is not None:
            raise MediaError(f"{path}: cannot be read ({error.strerror})") from error
        raise MediaError(f"{path}: is damaged ({error}); save it again") from error


def _examined(path: Path) -> tuple[str | None, str, Orientation]:
    """Return format, mode and orientation of a picture that decodes to its end, as Pillow says."""
    with opened_picture(path) as picture:
        # .mpo: a JPEG of a telephone with more pictures behind it, which are not kept.
        if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
            raise MediaError(
                f"{path}: holds {picture.n_frames} pictures; save them one by one, or an "  # type: ignore[attr-defined]
                "animation as a video"
            )
        if picture.mode in _OTHER_COLOURS:
            raise MediaError(f"{path}: its colours are {picture.mode}; convert it to RGB")
        picture.load()  # OpenCV shows what there is of a file that was cut off
        turn = _TURNS.get(picture.getexif().get(0x0112, 1), Orientation())
        return picture.format, picture.mode, turn


def _strips(rows: int) -> Iterator[slice]:
    """Yield rows that are worked on together: with all at once, wider numbers take gigabytes."""
    return (slice(start, start + 64) for start in range(0, rows, 64))


def _options(ending: str, quality: int) -> list[int]:
    if ending in _JPEG:
        full = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
        return [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, full]
    return [cv2.IMWRITE_WEBP_QUALITY, 101] if ending == ".webp" else []  # above 100: no loss
