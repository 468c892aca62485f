#!/usr/bin/env bash
# Builds the embedded demo here and through profiles/slurm, on this machine as a node of its own with a
# GPU that is none, and compares them: `make slurm`.
set -euo pipefail
cd "$(dirname "$0")/../.."

bash tests/cluster/slurm_node.sh start
log=$(mktemp)
trap 'rm "$log"; bash tests/cluster/slurm_node.sh stop' EXIT

python -m snakemake --cores all --config device=cpu
began=$SECONDS
python -m snakemake --workflow-profile profiles/slurm --slurm-status-command squeue \
    --slurm-init-seconds-before-status-checks 3 --latency-wait 10 \
    --config device=cpu results=results/slurm 2>&1 | tee "$log"
took=$((SECONDS - began))

python -m swapset.cli.main verify results/slurm/demo
diff -r results/demo/dataset results/slurm/demo/dataset
diff results/demo/tables/mask_ssim.csv results/slurm/demo/tables/mask_ssim.csv
echo "The same bytes as here, by $(grep -c 'submitted with SLURM jobid' "$log") Slurm jobs in $took s."
echo "Jobs, the rules in them, and the cores and GPUs that each asked for:"
run=$(sed -n 's/^SLURM run ID: //p' "$log")
squeue --states=all --noheader --name "$run" --Format=comment:60,NumCPUs:4,tres-per-job:20 |
    sed -E 's/_wildcards_\S*/ /' | tr -s ' ' | sort | uniq -c
