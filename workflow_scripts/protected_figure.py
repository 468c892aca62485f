"""Rule protected_figure: draw swaps by models that were trained on protected clips."""

from pathlib import Path

from swapset.build.job import job
from swapset.report.figures.protected import protected_figure
from swapset.report.figures.sheet import save

if __name__ == "__main__":
    figure = Path(snakemake.output.figure)
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        save(protected_figure(figure.parent.parent, snakemake.params.parts), figure)
