"""Find the results of earlier configs: what is in a build's folder and is no longer made.

A withdrawn clip or a renamed person leaves videos, models and logs behind. Folders are listed once,
and no file is opened. Imports nothing heavy.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shlex
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from swapset.build.made import Made
from swapset.build.places import PLACES
from swapset.errors import SwapsetError

SEEN = ".swapset.tidied"
"""File in a build's folder: what the last `tidy` has seen."""
_DATASET = "dataset/provenance.jsonl"
_FINAL = ("report.html", "tables/detector_auc.csv", "tables/landmark_breaker.csv")
_WILDCARD = re.compile(r"(.*)\{(\w+)\}(.*)")
_NAME = re.compile(r"[\w+.@-]+")


@dataclass(frozen=True)
class _Part:
    """One component of a place: fixed text around at most one wildcard."""

    before: str
    wildcard: str
    after: str

    @classmethod
    def of(cls, text: str) -> _Part:
        found = _WILDCARD.fullmatch(text)
        return cls(*found.groups()) if found else cls(text, "", "")

    def value(self, name: str) -> str | None:
        """Return the wildcard's value in a file's name; None if the name does not fit."""
        if not self.wildcard:
            return "" if name == self.before else None
        if not (name.startswith(self.before) and name.endswith(self.after)):
            return None
        value = name[len(self.before) : len(name) - len(self.after)]
        return value if _NAME.fullmatch(value) else None


@dataclass(frozen=True)
class _Match:
    """The rest of a place below some folder, with the values of its wildcards so far."""

    rest: tuple[_Part, ...]
    values: Mapping[str, str]

    def step(self, name: str) -> _Match | None:
        """Return the match one level below, in the folder or file `name`."""
        part, *rest = self.rest
        value = part.value(name)
        if value is None:
            return None
        known = {**self.values, part.wildcard: value} if part.wildcard else self.values
        return _Match(tuple(rest), known)


class Leftovers:
    """The results in a build's folder that its config no longer makes.

    Parameters
    ----------
    made : Made
        What the config makes.
    """

    def __init__(self, made: Made):
        self._made, self._root = made, Path(made.root)

    def paths(self) -> list[str]:
        """Return the files and folders, relative to the build's folder, in order."""
        places = [tuple(map(_Part.of, place.split("/"))) for place in PLACES]
        return sorted(self._below("", [_Match(place, {}) for place in places]))

    def _below(self, folder: str, matches: Collection[_Match]) -> Iterator[str]:
        try:
            entries = list(os.scandir(self._root / folder))
        except OSError:
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            steps = [step for match in matches if (step := match.step(entry.name))]
            ends = [step for step in steps if not step.rest]
            if ends and not any(self._made.includes(end.values) for end in ends):
                if self._is_ours(path):
                    yield path
                continue
            deeper = [step for step in steps if step.rest]
            if deeper and entry.is_dir(follow_symlinks=False):
                yield from self._below(path, deeper)

    def _is_ours(self, path: str) -> bool:
        """Return whether the build has written a file, and not somebody else into its folder."""
        if path in self._made.named:
            return False
        room, *rest = path.split("/")
        if room != "dataset":
            return True
        return Path(self._root, "records", rest[0], rest[-1]).with_suffix(".json").exists()

    # -- what the user is told -----------------------------------------------------------------

    def token(self) -> str:
        """Return a text that changes when there is something that `tidy` has not yet seen."""
        if paths := self.paths():
            return blake2b("\n".join(paths).encode(), digest_size=8).hexdigest()
        try:
            return Path(self._root, SEEN).read_text(encoding="ascii")
        except (OSError, ValueError):
            return ""

    def summary(self, command: str) -> str:
        """Return one sentence about what there is; "" if there is nothing.

        Parameters
        ----------
        command : str
            The command that removes it.
        """
        paths = self.paths()
        if not paths:
            return ""
        counts = Counter(path.partition("/")[0] for path in paths)
        shown = ", ".join(f"{room} {count}" for room, count in counts.items())
        old = ", ".join(self._older())
        again = f" and makes anew what is older than the dataset ({old})" if old else ""
        return (
            f"{self._root}: {len(paths)} files and folders are from an earlier config and "
            f"no longer made ({shown}); '{command}' removes them{again}"
        )

    def _older(self) -> list[str]:
        """Return final results that are older than the dataset and may show what is gone."""
        times = {}
        for name in (_DATASET, *_FINAL):
            with suppress(OSError):
                times[name] = (self._root / name).stat().st_mtime
        made = times.pop(_DATASET, 0)
        return [name for name, time in times.items() if time < made]


def tell_at_end(leftovers: Leftovers, command: str) -> None:
    """Say on stderr, as the process ends, what there is.

    Snakemake's own handlers are not called where there is nothing to be done.

    Parameters
    ----------
    leftovers : Leftovers
    command : str
        The command that removes it.
    """

    def tell() -> None:
        with suppress(SwapsetError):  # already told, or of a stage that was not asked for
            if sentence := leftovers.summary(command):
                print(f"swapset: {sentence}", file=sys.stderr)

    atexit.register(tell)


def tidy_command(configfiles: Iterable[Path], values: Mapping[str, Any]) -> str:
    """Return the command that tidies a build.

    Parameters
    ----------
    configfiles : iterable of Path
        The files of `--configfile`.
    values : mapping of str to object
        The values of `--config`.
    """
    files = [os.path.relpath(path) for path in configfiles]
    words = ["snakemake", "--cores", "1", "tidy"]
    words += ["--configfile", *files] if files else []
    if values:
        words.append("--config")
    for key, value in values.items():
        words.append(f"{key}={value if isinstance(value, str) else json.dumps(value)}")
    return shlex.join(words)
