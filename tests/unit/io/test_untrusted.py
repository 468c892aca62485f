"""Texts of strangers: gigabytes and endless lines are refused, not read."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swapset.dataset.layouts.celeb_df import read_list
from swapset.dataset.layouts.files import read_json
from swapset.dataset.manifest import read_manifest, read_subjects
from swapset.dataset.verify import PROVENANCE, read_provenance
from swapset.errors import DataError, ManifestError, SwapsetError
from swapset.extractors.labels.csv_file import header, read_csv
from swapset.extractors.labels.w300 import read_300w
from swapset.io.untrusted import MOST_LINE, MOST_TEXT, lines, whole_text

_LARGE = 20 * 10**9


def sparse(path: Path, start: bytes = b"", size: int = _LARGE) -> Path:
    """Write a file with much behind its start; it takes no room on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(start)
        stream.truncate(size)
    return path


def taken(call: Callable[[], Any]) -> int:
    """Return the most bytes that a call allocates."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "read",
    [
        read_manifest,
        lambda path: read_subjects(path, read_manifest(path)),
        read_json,
        read_list,
        whole_text,
    ],
)
def test_gigabytes_are_refused_unread(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    path = sparse(tmp_path / "a.txt")

    def refused() -> None:
        with pytest.raises(SwapsetError, match=r"a\.txt: is larger than 64 MB"):
            read(path)

    assert taken(refused) < 10**6


@pytest.mark.parametrize(
    ("read", "name", "start", "place"),
    [
        (read_csv, "a.csv", ",".join(header(68)).encode() + b"\n", r"a\.csv, line 2"),
        (
            lambda path: read_provenance(path.parents[1]),
            PROVENANCE,
            b"",
            r"line 1",
        ),
    ],
)
def test_an_endless_line_is_refused(
    tmp_path: Path, read: Callable[[Path], Any], name: str, start: bytes, place: str
) -> None:
    path = sparse(tmp_path / name, start)

    def refused() -> None:
        with pytest.raises(DataError, match=f"{place}: is longer than 1,000,000"):
            read(path)

    assert taken(refused) < 10**7


def test_points_of_a_picture_are_no_gigabytes(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    sparse(tmp_path / "a.pts", b"version: 1\nn_points: 68\n{\n")
    with pytest.raises(DataError, match=r"a\.pts: is larger than 64 MB"):
        read_300w(tmp_path)


def test_what_fits_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf" + b"a" * MOST_LINE + b"\r\nb\n\nc")
    assert list(lines(path)) == ["a" * MOST_LINE, "b", "", "c"]
    assert whole_text(path) == "a" * MOST_LINE + "\r\nb\n\nc"
    path.write_bytes(b"a\n" * (MOST_TEXT // 2))
    assert len(whole_text(path)) == MOST_TEXT


def test_a_long_list_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes((b"a" * 9999 + b"\n") * (MOST_TEXT // 10_000 + 1))
    with pytest.raises(DataError, match="is larger"):
        whole_text(path)
    counted = []
    assert taken(lambda: counted.append(sum(1 for _ in lines(path)))) < 10**6
    assert counted == [MOST_TEXT // 10_000 + 1]


@pytest.mark.parametrize("read", [whole_text, lambda *given: list(lines(*given))])
def test_what_is_no_text_is_named(tmp_path: Path, read: Callable[..., Any]) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    for name, words in {
        "none": "cannot be read .No such file",
        "latin": "is not UTF-8 text",
        ".": "is not a regular file",
        "a\0b": "cannot be the name of a file",
    }.items():
        with pytest.raises(ManifestError, match=words):
            read(tmp_path / name, ManifestError)


def test_json_of_a_thousand_depths_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ManifestError, match=r"a\.json: cannot be used"):
        read_json(path)


def test_where_a_relative_path_was_looked_for_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError) as caught:
        read_manifest(Path("clips.csv"))
    expected = "clips.csv: cannot be read (No such file or directory)"
    assert str(caught.value) == f"{expected} (looked for in {tmp_path})"
    with pytest.raises(ManifestError) as caught:
        read_manifest(tmp_path / "clips.csv")
    assert str(caught.value) == f"{tmp_path}/{expected}"
