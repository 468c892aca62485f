"""Rule detector_auc: write the tables of all detectors, datasets and compressions."""

from pathlib import Path

from swapset.build.job import job
from swapset.detection.protocol import read_splits
from swapset.detection.tables import Asked, auc_tables, left_out_table
from swapset.io.files import write_csv

if __name__ == "__main__":
    params, output = snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        tables = auc_tables(
            [Path(path) for path in snakemake.input.scores],
            read_splits(Path(snakemake.input.splits)),
            [Path(path) for path in snakemake.input.cards],
            Asked(params.seed, params.level, params.bootstrap, params.faceless),
        )
        write_csv(
            output.left_out, left_out_table(map(Path, snakemake.input.faces), params.left_out)
        )
        for name, table in tables.items():
            write_csv(output[name], table)
