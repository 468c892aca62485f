from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from swapset.config.schema import load
from swapset.dataset.manifest import Clip, Manifest
from swapset.dataset.selection import Swap, allowed_pairs, draw_swaps, pair_name, read_swaps
from swapset.errors import ConfigError, ManifestError

ROOT = Path(__file__).parents[3]


def manifest(*clips: int) -> Manifest:
    """Return a manifest whose subject k has `clips[k]` clips."""
    return Manifest(
        Clip(f"id{subject}_{number:04d}", f"id{subject}", None, "CC0")
        for subject, count in enumerate(clips)
        for number in range(count)
    )


PAPER = manifest(*[10] * 59)


def test_names() -> None:
    swap = Swap("id10", "id2", "0003")
    assert (swap.name, swap.clip, swap.pair) == ("id10_id2_0003", "id10_0003", "id2-id10")
    assert pair_name("id2", "id10") == pair_name("id10", "id2")


def test_all_pairs() -> None:
    assert allowed_pairs(manifest(1, 1, 1), "all") == {"id0-id1", "id0-id2", "id1-id2"}
    assert len(allowed_pairs(PAPER, "all")) == 59 * 58 // 2


def test_listed_pairs_in_either_order() -> None:
    assert allowed_pairs(manifest(1, 1, 1), [("id2", "id0")]) == {"id0-id2"}


@pytest.mark.parametrize("pairs", [[("id0", "id9")], [("id9", "id0")]])
def test_pairs_of_unknown_subjects(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(ConfigError, match=r"pairs: .*'id9'"):
        allowed_pairs(manifest(1, 1), pairs)


def test_pair_of_one_subject() -> None:
    with pytest.raises(ConfigError, match="paired with itself"):
        allowed_pairs(manifest(1, 1), [("id0", "id0")])


def paper_config() -> tuple[float | str, int]:
    yaml = pytest.importorskip("yaml")
    values = yaml.safe_load((ROOT / "config" / "celebdf.yaml").read_text())
    default = load({})
    per_clip = values.get("swaps_per_clip", default.swaps_per_clip)
    return per_clip, values.get("seed", default.seed)


def test_the_papers_number_of_fakes_over_all_pairs() -> None:
    per_clip, seed = paper_config()
    swaps = draw_swaps(PAPER, allowed_pairs(PAPER, "all"), per_clip, seed)
    assert len(swaps) == len(set(swaps)) == 5639
    assert {swap.pair for swap in swaps} == allowed_pairs(PAPER, "all")
    assert {swap.clip for swap in swaps} == set(PAPER.clips)
    # Spread evenly: over clips, targets and donors.
    assert set(Counter(swap.clip for swap in swaps).values()) == {9, 10}
    per_target = Counter(swap.target for swap in swaps)
    assert max(per_target.values()) - min(per_target.values()) <= 1
    per_direction = Counter((swap.target, swap.donor) for swap in swaps)
    assert len(per_direction) == 59 * 58
    assert set(per_direction.values()) <= {1, 2}


def test_same_seed_same_draw_and_other_seed_another() -> None:
    people = manifest(3, 4, 2, 5)
    allowed = allowed_pairs(people, "all")
    for per_clip in (1, 1.4):
        draws = [draw_swaps(people, allowed, per_clip, seed) for seed in (5, 5, 6)]
        assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("per_clip", [0.1, 0.5, 0.94, 1, 1.0, 1.5, 2.24, 3])
def test_numbers_are_kept_exactly(per_clip: float) -> None:
    people = manifest(3, 4, 2, 5, 6)
    swaps = draw_swaps(people, allowed_pairs(people, "all"), per_clip, 1)
    assert len(swaps) == len(set(swaps)) == round(per_clip * 20)
    assert all(swap.target != swap.donor for swap in swaps)
    counts = Counter(swap.clip for swap in swaps)
    found = {counts[clip] for clip in people.clips}
    assert found <= {int(per_clip), int(per_clip) + (per_clip % 1 > 0)}


def test_all_is_every_donor_for_every_clip() -> None:
    people = manifest(2, 1, 3)
    swaps = draw_swaps(people, allowed_pairs(people, "all"), "all", 1)
    assert len(swaps) == len(set(swaps)) == 6 * 2


def test_more_than_there_are_donors_is_all() -> None:
    people = manifest(2, 1, 3)
    allowed = allowed_pairs(people, "all")
    most = draw_swaps(people, allowed, 99.5, 1)
    assert sorted(most, key=str) == sorted(draw_swaps(people, allowed, "all", 1), key=str)


@pytest.mark.parametrize("per_clip", [0.5, 1, 2, "all"])
def test_only_allowed_pairs_are_drawn(per_clip: float | str) -> None:
    people = manifest(4, 4, 4, 4)
    allowed = allowed_pairs(people, [("id0", "id1"), ("id1", "id2")])
    swaps = draw_swaps(people, allowed, per_clip, 1)
    assert {swap.pair for swap in swaps} <= allowed
    assert all("id3" not in (swap.target, swap.donor) for swap in swaps)
    if per_clip == "all":
        assert len(swaps) == 4 * (1 + 2 + 1)
    if per_clip == 1:
        assert len(swaps) == 12
        # id1's donors take turns.
        assert Counter(swap.donor for swap in swaps if swap.target == "id1") == {
            "id0": 2,
            "id2": 2,
        }


def test_a_half_swap_per_clip_is_spread_over_subjects() -> None:
    people = manifest(2, 2, 2, 2)
    swaps = draw_swaps(people, allowed_pairs(people, [("id0", "id1"), ("id2", "id3")]), 0.5, 1)
    assert sorted(swap.target for swap in swaps) == ["id0", "id1", "id2", "id3"]


def test_draws_do_not_change_the_manifest() -> None:
    people = manifest(2, 2, 2)
    before = list(people.clips), [people.of(subject).copy() for subject in people.subjects]
    draw_swaps(people, allowed_pairs(people, "all"), 1.5, 3)
    assert before == (list(people.clips), [people.of(subject) for subject in people.subjects])


def swaps_file(folder: Path, *rows: str, header: str = "clip,donor") -> Path:
    path = folder / "swaps.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_swaps_are_read_in_their_order(tmp_path: Path) -> None:
    people = manifest(2, 1, 1)
    path = swaps_file(tmp_path, "id0_0001,id2", "id1_0000,id0", "id0_0001,id1")
    assert [swap.name for swap in read_swaps(path, people, allowed_pairs(people, "all"))] == [
        "id0_id2_0001",
        "id1_id0_0000",
        "id0_id1_0001",
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("id0_0009,id1", ["'id0_0009'", "not in the manifest"]),
        ("id0_0000,id9", ["'id9'", "no clip"]),
        ("id0_0000,id0", ["its own face"]),
        ("id0_0000,id2", ["id0-id2", "'pairs'"]),
        ("id0_0001,id1", ["line 2"]),
        ("id0_0000", ["fewer cells"]),
    ],
)
def test_wrong_swaps_are_named_by_line(tmp_path: Path, row: str, words: list[str]) -> None:
    people = manifest(2, 1, 1)
    path = swaps_file(tmp_path, "id0_0001,id1", row)
    with pytest.raises(ManifestError) as caught:
        read_swaps(path, people, allowed_pairs(people, [("id0", "id1")]))
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert all(word in str(caught.value) for word in words)


def test_swaps_with_other_columns(tmp_path: Path) -> None:
    path = swaps_file(tmp_path, "id0_0000,id1", header="target,donor")
    with pytest.raises(ManifestError, match="'clip' is missing"):
        read_swaps(path, manifest(1, 1), {"id0-id1"})
