"""Rule detector_matrix: write the AUCs by training set and test set, and what they differ in."""

from pathlib import Path

from swapset.build.job import job
from swapset.detection.matrix_cells import Learnt, ScorePaths, read_cells
from swapset.detection.matrix_tables import matrix_tables
from swapset.detection.protocol import read_splits
from swapset.io.files import write_csv

if __name__ == "__main__":
    inputs, params, output = snakemake.input, snakemake.params, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        sets = [Learnt(**each) for each in params.sets]
        paths = [inputs.splits, *inputs.further_splits]
        cells = read_cells(
            ScorePaths([Path(p) for p in inputs.first], [Path(p) for p in inputs.further]),
            sets,
            {each.name: read_splits(Path(p)) for each, p in zip(sets, paths, strict=True)},
            published=params.published,
            faceless=params.faceless,
        )
        tables = matrix_tables(cells, level=params.level, faceless=params.faceless)
        for name, table in tables.items():
            write_csv(output[name], table)
