"""Rule recompress: H.264 versions of a video, and the record of all its versions."""

from pathlib import Path

from swapset.files import write_json
from swapset.jobs import job
from swapset.media.finish import finish_video

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0]):
        added = (name for name in snakemake.params.compressions if name != "original")
        outputs = dict(zip(added, map(Path, snakemake.output.videos), strict=True))
        write_json(snakemake.output.record, finish_video(Path(snakemake.input.video), outputs))
