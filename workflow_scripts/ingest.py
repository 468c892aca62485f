"""Rule ingest: convert a subject's sources to upright clips of one frame rate."""

from dataclasses import asdict
from functools import partial

from swapset.build.job import job
from swapset.config.sections import IngestSettings
from swapset.faces.detect import make_detector
from swapset.faces.upright import turn_needed
from swapset.io.files import atomic_output, sha256_of, write_json
from swapset.media.ingest import ingest

if __name__ == "__main__":
    params = snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input, params.sources),
        atomic_output(snakemake.output.clips, directory=True) as folder,
    ):
        settings = IngestSettings(**params.settings)
        detector = make_detector("hog")
        records = {}
        for (clip, (start, end)), source in zip(params.clips.items(), params.sources, strict=True):
            path = folder / f"{clip}.mkv"
            convert = partial(
                ingest,
                source,
                path,
                fps=settings.fps,
                start=start,
                end=end,
                max_seconds=settings.max_seconds,
            )
            record = convert()
            turn = turn_needed(path, detector) if record.ok else 0
            records[clip] = asdict(convert(turn=turn) if turn else record)
        write_json(folder / "ingest.json", records)
        made = [clip for clip, record in records.items() if record["ok"]]
        write_json(folder / "sha256.json", {c: sha256_of(folder / f"{c}.mkv") for c in made})
