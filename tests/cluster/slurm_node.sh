#!/usr/bin/env bash
# Makes this machine a Slurm cluster of one node, for tests: Debian's packages, no accounting, and a
# GPU that is none (/dev/zero), so that jobs can ask for one. Run again, it changes nothing; `stop` ends
# its daemons and takes its settings away: with them, Snakemake's plugin would ask the controller, for
# nine seconds, at every start. Status 77: this machine is not one that it can be done on.
set -euo pipefail

STATE=/var/lib/swapset-slurm
# In the system's default place: `srun` inside a job sees no private SLURM_CONF.
CONF=/etc/slurm/slurm.conf
GRES=/etc/slurm/gres.conf
MARK="# Written by swapset's tests"

cannot() {
    echo "slurm_node.sh: $1" >&2
    exit 77
}

stop() {
    for daemon in slurmd slurmctld; do
        pkill -x "$daemon" || continue
        for _ in $(seq 60); do
            pgrep -x "$daemon" >/dev/null || break
            sleep 0.5
        done
    done
    for file in "$CONF" "$GRES"; do
        if grep -qsF "$MARK" "$file"; then rm "$file"; fi
    done
    rm -rf "$STATE/controller" # or it would still know this run's jobs in the next one
}

packages() {
    if ! command -v slurmctld slurmd munged >/dev/null; then
        command -v apt-get >/dev/null || cannot "slurm-wlm and munge are not installed"
        apt-get update -qq || cannot "apt-get update failed"
        DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null ||
            cannot "apt-get could not install slurm-wlm and munge"
    fi
}

configure() {
    local host memory
    if [ -e "$CONF" ] && ! grep -qF "$MARK" "$CONF"; then
        cannot "$CONF is not of these tests; this machine has a Slurm already"
    fi
    host=$(hostname -s)
    memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
    mkdir -p /etc/slurm "$STATE/controller" "$STATE/node"
    cat >"$CONF" <<END
$MARK
ClusterName=swapset
SlurmctldHost=$host
SlurmUser=root
AuthType=auth/munge
StateSaveLocation=$STATE/controller
SlurmdSpoolDir=$STATE/node
SlurmctldPidFile=$STATE/slurmctld.pid
SlurmdPidFile=$STATE/slurmd.pid
SlurmctldLogFile=$STATE/slurmctld.log
SlurmdLogFile=$STATE/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/none
MinJobAge=3600
ReturnToService=2
KillWait=20
GresTypes=gpu
NodeName=$host CPUs=$(nproc) RealMemory=$memory Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
    printf '%s\nName=gpu File=/dev/zero\n' "$MARK" >"$GRES"
}

start() {
    install -d -o munge -g munge /run/munge
    pgrep -x munged >/dev/null || runuser -u munge -- "$(command -v munged)"
    pgrep -x slurmctld >/dev/null || slurmctld
    pgrep -x slurmd >/dev/null || slurmd
    # After a while without a node the controller asks for it only every half minute.
    for _ in $(seq 240); do
        if sinfo --noheader --format=%T 2>/dev/null | grep -Eq '^(idle|mixed|allocated)$'; then
            sinfo
            return
        fi
        sleep 0.5
    done
    echo "slurm_node.sh: the node does not come up; see $STATE/*.log" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || cannot "only root can set up a Slurm node"
case "${1:-start}" in
    start) packages; configure; start ;;
    stop) stop ;;
    *) echo "usage: slurm_node.sh [start|stop]" >&2; exit 2 ;;
esac
