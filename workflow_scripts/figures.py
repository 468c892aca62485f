"""Rule figures: draw contact sheets, comparisons of methods, and charts."""

from pathlib import Path

from swapset.build.job import job
from swapset.config.recipes import Recipe
from swapset.report.figures.all import Figures
from swapset.report.figures.finished import FinishedBuild
from swapset.report.figures.mask_rows import Models

if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        figures = Figures(
            FinishedBuild(Path(snakemake.input.fakes).parent.parent),
            list(params.recipes),
            {method: Recipe(**fields) for method, fields in params.recipes.items()},
            Models(params.owners, params.shared, params.precision),
        )
        figures.write(map(Path, snakemake.output.figures))
