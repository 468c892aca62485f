"""DF-TIMIT (DeepfakeTIMIT), lower and higher quality, with its originals in VidTIMIT.

    <root>/lower_quality/fadg0/sa1-video-fram1.avi    fadg0 saying sa1, with the face of fram1
    <root>/higher_quality/fadg0/sa1-video-fram1.avi
    <originals>/fadg0/video/sa1/001, 002, ...         VidTIMIT: JPEG frames without an extension
    <originals>/fadg0/sa1.avi                         or videos made from them

Source: Korshunov and Marcel, "DeepFakes: a New Threat to Face Recognition? Assessment and
Detection", arXiv 1812.08685, 2018, and Sanderson and Lovell, "Multi-Region Probabilistic
Histograms for Robust and Scalable Identity Inference" (VidTIMIT), 2009. Others found out which name
is the target by subtracting fakes from originals: only the face of fadg0/sa1 differs.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Literal

from swapset.dataset.layouts.files import (
    find_root,
    report_missing,
    scan,
    stems,
    subfolder,
    video_files,
    walk,
)
from swapset.dataset.layouts.video import Dataset, Video
from swapset.errors import ManifestError

_PERSON = r"[fm][a-z]{3}\d"
_TAKE = re.compile(r"s[aix]\d+|head\d?")
_FAKE = re.compile(rf"(s[aix]\d+)-video-({_PERSON})")
_FRAME = re.compile(r"\d+(?:\.jpe?g|\.png)?", re.IGNORECASE)
_ORIGINALS = ("VidTIMIT", "dftimitreal", "vidtimitreal", "originals", "real")


def read(
    root: Path,
    *,
    quality: Literal["lower", "higher"] = "lower",
    originals: Path | None = None,
    partial: bool = False,
) -> Dataset:
    """Read one quality of DF-TIMIT and the VidTIMIT videos that its fakes are made from.

    The dataset publishes no split: all of it is for testing. VidTIMIT videos without a fake are
    not part of it and are left out.

    Parameters
    ----------
    root : Path
        The folder with `lower_quality` and `higher_quality`, or the one above it.
    quality : "lower" or "higher"
    originals : Path, optional
        The folder with VidTIMIT's people; by default `VidTIMIT` in `root`.
    partial : bool
        Go on without originals that are not on disk.

    Raises
    ------
    ManifestError
        If a folder or the original of a fake is missing.
    """
    name = {"lower": "DF-TIMIT-LQ", "higher": "DF-TIMIT-HQ"}[quality]
    folder = f"{quality}_quality"
    root = find_root(root, ("DeepfakeTIMIT", "DF-TIMIT"), (folder,), name)
    dataset = Dataset(name, root)
    fakes = _fakes(dataset, subfolder(root, (folder,), name))
    source = Path(originals or _near(root, name))
    real = _originals(source, name)
    absent = {
        f"{source}/{person}/video/{sentence}": f"{root / folder / person}"
        for person, sentence, _, _ in fakes
        if (person, sentence) not in real
    }
    report_missing(dataset, absent, partial)
    _add_real(dataset, real, {fake[:2] for fake in fakes})
    for person, sentence, donor, path in fakes:
        original = f"{person}_{sentence}" if (person, sentence) in real else None
        fake = Video(
            f"{person}_{path.stem}",
            path,
            1,
            target=person,
            donor=donor,
            method="faceswap-GAN",
            original=original,
        )
        dataset.videos.append(fake)
    return dataset


def _add_real(
    dataset: Dataset,
    real: Mapping[tuple[str, str], Path],
    wanted: Container[tuple[str, str]],
) -> None:
    frames = 0
    for (person, sentence), path in real.items():
        if (person, sentence) in wanted:
            frames += path.is_dir()
            dataset.videos.append(Video(f"{person}_{sentence}", path, 0, target=person))
        else:
            dataset.leave_out(path, "is a VidTIMIT video that no fake is made of")
    if frames:
        dataset.notes.append(f"{frames} real videos are folders of JPEG frames, 25 per second.")


def _fakes(dataset: Dataset, folder: Path) -> list[tuple[str, str, str, Path]]:
    """Return target, sentence, donor and file of every fake."""
    fakes = []
    for place, entries in walk(folder):
        for stem, path in stems(video_files(entries)).items():
            name = _FAKE.fullmatch(stem)
            if name and re.fullmatch(_PERSON, place.name):
                fakes.append((place.name, name[1], name[2], path))
            else:
                dataset.leave_out(path, "is not called PERSON/SENTENCE-video-PERSON")
    return fakes


def _near(root: Path, name: str) -> Path:
    """Return the folder of originals inside the dataset's folder."""
    try:
        return subfolder(root, _ORIGINALS, name)
    except ManifestError as error:
        raise ManifestError(
            f"{root}: has no real videos, because those of {name} are VidTIMIT's; set the option "
            "'originals' to the folder of VidTIMIT (docs/datasets.md)"
        ) from error


def _originals(folder: Path, name: str) -> dict[tuple[str, str], Path]:
    """Return VidTIMIT's videos and folders of frames by person and sentence."""
    if not folder.is_dir():
        raise ManifestError(f"{folder}: is not a folder; set the option 'originals' of {name}")
    originals: dict[tuple[str, str], Path] = {}
    folders = [e for e in scan(folder) if re.fullmatch(_PERSON, e.name) and e.is_dir()]
    for person in folders:
        for sentence, path in _sentences(Path(person.path)):
            key = (person.name, sentence)
            if key in originals:
                raise ManifestError(f"{originals[key]} and {path} are the same video; remove one")
            originals[key] = path
    if not originals:
        raise ManifestError(
            f"{folder}: has no video PERSON/video/SENTENCE of VidTIMIT, such as fadg0/video/sa1; "
            f"correct the option 'originals' of {name}"
        )
    return originals


def _sentences(person: Path) -> list[tuple[str, Path]]:
    """Return the sentences and head turns of a person, each a file or a folder of frames."""
    sentences = []
    for place, entries in walk(person):
        inside = bool(_TAKE.fullmatch(place.name))
        for path in video_files(entries):
            if inside:
                sentences.append((place.name, path))
            elif _TAKE.fullmatch(path.stem):
                sentences.append((path.stem, path))
        if inside and not video_files(entries) and any(_FRAME.fullmatch(e.name) for e in entries):
            sentences.append((place.name, place))
    return sentences
