"""Rule outside_scores_table: list scores from elsewhere, their direction and what they lack."""

import pandas as pd

from swapset.build.job import job
from swapset.detection.outside_scores import SUMMARY
from swapset.io.files import read_json, write_csv

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        rows = [read_json(path) for path in snakemake.input.summaries]
        write_csv(snakemake.output.table, pd.DataFrame(rows, columns=SUMMARY))
