"""Disturb builds at random moments: the next run must equal an undisturbed one, or say why not.

CI runs three rounds; `make faults` runs forty, six of them on Slurm. The number of a round gives
its fault and its moment, a share of the build; SWAPSET_FAULT_FIRST sets the first number.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import kinds_slurm
import pytest
from kinds import KINDS, Disturbed, Kind
from material.running import Run, dry_run, snakemake
from material.small_build import FINAL, OPTIONS, RESULTS, Undisturbed, digests

FIRST = int(os.environ.get("SWAPSET_FAULT_FIRST", "0"))
ROUNDS = int(os.environ.get("SWAPSET_FAULT_ROUNDS", "3"))
SLURM_ROUNDS = int(os.environ.get("SWAPSET_FAULT_SLURM_ROUNDS", "0"))
ADVICE = re.compile(r"swapset: \w+: \S+: .*; delete (\S+) and run again")


def _rounds() -> list[tuple[int, Kind]]:
    """Return the number and the fault of each round."""
    numbers = range(FIRST, FIRST + ROUNDS)
    last = range(numbers.stop, numbers.stop + SLURM_ROUNDS)
    return [(number, KINDS[number % len(KINDS)]) for number in numbers] + [
        (number, kinds_slurm.KINDS[number % len(kinds_slurm.KINDS)]) for number in last
    ]


@pytest.fixture(scope="module", autouse=True)
def slurm_ends() -> Iterator[None]:
    """Stop the daemons at the end."""
    yield
    if SLURM_ROUNDS:
        kinds_slurm.node("stop")


@pytest.mark.parametrize(("number", "kind"), _rounds())
def test_next_run_ends_as_an_undisturbed_one(
    number: int, kind: Kind, whole: Undisturbed, tmp_path: Path
) -> None:
    rng = Random(number)  # noqa: S311
    disturbed = kind(tmp_path / "checkout", whole, rng)
    try:
        print(f"round {number}: {kind.__name__}: {disturbed.what}")
        _check(disturbed, whole)
    finally:
        disturbed.clean_up()


def _check(disturbed: Disturbed, whole: Undisturbed) -> None:
    assert "Traceback" not in disturbed.said, disturbed.said
    assert (disturbed.must_say or "") in disturbed.said
    base = disturbed.folder / RESULTS
    before = digests(base, FINAL)
    _repaired(disturbed, base)
    missing = {name for name, sha in before.items() if whole.files[name] != sha}
    assert not missing, f"was wrong before the next run: {missing}"
    after = digests(base)
    wrong = {name for name in whole.files if after.get(name) != whole.files[name]}
    unused = {str(disturbed.damaged.relative_to(base))} if disturbed.damaged else set()
    assert wrong <= unused, f"not as in the undisturbed build: {sorted(wrong)}"
    assert set(after) <= set(whole.files), "more than the undisturbed build has"
    assert not list(base.rglob("*.partial*"))
    assert dry_run(disturbed.folder, *OPTIONS).nothing_to_do


def _repaired(disturbed: Disturbed, base: Path) -> Run:
    """Run again; if an error names a file to delete, delete it and run once more."""
    held = digests(base, FINAL)
    disturbed.repair()
    again = snakemake(disturbed.folder, *OPTIONS)
    if again.code == 0:
        return again
    said = again.refused()
    named = ADVICE.search(said)
    assert named, f"no advice in:\n{said}"
    path = disturbed.folder / named.group(1)
    assert disturbed.damaged is not None, said
    assert disturbed.damaged.is_relative_to(path), said
    kept = digests(base, FINAL)
    # Snakemake deletes outputs before it makes them again; the damage outdated the failed job's.
    stay = {name: sha for name, sha in held.items() if f"{RESULTS}/{name}" not in _outputs(said)}
    lost = [name for name, sha in stay.items() if kept.get(name) != sha]
    assert not lost, f"finished files were lost: {lost}"
    print(f"  said: {named.group()}")
    _delete(path)
    return snakemake(disturbed.folder, *OPTIONS).check()


def _outputs(said: str) -> set[str]:
    """Return the outputs of the failed jobs."""
    lines = re.findall(r"^Error in rule .*?^    output: (.*?)$", said, re.M | re.S)
    return {path for line in lines for path in line.split(", ")}


def _delete(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
