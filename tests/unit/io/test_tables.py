"""Tables as spreadsheets save them are read; what cannot be read is named with a way out."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from swapset.errors import DataError
from swapset.io.tables import Table, read_table

COLUMNS = ("clip", "subject", "note")
ROWS = [
    (2, {"clip": "a", "subject": "x", "note": "one"}),
    (3, {"clip": "b", "subject": "y", "note": ""}),
]


def read(path: Path, content: str | bytes) -> list[tuple[int, dict[str, str]]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, COLUMNS[:2], COLUMNS[2:])


@pytest.mark.parametrize(
    "content",
    [
        "clip,subject,note\na,x,one\nb,y,\n",
        "clip,subject,note\na,x,one\nb,y,",
        "clip,subject,note\r\na,x,one\r\nb,y,\r\n",
        "clip,subject,note\ra,x,one\rb,y,\r",
        "clip;subject;note\na;x;one\nb;y;\n",
        "clip\tsubject\tnote\na\tx\tone\nb\ty\t\n",
        "\ufeffclip,subject,note\na,x,one\nb,y,\n",
        "clip, subject , note\n a ,x , one\nb,\u00a0y\u00a0,\n",
        "clip,subject,note\na,x,one\nb,y,\n,,\n,,\n",
        "clip,subject,note\na,x,one\nb,y,\n\n \n , ,\t\n",
        "clip;subject;note\na;x;one\nb;y;\n;;\n",
        "clip,subject,note,,\na,x,one,,\nb,y,,,\n,,,,\n",
        "clip,subject,note\na,x,one,,,\nb,y,,,,\n",
        '"clip","subject","note"\n"a","x","one"\n"b","y",""\n',
        '"clip";"subject";"note"\n"a";"x";"one"\n"b";"y";""\n',
        'clip, "subject", note\na, x, one\nb, y,\n',
    ],
)
def test_what_offices_write(tmp_path: Path, content: str) -> None:
    if ', "' in content:  # a quote after a space is a part of the cell, also for spreadsheets
        with pytest.raises(DataError, match="column 'subject' is missing"):
            read(tmp_path / "a.csv", content)
    else:
        assert read(tmp_path / "a.csv", content) == ROWS


@pytest.mark.parametrize("above", ["\n", ",,\n\n", "sep=;\n", "SEP=;\r\n\r\n"])
def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path, above: str) -> None:
    mark = ";" if "=" in above else ","
    text = above + "clip,subject,note\na,x,one\n\nb,y,\n".replace(",", mark)
    count = text.replace("\r\n", "\n").count("\n")
    assert [line for line, _ in read(tmp_path / "a.csv", text)] == [count - 2, count]
    with pytest.raises(DataError, match=rf"a\.csv, line {count + 1}: more cells"):
        read(tmp_path / "a.csv", text + f"a{mark}x{mark}{mark}z\n")


def test_cells_keep_marks_and_line_ends_inside(tmp_path: Path) -> None:
    rows = read(tmp_path / "a.csv", 'clip;subject;note\r\na;x,1;"one;\r\ntwo\t"\r\nb;y;\r\n')
    assert rows[0] == (3, {"clip": "a", "subject": "x,1", "note": "one;\r\ntwo"})
    assert rows[1][0] == 4


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("note\tclip\tmore;x\tsubject\n1\ta\t2\tx\n")
    assert read_table(path, COLUMNS[:2], others=True) == [
        (2, {"note": "1", "clip": "a", "more;x": "2", "subject": "x"})
    ]


SAVED = r"save it as UTF-8 \(spreadsheets call that 'CSV UTF-8'\)"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"clip,subject\na,Zo\xeb\n", r", line 2: is not UTF-8 text; " + SAVED),
        (b"clip,subject\r\na,x\r\nb,\x93y\x94\r\n", r", line 3: is not UTF-8 text; " + SAVED),
        ("clip,subject\na,x\n".encode("utf-16"), r": is UTF-16 text; " + SAVED),
        ("clip\tsubject\na\tx\n".encode("utf-16-le"), r": is UTF-16 text; " + SAVED),
        ("clip,subject\na,x\n".encode("utf-16-be"), r": is UTF-16 text; " + SAVED),
        (codecs.BOM_UTF16_BE + "clip\n".encode("utf-16-be"), r": is UTF-16 text; " + SAVED),
        ("clip,subject\na,x\n".encode("utf-32"), r": is UTF-16 text; " + SAVED),
        ("clip,subject, clip\na,x,b\n", ", line 1: column 'clip' appears twice; remove one"),
        ("clip,subject,,note\na,x,,b\n", ", line 1: column 3 has no name; name or remove it"),
        ("clip,subject,,\na,x,b,\n", ", line 2: more cells than the header has columns"),
        (
            "\n\nclip,subjekt\na,x\n",
            ", line 3: column 'subject' is missing, unknown column 'subjekt'",
        ),
        ("clip;subjekt\na;x\n", ", line 1: column 'subject' is missing, unknown column 'subjekt'"),
        ("clip,subject,note\na,x\n", ", line 2: fewer cells than the header has columns"),
        ("", ", line 1: column 'clip' is missing"),
        (",,\n\n", ", line 1: column 'clip' is missing"),
        ("clip,subject\n,\n", ": has no rows below its header"),
        ('clip,subject\na,"x\n', ", line 2: not a valid CSV file"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=rf"^{tmp_path}/a\.csv{message}") as caught:
        read(tmp_path / "a.csv", content)
    assert "\n" not in str(caught.value)


def test_a_long_table_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w") as stream:
        stream.write("clip;subject\r\n")
        stream.writelines(f"clip{k};{'x' * 1000}\r\n" for k in range(70_000))
    assert sum(1 for _ in Table(path, COLUMNS, largest=None).rows()) == 70_000
    with pytest.raises(DataError, match="is larger than 64 MB"):
        Table(path, COLUMNS)
