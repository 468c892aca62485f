"""`swapset protect`: a video or picture with noise against landmark extraction on its faces."""

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
    """Return our own attacks that can be made on videos, and those of other packages."""
    return [
        name
        for name in ATTACKS
        if name not in ATTACKS.built_in or (name != CLEAN and goes_on(name))
    ]


def add_protect(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command to the `swapset` command."""
    protect = commands.add_parser(
        "protect",
        help="put noise on the faces of a video or picture, against landmark extraction",
        description=(
            "Write a version of a video or picture whose faces carry weak noise that misleads "
            "landmark extractors, and so face swaps. All else stays as it is: sound, subtitles, "
            "times, metadata. Of a folder, all videos and pictures are protected. It makes swaps "
            "harder and prevents none for certain."
        ),
    )
    protect.add_argument("source", type=Path, metavar="IN", help="a video, a picture or a folder")
    protect.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        help="the protected one (.mp4, .mkv, .mov; .png, .jpg, .webp, .tif), or a folder",
    )
    protect.add_argument(
        "--extractors",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="extractors to mislead: .safetensors of a build (results/NAME/extractors) or folders",
    )
    _add_noise(protect)
    _add_output(protect)
    protect.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    protect.add_argument(
        "--threads", type=int, metavar="N", help="processor threads (default: all there are)"
    )
    protect.add_argument("--seed", type=int, default=0, metavar="N", help="of random choices")
    protect.set_defaults(run=_protect)


def _add_noise(protect: argparse.ArgumentParser) -> None:
    """Add the options that say what the noise is, and whose faces get it."""
    attacks = _attacks()
    protect.add_argument(
        "--attack",
        default=ROBUST,
        choices=attacks,
        metavar="NAME",
        help=f"{', '.join(attacks)} (default: {ROBUST}, which alone follows all extractors)",
    )
    protect.add_argument(
        "--epsilon",
        type=float,
        default=15.0,
        metavar="N",
        help="largest change of a pixel, of 255: more protects better and shows more (default: 15)",
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
        "--faces", choices=("all", "largest"), default="all", help="whom to protect (default: all)"
    )


def _add_output(protect: argparse.ArgumentParser) -> None:
    """Add the options that say how files are written."""
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
    protect.add_argument("--report", type=Path, metavar="FILE", help="write measures as JSON")
    protect.add_argument("--overwrite", action="store_true", help="replace OUT if it is there")


def _protect(given: argparse.Namespace) -> int:
    _check(given)
    from swapset.io.files import write_json
    from swapset.learning.device import claimed_device
    from swapset.obstruction.protect.files import protect_file, protect_folder

    threads = given.threads or os.cpu_count() or 1
    with claimed_device(given.device, threads=threads) as device:
        job = _job(given, device)
        rows: list[dict[str, Any]] = []
        if given.source.is_dir():
            for source, output, result in protect_folder(given.source, given.output, job):
                rows.append(_row(source, output, result))
                _say(rows[-1])
        else:
            result = protect_file(given.source, given.output, job)
            rows.append(_row(given.source, given.output, result))
            _say(rows[-1])
    failed = sum("error" in row for row in rows)
    if len(rows) > 1:
        print(f"{len(rows) - failed} of {len(rows)} files are protected")
    if failed < len(rows):
        print(_promise(job))
    if given.report:
        write_json(given.report, {"settings": _settings(given), "files": rows,
                                  "note": _promise(job)})  # fmt: skip
    return 1 if failed else 0


def _check(given: argparse.Namespace) -> None:
    """Refuse numbers that cannot be used, before anything is loaded."""
    for name, low, high in (
        ("first_steps", 1, 10_000),
        ("steps", 1, 10_000),
        ("crf", 0, 51),
        ("quality", 1, 100),
        ("threads", 1, 1024),
    ):
        value = getattr(given, name)
        if value is not None and not low <= value <= high:
            option = name.replace("_", "-")
            raise ConfigError(f"--{option}: {value} must lie between {low} and {high}")
    if not 1 <= given.epsilon <= 255:
        raise ConfigError(f"--epsilon: {given.epsilon} must lie between 1 and 255")
    if not goes_on(given.attack):
        raise ConfigError(f"--attack: {given.attack} cannot go on from one frame to the next")
    if not given.source.exists():
        raise ConfigError(f"{given.source}: no such file or folder")


def _job(given: argparse.Namespace, device: torch.device) -> Job:
    from swapset.obstruction.protect.measure import Job
    from swapset.obstruction.protect.noise import Protector

    extractors = load_extractors(given.extractors, device)
    protector = Protector(
        list(extractors.values()),
        attack=given.attack,
        first=given.first_steps,
        steps=given.steps,
        seed=given.seed,
        epsilon=given.epsilon,
    )
    against = [name for name, own in extractors.items() if own in protector.extractors]
    return Job(
        protector,
        extractors,
        against,
        which=given.faces,
        crf=given.crf,
        jpeg=given.quality,
        overwrite=given.overwrite,
    )


def load_extractors(paths: Sequence[Path], device: torch.device) -> dict[str, Extractor]:
    """Return the extractors in files, or in all .safetensors of folders, by file.

    Raises
    ------
    ConfigError
        If there is none.
    DataError
        If a file is no trained extractor of this project.
    """
    from swapset.extractors.base import load_extractor

    files: list[Path] = []
    for path in paths:
        own = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
        if not own or not own[0].exists():
            raise ConfigError(
                f"--extractors: {path}: no extractor is there; `snakemake --cores 2 "
                "landmark_breaker` (with the build's --configfile) trains them into "
                "results/NAME/extractors"
            )
        files += [file for file in own if file not in files]
    found = {str(file): load_extractor(file, device=device) for file in files}
    for name, extractor in found.items():
        if not all(part.isfinite().all() for part in extractor.network.state_dict().values()):
            raise DataError(f"{name}: has weights that are no numbers; train it again")
    return found


def _row(source: Path, output: Path, result: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(result, str):
        return {"source": str(source), "error": result}
    return {"source": str(source), "output": str(output), **result}


def _say(row: dict[str, Any]) -> None:
    """Print what became of a file."""
    if "error" in row:
        print(f"not protected: {row['error']}")
        return
    count = row["faces"]
    people = f"{count} face{'s' * (count != 1)}"
    if row["kind"] == "video":  # somebody who comes back is followed anew
        people = f"faces followed {count} time{'s' * (count != 1)}"
        people += f", in {row['frames_with_faces']} of {row['frames']} frames"
    print(f"{row['output']}: {people}; SSIM in the face {_number(row['ssim_written'])}")
    for one in row["extractors"]:
        aim = "" if one["noise_follows_it"] else " (only measured)"
        print(
            f"  {one['extractor']}{aim}: landmarks move by {_number(one['nme_protected'])} of the "
            f"distance of the eyes, by {_number(one['nme_written'])} in the written file"
        )
    for part in row["left_out"]:
        print(f"  left out: {part}")


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"


def _promise(job: Job) -> str:
    from swapset.obstruction.protect.measure import PROMISE

    return PROMISE.format(against=", ".join(job.against))


def _settings(given: argparse.Namespace) -> dict[str, Any]:
    names = ("attack", "epsilon", "first_steps", "steps", "faces", "crf", "quality", "seed")
    return {name: getattr(given, name) for name in names}
