"""Pictures that are embedded in the page, so that it can be sent as one file."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from PIL import Image as Pillow

from swapset.io.files import is_empty

WIDEST = 1600
"""Largest width of a picture in the page, in pixels; the files beside it keep their size."""


@dataclass(frozen=True)
class Picture:
    """A picture with its caption.

    Attributes
    ----------
    title, caption : str
        The title is also the alternative text.
    link : str
        Address of the full-size file, relative to the page.
    data : str or None
        The picture as a data URI; None if there is nothing to show.
    """

    title: str
    caption: str
    link: str
    data: str | None


def picture(
    path: Path, root: Path, title: str, caption: str, *, photographic: bool = True
) -> Picture:
    """Return the picture of a PNG file with its caption.

    Parameters
    ----------
    path : Path
        The PNG file. If it is empty, the page has a note instead.
    root : Path
        The page's folder.
    title, caption : str
    photographic : bool
        True: embed it as JPEG, which is several times smaller. False: as PNG, for charts.
    """
    data = None if is_empty(path) else data_uri(path, photographic=photographic)
    return Picture(title, caption, quote(path.relative_to(root).as_posix()), data)


def data_uri(path: Path, *, photographic: bool) -> str:
    """Return the picture of a PNG file as a data URI, no wider than `WIDEST`."""
    with Pillow.open(path) as stored:
        shown = stored.convert("RGB")
    if shown.width > WIDEST:
        height = round(shown.height * WIDEST / shown.width)
        shown = shown.resize((WIDEST, height), Pillow.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if photographic:
        shown.save(buffer, format="JPEG", quality=88, subsampling=0)
    else:
        shown.save(buffer, format="PNG", optimize=True)
    kind = "jpeg" if photographic else "png"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
