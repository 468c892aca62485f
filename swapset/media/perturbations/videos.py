"""Perturb whole videos: single frames when they are read, H.264 in a temporary file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from swapset.errors import MediaError
from swapset.media.colour import rgb_to_i420
from swapset.media.decode import frames as decode
from swapset.media.encode import VideoWriter
from swapset.media.perturbations.names import Perturbation, Step
from swapset.media.perturbations.pixels import CHANGES
from swapset.media.planar import PlanarImage
from swapset.media.samples import Samples, with_clip
from swapset.seeds import derive_seed
from swapset.types import Frames, Image

Result = TypeVar("Result")

_FPS = 30


def with_perturbed(
    video: Samples,
    perturbation: Perturbation,
    name: str,
    seed: int,
    work: Callable[[Samples], Result],
) -> Result:
    """Return the result of some work on single frames of a perturbed video.

    Only the frames that the work reads are perturbed, and nothing is stored, except for H.264:
    the whole video is encoded to a temporary file.

    Parameters
    ----------
    video : Samples
    perturbation : Perturbation
    name : str
        Name of the video. Random numbers follow from it, the seed, the step and the frame.
    seed : int
    work : callable
        Gets the perturbed frames, which may be smaller.

    Raises
    ------
    MediaError
        If H.264 cannot be written or read.
    """
    about = (seed, perturbation.name, name)
    return _through(video, list(enumerate(perturbation.steps)), about, work)


def _through(
    video: Samples,
    steps: Sequence[tuple[int, Step]],
    about: tuple[int, str, str],
    work: Callable[[Samples], Result],
) -> Result:
    if not steps:
        return work(video)
    (number, step), *rest = steps
    if step.kind != "video":
        return _through(_Changed(video, step, (*about, number)), rest, about, work)
    with TemporaryDirectory(prefix="swapset-") as folder:
        file = Path(folder, "video.mp4")
        _encode((image.rgb for image in video.read(range(video.frames))), file, step)
        return with_clip(file, lambda again: _through(again, rest, about, work))


def perturb_frames(frames: Frames, perturbation: Perturbation, name: str, seed: int) -> Frames:
    """Return perturbed frames.

    Parameters
    ----------
    frames : (n, H, W, 3) uint8, RGB
        Consecutive frames.
    perturbation : Perturbation
    name : str
        What is perturbed. Random numbers follow from it, the seed, the step and the frame.
    seed : int

    Returns
    -------
    (n, h, w, 3) uint8, RGB
        Smaller if the perturbation makes them so.
    """
    for number, step in enumerate(perturbation.steps):
        if step.kind == "video":
            frames = _encoded(frames, step)
            continue
        about = (seed, perturbation.name, name, number)
        frames = np.stack([_changed(frame, step, (*about, k)) for k, frame in enumerate(frames)])
    return frames


class _Changed:
    """Frames of a video after a step that changes each frame by itself.

    Parameters
    ----------
    video : Samples
    step : Step
    about : tuple
        What random numbers follow from, beside the number of the frame.
    """

    def __init__(self, video: Samples, step: Step, about: tuple[object, ...]) -> None:
        self._video, self._step, self._about = video, step, about
        self.frames = video.frames

    def read(self, numbers: Iterable[int]) -> Iterator[PlanarImage]:
        """See `Samples.read`."""
        wanted = list(numbers)
        for number, image in zip(wanted, self._video.read(wanted), strict=True):
            changed = _changed(image.rgb, self._step, (*self._about, number))
            yield PlanarImage(rgb_to_i420(changed), is_cut=image.is_cut)


def _changed(image: Image, step: Step, about: tuple[object, ...]) -> Image:
    seed, *names = about
    generator = np.random.default_rng(derive_seed(int(str(seed)), *names))
    return CHANGES[step.kind](image, step.value, generator)


def _encoded(frames: Frames, step: Step) -> Frames:
    """Return frames (n, H, W, 3) uint8 RGB after H.264; odd sides are filled up for the video."""
    height, width = frames.shape[1:3]
    even = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    with TemporaryDirectory(prefix="swapset-") as folder:
        file = Path(folder, "video.mp4")
        _encode(even, file, step)
        return np.stack([image[:height, :width] for image in decode(file)])


def _encode(pictures: Iterable[Image], file: Path, step: Step) -> None:
    pictures = iter(pictures)
    first = next(pictures, None)
    if first is None:
        raise MediaError(f"{file}: there is no frame to perturb")
    size = first.shape[1], first.shape[0]
    with VideoWriter(file, *size, fps=_FPS, codec="h264", quality=int(step.value)) as writer:
        writer.write(first)
        for picture in pictures:
            writer.write(picture)
