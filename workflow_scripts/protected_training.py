"""Rule protected_training: write the table of models that were trained on protected clips."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import write_csv
from swapset.obstruction.retrain_table import landmark_facts, protected_table, read_scores

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        clean = {Path(folder).name: Path(folder) for folder in inputs.known}
        table = protected_table(
            read_scores(params.parts, map(Path, inputs.scores)),
            params.attacks,
            landmark_facts(map(Path, inputs.found), clean),
            seed=params.seed,
            level=params.level,
            resamples=params.bootstrap,
        )
        write_csv(snakemake.output.table, table)
