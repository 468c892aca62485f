"""What jobs took of memory and time in finished builds, beside what their rules ask for.

    python benchmarks/resources.py results/demo [results/other ...]

Reads the `benchmark:` files of builds and `mem_mb` and `runtime` of the rules, and prints a table:
jobs, median and largest seconds, largest resident set, what is asked for, and a remark where the
memory asked for is less than 1.3 times what was taken, or more than 5 times without a reason, or
the time less than 1.3 times. Reasons are below. What depends on the config (trainings) is printed
as `computed`. Of rules that none of the builds ran, the memory is, in brackets, that of the demo's
builds as it comes with `swapset plan`.
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections import defaultdict
from pathlib import Path

from swapset.planning.rates import read_benchmark, reference_rates
from swapset.planning.work import LIKE

ROOT = Path(__file__).resolve().parent.parent
ENOUGH, TOO_MUCH, LEAST = 1.3, 5.0, 1000
"""Shares of what was taken; and MB that a job may ask for whatever it takes."""
REASONS = {
    "synthesise": "1,350 MB with networks of 256 x 256 and frames of 1280 x 1280",
    "dataset": "records and labels of 6,229 videos at the paper's scale",
    "protect_clips": "as attack, which took 2,000 MB; measured with the demo's extractor alone",
    "find_landmarks": "measured with the demo's extractor alone",
    "detector_auc": "scores of 13 detectors and 18,687 videos at the paper's scale",
}
_RULE = r"^(?:rule|checkpoint|use rule (\w+) as) (\w+)(?: with)?:\n((?:    .*\n|\n)*)"


def asked() -> dict[str, tuple[int | None, int | None]]:
    """Return the MB and minutes that each rule asks for at first; None: depends on the config."""
    own, base = {}, {}
    for path in (ROOT / "rules").glob("*.smk"):
        for like, rule, text in re.findall(_RULE, path.read_text(), re.M):
            own[rule] = _number("mem_mb", text), _number("runtime", text)
            base[rule] = like or rule
    return {
        rule: tuple(mine or its for mine, its in zip(own[rule], own[base[rule]], strict=True))
        for rule in own
    }


def _number(resource: str, text: str) -> int | None:
    given = re.search(rf"^        {resource}=per_attempt\((\d+)\)", text, re.M)
    return int(given.group(1)) if given else None


def remark(rule: str, memory: float, seconds: float, wanted: tuple[int | None, int | None]) -> str:
    """Return what is wrong with what a rule asks for; empty: nothing."""
    megabytes, minutes = wanted
    found = []
    if megabytes is not None and megabytes < ENOUGH * memory:
        found.append("too little memory")
    if megabytes is not None and megabytes > max(LEAST, TOO_MUCH * memory):
        found.append(REASONS.get(rule, "much memory, no reason given"))
    if minutes is not None and 60 * minutes < ENOUGH * seconds:
        found.append("too little time")
    return "; ".join(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("builds", type=Path, nargs="+", metavar="DIR")
    jobs, known_before = defaultdict(list), reference_rates()
    for root in parser.parse_args().builds:
        for path in sorted((root / "benchmarks").rglob("*.tsv")):
            rule = path.relative_to(root / "benchmarks").with_suffix("").parts[0]
            jobs[rule].append(read_benchmark(path))
    print("| rule | jobs | s, median | s, most | MB, most | MB asked | min asked | |")
    print("|---|---|---|---|---|---|---|---|")
    for rule, wanted in sorted(asked().items()):
        if rule in LIKE:  # its benchmark files are that rule's
            continue
        mb, minutes = wanted[0] or "computed", wanted[1]
        if not jobs[rule]:
            known = known_before.get(rule)
            said = remark(rule, known.memory, 0, wanted) if known else "not measured"
            shown = f"({known.memory:.0f})" if known else ""
            print(f"| {rule} | 0 | | | {shown} | {mb} | {minutes} | {said} |")
            continue
        seconds, memory = ([job[name] for job in jobs[rule]] for name in ("s", "max_rss"))
        said = remark(rule, max(memory), max(seconds), wanted)
        print(
            f"| {rule} | {len(seconds)} | {statistics.median(seconds):.1f} | {max(seconds):.1f} | "
            f"{max(memory):.0f} | {mb} | {minutes} | {said} |"
        )


if __name__ == "__main__":
    main()
