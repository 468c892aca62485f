"""What differs between the configs of two builds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from swapset.build.start import CONFIG
from swapset.io.files import read_json

NOT_RECORDED = "not recorded"
"""Value of all keys of a build from before configs were recorded."""


def config_differences(first: Path, second: Path) -> pd.DataFrame:
    """Return the keys that differ: columns key, a, b, with values as JSON.

    Parameters
    ----------
    first, second : Path
        Folders of builds.
    """
    found = [_flat(folder) for folder in (first, second)]
    unknown = [{} if keys is None else keys for keys in found]
    rows = []
    for key in dict.fromkeys([*unknown[0], *unknown[1]]):
        values = [NOT_RECORDED if keys is None else keys.get(key, "") for keys in found]
        if values[0] != values[1] and key != "name":
            rows.append([key, *values])
    return pd.DataFrame(rows, columns=["key", "a", "b"])


def _flat(folder: Path) -> dict[str, str] | None:
    """Return a build's config by dotted keys; None if it was not recorded."""
    path = folder / CONFIG
    return dict(_leaves("", read_json(path))) if path.is_file() else None


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(f"{prefix}.{key}" if prefix else str(key), part)
    else:
        yield prefix, json.dumps(value, ensure_ascii=False)
