"""Rule synthesise: make one fake, in every compression."""

from pathlib import Path

from swapset.build.job import job
from swapset.config.recipes import SynthesisRecipe
from swapset.dataset.same_people import are_one, read_same_people
from swapset.dataset.videos import Encoding, finish_video
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    names = snakemake.wildcards
    versions = {path.parent.name: path for path in map(Path, output.videos)}
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        same = read_same_people(inputs.get("same", []))
        with claimed_device(params.device, sharers=params.per_gpu) as device:
            from swapset.generation.fake import FakeJob, write_fake

            write_fake(
                FakeJob(
                    method=names.method,
                    target=names.target,
                    donor=names.donor,
                    number=names.number,
                    clips=Path(inputs.clips),
                    landmarks=Path(inputs.landmarks),
                    verdicts=Path(inputs.verdicts),
                    model=Path(inputs.model),
                    card=Path(inputs.card),
                    one_person=are_one(same, names.target, names.donor),
                ),
                SynthesisRecipe(**params.recipe),
                Encoding(**params.encoding),
                video=versions["original"],
                labels=Path(output.labels),
                device=device,
                precision=params.precision,
            )
        # Outside the block, so that the device is free for other jobs during x264.
        finish_video(versions, Path(output.record))
