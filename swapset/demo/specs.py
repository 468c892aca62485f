"""Names, subjects and licences of the embedded demo's clips. Light to import.

The demo needs no download: its two portraits come with scikit-image and Matplotlib. Its clips are
not recordings. Each is a single photograph animated by warps, and two of the four subjects are
morphs of the two portraits.
"""

from __future__ import annotations

from dataclasses import dataclass

FPS = 30
FRAMES = 75
SIZE = 448

_ASTRONAUT = "Eileen Collins, NASA portrait (public domain), from skimage.data.astronaut()"
_HOPPER = "Grace Hopper, US Navy portrait (public domain), from Matplotlib's sample data"


@dataclass(frozen=True)
class Subject:
    """One person of the demo.

    Attributes
    ----------
    name : str
        Name of the subject, `id0` to `id3`.
    base : str
        Portrait with the head, hair and clothes: `astronaut` or `hopper`.
    inner : str
        Portrait with the inner face that is morphed in; equal to `base` for no morph.
    licence : str
        Licence text for the manifest.
    source : str
        Origin of the picture.
    exposure : float
        Natural logarithm of the gain of the person's camera and room.
    warmth : float
        How much more red and less blue the light is, as a share.
    """

    name: str
    base: str
    inner: str
    licence: str
    source: str
    exposure: float
    warmth: float


@dataclass(frozen=True)
class ClipSpec:
    """One clip of the demo.

    Attributes
    ----------
    clip : str
        Clip name, `idX_NNNN`.
    subject : Subject
        The person in it.
    seed : int
        Seed of motion, light, noise and background.
    """

    clip: str
    subject: Subject
    seed: int

    @property
    def licence(self) -> str:
        """Licence text of the clip."""
        return self.subject.licence

    @property
    def source(self) -> str:
        """Origin of the clip's picture."""
        return self.subject.source


_LICENCE = "Public domain (work of the US federal government)"
# Everybody is filmed elsewhere, in other light, as people in clips from the wild are: the mismatch
# of colours that the chapter's section 4.3.1 corrects. In each pair of the demo one room is dim.
_MORPH = f"Morph: {_ASTRONAUT}; {_HOPPER}"
DEMO_SUBJECTS: tuple[Subject, ...] = (
    Subject("id0", "astronaut", "astronaut", _LICENCE, _ASTRONAUT, -0.05, -0.02),
    Subject("id1", "hopper", "hopper", _LICENCE, _HOPPER, -0.6, 0.05),
    Subject("id2", "astronaut", "hopper", _LICENCE, _MORPH, -0.12, -0.03),
    Subject("id3", "hopper", "astronaut", _LICENCE, _MORPH, -0.55, 0.04),
)
DEMO_SPECS: tuple[ClipSpec, ...] = tuple(
    ClipSpec(f"{subject.name}_{number:04d}", subject, 10 * index + number)
    for index, subject in enumerate(DEMO_SUBJECTS)
    for number in range(2)
)
