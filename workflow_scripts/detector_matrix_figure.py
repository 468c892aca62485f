"""Rule detector_matrix_figure: draw the AUCs by training set and test set as heat-maps."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import read_csv
from swapset.report.figures.charts import save_figure
from swapset.report.figures.matrix import matrix_chart

if __name__ == "__main__":
    output = snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        figure = matrix_chart(read_csv(snakemake.input.table))
        save_figure(figure, Path(output.figure))
        save_figure(figure, Path(output.vector))
