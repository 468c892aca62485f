"""Judge all clips of a build, from the files of rules `ingest` and `track`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swapset.dataset.same_people import one_name, write_same_people
from swapset.errors import DataError
from swapset.faces.accept import Verdict, accept_clips, clips_table
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.same_people import SamePeople, find_same_people
from swapset.io.files import read_json, sha256_of, write_csv, write_json
from swapset.media.ingest import IngestRecord

if TYPE_CHECKING:
    from swapset.config.sections import AcceptSettings

logger = logging.getLogger(__name__)

Ingested = dict[str, dict[str, IngestRecord]]


def read_ingested(folders: Mapping[str, Path]) -> Ingested:
    """Read the ingest records from each subject's folder of clips, by subject and clip."""
    return {
        subject: {
            clip: IngestRecord(**record)
            for clip, record in read_json(folder / "ingest.json").items()
        }
        for subject, folder in folders.items()
    }


def judge_clips(
    ingested: Ingested, tracks: Mapping[str, Path], settings: AcceptSettings
) -> tuple[dict[str, Verdict], list[SamePeople]]:
    """Accept or reject every clip of every subject, and log the verdicts.

    Subjects who are one person are told; with `same_person: reject`, the clips of all but the first
    name are rejected.

    Parameters
    ----------
    ingested : dict
        The result of `read_ingested`.
    tracks : mapping of str to Path
        Each subject's folder of `<clip>.npz`.
    settings : AcceptSettings
        Section `accept` of the config.

    Returns
    -------
    verdicts : dict of str to Verdict
        Verdict by clip.
    same : list of SamePeople
        Subjects who are one person.
    """
    clips = {
        subject: {
            clip: ClipTracks.load(tracks[subject] / f"{clip}.npz") if record.ok else record
            for clip, record in records.items()
        }
        for subject, records in ingested.items()
    }
    verdicts = accept_clips(clips, settings)
    same = find_same_people(clips, verdicts)
    if same:
        names = one_name((each.first, each.second) for each in same)
        verdicts = accept_clips(clips, settings, names)
        if settings.same_person == "reject":
            _reject_second_names(verdicts, same)
        for each in same:
            logger.warning("%s", each.notice(settings.same_person))
    _reject_frozen(verdicts, ingested, settings.max_repeated)
    _log_verdicts(verdicts)
    return verdicts, same


def _reject_frozen(verdicts: Mapping[str, Verdict], ingested: Ingested, most: float) -> None:
    """Note repeated frames; reject clips with a larger share of them than `most`."""
    for records in ingested.values():
        for clip, record in records.items():
            verdict = verdicts[clip]
            verdict.repeated = record.repeated
            share = record.repeated / max(record.frames, 1)
            if verdict.accepted and share > most:
                verdict.reject(
                    "frozen", f"{share:.0%} of its frames repeat the one before; at most {most:.0%}"
                )


def _reject_second_names(verdicts: Mapping[str, Verdict], same: list[SamePeople]) -> None:
    first = {each.second: each for each in reversed(same)}
    for verdict in verdicts.values():
        if verdict.accepted and verdict.subject in first:
            pair = first[verdict.subject]
            verdict.reject(
                "same_person", f"the same person as {pair.first}, distance {pair.distance:.2f}"
            )


def _log_verdicts(verdicts: Mapping[str, Verdict]) -> None:
    rejected = [verdict for verdict in verdicts.values() if not verdict.accepted]
    for verdict in rejected:
        logger.warning("%s rejected: %s (%s)", verdict.clip, verdict.reason, verdict.detail)
    counts = Counter(verdict.reason for verdict in rejected)
    logger.info("%d of %d clips accepted", len(verdicts) - len(rejected), len(verdicts))
    for reason, count in sorted(counts.items()):
        logger.info("%d rejected: %s", count, reason)
    left = {verdict.subject for verdict in verdicts.values() if verdict.accepted}
    for subject in dict.fromkeys(verdict.subject for verdict in verdicts.values()):
        if subject not in left:
            logger.warning("subject %s has no accepted clip: its pairs are left out", subject)


def refuse_rejected(verdicts: Mapping[str, Verdict]) -> None:
    """Stop a strict build with a rejected clip.

    Raises
    ------
    DataError
        If a clip is rejected; with one line per rejected clip.
    """
    lines = [
        f"{verdict.clip}: {verdict.reason} ({verdict.detail})"
        for verdict in verdicts.values()
        if not verdict.accepted
    ]
    if lines:
        raise DataError(
            "strict: true, but these clips are rejected; replace them, take them out of the "
            "manifest, or set strict: false:\n" + "\n".join(lines)
        )


@dataclass(frozen=True)
class VerdictFiles:
    """The files of rule `accept`.

    Attributes
    ----------
    clips, tracks : mapping of str to Path
        Folders of clips and of tracks, by subject.
    decisions : mapping of str to Path
        The files to write with what later jobs use, by subject.
    verdicts : mapping of str to Path
        The files to write with all that was measured, by subject.
    table : Path
        The table `clips.csv` to write, see `clips_table`.
    same : Path
        The table `same_people.csv` to write, see `write_same_people`.
    """

    clips: Mapping[str, Path]
    tracks: Mapping[str, Path]
    decisions: Mapping[str, Path]
    verdicts: Mapping[str, Path]
    table: Path
    same: Path


def write_verdicts(
    verdicts: Mapping[str, Verdict],
    ingested: Ingested,
    requests: Mapping[str, str],
    same: Iterable[SamePeople],
    files: VerdictFiles,
) -> None:
    """Write the verdicts of each subject, and the tables.

    What was measured depends a little on all other people, and what was decided hardly ever does:
    each has a file of its own, so that jobs depend on decisions alone.

    Parameters
    ----------
    verdicts : mapping of str to Verdict
        Verdict by clip.
    ingested : dict
        The result of `read_ingested`, for the SHA-256 of each source.
    requests : mapping of str to str
        By clip, see `swapset.build.decisions.Decisions.request`.
    same : iterable of SamePeople
        Subjects who are one person.
    files : VerdictFiles
        The files to write.
    """
    for subject, records in ingested.items():
        hashes = read_json(files.clips[subject] / "sha256.json")
        measured, decided = {}, {}
        for clip, record in records.items():
            source = {"source_sha256": record.source_sha256}
            measured[clip] = verdicts[clip].to_json() | source
            tracks = files.tracks[subject] / f"{clip}.npz"
            decided[clip] = (
                verdicts[clip].decision()
                | source
                | {
                    "clip_sha256": hashes.get(clip, ""),
                    "tracks_sha256": sha256_of(tracks) if clip in hashes else "",
                    "request": requests[clip],
                }
            )
        write_json(files.verdicts[subject], measured)
        write_json(files.decisions[subject], decided)
    write_csv(files.table, clips_table(verdicts.values()))
    write_same_people(files.same, ((each.first, each.second) for each in same))
