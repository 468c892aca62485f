"""Rule splits: split people into training, validation and test."""

import pandas as pd

from swapset.build.job import job
from swapset.dataset.same_people import one_name, read_same_people
from swapset.dataset.splits import make_folds
from swapset.detection.protocol import SPLIT_COLUMNS, check_splits, with_new_roles
from swapset.io.files import write_csv

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        table = pd.DataFrame(params.rows, columns=SPLIT_COLUMNS)
        same = read_same_people(inputs.get("same", []))
        if same:
            table = with_new_roles(table, make_folds(**params.people, same=same), params.kinds)
        check_splits(table, one_name(same))
        write_csv(snakemake.output.table, table)
