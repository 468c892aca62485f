"""Rule fetch: download one source clip."""

from pathlib import Path

from swapset.build.job import job
from swapset.media.fetch import fetch

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        fetch(snakemake.params.url, Path(snakemake.output[0]))
