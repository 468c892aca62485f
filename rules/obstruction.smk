# Landmark Breaker: extractors, noise against them on key frames, and measures of its effect.
from swapset.build.figures import BREAKER_FIGURES


rule clip_labels:
    input:
        clips=lambda w: judged("clips", w.subject),
        landmarks=f"{R}/landmarks/{{subject}}",
        verdicts=lambda w: judged("accepted", w.subject),
    output:
        labels=directory(f"{R}/extractors/labels/{{subject}}"),
    message:
        "Cutting out faces of {wildcards.subject} for training extractors"
    log:
        f"{R}/logs/clip_labels/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/clip_labels/{{subject}}.tsv"
    params:
        code=build.code("clip_labels"),
        uses=lambda w: decisions.accepted(w.subject),
        frames=build.config.landmark_breaker.label_frames,
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(20),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/clip_labels.py"


rule train_extractor:
    input:
        labels=lambda w: expand("{R}/extractors/labels/{s}", R=R, s=breaker.training_people),
        decided=DECIDED,
    output:
        model=f"{R}/extractors/{{extractor}}.safetensors",
        card=f"{R}/extractors/{{extractor}}.json",
        preview=f"{R}/extractors/{{extractor}}.png",
    message:
        "Training the landmark extractor {wildcards.extractor}"
    log:
        f"{R}/logs/train_extractor/{{extractor}}.log",
    benchmark:
        f"{R}/benchmarks/train_extractor/{{extractor}}.tsv"
    params:
        code=lambda w: build.code("train_extractor", *breaker.modules(w.extractor)),
        uses=lambda w: contents.identify(
            [breaker.training_params(w.extractor), breaker.label_source()]
        ),
        settings=lambda w, output: breaker.training_params(w.extractor),
        labels=lambda w, output: breaker.label_source(),
        seed=build.config.seed,
        device=build.config.device,
        precision=build.config.training.precision,
        threads=build.config.training.threads,
        # Snakemake does not compare functions of `output`: this setting does not change the model.
        checkpoint_every=lambda w, output: build.config.training.checkpoint_every,
        # Not among the outputs, because it has to survive a killed job.
        checkpoint=lambda w, output: f"{R}/checkpoints/extractors/{w.extractor}.safetensors",
    threads: build.config.training.threads
    resources:
        mem_mb=per_attempt(6000),
        runtime=per_attempt(1440),
        gpu=build.gpus_per_job(),
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/train_extractor.py"


rule key_frames:
    input:
        clips=lambda w: judged("clips", w.subject),
        landmarks=f"{R}/landmarks/{{subject}}",
        verdicts=lambda w: judged("accepted", w.subject),
    output:
        frames=directory(f"{R}/obstruction/frames/{{subject}}"),
    message:
        "Choosing key frames of {wildcards.subject}"
    log:
        f"{R}/logs/key_frames/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/key_frames/{{subject}}.tsv"
    params:
        code=build.code("key_frames"),
        uses=lambda w: decisions.accepted(w.subject),
        runs=lambda w: breaker.runs,
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(20),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/key_frames.py"


rule attack:
    input:
        frames=f"{R}/obstruction/frames/{{subject}}",
        extractors=lambda w: breaker.source_files(w.source),
        decided=DECIDED,
    output:
        frames=directory(f"{R}/obstruction/noisy/{{attack}}/{{source}}/{{subject}}"),
    wildcard_constraints:
        attack="|".join(re.escape(name) for name in ATTACKS if name != EVEN),
    message:
        "Attacking {wildcards.source} on frames of {wildcards.subject} by {wildcards.attack}"
    log:
        f"{R}/logs/attack/{{attack}}/{{source}}/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/attack/{{attack}}/{{source}}/{{subject}}.tsv"
    params:
        code=lambda w: build.code("attack", *breaker.modules(w.source, attack=w.attack)),
        settings=lambda w: breaker.attack_params(w.attack),
        seed=build.config.seed,
        device=build.config.device,
        precision=build.config.training.precision,
        threads=build.config.training.threads,
    threads: build.config.training.threads
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(240),
        gpu=build.gpus_per_job(),
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/attack.py"


rule match_ssim:
    input:
        frames=f"{R}/obstruction/frames/{{subject}}",
        noisy=lambda w: breaker.frames(ROBUST, w.source, w.subject),
        others=lambda w: breaker.compared_frames(w.source, w.subject),
        decided=DECIDED,
    output:
        frames=directory(f"{R}/obstruction/noisy/{EVEN}/{{source}}/{{subject}}"),
    message:
        "Scaling noise against {wildcards.source} on frames of {wildcards.subject} to the SSIM of lb"
    log:
        f"{R}/logs/match_ssim/{{source}}/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/match_ssim/{{source}}/{{subject}}.tsv"
    params:
        code=build.code("match_ssim"),
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/match_ssim.py"


rule measure_attack:
    input:
        frames=f"{R}/obstruction/frames/{{subject}}",
        noisy=lambda w: breaker.frames(w.attack, w.source, w.subject),
        extractors=[breaker.extractor(name) for name in breaker.extractors],
        model=lambda w: breaker.model(w.subject)["model"],
        card=lambda w: breaker.model(w.subject)["card"],
        decided=DECIDED,
    output:
        measures=f"{R}/obstruction/measures/{{attack}}/{{source}}/{{subject}}.csv",
        detection=f"{R}/obstruction/detection/{{attack}}/{{source}}/{{subject}}.csv",
    message:
        "Measuring noise against {wildcards.source} on frames of {wildcards.subject} by {wildcards.attack}"
    log:
        f"{R}/logs/measure_attack/{{attack}}/{{source}}/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/measure_attack/{{attack}}/{{source}}/{{subject}}.tsv"
    params:
        code=build.code("measure_attack", *breaker.modules(*breaker.extractors)),
        recipe=lambda w: build.synthesis(breaker.method),
        donor=lambda w: breaker.donor(w.subject),
        reference=breaker.reference,
        uses=lambda w: contents.identify(
            {"predictor": str(build.config.track.predictor or ""), **breaker.black_boxes}
        ),
        predictor=lambda w, output: str(build.config.track.predictor or ""),
        black_boxes=lambda w, output: breaker.black_boxes,
        compressions=build.config.landmark_breaker.recompressions(),
        seed=build.config.seed,
        swap_every=build.config.landmark_breaker.swap_every,
        device=build.config.device,
        precision=build.config.training.precision,
        threads=build.config.training.threads,
    threads: build.config.training.threads
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(240),
        gpu=build.gpus_per_job(),
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/measure_attack.py"


# Landmark Breaker with other settings, measured on the attacked extractor without compression.
rule sweep:
    input:
        frames=f"{R}/obstruction/frames/{{subject}}",
        extractors=lambda w: [
            breaker.extractor(name) for name in dict.fromkeys([w.extractor, breaker.reference])
        ],
        model=lambda w: breaker.model(w.subject)["model"],
        card=lambda w: breaker.model(w.subject)["card"],
        decided=DECIDED,
    output:
        measures=f"{R}/obstruction/sweep/{{extractor}}/{{subject}}.csv",
    message:
        "Attacking {wildcards.extractor} on frames of {wildcards.subject} by lb with other steps"
    log:
        f"{R}/logs/sweep/{{extractor}}/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/sweep/{{extractor}}/{{subject}}.tsv"
    params:
        code=lambda w: build.code(
            "sweep", *breaker.modules(w.extractor, breaker.reference, attack=BREAKER)
        ),
        settings=breaker.attack_params(BREAKER),
        sweep=breaker.sweep_params(),
        recipe=lambda w: build.synthesis(breaker.method),
        donor=lambda w: breaker.donor(w.subject),
        reference=breaker.reference,
        seed=build.config.seed,
        device=build.config.device,
        precision=build.config.training.precision,
        threads=build.config.training.threads,
    threads: build.config.training.threads
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(240),
        gpu=build.gpus_per_job(),
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/sweep.py"


rule landmark_breaker_tables:
    input:
        measures=lambda w: breaker.measure_files(),
        detection=lambda w: breaker.measure_files("detection"),
        sweeps=lambda w: breaker.sweep_files(),
        decided=DECIDED,
    output:
        table=f"{R}/tables/landmark_breaker.csv",
        differences=f"{R}/tables/landmark_breaker_differences.csv",
        white_box=f"{R}/tables/landmark_breaker_white_box.csv",
        detection=f"{R}/tables/landmark_breaker_detection.csv",
        sweep=f"{R}/tables/landmark_breaker_sweep.csv",
    message:
        "Writing the tables of Landmark Breaker"
    log:
        f"{R}/logs/landmark_breaker_tables.log",
    benchmark:
        f"{R}/benchmarks/landmark_breaker_tables.tsv"
    params:
        code=build.code("landmark_breaker_tables"),
        sweep=breaker.sweep_params(),
        seed=build.config.seed,
        level=build.config.landmark_breaker.level,
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(20),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/landmark_breaker_tables.py"


# The person shown depends on the verdicts, so that all protected people are inputs.
rule landmark_breaker_figures:
    input:
        white_box=f"{R}/tables/landmark_breaker_white_box.csv",
        sweep=f"{R}/tables/landmark_breaker_sweep.csv",
        quoted=f"{R}/tables/quoted/table_4_8_robustness.csv",
        frames=[breaker.frames(CLEAN, CLEAN, subject) for subject in breaker.subjects],
        noisy=lambda w: breaker.pictured_frames(),
        extractors=[breaker.extractor(name) for name in breaker.extractors],
        models=lambda w: [breaker.model(subject)["model"] for subject in breaker.subjects],
        cards=lambda w: [breaker.model(subject)["card"] for subject in breaker.subjects],
        decided=DECIDED,
    output:
        figures=expand("{R}/figures/{name}.png", R=R, name=BREAKER_FIGURES),
    message:
        "Drawing the figures of Landmark Breaker"
    log:
        f"{R}/logs/landmark_breaker_figures.log",
    benchmark:
        f"{R}/benchmarks/landmark_breaker_figures.tsv"
    params:
        code=build.code("landmark_breaker_figures", *breaker.modules(*breaker.extractors)),
        attack=breaker.pictured_attack,
        donors=lambda w: [breaker.donor(subject) for subject in breaker.subjects],
        recipe=lambda w: build.synthesis(breaker.method),
        precision=build.config.training.precision,
    resources:
        mem_mb=per_attempt(1500),
        runtime=per_attempt(30),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/landmark_breaker_figures.py"
