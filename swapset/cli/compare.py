"""`swapset compare`: what differs between two builds, in their configs and in all tables."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from swapset.errors import ConfigError


def add_compare(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the sub-command to the `swapset` command."""
    compare = commands.add_parser(
        "compare",
        help="compare the configs and all tables of two builds",
        description=(
            "Compare two builds on what both have: detectors on the same test videos, Mask-SSIM "
            "and expression of the same fakes, noise on the same frames, with intervals of the "
            "paired differences and p-values, also corrected for their number; other tables "
            "number by number. Writes comparison.csv and comparison.html."
        ),
    )
    compare.add_argument("first", type=Path, metavar="BUILD_A", help="its folder: results/<name>")
    compare.add_argument("second", type=Path, metavar="BUILD_B", help="its folder")
    compare.add_argument(
        "--output", type=Path, metavar="DIR", help="folder to write (default: compare-A-B)"
    )
    compare.add_argument(
        "--bootstrap",
        type=int,
        default=1000,
        metavar="N",
        help="resamples, for intervals of error rates (default: 1000)",
    )
    compare.add_argument(
        "--level", type=float, default=0.95, help="level of the intervals (default: 0.95)"
    )
    compare.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> None:
    if options.bootstrap < 10:
        raise ConfigError(f"--bootstrap: {options.bootstrap} is not allowed: use 10 or more")
    if not 0 < options.level < 1:
        raise ConfigError(f"--level: {options.level:g} is not allowed: it lies between 0 and 1")
    from swapset.report.comparison.page import CSV, PAGE, write_comparison

    names = [path.resolve().name for path in (options.first, options.second)]
    folder = options.output or Path(f"compare-{names[0]}-{names[1]}")
    found = write_comparison(
        options.first, options.second, folder, level=options.level, resamples=options.bootstrap
    )
    paired = found.dropna(subset=["low"])
    alone = ((paired["low"] > 0) | (paired["high"] < 0)).sum()
    sure = (paired["p_holm"] < 1 - options.level).sum()
    print(
        f"{len(found)} numbers compared, {len(paired)} of them in pairs with an interval; {alone} "
        f"intervals exclude 0, {sure} of them also after Holm's correction; see {folder / PAGE} "
        f"and {folder / CSV}"
    )
