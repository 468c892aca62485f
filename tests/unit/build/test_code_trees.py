"""Digests of Python files: they follow the code that runs, under every version of Python."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from swapset.build import code_trees
from swapset.build.code_trees import TreeCache, read_tree

SOURCE = '''
"""A module."""
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swapset.faces import track

LIMIT = 3
"""How many."""


class Kept:
    """A class."""

    count: int = 0
    """So far."""

    def add(self, names: Iterable[str], *, twice: bool = False) -> Any:
        """Add names."""
        import swapset.files

        self.count += len(names) * 2  # a comment
        return {**{}, None: f"{names}: {self.count:>{LIMIT}} of " "many"}
'''
SAME = [
    ('"""A module."""', '"""Another text."""'),
    ('"""A module."""', ""),
    ('"""A class."""', '"""Other."""'),
    ('"""Add names."""', '"""Add no names."""\n        # and a comment'),
    ('"""Add names."""', "pass"),
    ('"""How many."""', ""),
    ('"""So far."""', '"""Up to now."""'),
    ("  # a comment", "  # says nothing"),
    ("LIMIT = 3", "LIMIT = (\n    0x3\n)"),
    ("import track", "import accept, track"),
    ("    from swapset.faces import track", "    import swapset.faces.track\nelse:\n    pass"),
    ("if TYPE_CHECKING:\n    from swapset.faces import track\n", ""),
    ("TYPE_CHECKING, Any", "Any"),
    ("if TYPE_CHECKING:", "if typing.TYPE_CHECKING:"),
    ('" "many"', 'many"'),
]
OTHER = [
    ("LIMIT = 3", "LIMIT = 3.0"),
    ("LIMIT = 3", "LIMIT = '3'"),
    ("LIMIT = 3", "LIMIT = b'3'"),
    ("LIMIT = 3", "MOST = 3"),
    ("* 2", "* -2"),
    ("* 2", "+ 2"),
    ("+= len", "-= len"),
    ("twice: bool = False", "twice: bool = None"),
    ("twice: bool = False", "twice: bool"),
    ("*, twice", "twice"),
    ('{**{}, None: f"', '{None: {}, **f"'),
    ("{names}: ", "{names!r}: "),
    (">{LIMIT}", "<{LIMIT}"),
    ('"many"', '"many "'),
    ("import swapset.files", "import swapset.seeds"),
    ("if TYPE_CHECKING:", "if not TYPE_CHECKING:"),
    ("    from swapset.faces import track", "    pass\nelse:\n    LIMIT = 2"),
    ("TYPE_CHECKING, Any", "TYPE_CHECKING, Any, cast"),
]


def with_change(before: str, after: str) -> bytes:
    assert SOURCE.count(before) == 1
    return SOURCE.replace(before, after).encode()


@pytest.mark.parametrize(("before", "after"), SAME)
def test_what_does_not_run_does_not_count(before: str, after: str) -> None:
    assert read_tree(with_change(before, after)) == read_tree(SOURCE.encode())


@pytest.mark.parametrize(("before", "after"), OTHER)
def test_what_runs_counts(before: str, after: str) -> None:
    assert read_tree(with_change(before, after)).digest != read_tree(SOURCE.encode()).digest


def test_imports_are_those_that_run() -> None:
    assert read_tree(SOURCE.encode()).imports == (
        "collections.abc Iterable",
        "swapset.files",
        "typing Any",
    )
    source = b"""
if not TYPE_CHECKING:
    from . import near
else:
    from . import typed
try:
    import a.b as c, d
except ImportError:
    from ..up import *
def later():
    from .deep.down import one as two, three
"""
    assert set(read_tree(source).imports) == {
        ". near",
        "a.b",
        "d",
        "..up *",
        ".deep.down one three",
    }


@pytest.mark.parametrize("source", [b"", b"# nothing\n", b'"""A package."""\n', b"pass"])
def test_nothing_runs(source: bytes) -> None:
    assert read_tree(source) == ("", ())


@pytest.mark.parametrize("source", [b"def", b"x = '\xff'", b"\x00"])
def test_what_is_no_python_is_refused(source: bytes) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        read_tree(source)


def test_long_expressions_are_read() -> None:
    assert read_tree(b"x = " + b" + ".join([b"'a'"] * 900)).digest


EVERY_SYNTAX = """
from __future__ import annotations
import a.b as c
@decorated(1, *args, key=2, **more)
class A(B, metaclass=M):
    x: int
    y: "str" = b"\\x00\\xff"
async def f(a, /, b: int = 1, *c, d, e=.5, **g) -> None:
    async with a as b, c: await b
    async for i in f: yield i
    global q
    return [i async for i in x if i if not i]
def h():
    nonlocal_ = lambda *a, b=1: (a, *b)
    try:
        raise X from y
    except (A, B) as error:
        del error.x, error[0], error[1:2, ::3, ...]
    else: assert x, "\\N{GREEK SMALL LETTER ALPHA} ü \\ud800 'quoted' \\"twice\\""
    finally: yield from z
def k():
    with a, b as c: x = [1] * 2
    def inner():
        nonlocal x
        x = x if x and (x or not x) else ~-+x
    while x:
        if x: break
        elif y: continue
        else: pass
    else: pass
    for i, (j, *k) in z: x += 1; x @= 2; x //= 3
    try: pass
    except* ValueError: x = 1
    match x:
        case None | True | 1 | -1 | "a" | a.b: pass
        case [1, *rest, _] if rest: pass
        case {"a": 1, **others}: pass
        case C(1, b=2) as whole: pass
values = {1: 2, **x}, {1, 2}, {i: j for i, j in x}, {i for i in x}, (i for i in x), x[:]
signs = 1 < 2 <= 3 != 4 == 5 > 6 >= 7, x is y, x is not y, x in y, x not in y, (w := 1)
numbers = 1_000, 0xff, 1e400, 1e-7, 1.10, 3j, 10**30, 1 << 2 >> 3 & 4 | 5 ^ 6, 7 % 8 / 9 - 0
texts = "one" "two", f"{x}{y!r}{z:>{w}.{n}f}" "tail" f"{v=}", f"{{}}", f"plain", f"{x:}"
more = f"{x:{{}}}", rf"\\d{x}"
"""


def test_digest_is_the_same_under_every_python() -> None:
    """Written down once: 3.11, 3.12 and 3.13 have all to come to it."""
    assert read_tree(EVERY_SYNTAX.encode()).digest == "8eb84c66716cec5e1b685dd2c61a0d78"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".snakemake" / "trees.json"


def saved(path: Path, *sources: bytes) -> None:
    cache = TreeCache(path)
    for source in sources:
        assert cache.tree(source) == read_tree(source)
    cache.save()


def is_known(path: Path, source: bytes) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code_trees, "read_tree", lambda source: None)
        return TreeCache(path).tree(source) is not None


def test_the_next_process_parses_nothing(path: Path) -> None:
    saved(path, b"import x", b"y = 1")
    assert is_known(path, b"import x")
    assert TreeCache(path).tree(b"import x") == read_tree(b"import x")
    assert not is_known(path, b"import x\n")
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_nothing_new_is_not_written_again(path: Path) -> None:
    saved(path, b"x = 1")
    before = path.stat()
    saved(path, b"x = 1")
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_damaged_file_is_as_good_as_none(path: Path) -> None:
    saved(path, b"import x", b"y = 1")
    whole = path.read_bytes()
    damaged = [whole[:-1], whole[: len(whole) // 2], b"", b"\n", b"{}", b"\n{}", whole + b" "]
    damaged += [
        whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        for place in range(len(whole))
    ]
    for content in damaged:
        path.write_bytes(content)
        assert TreeCache(path).tree(b"y = 1") == read_tree(b"y = 1")
        assert not is_known(path, b"y = 1"), content
    saved(path, b"y = 1")
    assert is_known(path, b"y = 1")


def test_a_file_by_other_code_is_not_used(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "code_trees.py"
    other.write_bytes(Path(code_trees.__file__).read_bytes() + b"\n")
    saved(path, b"x = 1")
    monkeypatch.setattr(code_trees, "__file__", str(other))
    assert not is_known(path, b"x = 1")


def test_where_nothing_can_be_written_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "trees.json", tmp_path / "folder"):
        saved(path, b"x = 1")
        assert not is_known(path, b"x = 1")
    assert {file.name for file in tmp_path.rglob("*")} == {"file", "folder"}


def test_many_may_write_at_once(path: Path) -> None:
    sources = [f"x = {number}".encode() for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            list(pool.map(lambda source: saved(path, source), sources))
    assert any(is_known(path, source) for source in sources)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_was_not_used_for_long_is_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_trees, "MOST_KEPT", 3)
    saved(path, b"x = 0", b"x = 1", b"x = 2")
    saved(path, b"x = 0", b"x = 3")
    known = [number for number in range(4) if is_known(path, f"x = {number}".encode())]
    assert known == [0, 2, 3]
