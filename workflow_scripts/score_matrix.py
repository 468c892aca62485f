"""Rule score_matrix: score the test videos of a kind, in all compressions, by one detector."""

from pathlib import Path

from swapset.build.job import job
from swapset.detection.protocol import read_splits
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input),
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.detection.matrix_cells import write_kind_scores
        from swapset.detection.trainings import load_trainings

        models = load_trainings(inputs.models, device)
        write_kind_scores(
            Path(snakemake.output.scores),
            models,
            [Path(path) for path in inputs.faces],
            read_splits(Path(inputs.splits)),
        )
