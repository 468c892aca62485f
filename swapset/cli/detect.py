"""`swapset detect`: score a video or an image by one detector."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swapset.detectors.registry import DETECTORS
from swapset.errors import ConfigError

if TYPE_CHECKING:
    from swapset.detectors.base import Detector


_BUILD = Path("results/demo")


def add_detect(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command to the `swapset` command."""
    detect = commands.add_parser(
        "detect",
        help="score a video or an image by a detector",
        description=(
            "Score a video or an image by a fitted detector. Higher = more likely fake. Of several "
            "people, the one who is seen longest and largest is scored."
        ),
    )
    detect.add_argument("file", type=Path, metavar="FILE", help="a video or an image")
    detect.add_argument("--detector", required=True, choices=list(DETECTORS), metavar="NAME",
                        help=", ".join(DETECTORS))  # fmt: skip
    source = detect.add_mutually_exclusive_group()
    source.add_argument(
        "--build",
        type=Path,
        default=_BUILD,
        metavar="DIR",
        help="results of the build whose detector is used (default: results/demo)",
    )
    source.add_argument("--model", type=Path, metavar="FILE", help="a fitted detector's file")
    source.add_argument(
        "--weights", type=Path, metavar="FILE", help="published weights (docs/weights.md)"
    )
    detect.add_argument(
        "--every", type=int, default=5, metavar="N", help="score every N-th frame (default: 5)"
    )
    detect.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    detect.add_argument("--csv", type=Path, metavar="FILE", help="write the score of each frame")
    detect.add_argument("--plot", type=Path, metavar="FILE", help="write a PNG of score over time")
    detect.add_argument("--video", type=Path, metavar="FILE", help="write an annotated .mp4")
    detect.set_defaults(run=_detect)


def _detect(given: argparse.Namespace) -> None:
    if given.every < 1:
        raise ConfigError(f"--every: {given.every} must be at least 1")
    from swapset.detection import detect
    from swapset.io.files import write_csv
    from swapset.learning.device import claimed_device
    from swapset.media.picture import is_image
    from swapset.report.figures.charts import save_figure

    with claimed_device(given.device) as device:
        detector = _detector(given, str(device))
        if is_image(given.file):
            if given.video:
                raise ConfigError("--video: is for videos; an image has no frames to annotate")
            result = detect.score_image(detect.read_image(given.file), detector)
        else:
            with detect.opened(given.file) as clip:
                result = detect.score_clip(clip, detector, given.every)
                if given.video:
                    detect.annotate(clip, result, given.video, given.detector)
    if given.csv:
        write_csv(given.csv, result.table())
    if given.plot:
        save_figure(detect.score_plot(result, f"{given.file.name}, {given.detector}"), given.plot)
    seen = int((result.boxes == result.boxes).all(axis=1).sum())
    shown = "no score" if math.isnan(result.score) else f"{result.score:.4f}"
    print(f"{given.file}: {given.detector} {shown} (higher = more likely fake)")
    print(f"  {seen} of {len(result.frames)} frames looked at show a face")


def _detector(given: argparse.Namespace, device: str) -> Detector:
    from swapset.detectors.registry import detector_class

    kind = detector_class(given.detector)
    if given.weights:
        return kind.from_weights(given.weights, device=device)
    model = given.model or given.build / "detectors" / given.detector / "0.safetensors"
    if not model.is_file():
        config = "" if given.build == _BUILD else " with the build's --configfile"
        how = f"fit it by `snakemake --cores 2 {model}`{config}, or give --model or --weights"
        raise ConfigError(
            f"{model}: there is no fitted {given.detector}" + ("" if given.model else f"; {how}")
        )
    return kind.load(model, device=device)
