"""Prepare a run: look at files from outside and at results that were copied. Light to import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from swapset.build.build import Build
from swapset.build.resources import lock_of
from swapset.build.times import is_copy, lacks_records, put_back, set_mark
from swapset.build.workflow import Workflow
from swapset.io.files import write_json

CONFIG = "config.json"
"""File in a build's folder: the config of its last run."""
RECORDS = Path(".snakemake", "metadata")
"""Snakemake's records of outputs, in the working folder."""


def prepare(
    stages: Workflow, warn: Callable[[str], object], inform: Callable[[str], object]
) -> None:
    """Prepare a run, and tell the user what is worth knowing, before Snakemake plans jobs.

    Parameters
    ----------
    stages : Workflow
    warn, inform : callable
        Called with one sentence each.

    Raises
    ------
    SwapsetError
        If a file or folder that the config names cannot be read.
    """
    detection = stages.detection
    for notice in [
        *detection.public.notices(),
        *detection.notices(),
        *stages.breaker.notices(),
    ]:
        warn(f"swapset: {notice}")
    if sizes := stages.matrix.sizes():
        inform(f"swapset: {sizes}")
    stages.contents.look(stages.outside, lambda sentence: inform(f"swapset: {sentence}"))
    root = stages.build.root
    if lacks_records(root, RECORDS):
        warn(
            f"swapset: {root} came without Snakemake's records: changed clips and settings are not "
            "seen; copy .snakemake too, or see --touch in docs/configuration.md"
        )
    if is_copy(lock_of(root)):
        count = put_back(root, RECORDS)
        set_mark(lock_of(root))
        inform(f"swapset: {root} is a copy; put back the times of {count} results")


def record_config(build: Build) -> None:
    """Write the whole config into the build's folder, for `swapset compare`."""
    write_json(Path(build.root, CONFIG), build.config.model_dump(mode="json"))
