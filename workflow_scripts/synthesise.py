"""Rule synthesise: make one fake, in every compression."""

from pathlib import Path

from swapset.build.job import job
from swapset.config.recipes import SynthesisRecipe
from swapset.dataset.videos import Encoding, finish_video
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    params, given, output = snakemake.params, snakemake.input, snakemake.output
    names = snakemake.wildcards
    versions = {path.parent.name: path for path in map(Path, output.videos)}
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        with claimed_device(params.device, sharers=params.per_gpu) as device:
            from swapset.generation.fake import FakeJob, write_fake

            write_fake(
                FakeJob(
                    method=names.method,
                    target=names.target,
                    donor=names.donor,
                    number=names.number,
                    clips=Path(given.clips),
                    landmarks=Path(given.landmarks),
                    verdicts=Path(given.verdicts),
                    model=Path(given.model),
                    card=Path(given.card),
                ),
                SynthesisRecipe(**params.recipe),
                Encoding(**params.encoding),
                video=versions["original"],
                labels=Path(output.labels),
                device=device,
                precision=params.precision,
            )
        # The device is free again: x264 needs none.
        finish_video(versions, Path(output.record))
