"""Rule detector_figures: draw average AUCs, ROC curves, AUC by compression, and AUC by person."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import read_csv
from swapset.report.figures.charts import save_figure
from swapset.report.figures.detector_charts import draw_all

if __name__ == "__main__":
    inputs = snakemake.input
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        figures = draw_all(
            read_csv(inputs.table),
            read_csv(inputs.curves),
            read_csv(inputs.people, dtype={"person": str}),
            *map(read_csv, inputs.quoted),
        )
        for path in map(Path, snakemake.output.figures):
            save_figure(figures[path.stem], path)
