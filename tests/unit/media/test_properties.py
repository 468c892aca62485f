"""Every property of a picture, in `ingest` and in `protect`, as `swapset.media.properties` says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from material.pictures import encoded, face, ycbcr
from material.properties import fields, light, matrices, parts, shapes
from material.properties.cells import CELLS, clip_of, first_of

from swapset.media.decode import PlaneConverter
from swapset.media.properties import PROPERTIES, Action, Where, as_markdown

_REGISTERED = (fields, light, matrices, parts, shapes)  # importing them fills `CELLS`


@pytest.mark.parametrize("where", ["ingest", "protect"])
@pytest.mark.parametrize("name", [each.name for each in PROPERTIES])
def test_each_property_is_treated_as_the_table_says(
    name: str, where: Where, tmp_path: Path
) -> None:
    test = CELLS.get((name, where))
    assert test is not None, "this row has no test here"
    test(tmp_path)


def test_the_table_has_no_row_that_is_not_tested_and_no_test_without_a_row() -> None:
    assert {name for name, _ in CELLS} == {each.name for each in PROPERTIES}


@pytest.mark.parametrize(("where", "page"), [("ingest", "clips"), ("protect", "landmark_breaker")])
def test_the_documentation_shows_the_table(where: Where, page: str) -> None:
    text = Path("docs", f"{page}.md").read_text(encoding="utf-8")
    assert as_markdown(where) in text


def test_an_action_is_one_of_four() -> None:
    treatments = [each.of(where) for each in PROPERTIES for where in ("ingest", "protect")]
    assert {treatment.action for treatment in treatments} == set(Action)
    assert all(treatment.how for treatment in treatments)


def test_a_picture_that_is_nothing_special_is_not_touched(tmp_path: Path) -> None:
    """The common case takes the shortest way: planes go through as they are."""
    values = ycbcr(face(), "smpte170m")
    small = [values[0].ravel(), values[1, ::2, ::2].ravel(), values[2, ::2, ::2].ravel()]
    source = encoded(tmp_path / "a.mkv", [np.concatenate(small)] * 3, "yuv420p",
                     size=(160, 128), tags="colorspace=smpte170m:range=tv")  # fmt: skip
    planes = PlaneConverter()(first_of(source))
    np.testing.assert_array_equal(planes.ravel(), np.concatenate(small))
    record, _ = clip_of(source)
    assert (record.converted, record.cuts) == ([], [])
