# Faces: followed through every clip, accepted or rejected, smoothed, aligned.


rule track:
    input:
        clips=rules.ingest.output.clips,
    output:
        tracks=directory(f"{R}/tracks/{{subject}}"),
    message:
        "Following faces through the clips of {wildcards.subject}"
    log:
        f"{R}/logs/track/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/track/{{subject}}.tsv"
    params:
        code=build.code("track"),
        settings=build.config.track.model_dump(mode="json"),
    resources:
        mem_mb=per_attempt(1500),
        runtime=per_attempt(60),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/track.py"


# One job for all subjects, because identity is decided by the nearest of them. A checkpoint only
# so that Snakemake looks again, after it, at what has to run: verdicts that stay the same (it
# compares small files by content) rebuild nothing. It only looks again at rules that take a
# verdict themselves: all later ones do. No input function waits for it: dry runs show every job.
checkpoint accept:
    input:
        clips=expand("{R}/clips/{subject}", R=R, subject=build.subjects),
        tracks=expand("{R}/tracks/{subject}", R=R, subject=build.subjects),
    output:
        verdicts=expand("{R}/accepted/{subject}.json", R=R, subject=build.subjects),
        table=f"{R}/tables/clips.csv",
    message:
        "Accepting or rejecting clips"
    log:
        f"{R}/logs/accept.log",
    benchmark:
        f"{R}/benchmarks/accept.tsv"
    params:
        code=build.code("accept"),
        subjects=build.subjects,
        settings=build.config.accept.model_dump(mode="json"),
        strict=build.config.strict,
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(20),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/accept.py"


rule align:
    input:
        clips=rules.ingest.output.clips,
        tracks=rules.track.output.tracks,
        verdicts=f"{R}/accepted/{{subject}}.json",
    output:
        landmarks=directory(f"{R}/landmarks/{{subject}}"),
        faces=directory(f"{R}/faces/{{subject}}"),
    message:
        "Smoothing landmarks and aligning faces of {wildcards.subject}"
    log:
        f"{R}/logs/align/{{subject}}.log",
    benchmark:
        f"{R}/benchmarks/align/{{subject}}.tsv"
    params:
        code=build.code("align"),
        smoothing=build.config.smoothing.model_dump(mode="json"),
        settings=build.config.align.model_dump(mode="json"),
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(30),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/align.py"
