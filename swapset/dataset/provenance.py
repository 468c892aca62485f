"""Record the provenance of every video of the dataset: its sources, method and software."""

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
"""Verdict by subject and clip, as written by rule `accept`."""


def read_records(
    root: Path,
    records: Iterable[str],
    labels: Iterable[str],
    verdicts: Verdicts,
    clips: Mapping[str, Mapping[str, Any]],
    compressions: Sequence[str],
) -> list[dict[str, Any]]:
    """Return one provenance record per video and compression, without empty videos.

    Parameters
    ----------
    root : Path
        Folder of the build, to which paths in the records are relative.
    records, labels : iterable of str
        Files written by rules `real` and `synthesise`.
    verdicts : mapping
        Verdict by subject and clip, as written by rule `accept`.
    clips : mapping of str to mapping
        Licence, redistribute, source and url of each clip, from the manifest.
    compressions : sequence of str
        Compressions of the dataset; records may contain others from an earlier config.

    Returns
    -------
    list of dict
        Keys video, label (1 = fake), compression, sha256, frames, width, height, fps, sources
        (clip, sha256, licence, redistribute, source, url); for a real video also subject; for a
        fake also method, target, donor, model_sha256, recipe (of the synthesis) and training
        (recipe, steps taken, warm_start).
    """
    labels_of = {(Path(path).parent.name, Path(path).stem): path for path in labels}
    videos = []
    for path in map(Path, records):
        kind, name = path.parent.name, path.stem
        record = read_json(path)
        facts = read_label_facts(Path(labels_of[kind, name])) if kind != "real" else {}
        about = _about_fake(facts, verdicts, clips) if facts else _about_real(name, verdicts, clips)
        for compression in compressions if record["sha256"] else []:
            videos.append(
                {
                    "video": f"dataset/{kind}/{compression}/{name}.mp4",
                    "label": int(kind != "real"),
                    "compression": compression,
                    "sha256": record["sha256"][compression],
                    **{key: record[key] for key in ("frames", "width", "height", "fps")},
                    **about,
                }
            )
    return videos


def _about_real(
    clip: str, verdicts: Verdicts, clips: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    subject = clip.partition("_")[0]
    return {"subject": subject, "sources": _sources([clip], verdicts, clips)}


def _about_fake(
    facts: Mapping[str, Any], verdicts: Verdicts, clips: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    donated = [clip for clip, verdict in verdicts[facts["donor"]].items() if verdict["accepted"]]
    kept = ("method", "target", "donor", "model_sha256", "recipe", "training")
    return {
        **{key: facts[key] for key in kept if key in facts},
        "sources": _sources([facts["clip"], *donated], verdicts, clips),
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
    """Write one JSON line per video, with the hash of the config and the software's version.

    Parameters
    ----------
    path : Path
        The file (`provenance.jsonl`).
    videos : iterable of mapping
        Records from `read_records`.
    config_hash : str
        Hash of the config.
    """
    software = {"config_hash": config_hash, "software": f"swapset {__version__}"}
    with atomic_output(path) as scratch, open(scratch, "w", encoding="utf-8") as stream:
        for video in videos:
            stream.write(json.dumps({**video, **software}, ensure_ascii=False) + "\n")


def fakes_table(labels: Iterable[Path]) -> pd.DataFrame:
    """Return one row per requested fake, with the reason if it was not made.

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
