"""Rule splits: split people into training, validation and test."""

import pandas as pd

from swapset.build.job import job
from swapset.detection.protocol import SPLIT_COLUMNS, check_splits
from swapset.io.files import write_csv

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        table = pd.DataFrame(snakemake.params.rows, columns=SPLIT_COLUMNS)
        check_splits(table)
        write_csv(snakemake.output.table, table)
