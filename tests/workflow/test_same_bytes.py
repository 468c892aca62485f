"""The same clips, config and seed give the same bytes, whatever the cores and the order of jobs."""

from __future__ import annotations

from pathlib import Path

from material.running import snakemake
from material.small_build import OPTIONS, RESULTS, Undisturbed, digests, make_checkout


def test_one_core_and_another_order_give_the_same_bytes(whole: Undisturbed, tmp_path: Path) -> None:
    """The last stages' jobs come first where they can."""
    folder = make_checkout(tmp_path / "checkout")
    late = ("--prioritize", str(RESULTS / "dataset" / "real" / "c40" / "id1_0000.mp4"))
    snakemake(folder, *OPTIONS, "--cores", "1", *late).check()
    found = digests(folder / RESULTS)
    assert found.keys() == whole.files.keys()
    assert {name for name, sha in found.items() if sha != whole.files[name]} == set()
