"""`swapset init`: write a manifest and a config for a folder of clips."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

from swapset.cli.collect import Collection, collect, refuse_existing, write_manifest
from swapset.cli.first_config import config_header, config_values
from swapset.errors import ConfigError
from swapset.io.files import atomic_output
from swapset.learning.device import visible_gpus

_SHOWN = 20


def add_init(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command to the `swapset` command."""
    init = commands.add_parser(
        "init",
        help="write clips.csv and config.yaml for a folder of clips",
        description=(
            "Write clips.csv and config.yaml for a folder of clips. The clips are files called "
            "idX_NNNN.*, or lie in one sub-folder for each person. Nothing is overwritten."
        ),
    )
    init.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the clips")
    init.add_argument(
        "--licence",
        default="",
        metavar="TEXT",
        help="licence of all clips (default: you fill in the column in clips.csv)",
    )
    init.add_argument(
        "--into", type=Path, metavar="DIR", help="folder for the two files (default: FOLDER)"
    )
    init.add_argument(
        "--networks",
        choices=("full", "small"),
        default="full",
        help="the paper's networks, for a GPU, or small ones for a processor (default: full)",
    )
    init.set_defaults(run=_init)


def _init(options: argparse.Namespace) -> None:
    from swapset.config.text import commented_yaml

    folder, into = options.folder, options.into or options.folder
    for name, value in {"--licence": options.licence, "FOLDER": folder, "--into": into}.items():
        _check_text(name, str(value))
    manifest, config = into / "clips.csv", into / "config.yaml"
    clips = collect(folder)
    for path in (manifest, config):
        refuse_existing(path)
    values = config_values(folder, manifest, options.networks)
    text = commented_yaml(values, config_header(folder, config, options.networks))
    write_manifest(manifest, clips, options.licence.strip())
    with atomic_output(config) as scratch:
        scratch.write_text(text, encoding="utf-8")
    _report(clips, manifest, config)
    if options.networks == "full" and not visible_gpus():
        print("No GPU is visible, and these networks are too large for a processor. Without a GPU,")
        print("delete config.yaml and clips.csv and run this again with --networks small.")
    _next(manifest, config, bool(options.licence.strip()))


def _check_text(name: str, value: str) -> None:
    """Refuse words that cannot be written into the files."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{name}: {value!a} is not UTF-8 text; write it in UTF-8") from None


def _report(clips: Collection, manifest: Path, config: Path) -> None:
    print(f"{len(clips.rows)} clips of {len(clips.subjects)} people")
    renamed = [f"  {s} is {person}" for s, person in clips.people.items() if s != person]
    left_out = [f"  left out {path}: {reason}" for path, reason in clips.left_out.items()]
    for lines in (renamed, left_out):
        print("".join(f"{line}\n" for line in lines[:_SHOWN]), end="")
        if len(lines) > _SHOWN:
            print(f"  ... and {len(lines) - _SHOWN} more")
    print(f"Wrote {manifest} and {config}")


def _next(manifest: Path, config: Path, licensed: bool) -> None:
    print("Next:")
    if not licensed:
        print(f"  write the licence of each clip into {manifest}; a build needs it to start")
    print("  run, beside the Snakefile:")
    print(f"  snakemake --cores all --configfile {shlex.quote(str(config.resolve()))}")
