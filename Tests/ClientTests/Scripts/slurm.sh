# SPDX-License-Identifier: Apache-2.0
# docs/demos/engines: the table has every job with its cause.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need python3 python3
need srun slurm-client
need slurmctld slurmctld
need slurmd slurmd
need munged munge
demos=$work/demos
output=$("$demos/engines/slurm.sh" 30 2>&1)
has "each job has a report" " 30 jobs, 0 reports incomplete" "$output"
for line in "failed with 3" "failed with 137" "crashed with signal 11" timeout output; do
  has "with its cause" " $line" "$output"
done
refuses "none is lost" grep -q "lost: no report" <<<"$output"
has "each status is passed on" "1 x 3, 1 x 124, 1 x 137, 1 x 139, 1 x 153" "$output"
has "a step that was killed has no report" ", 0 reports" "$output"
