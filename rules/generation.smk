# Fakes: one model per pair of subjects, with swaps in both directions. One job makes a video, real
# or fake, in all compressions, because starting a job takes as long as one compression.


rule train:
    input:
        start=lambda w: made_or_stored(generation.start(w.recipe)),
        faces=lambda w: [f"{R}/faces/{subject}" for subject in w.pair.split("-")],
        decided=DECIDED,
        same=same_people(),
    output:
        model=f"{R}/models/{{recipe}}/{{pair}}.safetensors",
        losses=f"{R}/models/{{recipe}}/{{pair}}.csv",
        preview=f"{R}/models/{{recipe}}/{{pair}}.png",
        card=f"{R}/models/{{recipe}}/{{pair}}.json",
    message:
        "Training {wildcards.pair} for {wildcards.recipe}"
    log:
        f"{R}/logs/train/{{recipe}}/{{pair}}.log",
    benchmark:
        f"{R}/benchmarks/train/{{recipe}}/{{pair}}.tsv"
    params:
        code=build.code("train"),
        recipe=lambda w: generation.pair_recipe(w.recipe),
        one_person=lambda w: decisions.one_person(*w.pair.split("-")),
        base=lambda w: [contents.of(path) for path in generation.start(w.recipe)],
        start=lambda w, input: located(generation.start(w.recipe), input.start),
        warm_rate=lambda w: generation.warm_rate(w.recipe),
        keep=build.config.training.keep,
        context=build.config.align.context,
        seed=build.config.seed,
        device=build.config.device,
        precision=build.config.training.precision,
        patience=build.config.training.patience,
        threads=build.config.training.threads,
        faces=None,
        # Snakemake does not compare functions of `output`: these settings do not change the model.
        preview_every=lambda w, output: build.config.training.preview_every,
        checkpoint_every=lambda w, output: build.config.training.checkpoint_every,
        compiled=lambda w, output: build.config.training.compile,
        per_gpu=lambda w, output: build.config.training.per_gpu,
        # Not among the outputs, because these files have to survive a killed job.
        checkpoint=lambda w, output: f"{R}/checkpoints/{w.recipe}/{w.pair}.safetensors",
        events=lambda w, output: f"{R}/events/{w.recipe}/{w.pair}",
    threads: build.config.training.threads
    resources:
        mem_mb=per_attempt(lambda w: generation.pair_memory(w.recipe)),
        runtime=per_attempt(1440),
        gpu=build.gpus_per_job(),
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/train.py"


# One encoder and a decoder per subject: the model `base` that pairs start from, or the model `all`.
use rule train as train_shared with:
    input:
        faces=expand("{R}/faces/{subject}", R=R, subject=build.subjects),
        decided=DECIDED,
    output:
        model=f"{R}/models/{{recipe}}/{{shared}}.safetensors",
        losses=f"{R}/models/{{recipe}}/{{shared}}.csv",
        preview=f"{R}/models/{{recipe}}/{{shared}}.png",
        card=f"{R}/models/{{recipe}}/{{shared}}.json",
    message:
        "Training the model of all subjects ({wildcards.shared}) for {wildcards.recipe}"
    log:
        f"{R}/logs/train/{{recipe}}/{{shared}}.log",
    benchmark:
        f"{R}/benchmarks/train/{{recipe}}/{{shared}}.tsv"
    params:
        recipe=lambda w: generation.shared_recipe(w.recipe, w.shared),
        one_person=None,
        base=[],
        start=[],
        warm_rate=1.0,
        # Pairs start from this model, in full precision.
        keep="float32" if generation.warm else build.config.training.keep,
        faces=build.config.training.shared_faces,
        # Far more steps than for a pair, but the same number of previews and checkpoints.
        preview_every=lambda w, output: generation.shared_every(
            w.shared, build.config.training.preview_every
        ),
        checkpoint_every=lambda w, output: generation.shared_every(
            w.shared, build.config.training.checkpoint_every
        ),
        checkpoint=lambda w, output: f"{R}/checkpoints/{w.recipe}/{w.shared}.safetensors",
        events=lambda w, output: f"{R}/events/{w.recipe}/{w.shared}",
    resources:
        mem_mb=per_attempt(lambda w: generation.shared_memory(w.recipe)),
        runtime=per_attempt(7200),
        gpu=build.gpus_per_job(),


rule training_table:
    input:
        cards=expand("{R}/models/{stem}.json", R=R, stem=generation.trained()),
        decided=DECIDED,
    output:
        table=f"{R}/tables/training.csv",
    message:
        "Writing the table of all trainings"
    log:
        f"{R}/logs/training_table.log",
    benchmark:
        f"{R}/benchmarks/training_table.tsv"
    params:
        code=build.code("training_table"),
    resources:
        mem_mb=per_attempt(500),
        runtime=per_attempt(5),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/training_table.py"


rule synthesise:
    input:
        unpack(lambda w: generation.model(w.method, w.target, w.donor)),
        clips=lambda w: judged("clips", f"{w.target}_{w.number}"),
        landmarks=f"{R}/landmarks/{{target}}",
        verdicts=lambda w: judged("accepted", f"{w.target}_{w.number}"),
        same=same_people(),
    output:
        videos=expand(
            "{R}/dataset/{{method}}/{compression}/{{target}}_{{donor}}_{{number}}.mp4",
            R=R,
            compression=build.config.compressions,
        ),
        record=f"{R}/records/{{method}}/{{target}}_{{donor}}_{{number}}.json",
        labels=f"{R}/labels/{{method}}/{{target}}_{{donor}}_{{number}}.parquet",
    message:
        "Synthesising {wildcards.target}_{wildcards.donor}_{wildcards.number} by {wildcards.method}"
    log:
        f"{R}/logs/synthesise/{{method}}/{{target}}_{{donor}}_{{number}}.log",
    benchmark:
        f"{R}/benchmarks/synthesise/{{method}}/{{target}}_{{donor}}_{{number}}.tsv"
    params:
        code=build.code("synthesise"),
        uses=lambda w: decisions.on_clip(f"{w.target}_{w.number}"),
        one_person=lambda w: decisions.one_person(w.target, w.donor),
        recipe=lambda w: build.synthesis(w.method),
        device=build.config.device,
        precision=build.config.training.precision,
        per_gpu=lambda w, output: build.config.training.per_gpu,
        encoding={**build.config.video.model_dump(), "fps": build.config.ingest.fps},
    resources:
        mem_mb=per_attempt(3000),
        runtime=per_attempt(60),
        gpu=build.gpus_per_job(),
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/synthesise.py"


rule real:
    input:
        clips=lambda w: judged("clips", f"{w.subject}_{w.number}"),
        verdicts=lambda w: judged("accepted", f"{w.subject}_{w.number}"),
    output:
        videos=expand(
            "{R}/dataset/real/{compression}/{{subject}}_{{number}}.mp4",
            R=R,
            compression=build.config.compressions,
        ),
        record=f"{R}/records/real/{{subject}}_{{number}}.json",
    message:
        "Encoding the real clip {wildcards.subject}_{wildcards.number}"
    log:
        f"{R}/logs/real/{{subject}}_{{number}}.log",
    benchmark:
        f"{R}/benchmarks/real/{{subject}}_{{number}}.tsv"
    params:
        code=build.code("real"),
        uses=lambda w: decisions.on_clip(f"{w.subject}_{w.number}"),
        encoding={**build.config.video.model_dump(), "fps": build.config.ingest.fps},
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(20),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/real.py"
