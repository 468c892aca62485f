"""`swapset protect`: add noise against landmark extraction to the faces of videos and pictures."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swapset.errors import ConfigError, DataError
from swapset.obstruction.attacks.registry import ATTACKS, CLEAN, ROBUST, goes_on

if TYPE_CHECKING:
    import torch

    from swapset.extractors.base import Extractor
    from swapset.obstruction.protect.measure import Job


def _attacks() -> list[str]:
    """Return the built-in attacks that are possible on videos, and those of other packages."""
    return [
        name
        for name in ATTACKS
        if name not in ATTACKS.built_in or (name != CLEAN and goes_on(name))
    ]


def add_protect(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command to the `swapset` command."""
    protect = commands.add_parser(
        "protect",
        help="add noise against landmark extraction to the faces of a video or picture",
        description=(
            "Write a copy of a video or picture with weak noise on the faces that misleads "
            "landmark extractors, and so face swaps. Sound, subtitles, times and metadata stay as "
            "they are. For a folder, all videos and pictures in it are protected. This makes swaps "
            "harder and prevents none for certain."
        ),
    )
    protect.add_argument("source", type=Path, metavar="IN", help="a video, a picture or a folder")
    protect.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        help="the protected copy (.mp4, .mkv, .mov; .png, .jpg, .webp, .tif), or a folder",
    )
    protect.add_argument(
        "--extractors",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="extractors to mislead: .safetensors files of a build, or results/NAME/extractors",
    )
    _add_noise(protect)
    _add_output(protect)
    protect.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    protect.add_argument(
        "--threads", type=int, metavar="N", help="processor threads (default: all)"
    )
    protect.add_argument("--seed", type=int, default=0, metavar="N", help="seed of random choices")
    protect.set_defaults(run=_protect)


def _add_noise(protect: argparse.ArgumentParser) -> None:
    """Add the options of the noise and of the faces that get it."""
    attacks = _attacks()
    protect.add_argument(
        "--attack",
        default=ROBUST,
        choices=attacks,
        metavar="NAME",
        help=f"{', '.join(attacks)} (default: {ROBUST}, the only one that follows all extractors)",
    )
    protect.add_argument(
        "--epsilon",
        type=float,
        default=15.0,
        metavar="N",
        help="largest change of a pixel, on the scale of 255; more protects better and is more "
        "visible (default: 15)",
    )
    protect.add_argument(
        "--first-steps",
        type=int,
        default=20,
        metavar="N",
        help="steps on the first frame of a face, and on a picture (default: 20)",
    )
    protect.add_argument(
        "--steps", type=int, default=4, metavar="N", help="steps on other frames (default: 4)"
    )
    protect.add_argument(
        "--faces",
        choices=("all", "largest"),
        default="all",
        help="faces to protect (default: all)",
    )


def _add_output(protect: argparse.ArgumentParser) -> None:
    """Add the options of the output files."""
    protect.add_argument(
        "--crf",
        type=int,
        default=16,
        metavar="N",
        help="H.264 rate factor of videos, 0 (no loss) to 51; lower is better (default: 16)",
    )
    protect.add_argument(
        "--quality", type=int, default=95, metavar="N", help="quality of JPEG (default: 95)"
    )
    protect.add_argument("--report", type=Path, metavar="FILE", help="write the measures as JSON")
    protect.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")


def _protect(options: argparse.Namespace) -> int:
    _check(options)
    from swapset.io.files import write_json
    from swapset.learning.device import claimed_device, let_threads_sleep

    let_threads_sleep()
    from swapset.obstruction.protect.files import protect_file, protect_folder

    threads = options.threads or os.cpu_count() or 1
    with claimed_device(options.device, threads=threads) as device:
        job = _job(options, device)
        rows: list[dict[str, Any]] = []
        if options.source.is_dir():
            for source, output, result in protect_folder(options.source, options.output, job):
                rows.append(_row(source, output, result))
                _say(rows[-1])
        else:
            result = protect_file(options.source, options.output, job)
            rows.append(_row(options.source, options.output, result))
            _say(rows[-1])
    failed = sum("error" in row for row in rows)
    if len(rows) > 1:
        print(f"{len(rows) - failed} of {len(rows)} files are protected")
    if failed < len(rows):
        print(_promise(job, rows))
    if options.report:
        write_json(options.report, {"settings": _settings(options), "files": rows,
                                  "note": _promise(job, rows)})  # fmt: skip
    return 1 if failed else 0


def _check(options: argparse.Namespace) -> None:
    """Check the options before anything is loaded."""
    for name, low, high in (
        ("first_steps", 1, 10_000),
        ("steps", 1, 10_000),
        ("crf", 0, 51),
        ("quality", 1, 100),
        ("threads", 1, 1024),
    ):
        value = getattr(options, name)
        if value is not None and not low <= value <= high:
            option = name.replace("_", "-")
            raise ConfigError(f"--{option}: {value} is not allowed: use {low} to {high}")
    if not 1 <= options.epsilon <= 255:
        raise ConfigError(f"--epsilon: {options.epsilon} is not allowed: use 1 to 255")
    if not goes_on(options.attack):
        raise ConfigError(
            f"--attack: {options.attack} is not allowed: it takes a single step and cannot go on "
            "from one frame to the next; choose another"
        )
    if not options.source.exists():
        raise ConfigError(f"{options.source}: no such file or folder; correct the path")


def _job(options: argparse.Namespace, device: torch.device) -> Job:
    from swapset.obstruction.protect.measure import Job
    from swapset.obstruction.protect.noise import Protector

    extractors = load_extractors(options.extractors, device)
    protector = Protector(
        list(extractors.values()),
        attack=options.attack,
        first=options.first_steps,
        steps=options.steps,
        seed=options.seed,
        epsilon=options.epsilon,
    )
    against = [name for name, each in extractors.items() if each in protector.extractors]
    return Job(
        protector,
        extractors,
        against,
        which=options.faces,
        crf=options.crf,
        jpeg=options.quality,
        overwrite=options.overwrite,
    )


def load_extractors(paths: Sequence[Path], device: torch.device) -> dict[str, Extractor]:
    """Load extractors and return them by file.

    Parameters
    ----------
    paths : sequence of Path
        Files, or folders with .safetensors files.
    device : torch.device

    Raises
    ------
    ConfigError
        If a file or folder has no extractor.
    DataError
        If a file is not a trained extractor of this project.
    """
    from swapset.extractors.base import load_extractor

    files: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
        if not inside or not inside[0].exists():
            raise ConfigError(
                f"--extractors: {path}: no extractor is there; `snakemake --cores 2 "
                "landmark_breaker` (with the build's --configfile) trains them into "
                "results/NAME/extractors"
            )
        files += [file for file in inside if file not in files]
    extractors = {str(file): load_extractor(file, device=device) for file in files}
    for name, extractor in extractors.items():
        if not all(part.isfinite().all() for part in extractor.network.state_dict().values()):
            raise DataError(f"{name}: has weights that are not finite; train it again")
    return extractors


def _row(source: Path, output: Path, result: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(result, str):
        return {"source": str(source), "error": result}
    return {"source": str(source), "output": str(output), **result}


def _say(row: dict[str, Any]) -> None:
    """Print the result of one file."""
    if "error" in row:
        print(f"not protected: {row['error']}")
        return
    count = row["faces"]
    people = f"{count} face{'s' * (count != 1)}"
    if row["kind"] == "video":  # a face that comes back is followed as a new one
        people = f"faces followed {count} time{'s' * (count != 1)}"
        people += f", in {row['frames_with_faces']} of {row['frames']} frames"
    print(f"{row['output']}: {people}; SSIM in the face {_number(row['ssim_written'])}")
    for measured in row["extractors"]:
        note = "" if measured["noise_follows_it"] else " (only measured)"
        print(
            f"  {measured['extractor']}{note}: landmarks move by "
            f"{_number(measured['nme_protected'])} of the distance of the eyes, by "
            f"{_number(measured['nme_written'])} in the written file"
        )
        if measured["poor"]:
            print(f"  {_poor(row['source'], measured, several=count > 1)}")
    for part in row["left_out"]:
        print(f"  left out: {part}")


def _poor(source: str, measured: dict[str, Any], *, several: bool) -> str:
    """Return a sentence about an extractor that misses the landmarks of a file without noise."""
    faces = "these faces" if several else "this face"
    follows = measured["noise_follows_it"]
    return (
        f"{source}: {measured['extractor']} misses the landmarks of {faces} by "
        f"{measured['nme_clean']:.2f} of the distance of the eyes without any noise; dlib's points "
        f"are the measure. {'Noise against it protects from' if follows else 'It says'} little; "
        "train it on more faces"
    )


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"


def _promise(job: Job, rows: list[dict[str, Any]]) -> str:
    from swapset.obstruction.protect.measure import POOR_PROMISE, PROMISE

    followed = [
        measured["poor"]
        for row in rows
        for measured in row.get("extractors", [])
        if measured["noise_follows_it"]
    ]
    poor = bool(followed) and all(followed)
    return (POOR_PROMISE if poor else "") + PROMISE.format(against=", ".join(job.against))


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    names = ("attack", "epsilon", "first_steps", "steps", "faces", "crf", "quality", "seed")
    return {name: getattr(options, name) for name in names}
