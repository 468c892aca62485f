"""Rule demo_clips: make the clips of the embedded demo."""

from pathlib import Path

from swapset.build.job import job
from swapset.demo.clips import make_all

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        paths = {Path(path).stem: Path(path) for path in snakemake.output.clips}
        make_all(paths, processes=snakemake.threads)
