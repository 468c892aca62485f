"""`swapset detect`: score a video or an image with one detector."""

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
        help="score a video or an image with a detector",
        description=(
            "Score a video or an image with a fitted detector. Higher = more likely fake. If there "
            "are several people, the one who is visible longest and largest is scored."
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
        help="results of the build with the fitted detector (default: results/demo)",
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


def _detect(options: argparse.Namespace) -> None:
    if options.every < 1:
        raise ConfigError(f"--every: {options.every} is not allowed: use at least 1")
    from swapset.detection import detect
    from swapset.io.files import write_csv
    from swapset.learning.device import claimed_device
    from swapset.media.picture import is_image
    from swapset.report.figures.charts import save_figure

    with claimed_device(options.device) as device:
        detector = _detector(options, str(device))
        if is_image(options.file):
            if options.video:
                raise ConfigError(
                    "--video: is not allowed for an image, which has no frames to annotate; leave "
                    "it out"
                )
            result = detect.score_image(detect.read_image(options.file), detector)
        else:
            with detect.opened(options.file) as clip:
                result = detect.score_clip(clip, detector, options.every)
                if options.video:
                    detect.annotate(clip, result, options.video, options.detector)
    if options.csv:
        write_csv(options.csv, result.table())
    if options.plot:
        title = f"{options.file.name}, {options.detector}"
        save_figure(detect.score_plot(result, title), options.plot)
    seen = int((result.boxes == result.boxes).all(axis=1).sum())
    shown = "no score" if math.isnan(result.score) else f"{result.score:.4f}"
    print(f"{options.file}: {options.detector} {shown} (higher = more likely fake)")
    print(f"  {seen} of {len(result.frames)} scored frames show a face")


def _detector(options: argparse.Namespace, device: str) -> Detector:
    from swapset.detectors.registry import detector_class

    kind = detector_class(options.detector)
    if options.weights:
        return kind.from_weights(options.weights, device=device)
    model = options.model or options.build / "detectors" / options.detector / "0.safetensors"
    if not model.is_file():
        config = "" if options.build == _BUILD else " with the build's --configfile"
        how = f"fit it by `snakemake --cores 2 {model}`{config}, or give --model or --weights"
        advice = "correct --model" if options.model else how
        raise ConfigError(f"{model}: there is no fitted {options.detector}; {advice}")
    return kind.load(model, device=device)
