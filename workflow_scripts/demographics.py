"""Rule demographics: write the shares of genders, ages and ethnic groups in the dataset."""

from pathlib import Path

from swapset.build.job import job
from swapset.dataset.manifest import Person
from swapset.dataset.provenance import any_accepted
from swapset.dataset.tables import demographics_table
from swapset.io.files import read_json, write_csv

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        verdicts = {Path(path).stem: read_json(path) for path in snakemake.input.verdicts}
        people = [Person(**person) for person in snakemake.params.people]
        shown = [name for name, clips in verdicts.items() if any_accepted(clips)]
        write_csv(snakemake.output.table, demographics_table(people, shown))
