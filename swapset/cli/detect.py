"""`swapset detect`: score videos and images with one detector."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swapset.cli.collect import SUFFIXES
from swapset.dataset.manifest import natural_key
from swapset.detectors.registry import DETECTORS, PROTOCOLS
from swapset.errors import ConfigError, SwapsetError

if TYPE_CHECKING:
    import pandas as pd

    from swapset.detection.detect import Result
    from swapset.detectors.base import Detector


_BUILD = Path("results/demo")


def add_detect(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command to the `swapset` command."""
    detect = commands.add_parser(
        "detect",
        help="score a video, an image or a folder with a detector",
        description=(
            "Score a video or an image with a fitted detector. Higher = more likely fake. If there "
            "are several people, the one who is visible longest and largest is scored. For a "
            "folder, all videos and images in it are scored."
        ),
    )
    detect.add_argument("file", type=Path, metavar="FILE", help="a video, an image or a folder")
    detect.add_argument("--detector", required=True, choices=list(DETECTORS), metavar="NAME",
                        help=", ".join(DETECTORS))  # fmt: skip
    _add_source(detect)
    detect.add_argument(
        "--every", type=int, default=5, metavar="N", help="score every N-th frame (default: 5)"
    )
    detect.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    detect.add_argument("--csv", type=Path, metavar="FILE", help="write the score of each frame")
    detect.add_argument("--plot", type=Path, metavar="FILE", help="write a PNG of score over time")
    detect.add_argument("--video", type=Path, metavar="FILE", help="write an annotated .mp4")
    detect.set_defaults(run=_detect)


def _add_source(detect: argparse.ArgumentParser) -> None:
    """Add the options that name the detector's file."""
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
        "--protocol", choices=list(PROTOCOLS), help="whose weights they are, if not the authors'"
    )


def _detect(options: argparse.Namespace) -> int:
    if options.every < 1:
        raise ConfigError(f"--every: {options.every} is not allowed: use at least 1")
    from swapset.io.files import write_csv
    from swapset.learning.device import claimed_device

    several = options.file.is_dir()
    files = _media_in(options.file, options) if several else [options.file]
    results: dict[Path, Result] = {}
    with claimed_device(options.device) as device:
        detector, card = _detector(options, str(device))
        for file in files:
            try:
                results[file] = _score(file, options, detector)
            except (SwapsetError, OSError) as error:
                if not several:
                    raise
                print(f"not scored: {_reason(file, error)}")
            else:
                _say(file, results[file], options.detector, card)
    if several:
        print(f"{len(results)} of {len(files)} files are scored")
    if options.csv:
        write_csv(options.csv, _table(results, options.file if several else None))
    return int(len(results) < len(files))


def _media_in(folder: Path, options: argparse.Namespace) -> list[Path]:
    """Return the videos and images in a folder and its sub-folders, without hidden ones."""
    from swapset.media.picture import IMAGES

    for name in ("plot", "video"):
        if getattr(options, name):
            raise ConfigError(
                f"--{name}: is not allowed for a folder, as it is for one file; leave it out"
            )
    files = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES | IMAGES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not files:
        raise ConfigError(f"{folder}: no video or image is in this folder; correct the path")
    return sorted(files, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


def _score(file: Path, options: argparse.Namespace, detector: Detector) -> Result:
    """Score one file, and write the plot and the annotated video if they are asked for."""
    from swapset.detection import detect
    from swapset.media.picture import is_image
    from swapset.report.figures.charts import save_figure

    if is_image(file):
        if options.video:
            raise ConfigError(
                "--video: is not allowed for an image, which has no frames to annotate; leave "
                "it out"
            )
        result = detect.score_image(detect.read_image(file), detector)
    else:
        with detect.opened(file) as clip:
            result = detect.score_clip(clip, detector, options.every)
            if options.video:
                detect.annotate(clip, result, options.video, options.detector)
    if options.plot:
        title = f"{file.name}, {options.detector}"
        save_figure(detect.score_plot(result, title), options.plot)
    return result


def _reason(file: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or file}: {error.strerror or error}"
    return str(error)


def _say(file: Path, result: Result, detector: str, card: Mapping[str, Any]) -> None:
    """Print the score of one file, with the verdict and its doubts in the same line."""
    from swapset.detection.verdict import verdict
    from swapset.media.picture import is_image

    seen = int((result.boxes == result.boxes).all(axis=1).sum())
    shown = "no score" if math.isnan(result.score) else f"{result.score:.4f}"
    if result.ranks_apart:
        shown += f", probability {result.probability:.4f}"
    judged = verdict(card, result, picture=is_image(file))
    print(f"{file}: {detector} {shown} (higher = more likely fake){judged and f': {judged}'}")
    print(f"  {seen} of {len(result.frames)} scored frames show a face")


def _table(results: Mapping[Path, Result], folder: Path | None) -> pd.DataFrame:
    """Return the score of each frame; for a folder, with the file in the first column."""
    import pandas as pd

    if folder is None:
        return next(iter(results.values())).table()
    tables = [pd.DataFrame({"file": []})]
    for file, result in results.items():
        table = result.table()
        table.insert(0, "file", file.relative_to(folder).as_posix())
        tables.append(table)
    return pd.concat(tables)


def _detector(options: argparse.Namespace, device: str) -> tuple[Detector, dict[str, Any]]:
    """Return the detector, and its card: no more than a name for published weights."""
    from swapset.detectors.registry import detector_class
    from swapset.learning.model_files import read_model

    if options.protocol and not options.weights:
        raise ConfigError("--protocol: is not allowed without --weights; leave it out")
    kind = detector_class(options.detector, options.protocol)
    if options.weights:
        weights = {"weights": options.weights.name}
        return kind.from_weights(options.weights, device=device), weights
    model = options.model or options.build / "detectors" / options.detector / "0.safetensors"
    if not model.is_file():
        config = "" if options.build == _BUILD else " with the build's --configfile"
        how = f"fit it by `snakemake --cores 2 {model}`{config}, or give --model or --weights"
        advice = "correct --model" if options.model else how
        raise ConfigError(f"{model}: there is no fitted {options.detector}; {advice}")
    return kind.load(model, device=device), read_model(model)[2]
