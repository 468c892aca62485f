"""`swapset init`: write a manifest and a config for a folder of clips."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from swapset.cli.collect import (
    Collection,
    collect,
    config_header,
    config_values,
    refuse_existing,
    write_manifest,
)
from swapset.io.files import atomic_output
from swapset.learning.device import visible_gpus

_SHOWN = 20


def _init(given: argparse.Namespace) -> None:
    from swapset.config.text import commented_yaml

    folder, into = given.folder, given.into or given.folder
    manifest, config = into / "clips.csv", into / "config.yaml"
    found = collect(folder)
    for path in (manifest, config):
        refuse_existing(path)
    values = config_values(folder, manifest, given.networks)
    text = commented_yaml(values, config_header(folder, config, given.networks))
    write_manifest(manifest, found, given.licence.strip())
    with atomic_output(config) as scratch:
        scratch.write_text(text, encoding="utf-8")
    _report(found, manifest, config)
    if given.networks == "full" and not visible_gpus():
        print("No GPU is visible here; these networks are too large for a processor. If so,")
        print("delete config.yaml and clips.csv and use --networks small.")
    _next(manifest, config, bool(given.licence.strip()))


def _report(found: Collection, manifest: Path, config: Path) -> None:
    print(f"{len(found.rows)} clips of {len(found.subjects)} people")
    renamed = [f"  {s} is {person}" for s, person in found.people.items() if s != person]
    left_out = [f"  left out {path}: {reason}" for path, reason in found.left_out.items()]
    for lines in (renamed, left_out):
        print("".join(f"{line}\n" for line in lines[:_SHOWN]), end="")
        if len(lines) > _SHOWN:
            print(f"  ... and {len(lines) - _SHOWN} more")
    print(f"Wrote {manifest} and {config}")


def _next(manifest: Path, config: Path, licensed: bool) -> None:
    print("Next:")
    if not licensed:
        print(f"  write each clip's licence into {manifest}; a build does not start without")
    command = f"snakemake --cores all --configfile {shlex.quote(str(config.resolve()))}"
    print(f"  {command}    (beside the Snakefile)")
