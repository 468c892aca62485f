# The matrix: detectors that learnt from further training sets (the first is that of detection.smk).


use rule splits as matrix_splits with:
    output:
        table=f"{matrix.root}/splits/{{training_set}}.csv",
    message:
        "Splitting people where detectors learn from {wildcards.training_set}"
    log:
        f"{R}/logs/matrix_splits/{{training_set}}.log",
    benchmark:
        f"{R}/benchmarks/matrix_splits/{{training_set}}.tsv"
    params:
        made_from=lambda w: detection.split_params(w.training_set),


rule score_matrix:
    input:
        splits=lambda w: splits_of(w.trained, matrix.knows_tested(w.trained, w.kind)),
        faces=lambda w: matrix.blocks(w.kind),
        models=lambda w: detection.models(w.trained),
        decided=DECIDED,
    output:
        scores=directory(f"{matrix.root}/scores/{{trained}}/{{kind}}"),
    message:
        "Scoring {wildcards.kind} by {wildcards.trained}"
    log:
        f"{R}/logs/score_matrix/{{trained}}/{{kind}}.log",
    benchmark:
        f"{R}/benchmarks/score_matrix/{{trained}}/{{kind}}.tsv"
    params:
        code=lambda w: build.code("score_matrix", detection.module(w.trained)),
        videos=lambda w: matrix.tests(w.trained, w.kind),
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
        "../workflow_scripts/score_matrix.py"


rule detector_matrix:
    input:
        first=lambda w: matrix.first_scores(),
        further=lambda w: matrix.scores(),
        splits=SPLITS,
        further_splits=lambda w: matrix.splits(),
        decided=DECIDED,
    output:
        table=f"{R}/tables/detector_matrix.csv",
        drop=f"{R}/tables/detector_matrix_drop.csv",
        differences=f"{R}/tables/detector_matrix_differences.csv",
    message:
        "Writing the matrix of training sets and test sets"
    log:
        f"{R}/logs/detector_matrix.log",
    benchmark:
        f"{R}/benchmarks/detector_matrix.tsv"
    params:
        code=build.code("detector_matrix"),
        sets=matrix.described(),
        published=matrix.published(),
        level=build.config.detection.level,
        faceless=build.config.detection.faceless,
    resources:
        mem_mb=per_attempt(3000),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/detector_matrix.py"


rule detector_matrix_figure:
    input:
        table=rules.detector_matrix.output.table,
        decided=DECIDED,
    output:
        figure=f"{R}/figures/detector_matrix.png",
        vector=f"{R}/figures/detector_matrix.pdf",
    message:
        "Drawing the matrix of training sets and test sets"
    log:
        f"{R}/logs/detector_matrix_figure.log",
    benchmark:
        f"{R}/benchmarks/detector_matrix_figure.tsv"
    params:
        code=build.code("detector_matrix_figure"),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/detector_matrix_figure.py"
