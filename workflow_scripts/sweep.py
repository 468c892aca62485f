"""Rule sweep: attack a person's frames by Landmark Breaker with other steps."""

from pathlib import Path

from swapset.build.job import job
from swapset.learning.device import claimed_device
from swapset.obstruction.attacks.registry import BREAKER

if __name__ == "__main__":
    inputs, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    with (
        job(snakemake.rule, snakemake.log[0], snakemake.input) as log,
        claimed_device(params.device, threads=params.threads) as device,
    ):
        from swapset.extractors.base import load_extractor
        from swapset.obstruction.attack_frames import AttackJob
        from swapset.obstruction.evaluation import Evaluator, load_synthesiser
        from swapset.obstruction.sweep import write_sweep
        from swapset.obstruction.tables import Sweep

        pair = Path(inputs.model), Path(inputs.card), params.donor
        synthesiser = load_synthesiser(*pair, params.recipe, device, params.precision)
        extractors = {
            Path(path).stem: load_extractor(Path(path), device=device) for path in inputs.extractors
        }
        settings = {**params.settings, "precision": params.precision}
        write_sweep(
            Path(snakemake.output.measures),
            Sweep(**params.sweep),
            AttackJob(BREAKER, names.subject, params.seed, settings),
            extractors[names.extractor],
            Evaluator(extractors, params.reference, synthesiser, targets=[names.extractor]),
            Path(inputs.frames),
            log=log,
        )
