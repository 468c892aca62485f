# Robustness: faces of perturbed videos, their scores by the detectors of detection.smk, and tables.
PERTURBED = robustness.root


# Only the faces are stored: whole perturbed videos exist in memory, or as temporary files. Hashes of
# public videos are recorded where the faces of the videos as they are are found.
rule find_faces_perturbed:
    input:
        videos=lambda w: made_or_stored(detection.sources(w.kind, w.compression, w.block)),
        labels=lambda w: detection.labels(w.kind, w.compression, w.block),
        landmarks=lambda w: expand(
            "{R}/landmarks/{s}", R=R, s=detection.targets(w.kind, w.compression, w.block)
        ),
        decided=lambda w: DECIDED if detection.is_own(w.kind) else [],
    output:
        faces=directory(f"{PERTURBED}/crops/{{perturbation}}/{{kind}}/{{compression}}/{{block}}"),
    message:
        "Finding faces in {wildcards.kind} after {wildcards.perturbation}, block {wildcards.block}"
    log:
        f"{R}/logs/find_faces_perturbed/{{perturbation}}/{{kind}}/{{compression}}/{{block}}.log",
    benchmark:
        f"{R}/benchmarks/find_faces_perturbed/{{perturbation}}/{{kind}}/{{compression}}/{{block}}.tsv"
    params:
        code=build.code("find_faces_perturbed"),
        names=lambda w: detection.block(w.kind, w.compression, w.block),
        uses=lambda w: contents.identify(detection.public_sources(w.kind, w.compression, w.block)),
        videos=lambda w, input: located(
            detection.sources(w.kind, w.compression, w.block), input.videos
        ),
        frames=build.config.detection.frames,
        margin=detection.margin,
        tracking=contents.identify(build.track.model_dump(mode="json")),
        settings=lambda w, output: build.track.model_dump(mode="json"),
        perturbation=lambda w: robustness.perturbations[w.perturbation].name,
        seed=build.config.seed,
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(240),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/find_faces_perturbed.py"


rule score_perturbed:
    input:
        splits=lambda w: as_it_is(SPLITS) if detection.knows_tested(w.dataset) else SPLITS,
        faces=lambda w: robustness.family_blocks(w.family, w.dataset),
        models=lambda w: detection.models(w.detector),
        decided=DECIDED,
    output:
        scores=directory(f"{PERTURBED}/scores/{{detector}}/{{dataset}}/{{family}}"),
    message:
        "Scoring {wildcards.dataset} after {wildcards.family} by {wildcards.detector}"
    log:
        f"{R}/logs/score_perturbed/{{detector}}/{{dataset}}/{{family}}.log",
    benchmark:
        f"{R}/benchmarks/score_perturbed/{{detector}}/{{dataset}}/{{family}}.tsv"
    params:
        code=lambda w: build.code("score_perturbed", detection.module(w.detector)),
        videos=lambda w: detection.tests(w.dataset),
        device=build.config.device,
        threads=build.config.training.threads,
    threads: build.config.training.threads
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(720),
        gpu=build.gpus_per_job(),
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/score_perturbed.py"


rule robustness:
    input:
        splits=SPLITS,
        plain=lambda w: robustness.plain_scores(),
        scores=lambda w: robustness.scores(),
        decided=DECIDED,
    output:
        table=f"{R}/tables/robustness.csv",
        areas=f"{R}/tables/robustness_area.csv",
    message:
        "Writing the tables of robustness against perturbations"
    log:
        f"{R}/logs/robustness.log",
    benchmark:
        f"{R}/benchmarks/robustness.tsv"
    params:
        code=build.code("robustness"),
        perturbations=robustness.listed(),
        level=build.config.detection.level,
        faceless=build.config.detection.faceless,
    resources:
        mem_mb=per_attempt(3000),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/robustness.py"


rule robustness_figure:
    input:
        table=rules.robustness.output.table,
        decided=DECIDED,
    output:
        figure=f"{R}/figures/robustness.png",
        vector=f"{R}/figures/robustness.pdf",
    message:
        "Drawing the curves of robustness"
    log:
        f"{R}/logs/robustness_figure.log",
    benchmark:
        f"{R}/benchmarks/robustness_figure.tsv"
    params:
        code=build.code("robustness_figure"),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/robustness_figure.py"


rule measure_perturbed:
    input:
        clips=lambda w: judged("clips", w.target),
        heads=f"{R}/heads/{{target}}",
        videos=lambda w: build.fakes_of(w.target, "dataset/{method}/original/{fake}.mp4"),
    output:
        scores=f"{PERTURBED}/quality/{{target}}/{{family}}.csv",
    message:
        "Measuring the fakes of {wildcards.target} after {wildcards.family}"
    log:
        f"{R}/logs/measure_perturbed/{{target}}/{{family}}.log",
    benchmark:
        f"{R}/benchmarks/measure_perturbed/{{target}}/{{family}}.tsv"
    params:
        code=build.code("measure_perturbed"),
        uses=lambda w: decisions.accepted(w.target),
        perturbations=lambda w: robustness.of_family(w.family),
        frames=build.config.detection.frames,
        seed=build.config.seed,
    resources:
        mem_mb=per_attempt(1500),
        runtime=per_attempt(120),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/measure_perturbed.py"


rule robustness_ssim:
    input:
        scores=lambda w: robustness.quality(),
        decided=DECIDED,
    output:
        table=f"{R}/tables/robustness_ssim.csv",
    message:
        "Writing the table of Mask-SSIM after perturbations"
    log:
        f"{R}/logs/robustness_ssim.log",
    benchmark:
        f"{R}/benchmarks/robustness_ssim.tsv"
    params:
        code=build.code("robustness_ssim"),
        perturbations=robustness.listed(),
        seed=build.config.seed,
        level=build.config.quality.level,
        bootstrap=build.config.quality.bootstrap,
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/robustness_ssim.py"
