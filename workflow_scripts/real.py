"""Rule real: encode a real clip exactly as fakes are encoded, in every compression."""

from pathlib import Path

from swapset.build.job import job
from swapset.dataset.videos import Encoding, finish_video, write_real
from swapset.io.files import read_json

if __name__ == "__main__":
    inputs, output = snakemake.input, snakemake.output
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        clip = f"{snakemake.wildcards.subject}_{snakemake.wildcards.number}"
        versions = {path.parent.name: path for path in map(Path, output.videos)}
        write_real(
            clip,
            read_json(inputs.verdicts)[clip],
            Path(inputs.clips, f"{clip}.mkv"),
            versions["original"],
            Encoding(**snakemake.params.encoding),
        )
        finish_video(versions, Path(output.record))
