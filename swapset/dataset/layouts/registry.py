"""Datasets by name, as configs and tables call them. Light to import."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swapset.dataset.layouts import (
    celeb_df,
    df_timit,
    dfd,
    dfdc,
    faceforensics,
    own_build,
    uadfv,
)
from swapset.dataset.layouts.video import Dataset
from swapset.errors import ConfigError


@dataclass(frozen=True)
class Layout:
    """How a dataset is read.

    Attributes
    ----------
    read : callable
        Takes the folder and keyword options, returns a `Dataset`.
    fixed : mapping
        Options that the dataset's name settles.
    defaults : mapping
        Options that a config may set and that are otherwise than the reader's own.
    """

    read: Callable[..., Dataset]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> list[str]:
        """Return the names of the options that a config may set."""
        return [
            name
            for name, parameter in inspect.signature(self.read).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY and name not in self.fixed
        ]


LAYOUTS: dict[str, Layout] = {
    "UADFV": Layout(uadfv.read),
    "DF-TIMIT-LQ": Layout(df_timit.read, {"quality": "lower"}),
    "DF-TIMIT-HQ": Layout(df_timit.read, {"quality": "higher"}),
    **{
        name: Layout(faceforensics.read, {"name": name, "methods": (method,)})
        for name, method in faceforensics.METHODS.items()
    },
    "FF-all": Layout(
        faceforensics.read,
        {"name": "FF-all"},
        {"methods": tuple(faceforensics.METHODS.values())},
    ),
    "DFD": Layout(dfd.read),
    "DFDC": Layout(dfdc.read),
    "Celeb-DF": Layout(celeb_df.read),
    "Celeb-DF-v1": Layout(celeb_df.read, {"version": 1}),
    "Celeb-DF-v2": Layout(celeb_df.read, {"version": 2}),
    "swapset": Layout(own_build.read),
}
"""Datasets by name; `swapset` is a build of this project."""

_KINDS: dict[str, tuple[type, str]] = {
    "partial": (bool, "true or false"),
    "disjoint": (bool, "true or false"),
    "originals": (str | Path, "a folder"),  # type: ignore[dict-item]
    "splits": (str | Path, "a folder"),  # type: ignore[dict-item]
    "method": (str, "a name"),
}


def read_dataset(name: str, root: Path, **options: Any) -> Dataset:
    """Read a dataset.

    Parameters
    ----------
    name : str
        Its name in `LAYOUTS`.
    root : Path
        Its folder.
    **options
        What its reader takes further; see docs/datasets.md.

    Raises
    ------
    ConfigError
        If the dataset or an option is unknown, or an option's value is wrong.
    ManifestError
        If something on disk is missing or wrong; the message says what and where.
    """
    if name not in LAYOUTS:
        raise ConfigError(f"datasets: {name!r} is unknown; choose of {', '.join(LAYOUTS)}")
    layout = LAYOUTS[name]
    for option, value in options.items():
        if option not in layout.options:
            allowed = ", ".join(layout.options) or "none"
            raise ConfigError(f"datasets.{name}: unknown option {option!r}; allowed: {allowed}")
        kind, text = _KINDS.get(option, (object, ""))
        if value is not None and not isinstance(value, kind):
            raise ConfigError(f"datasets.{name}: option {option} is {value!r} and not {text}")
    return layout.read(Path(root), **{**layout.defaults, **layout.fixed, **options})
