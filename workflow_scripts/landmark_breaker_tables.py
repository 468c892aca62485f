"""Rule landmark_breaker_tables: write the tables of all attacks and of other steps."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import write_csv
from swapset.obstruction.tables import (
    Sweep,
    detection_table,
    differences,
    means,
    read_measures,
    sweep_table,
    white_box,
)

if __name__ == "__main__":
    inputs, params, output = snakemake.input, snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        measures = read_measures(map(Path, inputs.measures))
        write_csv(output.table, means(measures))
        chance = {"seed": params.seed, "level": params.level}
        write_csv(output.differences, differences(measures, **chance))
        write_csv(output.white_box, white_box(measures, **chance))
        write_csv(output.detection, detection_table(map(Path, inputs.detection)))
        write_csv(output.sweep, sweep_table(map(Path, inputs.sweeps), Sweep(**params.sweep)))
