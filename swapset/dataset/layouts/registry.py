"""All layouts of datasets by name. Imports nothing heavy: a layout is imported when it is used."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swapset.dataset.layouts.checks import finish
from swapset.dataset.layouts.video import Dataset
from swapset.errors import ConfigError, ManifestError
from swapset.plugins import Plugin, Plugins


def _own(module: str, **fixed: Any) -> Plugin:
    return Plugin(f"swapset.dataset.layouts.{module}:read", {"fixed": fixed})


LAYOUTS = Plugins(
    "layout",
    {
        "UADFV": _own("uadfv"),
        "DF-TIMIT-LQ": _own("df_timit", quality="lower"),
        "DF-TIMIT-HQ": _own("df_timit", quality="higher"),
        **{
            name: _own("faceforensics", name=name, methods=None)
            for name in ("FF-DF", "FF-F2F", "FF-FS", "FF-NT", "FF-FSh")
        },
        "FF-all": _own("faceforensics", name="FF-all"),
        "DFD": _own("dfd"),
        "DFDC": _own("dfdc"),
        "Celeb-DF": _own("celeb_df"),
        "Celeb-DF-v1": _own("celeb_df", version=1),
        "Celeb-DF-v2": _own("celeb_df", version=2),
        "Celeb-DF-PP": _own("celeb_df_pp"),
        "DeeperForensics": _own("deeper_forensics"),
        "DF40": _own("df40"),
        "swapset": _own("own_build"),
    },
    methods=("__call__",),
    traits={"fixed": {}},
)
"""Functions that take a dataset's folder and keyword options, and return a `Dataset`. `swapset` is
for builds of this project. The trait `fixed` has options that follow from the dataset's name."""

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "bool": ((bool,), "true or false"),
    "Path": ((str, Path), "a folder"),
    "str": ((str,), "a name"),
}
"""Types of an option by the annotation of the reader's parameter; the reader checks all others."""


def read_dataset(name: str, root: Path, **options: Any) -> Dataset:
    """Read a dataset.

    Parameters
    ----------
    name : str
        Its name in `LAYOUTS`.
    root : Path
        Its folder.
    **options
        Options of its reader; see docs/datasets.md.

    Raises
    ------
    ConfigError
        If the dataset or an option is unknown, or an option's value is wrong.
    ManifestError
        If something on disk is missing or wrong; the message names it.
    """
    read = LAYOUTS.load(name, "datasets")
    fixed = LAYOUTS.find(name).traits["fixed"]
    kinds = _options(read, fixed)
    for option, value in options.items():
        if option not in kinds:
            allowed = ", ".join(kinds) or "none"
            raise ConfigError(
                f"datasets.{name}: unknown option {option!r}; allowed here: {allowed}"
            )
        kind, text = _KINDS.get(kinds[option], ((object,), ""))
        if value is not None and not isinstance(value, kind):
            raise ConfigError(
                f"datasets.{name}: {value!r} is not allowed for the option {option}: use {text}"
            )
    dataset = read(Path(root), **{**fixed, **options})
    if not isinstance(dataset, Dataset):
        raise ManifestError(
            f"{root}: the layout {name!r} returned {dataset!r:.80} and not a Dataset; its authors "
            "have to correct this"
        )
    return finish(dataset)


def _options(read: Callable[..., Dataset], fixed: dict[str, Any]) -> dict[str, str]:
    """Return the options that a config may set, to the first word of their annotations."""
    return {
        name: str(getattr(parameter.annotation, "__name__", parameter.annotation)).split(" ")[0]
        for name, parameter in inspect.signature(read).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name not in fixed
    }
