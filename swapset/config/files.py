"""Files that a config names are there before anything is planned. Light to import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from swapset.config.sections import NO_YUNET
from swapset.errors import ConfigError
from swapset.io.untrusted import search_note

if TYPE_CHECKING:
    from swapset.config.schema import Config


def check_files(config: Config) -> None:
    """Look for the models and weights that a config names; those in its own results may come yet.

    Raises
    ------
    ConfigError
        Naming the key and the file that is not there, or the key of one that is needed.
    """
    if config.track.detector == "yunet" and config.track.yunet_model is None:
        raise ConfigError(NO_YUNET)
    results = config.results / config.name
    for key, path in _named(config):
        if not path.is_relative_to(results) and not os.path.isfile(path):  # noqa: PTH113 - says no to every odd name
            raise ConfigError(f"{key}: no file {path}{search_note(path)}")


def _named(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield the key and path of each file of a model that is given."""
    track = config.track
    for key in ("predictor", "cnn_model", "yunet_model", "embedder"):
        if path := getattr(track, key):
            yield f"track.{key}", path
    for name, path in config.training.bases.items():
        yield f"training.bases.{name}", path
    detectors, extractors = config.detection.settings, config.landmark_breaker.settings
    for section, own in (("detection", detectors), ("landmark_breaker", extractors)):
        for name, settings in own.items():
            for key in ("weights", "backbone_weights"):
                if path := getattr(settings, key):
                    yield f"{section}.settings.{name}.{key}", path
