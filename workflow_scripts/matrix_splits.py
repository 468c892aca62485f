"""Rule matrix_splits: split people for detectors that learn from a further training set."""

from swapset.build.job import job
from swapset.dataset.same_people import read_same_people
from swapset.detection.protocol import check_splits, split_table
from swapset.io.files import write_csv

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        table, names = split_table(
            **params.made_from, found=read_same_people(inputs.get("same", []))
        )
        check_splits(table, names)
        write_csv(snakemake.output.table, table)
