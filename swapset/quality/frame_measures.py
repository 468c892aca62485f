"""Measures of one fake, frame by frame, and the original's frames that they compare with."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from swapset.faces.align import face_width
from swapset.faces.masks import render_mask
from swapset.generation.colour import lab_distance
from swapset.quality.expression import Expression, ExpressionReader
from swapset.quality.flicker import FRAMES, AlignedOriginal, AlignedSwap, flicker
from swapset.quality.mask_ssim import mask_ssim
from swapset.quality.sharpness import sharpness
from swapset.types import Floats, Floats32, Image, Mask

LOOK_EVERY = 2
"""Smallest distance between frames in which sharpness and expression are measured, to save time: a
blink takes about five frames."""
FLICKER_EVERY = 5
"""Smallest distance between the beginnings of two measurements of flicker."""


@dataclass
class OriginalFrame:
    """One frame of the original; all fakes of the clip share its measures.

    Attributes
    ----------
    picture : (H, W, 3) uint8
        RGB in [0, 255].
    landmarks : (68, 2) float
        The target's smoothed landmarks, x, y in pixels; NaN where there is no face.
    shot : int
        Number of the stretch of frames without a cut.
    reader : ExpressionReader
    """

    picture: Image
    landmarks: npt.NDArray[np.floating]
    shot: int
    reader: ExpressionReader

    @property
    def has_face(self) -> bool:
        """Return whether the frame has landmarks."""
        return bool(np.isfinite(self.landmarks).all())

    @cached_property
    def expression(self) -> Expression:
        """Return the target's expression and pose."""
        return self.reader.read(self.picture, self.landmarks)

    @cached_property
    def crop(self) -> AlignedOriginal:
        """Return the aligned crop in which flicker is measured."""
        return AlignedOriginal(self.picture, self.landmarks)

    @cached_property
    def face_width(self) -> float:
        """Return the width of the face in pixels."""
        return float(face_width(self.landmarks))


@dataclass(frozen=True)
class SwappedFrame:
    """One frame of a fake with its blending mask.

    Attributes
    ----------
    picture : (H, W, 3) uint8
        RGB in [0, 255].
    outline : (p, 2) float64
        Outline of the mask, x, y in pixels.
    feather : float
        Width in pixels of the mask's soft edge inside the outline.
    """

    picture: Image
    outline: Floats
    feather: float

    def inside(self, *, whole: bool) -> Mask:
        """Return the mask's pixels, (H, W) bool; with `whole`, those inside its soft edge."""
        alpha = render_mask(self.outline, self.picture.shape[:2], self.feather * whole)
        return alpha >= 1 if whole else alpha > 0


@dataclass
class FrameMeasures:
    """Values per frame of one fake, before they are averaged.

    Attributes
    ----------
    ssim : list of (float, float)
        Both variants of Mask-SSIM.
    colours, sharpness : list of float
        Colour distance and sharpness.
    expressions : list of (Expression, Expression)
        The target's and the fake's.
    flickers : list of float
    embeddings : list of (128,) float32
    """

    ssim: list[tuple[float, float]] = field(default_factory=list)
    colours: list[float] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    expressions: list[tuple[Expression, Expression]] = field(default_factory=list)
    flickers: list[float] = field(default_factory=list)
    embeddings: list[Floats32] = field(default_factory=list)
    _run: list[tuple[int, AlignedSwap]] = field(default_factory=list)

    def add(
        self,
        index: int,
        original: OriginalFrame,
        fake: SwappedFrame | None,
        head: Mask | None,
        *,
        every: int,
    ) -> None:
        """Take the measures that are due in a frame; frames come in order.

        Parameters
        ----------
        index : int
            Number of the frame.
        original : OriginalFrame
        fake : SwappedFrame or None
            None for a frame that was not swapped.
        head : (H, W) bool or None
            Head region of the original; None or empty where nothing is to be compared.
        every : int
            See `swapset.quality.fake_scores.score_fakes`.
        """
        place = index % max(every, FLICKER_EVERY)
        if place == 0 or fake is None:
            self._run.clear()
        if fake is None:
            return
        if head is not None and head.any():
            self._compare(original, fake, head)
            if index % max(every, LOOK_EVERY) == 0:
                self._look(original, fake)
        if place < FRAMES and original.has_face:
            self._follow(original, fake)

    def _compare(self, original: OriginalFrame, fake: SwappedFrame, head: Mask) -> None:
        """Measure Mask-SSIM and the distance of the colours."""
        before, after = original.picture, fake.picture
        self.ssim.append(mask_ssim(before, after, head))
        self.colours.append(lab_distance(before, after, fake.inside(whole=False)))

    def _look(self, original: OriginalFrame, fake: SwappedFrame) -> None:
        """Measure sharpness, expression and pose."""
        before, after = original.picture, fake.picture
        whole = fake.inside(whole=True)
        self.sharpness.append(sharpness(before, after, whole, original.face_width))
        shown = original.reader.read(after, original.landmarks)
        self.expressions.append((original.expression, shown))

    def _follow(self, original: OriginalFrame, fake: SwappedFrame) -> None:
        """Add a frame to the run of consecutive frames in which flicker is measured."""
        if self._run and original.shot != self._run[-1][0]:
            self._run.clear()
        self._run.append((original.shot, original.crop.with_fake(fake.picture, fake.outline)))
        if len(self._run) == FRAMES:
            self.flickers.append(flicker([swap for _, swap in self._run]))
