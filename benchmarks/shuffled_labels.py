"""Fit a detector on shuffled labels, after which its AUC on unknown people must be at chance.

Run `python benchmarks/shuffled_labels.py results/NAME [--detector Meso4] [--dataset faceswap]
[--steps 200] [--batch 32] [--rounds 3]` after `snakemake detector_auc`. Labels of training and
validation videos are shuffled, test videos keep theirs. Prints the frame-level AUC of every round
over the test videos of all folds, and the mean over rounds; a mean far from 0.5 shows leakage.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from swapset.detection.auc import auc
from swapset.detection.fitting import FitJob, fit_detector
from swapset.detection.protocol import open_stores, read_splits, score_stores
from swapset.detection.statistics.levels import at_level
from swapset.detectors.base import Detector, load_detector
from swapset.detectors.registry import DETECTORS, needs_compression
from swapset.seeds import derive_seed


def shuffled(splits: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return splits with the labels shuffled within each training and validation part."""
    changed = splits.copy()
    for fold, role in splits[["fold", "role"]].drop_duplicates().itertuples(index=False):
        if role in ("train", "val"):
            here = (splits["fold"] == fold) & (splits["role"] == role)
            draw = np.random.default_rng(derive_seed(seed, "shuffled", int(fold), role))
            changed.loc[here, "label"] = draw.permutation(splits.loc[here, "label"])
    return changed


def one_round(
    options: argparse.Namespace, splits: pd.DataFrame, faces: list[Path], seed: int
) -> float:
    """Shuffle the labels, fit a detector per fold, and return the AUC."""
    settings = {"steps": options.steps, "batch": options.batch, "patience": 10, "look_every": 50}
    wrong = shuffled(splits, seed)
    detectors: dict[int, Detector] = {}
    with tempfile.TemporaryDirectory() as folder:
        for fold in sorted(splits["fold"].unique()):
            model = Path(folder, f"{fold}.safetensors")
            job = FitJob(options.detector, int(fold), seed, "auto", settings)
            fit_detector(
                job,
                wrong,
                faces,
                model=model,
                card=model.with_suffix(".json"),
                device=torch.device("cpu"),
            )
            detectors[int(fold)] = load_detector(model)
    scores = score_stores(detectors, open_stores(faces), splits)
    return auc(at_level(scores, "frame"))


def main() -> None:
    """Print the AUCs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path, help="folder of a build")
    parser.add_argument("--detector", choices=list(DETECTORS), default="Meso4")
    parser.add_argument("--dataset", default="faceswap")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    splits = read_splits(options.build / "tables/splits.csv")
    splits = splits[splits["kind"].isin(["real", options.dataset])]
    compressions = needs_compression(options.detector).split("+")
    faces = [
        store
        for kind in ("real", options.dataset)
        for compression in compressions
        for store in sorted((options.build / "crops" / kind / compression).iterdir())
    ]
    aucs = []
    for seed in range(options.rounds):
        aucs.append(one_round(options, splits, faces, seed))
        print(f"round {seed}: AUC {aucs[-1]:.3f}", flush=True)
    print(f"mean {statistics.mean(aucs):.3f}")


if __name__ == "__main__":
    main()
