"""Rule robustness_figure: draw each detector's AUC over the levels of each perturbation."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import read_csv
from swapset.report.figures.charts import save_figure
from swapset.report.figures.robustness import robustness_chart

if __name__ == "__main__":
    output = snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        figure = robustness_chart(read_csv(snakemake.input.table))
        save_figure(figure, Path(output.figure))
        save_figure(figure, Path(output.vector))
