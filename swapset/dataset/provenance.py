"""Provenance: for every video of the dataset, what it was made from and with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from swapset import __version__
from swapset.dataset.labels import read_label_facts
from swapset.io.files import atomic_output, read_json

Verdicts = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Verdict by subject and clip, as rule `accept` wrote it."""


def read_records(
    root: Path,
    records: Iterable[str],
    labels: Iterable[str],
    verdicts: Verdicts,
    clips: Mapping[str, Mapping[str, Any]],
    compressions: Sequence[str],
) -> list[dict[str, Any]]:
    """Return one provenance record per video, in every compression; empty videos are left out.

    Parameters
    ----------
    root : Path
        Folder of the build; paths in the records start from it.
    records, labels : iterable of str
        Files that rules `real` and `synthesise` wrote.
    verdicts : mapping
    clips : mapping of str to mapping
        Licence, redistribute, source and url of each clip, from the manifest.
    compressions : sequence of str
        Those that belong to the dataset; a record may know more from an earlier config.

    Returns
    -------
    list of dict
        Keys video, label (1 = fake), compression, sha256, frames, width, height, fps, sources
        (clip, sha256, licence, redistribute, source, url); a real video has subject, a fake has
        method, target, donor, model_sha256, recipe (of the synthesis) and training (recipe, steps
        taken, warm_start).
    """
    facts = {(Path(path).parent.name, Path(path).stem): path for path in labels}
    found = []
    for path in map(Path, records):
        kind, name = path.parent.name, path.stem
        record = read_json(path)
        made = read_label_facts(Path(facts[kind, name])) if kind != "real" else {}
        about = _about_fake(made, verdicts, clips) if made else _about_real(name, verdicts, clips)
        for compression in compressions if record["sha256"] else []:
            found.append(
                {
                    "video": f"dataset/{kind}/{compression}/{name}.mp4",
                    "label": int(kind != "real"),
                    "compression": compression,
                    "sha256": record["sha256"][compression],
                    **{key: record[key] for key in ("frames", "width", "height", "fps")},
                    **about,
                }
            )
    return found


def _about_real(
    clip: str, verdicts: Verdicts, clips: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    subject = clip.partition("_")[0]
    return {"subject": subject, "sources": _sources([clip], verdicts, clips)}


def _about_fake(
    made: Mapping[str, Any], verdicts: Verdicts, clips: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    donated = [clip for clip, verdict in verdicts[made["donor"]].items() if verdict["accepted"]]
    kept = ("method", "target", "donor", "model_sha256", "recipe", "training")
    return {
        **{key: made[key] for key in kept if key in made},
        "sources": _sources([made["clip"], *donated], verdicts, clips),
    }


def _sources(
    names: Sequence[str], verdicts: Verdicts, clips: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    return [
        {
            "clip": name,
            "sha256": verdicts[name.partition("_")[0]][name]["source_sha256"],
            **clips[name],
        }
        for name in names
    ]


def write_provenance(path: Path, videos: Iterable[Mapping[str, Any]], config_hash: str) -> None:
    """Write one JSON line per video, with the config's hash and the software's version."""
    software = {"config_hash": config_hash, "software": f"swapset {__version__}"}
    with atomic_output(path) as scratch, open(scratch, "w", encoding="utf-8") as stream:
        for video in videos:
            stream.write(json.dumps({**video, **software}, ensure_ascii=False) + "\n")


def fakes_table(labels: Iterable[Path]) -> pd.DataFrame:
    """Return one row per fake that was asked for, with the reason where it was not made.

    Returns
    -------
    DataFrame
        Columns method, fake, target, donor, clip, made, reason.
    """
    rows = []
    for path in labels:
        facts = read_label_facts(path)
        about = [facts[key] for key in ("target", "donor", "clip")]
        rows.append([facts["method"], path.stem, *about, not facts["reason"], facts["reason"]])
    columns = ["method", "fake", "target", "donor", "clip", "made", "reason"]
    return pd.DataFrame(rows, columns=columns)


def any_accepted(clips: Mapping[str, Mapping[str, Any]]) -> bool:
    """Say whether a subject (verdict by clip) has an accepted clip."""
    return any(verdict["accepted"] for verdict in clips.values())
