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
    """

    name: str
    base: str
    inner: str
    licence: str
    source: str


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
DEMO_SUBJECTS: tuple[Subject, ...] = (
    Subject("id0", "astronaut", "astronaut", _LICENCE, _ASTRONAUT),
    Subject("id1", "hopper", "hopper", _LICENCE, _HOPPER),
    Subject("id2", "astronaut", "hopper", _LICENCE, f"Morph: {_ASTRONAUT}; {_HOPPER}"),
    Subject("id3", "hopper", "astronaut", _LICENCE, f"Morph: {_HOPPER}; {_ASTRONAUT}"),
)
DEMO_SPECS: tuple[ClipSpec, ...] = tuple(
    ClipSpec(f"{subject.name}_{number:04d}", subject, 10 * index + number)
    for index, subject in enumerate(DEMO_SUBJECTS)
    for number in range(2)
)
