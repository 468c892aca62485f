"""Rule figures: contact sheets, comparisons of methods, and charts."""

from pathlib import Path

from swapset.generation.recipes import Recipe
from swapset.jobs import job
from swapset.report.figures import Figures
from swapset.report.finished import FinishedBuild

if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake.rule, snakemake.log[0]):
        figures = Figures(
            FinishedBuild(Path(params.root)),
            list(params.recipes),
            {method: Recipe(**fields) for method, fields in params.recipes.items()},
            params.owners,
            params.precision,
        )
        figures.write(map(Path, snakemake.output.figures))
