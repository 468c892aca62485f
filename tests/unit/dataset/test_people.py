"""People of different datasets are different ones, unless the config says that they are one."""

from __future__ import annotations

import pytest

from swapset.build.same_people import same_people
from swapset.dataset.people import People, without_known
from swapset.dataset.same_people import one_name
from swapset.errors import ConfigError

KNOWN = {"real": ["id0", "id2"], "Celeb-DF": ["id0", "id2", "id7"], "Celeb-DF-v2": ["id2", "id9"]}


def test_namesakes_of_two_datasets_are_two_people() -> None:
    people = People({"real", "faceswap"})
    assert people.of(["faceswap", "id0_id2_0", 1, "id0", "id2", 0, "test"]) == ["id0", "id2"]
    assert people.of(["Celeb-DF", "id2_0", 0, "id2", "", 0, "test"]) == ["Celeb-DF/id2"]
    assert people.key("DFD", "id2") != people.key("Celeb-DF", "id2") != people.key("real", "id2")


def test_who_is_one_person_has_one_name_also_over_a_third() -> None:
    asked = {"Celeb-DF/id2": "id0", "Celeb-DF-v2/id9": "Celeb-DF/id2"}
    people = People({"real"}, one_name(same_people(asked, KNOWN)))
    assert people.key("Celeb-DF", "id2") == people.key("Celeb-DF-v2", "id9") == "id0"
    assert people.key("Celeb-DF", "id0") == "Celeb-DF/id0"


@pytest.mark.parametrize(
    ("asked", "pairs"),
    [
        ({"Celeb-DF-v2": "Celeb-DF"}, [("Celeb-DF/id2", "Celeb-DF-v2/id2")]),
        ({"Celeb-DF": "real"}, [("id0", "Celeb-DF/id0"), ("id2", "Celeb-DF/id2")]),
        ({"real": "Celeb-DF-v2"}, [("Celeb-DF-v2/id2", "id2")]),
        ({"id2": "id0"}, [("id0", "id2")]),
    ],
)
def test_whole_datasets_and_own_subjects(
    asked: dict[str, str], pairs: list[tuple[str, str]]
) -> None:
    assert same_people(asked, KNOWN) == pairs


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"Celeb-DF/id3": "id0"}, "nobody in Celeb-DF is called 'id3'; its people are id0, id2,"),
        ({"Celeb-DF/id2": "id1"}, "'id1' is nobody; write the name of a subject"),
        ({"CelebDF/id2": "id0"}, "'CelebDF/id2' is nobody; .* a dataset: Celeb-DF, Celeb-DF-v2"),
        ({"Celeb-DF": "id0"}, "'Celeb-DF' is nobody"),
        ({"real": "UADFV"}, "real and UADFV have no name in common"),
        ({"UADFV/a": "id0"}, "called 'a'; it does not publish who is in its videos"),
    ],
)
def test_somebody_who_does_not_exist_is_named(asked: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=rf"detection\.same_people: .*{says}"):
        same_people(asked, {**KNOWN, "UADFV": []})


def rows() -> list[list[str | int]]:
    """Return two folds: id0 and id2 are learnt from in one each, and Celeb-DF is all test."""
    return [
        *(
            [kind, f"{kind}_{person}", 0, person, "", fold, role]
            for kind in ("real",)
            for fold, parts in enumerate([("train", "test"), ("test", "val")])
            for person, role in zip(("id0", "id2"), parts, strict=True)
        ),
        *(["Celeb-DF", "c2", 0, "id2", "", fold, "test"] for fold in (0, 1)),
        *(["Celeb-DF", "c7_c2", 1, "id7", "id2", fold, "test"] for fold in (0, 1)),
        *(["Celeb-DF", "c7", 0, "id7", "", fold, "test"] for fold in (0, 1)),
    ]


def roles(kept: list[list[str | int]], video: str) -> list[str | int]:
    return [row[6] for row in kept if row[1] == video]


def test_videos_of_whom_a_fold_knows_are_tested_in_the_others_only() -> None:
    own = ["real", "faceswap"]
    apart = without_known(rows(), own, own, People(own))
    assert apart == rows()
    one = People(own, {"Celeb-DF/id2": "id2"})
    kept = without_known(rows(), own, own, one)
    assert roles(kept, "c2") == roles(kept, "c7_c2") == ["test", ""]
    assert roles(kept, "c7") == ["test", "test"]
    assert kept[:4] == rows()[:4]


def test_own_videos_that_teach_nothing_are_all_for_testing() -> None:
    """Also of people whom another detector would learn from; but not of whom this one knows."""
    own = ["real", "faceswap"]
    taught = [[*row[:6], "train" if row[0] == "Celeb-DF" else row[6]] for row in rows()]
    kept = without_known(taught, ["Celeb-DF"], own, People(own, {"Celeb-DF/id7": "id0"}))
    assert roles(kept, "real_id0") == ["", ""]
    assert roles(kept, "real_id2") == ["test", "test"]
    assert roles(kept, "c7") == ["train", "train"]
