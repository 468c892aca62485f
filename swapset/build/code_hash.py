"""The content of the library modules that a job uses, as one hash.

Snakemake sees neither a script's imports nor, in a fresh checkout, which file really changed. A
rule that passes this hash in its `params` is rebuilt when a module behind it changes, only then.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

PACKAGE = "swapset"
# What these say reaches a job through its other params, so that a new config key or a new recipe
# does not rebuild everything.
_NAMES = (
    "build.job",
    "config.detection",
    "config.methods",
    "config.recipes",
    "config.schema",
    "config.sections",
    "errors",
)
# Every job reads the Snakefile, and with it all modules: an expression for lines that import takes
# a tenth of what parsing takes.
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|.*)|import[ \t]+(.*))", re.M
)
_NAME = re.compile(r"[\w.]+")
NOT_FOLLOWED = frozenset(f"{PACKAGE}.{name}" for name in _NAMES)


@cache
def code_hash(script: Path) -> str:
    """Return 16 hex digits that change with the script and every library module it leads to.

    Parameters
    ----------
    script : Path
        A Python file; its imports of `swapset` are followed, also those inside functions.
    """
    root = Path(__file__).resolve().parents[2]
    files = {script.resolve()}
    waiting = [script.resolve()]
    while waiting:
        found = {path for path in _imported(waiting.pop(), root) if path not in files}
        files |= found
        waiting += found
    digest = hashlib.sha256()
    # By place in the checkout, wherever that lies: names alone are not unique.
    for name, path in sorted((os.path.relpath(path, root), path) for path in files):
        digest.update(name.encode() + b"\0" + _content(path) + b"\0")
    return digest.hexdigest()[:16]


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _imported(path: Path, root: Path) -> frozenset[Path]:
    """Return the library files that a file imports directly."""
    names: set[str] = set()
    for module, listed, modules in _IMPORT.findall(_content(path).decode()):
        if module:
            names |= {module} | {f"{module}.{name}" for name in _NAME.findall(listed)}
        else:
            names |= set(_NAME.findall(modules))
    ours = {name for name in names if name.split(".")[0] == PACKAGE} - NOT_FOLLOWED
    files = (root.joinpath(*name.split(".")).with_suffix(".py") for name in ours)
    return frozenset(file for file in files if file.is_file())
