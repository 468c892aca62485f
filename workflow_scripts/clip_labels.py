"""Rule clip_labels: faces of a person with dlib's landmarks, to train extractors on."""

from pathlib import Path

from swapset.build.job import job
from swapset.extractors.labels.clips import write_clip_labels
from swapset.io.files import atomic_output, read_json

if __name__ == "__main__":
    given = snakemake.input
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input),
        atomic_output(snakemake.output.labels, directory=True) as folder,
    ):
        write_clip_labels(
            folder,
            read_json(given.verdicts),
            subject=snakemake.wildcards.subject,
            clips=Path(given.clips),
            landmarks=Path(given.landmarks),
            frames=snakemake.params.frames,
        )
