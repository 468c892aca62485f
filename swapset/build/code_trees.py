"""Reduce Python source to a digest of the code that runs, and its imports.

Comments, docstrings, layout and imports for type checkers do not count. Parsing the library takes
more than a second and every cluster job needs the digests, so they are cached in a small file, by
the content of the source.
"""

from __future__ import annotations

import ast
import json
import os
import secrets
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

MOST_KEPT = 1000
"""Largest number of trees in the cache file. Jobs use fewer than 200; the others are of older
versions of the files."""

# `ctx` (a name is read, set or deleted) follows from the position of the name.
_UNUSED_FIELDS = frozenset({"ctx", "kind", "type_comment"})


class Tree(NamedTuple):
    """The code of one file.

    Attributes
    ----------
    digest : str
        32 hex digits, the same under every version of Python; "" if nothing in the file runs.
    imports : tuple of str
        One text per import statement: the module (with leading dots if it is relative), then the
        names that are imported from it, separated by spaces.
    """

    digest: str
    imports: tuple[str, ...]


def read_tree(source: bytes) -> Tree:
    """Parse Python source.

    The digest covers the tree node by node, without empty fields: versions of Python differ in
    these, and in how `ast.dump` shows them.

    Raises
    ------
    SyntaxError, ValueError
        If it is not Python source.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about invalid escapes in the source
        root = ast.parse(source)
    words: list[str] = []
    imports: set[str] = set()
    waiting: list[Any] = [root]  # a stack, because expressions may nest deeper than Python recurses
    while waiting:
        item = waiting.pop()
        if isinstance(item, ast.AST):
            imports.update(_imports(item))
            fields = _fields(item)
            words.append(f"{type(item).__name__}({','.join(fields)})")
            waiting.extend(reversed(fields.values()))
        elif isinstance(item, list):
            words.append(str(len(item)))
            waiting.extend(reversed(item))
        else:
            words.append(ascii(item))
    runs = bool(_fields(root))
    digest = blake2b("\n".join(words).encode(), digest_size=16).hexdigest() if runs else ""
    return Tree(digest, tuple(sorted(imports)))


def _fields(node: ast.AST) -> dict[str, Any]:
    """Return the fields of a node that are not empty."""
    fields = {}
    for name in node._fields:
        value = getattr(node, name, None)
        if value is None or name in _UNUSED_FIELDS:
            continue
        if isinstance(value, list):
            if value and isinstance(value[0], ast.stmt):
                value = list(_running(value))
            elif isinstance(node, ast.JoinedStr):
                value = _joined(value)
            if not value:
                continue
        fields[name] = value
    return fields


def _running(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that do something at run time."""
    for statement in statements:
        match statement:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                continue
            case ast.If(test=test) if _is_type_checking(test):
                yield from _running(statement.orelse)
            case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=test)) if _is_type_checking(test):
                yield from _running(statement.body)
            case ast.ImportFrom(module="typing", level=0):
                names = [alias for alias in statement.names if alias.name != "TYPE_CHECKING"]
                if names:
                    yield ast.ImportFrom("typing", names, 0)
            case _:
                yield statement


def _is_type_checking(test: ast.expr) -> bool:
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
    return False


def _joined(parts: Sequence[ast.expr]) -> list[ast.expr]:
    """Join neighbouring texts of an f-string, which Python 3.12 splits more than 3.11."""
    joined: list[ast.expr] = []
    for part in parts:
        if isinstance(part, ast.Constant) and joined and isinstance(joined[-1], ast.Constant):
            joined[-1] = ast.Constant(str(joined[-1].value) + str(part.value))
        elif not isinstance(part, ast.Constant) or part.value:
            joined.append(part)
    return joined


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        yield " ".join([module, *(alias.name for alias in node.names)])


class TreeCache:
    """A cache of trees by the content of their source, in a file that processes share.

    The file only saves time: results are the same if it is missing, damaged or not writable.

    Parameters
    ----------
    path : Path
        The file. Its folder is made when needed.
    """

    def __init__(self, path: Path):
        self._path = path
        self._trees = _load(path)
        self._has_new = False

    def tree(self, source: bytes) -> Tree:
        """Return the tree of Python source.

        Raises
        ------
        SyntaxError, ValueError
            If it is not Python source.
        """
        key = blake2b(source, digest_size=16).hexdigest()
        tree = self._trees.pop(key, None)
        if tree is None:
            tree = read_tree(source)
            self._has_new = True
        self._trees[key] = tree  # at the end: the least recently used trees are dropped first
        return tree

    def save(self) -> None:
        """Write the file if there are new trees. Several processes may do so at the same time."""
        if not self._has_new:
            return
        self._has_new = False
        kept = list(self._trees.items())[-MOST_KEPT:]
        body = json.dumps(
            {key: [tree.digest, *tree.imports] for key, tree in kept}, separators=(",", ":")
        ).encode()
        beside = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(_seal(body) + b"\n" + body)
            os.replace(beside, self._path)
        except OSError:
            pass  # the next process parses again
        finally:
            with suppress(OSError):  # normally it has been renamed, or was never written
                beside.unlink()


def _load(path: Path) -> dict[str, Tree]:
    try:
        seal, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return {}
    if seal != _seal(body):
        return {}
    return {key: Tree(digest, tuple(rest)) for key, (digest, *rest) in json.loads(body).items()}


def _seal(body: bytes) -> bytes:
    """Hash this module and a file's content: proof that the file is whole and of this version."""
    return blake2b(Path(__file__).read_bytes() + body, digest_size=16).hexdigest().encode()
