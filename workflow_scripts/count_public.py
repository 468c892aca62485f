"""Rule count_public: count the videos and frames of a public dataset."""

from swapset.build.job import job
from swapset.dataset.public_counts import count_public
from swapset.io.files import write_csv

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        table = count_public(snakemake.wildcards.dataset, snakemake.params.videos)
        write_csv(snakemake.output.table, table)
