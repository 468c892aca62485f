"""The authors' training of each extractor, as numbers, and a wider variation of few faces."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Schedule:
    """Length and learning rate of the authors' training.

    Attributes
    ----------
    steps : int
    batch : int
        Faces in a step.
    learning_rate : float
    milestones : tuple of float
        Shares of the steps after which every learning rate is multiplied by `factor`.
    factor : float
    cosine : bool
        Every learning rate falls to 0 as half a cosine instead, as suits a short training.
    """

    steps: int
    batch: int
    learning_rate: float
    milestones: tuple[float, ...]
    factor: float
    cosine: bool = False

    def rate(self, share: float) -> float:
        """Return the factor of the learning rates after this share of the steps, in [0, 1]."""
        if self.cosine:
            return (1 + math.cos(math.pi * share)) / 2
        return self.factor ** sum(share >= passed for passed in self.milestones)


@dataclass(frozen=True)
class Variation:
    """Augmentation of training faces; everything is drawn for each face anew.

    The authors' variations leave out all fields from `stretch` on; see `widened`.

    Attributes
    ----------
    law : {"normal", "uniform"}
        Distribution of `turn` and `scale`. "normal": their values are standard deviations, and
        draws are clipped to twice that for `turn`, once for `scale`. "uniform": they are the
        largest sizes.
    turn : float
        Degrees.
    turned : float
        Share of the faces that are turned at all.
    scale : float
        The crop's side is multiplied by 1 + a draw.
    shift : float
        Largest shift (uniform) along x and y, as a share of the crop's side.
    colour : float
        Each channel is multiplied by 1 + a uniform draw of at most this size, and clipped.
    mirrored : float
        Share of the faces that are mirrored.
    fill : float
        Value of pixels outside of a picture, in [0, 255].
    restyled : float
        Share of the faces that are shown in another style (`swapset.extractors.restyle`).
    beyond : {"empty", "unknown"}
        Target of a landmark outside of the crop: an empty map, or none.
    stretch : float
        Largest natural logarithm by which width grows against the crop's side, and height shrinks;
        half of it is the largest shear.
    bend : float
        Standard deviation of a smooth displacement of places, as a share of the crop's side.
    make_up : float
        Strength of other light and colours of brows, eyes, lips, nose and jaw (68 landmarks); 1 =
        `widened`'s.
    light : float
        Strength of another light, contrast and other colours; 1 = `widened`'s.
    occluded : float
        Share of the faces that a rectangle of one colour covers in part; drawn twice.
    blurred : float
        Share of the faces that are shown as small pictures that were enlarged.
    grain : float
        Largest standard deviation of noise, in [0, 255].
    """

    law: str
    turn: float
    turned: float
    scale: float
    shift: float
    colour: float
    mirrored: float
    fill: float = 0.0
    restyled: float = 0.0
    beyond: str = "empty"
    stretch: float = 0.0
    bend: float = 0.0
    make_up: float = 0.0
    light: float = 0.0
    occluded: float = 0.0
    blurred: float = 0.0
    grain: float = 0.0


def widened(variation: Variation) -> Variation:
    """Return a far wider variation for labels of a few people, with the same fill.

    An extractor that sees few people has to learn where landmarks lie without learning how these
    people look. So faces get other shapes, brows, light, colours and sharpness, and lose parts. The
    sizes are ours, chosen by the error on a person who was not learnt from.
    """
    return replace(
        variation,
        law="uniform",
        turn=25.0,
        turned=1.0,
        scale=0.25,
        shift=0.06,
        colour=0.0,
        mirrored=0.5,
        restyled=0.0,
        beyond="unknown",
        stretch=0.2,
        bend=0.05,
        make_up=1.0,
        light=1.0,
        occluded=0.5,
        blurred=0.5,
        grain=15.0,
    )
