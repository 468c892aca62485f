"""The decisions of rule `accept`, and the part of them that each later job uses.

`accept` judges all clips together, so that any clip may change the verdict on any other one. It
rarely does. Later jobs therefore compare only the decisions that they use, as a param, and take the
files by which they wait for `accept` as `ancient`. Imports nothing heavy.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from swapset.dataset.same_people import are_one

Decision = Mapping[str, Any]


class Decisions:
    """Decisions of `accept` on each clip, read when Snakemake asks for them.

    Snakemake asks again after `accept` has run. Before that, a dry run shows the jobs of clips that
    are new or changed, and supposes that the decisions on all others stay.

    Parameters
    ----------
    root : str
        The build's folder.
    request : callable
        Returns everything that a clip's decision is made from, but for its content, as JSON values.
    content : callable
        Returns the SHA-256 of a clip's source; "" if it is not known or made by the build.
    clips_of : callable
        Returns the names of a subject's clips.
    same_people : sequence of str
        The table of subjects who are one person, if the config merges them.
    here : bool
        Whether results are files on this machine. False: nothing is known before a job runs, and
        Snakemake compares times.
    """

    def __init__(
        self,
        root: str,
        request: Callable[[str], Any],
        content: Callable[[str], str],
        clips_of: Callable[[str], list[str]],
        *,
        same_people: Sequence[str] = (),
        here: bool = True,
    ):
        self._root, self.here, self._same_people = root, here, same_people
        self._request, self._content, self._clips_of = request, content, clips_of
        self._requests: dict[str, str] = {}
        self._files: dict[str, tuple[tuple[int, int], dict[str, Decision]]] = {}

    def request(self, clip: str) -> str:
        """Return a hash of what a clip's decision is made from, but for the contents of clips."""
        if clip not in self._requests:
            text = json.dumps(self._request(clip), sort_keys=True)
            self._requests[clip] = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self._requests[clip]

    def requests(self, subject: str) -> dict[str, str]:
        """Return `request` of each of a subject's clips."""
        return {clip: self.request(clip) for clip in self._clips_of(subject)}

    def _of(self, subject: str) -> dict[str, Decision]:
        """Return the decisions on a subject's clips; empty before the first ones."""
        path = Path(self._root, "accepted", f"{subject}.json")
        try:
            facts = path.stat()
            version = facts.st_mtime_ns, facts.st_size
            if self._files.get(subject, (None,))[0] != version:
                self._files[subject] = version, json.loads(path.read_text(encoding="utf-8"))
            return self._files[subject][1]
        except (OSError, ValueError):
            return {}

    def open(self, name: str) -> bool:
        """Return whether a clip, or any of a subject's clips, is not decided on as it is now."""
        if not self.here:
            return True
        subject, _, number = name.partition("_")
        decided = self._of(subject)
        if number:
            return not self._is_as_decided(name, decided)
        clips = self._clips_of(subject)
        return set(decided) != set(clips) or not all(
            self._is_as_decided(clip, decided) for clip in clips
        )

    def _is_as_decided(self, clip: str, decided: Mapping[str, Decision]) -> bool:
        decision = decided.get(clip, {})
        source = decision.get("source_sha256")
        content = self._content(clip) or source
        return bool(decision) and [decision.get("request"), source] == [self.request(clip), content]

    def shown(self, subjects: Iterable[str]) -> list[str]:
        """Return those of some subjects who have an accepted clip."""
        return [subject for subject in subjects if self.accepted(subject)]

    def one_person(self, one: str, other: str) -> bool:
        """Return whether two subjects are merged, because they are one person."""
        pairs: list[tuple[str, str]] = []
        for path in self._same_people if self.here else ():
            with suppress(OSError, ValueError), Path(path).open(newline="") as stream:
                rows = csv.DictReader(stream)
                pairs += [(row["same_as"], row["subject"]) for row in rows]
        return are_one(pairs, one, other)

    # -- what jobs use -------------------------------------------------------------------------

    def on_clip(self, clip: str) -> list[Any] | None:
        """Return what a job on one clip uses: whether it is accepted, and its content.

        None if there is no decision yet.
        """
        decision = self.here and self._of(clip.partition("_")[0]).get(clip)
        if not decision:
            return None
        return [decision[key] for key in ("accepted", "reason", "clip_sha256")]

    def accepted(self, *subjects: str) -> dict[str, list[Any]]:
        """Return what a job on subjects uses: their accepted clips, with content and tracks."""
        return {
            clip: [decision[key] for key in ("tracks", "clip_sha256", "tracks_sha256")]
            for subject in subjects
            for clip, decision in (self._of(subject) if self.here else {}).items()
            if decision["accepted"]
        }
