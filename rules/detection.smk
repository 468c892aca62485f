# Detection: cut out the faces of all videos once, fit detectors on some people, test them on others.
from swapset.build.figures import DETECTOR_FIGURES

# Other datasets have rows in it, too: where a job's own rows stay, it does not wait for new ones.
SPLITS = f"{R}/tables/splits.csv"


rule find_faces:
    input:
        videos=lambda w: made_or_stored(detection.sources(w.kind, w.compression, w.block)),
        labels=lambda w: detection.labels(w.kind, w.compression, w.block),
        landmarks=lambda w: expand(
            "{R}/landmarks/{s}", R=R, s=detection.targets(w.kind, w.compression, w.block)
        ),
        decided=lambda w: DECIDED if detection.is_own(w.kind) else [],
    output:
        faces=directory(f"{R}/crops/{{kind}}/{{compression}}/{{block}}"),
    message:
        "Finding faces in {wildcards.kind} {wildcards.compression}, block {wildcards.block}"
    log:
        f"{R}/logs/find_faces/{{kind}}/{{compression}}/{{block}}.log",
    benchmark:
        f"{R}/benchmarks/find_faces/{{kind}}/{{compression}}/{{block}}.tsv"
    params:
        code=build.code("find_faces"),
        names=lambda w: detection.block(w.kind, w.compression, w.block),
        uses=lambda w: contents.identify(detection.public_sources(w.kind, w.compression, w.block)),
        videos=lambda w, input: located(
            detection.sources(w.kind, w.compression, w.block), input.videos
        ),
        frames=build.config.detection.frames,
        margin=detection.margin,
        tracking=contents.identify(build.track.model_dump(mode="json")),
        settings=lambda w, output: build.track.model_dump(mode="json"),
        sources=lambda w, output: outside.keys(
            detection.public_sources(w.kind, w.compression, w.block)
        ),
        note=lambda w, output: f"{R}/sources/find_faces/{w.kind}/{w.compression}/{w.block}.json",
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(120),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/find_faces.py"


rule splits:
    input:
        same=build.same_people(),
    output:
        table=f"{R}/tables/splits.csv",
    message:
        "Splitting people into training, validation and test"
    log:
        f"{R}/logs/splits.log",
    benchmark:
        f"{R}/benchmarks/splits.tsv"
    params:
        code=build.code("splits"),
        made_from=lambda w: detection.split_params(),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/splits.py"


rule fit_detector:
    input:
        splits=lambda w: splits_of(w.trained, detection.set_of(w.trained).knows_learnt(w.fold)),
        faces=lambda w: detection.training_blocks(w.trained),
        decided=DECIDED,
    output:
        model=f"{R}/detectors/{{trained}}/{{fold}}.safetensors",
        card=f"{R}/detectors/{{trained}}/{{fold}}.json",
    message:
        "Fitting {wildcards.trained} for fold {wildcards.fold}"
    log:
        f"{R}/logs/fit_detector/{{trained}}/{{fold}}.log",
    benchmark:
        f"{R}/benchmarks/fit_detector/{{trained}}/{{fold}}.tsv"
    params:
        code=lambda w: build.code("fit_detector", detection.module(w.trained)),
        videos=lambda w: detection.learns(w.trained, w.fold),
        uses=lambda w: contents.identify(detection.fit_params(w.trained)),
        settings=lambda w, output: detection.fit_params(w.trained),
        seed=build.config.seed,
        device=build.config.device,
        precision=build.config.training.precision,
        threads=build.config.training.threads,
        demo=build.is_demo,
        # Snakemake does not compare functions of `output`: this setting does not change the model.
        checkpoint_every=lambda w, output: build.config.training.checkpoint_every,
        # Not among the outputs, because it has to survive a killed job.
        checkpoint=lambda w, output: f"{R}/checkpoints/detectors/{w.trained}/{w.fold}.safetensors",
    threads: build.config.training.threads
    resources:
        mem_mb=per_attempt(6000),
        runtime=per_attempt(1440),
        gpu=build.gpus_per_job(),
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/fit_detector.py"


rule score:
    input:
        splits=lambda w: as_it_is(SPLITS) if detection.knows_tested(w.dataset) else SPLITS,
        faces=lambda w: detection.blocks(w.dataset, w.compression),
        models=lambda w: detection.models(w.detector),
        decided=DECIDED,
    output:
        scores=f"{R}/scores/{{detector}}/{{dataset}}/{{compression}}.parquet",
    message:
        "Scoring {wildcards.dataset} {wildcards.compression} by {wildcards.detector}"
    log:
        f"{R}/logs/score/{{detector}}/{{dataset}}/{{compression}}.log",
    benchmark:
        f"{R}/benchmarks/score/{{detector}}/{{dataset}}/{{compression}}.tsv"
    params:
        code=lambda w: build.code("score", detection.module(w.detector)),
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
        "../workflow_scripts/score.py"


rule detector_auc:
    input:
        splits=f"{R}/tables/splits.csv",
        scores=lambda w: detection.scores(),
        cards=lambda w: detection.cards(),
        faces=lambda w: detection.all_blocks(),
        decided=DECIDED,
    output:
        left_out=f"{R}/tables/left_out.csv",
        table=f"{R}/tables/detector_auc.csv",
        rates=f"{R}/tables/detector_rates.csv",
        curves=f"{R}/tables/roc.csv",
        points=f"{R}/tables/detector_points.csv",
        people=f"{R}/tables/detector_people.csv",
        differences=f"{R}/tables/detector_differences.csv",
    message:
        "Writing the AUC tables of all detectors"
    log:
        f"{R}/logs/detector_auc.log",
    benchmark:
        f"{R}/benchmarks/detector_auc.tsv"
    params:
        code=build.code("detector_auc"),
        seed=build.config.seed,
        level=build.config.detection.level,
        bootstrap=build.config.detection.bootstrap,
        faceless=build.config.detection.faceless,
        left_out=lambda w: detection.public.left_out(),
    resources:
        mem_mb=per_attempt(3000),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/detector_auc.py"


rule detector_figures:
    input:
        table=f"{R}/tables/detector_auc.csv",
        curves=f"{R}/tables/roc.csv",
        people=f"{R}/tables/detector_people.csv",
        quoted=expand(
            "{R}/tables/quoted/{name}.csv",
            R=R,
            name=["table_4_3_detector_auc", "table_4_4_compression_auc"],
        ),
        decided=DECIDED,
    output:
        figures=expand("{R}/figures/{name}.png", R=R, name=DETECTOR_FIGURES),
    message:
        "Drawing the figures of all detectors"
    log:
        f"{R}/logs/detector_figures.log",
    benchmark:
        f"{R}/benchmarks/detector_figures.tsv"
    params:
        code=build.code("detector_figures"),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/detector_figures.py"
