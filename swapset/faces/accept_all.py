"""Verdicts on all clips of a build, from the files of ingest and track to the files of accept."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from swapset.errors import DataError
from swapset.faces.accept import Verdict, accept_clips, clips_table
from swapset.faces.clip_tracks import ClipTracks
from swapset.io.files import read_json, write_csv, write_json
from swapset.media.ingest import IngestRecord

if TYPE_CHECKING:
    from swapset.config.sections import AcceptSettings

logger = logging.getLogger(__name__)

Ingested = dict[str, dict[str, IngestRecord]]


def read_ingested(folders: Mapping[str, Path]) -> Ingested:
    """Return the ingest records by subject and clip, from each subject's folder of clips."""
    return {
        subject: {
            clip: IngestRecord(**record)
            for clip, record in read_json(folder / "ingest.json").items()
        }
        for subject, folder in folders.items()
    }


def judge_clips(
    ingested: Ingested, tracks: Mapping[str, Path], settings: AcceptSettings
) -> dict[str, Verdict]:
    """Accept or reject every clip of every subject, and say who is left.

    Parameters
    ----------
    ingested : dict
        As `read_ingested` gives it.
    tracks : mapping of str to Path
        Each subject's folder of `<clip>.npz`.
    settings : AcceptSettings
    """
    found = {
        subject: {
            clip: ClipTracks.load(tracks[subject] / f"{clip}.npz") if record.ok else record
            for clip, record in records.items()
        }
        for subject, records in ingested.items()
    }
    verdicts = accept_clips(found, settings)
    _report(verdicts)
    return verdicts


def _report(verdicts: Mapping[str, Verdict]) -> None:
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
            logger.warning("subject %s has no clip left: its pairs drop out", subject)


def refuse_rejected(verdicts: Mapping[str, Verdict]) -> None:
    """Stop a strict build that has a rejected clip.

    Raises
    ------
    DataError
        With one line per rejected clip.
    """
    lines = [
        f"{verdict.clip}: {verdict.reason} ({verdict.detail})"
        for verdict in verdicts.values()
        if not verdict.accepted
    ]
    if lines:
        raise DataError(
            "strict: true, and these clips are rejected; mend them, take them out of the "
            "manifest, or set strict: false:\n" + "\n".join(lines)
        )


def write_verdicts(
    verdicts: Mapping[str, Verdict],
    ingested: Ingested,
    outputs: Mapping[str, Path],
    table: Path,
) -> None:
    """Write one JSON file per subject (verdict by clip, with the source's hash), and the table."""
    for subject, path in outputs.items():
        records = ingested[subject]
        write_json(
            path,
            {
                clip: verdicts[clip].to_json() | {"source_sha256": record.source_sha256}
                for clip, record in records.items()
            },
        )
    write_csv(table, clips_table(verdicts.values()))
