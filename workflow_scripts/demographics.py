"""Rule demographics: write the shares of genders, ages and ethnic groups in the dataset."""

from swapset.build.job import job
from swapset.dataset.manifest import Person
from swapset.dataset.tables import demographics_table
from swapset.io.files import read_csv, write_csv

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        clips = read_csv(snakemake.input.clips[0], dtype=str, keep_default_na=False)
        people = [Person(**person) for person in snakemake.params.people]
        shown = clips["subject"][clips["accepted"] == "True"].unique()
        write_csv(snakemake.output.table, demographics_table(people, shown))
