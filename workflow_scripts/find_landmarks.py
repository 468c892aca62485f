"""Rule find_landmarks: find a person's landmarks by an extractor, where dlib found the face."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import atomic_output, read_json
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
        atomic_output(snakemake.output.tracks, directory=True) as folder,
    ):
        from swapset.extractors.base import load_extractor
        from swapset.obstruction.retrain_clips import PersonFiles, write_found_tracks

        write_found_tracks(
            folder,
            PersonFiles(Path(inputs.clips), Path(inputs.landmarks), read_json(inputs.verdicts)),
            Path(inputs.tracks),
            load_extractor(Path(inputs.extractor), device=device),
            log=log,
        )
