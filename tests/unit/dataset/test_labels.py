from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from material.generation import CPU, LANDMARKS, Keep, astronaut, stand_in, synthesis_recipe

from swapset.dataset.labels import SCHEMA, FrameLabel, read_label_facts, read_labels, write_labels
from swapset.errors import DataError
from swapset.faces.align import crop_transform
from swapset.faces.masks import polygon, render_mask
from swapset.generation.synthesis import Synthesiser

MATRIX = crop_transform(LANDMARKS, 128, 1.3)
OUTLINE = polygon(LANDMARKS, "smooth")
LABELS = [
    FrameLabel(0, True, MATRIX, OUTLINE, 7.25),
    FrameLabel(1, swapped=False),
    FrameLabel(2, True, MATRIX + 1, OUTLINE + 3, 0.0),
]
FACTS = {"method": "celebdf", "reason": "", "recipe": {"feather": 0.12, "mask": "smooth"}}


def test_labels_come_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "id0_id1_0000.parquet"
    write_labels(path, LABELS, FACTS)
    table, facts = read_labels(path)
    assert facts == FACTS == read_label_facts(path)
    rows = table.to_pylist()
    assert [row["frame"] for row in rows] == [0, 1, 2]
    assert [row["swapped"] for row in rows] == [True, False, True]
    assert rows[1] | {"frame": 0, "swapped": 0} == dict.fromkeys(SCHEMA.names) | {
        "frame": 0,
        "swapped": 0,
    }
    assert np.array_equal(np.reshape(rows[0]["transform"], (2, 3)), MATRIX)
    assert rows[0]["feather"] == 7.25


def test_the_stored_outline_renders_the_same_mask(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    write_labels(path, LABELS, FACTS)
    row = read_labels(path)[0].to_pylist()[0]
    again = render_mask(np.reshape(row["mask"], (-1, 2)), (512, 512), row["feather"])
    assert np.array_equal(again, render_mask(OUTLINE, (512, 512), 7.25))
    assert again.max() == 1


def test_labels_tell_what_synthesis_changed(tmp_path: Path) -> None:
    points = np.stack([LANDMARKS, np.full((68, 2), np.nan), LANDMARKS + [7.25, -3.5]])
    # A donor that is brighter everywhere: what changed is the mask.
    maker = Synthesiser(stand_in(Keep(0.3)), "id1", synthesis_recipe(colour_transfer="none"), CPU)
    made = list(maker.swap([astronaut()] * 3, points))
    path = tmp_path / "labels.parquet"
    write_labels(path, [label for _, label in made], FACTS)
    for row, (frame, _) in zip(read_labels(path)[0].to_pylist(), made, strict=True):
        changed = (frame != astronaut()).any(axis=-1)
        if not row["swapped"]:
            assert not changed.any()
            continue
        alpha = render_mask(np.reshape(row["mask"], (-1, 2)), (512, 512), row["feather"])
        assert not changed[alpha == 0].any()
        assert changed[alpha > 0.1].mean() > 0.95


def test_transform_takes_frame_to_crop(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    write_labels(path, LABELS, FACTS)
    a, b, x, c, d, y = read_labels(path)[0].to_pylist()[0]["transform"]
    nose = LANDMARKS[30]
    placed = np.array([a * nose[0] + b * nose[1] + x, c * nose[0] + d * nose[1] + y])
    # The nose lies about the middle of the 128 pixel crop.
    assert (np.abs(placed - 64) < 16).all()


def test_columns_and_their_explanations(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    write_labels(path, LABELS, FACTS)
    schema = pq.read_schema(path)
    assert schema.names == ["frame", "swapped", "transform", "mask", "feather"]
    assert schema.field("transform").type == pa.list_(pa.float64())
    assert all((schema.field(name).metadata or {}).get(b"about") for name in schema.names)


def test_a_fake_that_was_not_made_has_no_rows_and_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    write_labels(path, [], FACTS | {"reason": "clip rejected: no_face"})
    table, facts = read_labels(path)
    assert table.num_rows == 0
    assert table.schema.names == SCHEMA.names
    assert facts["reason"] == "clip rejected: no_face"


def test_same_labels_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    write_labels(one, LABELS, FACTS)
    write_labels(other, LABELS, dict(reversed(FACTS.items())))
    assert one.read_bytes() == other.read_bytes()


def test_files_of_another_kind_are_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    with pytest.raises(DataError, match=r"labels\.parquet"):
        read_label_facts(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"labels\.parquet"):
        read_labels(path)
    pq.write_table(pa.table({"frame": [1]}), path)
    for read in (read_labels, read_label_facts):
        with pytest.raises(DataError, match="not written by swapset"):
            read(path)
    write_labels(path, LABELS, FACTS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"labels\.parquet"):
        read_labels(path)


def test_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"

    def broken() -> object:
        yield LABELS[0]
        raise RuntimeError("the encoder died")

    with pytest.raises(RuntimeError):
        write_labels(path, broken(), FACTS)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
