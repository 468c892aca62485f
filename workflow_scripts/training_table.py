"""Rule training_table: write the table of all trainings: how long, and how good."""

from pathlib import Path

from swapset.build.job import job
from swapset.dataset.tables import training_table
from swapset.io.files import read_json, write_csv

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        paths = [Path(path) for path in snakemake.input.cards]
        cards = {f"{path.parent.name}/{path.stem}": read_json(path) for path in paths}
        write_csv(Path(snakemake.output.table), training_table(cards))
