#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# slurm.sh [JOBS]: starts a cluster of Slurm with one node, all of it as this user, and runs jobs in it
# with srun, twelve at a time; one job's step is killed on the way.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
jobs=${1:-100}
work=$(mktemp -d)
export REPORTS=$work/reports PATH="$here:$PATH:/usr/sbin" SLURM_CONF=$work/slurm.conf
mkdir "$REPORTS" "$work/spool" "$work/state"
daemons=()
end() {
  for daemon in "${daemons[@]}"; do kill "$daemon" 2>/dev/null || true; done
  wait "${daemons[@]}" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
head -c 1024 /dev/urandom >"$work/munge.key"
chmod 600 "$work/munge.key"
chmod 755 "$work"
munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge" --pid-file="$work/munge.pid" \
  --log-file="$work/munge.log" --seed-file="$work/munge.seed" 2>"$work/munge.err" &
daemons+=($!)
host=$(hostname -s)
cat >"$SLURM_CONF" <<END
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthInfo=socket=$work/munge
SlurmctldPort=$(port)
SlurmdPort=$(port)
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=12 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
# More processors than there are, so that twelve jobs run at a time.
sed -i 's/^TaskPlugin/SlurmdParameters=config_overrides\n&/' "$SLURM_CONF"
for _ in {1..50}; do [ -S "$work/munge" ] && break; sleep 0.1; done
slurmctld -D >"$work/slurmctld.out" 2>&1 &
daemons+=($!)
slurmd -D >"$work/slurmd.out" 2>&1 &
daemons+=($!)
for _ in {1..150}; do [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] && break; sleep 0.2; done
[ "$(sinfo -h -o %T)" = idle ] || { cat "$work"/slurm*.out "$work"/*.log; exit 1; }
# srun passes the status on: 124 is a limit of time, 153 one of output. The report tells the rest.
seq "$jobs" | xargs -P 12 -I {} sh -c 'srun -Q -n 1 -J job-{} job {} work {} >/dev/null 2>&1; echo {} $? >>"$0/status"' "$work" &
all=$!
# A job that Slurm loses: its step is killed from outside, as by a node that fails.
touch "$work/status"
(
  code=0
  TIMEOUT=60s srun -Q -n 1 -J lost job lost work 2 >/dev/null 2>&1 || code=$?
  echo $code >"$work/lost"
) &
lost=$!
for _ in {1..300}; do [ -n "$(find "$REPORTS" -name 'lost.*.part')" ] && break; sleep 0.1; done
step=$(squeue -h -n lost -o %i)
scancel --signal=KILL "$step"
wait $lost $all || true
python3 "$here/table.py" "$REPORTS" "$jobs"
echo "slurm: statuses of srun: $(awk '{ print $2 }' "$work/status" | sort -n | uniq -c | awk '{ printf "%s%s x %s", sep, $1, $2; sep = ", " }')"
echo "slurm: the job that was killed with its step: status $(cat "$work/lost"), $(find "$REPORTS" -name lost.json | wc -l) reports"
