"""Rule robustness_ssim: write the table of Mask-SSIM after perturbations."""

import pandas as pd

from swapset.build.job import job
from swapset.io.files import read_csv, write_csv
from swapset.quality.perturbed_ssim import perturbed_ssim_table

if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        table = perturbed_ssim_table(
            pd.concat([read_csv(path) for path in snakemake.input.scores]),
            params.perturbations,
            seed=params.seed,
            level=params.level,
            resamples=params.bootstrap,
        )
        write_csv(snakemake.output.table, table)
