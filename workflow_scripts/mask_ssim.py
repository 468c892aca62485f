"""Rule mask_ssim: write the tables of Mask-SSIM, and of expression, sharpness and flicker."""

from swapset.build.job import job
from swapset.dataset.tables import (
    check_all_scored,
    differences_table,
    gather_scores,
    mask_ssim_table,
)
from swapset.io.files import read_csv, write_csv
from swapset.quality.expression_tables import (
    MEASURES,
    PER_FAKE,
    expression_differences,
    expression_table,
)

if __name__ == "__main__":
    params, output = snakemake.params, snakemake.output
    files = [*snakemake.input.scores, *snakemake.input.public]
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        parts = [read_csv(path, dtype={"fake": str}) for path in files]
        check_all_scored(dict(zip(snakemake.input.scores, parts, strict=False)), params.fakes)
        scores = gather_scores(parts, params.methods)
        given = {"seed": params.seed, "level": params.level}
        tables = {
            "table": mask_ssim_table(scores, params.methods, resamples=params.bootstrap, **given),
            "differences": differences_table(scores, params.methods, **given),
            "fakes": scores.drop(columns=[*MEASURES]),
            "expression": expression_table(
                scores, params.methods, resamples=params.bootstrap, **given
            ),
            "expression_differences": expression_differences(scores, params.methods, **given),
            "expression_fakes": scores[[*PER_FAKE]],
        }
        for name, table in tables.items():
            write_csv(output[name], table)
