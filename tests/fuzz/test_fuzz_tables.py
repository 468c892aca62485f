"""Hostile tables, lists and labels are read, or give one message that names the file."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from material.layouts import plant, plant_ff
from words import attempt, damaged, json_values, tables, words

from swapset.cli.main import main
from swapset.dataset.layouts.registry import read_dataset
from swapset.dataset.manifest import Manifest, read_manifest, read_subjects
from swapset.dataset.selection import allowed_pairs, read_swaps
from swapset.dataset.verify import PROVENANCE
from swapset.extractors.labels.csv_file import header
from swapset.extractors.labels.registry import read_labels

SHA = "0" * 64
FILES = ("a.mp4", 'it\'s $(touch ran) "b".mp4', "é\u202e😀.mp4")
SUBJECTS = ("id0", "id1", "id2")
CLIPS = ("id0_0000", "id0_0001", "id1_0000", "id2_0000")
MANIFEST = {
    "clip": CLIPS,
    "subject": SUBJECTS,
    "path": FILES,
    "licence": ("CC0",),
    "url": ("", "https://example.org/a.mp4"),
    "start": ("", "0", "1.5"),
    "end": ("", "2"),
    "source": ("", "a film"),
    "redistribute": ("yes", "no"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with files that tables name, and links that lead out of it."""
    outer = tmp_path_factory.mktemp("tables")
    inner = outer / "inner"
    plant(inner, *FILES, "folder/b.mp4", "picture.png")
    (inner / "link.mp4").symlink_to("/etc/passwd")
    (inner / "circle").symlink_to("circle")
    return inner


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    rows = "".join(f"{clip},{clip[:3]},a.mp4,CC0\n" for clip in CLIPS)
    (folder / "good.csv").write_text("clip,subject,path,licence\n" + rows)
    return read_manifest(folder / "good.csv")


def told(path: Path, content: bytes, read: Callable[[Path], Any]) -> Any:
    """Return the content read from a file, or None after one message that names it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    content_read, message = attempt(lambda: read(path))
    assert message is None or str(path.parent) in message
    return content_read


@given(content=tables(MANIFEST))
def test_clips(folder: Path, content: bytes) -> None:
    manifest = told(folder / "clips.csv", content, read_manifest)
    for clip in manifest.clips.values() if manifest else ():
        assert clip.path is None or clip.path.is_relative_to(folder.resolve())
        assert clip.clip.isascii()


@given(
    content=tables(
        {"subject": SUBJECTS, "gender": ("f",), "age": ("30", ""), "ethnicity": ("a", "")}
    )
)
def test_subjects(folder: Path, manifest: Manifest, content: bytes) -> None:
    told(folder / "subjects.csv", content, lambda path: read_subjects(path, manifest))


@given(content=tables({"clip": CLIPS, "donor": SUBJECTS}))
def test_swaps(folder: Path, manifest: Manifest, content: bytes) -> None:
    pairs = allowed_pairs(manifest, "all")
    for swap in told(folder / "swaps.csv", content, lambda p: read_swaps(p, manifest, pairs)) or ():
        assert swap.clip in manifest.clips


@given(
    start=tables({"split": ("train", "val", ""), "person": ("a", ""), "image": ("picture.png",)}),
    columns=st.sampled_from([68, 98, 5]),
    cell=words,
)
def test_csv_labels(folder: Path, start: bytes, columns: int, cell: str) -> None:
    points = [f"{k % 7 + k / 3}" for k in range(2 * columns)]
    points[len(start) % len(points)] = cell if len(start) % 3 else "1"
    lines = start.split(b"\r\n")
    names, values = ",".join(header(columns)[3:]), ",".join(points)
    text = [lines[0] + b"," + names.encode()]
    text += [line + b"," + values.encode("utf-8", "replace") for line in lines[1:] if line]
    told(folder / "labels.csv", b"\n".join(text), lambda path: read_labels("csv", path))


@given(
    head=st.lists(st.one_of(st.sampled_from(["version: 1", "n_points: 68", "{", "}"]), words)),
    places=st.lists(st.one_of(st.just("1.5 2.5"), st.just("3 4"), words), min_size=60, max_size=70),
    data=st.data(),
)
def test_points_of_300w(tmp_path_factory, head: list[str], places: list[str], data) -> None:
    folder = tmp_path_factory.mktemp("300w")
    plant(folder, "a.png")
    text = "\n".join([*head, "{", *places, "}"])
    told(folder / "a.pts", data.draw(damaged(text)), lambda path: read_labels("300w", path.parent))


@given(
    lines=st.lists(
        st.tuples(st.one_of(st.just("1.5"), words), st.integers(200, 210), words), max_size=4
    ),
    data=st.data(),
)
def test_lists_of_wflw(tmp_path_factory, lines: list[Any], data) -> None:
    folder = plant(tmp_path_factory.mktemp("wflw"), "WFLW_images/a.png")
    text = "\n".join(
        " ".join([first, *(str(k % 50) for k in range(count)), "a.png" if count % 2 else last])
        for first, count, last in lines
    )
    path = folder / "list_98pt_rect_attr_train.txt"
    told(path, data.draw(damaged(text)), lambda path: read_labels("wflw", path.parent))


LISTS: dict[str, tuple[str, str, Any]] = {
    "FF-DF": ("test.json", "FF-DF", [["000", "003"]]),
    "DFDC preview": ("dataset.json", "DFDC", {"a.mp4": {"label": "real", "set": "train"}}),
    "DFDC": ("metadata.json", "DFDC", {"a.mp4": {"label": "REAL"}, "b.mp4": {"label": "FAKE"}}),
}


@pytest.mark.parametrize("kind", LISTS)
@given(data=st.data())
def test_lists_of_datasets(tmp_path_factory, kind: str, data) -> None:
    name, dataset, usual = LISTS[kind]
    root = tmp_path_factory.mktemp("dataset")
    plant_ff(root) if kind == "FF-DF" else plant(root, "a.mp4", "b.mp4", "original_videos/a.mp4")
    keys = ("a.mp4", "b.mp4", "label", "set", "split", "original", "is_fake", "../../etc/a.mp4")
    value = data.draw(st.one_of(st.just(usual), json_values(keys, ("real", "FAKE", "test", "000"))))
    text = json.dumps(value) if data.draw(st.booleans()) else json.dumps({"a.mp4": value})
    content = data.draw(damaged(text))
    read = lambda path: read_dataset(dataset, path.parent, partial=True)  # noqa: E731
    told(root / name, content, read)


@given(content=tables({"filename": ("a.mp4", "b.mp4"), "label": ("0", "1")}))
def test_labels_of_dfdc(tmp_path_factory, content: bytes) -> None:
    root = plant(tmp_path_factory.mktemp("dfdc"), "a.mp4", "b.mp4")
    told(root / "labels.csv", content, lambda path: read_dataset("DFDC", path.parent, partial=True))


@given(
    lines=st.lists(
        st.tuples(
            st.one_of(st.sampled_from(["0", "1"]), words),
            st.sampled_from(["Celeb-real/id0_0000.mp4", "Celeb-synthesis\\id0_id1_0000.mp4", "..",
                             "/etc/passwd", "Celeb-real/../../etc/passwd", "YouTube-real/0.mp4"]),
        )
    ),
    data=st.data(),
)  # fmt: skip
def test_list_of_celeb_df(tmp_path_factory, lines: list[tuple[str, str]], data) -> None:
    files = ("Celeb-real/id0_0000.mp4", "YouTube-real/0.mp4", "Celeb-synthesis/id0_id1_0000.mp4")
    root = plant(tmp_path_factory.mktemp("celeb"), *files)
    content = data.draw(damaged("\n".join(map(" ".join, lines))))
    path = root / "List_of_testing_videos.txt"
    told(path, content, lambda path: read_dataset("Celeb-DF", path.parent, partial=True))


VIDEO = "dataset/real/c23/id0_0000.mp4"


@given(data=st.data())
def test_verify(tmp_path_factory, data) -> None:
    """The command on untrusted results ends with an exit status and reads no file outside."""
    root = plant(tmp_path_factory.mktemp("results"), VIDEO)
    names = st.one_of(st.just(VIDEO), words.map("dataset/{}".format), words)
    record = st.fixed_dictionaries(
        {"video": names, "sha256": st.one_of(st.just(SHA), words)},
        optional={key: json_values(("clip",)) for key in ("sources", "method", "recipe", "\ud800")},
    )
    values = data.draw(st.lists(st.one_of(record, json_values()), min_size=1, max_size=3))
    text = "\n".join(json.dumps(value) for value in values)
    (root / PROVENANCE).write_bytes(data.draw(damaged(text)))
    for more in ([], ["--json"], [VIDEO], [VIDEO, "--json"]):
        shown = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(io.StringIO()) as said:
            code = main(["verify", str(root), *more])
        assert code in (0, 1)
        assert code == 0 or said.getvalue() or shown.tell()
