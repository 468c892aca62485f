"""Rule track: follow every face through a subject's clips."""

from pathlib import Path

from swapset.build.job import job
from swapset.config.sections import TrackSettings
from swapset.faces.track import Tracker
from swapset.io.files import atomic_output, read_json
from swapset.media.decode import planar_frames

if __name__ == "__main__":
    with job(snakemake.rule, snakemake.log[0], snakemake.input):
        source = Path(snakemake.input.clips)
        tracker = Tracker(TrackSettings(**snakemake.params.settings))
        with atomic_output(snakemake.output.tracks, directory=True) as folder:
            for clip, record in read_json(source / "ingest.json").items():
                if record["ok"]:
                    images, cuts = planar_frames(source / f"{clip}.mkv"), record["cuts"]
                    tracks = tracker.track(images, fps=record["fps"], cuts=cuts)
                    tracks.save(folder / f"{clip}.npz")
