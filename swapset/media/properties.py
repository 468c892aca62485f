"""All properties of a decoded picture that change what people see, and how each is treated.

Documentation and tests follow this table: a row without a test fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Where = Literal["ingest", "protect"]
"""The two readers of videos from strangers: `ingest` makes clips (also for public data and `swapset
detect`), `protect` writes the same video with noise."""


class Action(StrEnum):
    """The four answers to a property."""

    CONVERTED = "converted"
    CARRIED = "carried over"
    REJECTED = "rejected"
    LEFT = "left alone"


@dataclass(frozen=True)
class Treatment:
    """The answer to a property, and how or why.

    Attributes
    ----------
    action : Action
        In one word.
    how : str
        The result, or the reason.
    """

    action: Action
    how: str


@dataclass(frozen=True)
class Property:
    """A property of a picture.

    Attributes
    ----------
    name : str
        What it is.
    ingest, protect : Treatment
        What each does about it.
    """

    name: str
    ingest: Treatment
    protect: Treatment

    def of(self, where: Where) -> Treatment:
        """Return what is done about it in one place."""
        return self.ingest if where == "ingest" else self.protect


def _row(name: str, ingest: tuple[Action, str], protect: tuple[Action, str]) -> Property:
    return Property(name, Treatment(*ingest), Treatment(*protect))


_TO, _ON, _NO, _AS_IS = Action.CONVERTED, Action.CARRIED, Action.REJECTED, Action.LEFT
_TAG = _ON, "same tag; noise is added by it"
_CHANGE = _NO, "one file cannot say both; the message names the property and the time"

PROPERTIES = (
    _row("colour matrix", (_TO, "to BT.601; untagged: BT.709 from 720 rows on"), _TAG),
    _row("YCgCo", (_TO, "as other matrices"), _TAG),
    _row(
        "matrices of constant luminance, ICtCp, IPT",
        (_NO, "not linear, and hardly used outside Dolby Vision"),
        (_NO, "noise could not be added exactly"),
    ),
    _row("range", (_TO, "to limited range"), _TAG),
    _row(
        "grey",
        (_TO, "by its range; untagged: full, as pictures have it"),
        (_TO, "to 4:2:0 in BT.601, limited range"),
    ),
    _row(
        "HLG and PQ",
        (_TO, "to BT.709 by BT.2100, with white at 100, 203 or 1,000 cd/m² and BT.2390 above"),
        (_ON, "10 bits and tags; noise is as large in their values as in any others"),
    ),
    _row(
        "light levels of HDR",
        (_TO, "the brightest is where BT.2390's curve ends"),
        (_ON, "as x264 writes them; HDR10+ and the like are left out, and listed"),
    ),
    _row(
        "Dolby Vision without other colours (profile 5)",
        (_NO, "no free software reads its colours"),
        (_NO, "its metadata cannot be written again"),
    ),
    _row("BT.2020, P3 and other wide primaries", (_TO, "to BT.709; colours beyond it clip"), _TAG),
    _row(
        "primaries near BT.709 (BT.601, BT.470 BG)",
        (_AS_IS, "skin changes by at most 8 of 255, and players ignore it"),
        _TAG,
    ),
    _row("linear, logarithmic and cinema transfer", (_TO, "to BT.709, by BT.1886"), _TAG),
    _row(
        "transfer by sRGB, gamma 2.2 or 2.8",
        (_AS_IS, "at most 19 of 255; players ignore it, and PAL DVDs state 2.8 by rote"),
        _TAG,
    ),
    _row(
        "place of chroma",
        (_AS_IS, "half a pixel of chroma: less than 1 of 255 on a face"),
        (_AS_IS, "stored values stay; players assume the usual place"),
    ),
    _row("more than 8 bits", (_TO, "to 8 bits"), (_ON, "10 bits; deeper values become 10 bits")),
    _row("RGB", (_TO, "to BT.601"), (_TO, "to 4:2:0 in BT.601, because RGB H.264 rarely plays")),
    _row(
        "transparency",
        (_TO, "laid over black, as by most players"),
        (_TO, "laid over black, since H.264 holds none"),
    ),
    _row(
        "interlaced frames",
        (_TO, "deinterlaced by bwdif, one picture per frame"),
        (_ON, "same field order; noise is added to each field by itself"),
    ),
    _row(
        "interlaced by the container alone",
        (_TO, "deinterlaced, all frames"),
        (_ON, "the frames get the field order"),
    ),
    _row(
        "interlaced and progressive frames mixed",
        (_TO, "only those that are interlaced; others stay to the bit"),
        _CHANGE,
    ),
    _row(
        "fields stored as pictures (HEVC)",
        (_NO, "ffmpeg does not join them"),
        (_NO, "ffmpeg does not join them"),
    ),
    _row(
        "repeated fields (telecine)",
        (_TO, "by time stamps; combed frames are deinterlaced"),
        (_ON, "the time of each frame stays"),
    ),
    _row("rotation", (_TO, "upright"), (_ON, "same metadata")),
    _row("mirror", (_TO, "as shown"), (_ON, "same metadata")),
    _row("pixel shape", (_TO, "square pixels"), (_ON, "same shape")),
    _row(
        "pixel shape that changes",
        (_TO, "each frame by its own; black bars, and a cut"),
        _CHANGE,
    ),
    _row("size that changes", (_TO, "scaled by one factor; black bars, and a cut"), _CHANGE),
    _row("orientation that changes", (_TO, "each frame by its own, and a cut"), _CHANGE),
    _row("colour tags that change", (_TO, "each frame by its own"), _CHANGE),
    _row("crop in the stream", (_TO, "to the pixel"), (_TO, "what is hidden is not stored")),
    _row("crop in the container", (_TO, "to the pixel"), (_TO, "what is hidden is not stored")),
    _row(
        "stereo, side by side or top-bottom",
        (_TO, "the left eye's view, stretched if it was squeezed"),
        (_NO, "each face would need noise twice, and players the layout"),
    ),
    _row(
        "stereo of other layouts",
        (_NO, "the views are mixed in rows, columns, squares or time"),
        (_NO, "the views are mixed in rows, columns, squares or time"),
    ),
    _row(
        "spherical",
        (_NO, "it bends faces; which way to look is not said"),
        (_NO, "noise would be made on bent faces"),
    ),
    _row("odd size", (_TO, "one row or column less"), (_TO, "less where 4:2:0 needs it")),
    _row("frame rate", (_TO, "to the clip's, by time stamps"), (_ON, "the time of each frame")),
    _row(
        "several video streams",
        (_TO, "the default one, else the largest; never a cover"),
        (_TO, "the same one; others are left out, and listed"),
    ),
)
"""One row per property."""


def as_markdown(where: Where) -> str:
    """Return the table of one place for the documentation."""
    lines = [f"| property | in {where} | how, or why |", "|---|---|---|"]
    for each in PROPERTIES:
        treatment = each.of(where)
        lines.append(f"| {each.name} | {treatment.action} | {treatment.how} |")
    return "\n".join(lines)
