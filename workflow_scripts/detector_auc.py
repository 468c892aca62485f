"""Rule detector_auc: write the AUC tables of all detectors, datasets and compressions."""

from pathlib import Path

from swapset.build.job import job
from swapset.detection.tables import auc_tables, left_out_table
from swapset.io.files import write_csv

if __name__ == "__main__":
    params, output = snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        table, rates, curves = auc_tables(
            [Path(path) for path in snakemake.input.scores],
            seed=params.seed,
            level=params.level,
            resamples=params.bootstrap,
        )
        write_csv(
            output.left_out, left_out_table(map(Path, snakemake.input.faces), params.left_out)
        )
        write_csv(output.table, table)
        write_csv(output.rates, rates)
        write_csv(output.curves, curves)
