"""Fit a light detector from random weights and from its package's, in equally many steps.

    python benchmarks/backbone.py results/NAME [--detector EfficientNet-Lite0] [--learn faceswap]
                                  [--tests faceswap,celebdf] [--steps 150] [--batch 16] [--fold 0]

After `snakemake detector_auc`, with faces of the datasets in their best quality. Prints the AUCs of
frames over the fold's test people, and the CPU time of each fit. One thread.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from swapset.detection.auc import auc
from swapset.detection.protocol import open_stores, read_splits, score_stores, training_faces
from swapset.detection.statistics.levels import at_level
from swapset.detectors.base import Schedule
from swapset.detectors.registry import DETECTORS, detector_class
from swapset.io.packaged import packaged_file

ORIGINAL = "original"


def blocks(build: Path, dataset: str) -> list[Path]:
    """Return the folders with the faces of real videos and of a dataset."""
    kinds = [build / "crops" / kind / ORIGINAL for kind in ("real", dataset)]
    return sorted(block for kind in kinds for block in kind.iterdir())


def main() -> None:
    """Print the AUCs from both starts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("build", type=Path, help="folder of a build")
    parser.add_argument("--detector", default="EfficientNet-Lite0")
    parser.add_argument("--learn", default="faceswap")
    parser.add_argument("--tests", default="faceswap,celebdf")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--fold", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    packaged = packaged_file(*DETECTORS.find(options.detector).traits["packaged_backbone"])
    if packaged is None:
        parser.error(f"{options.detector}: no package with its weights is installed")
    splits = read_splits(options.build / "tables" / "splits.csv")
    stores = open_stores(blocks(options.build, options.learn))
    learnt, held = (training_faces(stores, splits, options.fold, r) for r in ("train", "val"))
    schedule = Schedule(
        seed=1, steps=options.steps, batch=options.batch, precision="fp32", look_every=50
    )
    for start, backbone in (("random", None), ("ImageNet", packaged)):
        began = time.process_time()
        detector = detector_class(options.detector)(seed=1)
        detector.fit(learnt, held, schedule, backbone=backbone)
        seconds = time.process_time() - began
        for dataset in options.tests.split(","):
            faces = open_stores(blocks(options.build, dataset))
            value = auc(at_level(score_stores({options.fold: detector}, faces, splits), "frame"))
            print(f"{start:9}{dataset:12}{value:.3f}  {seconds:.0f} CPU s", flush=True)


if __name__ == "__main__":
    main()
