"""Rule quoted: write the chapter's own numbers, apart from the build's tables."""

from pathlib import Path

from swapset.build.job import job
from swapset.report.quoted import write_quoted

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        write_quoted(map(Path, snakemake.output.tables))
