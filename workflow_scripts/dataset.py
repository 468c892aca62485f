"""Rule dataset: write provenance and tables of the finished dataset."""

from pathlib import Path

import pandas as pd

from swapset.build.job import job
from swapset.dataset.provenance import fakes_table, read_records, write_provenance
from swapset.dataset.tables import datasets_table
from swapset.io.files import read_csv, read_json, write_csv

if __name__ == "__main__":
    inputs, output, params = snakemake.input, snakemake.output, snakemake.params
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        verdicts = {Path(path).stem: read_json(path) for path in inputs.verdicts}
        fakes = fakes_table(map(Path, inputs.labels))
        root = Path(output.table).parent.parent
        videos = read_records(
            root, inputs.records, inputs.labels, verdicts, params.clips, params.compressions
        )
        write_provenance(Path(output.provenance), videos, params.config_hash)
        public = [read_csv(path) for path in inputs.public]
        write_csv(output.table, pd.concat([datasets_table(videos, params.methods), *public]))
        write_csv(output.fakes, fakes)
