"""Rule report: write one page with the tables, pictures and provenance of the build."""

from pathlib import Path

from swapset.build.job import job
from swapset.report.page.page import ReportFiles, write_page

if __name__ == "__main__":
    inputs = snakemake.input
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        files = ReportFiles(
            root=Path(snakemake.output.page).parent,
            figures=[Path(path) for path in inputs.figures],
            previews=[Path(path) for path in inputs.previews],
            verdicts=[Path(path) for path in inputs.verdicts],
            quoted=[Path(path) for path in inputs.quoted],
            detector_figures=[Path(path) for path in inputs.detector_figures],
            matrix=[Path(path) for path in inputs.matrix],
            outside_scores=[Path(path) for path in inputs.outside_scores],
            robustness=[Path(path) for path in inputs.robustness],
            breaker_figures=[Path(path) for path in inputs.breaker_figures],
            protected=[Path(path) for path in inputs.protected],
        )
        write_page(files, Path(snakemake.output.page))
