"""Judge all clips of a build, from the files of rules `ingest` and `track`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from swapset.dataset.same_people import one_name, write_same_people
from swapset.errors import DataError
from swapset.faces.accept import Verdict, accept_clips, clips_table
from swapset.faces.clip_tracks import ClipTracks
from swapset.faces.same_people import SamePeople, find_same_people
from swapset.io.files import read_json, write_csv, write_json
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


def write_verdicts(
    verdicts: Mapping[str, Verdict],
    ingested: Ingested,
    outputs: Mapping[str, Path],
    tables: Mapping[str, Path],
    same: Iterable[SamePeople],
) -> None:
    """Write the verdicts of each subject as JSON, and the tables.

    Parameters
    ----------
    verdicts : mapping of str to Verdict
        Verdict by clip.
    ingested : dict
        The result of `read_ingested`, for the SHA-256 of each source.
    outputs : mapping of str to Path
        JSON file of each subject: verdict by clip.
    tables : mapping of str to Path
        The tables to write: "clips", see `clips_table`, and "same", see `write_same_people`.
    same : iterable of SamePeople
        Subjects who are one person.
    """
    for subject, path in outputs.items():
        records = ingested[subject]
        write_json(
            path,
            {
                clip: verdicts[clip].to_json() | {"source_sha256": record.source_sha256}
                for clip, record in records.items()
            },
        )
    write_csv(tables["clips"], clips_table(verdicts.values()))
    write_same_people(tables["same"], ((each.first, each.second) for each in same))
