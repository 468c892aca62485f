"""Rule train: train the model of one pair; for rule train_shared, one model of all subjects."""

from pathlib import Path

from swapset.build.job import job
from swapset.config.recipes import TrainingRecipe
from swapset.dataset.same_people import are_one, read_same_people
from swapset.learning.device import claimed_device
from swapset.seeds import derive_seed

if __name__ == "__main__":
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    files = [Path(path) for path in (output.model, output.losses, output.preview, output.card)]
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input, params.start) as log,
        claimed_device(params.device, threads=params.threads, sharers=params.per_gpu) as device,
    ):
        from swapset.generation.fitting import AlignedFaces, ModelFiles, ModelJob, train_model
        from swapset.generation.training import Run

        people = [Path(folder).name for folder in inputs.faces]
        same = read_same_people(inputs.get("same", []))
        recipe = snakemake.wildcards.recipe
        run = Run(
            seed=derive_seed(params.seed, "train", recipe, files[0].stem),
            device=device,
            precision=params.precision,
            checkpoint=Path(params.checkpoint),
            checkpoint_every=params.checkpoint_every,
            preview_every=params.preview_every,
            patience=params.patience,
            compiled=params.compiled and device.type == "cuda",
            events=Path(params.events),
        )
        train_model(
            ModelJob(
                recipe=TrainingRecipe(**params.recipe),
                context=params.context,
                run=run,
                code=params.code,
                needs_all=params.faces is None,
                one_person=len(people) == 2 and are_one(same, *people),
                start=next(map(Path, params.start), None),
                warm_rate=params.warm_rate,
                keep=params.keep,
            ),
            {
                Path(folder).name: AlignedFaces.load(Path(folder), params.faces)
                for folder in inputs.faces
            },
            ModelFiles(*files),
            log,
        )
