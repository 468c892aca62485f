from __future__ import annotations

from pathlib import Path

import pytest

from swapset.dataset.manifest import (
    Clip,
    Manifest,
    natural_key,
    read_manifest,
    read_subjects,
)
from swapset.errors import ManifestError

HEADER = "clip,subject,path,licence"


def written(folder: Path, rows: list[str], header: str = HEADER, name: str = "clips.csv") -> Path:
    """Write a manifest and the files that good rows name."""
    for file in ("a.mp4", "b.mp4", "deep/c.mp4"):
        path = folder / "root" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    path = folder / "root" / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


GOOD = ["id0_0000,id0,a.mp4,CC0", "id1_0000,id1,b.mp4,CC0"]


def message(path: Path, root: Path | None = None) -> str:
    with pytest.raises(ManifestError) as caught:
        read_manifest(path, root)
    return str(caught.value)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_may_end_as_on_any_system(tmp_path: Path, end: bytes) -> None:
    path = written(tmp_path, GOOD)
    path.write_bytes(path.read_bytes().replace(b"\n", end))
    assert list(read_manifest(path).clips) == ["id0_0000", "id1_0000"]


def test_rows_become_clips(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        [
            "id10_0001,id10, deep/c.mp4 ,CC BY 4.0,1.5,4,yes,someone's archive",
            'id2_0003,id2,a.mp4,"free, with thanks",,,no,',
        ],
        HEADER + ",start,end,redistribute,source",
    )
    manifest = read_manifest(path)
    assert list(manifest.clips) == ["id10_0001", "id2_0003"]
    assert manifest.subjects == ["id2", "id10"]
    first, second = manifest.clips.values()
    assert first == Clip(
        clip="id10_0001",
        subject="id10",
        path=(tmp_path / "root" / "deep" / "c.mp4").resolve(),
        licence="CC BY 4.0",
        start=1.5,
        end=4.0,
        source="someone's archive",
        redistribute=True,
    )
    assert first.number == "0001"
    assert second.licence == "free, with thanks"
    assert (second.start, second.end, second.redistribute) == (None, None, False)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_decimal_commas_beside_other_separators(tmp_path: Path, mark: str) -> None:
    rows = ["id0_0000,id0,a.mp4,CC0,1.5,20", "id1_0000,id1,b.mp4,CC0,.25,1e1", ",,,,,"]
    path = written(tmp_path, rows, HEADER + ",start,end")
    path.write_text(path.read_text().replace(",", mark).replace(".5", ",5").replace(".25", ",25"))
    times = [(clip.start, clip.end) for clip in read_manifest(path).clips.values()]
    assert times == [(1.5, 20.0), (0.25, 10.0)]


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [('"5,5"', 5.5), ("5.5", 5.5), ('"0,125"', 0.125), ("7", 7), ('"12,5000"', 12.5), ("7.", 7)],
)
def test_a_decimal_comma_in_quotes(tmp_path: Path, cell: str, seconds: float) -> None:
    path = written(tmp_path, [f"{GOOD[0]},{cell}", f"{GOOD[1]},"], HEADER + ",start")
    assert read_manifest(path).clips["id0_0000"].start == seconds


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ('"1,500"', "'1,500' may be two numbers; write 1500 or, with a decimal point, 1.500"),
        ('"1.500,5"', "'1.500,5' is not a number of seconds"),
        ("1_000", "'1_000' is not a number of seconds"),
        ("1:30", "'1:30' is not a number of seconds"),
    ],
)
def test_a_number_that_could_be_another_is_refused(tmp_path: Path, cell: str, words: str) -> None:
    path = written(tmp_path, [f"{GOOD[0]},{cell}", f"{GOOD[1]},"], HEADER + ",start")
    assert f"line 2: start {words}" in message(path)


COMPOSED, SEPARATE = "Zo\u00e9 \u00fc", "Zoe\u0301 u\u0308"


@pytest.mark.parametrize(("disk", "table"), [(COMPOSED, SEPARATE), (SEPARATE, COMPOSED)])
def test_accents_may_be_composed_otherwise_than_on_the_disk(
    tmp_path: Path, disk: str, table: str
) -> None:
    """macOS separates the accents of names, other systems do not: in files, folders, the root."""
    clips = tmp_path / f"root {disk}"
    for place in (f"{disk}.mp4", f"in {disk}/{disk}.mov"):
        (clips / place).parent.mkdir(parents=True, exist_ok=True)
        (clips / place).touch()
    rows = [f"id0_0000,id0,{table}.mp4,CC0", f"id1_0000,id1,in {table}/{table}.mov,CC0"]
    path = tmp_path / f"{disk}.csv"
    path.write_text("\n".join([HEADER, *rows]))
    manifest = read_manifest(tmp_path / f"{table}.csv", tmp_path / f"root {table}")
    assert [clip.path for clip in manifest.clips.values()] == [
        clips.resolve() / f"{disk}.mp4",
        clips.resolve() / f"in {disk}" / f"{disk}.mov",
    ]


def test_the_name_as_it_is_written_comes_first(tmp_path: Path) -> None:
    path = written(tmp_path, [GOOD[0], f"id1_0000,id1,{SEPARATE}.mp4,CC0"])
    for name in (COMPOSED, SEPARATE):
        (path.parent / f"{name}.mp4").touch()
    assert read_manifest(path).clips["id1_0000"].path == path.parent.resolve() / f"{SEPARATE}.mp4"


def test_two_files_that_fit_equally_are_not_guessed(tmp_path: Path) -> None:
    path = written(tmp_path, [GOOD[0], "id1_0000,id1,u\u0308\u00e9.mp4,CC0"])
    for name in ("\u00fc\u00e9", "u\u0308e\u0301"):
        (path.parent / f"{name}.mp4").touch()
    assert "does not exist" in message(path)


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        ["CC0,a.mp4,id0,id0_0000", "CC0,b.mp4,id1,id1_0000"],
        "licence,path,subject,clip",
    )
    assert list(read_manifest(path).clips) == ["id0_0000", "id1_0000"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_spreadsheets_ways_of_saving(tmp_path: Path, ending: str, mark: bytes) -> None:
    path = written(tmp_path, GOOD)
    path.write_bytes(mark + ending.join([HEADER, *GOOD, ""]).encode())
    assert list(read_manifest(path).clips) == ["id0_0000", "id1_0000"]


BAD_ROWS = [
    ("id1_0000,id1,none.mp4,CC0", ["none.mp4", "does not exist"]),
    ("id0_0000,id0,b.mp4,CC0", ["id0_0000", "line 2"]),
    ("id1_0000,id 1,b.mp4,CC0", ["'id 1'", "letters and digits"]),
    ("id1_0000,,b.mp4,CC0", ["subject ''"]),
    ("id2_0000,id1,b.mp4,CC0", ["'id2_0000'", "id1_0000"]),
    ("id1-0000,id1,b.mp4,CC0", ["'id1-0000'"]),
    ("id1_00/0,id1,b.mp4,CC0", ["'id1_00/0'"]),
    ("id1_0000,id1,b.mp4,", ["licence"]),
    ("id1_0000,id1,,CC0", ["path is empty", "url"]),
    ("id1_0000,id1,deep,CC0", ["does not exist"]),
    (f"id1_0000,id1,{'x' * 300},CC0", ["cannot be used", "too long"]),
    ("id1_0000,id1,b\0.mp4,CC0", ["cannot be used"]),
    ('id1_0000,id1,"b.mp4,CC0', ["not a valid CSV"]),
    (f"id1_0000,id1,b.mp4,{'x' * 200_000}", ["not a valid CSV"]),
    ("id1_0000,id1,b.mp4", ["fewer cells"]),
    ("id1_0000,id1,b.mp4,CC0,more", ["more cells"]),
]


@pytest.mark.parametrize(("row", "words"), BAD_ROWS)
def test_wrong_rows_are_named_by_file_and_line(tmp_path: Path, row: str, words: list[str]) -> None:
    path = written(tmp_path, [GOOD[0], row])
    text = message(path)
    assert text.startswith(f"{path}, line 3: ")
    assert all(word in text for word in words)
    assert "\n" not in text


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("x,,,", ["start 'x'", "seconds"]),
        ("-1,,,", ["start '-1'"]),
        ("nan,,,", ["start 'nan'"]),
        ("inf,,,", ["start 'inf'"]),
        ("3,3,,", ["end 3.0 is not after start 3.0"]),
        (",0,,", ["end 0.0 is not after start 0.0"]),
        (",,maybe,", ["redistribute 'maybe'"]),
        (",,,ftp://host/x", ["url", "http"]),
        (",,,file:///etc/passwd", ["url", "http"]),
        (",,,http:///path", ["url"]),
        (",,,s3://bucket", ["url", "s3://bucket/file"]),
    ],
)
def test_wrong_optional_cells(tmp_path: Path, cells: str, words: list[str]) -> None:
    header = HEADER + ",start,end,redistribute,url"
    path = written(tmp_path, [f"{GOOD[0]},,,,", f"{GOOD[1]},{cells}"], header)
    text = message(path)
    assert ", line 3: " in text
    assert all(word in text for word in words)


def test_lines_are_the_editors_also_after_cells_of_several_lines(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        ['id0_0000,id0,a.mp4,"CC0', 'in two lines"', "", "id1_0000,id1,none.mp4,CC0"],
    )
    assert ", line 5: " in message(path)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("clip,subject,path", ["line 1", "'licence' is missing"]),
        (HEADER + ",licences", ["line 1", "unknown column 'licences'", "redistribute"]),
        (HEADER + ",source,source", ["line 1", "twice"]),
        (
            HEADER.replace("licence", "license"),
            ["'licence' is missing, unknown column 'license'; required: clip, subject, path, li"],
        ),
        (HEADER.replace(",", ";"), ["line 2", "separated by semicolons, not commas"]),
        (HEADER.replace(",", "\t"), ["line 2", "separated by tabs, not commas"]),
        ("", ["'clip' is missing"]),
    ],
)
def test_wrong_columns_are_named(tmp_path: Path, header: str, words: list[str]) -> None:
    text = message(written(tmp_path, GOOD, header))
    assert all(word in text for word in words)


def test_files_that_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "clips.csv"
    assert "cannot be read" in message(path)
    path.write_bytes(b"")
    assert "clip" in message(path)
    path.write_text(HEADER + "\n")
    assert "no rows" in message(path)
    path.write_bytes(HEADER.encode() + b"\nid0_0000,id0,caf\xe9.mp4,CC0\n")
    assert "UTF-8" in message(path)
    path.write_text(HEADER + '\nid0_0000,id0,"a.mp4,CC0\n')
    assert "not a valid CSV" in message(path)


def test_one_subject_alone_cannot_be_swapped(tmp_path: Path) -> None:
    assert "at least two" in message(written(tmp_path, GOOD[:1]))


def test_paths_must_stay_in_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "secret.mp4"
    outside.touch()
    (tmp_path / "root-like").mkdir()
    (tmp_path / "root-like" / "x.mp4").touch()
    written(tmp_path, GOOD)
    (tmp_path / "root" / "link.mp4").symlink_to(outside)
    (tmp_path / "root" / "up").symlink_to(tmp_path)
    for name in (
        "../secret.mp4",
        str(outside),
        "deep/../../secret.mp4",
        "link.mp4",
        "up/secret.mp4",
        "../root-like/x.mp4",
    ):
        text = message(written(tmp_path, [GOOD[0], f"id1_0000,id1,{name},CC0"]))
        assert ", line 3: " in text
        assert "leaves" in text, name


def test_links_in_a_circle_are_named_by_line(tmp_path: Path) -> None:
    path = written(tmp_path, [GOOD[0], "id1_0000,id1,loop.mp4,CC0"])
    (path.parent / "loop.mp4").symlink_to("loop.mp4")
    assert f"{path}, line 3: path 'loop.mp4' cannot be used" in message(path)


def test_paths_that_only_look_like_leaving_are_fine(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    (tmp_path / "root" / "near.mp4").symlink_to(tmp_path / "root" / "deep" / "c.mp4")
    absolute = tmp_path / "root" / "a.mp4"
    path = written(
        tmp_path,
        [
            f"id0_0000,id0,{absolute},CC0",
            "id1_0000,id1,deep/../b.mp4,CC0",
            "id1_0001,id1,near.mp4,CC0",
        ],
    )
    clips = read_manifest(path).clips
    assert clips["id0_0000"].path == absolute.resolve()
    assert clips["id1_0000"].path == (tmp_path / "root" / "b.mp4").resolve()


def test_root_replaces_the_manifests_folder(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    moved = tmp_path / "elsewhere.csv"
    moved.write_text(path.read_text())
    assert "does not exist" in message(moved)
    clips = read_manifest(moved, tmp_path / "root").clips
    assert clips["id0_0000"].path == (tmp_path / "root" / "a.mp4").resolve()


def test_rows_with_url_need_no_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        [f"{GOOD[0]},", "id1_0000,id1,,CC0,https://example.org/v?id=1"],
        HEADER + ",url",
    )
    clip = read_manifest(path).clips["id1_0000"]
    assert clip.path is None
    assert clip.url == "https://example.org/v?id=1"


def test_natural_order() -> None:
    names = ["id10", "id2", "id1", "b", "a10", "a9", "2", "10"]
    assert sorted(names, key=natural_key) == ["2", "10", "a9", "a10", "b", "id1", "id2", "id10"]


def people_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "subjects.csv"
    path.write_text(text, encoding="utf-8")
    return path


MANIFEST = Manifest(Clip(f"id{n}_0000", f"id{n}", None, "CC0") for n in range(3))


def test_subjects_are_read(tmp_path: Path) -> None:
    path = people_of(tmp_path, "subject,age,gender\nid1,34,female\nid0,,\n")
    one, other = read_subjects(path, MANIFEST)
    assert (one.subject, one.age, one.gender, one.ethnicity) == ("id1", 34, "female", "")
    assert (other.subject, other.age, other.gender) == ("id0", None, "")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("id7,,,", ["'id7'", "no clip"]),
        ("id0,,,", ["'id0'", "twice"]),
        ("id1,,old,", ["age 'old'"]),
        ("id1,,-3,", ["age '-3'"]),
        ("id1,,131,", ["age '131'"]),
        ("id1,,3.5,", ["age '3.5'"]),
        ("id1,,²,", ["age '²'"]),
    ],
)
def test_wrong_subjects_are_named_by_line(tmp_path: Path, row: str, words: list[str]) -> None:
    path = people_of(tmp_path, f"subject,gender,age,ethnicity\nid0,,,\n{row}\n")
    with pytest.raises(ManifestError) as caught:
        read_subjects(path, MANIFEST)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert all(word in str(caught.value) for word in words)


def test_unknown_column_of_subjects(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="unknown column 'sex'"):
        read_subjects(people_of(tmp_path, "subject,sex\nid0,f\n"), MANIFEST)
