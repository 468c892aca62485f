"""Names, levels and parameters of perturbations. Imports nothing heavy.

The first seven kinds are those of DeeperForensics-1.0, with the parameters of its authors' code
(`perturbation/add_distortion_to_video.py`, there CS, CC, BW, GNC, GB, JPEG and VC). Their "JPEG
compression" makes a picture smaller and larger again; here this is `pixelation`, and `jpeg` stores
pictures as JPEG.

References
----------
L. Jiang et al., "DeeperForensics-1.0: a large-scale dataset for real-world face forgery detection",
CVPR 2020, section 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

ALL = "all"
PUBLISHED = "deeperforensics"
"""Name of the seven published kinds together."""

LEVELS = (1, 2, 3, 4, 5)
PARAMETERS: dict[str, tuple[float, ...]] = {
    "saturation": (0.4, 0.3, 0.2, 0.1, 0.0),
    "contrast": (0.85, 0.725, 0.6, 0.475, 0.35),
    "blocks": (16, 32, 48, 64, 80),
    "noise": (0.001, 0.002, 0.005, 0.01, 0.05),
    "blur": (7, 9, 13, 17, 21),
    "pixelation": (2, 3, 4, 5, 6),
    "video": (30, 32, 35, 38, 40),
    "jpeg": (75, 60, 45, 30, 15),
    "resize": (0.75, 0.6, 0.45, 0.35, 0.25),
}
"""Parameter of each kind at its five levels: what remains of the saturation and of the contrast,
blocks for every 256 pixels of the shorter side, variance of the noise (of values in [0, 1]), side
of the blur's window in pixels, factor by which a picture is made smaller and larger again, rate
factor of H.264, quality of JPEG, and what remains of width and height."""
PUBLISHED_KINDS = tuple(PARAMETERS)[:7]

FIT = "fit"
"""Kind of a step that makes the shorter side at most as long as its value, as services do."""


class Step(NamedTuple):
    """One step of a perturbation: a kind of `PARAMETERS` or `FIT`, and its parameter."""

    kind: str
    value: float


CHAINS: dict[str, tuple[Step, ...]] = {
    "social": (Step(FIT, 720), Step("video", 28)),
    "messenger": (Step(FIT, 360), Step("video", 32)),
    "reposted": (
        *(Step(FIT, 720), Step("video", 28)),
        *(Step(FIT, 480), Step("video", 28)),
        *(Step(FIT, 360), Step("video", 30)),
    ),
}
"""Chains of steps: a video is uploaded, sent, or downloaded and uploaded twice more. Sizes and rate
factors are this project's choice; services do not publish theirs, and change them."""

_LEVELLED = re.compile(r"([a-z]+)/(\w*)")


@dataclass(frozen=True)
class Perturbation:
    """A perturbation of whole videos.

    Attributes
    ----------
    name : str
        As in the config: a kind and a level ("blur/3"), some of these ("blur/3+jpeg/5"), or a
        chain.
    steps : tuple of Step
        What is done, in this order.
    """

    name: str
    steps: tuple[Step, ...]

    @property
    def key(self) -> str:
        """Return the name as part of a path."""
        return self.name.replace("/", "-")

    @property
    def kind(self) -> str:
        """Return the kind of a single step, or else the name: what a curve is drawn of."""
        return self.name.partition("/")[0] if self.level else self.name

    @property
    def level(self) -> int:
        """Return the level of a single step, or 0."""
        return int(self.name[-1]) if self.name.count("/") == 1 and "+" not in self.name else 0

    @property
    def family(self) -> str:
        """Return the kind as part of a path."""
        return self.kind.replace("/", "-")


def expand(names: str | Iterable[str]) -> list[Perturbation]:
    """Return the perturbations that a config lists, each once and in its order.

    Parameters
    ----------
    names : str or iterable of str
        "all", or a list of: a kind ("blur": all its levels), a kind and a level ("blur/3"), several
        of these in turn ("resize/2+video/3"), a chain ("messenger"), "deeperforensics" (the seven
        published kinds), "all".

    Raises
    ------
    ValueError
        If there is no such perturbation; the message says which are near it.
    """
    listed = [names] if isinstance(names, str) else list(names)
    found = [each for name in listed for each in _of(name)]
    return list({each.name: each for each in found}.values())


def parse(name: str) -> Perturbation:
    """Return the one perturbation that a name stands for.

    Raises
    ------
    ValueError
        If there is none, or the name stands for several.
    """
    found = _of(name)
    if len(found) != 1:
        raise ValueError(f"{name!r} stands for several perturbations; add a level, as '{name}/3'")
    return found[0]


def _of(name: str) -> list[Perturbation]:
    if name == ALL:
        return [*_of_kinds(list(PARAMETERS)), *(Perturbation(*each) for each in CHAINS.items())]
    if name == PUBLISHED:
        return _of_kinds(PUBLISHED_KINDS)
    if name in PARAMETERS:
        return _of_kinds([name])
    if name in CHAINS:
        return [Perturbation(name, CHAINS[name])]
    return [Perturbation(name, tuple(_step(part, name) for part in name.split("+")))]


def _of_kinds(kinds: Sequence[str]) -> list[Perturbation]:
    names = [f"{kind}/{level}" for kind in kinds for level in LEVELS]
    return [Perturbation(name, (_step(name, name),)) for name in names]


def _step(part: str, whole: str) -> Step:
    match = _LEVELLED.fullmatch(part)
    if match is None or match[1] not in PARAMETERS:
        known = [*PARAMETERS, *CHAINS, PUBLISHED, ALL]
        near = get_close_matches(part.partition("/")[0], known, n=1) or known
        raise ValueError(
            f"{whole!r} is no perturbation; choose from {', '.join(near)}, and a level from 1 to 5 "
            "as in 'blur/3'"
        )
    if match[2] not in map(str, LEVELS):
        raise ValueError(f"{whole!r}: level {match[2]!r} is not allowed; use 1 to 5")
    return Step(match[1], PARAMETERS[match[1]][int(match[2]) - 1])
