"""Rule mask_ssim: write the Mask-SSIM tables of all methods."""

from swapset.build.job import job
from swapset.dataset.tables import (
    check_all_scored,
    differences_table,
    gather_scores,
    mask_ssim_table,
)
from swapset.io.files import read_csv, write_csv

if __name__ == "__main__":
    params, output = snakemake.params, snakemake.output
    files = [*snakemake.input.scores, *snakemake.input.public]
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        parts = [read_csv(path, dtype={"fake": str}) for path in files]
        check_all_scored(dict(zip(snakemake.input.scores, parts, strict=False)), params.fakes)
        scores = gather_scores(parts, params.methods)
        table = mask_ssim_table(
            scores, params.methods, seed=params.seed, level=params.level, resamples=params.bootstrap
        )
        write_csv(output.table, table)
        differences = differences_table(
            scores, params.methods, seed=params.seed, level=params.level
        )
        write_csv(output.differences, differences)
        write_csv(output.fakes, scores)
