# Source clips: the embedded demo, downloads, and ingest to one frame rate.


rule demo_clips:
    output:
        clips=expand("{R}/demo/{clip}.mp4", R=R, clip=build.manifest.clips if build.is_demo else []),
    log:
        f"{R}/logs/demo_clips.log",
    benchmark:
        f"{R}/benchmarks/demo_clips.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        code=build.code("demo_clips"),
    message:
        "Making the embedded demo's clips"
    script:
        "../workflow_scripts/demo_clips.py"


rule fetch:
    output:
        f"{R}/fetched/{{clip}}.mp4",
    log:
        f"{R}/logs/fetch/{{clip}}.log",
    benchmark:
        f"{R}/benchmarks/fetch/{{clip}}.tsv"
    retries: 2
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        url=lambda w: build.manifest.clips[w.clip].url,
    message:
        "Fetching the source of {wildcards.clip}"
    script:
        "../workflow_scripts/fetch.py"


rule ingest:
    input:
        sources=lambda w: [build.source_of(clip) for clip in build.manifest.of(w.subject)],
    output:
        clips=directory(f"{R}/clips/{{subject}}"),
    log:
        f"{R}/logs/ingest/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/ingest/{{subject}}.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=build.code("ingest"),
        clips=lambda w: build.parts_of(w.subject),
        settings=build.config.ingest.model_dump(mode="json"),
    message:
        "Ingesting the clips of {wildcards.subject}"
    script:
        "../workflow_scripts/ingest.py"
