"""Rule heads: mark the head's region (face and hair) in a subject's clips."""

from pathlib import Path

from swapset.faces.head import head_masks
from swapset.faces.prepare import ClipLandmarks
from swapset.files import atomic_output
from swapset.jobs import job
from swapset.media.decode import frames

if __name__ == "__main__":
    with (
        job(snakemake.rule, snakemake.log[0]),
        atomic_output(snakemake.output.heads, directory=True) as folder,
    ):
        for path in sorted(Path(snakemake.input.landmarks).glob("*.npz")):
            clip = Path(snakemake.input.clips, f"{path.stem}.mkv")
            points = ClipLandmarks.load(path)
            masks = head_masks(frames(clip), points.smooth, restarts=points.cuts.tolist())
            masks.save(folder / path.name)
