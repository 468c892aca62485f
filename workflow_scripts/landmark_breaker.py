"""Rule landmark_breaker: tables of what every attack does."""

from pathlib import Path

from swapset.files import write_csv
from swapset.jobs import job
from swapset.obstruction.tables import differences, means, read_measures

if __name__ == "__main__":
    params, output = snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0]):
        measures = read_measures(Path(path) for path in snakemake.input.measures)
        write_csv(output.table, means(measures))
        write_csv(output.differences, differences(measures, seed=params.seed, level=params.level))
