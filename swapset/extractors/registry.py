"""All extractors by name. Imports nothing heavy: an extractor's module is imported when used."""

from __future__ import annotations

from typing import Any

from swapset.plugins import Plugin, Plugins

EXTRACTORS = Plugins(
    "extractor",
    {
        "fan": Plugin("swapset.extractors.fan:FAN"),
        "hrnet": Plugin("swapset.extractors.hrnet:HRNet"),
        "avs-san": Plugin("swapset.extractors.avs_san:AVSSAN"),
    },
    methods=("heatmaps", "landmarks", "features", "crop", "save", "load", "from_weights"),
    reserved=("dlib",),  # all attacks are measured on its landmarks as well
)
"""Extractors, the built-in ones in the order of table 4.5 of the chapter."""


def extractor_class(name: str) -> Any:
    """Return the class of an extractor, a `swapset.extractors.base.Extractor`.

    Raises
    ------
    ConfigError
        If the name is unknown, or the extractor of another package cannot be imported.
    """
    return EXTRACTORS.load(name)
