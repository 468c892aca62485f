"""Read, change and write picture files of 8 or 16 bits; everything but the pixels is kept."""

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
from swapset.types import Image

IMAGES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
MOST_PIXELS = 100_000_000
MOST_BYTES = 3 * MOST_PIXELS
"""Largest file, and largest decoded picture, in bytes; 16-bit RGB gets there at 50 megapixels."""
# Pillow's other formats can run programs (PostScript), or only add risk because nobody uses them.
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")

_WITH_METADATA = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_JPEG = frozenset({".jpg", ".jpeg"})
_DEEP = frozenset({".png", ".tif", ".tiff"})
"""Endings of formats that hold 16 bits."""
_GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"})
_OTHER_COLOURS = frozenset({"CMYK", "LAB", "F"})
# Exceptions of Pillow for damaged files: PNG (the first two), headers, and EXIF.
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
    """Return whether a file's name has the ending of a picture."""
    return path.suffix.lower() in IMAGES


@dataclass(frozen=True)
class Picture:
    """A picture file's contents, not turned upright.

    Attributes
    ----------
    path : Path
        The file that was read.
    pixels : (H, W), (H, W, 3) or (H, W, 4) uint8 or uint16
        Grey, BGR or BGRA, in [0, 255] or [0, 65535].
    grey : bool
        Whether the file's colour mode is grey, however many channels `pixels` has.
    orientation : Orientation
        Steps that turn the picture upright.
    kinds : (n,) int
        OpenCV's code for each entry of `metadata`.
    metadata : sequence of (m,) uint8
        EXIF, XMP and colour profile, as OpenCV reads them; not of TIFF and BMP.
    """

    path: Path
    pixels: npt.NDArray[Any]
    grey: bool
    orientation: Orientation
    kinds: Any
    metadata: Any

    def view(self) -> Image:
        """Return the upright picture, (H, W, 3) uint8 RGB in [0, 255], without alpha."""
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

    def add(self, before: Image, after: Image) -> None:
        """Add the difference of two views, (H, W, 3) uint8 RGB, to the picture itself.

        A pixel without a difference keeps all its bits, and alpha does not change. A grey picture
        changes by the mean difference of R, G and B.
        """
        old, new = (self.orientation.undo(view)[..., ::-1] for view in (before, after))
        shown = self.pixels[..., None] if self.pixels.ndim == 2 else self.pixels[..., :3]
        bits = np.iinfo(self.pixels.dtype).bits
        for rows in _strips(len(shown)):
            change = new[rows].astype(np.int32) - old[rows]
            if self.grey:
                change[:] = np.rint(change.mean(2, keepdims=True))
            change = change[..., : shown.shape[2]] * (257 if bits == 16 else 1)
            shown[rows] = np.clip(shown[rows] + change, 0, 2**bits - 1)

    def check_writable(self, output: Path) -> None:
        """Refuse an output format that cannot hold the picture.

        Raises
        ------
        MediaError
            If the ending is not a picture's, or its format cannot hold 16 bits or transparency.
        """
        ending = output.suffix.lower()
        if ending not in IMAGES:
            raise MediaError(f"{output}: pictures are written as {', '.join(sorted(IMAGES))}")
        if self.pixels.dtype == np.uint16 and ending not in _DEEP:
            raise MediaError(f"{output}: {ending} cannot hold 16 bits; name it .png or .tif")
        if self.pixels.shape[2:] == (4,) and ending in {*_JPEG, ".bmp"}:
            raise MediaError(f"{output}: {ending} cannot hold transparency; name it .png or .webp")

    def write(self, path: Path, *, quality: int = 95) -> None:
        """Write the picture in the format of the path's ending: JPEG (4:4:4), others without loss.

        TIFF and BMP are written without metadata, so that the picture is turned upright first.

        Parameters
        ----------
        path : Path
            The file.
        quality : int
            JPEG quality, 1 to 100.

        Raises
        ------
        MediaError
            If the format cannot hold the picture.
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
    """Read a picture file.

    Raises
    ------
    MediaError
        If it is damaged, is animated, has colours other than RGB or grey, or is larger than 100
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
            f"{path}: its pixels take {pixels.nbytes / 10**6:.0f} MB, and at most "
            f"{MOST_BYTES // 10**6} are read; make it smaller, or use 8 bits"
        )
    if kind == "TIFF":  # OpenCV has turned it upright already
        orientation = Orientation()
    return Picture(path, pixels, mode in _GREY, orientation, kinds, metadata)


def decode_picture(
    path: Path, flags: int = cv2.IMREAD_COLOR_RGB, *, most_pixels: int = MOST_PIXELS
) -> Image:
    """Decode an untrusted picture; of a damaged one, the part that can be decoded.

    Parameters
    ----------
    path : Path
        The file.
    flags : int
        OpenCV's flags of `imdecode`.
    most_pixels : int
        Largest picture that is decoded.

    Returns
    -------
    (H, W, 3) uint8
        RGB in [0, 255] with the default `flags`: grey and 16-bit pictures are converted, alpha is
        left out.

    Raises
    ------
    MediaError
        If it has more than `most_pixels`, or cannot be opened (see `open_picture`).
    """
    with open_picture(path) as header:
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
def open_picture(path: Path) -> Iterator[Pictures.Image]:
    """Open an untrusted picture with Pillow, without decoding its pixels.

    Only the formats of `IMAGES` are tried, whatever the file's name.

    Yields
    ------
    PIL.Image.Image
        The open picture, (H, W) pixels with channels such as uint8 RGB.

    Raises
    ------
    MediaError
        If it has another format, is larger than 100 megapixels or 300 MB, or is damaged. Damage
        may show only when the `with` block decodes the pixels.
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
    """Return Pillow's format and mode of a picture, and its orientation; refuse unusable ones."""
    with open_picture(path) as picture:
        # MPO: a phone's JPEG with more pictures behind the first, which are not kept.
        if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
            raise MediaError(
                f"{path}: holds {picture.n_frames} pictures; save them one by one, or an "  # type: ignore[attr-defined]
                "animation as a video"
            )
        if picture.mode in _OTHER_COLOURS:
            raise MediaError(f"{path}: its colours are {picture.mode}; convert it to RGB")
        picture.load()  # refuses a file that was cut off, which OpenCV would decode in part
        turn = _TURNS.get(picture.getexif().get(0x0112, 1), Orientation())
        return picture.format, picture.mode, turn


def _strips(rows: int) -> Iterator[slice]:
    """Yield slices of 64 rows: wider numbers for all rows at once would take gigabytes."""
    return (slice(start, start + 64) for start in range(0, rows, 64))


def _options(ending: str, quality: int) -> list[int]:
    if ending in _JPEG:
        full = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
        return [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, full]
    return [cv2.IMWRITE_WEBP_QUALITY, 101] if ending == ".webp" else []  # above 100: no loss
