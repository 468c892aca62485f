"""Estimate the GPU-hours of all models at the paper's scale, from the steps of finished builds.

Run `python benchmarks/cost.py COLD.csv --warm WARM.csv [--all ALL.csv] --speed FACES_PER_SECOND`.
The tables are `tables/training.csv` of builds without and with warm start, and with one model of
all subjects. Plateaus end some trainings early; the mean share of the steps that trainings took
there is applied to 59 subjects, 1,711 pairs and the recipe's steps. The speed is measured by
`benchmarks/training.py` on the GPU in question; ratios do not depend on it.
"""

from __future__ import annotations

import argparse
from math import comb
from pathlib import Path

import pandas as pd

from swapset.config.methods import BUILT_IN
from swapset.config.sections import TrainingSettings


def used(table: Path, recipe: str, kind: str) -> float:
    """Return the mean share of the step limit that models of a kind (pair, base, all) took."""
    rows = pd.read_csv(table)
    rows = rows[rows["trained"] & (rows["recipe"] == recipe)]
    kinds = rows["model"].where(rows["model"].isin(["base", "all"]), "pair")
    rows = rows[kinds == kind]
    if rows.empty:
        raise SystemExit(f"{table}: no {kind} model of {recipe}; give the table of such a build")
    return float((rows["steps"] / rows["limit"]).mean())


def main() -> None:
    """Print GPU-hours and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cold", type=Path)
    parser.add_argument("--warm", type=Path)
    parser.add_argument("--all", type=Path)
    parser.add_argument("--recipe", default="celebdf", choices=sorted(BUILT_IN))
    parser.add_argument("--subjects", type=int, default=59)
    parser.add_argument("--base-steps", type=float, default=TrainingSettings().base_steps)
    parser.add_argument("--warm-steps", type=float, default=TrainingSettings().warm_steps)
    parser.add_argument("--speed", type=float, required=True, help="faces per second")
    options = parser.parse_args()
    recipe, pairs = BUILT_IN[options.recipe], comb(options.subjects, 2)
    model = recipe.steps * 2 * recipe.batch / options.speed / 3600
    cold = pairs * used(options.cold, options.recipe, "pair")
    costs = {"cold starts": cold}
    if options.warm:
        base = (
            options.base_steps * options.subjects / 2 * used(options.warm, options.recipe, "base")
        )
        each = options.warm_steps * used(options.warm, options.recipe, "pair")
        costs["warm starts, base included"] = base + pairs * each
    if options.all:
        costs["one model of all"] = options.subjects / 2 * used(options.all, options.recipe, "all")
    print(
        f"{options.recipe}: {pairs} pairs of {options.subjects} subjects, {options.speed:g} faces/s"
    )
    print(f"  a cold start of all {recipe.steps} steps takes {model:.2f} hours")
    for name, count in costs.items():
        print(f"  {name:28s} {count * model:10.1f} hours   1/{cold / count:.1f} of cold starts")


if __name__ == "__main__":
    main()
