"""The first config of a build from a folder of clips: the keys that people change most."""

from __future__ import annotations

import re
import shlex
import unicodedata
from pathlib import Path
from typing import Any, Literal

from swapset.config.demo import DEMO
from swapset.config.schema import load

Networks = Literal["full", "small"]
_SMALL_EXTRACTORS: dict[str, dict[str, float]] = {
    "fan": {"width": 0.25, "steps": 10000, "batch": 4, "learning_rate": 1e-3},
    "hrnet": {"width": 0.25, "steps": 2600, "batch": 8, "learning_rate": 3e-3},
    "avs-san": {"width": 0.25, "steps": 3200, "batch": 8, "learning_rate": 1e-3},
}
"""Settings with which each extractor trains within about 20 minutes on a processor core."""
_NARROW: dict[str, Any] = {"width": 24, "code": 256, "batch": 4, "learning_rate": 1e-3}
_SMALL: dict[str, dict[str, Any]] = {
    "celebdf": {"resolution": 128, "steps": 12000, **_NARROW},
    "faceswap": {"steps": 12000, **_NARROW},
    "faceswap-gan-lq": {"steps": 8000, **_NARROW},
    "faceswap-gan-hq": {"steps": 8000, **_NARROW},
    "dfaker": {"steps": 12000, **_NARROW},
    "deepfacelab": {"resolution": 128, "steps": 12000, **_NARROW},
}
_CHANGED_MOST = (
    "subjects",
    "results",
    "seed",
    "device",
    "methods",
    "pairs",
    "swaps_per_clip",
    "compressions",
    "detectors",
)
"""Keys that are written with their defaults, after those that depend on the folder."""
_HEADER = """\
The config of a build from your own clips in {folder}
Run it beside the Snakefile:

  snakemake --cores all --configfile {config}

These are the keys that people change most. All keys are explained, with their defaults, in
config.yaml beside the Snakefile; add those that you want to change. Relative paths start from
the folder in which snakemake runs.

{networks}
"""
_NETWORKS = {
    "full": (
        "The networks are the paper's and need a GPU. For training on a processor, run "
        "`swapset init --networks small` instead."
    ),
    "small": (
        "`recipes` and `landmark_breaker` below make the networks small: a processor can train "
        "them, but swaps are coarse. Without these two keys the networks are the paper's, for a "
        "GPU."
    ),
}


def config_values(folder: Path, manifest: Path, networks: Networks) -> dict[str, Any]:
    """Return the config of a build from `folder`, with absolute paths.

    Parameters
    ----------
    folder : Path
        The folder of the clips.
    manifest : Path
        Their manifest, which need not exist yet.
    networks : {"full", "small"}
        "full": the recipes' networks, about which nothing is written. "small": small ones.
    """
    beside_clips = manifest.parent.resolve() == folder.resolve()
    clips = {
        "name": build_name(folder),
        "clips": str(manifest.resolve()),
        "clips_root": None if beside_clips else str(folder.resolve()),
    }
    defaults = load(clips).model_dump(mode="json", include=set(_CHANGED_MOST))
    small = {"recipes": _SMALL, "landmark_breaker": {"settings": _SMALL_EXTRACTORS}}
    return clips | defaults | (small if networks == "small" else {})


def config_header(folder: Path, config: Path, networks: Networks) -> str:
    """Return the text at the top of the config.

    Parameters
    ----------
    folder, config : Path
        The folder of the clips, and the file of the config.
    networks : {"full", "small"}
        See `config_values`.
    """
    return _HEADER.format(
        folder=text if (text := str(folder.resolve())).isprintable() else ascii(text),
        config=shlex.quote(str(config.resolve())),
        networks=_NETWORKS[networks],
    )


def build_name(folder: Path) -> str:
    """Make a build's name from a folder's name: letters, digits, '.', '_' and '-'.

    Examples
    --------
    >>> build_name(Path("Köln 2024"))
    'Koln-2024'
    """
    plain = unicodedata.normalize("NFKD", folder.resolve().name)
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", kept).strip("-._")
    return name[:60] if name and name != DEMO else "clips"
