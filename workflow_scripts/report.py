"""Rule report: one page with the build's tables, pictures and origin."""

from pathlib import Path

from swapset.build.job import job
from swapset.report.page.page import ReportFiles, write_page

if __name__ == "__main__":
    given = snakemake.input
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        files = ReportFiles(
            root=Path(snakemake.output.page).parent,
            figures=[Path(path) for path in given.figures],
            previews=[Path(path) for path in given.previews],
            verdicts=[Path(path) for path in given.verdicts],
            quoted=[Path(path) for path in given.quoted],
            detector_figures=[Path(path) for path in given.detector_figures],
            breaker_figures=[Path(path) for path in given.breaker_figures],
            protected=[Path(path) for path in given.protected],
        )
        write_page(files, Path(snakemake.output.page))
