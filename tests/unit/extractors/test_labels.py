"""Labelled faces: the three layouts, held-out faces, and errors that name the wrong lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from material.extractors import csv_tree, face_points, picture, row

from swapset.errors import ConfigError, DataError
from swapset.extractors.labels.csv_file import header, read_csv
from swapset.extractors.labels.faces import check_points, joined
from swapset.extractors.labels.registry import read_labels
from swapset.extractors.labels.w300 import read_300w
from swapset.extractors.labels.wflw import read_wflw
from swapset.faces.boxes import box_from_landmarks

TEN = {f"p{k}": "train" for k in range(10)}


def test_csv_gives_what_it_says(tmp_path: Path) -> None:
    faces = read_csv(csv_tree(tmp_path, {"ann": "train", "bob": "test", "eve": ""}))
    assert [path.name for path in faces.images[:2]] == ["ann_0.png", "ann_1.png"]
    assert faces.splits == ("train", "train", "test", "test", "train", "train")
    assert faces.people == ("ann", "ann", "bob", "bob", "eve", "eve")
    assert faces.points.dtype == np.float32
    np.testing.assert_array_equal(faces.points[3], face_points(4))
    np.testing.assert_array_equal(faces.boxes[3], box_from_landmarks(face_points(4)))
    assert len(faces.of("test")) == 2
    assert len(faces.of("val")) == 0


def test_csv_may_have_98_landmarks(tmp_path: Path) -> None:
    faces = read_csv(csv_tree(tmp_path, {"ann": "train"}, count=98))
    assert faces.points.shape == (2, 98, 2)
    assert faces.boxes.shape == (2, 4)


def spoiled(folder: Path, line: int, **changes: str) -> Path:
    """Return a good file with cells of one line changed."""
    path = csv_tree(folder, {"ann": "train", "bob": "val"})
    lines = path.read_text().splitlines()
    cells = dict(zip(header(68), lines[line - 1].split(","), strict=True))
    lines[line - 1] = ",".join((cells | changes).values())
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x7": "wide"}, "x7 is 'wide', not a number"),
        ({"y67": ""}, "y67 is '', not a number"),
        ({"y0": "nan"}, "y0 is 'nan'; every landmark needs a place"),
        ({"x1": "1e999"}, "x1 is '1e999'"),
        ({"image": "none.png"}, "none.png does not exist"),
        ({"image": ""}, "names no picture"),
        ({"image": "../outside.png"}, "'../outside.png' leaves"),
        ({"split": "dev"}, "split 'dev' is none of train, val, test"),
        ({"y67": "3,4"}, "more cells than the header has columns"),
    ],
)
def test_csv_names_a_wrong_line(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    picture(tmp_path / "outside.png", 1)
    with pytest.raises(DataError, match=r"faces\.csv, line 3: ") as caught:
        read_csv(spoiled(tmp_path / "tree", 3, **changes))
    assert message in str(caught.value)


def test_links_may_not_lead_out_either(tmp_path: Path) -> None:
    path = csv_tree(tmp_path / "tree", {"ann": "train"})
    outside = picture(tmp_path / "outside.png", 1)
    (tmp_path / "tree" / "ann_0.png").unlink()
    (tmp_path / "tree" / "ann_0.png").symlink_to(outside)
    with pytest.raises(DataError, match=r"line 2: picture 'ann_0\.png' leaves"):
        read_csv(path)


def test_all_wrong_lines_are_named_up_to_ten(tmp_path: Path) -> None:
    path = csv_tree(tmp_path, {"ann": "train"}, each=14)
    text = path.read_text().replace("train,ann,ann_3", "train,ann,gone")
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_csv(path)
    assert str(caught.value).count("\n") == 0
    path.write_text(text.replace(",ann_", ",gone_"))
    with pytest.raises(DataError, match=r"line 11: .*\n\.\.\. and 4 more lines$") as caught:
        read_csv(path)


def test_eyes_in_one_place_are_refused(tmp_path: Path) -> None:
    points = face_points(1)
    points[36] = points[45]
    picture(tmp_path / "a.png", 1)
    path = tmp_path / "faces.csv"
    path.write_text(f"{','.join(header(68))}\n{row('train', '', 'a.png', points)}\n")
    with pytest.raises(DataError, match="line 2: the outer corners of both eyes"):
        read_csv(path)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "faces.csv"
    path.write_text(",".join(header(67)) + "\n")
    with pytest.raises(DataError, match=r"line 1: .*x67,y67 or .*x97,y97.*137 columns"):
        read_csv(path)
    path.write_text("")
    with pytest.raises(DataError, match="line 1"):
        read_csv(path)
    path.write_text(",".join(header(68)) + "\n")
    with pytest.raises(DataError, match="has no labelled face"):
        read_csv(path)
    assert len(read_csv(path, may_be_empty=True)) == 0


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: cannot be read \(No such file"):
        read_csv(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"split\xff")
    with pytest.raises(DataError, match="is not UTF-8"):
        read_csv(tmp_path / "bytes.csv")


def test_nobody_is_in_two_splits(tmp_path: Path) -> None:
    path = spoiled(tmp_path, 3, split="test")
    with pytest.raises(DataError, match="ann is in train and in test"):
        read_csv(path)


def test_people_are_held_out_as_a_whole_and_by_seed(tmp_path: Path) -> None:
    faces = read_csv(csv_tree(tmp_path, TEN | {"out": "test"}))
    held = {seed: faces.with_validation(seed=seed, share=0.2) for seed in range(4)}
    for each in held.values():
        people = set(each.of("val").people)
        assert len(people) == 2
        assert not people & set(each.of("train").people)
        assert len(each.of("val")) == 4
        assert set(each.of("test").people) == {"out"}
    assert len({each.splits for each in held.values()}) > 1
    assert faces.with_validation(seed=3, share=0.2).splits == held[3].splits


def test_published_validation_stays(tmp_path: Path) -> None:
    faces = read_csv(csv_tree(tmp_path, TEN | {"p3": "val"}))
    assert faces.with_validation(seed=1) is faces


def test_pictures_are_held_out_where_people_are_few_or_unknown(tmp_path: Path) -> None:
    few = read_csv(csv_tree(tmp_path / "few", {"ann": "train", "bob": "train"}, each=10))
    held = few.with_validation(seed=1)
    assert len(held.of("val")) == 2
    assert set(held.of("train").people) == {"ann", "bob"}
    one = read_csv(csv_tree(tmp_path / "one", {"ann": "train"}, each=1))
    assert one.with_validation(seed=1) is one


def test_joined_faces_keep_their_order(tmp_path: Path) -> None:
    one, two = (read_csv(csv_tree(tmp_path / n, {n: "train"})) for n in ("ann", "bob"))
    both = joined([one, two])
    assert both.people == ("ann", "ann", "bob", "bob")
    np.testing.assert_array_equal(both.points[2:], two.points)


def test_faces_with_other_landmarks_cannot_join(tmp_path: Path) -> None:
    one = read_csv(csv_tree(tmp_path / "a", {"ann": "train"}))
    two = read_csv(csv_tree(tmp_path / "b", {"bob": "train"}, count=98))
    with pytest.raises(DataError, match="68 and 98 landmarks cannot be learnt together"):
        joined([one, two])


def test_fingerprint_sees_labels_splits_and_pictures(tmp_path: Path) -> None:
    faces = read_csv(csv_tree(tmp_path, TEN))
    seen = {faces.fingerprint(), faces.with_validation(seed=1).fingerprint()}
    faces.points[0, 0] += 1
    seen.add(faces.fingerprint())
    picture(faces.images[0], 99, (50, 50))
    seen.add(faces.fingerprint())
    assert len(seen) == 4


def test_number_of_landmarks_is_checked(tmp_path: Path) -> None:
    faces = read_csv(csv_tree(tmp_path, {"ann": "train"}, count=98))
    check_points(faces, 98, "labels")
    with pytest.raises(DataError, match="98 landmarks, but the extractor finds 68"):
        check_points(faces, 68, "labels")


def wflw_line(name: str, points: np.ndarray) -> str:
    numbers = [*points.ravel().tolist(), 5, 6, 70, 80]
    return " ".join([*map(str, numbers), "0", "1", "0", "0", "0", "1", name])


def wflw_tree(root: Path, *, train: int = 3, test: int = 1) -> Path:
    """Write WFLW as it is unpacked; return the folder of its lists."""
    lists = root / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    lists.mkdir(parents=True)
    for split, count in (("train", train), ("test", test)):
        lines = []
        for number in range(count):
            name = f"0--Parade/{split}_{number}.jpg"
            picture(root / "WFLW_images" / name, number)
            lines.append(wflw_line(name, face_points(number, 98)))
        path = lists / f"list_98pt_rect_attr_{split}.txt"
        path.write_text("\n".join(lines) + "\n")
    return lists


def test_wflw_as_unpacked(tmp_path: Path) -> None:
    lists = wflw_tree(tmp_path)
    faces = read_wflw(tmp_path)
    assert faces.splits == ("train", "train", "train", "test")
    assert set(faces.people) == {""}
    np.testing.assert_array_equal(faces.points[2], face_points(2, 98))
    apart = read_wflw(tmp_path / "WFLW_images", lists)
    assert apart.images == faces.images
    (lists / "list_98pt_rect_attr_test.txt").unlink()
    assert read_labels("wflw", tmp_path).splits == ("train",) * 3
    held = read_wflw(tmp_path).with_validation(seed=0)
    assert sorted(held.splits) == ["train", "train", "val"]


def test_wflw_names_wrong_lines_of_both_lists(tmp_path: Path) -> None:
    lists = wflw_tree(tmp_path, train=4)
    path = lists / "list_98pt_rect_attr_train.txt"
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace("train_1", "gone")
    lines[2] = lines[2].partition(" ")[2]
    lines[3] = "nan" + lines[3][lines[3].index(" ") :]
    path.write_text("\n".join(lines))
    test = lists / "list_98pt_rect_attr_test.txt"
    test.write_text(test.read_text().replace("0--Parade/", "../../"))
    with pytest.raises(DataError) as caught:
        read_wflw(tmp_path)
    said = str(caught.value).splitlines()
    assert len(said) == 4
    assert "train.txt, line 2: picture" in said[0]
    assert "does not exist" in said[0]
    assert "train.txt, line 3: has 206 entries" in next(s for s in said if "206" in s)
    assert any("train.txt, line 4: x0 is 'nan'" in line for line in said)
    assert any("test.txt, line 1: " in line and "leaves" in line for line in said)


def test_wflw_without_lists(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"list_98pt_rect_attr_train\.txt is in none of"):
        read_wflw(tmp_path)


def pts(points: np.ndarray, *, count: int = 68) -> str:
    lines = [f"{x:.6f} {y:.6f}" for x, y in points]
    return "\n".join(["version: 1", f"n_points:  {count}", "{", *lines, "}", ""])


def tree_300w(root: Path) -> list[Path]:
    places = ["afw/a", "helen/trainset/b", "helen/testset/c", "ibug/d", "300W/01_Indoor/e"]
    for number, place in enumerate(places):
        picture(root / f"{place}.png", number)
        (root / f"{place}.pts").write_text(pts(face_points(number)))
    return [root / f"{place}.pts" for place in places]


def test_300w_counts_from_one_and_its_folders_are_its_splits(tmp_path: Path) -> None:
    files = tree_300w(tmp_path)
    (tmp_path / "ibug" / "d_mirror.pts").write_text("left out")
    faces = read_300w(tmp_path)
    order = [files.index(path.with_suffix(".pts")) for path in faces.images]
    assert sorted(order) == list(range(5))
    splits = dict(zip(order, faces.splits, strict=True))
    assert splits == {0: "train", 1: "train", 2: "test", 3: "test", 4: "test"}
    for number, points in zip(order, faces.points, strict=True):
        np.testing.assert_allclose(points, face_points(number) - 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (pts(face_points(0), count=51), "line 2: has 51 landmarks; 300-W has 68"),
        (pts(face_points(0)[:67]), "has 134 coordinates; 68 landmarks need 136"),
        (pts(face_points(0)).replace("}", ""), "no landmarks between"),
        ("version: 1\nn_points: 68\n{\n1 2\n3 4 5\n}", "line 5: '3 4 5' is not a pair"),
        ("version: 1\nn_points: 68\n{\n1 b\n}", "line 4: 'b' is not a number"),
        (pts(np.full((68, 2), np.nan)), "x0 is 'nan'"),
    ],
)
def test_300w_names_a_wrong_file(tmp_path: Path, text: str, message: str) -> None:
    path = tree_300w(tmp_path)[1]
    path.write_text(text)
    with pytest.raises(DataError, match=r"trainset/b\.pts: ") as caught:
        read_300w(tmp_path)
    assert message in str(caught.value)


def test_300w_without_pictures(tmp_path: Path) -> None:
    path = tree_300w(tmp_path)[0]
    path.with_suffix(".png").unlink()
    with pytest.raises(DataError, match=r"afw/a\.pts: has no picture beside it"):
        read_300w(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: has no labelled face"):
        read_300w(tmp_path / "empty")
    with pytest.raises(DataError, match="is not a folder"):
        read_300w(tmp_path / "none")


def test_layouts_by_name(tmp_path: Path) -> None:
    path = csv_tree(tmp_path / "csv", {"ann": "train"})
    tree_300w(tmp_path / "300w")
    assert len(read_labels("csv", path)) == 2
    assert len(read_labels("300w", tmp_path / "300w")) == 5
    with pytest.raises(
        ConfigError, match="'cofw' is not allowed: it is unknown; choose from wflw, 300w, csv"
    ):
        read_labels("cofw", tmp_path)
    with pytest.raises(ConfigError, match="'lists' is for wflw"):
        read_labels("csv", path, tmp_path)
