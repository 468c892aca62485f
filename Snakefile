# swapset: from talking-head clips to a labelled face-swap detection dataset and its tables.
# Stages are in rules/, the work of a rule in workflow_scripts/<rule>.py, the library in swapset/.
import gc
import os
import re
import secrets
import sys
from pathlib import Path

from snakemake.cli import get_argument_parser
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import min_version
from snakemake_interface_executor_plugins import utils as command_lines

min_version("9.24")

# Planning makes millions of objects that all stay alive; with the default thresholds, garbage
# collection would take a fifth of its time.
gc.set_threshold(10_000, 50, 1_000)


# A run in another folder may have a config.yaml of its own there.
configfile: next(filter(os.path.exists, ["config.yaml", os.path.join(workflow.basedir, "config.yaml")]))


# Jobs import the library beside this file, whether or not it is installed. The profile may have
# imported an installed one, to check the surroundings.
sys.path.insert(0, workflow.basedir)
for name in [name for name in sys.modules if name.partition(".")[0] == "swapset"]:
    del sys.modules[name]
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [workflow.basedir, os.environ.get("PYTHONPATH")]))
)

from swapset.build.job import RUN_ID
from swapset.build.leftovers import tell_at_end, tidy_command
from swapset.build.messages import MARK, OneLine
from swapset.build.resources import lock_results, per_attempt
from swapset.build.shell_lines import check_checkout, name_python_plainly, shell_quoted
from swapset.build.start import prepare, record_config
from swapset.build.targets import Targets
from swapset.build.workflow import Workflow
from swapset.detectors.registry import DETECTORS
from swapset.errors import SwapsetError
from swapset.extractors.registry import EXTRACTORS
from swapset.obstruction.attacks.registry import ATTACKS, BREAKER, CLEAN, EVEN, ROBUST

# It tells a job that an earlier attempt was in the same run.
if workflow.is_main_process:
    os.environ[RUN_ID] = secrets.token_hex(8)

logger.addFilter(OneLine())
name_python_plainly()
command_lines.repr = shell_quoted

try:
    check_checkout(workflow.basedir)
    stages = Workflow(config)
    build, generation, detection = stages.build, stages.generation, stages.detection
    matrix, robustness = stages.matrix, stages.robustness
    breaker, protected, tidying = stages.breaker, stages.protected, stages.tidying
    outside, contents = stages.outside, stages.contents
    decisions = stages.decisions(here=not workflow.storage_settings.default_storage_provider)
    if workflow.is_main_process:
        prepare(stages, logger.warning, logger.info)
        asked = workflow.config_settings
        tell_at_end(stages.leftovers, tidy_command(asked.configfiles, asked.config))
    # Jobs parse this file again in separate processes; only the main process holds the lock.
    # `workflow.dryrun` is set only after this file is read.
    if workflow.is_main_process and not workflow.output_settings.dryrun:
        results_lock = lock_results(build.root)
        if not workflow.storage_settings.default_storage_provider:
            record_config(build)
except SwapsetError as error:
    raise WorkflowError(f"{MARK}{error}") from None

R = build.root


wildcard_constraints:
    subject="[A-Za-z0-9]+",
    target="[A-Za-z0-9]+",
    donor="[A-Za-z0-9]+",
    number="[A-Za-z0-9]+",
    clip="[A-Za-z0-9]+_[A-Za-z0-9]+",
    pair="[A-Za-z0-9]+-[A-Za-z0-9]+",
    shared="base|all",
    method="|".join(build.methods),
    recipe="|".join(build.recipes),
    kind="|".join(map(re.escape, ["real", *build.methods, *build.config.datasets])),
    dataset="|".join(map(re.escape, detection.datasets)),
    detector="|".join(map(re.escape, DETECTORS)),
    trained="|".join(map(re.escape, [*DETECTORS, *matrix.trained])),
    training_set="|".join(re.escape(each.name) for each in matrix.further) or "none",
    compression="original|c23|c40",
    outside="|".join(map(re.escape, detection.outside.detectors)) or "none",
    perturbation="|".join(map(re.escape, robustness.perturbations)) or "none",
    family="|".join(map(re.escape, robustness.families)) or "none",
    extractor="|".join(map(re.escape, EXTRACTORS)),
    source=r"none|({0})(\+({0}))*".format("|".join(map(re.escape, EXTRACTORS))),
    attack="|".join(map(re.escape, ATTACKS)),
    block=r"\d+",
    fold=r"\d+(-s\d+)?",


onstart:
    if {"tidy"} < set(workflow.dag_settings.targets):
        raise WorkflowError(
            f"{MARK}tidy: removes files that other targets may need; run it alone, at the end"
        )
    logger.info(
        f"swapset: {len(build.manifest.clips)} clips of {len(build.subjects)} subjects, "
        f"{len(build.swaps)} fakes by each of {', '.join(build.methods)}; results in {R}/"
    )


include: "rules/storage.smk"
include: "rules/decisions.smk"
include: "rules/clips.smk"
include: "rules/faces.smk"
include: "rules/generation.smk"
include: "rules/quality.smk"
include: "rules/dataset.smk"
include: "rules/detection.smk"
include: "rules/matrix.smk"
include: "rules/robustness.smk"
include: "rules/outside_scores.smk"
include: "rules/obstruction.smk"
include: "rules/protected.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        rules.dataset.output,
        rules.mask_ssim.output,
        rules.training_table.output,
        rules.demographics.output if build.people else [],


rule landmark_breaker:
    input:
        rules.landmark_breaker_tables.output,
        rules.landmark_breaker_figures.output,
        protected.results(),


rule complete:
    input:
        rules.all.input,
        rules.report.output,
        rules.detector_auc.output,
        rules.detector_figures.output,
        matrix.results(),
        robustness.results(),
        rules.outside_scores_table.output if detection.outside.detectors else [],
        [] if breaker.why_not else rules.landmark_breaker.input,


include: "rules/tidy.smk"


# Snakemake knows the targets only after this file; its own messages name no rule and no file.
# In object storage, names of outputs are others.
if (
    workflow.is_main_process
    and "snakemake" in sys.argv[0]
    and not workflow.storage_settings.default_storage_provider
):
    asked, rest = get_argument_parser().parse_known_args()
    targets = Targets(stages, {rule.name: map(str, rule.output) for rule in workflow.rules})
    try:
        targets.check([*asked.targets, *(word for word in rest if not word.startswith("-"))])
        for names in (asked.forcerun, asked.until, asked.omit_from, asked.prioritize):
            targets.check(names or [], rules_with_wildcards=True)
    except SwapsetError as error:
        raise WorkflowError(f"{MARK}{error}") from None
