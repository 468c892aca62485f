# Models trained on protected clips, as by somebody who gathers a protected person's clips, finds
# landmarks in them, aligns faces by these and trains a pair's model. Attack `none` differs in the
# noise alone. The rules are those of the main stages with files in a separate folder.

P = f"{R}/obstruction/protected/{{attack}}/{{source}}"
PLACE = "protected/{attack}/{source}"


rule protect_clips:
    input:
        clips=lambda w: judged("clips", w.subject),
        landmarks=f"{R}/landmarks/{{subject}}",
        verdicts=lambda w: judged("accepted", w.subject),
        extractors=lambda w: protected.extractor_files(w.attack, w.source),
    output:
        clips=directory(f"{P}/clips/{{subject}}"),
    message:
        "Protecting the clips of {wildcards.subject} against {wildcards.source} by {wildcards.attack}"
    log:
        f"{R}/logs/protect_clips/{{attack}}/{{source}}/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/protect_clips/{{attack}}/{{source}}/{{subject}}.tsv"
    params:
        code=lambda w: build.code("protect_clips", *protected.modules(w.attack, w.source)),
        uses=lambda w: decisions.accepted(w.subject),
        settings=lambda w: breaker.attack_params(w.attack),
        compression=build.config.landmark_breaker.protected_compression,
        seed=build.config.seed,
        device=build.config.device,
        precision=build.config.training.precision,
        threads=build.config.training.threads,
    threads: build.config.training.threads
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(480),
        gpu=build.gpus_per_job(),
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/protect_clips.py"


rule find_landmarks:
    input:
        clips=rules.protect_clips.output.clips,
        landmarks=f"{R}/landmarks/{{subject}}",
        tracks=lambda w: judged("tracks", w.subject),
        verdicts=lambda w: judged("accepted", w.subject),
        extractor=lambda w: breaker.extractor(w.source),
    output:
        tracks=directory(f"{P}/tracks/{{subject}}"),
    message:
        "Finding landmarks of {wildcards.subject} after {wildcards.attack} by {wildcards.source}"
    log:
        f"{R}/logs/find_landmarks/{{attack}}/{{source}}/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/find_landmarks/{{attack}}/{{source}}/{{subject}}.tsv"
    params:
        code=lambda w: build.code("find_landmarks", *breaker.modules(w.source)),
        uses=lambda w: decisions.accepted(w.subject),
        device=build.config.device,
        threads=build.config.training.threads,
    threads: build.config.training.threads
    resources:
        mem_mb=per_attempt(3000),
        runtime=per_attempt(120),
        gpu=build.gpus_per_job(),
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/find_landmarks.py"


use rule align as protected_align with:
    input:
        clips=rules.protect_clips.output.clips,
        tracks=rules.find_landmarks.output.tracks,
        verdicts=lambda w: judged("accepted", w.subject),
    output:
        landmarks=directory(f"{P}/landmarks/{{subject}}"),
        faces=directory(f"{P}/faces/{{subject}}"),
    message:
        "Aligning faces of {wildcards.subject} after {wildcards.attack} by {wildcards.source}"
    log:
        f"{R}/logs/align/{PLACE}/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/align/{PLACE}/{{subject}}.tsv"


# A cold start, because a base model has seen the clean clips. The seed is the same for every attack,
# so that all trainings use the same random numbers.
use rule train as protected_train with:
    input:
        faces=lambda w: protected.faces(w.attack, w.source, w.pair),
        decided=DECIDED,
        same=same_people(),
    output:
        model=f"{P}/models/{{recipe}}/{{pair}}.safetensors",
        losses=f"{P}/models/{{recipe}}/{{pair}}.csv",
        preview=f"{P}/models/{{recipe}}/{{pair}}.png",
        card=f"{P}/models/{{recipe}}/{{pair}}.json",
    message:
        "Training {wildcards.pair} for {wildcards.recipe} after {wildcards.attack}"
    log:
        f"{R}/logs/train/{PLACE}/{{recipe}}/{{pair}}.log",
    benchmark:
        f"{R}/benchmarks/train/{PLACE}/{{recipe}}/{{pair}}.tsv"
    params:
        recipe=lambda w: generation.cold_recipe(w.recipe),
        base=[],
        start=[],
        warm_rate=1.0,
        checkpoint=lambda w, output: (
            f"{R}/checkpoints/protected/{w.attack}/{w.source}/{w.recipe}/{w.pair}.safetensors"
        ),
        events=lambda w, output: (f"{R}/events/protected/{w.attack}/{w.source}/{w.recipe}/{w.pair}"),


use rule synthesise as protected_synthesise with:
    input:
        unpack(lambda w: protected.model(w.attack, w.source, w.target, w.donor)),
        clips=lambda w: protected.folder_of(w.attack, w.source, "clips", w.target, w.donor),
        landmarks=lambda w: protected.folder_of(w.attack, w.source, "landmarks", w.target, w.donor),
        verdicts=lambda w: judged("accepted", f"{w.target}_{w.number}"),
        same=same_people(),
    output:
        videos=[f"{P}/dataset/{{method}}/original/{{target}}_{{donor}}_{{number}}.mp4"],
        record=f"{P}/records/{{method}}/{{target}}_{{donor}}_{{number}}.json",
        labels=f"{P}/labels/{{method}}/{{target}}_{{donor}}_{{number}}.parquet",
    message:
        "Synthesising {wildcards.target}_{wildcards.donor}_{wildcards.number} after {wildcards.attack}"
    log:
        f"{R}/logs/synthesise/{PLACE}/{{method}}/{{target}}_{{donor}}_{{number}}.log",
    benchmark:
        f"{R}/benchmarks/synthesise/{PLACE}/{{method}}/{{target}}_{{donor}}_{{number}}.tsv"


# The head and the identity are measured at the landmarks of the clean clip.
use rule measure as protected_measure with:
    input:
        clips=lambda w: protected.folder_of(w.attack, w.source, "clips", w.target, w.donor),
        landmarks=f"{R}/landmarks/{{target}}",
        tracks=lambda w: [judged("tracks", person) for person in (w.target, w.donor)],
        verdicts=lambda w: [judged("accepted", person) for person in (w.target, w.donor)],
        videos=lambda w: protected.fake_files(w.attack, w.source, w.target, w.donor, "mp4"),
        labels=lambda w: protected.fake_files(w.attack, w.source, w.target, w.donor, "parquet"),
    output:
        scores=f"{P}/quality/{{target}}_{{donor}}.csv",
        heads=directory(f"{P}/heads/{{target}}_{{donor}}"),
    message:
        "Measuring the fakes of {wildcards.target} with {wildcards.donor} after {wildcards.attack}"
    log:
        f"{R}/logs/measure/{PLACE}/{{target}}_{{donor}}.log",
    benchmark:
        f"{R}/benchmarks/measure/{PLACE}/{{target}}_{{donor}}.tsv"
    params:
        people=lambda w: [w.target, w.donor],
        uses=lambda w: decisions.accepted(w.target, w.donor),


rule protected_training:
    input:
        scores=lambda w: protected.scores(),
        found=lambda w: protected.folders("landmarks"),
        known=lambda w: expand("{R}/landmarks/{s}", R=R, s=protected.pairs.values()),
        decided=DECIDED,
    output:
        table=f"{R}/tables/protected_training.csv",
    message:
        "Writing the table of models trained on protected clips"
    log:
        f"{R}/logs/protected_training.log",
    benchmark:
        f"{R}/benchmarks/protected_training.tsv"
    params:
        code=build.code("protected_training"),
        parts=lambda w: protected.parts(),
        attacks=protected.attacks,
        seed=build.config.seed,
        level=build.config.landmark_breaker.level,
        bootstrap=build.config.quality.bootstrap,
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/protected_training.py"


# The table depends on everything that is shown.
rule protected_figure:
    input:
        table=rules.protected_training.output.table,
        clips=lambda w: protected.folders("clips"),
        faces=lambda w: protected.folders("faces"),
        known=lambda w: expand("{R}/faces/{s}", R=R, s=protected.pairs.values()),
        decided=DECIDED,
        opened=lambda w: protected.figure_inputs() if STORED else [],
    output:
        figure=f"{R}/figures/protected_training.png",
    message:
        "Drawing swaps by models trained on protected clips"
    log:
        f"{R}/logs/protected_figure.log",
    benchmark:
        f"{R}/benchmarks/protected_figure.tsv"
    params:
        code=build.code("protected_figure"),
        parts=lambda w: protected.parts(),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/protected_figure.py"
