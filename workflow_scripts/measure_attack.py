"""Rule measure_attack: measure the effect of an attack's noise on landmarks, pictures and swaps."""

from pathlib import Path

from swapset.build.job import job
from swapset.learning.device import claimed_device

if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.extractors.base import load_extractor
        from swapset.obstruction.black_boxes import black_box_detectors, black_box_finders
        from swapset.obstruction.evaluation import Evaluator, load_synthesiser, write_measures

        pair = Path(inputs.model), Path(inputs.card), params.donor
        synthesiser = load_synthesiser(*pair, params.recipe, device, params.precision)
        finders = {
            Path(path).stem: load_extractor(Path(path), device=device) for path in inputs.extractors
        }
        finders |= black_box_finders(params.predictor, params.black_boxes)
        write_measures(
            Path(snakemake.output.measures),
            Path(snakemake.output.detection),
            Evaluator(
                finders,
                params.reference,
                synthesiser,
                swap_every=params.swap_every,
                detectors=black_box_detectors(params.black_boxes),
                seed=params.seed,
            ),
            clean=Path(inputs.frames),
            noisy=Path(inputs.noisy),
            compressions=params.compressions,
            log=log,
        )
