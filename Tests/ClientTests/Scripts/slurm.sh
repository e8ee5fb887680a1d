# SPDX-License-Identifier: Apache-2.0
# Slurm runs jobs, and passes their statuses on.
. "$(dirname "$0")/engine.sh"

need srun slurm-client
need slurmctld slurmctld
need slurmd slurmd
need munged munge
tells 30 "$engines/slurm.sh"
has "each status is passed on" "1 x 3, 1 x 124, 1 x 137, 1 x 139, 1 x 153" "$output"
has "a step that was killed has no report" ", 0 reports" "$output"
