"""Rule find_faces_perturbed: find and cut out the faces of a block of perturbed videos."""

from functools import partial
from pathlib import Path

from swapset.build.job import job
from swapset.config.sections import TrackSettings
from swapset.detection.blocks import OwnVideo, own_faces, public_faces
from swapset.detection.perturbed import perturbed_faces
from swapset.detection.store import write_store
from swapset.faces.track import Tracker
from swapset.io.files import atomic_output
from swapset.media.perturbations.names import parse

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        tracker = Tracker(TrackSettings(**params.settings))
        find = partial(
            perturbed_faces,
            perturbation=parse(params.perturbation),
            seed=params.seed,
            margin=params.margin,
        )
        videos = dict(zip(params.names, map(Path, params.videos), strict=True))
        if inputs.landmarks:
            folders = {Path(path).name: Path(path) for path in inputs.landmarks}
            labels = {Path(path).stem: Path(path) for path in inputs.labels}
            local_videos = [
                OwnVideo.of(name, path, folders, labels.get(name)) for name, path in videos.items()
            ]
            faces = own_faces(local_videos, tracker, params.frames, find)
        else:
            faces = public_faces(videos, tracker, params.frames, find)
        with atomic_output(snakemake.output.faces, directory=True) as folder:
            write_store(folder, faces)
