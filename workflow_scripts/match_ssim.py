"""Rule match_ssim: scale lb-robust's noise to the visibility of Landmark Breaker's."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import atomic_output
from swapset.obstruction.equal_ssim import write_matched

if __name__ == "__main__":
    inputs = snakemake.input
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        atomic_output(snakemake.output.frames, directory=True) as folder,
    ):
        others = [Path(other) for other in inputs.others]
        write_matched(Path(inputs.noisy), others, Path(inputs.frames), folder, log=log)
