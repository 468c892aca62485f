"""Compare the memory and time of jobs in finished builds with the requests of their rules.

    python benchmarks/resources.py results/demo [results/other ...]

Reads the `benchmark:` files of builds and `mem_mb` and `runtime` of the rules, and prints a table:
jobs, median and largest seconds, largest resident set, the request, and a remark where the
requested memory is less than 1.3 times the measured one, or more than 5 times without a reason, or
the requested time is less than 1.3 times the measured one. Reasons are below. Requests that depend
on the config (trainings) are printed as `computed`. For rules that none of the builds ran, the
memory in brackets is that of the demo's builds, which comes with `swapset plan`.
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
"""Smallest and largest ratio of request to need; and MB that any job may request."""
REASONS = {
    "synthesise": "1,350 MB with networks of 256 x 256 and frames of 1280 x 1280",
    "dataset": "records and labels of 6,229 videos at the paper's scale",
    "protect_clips": "as attack, which took 2,000 MB; measured with the demo's extractor alone",
    "find_landmarks": "measured with the demo's extractor alone",
    "detector_auc": "scores of 13 detectors and 18,687 videos at the paper's scale",
}
_RULE = r"^(?:rule|checkpoint|use rule (\w+) as) (\w+)(?: with)?:\n((?:    .*\n|\n)*)"


def asked() -> dict[str, tuple[int | None, int | None]]:
    """Return the MB and minutes of each rule's first attempt; None: depends on the config."""
    requests, base = {}, {}
    for path in (ROOT / "rules").glob("*.smk"):
        for like, rule, text in re.findall(_RULE, path.read_text(), re.M):
            requests[rule] = _number("mem_mb", text), _number("runtime", text)
            base[rule] = like or rule
    return {
        rule: tuple(
            of_rule or of_base
            for of_rule, of_base in zip(requests[rule], requests[base[rule]], strict=True)
        )
        for rule in requests
    }


def _number(resource: str, text: str) -> int | None:
    match = re.search(rf"^        {resource}=per_attempt\((\d+)\)", text, re.M)
    return int(match.group(1)) if match else None


def remark(rule: str, memory: float, seconds: float, wanted: tuple[int | None, int | None]) -> str:
    """Return the faults of a rule's request; empty: none."""
    megabytes, minutes = wanted
    faults = []
    if megabytes is not None and megabytes < ENOUGH * memory:
        faults.append("too little memory")
    if megabytes is not None and megabytes > max(LEAST, TOO_MUCH * memory):
        faults.append(REASONS.get(rule, "much memory, no reason given"))
    if minutes is not None and 60 * minutes < ENOUGH * seconds:
        faults.append("too little time")
    return "; ".join(faults)


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
        if rule in LIKE:  # its benchmark files lie among the other rule's
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
