"""Rule robustness: write AUCs after perturbations, and the areas under their curves."""

from pathlib import Path

from swapset.build.job import job
from swapset.detection.protocol import read_splits
from swapset.detection.robustness import robustness_tables
from swapset.io.files import write_csv

if __name__ == "__main__":
    inputs, params, output = snakemake.input, snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        table, areas = robustness_tables(
            [Path(path) for path in inputs.plain],
            [Path(path) for path in inputs.scores],
            params.perturbations,
            read_splits(Path(inputs.splits)),
            level=params.level,
            faceless=params.faceless,
        )
        write_csv(output.table, table)
        write_csv(output.areas, areas)
