"""DeeperForensics-1.0: faces of 100 actors on the videos of FaceForensics++, with perturbations.

    <root>/manipulated_videos/end_to_end/000_M101.mp4     video 000 with the face of actor M101
    <root>/manipulated_videos/end_to_end_level_3/...      the same, perturbed; eleven variants
    <root>/lists/splits/train.txt, val.txt, test.txt      "000_M101.mp4"
    FaceForensics++: original_sequences/youtube/c23/videos/000.mp4        the real videos

Sources: Jiang, Li, Wu, Qian and Loy, "DeeperForensics-1.0: A Large-Scale Dataset for Real-World
Face Forgery Detection", CVPR 2020; EndlessSora/DeeperForensics-1.0, `dataset/README.md`, by which
the actors' own recordings (`source_videos`) are not the real part of the dataset.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import get_args

from swapset.dataset.layouts.checks import check_splits
from swapset.dataset.layouts.files import find_root, list_videos, report_missing
from swapset.dataset.layouts.sequences import ROOTS
from swapset.dataset.layouts.video import Dataset, Split, Video
from swapset.errors import ConfigError, ManifestError
from swapset.io.untrusted import whole_text

VARIANTS = (
    "end_to_end",
    *(f"end_to_end_level_{level}" for level in range(1, 6)),
    "end_to_end_random_level",
    *(f"end_to_end_mix_{count}_distortions" for count in range(2, 5)),
    "reenact_postprocess",
)
_PERTURBED = [name for name in VARIANTS if name not in ("end_to_end", "reenact_postprocess")]
_NAME = "DeeperForensics-1.0"
_LISTS = Path("lists", "splits")
_TARGETS = Path("original_sequences", "youtube", "c23")
_FAKE = re.compile(r"(\d{3})_([MW]\d{3})")


def read(
    root: Path,
    *,
    variants: Sequence[str] = ("end_to_end",),
    originals: Path | None = None,
    partial: bool = False,
) -> Dataset:
    """Read fakes of some variants, and the videos of FaceForensics++ that they were made on.

    Targets are numbers of videos, donors are actors; each is in one split. With several variants, a
    fake's name begins with its variant. A note names variants whose fakes are perturbed, because
    no real video is.

    Parameters
    ----------
    root : Path
        The folder with `manipulated_videos`, or the one above it.
    variants : sequence of str
        Folders of `manipulated_videos`.
    originals : Path, optional
        FaceForensics++'s folder; by default the dataset's, one inside it, or one beside it.
    partial : bool
        Go on without listed fakes, or their originals, that are not on disk.

    Raises
    ------
    ManifestError
        If a folder, a list or a video is missing, or somebody is in two splits.
    ConfigError
        If a variant is unknown.
    """
    chosen = _checked(variants)
    root = find_root(root, (_NAME, "DeeperForensics"), ("manipulated_videos",), _NAME)
    splits = _read_lists(root)
    dataset = Dataset(_NAME, root)
    _warn_of_perturbed(dataset, chosen)
    present = _add_real(dataset, _target_folder(root, originals), splits, partial)
    for variant in chosen:
        prefix = f"{variant}_" if len(chosen) > 1 else ""
        _add_fakes(dataset, variant, prefix, splits, present, partial)
    check_splits(dataset.videos)
    return dataset


def _add_fakes(
    dataset: Dataset,
    variant: str,
    prefix: str,
    splits: Mapping[str, Split],
    present: AbstractSet[str],
    partial: bool,
) -> None:
    """Add the fakes of a variant; `present` are the numbers of the real videos on disk."""
    folder = dataset.root / "manipulated_videos" / variant
    if not folder.is_dir():
        raise ManifestError(
            f"{folder}: is missing; {_NAME} needs it: unpack the dataset, or correct the "
            "option 'variants'"
        )
    files = list_videos(folder)
    for stem, path in files.items():
        name = _FAKE.fullmatch(stem)
        if name is None or stem not in splits:
            dataset.leave_out(path, "is in none of train.txt, val.txt and test.txt")
            continue
        dataset.videos.append(
            Video(
                f"{prefix}{stem}",
                path,
                1,
                target=name[1],
                donor=name[2],
                split=splits[stem],
                method="DF-VAE",
                likely_original=name[1] if name[1] in present else None,
            )
        )
    absent = {
        f"{folder / stem}.mp4": f"{dataset.root / _LISTS / split}.txt"
        for stem, split in splits.items()
        if stem not in files
    }
    report_missing(dataset, absent, partial)


def _checked(variants: Sequence[str]) -> list[str]:
    names = [variants] if isinstance(variants, str) else list(variants)
    for name in names:
        if name not in VARIANTS:
            raise ConfigError(
                f"{_NAME}: variants: {name!r} is not allowed: choose from {', '.join(VARIANTS)}"
            )
    if not names:
        raise ConfigError(f"{_NAME}: variants: [] is not allowed: name at least one")
    return names


def _warn_of_perturbed(dataset: Dataset, variants: Sequence[str]) -> None:
    if perturbed := [name for name in variants if name in _PERTURBED]:
        dataset.notes.append(
            f"The fakes of {', '.join(perturbed)} are perturbed and the real videos are not, as "
            "published: detectors may tell the perturbation instead of the fake "
            "('detection.perturbations' perturbs the real ones and the fakes of end_to_end alike)."
        )


def _read_lists(root: Path) -> dict[str, Split]:
    """Return the split of each fake, by stem.

    Raises
    ------
    ManifestError
        If a list is missing, a line is no name of a fake, or a fake is listed twice.
    """
    splits: dict[str, Split] = {}
    for split in get_args(Split):
        path = root / _LISTS / f"{split}.txt"
        for number, line in enumerate(whole_text(path, ManifestError).splitlines(), start=1):
            stem = Path(line.strip().replace("\\", "/")).stem
            if not stem:
                continue
            if not _FAKE.fullmatch(stem) or stem in splits:
                what = "is already listed" if stem in splits else "is not called 000_M101.mp4"
                raise ManifestError(
                    f"{path}, line {number}: {line.strip()!r} {what}; restore the published list"
                )
            splits[stem] = split
    return splits


def _target_folder(root: Path, originals: Path | None) -> Path:
    """Return the folder of the real videos."""
    tops = [Path(originals)] if originals else [root, root.parent]
    places = [folder / name for folder in tops for name in ("", *ROOTS)]
    for place in places:
        if (place / _TARGETS).is_dir():
            return place / _TARGETS
    raise ManifestError(
        f"{tops[0]}: has no {_TARGETS.as_posix()}; the real videos of {_NAME} are those of "
        "FaceForensics++: set the option 'originals' to its folder"
    )


def _add_real(
    dataset: Dataset, folder: Path, splits: Mapping[str, Split], partial: bool
) -> set[str]:
    """Add the real videos that fakes were made on; return their numbers."""
    of = {stem.partition("_")[0]: (stem, split) for stem, split in splits.items()}
    files = list_videos(folder)
    for number in sorted(of.keys() & files.keys()):
        real = Video(number, files[number], 0, target=number, split=of[number][1])
        dataset.videos.append(real)
    absent = {
        f"{folder / number}.mp4": f"{dataset.root / _LISTS / split}.txt"
        for number, (_, split) in sorted(of.items())
        if number not in files
    }
    report_missing(dataset, absent, partial)
    return of.keys() & files.keys()
