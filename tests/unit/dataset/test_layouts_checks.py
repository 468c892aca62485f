"""Nobody is in two splits, as target or donor."""

from __future__ import annotations

from pathlib import Path

import pytest

from swapset.dataset.layouts.checks import check_splits, finish, settle_shared, shared_people
from swapset.dataset.layouts.video import Dataset, Split, Video
from swapset.errors import ManifestError


def video(name: str, split: Split | None, target: str | None, donor: str | None = None) -> Video:
    return Video(name, Path(f"{name}.mp4"), int(donor is not None), target, donor, split)


def test_splits_without_shared_people_pass() -> None:
    check_splits(
        [
            video("a", "train", "id0", "id1"),
            video("b", "train", "id1", "id0"),
            video("c", "val", "id2"),
            video("d", "test", "id3", "id4"),
            video("e", None, "id0", "id3"),
            video("f", "test", None),
            video("g", "train", None),
        ]
    )


@pytest.mark.parametrize(
    "videos",
    [
        [video("a", "train", "id0"), video("b", "test", "id0")],
        [video("a", "train", "id1", "id0"), video("b", "test", "id2", "id0")],
        [video("a", "train", "id0", "id1"), video("b", "test", "id2", "id0")],
        [video("a", "val", "id0"), video("x", None, "id0"), video("b", "train", "id0")],
    ],
)
def test_somebody_in_two_splits_is_named_with_both_videos(videos: list[Video]) -> None:
    with pytest.raises(ManifestError, match=r"^id0 is in a \(.*\) and in b \("):
        check_splits(videos)


def test_all_who_are_shared_are_counted() -> None:
    videos = [video("a", "train", "id0", "id1"), video("b", "test", "id1", "id0")]
    assert set(shared_people(videos)) == {"id0", "id1"}
    with pytest.raises(ManifestError, match="1 more people"):
        check_splits(videos)


def test_what_is_left_out_for_disjointness_passes_the_check() -> None:
    videos = [
        video("a", "train", "id0"),
        video("b", "train", "id1", "id2"),
        video("c", "train", "id2"),
        video("d", "val", "id1"),
        video("e", "test", "id0", "id1"),
        video("f", "train", None),
    ]
    dataset = Dataset("x", Path(), list(videos))
    settle_shared(dataset, disjoint=True)
    check_splits(dataset.videos)
    assert [v.name for v in dataset.videos] == ["c", "e", "f"]
    assert set(dataset.left_out) == {"a.mp4", "b.mp4", "d.mp4"}


def test_videos_are_in_natural_order_by_compression() -> None:
    names = ["id10_0000", "id2_0000", "id2_id10_0000"]
    videos = [
        Video(
            name, Path(f"{compression}/{name}"), int(name.count("_") == 2), compression=compression
        )
        for compression in ("c40", "original")
        for name in names
    ]
    order = [(v.compression, v.name) for v in finish(Dataset("x", Path(), videos)).videos]
    natural = ["id2_0000", "id2_id10_0000", "id10_0000"]
    assert order == [(c, n) for c in ("original", "c40") for n in natural]
