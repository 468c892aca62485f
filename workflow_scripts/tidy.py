"""Rule tidy: remove files that the finished build no longer needs."""

import logging
from pathlib import Path

import pandas as pd

from swapset.build.job import job
from swapset.dataset.tidy import Removed, tidy
from swapset.io.files import atomic_output, write_csv

if __name__ == "__main__":
    params, table = snakemake.params, Path(snakemake.output.table)
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        root = table.parent.parent
        rows = tidy(root, params.removed, params.kept, params.sources, params.unmade)
        for row in rows:
            logging.info(
                "%s: %.1f MB in %d files, %s", row.kind, row.bytes / 1e6, row.files, row.fate
            )
        with atomic_output(params.token) as scratch:
            scratch.write_text(params.seen, encoding="ascii")
        columns = list(Removed.__annotations__)
        write_csv(table, pd.DataFrame([vars(row) for row in rows], columns=columns))
