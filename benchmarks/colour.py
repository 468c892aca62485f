"""Compare ways to match a face's colours to the target's, on photographs and decoded faces.

Run `python benchmarks/colour.py results/<name> [MODEL ...] [--sheet FILE.png]` on a build with
aligned clips. Every subject is put on every other, in a crop of the target's clip: as a photograph,
as a photograph with blur and colour noise, and by the decoders of each MODEL (`.safetensors`).
Compared are no transfer, a shift of the mean, Reinhard as published, each half of ours, and ours.

Printed are means over all frames (and the largest noise), of the part inside the smooth mask:

- distance: of the mean colour from the target's, in Lab;
- edge: distance of the colours from the target's along the mask's edge, in Lab;
- contrast, noise: spread of L, and of a and b, from 1.5 % to 10 % of the face's width, over the
  same of the face before the transfer;
- flicker: change of the mean colour's distance vector between neighbouring frames, in Lab.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, permutations
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import torch

from swapset.config.methods import BUILT_IN, synthesis_of
from swapset.faces.align import crop_transform, transform_points, warp_crop
from swapset.faces.masks import polygon, render_mask
from swapset.faces.prepare import ClipLandmarks
from swapset.generation import colour
from swapset.generation.checkpoint import load_model
from swapset.generation.colour import from_lab, lab_distance, to_lab, transfer_colour
from swapset.generation.synthesis import Synthesiser
from swapset.media.decode import frames

CPU = torch.device("cpu")
Lab = np.ndarray


@dataclass(frozen=True)
class Faces:
    """Neighbouring frames of a clip: crops (n, S, S, 3) uint8 RGB, and masks (n, S, S) bool."""

    crops: np.ndarray
    inside: np.ndarray


def faces_of(build: Path, clip: str, side: int, count: int) -> Faces:
    """Return the first faces of a clip."""
    folder, context = clip.split("_")[0], BUILT_IN["celebdf"].context
    points = ClipLandmarks.load(build / "landmarks" / folder / f"{clip}.npz").smooth[:count]
    matrices = crop_transform(points, side, context)
    pictures = islice(frames(build / "clips" / folder / f"{clip}.mkv"), count)
    crops, inside = [], []
    for picture, matrix, face in zip(pictures, matrices, points, strict=True):
        if np.isfinite(matrix).all():
            outline = transform_points(matrix, polygon(face, "smooth"))
            crops.append(warp_crop(picture, matrix, side))
            inside.append(render_mask(outline, (side, side), 0) > 0)
    return Faces(np.stack(crops), np.stack(inside))


def spoilt(crops: np.ndarray) -> np.ndarray:
    """Return faces with blur and colour noise, both of 2.3 % of the side."""
    rng, sigma = np.random.default_rng(0), 0.023 * crops.shape[1]
    noise = rng.normal(size=(*crops.shape[1:3], 2)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sigma)
    results = []
    for crop in crops:
        lab = cv2.GaussianBlur(to_lab(crop), (0, 0), sigma)
        lab[..., 1:] += 2 * noise / noise.std()
        results.append(from_lab(lab))
    return np.stack(results)


def decoded(model: Path, donor: str, crops: np.ndarray) -> np.ndarray:
    """Return a donor's faces, (n, S, S, 3) uint8 RGB, decoded from a target's crops."""
    recipe = synthesis_of(BUILT_IN["celebdf"])
    synthesiser = Synthesiser(load_model(model, CPU, [donor]), donor, recipe, CPU)
    return synthesiser.synthesise(crops)[..., :3]


def smoothed(lab: Lab, inside: np.ndarray, share: float) -> Lab:
    """Return local means of Lab over the mask's pixels, by a Gaussian of a share of its width."""
    sigma = share * np.sqrt(inside.sum())
    weights = inside.astype(np.float32)
    sums = cv2.GaussianBlur(lab * weights[..., None], (0, 0), sigma)
    return sums / np.maximum(cv2.GaussianBlur(weights, (0, 0), sigma), 1e-6)[..., None]


def fine_spread(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the spread of L, a and b from 1.5 % to 10 % of the mask's width."""
    lab = to_lab(image)
    band = smoothed(lab, inside, 0.015) - smoothed(lab, inside, 0.1)
    return band[inside].std(axis=0)


def mean(source: np.ndarray, target: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Shift the mean colour in Lab."""
    lab = to_lab(source)
    return from_lab(lab + to_lab(target)[inside].mean(axis=0) - lab[inside].mean(axis=0))


def published(source: np.ndarray, target: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Match mean and standard deviation of all pixels in the mask."""
    lab, wanted = to_lab(source), to_lab(target)[inside]
    own = lab[inside]
    gain = wanted.std(axis=0) / own.std(axis=0)
    return from_lab((lab - own.mean(axis=0)) * gain + wanted.mean(axis=0))


def limits(source: np.ndarray, target: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Match as ours, with the spreads of all pixels."""
    with patch.object(colour, "SMOOTHING", 0.0):
        return transfer_colour(source, target, inside)


def smooth(source: np.ndarray, target: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Match as ours, without limits."""
    with patch.object(colour, "LARGEST_GAINS", (np.inf,) * 3):
        return transfer_colour(source, target, inside)


WAYS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "none": lambda source, target, inside: source,
    "mean": mean,
    "Reinhard": published,
    "limits only": limits,
    "smooth only": smooth,
    "ours": transfer_colour,
}


def edge_distance(made: np.ndarray, target: np.ndarray, inside: np.ndarray) -> float:
    """Return the distance of two faces along the mask's edge, in Lab."""
    width = max(3, round(0.05 * inside.shape[0]))
    kernel = np.ones((width, width), np.uint8)
    edge = inside & (cv2.erode(inside.view(np.uint8), kernel) == 0)
    one, other = (smoothed(to_lab(image), inside, 0.03)[edge] for image in (made, target))
    return float(np.linalg.norm(one - other, axis=1).mean())


def measured(name: str, source: np.ndarray, target: Faces) -> np.ndarray:
    """Return distance, edge, contrast, noise of each frame, (n, 4), and flicker as a fifth."""
    rows, offsets = [], []
    for face, crop, inside in zip(source, target.crops, target.inside, strict=True):
        made = WAYS[name](face, crop, inside)
        before, after = fine_spread(face, inside), fine_spread(made, inside)
        noise = np.linalg.norm(after[1:]) / np.linalg.norm(before[1:])
        distances = lab_distance(made, crop, inside), edge_distance(made, crop, inside)
        rows.append((*distances, after[0] / before[0], noise))
        offsets.append((to_lab(made) - to_lab(crop))[inside].mean(axis=0))
    flicker = np.linalg.norm(np.diff(offsets, axis=0), axis=1).mean()
    return np.column_stack([rows, np.full(len(rows), flicker)])


def material(options: argparse.Namespace) -> Iterator[tuple[str, list[tuple[np.ndarray, Faces]]]]:
    """Yield each kind of material: its name, and the faces to match with their targets."""
    clips = {each.parent.name: each.stem for each in sorted(options.build.glob("clips/*/*_0000.*"))}
    size = options.side, options.frames
    people = {subject: faces_of(options.build, clip, *size) for subject, clip in clips.items()}
    pairs = [(people[donor].crops, people[target]) for target, donor in permutations(people, 2)]
    yield "photographs", pairs
    yield "blurred and noisy", [(spoilt(source), target) for source, target in pairs]
    for model in options.models:
        trained = load_model(model, CPU)
        side = trained.recipe.resolution
        targets = {
            subject: faces_of(options.build, clips[subject], side, options.frames)
            for subject in trained.subjects
        }
        yield (
            model.stem,
            [
                (decoded(model, donor, targets[target].crops), targets[target])
                for target, donor in permutations(targets, 2)
            ],
        )


def sheet_rows(pairs: list[tuple[np.ndarray, Faces]], side: int) -> np.ndarray:
    """Return a picture: target, face before, and the fake of each way, a row per pair."""
    rows = []
    for source, target in pairs:
        crop, inside = target.crops[0], target.inside[0]
        distance = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, 5)
        alpha = np.clip(distance / (0.1 * len(crop)), 0, 1)[..., None]
        fakes = [way(source[0], crop, inside) * alpha + crop * (1 - alpha) for way in WAYS.values()]
        cells = [crop, source[0], *(np.rint(fake).astype(np.uint8) for fake in fakes)]
        rows.append(np.hstack([cv2.resize(cell, (side, side)) for cell in cells]))
    return np.vstack(rows)


def main() -> None:
    """Print a table per kind of material; write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, help="folder of a build, results/<name>")
    parser.add_argument("models", type=Path, nargs="*", help="model files of its subjects")
    parser.add_argument("--side", type=int, default=128, help="of the photographs' crops")
    parser.add_argument("--frames", type=int, default=5, help="of each pair")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for kind, pairs in material(options):
        print(f"{kind}, {len(pairs)} pairs")
        for name in WAYS:
            values = np.concatenate([measured(name, *pair) for pair in pairs])
            columns = ("distance", "edge", "contrast", "noise", "flicker")
            parts = zip(columns, values.mean(axis=0), strict=True)
            line = "  ".join(f"{column} {value:6.2f}" for column, value in parts)
            print(f"  {name:12s} {line}  largest noise {values[:, 3].max():.2f}", flush=True)
        rows.append(sheet_rows(pairs, 160))
    if options.sheet:
        cv2.imwrite(str(options.sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
