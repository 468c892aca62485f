"""Rule train: train the model of one pair."""

from pathlib import Path

from swapset.device import claimed_device
from swapset.generation.methods import TrainingRecipe
from swapset.jobs import job
from swapset.seeds import derive_seed

if __name__ == "__main__":
    params, output, names = snakemake.params, snakemake.output, snakemake.wildcards
    with (
        job(snakemake.rule, snakemake.log[0]) as log,
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.faces.prepare import load_faces
        from swapset.generation.pair import PairFiles, train_pair
        from swapset.generation.training import Schedule

        train_pair(
            TrainingRecipe(**params.recipe),
            {Path(folder).name: load_faces(Path(folder)) for folder in snakemake.input.faces},
            params.context,
            Schedule(
                seed=derive_seed(params.seed, "train", names.recipe, names.pair),
                device=device,
                precision=params.precision,
                checkpoint=Path(params.checkpoint),
                checkpoint_every=params.checkpoint_every,
            ),
            PairFiles(*map(Path, (output.model, output.losses, output.preview, output.card))),
            preview_every=params.preview_every,
            code=params.code,
            log=log,
        )
