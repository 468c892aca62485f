"""Differences between the configs of two builds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from swapset.build.start import CONFIG
from swapset.detection.statistics.levels import FACELESS, Faceless
from swapset.io.files import read_json


def config_differences(first: Path, second: Path) -> pd.DataFrame | None:
    """Return the keys that differ: columns key, a, b, with values as JSON.

    Parameters
    ----------
    first, second : Path
        Folders of builds.

    Returns
    -------
    DataFrame or None
        None if the config of one was not recorded, which was made by an earlier version.
    """
    paths = [folder / CONFIG for folder in (first, second)]
    if not all(path.is_file() for path in paths):
        return None
    a, b = (dict(_leaves("", read_json(path))) for path in paths)
    keys = [key for key in dict.fromkeys([*a, *b]) if a.get(key) != b.get(key) and key != "name"]
    rows = [[key, a.get(key, ""), b.get(key, "")] for key in keys]
    return pd.DataFrame(rows, columns=["key", "a", "b"])


def faceless_of(first: Path, second: Path) -> Faceless:
    """Return what videos without a face count as in both builds, "middle" if they disagree.

    Parameters
    ----------
    first, second : Path
        Folders of builds.
    """
    recorded = [folder / CONFIG for folder in (first, second)]
    said = [
        read_json(path).get("detection", {}).get("faceless") for path in recorded if path.is_file()
    ]
    names: list[Faceless] = [name for name in FACELESS if said == [name, name]]
    return names[0] if names else "middle"


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the dotted keys of nested mappings, with their values as JSON."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(f"{prefix}.{key}" if prefix else str(key), part)
    else:
        yield prefix, json.dumps(value, ensure_ascii=False)
