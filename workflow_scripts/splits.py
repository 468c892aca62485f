"""Rule splits: split people into training, validation and test."""

from swapset.build.job import job
from swapset.detection.protocol import splits_table
from swapset.io.files import write_csv

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        write_csv(snakemake.output.table, splits_table(snakemake.params.rows))
