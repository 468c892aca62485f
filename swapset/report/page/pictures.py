"""Pictures inside the page itself, so that it can be sent as one file."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image as Pillow

from swapset.io.files import is_empty
from swapset.report.page.markup import Markup, element, joined

WIDEST = 1600
"""Larger pictures are shrunk for the page; the files beside it keep their size."""


def embedded(path: Path, about: str, *, photographic: bool = True) -> Markup:
    """Return an `img` element that carries a PNG file's picture as a data URI.

    Parameters
    ----------
    path : Path
    about : str
        Text for those who cannot see it.
    photographic : bool
        Carry it as JPEG, which is several times smaller; False keeps PNG, for charts.
    """
    with Pillow.open(path) as stored:
        picture = stored.convert("RGB")
    if picture.width > WIDEST:
        height = round(picture.height * WIDEST / picture.width)
        picture = picture.resize((WIDEST, height), Pillow.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if photographic:
        picture.save(buffer, format="JPEG", quality=88, subsampling=0)
    else:
        picture.save(buffer, format="PNG", optimize=True)
    kind = "jpeg" if photographic else "png"
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return element("img", src=f"data:image/{kind};base64,{data}", alt=about)


def figure(
    path: Path, root: Path, title: str, caption: str, *, photographic: bool = True
) -> Markup:
    """Return a captioned picture, linked to its full-size file if that is not empty."""
    if is_empty(path):
        shown: Markup = element("p", "Nothing was made here; see the tables for the reason.")
    else:
        link = path.relative_to(root).as_posix()
        shown = element("a", embedded(path, title, photographic=photographic), href=link)
    words = joined([element("b", title), f" {caption}" if caption else ""])
    return element("figure", shown, element("figcaption", words))
