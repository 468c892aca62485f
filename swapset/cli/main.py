"""The `swapset` command. Builds are run by Snakemake; this prepares them, scores and protects."""

from __future__ import annotations

import argparse
import io
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from swapset import __version__
from swapset.cli.collect import (
    Collection,
    collect,
    config_header,
    config_values,
    refuse_existing,
    write_manifest,
)
from swapset.cli.detect import add_detect
from swapset.cli.plan import add_plan
from swapset.cli.protect import add_protect
from swapset.cli.verify import add_verify
from swapset.errors import SwapsetError
from swapset.io.files import atomic_output
from swapset.learning.device import visible_gpus

_SHOWN = 20


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the `swapset` command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default; SIGTERM then ends it as Ctrl-C does.

    Returns
    -------
    int
        The exit status: 0, or 1 after an error that is printed as one line on stderr, 130 after
        Ctrl-C. Wrong arguments exit with 2.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files need not be text
        sys.stdout.reconfigure(errors="backslashreplace")
    given = _parser().parse_args(arguments)
    if arguments is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(given.run(given) or 0)
    except KeyboardInterrupt:
        print("swapset: stopped; nothing half-written is left", file=sys.stderr)
        return 130
    except SwapsetError as error:
        print(f"swapset: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"swapset: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="swapset", description="Build and score face-swap detection datasets.")
    parser.add_argument("--version", action="version", version=f"swapset {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    init = commands.add_parser(
        "init",
        help="write clips.csv and config.yaml for a folder of clips",
        description=(
            "Write clips.csv and config.yaml for a folder of clips: files called idX_NNNN.*, or "
            "one sub-folder for each person. Nothing is overwritten."
        ),
    )
    init.add_argument("folder", type=Path, metavar="FOLDER", help="where the clips are")
    init.add_argument(
        "--licence",
        default="",
        metavar="TEXT",
        help="licence of all clips; without it, fill in the column in clips.csv",
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
    add_plan(commands)
    add_detect(commands)
    add_protect(commands)
    add_verify(commands)
    return parser


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


if __name__ == "__main__":
    sys.exit(main())
