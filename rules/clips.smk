# Source clips: the embedded demo, downloads, and conversion to one frame rate.


rule demo_clips:
    output:
        clips=expand("{R}/demo/{clip}.mp4", R=R, clip=build.manifest.clips if build.is_demo else []),
    message:
        "Making the clips of the embedded demo"
    log:
        f"{R}/logs/demo_clips.log",
    benchmark:
        f"{R}/benchmarks/demo_clips.tsv"
    params:
        code=build.code("demo_clips"),
    threads: 2
    resources:
        mem_mb=per_attempt(1500),
        runtime=per_attempt(10),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/demo_clips.py"


rule fetch:
    output:
        f"{R}/fetched/{{clip}}.mp4",
    message:
        "Fetching the source of {wildcards.clip}"
    log:
        f"{R}/logs/fetch/{{clip}}.log",
    benchmark:
        f"{R}/benchmarks/fetch/{{clip}}.tsv"
    params:
        url=lambda w: build.manifest.clips[w.clip].url,
    retries: 2
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/fetch.py"


rule ingest:
    input:
        sources=lambda w: made_or_stored(build.sources_of(w.subject)),
    output:
        clips=directory(f"{R}/clips/{{subject}}"),
    message:
        "Ingesting the clips of {wildcards.subject}"
    log:
        f"{R}/logs/ingest/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/ingest/{{subject}}.tsv"
    params:
        code=build.code("ingest"),
        clips=lambda w: build.parts_of(w.subject),
        contents=lambda w: [contents.of(path) for path in build.sources_of(w.subject)],
        sources=lambda w, input: located(build.sources_of(w.subject), input.sources),
        settings=build.config.ingest.model_dump(mode="json"),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(30),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/ingest.py"
