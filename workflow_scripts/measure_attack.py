"""Rule measure_attack: measure the effect of an attack's noise on landmarks, pictures and swaps."""

from pathlib import Path

from swapset.build.job import job
from swapset.learning.device import claimed_device
from swapset.obstruction.attacks.registry import DLIB

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.extractors.base import load_extractor
        from swapset.faces.landmarks import LandmarkPredictor
        from swapset.obstruction.evaluation import Evaluator, load_synthesiser, write_measures

        pair = Path(inputs.model), Path(inputs.card), params.donor
        synthesiser = load_synthesiser(*pair, params.recipe, device, params.precision)
        finders = {
            Path(path).stem: load_extractor(Path(path), device=device) for path in inputs.extractors
        }
        finders[DLIB] = LandmarkPredictor(params.predictor or None)
        write_measures(
            Path(snakemake.output.measures),
            Evaluator(
                finders,
                params.reference,
                synthesiser,
                swap_every=params.swap_every,
                seed=params.seed,
            ),
            clean=Path(inputs.frames),
            noisy=Path(inputs.noisy),
            compressions=params.compressions,
            log=log,
        )
