"""The authors' training of each extractor, as numbers."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    steps: int
    batch: int
    learning_rate: float
    milestones: tuple[float, ...]
    factor: float


@dataclass(frozen=True)
class Variation:
    """The authors' augmentation of training faces; everything is drawn for each face anew.

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
