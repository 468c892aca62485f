"""Judge all clips of a build, from the files of rules `ingest` and `track`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swapset.errors import DataError
from swapset.faces.accept import Verdict, accept_clips, clips_table
from swapset.faces.clip_tracks import ClipTracks
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
) -> dict[str, Verdict]:
    """Accept or reject every clip of every subject, and log the verdicts.

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
    dict of str to Verdict
        Verdict by clip.
    """
    clips = {
        subject: {
            clip: ClipTracks.load(tracks[subject] / f"{clip}.npz") if record.ok else record
            for clip, record in records.items()
        }
        for subject, records in ingested.items()
    }
    verdicts = accept_clips(clips, settings)
    _log_verdicts(verdicts)
    return verdicts


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
    """

    clips: Mapping[str, Path]
    tracks: Mapping[str, Path]
    decisions: Mapping[str, Path]
    verdicts: Mapping[str, Path]
    table: Path


def write_verdicts(
    verdicts: Mapping[str, Verdict],
    ingested: Ingested,
    requests: Mapping[str, str],
    files: VerdictFiles,
) -> None:
    """Write the verdicts of each subject, and the table of all clips.

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
            decided[clip] = verdicts[clip].decision() | {
                "clip_sha256": hashes.get(clip, ""),
                "tracks_sha256": sha256_of(tracks) if clip in hashes else "",
                "request": requests[clip],
            }
        write_json(files.verdicts[subject], measured)
        write_json(files.decisions[subject], decided)
    write_csv(files.table, clips_table(verdicts.values()))
