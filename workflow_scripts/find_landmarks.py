"""Rule find_landmarks: find a person's landmarks by an extractor, where dlib found the face."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import atomic_output, read_json
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    given, params = snakemake.input, snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
        atomic_output(snakemake.output.tracks, directory=True) as folder,
    ):
        from swapset.extractors.base import load_extractor
        from swapset.obstruction.retrain_clips import PersonFiles, write_found_tracks

        write_found_tracks(
            folder,
            PersonFiles(Path(given.clips), Path(given.landmarks), read_json(given.verdicts)),
            Path(given.tracks),
            load_extractor(Path(given.extractor), device=device),
            log=log,
        )
