"""Count the outcomes of hostile files, for a table at the end."""

from __future__ import annotations

from collections import Counter, defaultdict

from child import Outcome


class Tally:
    """Counts of files by kind and outcome, with the slowest and the largest file."""

    def __init__(self) -> None:
        self._found: dict[str, Counter[str]] = defaultdict(Counter)
        self._costs: list[tuple[float, int, str]] = []

    def add(self, kind: str, name: str, outcome: Outcome) -> None:
        """Count the outcome of a file."""
        result = "PROBLEM" if outcome.problems else outcome.result
        self._found[kind][result] += 1
        self._costs.append((outcome.seconds, outcome.memory, name))

    def lines(self) -> list[str]:
        """Return the lines of the table; none if no file was read."""
        if not self._costs:
            return []
        columns = sorted({result for counts in self._found.values() for result in counts})
        width = max(map(len, self._found))
        lines = ["hostile files: what became of them"]
        for kind, counts in sorted(self._found.items()):
            shown = ", ".join(f"{column} {counts[column]}" for column in columns if counts[column])
            lines.append(f"  {kind:{width}}  {counts.total():4}  {shown}")
        total: Counter[str] = sum(self._found.values(), Counter())
        shown = ", ".join(f"{column} {total[column]}" for column in columns)
        slowest = max(self._costs)
        largest = max(self._costs, key=lambda cost: cost[1])
        return [
            *lines,
            f"  {'all':{width}}  {total.total():4}  {shown}",
            f"  slowest: {slowest[0]:.1f} s of processor time, {slowest[2]}",
            f"  largest: {largest[1] >> 20} MiB, {largest[2]}",
        ]
