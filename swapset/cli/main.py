"""The `swapset` command. Builds are run by Snakemake; this prepares them, scores and protects."""

from __future__ import annotations

import argparse
import io
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from swapset import __version__
from swapset.cli.detect import add_detect
from swapset.cli.init import _init
from swapset.cli.plan import add_plan
from swapset.cli.protect import add_protect
from swapset.cli.verify import add_verify
from swapset.errors import SwapsetError


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


if __name__ == "__main__":
    sys.exit(main())
