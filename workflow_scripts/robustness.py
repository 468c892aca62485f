"""Rule robustness: write the tables of AUCs after perturbations, and the areas under their curves."""

from pathlib import Path

from swapset.build.job import job
from swapset.detection.protocol import read_splits
from swapset.detection.robustness import area_table, robustness_table
from swapset.io.files import write_csv

if __name__ == "__main__":
    inputs, params, output = snakemake.input, snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        table = robustness_table(
            [Path(path) for path in inputs.plain],
            [Path(path) for path in inputs.scores],
            params.perturbations,
            read_splits(Path(inputs.splits)),
            seed=params.seed,
            level=params.level,
            resamples=params.bootstrap,
        )
        write_csv(output.table, table)
        write_csv(output.areas, area_table(table))
