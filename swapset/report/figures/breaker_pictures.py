"""Effect of Landmark Breaker on one frame, step by step, a row per extractor; figure 4.11."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from matplotlib import colormaps

from swapset.extractors.base import Extractor
from swapset.extractors.nme import nme
from swapset.faces.align import transform_points
from swapset.generation.synthesis import Synthesiser
from swapset.obstruction.evaluation import find_landmarks
from swapset.obstruction.keyframes import Run, read_frames, read_runs
from swapset.report.figures.finished import zoom, zoom_transform
from swapset.report.figures.sheet import Panel, Sheet, compose, message
from swapset.types import Floats, Image, Points

SIDE = 190
LOUDER = 10
"""Factor by which the noise is amplified for display."""
_TITLE = "From noise to swap"
_COLUMNS = [
    "original", f"noise x {LOUDER}", "protected", "heat-maps\nbefore", "heat-maps\nafter",
    "landmarks\nbefore", "landmarks\nafter", "swap\nbefore", "swap\nafter",
]  # fmt: skip
_POINT, _RADIUS, _SHIFT = (60, 230, 90), 1, 4
_LIGHT = 0.75
"""Opacity of a heat-map at its maximum."""


@dataclass(frozen=True)
class Protected:
    """A protected person whose frames may be shown.

    Attributes
    ----------
    frames : Path
        Folder of key frames, see `swapset.obstruction.keyframes`.
    noisy : mapping of str to Path
        Folders of the same frames with noise, by the attacked extractor.
    synthesiser : callable
        Returns the synthesiser of the donor's face, or None if the pair has no model. It is called
        only for the person who is shown.
    """

    frames: Path
    noisy: Mapping[str, Path]
    synthesiser: Callable[[], Synthesiser | None]


def breaker_pictures(
    people: Sequence[Protected], extractors: Mapping[str, Extractor], attack: str
) -> Image:
    """Draw the steps for the middle key frame of the first person who has key frames.

    Parameters
    ----------
    people : sequence of Protected
    extractors : mapping of str to Extractor
    attack : str
        Name of the attack, for the title.

    Returns
    -------
    (H, W, 3) uint8 in [0, 255], RGB
    """
    for person in people:
        runs = read_runs(person.frames)
        if runs:
            return compose(_sheet(person, runs[len(runs) // 2], extractors, attack))
    return message("Nobody who is protected has an accepted clip.", _TITLE)


def _sheet(person: Protected, run: Run, extractors: Mapping[str, Extractor], attack: str) -> Sheet:
    place = len(run.landmarks) // 2
    one = Run(run.clip, run.first + place, run.landmarks[place : place + 1])
    clean = next(read_frames(person.frames, [run]))[place]
    synthesiser = person.synthesiser()
    rows, labels = [], []
    for name, extractor in extractors.items():
        noisy = next(read_frames(person.noisy[name], [run]))[place]
        rows.append(_row(one, np.array(clean), np.array(noisy), extractor, synthesiser))
        labels.append(name)
    return Sheet(
        f"{_TITLE}: {attack}",
        rows,
        (SIDE, SIDE),
        _COLUMNS,
        labels,
        f"{run.clip}, frame {one.first}. Heat-maps are the brightest of all landmarks', over the "
        "square that the network sees. NME: against what the same extractor finds in the original. "
        "The swap is made with the landmarks beside it.",
    )


def _row(
    run: Run, clean: Image, noisy: Image, extractor: Extractor, synthesiser: Synthesiser | None
) -> list[Panel]:
    """Return the panels of one extractor for a run of one frame, (H, W, 3) uint8 RGB."""
    about = run.landmarks[0]
    landmarks = [find_landmarks(extractor, frame[None], run) for frame in (clean, noisy)]
    error = float(nme(landmarks[1], landmarks[0])[0])
    noise = np.clip(LOUDER * (noisy.astype(int) - clean) + 128, 0, 255).astype(np.uint8)
    frames = (clean, noisy)
    pairs = list(zip(frames, landmarks, strict=True))
    marked = [_marked(frame, about, points[0]) for frame, points in pairs]
    swaps = [_swap(synthesiser, frame, points) for frame, points in pairs]
    return [
        *(Panel(zoom(picture, about, SIDE)) for picture in (clean, noise, noisy)),
        *(Panel(heatmap_picture(extractor, frame, run)) for frame in frames),
        Panel(marked[0]),
        Panel(marked[1], f"NME {error:.2f}" if np.isfinite(error) else "NME not defined"),
        *(Panel(None if swap is None else zoom(swap, about, SIDE)) for swap in swaps),
    ]


@torch.inference_mode()
def heatmap_picture(extractor: Extractor, frame: Image, run: Run) -> Image:
    """Draw the heat-maps of a frame over the network's crop of it.

    Parameters
    ----------
    extractor : Extractor
    frame : (H, W, 3) uint8 in [0, 255], RGB
    run : Run
        Run of this frame alone.

    Returns
    -------
    (S, S, 3) uint8 in [0, 255], RGB
    """
    images = torch.from_numpy(frame).to(extractor.device).permute(2, 0, 1)[None].float()
    crop = extractor.crop(images, torch.from_numpy(run.boxes))
    maps = extractor.heatmaps(crop)[0].float().clamp_min(0)
    # A landmark is found where its map is highest, however low: scale each map to its maximum.
    highest = maps.amax((1, 2), keepdim=True).clamp_min(1e-12)
    height = (maps / highest).amax(0).cpu().numpy()
    seen = crop[0].permute(1, 2, 0).cpu().numpy()
    light = cv2.resize(height, seen.shape[:2], interpolation=cv2.INTER_LINEAR)
    colours = 255 * colormaps["inferno"](light)[..., :3]
    opacity = _LIGHT * light[..., None]
    return (seen * (1 - opacity) + colours * opacity).round().astype(np.uint8)


def _marked(frame: Image, about: Points, points: Floats) -> Image:
    """Draw landmarks (68, 2) in frame pixels on the face; those outside the crop are not shown."""
    picture = np.ascontiguousarray(zoom(frame, about, SIDE))
    for x, y in transform_points(zoom_transform(about, SIDE), points):
        # OpenCV draws at fractions of a pixel.
        centre = round(x * 2**_SHIFT), round(y * 2**_SHIFT)
        cv2.circle(picture, centre, _RADIUS << _SHIFT, _POINT, -1, cv2.LINE_AA, _SHIFT)
    return picture


def _swap(synthesiser: Synthesiser | None, frame: Image, points: Floats) -> Image | None:
    if synthesiser is None:
        return None
    return next(iter(synthesiser.swap([frame], points)))[0]
