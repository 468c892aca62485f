"""`swapset verify`: check that a dataset is unchanged, and show the provenance of videos."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swapset.errors import DataError

if TYPE_CHECKING:
    from swapset.dataset.verify import Findings

_SHOWN = 20


def add_verify(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command to the `swapset` command."""
    verify = commands.add_parser(
        "verify",
        help="compare the hashes of a dataset's videos with their provenance",
        description=(
            "Hash a dataset's videos again and list those that changed, are missing or have no "
            "record. With VIDEO: check only these, and print their provenance. The exit status is "
            "1 if anything is wrong."
        ),
    )
    verify.add_argument(
        "results", type=Path, metavar="RESULTS", help="folder of a build: results/<name>"
    )
    verify.add_argument("videos", type=Path, nargs="*", metavar="VIDEO", help="a video of it")
    verify.add_argument("--json", action="store_true", help="print everything as JSON")
    verify.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    from swapset.dataset.verify import read_provenance, verify

    records = read_provenance(options.results)
    only = [_name(path, options.results) for path in options.videos] or None
    findings = verify(options.results, records, only, _shown)
    if options.json:
        about = {"records": [records[video] for video in only]} if only else {}
        print(json.dumps({**vars(findings), **about}, indent=1, ensure_ascii=False))
    else:
        for video in only or []:
            _print_record(records[video])
        _print_findings(findings, options.results)
    return int(not findings.good)


def _name(video: Path, results: Path) -> str:
    """Return a video's name in its record; its path starts here or in the build's folder."""
    for path in (video, results / video):
        if path.exists() and path.resolve().is_relative_to(results.resolve()):
            return path.resolve().relative_to(results.resolve()).as_posix()
    if video.is_absolute() or ".." in video.parts:
        raise DataError(f"{video}: is not in {results}; name a video of this dataset")
    return video.as_posix()


def _shown(videos: Iterable[str]) -> Iterable[str]:
    from tqdm import tqdm

    return tqdm(videos, unit="video", file=sys.stderr, disable=None)


def _print_record(record: dict[str, Any]) -> None:
    print(record["video"])
    for key, value in record.items():
        if key == "sources" and isinstance(value, list):
            for source in value:
                print(f"  source: {json.dumps(source, ensure_ascii=False)}")
        elif key != "video":
            print(f"  {key}: {value if isinstance(value, str) else json.dumps(value)}")


def _print_findings(findings: Findings, results: Path) -> None:
    for kind in ("changed", "missing", "extra"):
        names = getattr(findings, kind)
        for name in names[:_SHOWN]:
            print(f"{kind}: {name}")
        if len(names) > _SHOWN:
            print(f"{kind}: ... and {len(names) - _SHOWN} more (--json has all)")
    if findings.good:
        print(f"{results}: {len(findings.whole)} videos, all unchanged")
        return
    counts = ", ".join(f"{len(getattr(findings, kind))} {kind}" for kind in vars(findings))
    print(f"{results}: {counts}")
