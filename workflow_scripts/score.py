"""Rule score: score the test videos of a dataset in one compression by one detector."""

from pathlib import Path

from swapset.build.job import job
from swapset.detection.protocol import open_stores, read_splits, write_scores
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input),
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.detection.protocol import score_stores
        from swapset.detection.trainings import load_trainings

        models = load_trainings(inputs.models, device)
        stores = open_stores(map(Path, inputs.faces))
        scores = score_stores(models, stores, read_splits(Path(inputs.splits)))
        write_scores(Path(snakemake.output.scores), scores)
