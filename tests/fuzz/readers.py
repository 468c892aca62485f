"""Readers of untrusted files in this project; each returns "read" or the reason of a rejection.

`SwapsetError`s are left to the caller, because they report faults of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

from swapset.detection.detect import read_image
from swapset.extractors.bank import read_labelled_picture
from swapset.faces.detect import make_detector
from swapset.faces.upright import turn_needed
from swapset.io.files import write_json
from swapset.media.any_source import converted_clip
from swapset.media.ingest import ingest
from swapset.media.picture import read_picture
from swapset.media.probe import probe
from swapset.media.samples import Samples, with_source
from swapset.obstruction.protect.files import protect_file
from swapset.obstruction.protect.measure import Job
from swapset.obstruction.protect.noise import Protector

SECONDS = 2.0
"""Length of the part of a video that is read."""


def _ingest(path: Path, results: Path) -> str:
    """Read a file like rule ingest."""
    clip = results / "clip.mkv"
    record = ingest(path, clip, max_seconds=SECONDS)
    if record.ok:
        turn_needed(clip, make_detector("hog"))
    write_json(results / "ingest.json", asdict(record))
    return "read" if record.ok else record.reason


def _probe(path: Path, results: Path) -> str:
    write_json(results / "probe.json", {"codec": probe(path).codec})
    return "read"


def _protect(path: Path, results: Path) -> str:
    """Read a file like `swapset protect`, with few steps."""
    protect_file(path, results / "protected.mkv", _job())
    return "read"


def _protect_picture(path: Path, results: Path) -> str:
    protect_file(path, results / "protected.png", _job())
    return "read"


@cache
def _job() -> Job:
    from material.protect import extractor, job

    return job(Protector([extractor()], first=1, steps=1), overwrite=True)


def _picture(path: Path, results: Path) -> str:
    read_picture(path).view()
    return "read"


def _scored_picture(path: Path, results: Path) -> str:
    """Read a picture like `swapset detect`."""
    read_image(path)
    return "read"


def _labelled_picture(path: Path, results: Path) -> str:
    """Read a picture like those of labelled faces."""
    read_labelled_picture(path)
    return "read"


def _frames(path: Path, results: Path) -> str:
    """Read a picture like those of public datasets, where a folder of pictures is a video."""
    with converted_clip(path.parent) as (_, reason):
        return reason or "read"


def _samples(path: Path, results: Path) -> str:
    """Read some frames like rule find_faces on public videos."""

    def some(video: Samples) -> None:
        for image in video.read(range(0, video.frames, 7)):
            assert image.rgb.shape == image.shape

    with_source(path, some, fps=30, seconds=SECONDS)
    return "read"


def _detector(path: Path, results: Path) -> str:
    from swapset.detectors.base import load_detector

    load_detector(path)
    return "read"


def _extractor(path: Path, results: Path) -> str:
    import torch

    from swapset.cli.protect import load_extractors

    load_extractors([path], torch.device("cpu"))
    return "read"


def _pair(path: Path, results: Path) -> str:
    import torch

    from swapset.generation.checkpoint import load_model

    load_model(path, torch.device("cpu"))
    return "read"


def _published(name: str) -> Callable[[Path, Path], str]:
    """Return the reader of a detector's published weights."""

    def read(path: Path, results: Path) -> str:
        from swapset.detectors.registry import detector_class

        detector_class(name).from_weights(path)
        return "read"

    return read


def _torch(path: Path, results: Path) -> str:
    """Run all readers of torch's files; the small state dict fits no network."""
    from swapset.detectors.weights.xception import read_xception_weights
    from swapset.extractors.registry import extractor_class
    from swapset.learning.state_dicts import read_state

    read_state(path, "state_dict")
    read_xception_weights(path)
    extractor_class("avs-san").from_weights(path)
    return "read"


def _landmarks(path: Path, results: Path) -> str:
    from swapset.faces.prepare import ClipLandmarks

    ClipLandmarks.load(path)
    return "read"


def _predictor(path: Path, results: Path) -> str:
    from swapset.faces.landmarks import LandmarkPredictor

    picture = np.zeros((120, 120, 3), np.uint8)
    assert LandmarkPredictor(path).predict(picture, (10, 10, 90, 90)).shape == (68, 2)
    return "read"


JOBS: dict[str, Callable[[Path, Path], str]] = {
    "ingest": _ingest,
    "probe": _probe,
    "protect": _protect,
    "picture": _picture,
    "scored picture": _scored_picture,
    "labelled picture": _labelled_picture,
    "frames": _frames,
    "samples": _samples,
    "protect picture": _protect_picture,
    "detector": _detector,
    "extractor": _extractor,
    "pair": _pair,
    "torch": _torch,
    "old torch": _torch,
    "keras": _published("Meso4"),
    "logistic": _published("VA-LogReg"),
    "perceptron": _published("VA-MLP"),
    "machine": _published("HeadPose"),
    "landmarks": _landmarks,
    "predictor": _predictor,
}


def warm_up() -> None:
    """Import the modules that readers import late, and load the models that they keep."""
    _job()
    make_detector("hog")
