"""Rule detector_figures: average AUCs, ROC curves and AUC over compressions."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import read_csv
from swapset.report.figures.charts import save_figure
from swapset.report.figures.detector_charts import draw_all

if __name__ == "__main__":
    given = snakemake.input
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        figures = draw_all(
            read_csv(given.table), read_csv(given.curves), *map(read_csv, given.quoted)
        )
        for path in map(Path, snakemake.output.figures):
            save_figure(figures[path.stem], path)
