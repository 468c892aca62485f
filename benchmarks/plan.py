"""How long Snakemake takes to plan the paper's scale, or a multiple of it.

Makes a stand-in manifest (59 subjects, 590 clips, empty files) in a temporary folder and plans
`config/celebdf.yaml` on it: everything, one fake, and one model.

    python benchmarks/plan.py [--times 2]
"""

from __future__ import annotations

import argparse
import csv
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUBJECTS, CLIPS = 59, 10
ROOT = Path(__file__).parent.parent


def make_manifest(folder: Path, times: int) -> Path:
    """Write a manifest of `times` x 59 subjects with ten clips each, and their empty files."""
    path = folder / "clips.csv"
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["clip", "subject", "path", "licence"])
        for subject in range(SUBJECTS * times):
            for number in range(CLIPS):
                name = f"id{subject}_{number:04d}"
                (folder / f"{name}.mp4").touch()
                table.writerow([name, f"id{subject}", f"{name}.mp4", "stand-in"])
    return path


def plan(folder: Path, manifest: Path, target: str) -> tuple[float, str]:
    """Plan a target; return seconds and Snakemake's output."""
    command = [sys.executable, "-m", "snakemake", "-n", "-q", "rules", "--cores", "2", target]
    command += ["--snakefile", str(ROOT / "Snakefile")]
    command += ["--configfile", str(ROOT / "config.yaml"), str(ROOT / "config" / "celebdf.yaml")]
    command += ["--config", f"clips={manifest}"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return seconds, done.stdout + done.stderr


def main() -> None:
    """Print seconds and job counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=1, help="multiple of the paper's subjects")
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = make_manifest(folder, times)
        seconds, output = plan(folder, manifest, "all")
        table = re.search(r"job +count\n.*?total +\d+", output, re.S)
        print(table.group() if table else output)
        print(f"everything: {seconds:.1f} s")
        # After the large plan: children's peak is that of the largest so far.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory: {peak:.0f} MB")
        base = Path("results", "celebdf")
        fake = re.search(r"dataset/celebdf/original/(id0_id\d+_0000)", output)
        for title, target in [
            ("one model", base / "models" / "celebdf" / "id0-id1.safetensors"),
            ("one real clip in c23", base / "dataset" / "real" / "c23" / "id0_0000.mp4"),
            ("one fake", base / f"dataset/celebdf/original/{fake.group(1)}.mp4" if fake else None),
        ]:
            if target:
                print(f"{title}: {plan(folder, manifest, str(target))[0]:.1f} s")


if __name__ == "__main__":
    main()
