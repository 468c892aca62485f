"""Check a dataset: names, both classes, and no person in two splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from swapset.dataset.layouts.video import Dataset, Split, Video
from swapset.dataset.manifest import natural_key
from swapset.errors import ManifestError
from swapset.media.compressions import COMPRESSIONS

_VALUES: dict[str, tuple[object, ...]] = {
    "label": (0, 1),
    "split": (None, *get_args(Split)),
    "compression": COMPRESSIONS,
}
_ORDER = {name: number for number, name in enumerate(COMPRESSIONS)}


def finish(dataset: Dataset) -> Dataset:
    """Sort and check the videos that a layout has read, and add notes on missing facts.

    Raises
    ------
    ManifestError
        If a video occurs twice or has an unknown label, split or compression, or there are no real
        or no fake videos.
    """
    _check_values(dataset)
    dataset.videos.sort(key=lambda video: (_ORDER[video.compression], natural_key(video.name)))
    _check_names(dataset)
    for label, kind in enumerate(("real", "fake")):
        if all(video.label != label for video in dataset.videos):
            raise ManifestError(
                f"{dataset.root}: has no {kind} videos of {dataset.name}{_why(dataset)}; "
                "docs/datasets.md shows the files that are expected"
            )
    _note_gaps(dataset)
    return dataset


def _check_values(dataset: Dataset) -> None:
    for video in dataset.videos:
        for name, allowed in _VALUES.items():
            if (value := getattr(video, name)) not in allowed:
                raise ManifestError(
                    f"{video.path}: {name} {value!r} of {dataset.name} is not allowed: it must be "
                    f"one of {', '.join(map(repr, allowed))}; correct the layout"
                )


def _check_names(dataset: Dataset) -> None:
    seen: dict[tuple[str, str], Video] = {}
    for video in dataset.videos:
        first = seen.setdefault((video.compression, video.name), video)
        if first is not video:
            raise ManifestError(
                f"{dataset.name}: {first.path} and {video.path} are both video {video.name}; "
                "remove one"
            )


def _why(dataset: Dataset) -> str:
    if not dataset.left_out:
        return ""
    path, reason = next(iter(dataset.left_out.items()))
    return f" ({len(dataset.left_out)} are left out, the first, {path}, because it {reason})"


def _note_gaps(dataset: Dataset) -> None:
    fakes = [video for video in dataset.videos if video.label == 1]
    alone = [video.name for video in fakes if not (video.original or video.likely_original)]
    if all(video.split is None for video in dataset.videos):
        dataset.notes.append("No split is published: all videos are for testing.")
    if not any(video.people for video in dataset.videos):
        dataset.notes.append("Who is in the videos is not published.")
    if alone:
        dataset.notes.append(
            f"{len(alone)} of {len(fakes)} fakes have no original here, for example {alone[0]}."
        )
    for reason, count in Counter(dataset.left_out.values()).items():
        dataset.notes.append(f"{count} videos are left out; each {reason}.")


def shared_people(videos: Iterable[Video]) -> dict[str, tuple[Video, Video]]:
    """Return the people who are in videos of two splits, as target or donor.

    Parameters
    ----------
    videos : iterable of Video
        Videos without a split and unknown people do not count.

    Returns
    -------
    dict of str to (Video, Video)
        The person to two videos of different splits.
    """
    first: dict[str, Video] = {}
    shared: dict[str, tuple[Video, Video]] = {}
    for video in videos:
        for person in video.people if video.split else ():
            other = first.setdefault(person, video)
            if other.split != video.split:
                shared.setdefault(person, (other, video))
    return shared


def check_splits(videos: Iterable[Video]) -> None:
    """Check that no person is in videos of two splits, as target or donor.

    Raises
    ------
    ManifestError
        If somebody is; the message names the person and two videos.
    """
    shared = shared_people(videos)
    if shared:
        person, (one, other) = next(iter(shared.items()))
        more = f", and {len(shared) - 1} more people are in two splits" if len(shared) > 1 else ""
        raise ManifestError(
            f"{person} is in {one.name} ({one.split}) and in {other.name} ({other.split}){more}: "
            "detectors would be tested on people they know; correct the lists of the splits"
        )


def settle_shared(dataset: Dataset, *, disjoint: bool) -> None:
    """Handle people who are in two splits of a dataset as it was published.

    The test split stays as published, so that results are comparable with those of others. With
    `disjoint`, the training videos of all people in it are left out; otherwise a note gives the
    number of people in both.
    """
    shared = shared_people(dataset.videos)
    if not shared:
        return
    tested = {person for v in dataset.videos if v.split == "test" for person in v.people}
    if not disjoint:
        known = {person for video in dataset.videos for person in video.people}
        dataset.notes.append(
            f"{len(shared)} of {len(known)} people are in training and in test videos, as "
            "published: the test is on new videos, not on new people (option 'disjoint: true' "
            "leaves their training videos out)."
        )
        return
    kept = []
    for video in dataset.videos:
        if video.split != "test" and tested.intersection(video.people):
            dataset.leave_out(video.path, "shows somebody who is in the test split")
        else:
            kept.append(video)
    dataset.videos = kept
