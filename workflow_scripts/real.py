"""Rule real: encode a real clip just as the fakes are encoded."""

from pathlib import Path

from swapset.files import read_json
from swapset.jobs import job
from swapset.media.finish import Encoding, write_real

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0]):
        clip = f"{snakemake.wildcards.subject}_{snakemake.wildcards.number}"
        write_real(
            clip,
            read_json(snakemake.input.verdicts)[clip],
            Path(snakemake.input.clips, f"{clip}.mkv"),
            Path(snakemake.output.video),
            Encoding(**snakemake.params.encoding),
        )
