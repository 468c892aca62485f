"""Sheets of pictures: panels in rows and columns with captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from swapset.io.files import atomic_output
from swapset.types import Image

MARGIN = 16
GAP = 6
_TITLE, _HEAD, _TEXT = 20, 14, 13
_INK, _GREY, _EMPTY = (20, 20, 20), (95, 95, 95), (238, 238, 238)


@dataclass(frozen=True)
class Panel:
    """A picture (H, W, 3) uint8 RGB and the line below it; None leaves the place empty."""

    image: Image | None
    caption: str = ""


@dataclass(frozen=True)
class Sheet:
    """Content of a sheet.

    Attributes
    ----------
    title, note : str
        Texts above and below the panels.
    rows : sequence of sequences of Panel
    tile : (int, int)
        Width and height of a panel in pixels; pictures are scaled to fit.
    columns : sequence of str
        Heads of the columns; the first line of each is emphasised.
    labels : sequence of str
        Texts at the left of the rows.
    least_width : int
        Smallest width of the sheet in pixels.
    """

    title: str
    rows: Sequence[Sequence[Panel]]
    tile: tuple[int, int]
    columns: Sequence[str] = ()
    labels: Sequence[str] = ()
    note: str = ""
    least_width: int = field(default=620)


@dataclass(frozen=True)
class Layout:
    """Positions on a sheet, in pixels.

    Attributes
    ----------
    size : (int, int)
        Width and height of the sheet.
    left, top : int
        Corner of the first panel.
    step : (int, int)
        Distance from one panel to the next, to the right and down.
    """

    size: tuple[int, int]
    left: int
    top: int
    step: tuple[int, int]

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Return x, y of a panel's top left corner."""
        return self.left + column * self.step[0], self.top + row * self.step[1]


def layout(sheet: Sheet) -> Layout:
    """Compute the positions of a sheet's panels."""
    columns = max((len(row) for row in sheet.rows), default=1)
    captions = any(panel.caption for row in sheet.rows for panel in row)
    step = sheet.tile[0] + GAP, sheet.tile[1] + GAP + (_line(_TEXT) if captions else 0)
    label = max(
        (_width(line, _TEXT) for text in sheet.labels for line in text.split("\n")), default=0
    )
    left = MARGIN + (label + 10 if label else 0)
    width = max(left + columns * step[0] - GAP + MARGIN, sheet.least_width)
    inner = width - 2 * MARGIN
    top = MARGIN + len(_wrapped(sheet.title, _TITLE, inner)) * _line(_TITLE) + 8
    top += max((head.count("\n") + 1 for head in sheet.columns), default=0) * _line(_HEAD)
    height = top + len(sheet.rows) * step[1] + MARGIN
    height += len(_wrapped(sheet.note, _TEXT, inner)) * _line(_TEXT)
    return Layout((width, height), left, top, step)


def compose(sheet: Sheet) -> Image:
    """Draw a sheet as one picture, (H, W, 3) uint8 RGB."""
    place = layout(sheet)
    canvas = Pillow.new("RGB", place.size, "white")
    draw = ImageDraw.Draw(canvas)
    inner = place.size[0] - 2 * MARGIN
    _lines(draw, (MARGIN, MARGIN), _wrapped(sheet.title, _TITLE, inner), _TITLE, bold=True)
    for number, head in enumerate(sheet.columns):
        _head(draw, place, number, head.split("\n"), sheet.tile[0])
    for number, row in enumerate(sheet.rows):
        if number < len(sheet.labels):
            text = sheet.labels[number].split("\n")
            middle = place.corner(number, 0)[1] + (sheet.tile[1] - len(text) * _line(_TEXT)) // 2
            _lines(draw, (MARGIN, middle), text, _TEXT)
        for column, panel in enumerate(row):
            _panel(canvas, draw, place.corner(number, column), panel, sheet.tile)
    bottom = place.top + len(sheet.rows) * place.step[1] + 2
    _lines(draw, (MARGIN, bottom), _wrapped(sheet.note, _TEXT, inner), _TEXT, colour=_GREY)
    return np.asarray(canvas, np.uint8)


def save(image: Image, path: Path) -> None:
    """Write a picture (H, W, 3) uint8 RGB as PNG, whole or not at all."""
    with atomic_output(path) as scratch:
        Pillow.fromarray(image).save(scratch, format="PNG", optimize=True)


def fitted(image: Image, tile: tuple[int, int]) -> Image:
    """Scale a picture (H, W, 3) uint8 RGB to fit into (width, height), keeping its proportions."""
    height, width = image.shape[:2]
    scale = min(tile[0] / width, tile[1] / height)
    if scale == 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def message(text: str, title: str) -> Image:
    """Draw a sheet (H, W, 3) uint8 RGB with a text in place of pictures: why there are none."""
    return compose(Sheet(title, [], (1, 1), note=text))


def _panel(
    canvas: Pillow.Image, draw: Any, corner: tuple[int, int], panel: Panel, tile: tuple[int, int]
) -> None:
    x, y = corner
    if panel.image is None:
        draw.rectangle((x, y, x + tile[0] - 1, y + tile[1] - 1), fill=_EMPTY)
    else:
        picture = fitted(panel.image, tile)
        inset = (tile[0] - picture.shape[1]) // 2, (tile[1] - picture.shape[0]) // 2
        canvas.paste(Pillow.fromarray(picture), (x + inset[0], y + inset[1]))
    _lines(draw, (x, y + tile[1] + 1), [_cut(panel.caption, _TEXT, tile[0])], _TEXT)


def _head(draw: Any, place: Layout, number: int, head: list[str], width: int) -> None:
    """Draw a column's head, its last line just above the panels."""
    x = place.corner(0, number)[0]
    y = place.top - len(head) * _line(_HEAD) - 2
    _lines(draw, (x, y), [_cut(head[0], _HEAD, width, bold=True)], _HEAD, bold=True)
    rest = [_cut(line, _TEXT, width) for line in head[1:]]
    _lines(draw, (x, y + _line(_HEAD)), rest, _TEXT, colour=_GREY)


def _lines(
    draw: Any,
    corner: tuple[int, int],
    lines: Sequence[str],
    size: int,
    *,
    bold: bool = False,
    colour: tuple[int, int, int] = _INK,
) -> None:
    for number, line in enumerate(lines):
        place = corner[0], corner[1] + number * _line(size)
        draw.text(place, line, fill=colour, font=_font(size, bold))


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which comes with Matplotlib and so needs no font of the system."""
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), size)


def _line(size: int) -> int:
    return round(size * 1.35)


def _width(text: str, size: int, bold: bool = False) -> int:
    return round(_font(size, bold).getlength(text))


def _cut(text: str, size: int, width: int, bold: bool = False) -> str:
    """Shorten a line with an ellipsis until it fits."""
    if _width(text, size, bold) <= width:
        return text
    while text and _width(f"{text}…", size, bold) > width:
        text = text[:-1]
    return f"{text}…"


def _wrapped(text: str, size: int, width: int) -> list[str]:
    """Break a text into lines no wider than `width`."""
    lines: list[str] = []
    for paragraph in text.split("\n") if text else []:
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and _width(longer, size) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines
