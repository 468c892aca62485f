"""Rule key_frames: choose and store evenly spaced runs of a person's frames."""

from pathlib import Path

from swapset.build.job import job
from swapset.io.files import atomic_output, read_json
from swapset.obstruction.keyframes import choose_runs, subject_landmarks, write_key_frames

if __name__ == "__main__":
    inputs = snakemake.input
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input),
        atomic_output(snakemake.output.frames, directory=True) as folder,
    ):
        landmarks = subject_landmarks(read_json(inputs.verdicts), Path(inputs.landmarks))
        runs = choose_runs(landmarks, snakemake.params.runs)
        write_key_frames(folder, Path(inputs.clips), runs)
