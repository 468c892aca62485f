"""How authors train their extractors, as numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """How long and how fast an extractor was trained by its authors.

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
    """How the authors vary faces while training; all draws are for each face anew.

    Attributes
    ----------
    law : {"normal", "uniform"}
        Of the draws of `turn` and `scale`. "normal": their number is the standard deviation, and
        draws are clipped to twice it for `turn`, once for `scale`. "uniform": the largest size.
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
        What lies outside of a picture, in [0, 255].
    restyled : float
        Share of the faces that are shown in another style (`swapset.extractors.restyle`).
    beyond : {"empty", "unknown"}
        What is to be learnt of a landmark outside of the crop: an empty map, or nothing.
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
