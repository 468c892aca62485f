"""Train narrow extractors on labelled faces, and compare their NME with dlib's on the test faces.

Run `python benchmarks/extractors.py LANDMARKS.csv [--extractor fan hrnet avs-san] [--minutes 20]`
or with `--steps`. The file has the format of `swapset.extractors.labels.csv_file`, with 68
landmarks and faces of split "test". A tenth of the people in "train" serve to choose the best
weights; nobody in "test" is used before the end.

Compared with the extractors are dlib's 68-point predictor in the boxes of the labels (where the
extractors look too), the mean shape of the training faces in these boxes, and the same shape fitted
to the labels by a similarity: the best result of an alignment that never looks at the picture.

`--minutes` sets the number of steps from the pace of the first steps, so that the schedule ends in
time; a training itself never ends by the clock.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from swapset.extractors.augment import draw_batch
from swapset.extractors.bank import cut_bank, margin_of, read_labelled_picture
from swapset.extractors.base import load_extractor
from swapset.extractors.fitting import ExtractorJob, train_extractor
from swapset.extractors.labels.faces import LabelledFaces
from swapset.extractors.labels.registry import read_labels
from swapset.extractors.nme import nme
from swapset.extractors.registry import EXTRACTORS, extractor_class
from swapset.extractors.training import find
from swapset.faces.align import transform_points, umeyama
from swapset.faces.landmarks import LandmarkPredictor
from swapset.learning.device import uses_bf16

NARROW: dict[str, dict[str, Any]] = {
    "fan": {"width": 0.25, "batch": 4, "learning_rate": 1e-3},
    "hrnet": {"width": 0.25, "batch": 4, "learning_rate": 1e-3},
    "avs-san": {"width": 0.25, "batch": 8, "learning_rate": 1e-3},
}
"""Settings that train on two CPU cores; all others are as published."""
MARGIN = 0.01
"""Largest allowed excess of an extractor's NME over dlib's."""
_PACE_STEPS = 6
_LOOKS = 1.1
"""Ratio of a training's time to that of its steps; the rest goes into held-out faces."""


def by_dlib(faces: LabelledFaces) -> NDArray[np.float64]:
    """Find landmarks (n, 68, 2) float32 by dlib in the boxes of the labels."""
    predictor = LandmarkPredictor()
    pairs = zip(faces.images, faces.boxes, strict=True)
    return np.array([predictor.predict(read_labelled_picture(path), box) for path, box in pairs])


def by_mean_shape(training: LabelledFaces, faces: LabelledFaces) -> NDArray[np.float64]:
    """Put the training faces' mean shape (n, 68, 2) float into the boxes of faces."""
    corner, side = training.boxes[:, None, :2], _sides(training)
    mean = ((training.points - corner) / side).mean(0)
    return np.asarray(mean * _sides(faces) + faces.boxes[:, None, :2])


def by_fitted_shape(training: LabelledFaces, faces: LabelledFaces) -> NDArray[np.float64]:
    """Fit the mean shape (n, 68, 2) float64 to the labels of faces by similarities."""
    mean = ((training.points - training.boxes[:, None, :2]) / _sides(training)).mean(0)
    matrices = umeyama(np.broadcast_to(mean, faces.points.shape), faces.points)
    return transform_points(matrices, mean)


def _sides(faces: LabelledFaces) -> NDArray[np.float32]:
    return (faces.boxes[:, 2] - faces.boxes[:, 0])[:, None, None]


def seconds_per_step(name: str, settings: dict[str, Any], faces: LabelledFaces) -> float:
    """Return the median seconds of a training step, without the first step."""
    extractor = extractor_class(name)(width=settings["width"])
    variation, few = extractor.variation, faces.taken(range(min(len(faces), 2 * settings["batch"])))
    bank = cut_bank(few, extractor, margin=margin_of(variation), fill=variation.fill)
    optimiser = extractor.optimiser(settings["learning_rate"])
    bf16, device = uses_bf16("auto", extractor.device), extractor.device
    extractor.network.train()
    times = []
    for step in range(_PACE_STEPS):
        start = time.perf_counter()
        index = torch.arange(settings["batch"]) % len(bank)
        generator = torch.Generator().manual_seed(step)
        batch = draw_batch(bank, index, variation, generator=generator, device=device)
        images = batch.images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            outputs = extractor.outputs(images)
        loss = extractor.loss([maps.float() for maps in outputs], batch.points, batch.known)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def trained(
    name: str, settings: dict[str, Any], faces: LabelledFaces, out: Path, seed: int
) -> dict[str, Any]:
    """Train an extractor on all faces but the test faces; return its card with the test NME."""
    job = ExtractorJob(name, seed, out / f"{name}-checkpoint.safetensors", settings=settings)
    files = {key: out / f"{name}.{end}" for key, end in _FILES.items()}
    start = time.perf_counter()
    train_extractor(job, faces, **files, device=torch.device("cpu"))
    minutes = (time.perf_counter() - start) / 60
    extractor, tested = load_extractor(files["model"]), faces.of("test")
    bank = cut_bank(tested, extractor)
    card: dict[str, Any] = json.loads(files["card"].read_text())
    errors = nme(find(extractor, bank), bank.points)
    return card | {"minutes": minutes, "test_nme": float(errors.mean())}


_FILES = {"model": "safetensors", "card": "json", "preview": "png"}


def main() -> None:
    """Print a row for each method of finding landmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="CSV of labelled faces")
    parser.add_argument("--extractor", nargs="+", choices=list(EXTRACTORS), default=EXTRACTORS)
    parser.add_argument("--minutes", type=float, default=20.0, help="of each training")
    parser.add_argument("--steps", type=int, help="of each training, instead of minutes")
    parser.add_argument("--width", type=float)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="keep models, cards and previews here")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    faces = read_labels("csv", options.table)
    tested, learnt = faces.of("test"), faces.of("train")
    truth = tested.points
    yardstick = float(nme(by_dlib(tested), truth).mean())
    print(f"{len(learnt)} faces to learn from, {len(tested)} to test on")
    print(f"{'dlib, 68 points':20} {yardstick:.4f}")
    print(f"{'mean shape in box':20} {nme(by_mean_shape(learnt, tested), truth).mean():.4f}")
    print(f"{'fitted mean shape':20} {nme(by_fitted_shape(learnt, tested), truth).mean():.4f}")
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.extractor:
            set_here = ("width", "batch", "learning_rate")
            asked = {key: getattr(options, key) for key in set_here if getattr(options, key)}
            settings = NARROW[name] | asked
            pace = _LOOKS * seconds_per_step(name, settings, learnt)
            settings["steps"] = options.steps or max(1, int(60 * options.minutes / pace))
            card = trained(name, settings, faces, options.out or Path(scratch), options.seed)
            print(
                f"{name:20} {card['test_nme']:.4f}   {yardstick + MARGIN:.4f} allowed; "
                f"{card['parameters'] / 1e6:.2f} M, {card['steps']} steps of {card['batch']}, "
                f"best at {card.get('best_step')}, validation {card.get('validation_nme', 0):.4f}, "
                f"{card['minutes']:.1f} min",
                flush=True,
            )


if __name__ == "__main__":
    main()
