"""Fits of detectors to small stores of faces."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from material.detectors import FaceList

from swapset.detection.fitting import FitJob, fit_detector
from swapset.detection.protocol import SPLIT_COLUMNS
from swapset.detection.store import VideoFaces, write_store
from swapset.detectors.base import load_detector

CPU = torch.device("cpu")
STEPS, EVERY = 6, 2
TRAINING = 8


def write(folder: Path, faces: FaceList) -> Path:
    """Write a store with a video of each face."""
    store = folder / "fake" / "c23" / "0000"
    store.mkdir(parents=True)
    write_store(store, [VideoFaces(f"v{k}", [0], [face]) for k, face in enumerate(faces.faces)])
    return store


def splits(training: int = TRAINING, swapped: bool = False) -> pd.DataFrame:
    rows = [
        ["fake", f"v{k}", (k + swapped) % 2, "", "", 0, "train" if k < training else "val"]
        for k in range(12)
    ]
    return pd.DataFrame(rows, columns=SPLIT_COLUMNS)


def job_of(folder: Path, detector: str = "Meso4", **changes: Any) -> FitJob:
    job = FitJob(
        detector,
        fold=0,
        seed=11,
        precision="fp32",
        settings={"steps": STEPS, "batch": 4, "look_every": 2, "patience": 10},
        checkpoint=folder / "checkpoints" / detector / "0.safetensors",
        checkpoint_every=EVERY,
        code="code",
    )
    return replace(job, **changes)


def fit(job: FitJob, store: Path, folder: Path, table: pd.DataFrame | None = None) -> Path:
    model = folder / "model.safetensors"
    table = splits() if table is None else table
    fit_detector(
        job, table, [store], model=model, card=folder / "card.json", device=CPU, log=io.StringIO()
    )
    return model


def result(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return weights and card, but for the hash of the file, whose metadata have no order."""
    arrays = load_detector(folder / "model.safetensors").arrays()
    card = json.loads((folder / "card.json").read_text())
    return dict(arrays), {key: value for key, value in card.items() if key != "sha256"}
