"""Time the statistics of many detectors, datasets and compressions.

    python benchmarks/detector_tables.py [--people 59] [--clips 10] [--donors 2] [--frames 16]

Scores of 16 detectors on 6 datasets in 3 compressions are drawn, written as the workflow writes
them, and all tables are made from them with 2,000 resamples, as the rule `detector_auc` does.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from swapset.detection.protocol import write_scores
from swapset.detection.tables import Asked, auc_tables
from swapset.io.files import write_json

DETECTORS, DATASETS, COMPRESSIONS = 16, 6, ("original", "c23", "c40")


def parse() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=59)
    parser.add_argument("--clips", type=int, default=10, help="real videos of each person")
    parser.add_argument("--donors", type=int, default=2, help="fakes of each real video")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--resamples", type=int, default=2000)
    return parser.parse_args()


def videos(options: argparse.Namespace, dataset: str) -> pd.DataFrame:
    """Return the table of splits of the videos of one dataset, all of them tested."""
    rng = np.random.default_rng(0)
    rows = []
    for person, clip in itertools.product(range(options.people), range(options.clips)):
        rows.append(("real", f"id{person}_{clip:04d}", 0, f"id{person}", ""))
        for donor in rng.choice(options.people - 1, options.donors, replace=False):
            other = int(donor) + (donor >= person)
            name = f"id{person}_id{other}_{clip:04d}"
            rows.append((dataset, name, 1, f"id{person}", f"id{other}"))
    table = pd.DataFrame(rows, columns=["kind", "video", "label", "target", "donor"])
    return table.assign(fold=0, role="test")


def scores_of(table: pd.DataFrame, frames: int, seed: int) -> pd.DataFrame:
    """Return scores of the videos' frames, with some frames missing."""
    rng = np.random.default_rng(seed)
    people = rng.normal(size=1000)
    numbers = table["target"].str[2:].astype(int).to_numpy()
    base = rng.normal(size=len(table)) + people[numbers] + table["label"].to_numpy()
    values = np.repeat(base, frames) + rng.normal(size=frames * len(table))
    values[rng.random(len(values)) < 0.02] = np.nan
    return pd.DataFrame(
        {
            "video": np.repeat(table["video"].to_numpy(), frames),
            "frame": np.tile(np.arange(frames, dtype=np.int32), len(table)),
            "label": np.repeat(table["label"].to_numpy(np.int8), frames),
            "fold": np.int32(0),
            "score": 1 / (1 + np.exp(-values)),
            "probability": 1 / (1 + np.exp(-values)),
        }
    )


def main() -> None:
    """Write scores and cards, make all tables, and print the seconds that this takes."""
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        files, cards, splits = [], [], []
        for dataset in [f"method{number}" for number in range(DATASETS)]:
            table = videos(options, dataset)
            splits.append(table)
            for detector, compression in itertools.product(range(DETECTORS), COMPRESSIONS):
                path = Path(folder, "scores", f"D{detector}", dataset, f"{compression}.parquet")
                path.parent.mkdir(parents=True, exist_ok=True)
                write_scores(path, scores_of(table, options.frames, len(files)))
                files.append(path)
        point = {name: {"threshold": 0.6} for name in ("fpr_1", "fpr_5", "equal_error")}
        for detector in range(DETECTORS):
            cards.append(Path(folder, "detectors", f"D{detector}", "0.json"))
            cards[-1].parent.mkdir(parents=True, exist_ok=True)
            write_json(cards[-1], {"validation": {"points": {"frame": point, "video": point}}})
        print(
            f"{len(files)} files, each of {len(table)} videos and {options.frames} frames of each"
        )
        started, began = time.perf_counter(), time.process_time()
        asked = Asked(seed=1, level=0.95, resamples=options.resamples)
        tables = auc_tables(files, pd.concat(splits), cards, asked)
        seconds, used = time.perf_counter() - started, time.process_time() - began
    rows = ", ".join(f"{len(table)} {name}" for name, table in tables.items())
    print(f"{seconds:.1f} s ({used:.1f} s of processors) for rows: {rows}")


if __name__ == "__main__":
    main()
