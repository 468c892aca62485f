from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from generation_material import CPU, LANDMARKS, Keep, astronaut, stand_in, synthesis_recipe

from swapset.dataset.labels import read_label_facts, read_labels, write_labels
from swapset.errors import DataError
from swapset.faces.masks import render_mask
from swapset.generation.synthesis import FrameLabel, Synthesiser

FACTS = {"label": 1, "method": "celebdf", "target": "id0", "donor": "id1", "reason": "Zoë"}
COLUMNS = ["frame", "swapped", "transform", "mask", "feather"]


def swapped_clip() -> tuple[list[np.ndarray], list[FrameLabel]]:
    """Return three frames, the middle one without a face, and their labels."""
    points = np.stack([LANDMARKS, np.full((68, 2), np.nan), LANDMARKS + [7.25, -3.5]])
    maker = Synthesiser(stand_in(Keep(0.3)), "id1", synthesis_recipe(colour_transfer=False), CPU)
    made = list(maker.swap([astronaut()] * 3, points))
    return [frame for frame, _ in made], [label for _, label in made]


def test_labels_come_back(tmp_path: Path) -> None:
    _, labels = swapped_clip()
    path = tmp_path / "deep" / "id0_id1_0000.parquet"
    write_labels(path, labels, FACTS)
    table, facts = read_labels(path)
    assert facts == read_label_facts(path) == FACTS
    assert table.column_names == COLUMNS
    rows = table.to_pylist()
    assert [row["frame"] for row in rows] == [0, 1, 2]
    assert [row["swapped"] for row in rows] == [True, False, True]
    assert [rows[1][key] for key in ("transform", "mask", "feather")] == [None] * 3
    for row, label in zip(rows[::2], labels[::2], strict=True):
        assert np.array_equal(np.reshape(row["transform"], (2, 3)), label.transform)
        assert np.allclose(np.reshape(row["mask"], (-1, 2)), label.outline, atol=1e-4)
        assert row["feather"] == pytest.approx(label.feather, rel=1e-6)


def test_stored_outline_renders_the_mask_that_was_used(tmp_path: Path) -> None:
    frames, labels = swapped_clip()
    path = tmp_path / "labels.parquet"
    write_labels(path, labels, FACTS)
    for row, frame, label in zip(read_labels(path)[0].to_pylist(), frames, labels, strict=True):
        changed = (frame != astronaut()).any(axis=-1)
        if not row["swapped"]:
            assert not changed.any()
            continue
        shape = frame.shape[:2]
        alpha = render_mask(np.reshape(row["mask"], (-1, 2)), shape, row["feather"])
        assert np.abs(alpha - render_mask(label.outline, shape, label.feather)).max() < 0.01
        # Everything brighter by 0.3: what changed is the mask, and by as much as alpha says.
        assert not changed[alpha == 0].any()
        assert changed[alpha > 0.1].mean() > 0.95


def test_transform_takes_frame_to_crop(tmp_path: Path) -> None:
    _, labels = swapped_clip()
    write_labels(tmp_path / "l.parquet", labels, FACTS)
    a, b, x, c, d, y = read_labels(tmp_path / "l.parquet")[0].to_pylist()[0]["transform"]
    nose = LANDMARKS[30]
    placed = np.array([a * nose[0] + b * nose[1] + x, c * nose[0] + d * nose[1] + y])
    # The nose lies about the middle of the 128 pixel crop.
    assert (np.abs(placed - 64) < 16).all()


def test_every_column_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "l.parquet"
    write_labels(path, [], FACTS)
    schema = pq.read_schema(path)
    assert schema.names == COLUMNS
    assert all(field.metadata[b"about"] for field in schema)


def test_fake_that_was_not_made_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "l.parquet"
    write_labels(path, [], FACTS)
    table, facts = read_labels(path)
    assert (table.num_rows, table.column_names) == (0, COLUMNS)
    assert facts["reason"] == "Zoë"


def test_same_labels_same_bytes(tmp_path: Path) -> None:
    _, labels = swapped_clip()
    paths = [tmp_path / name for name in ("a.parquet", "b.parquet")]
    for path, facts in zip(paths, (FACTS, dict(reversed(FACTS.items()))), strict=True):
        write_labels(path, labels, facts)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert sorted(tmp_path.iterdir()) == paths


@pytest.mark.parametrize("read", [read_labels, read_label_facts])
def test_files_that_are_no_labels(tmp_path: Path, read: object) -> None:
    path = tmp_path / "l.parquet"
    write_labels(path, [], FACTS)
    whole = path.read_bytes()
    pq.write_table(pa.table({"frame": [1]}), tmp_path / "foreign.parquet")
    (tmp_path / "short.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.parquet").touch()
    for name in ("foreign", "short", "empty", "missing"):
        with pytest.raises(DataError, match=rf"{name}\.parquet"):
            read(tmp_path / f"{name}.parquet")  # type: ignore[operator]
