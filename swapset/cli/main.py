"""The `swapset` command: prepare builds, score and protect files. Snakemake runs the builds."""

from __future__ import annotations

import argparse
import errno
import io
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from swapset import __version__
from swapset.cli.compare import add_compare
from swapset.cli.detect import add_detect
from swapset.cli.init import add_init
from swapset.cli.plan import add_plan
from swapset.cli.protect import add_protect
from swapset.cli.verify import add_verify
from swapset.errors import SwapsetError


class _Parser(argparse.ArgumentParser):
    """An argument parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the `swapset` command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default the arguments of the process; SIGTERM then ends it as Ctrl-C does.

    Returns
    -------
    int
        The exit status: 0, 1 after an error (printed as one line on stderr), or 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        With status 2 if the arguments are wrong.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may not be valid text
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    if arguments is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(options.run(options) or 0)
    except KeyboardInterrupt:
        print("swapset: stopped; no half-written file is left", file=sys.stderr)
        return 130
    except SwapsetError as error:
        print(f"swapset: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        scratch = error.errno in (errno.ENOENT, errno.ENOSPC, errno.EDQUOT)
        place = error.filename or ("TMPDIR" if scratch else "")  # scratch files have no name
        print(f"swapset: {f'{place}: ' if place else ''}{error.strerror or error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="swapset", description="Build and score face-swap detection datasets.")
    parser.add_argument("--version", action="version", version=f"swapset {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_init(commands)
    add_plan(commands)
    add_detect(commands)
    add_protect(commands)
    add_verify(commands)
    add_compare(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
