# SPDX-License-Identifier: Apache-2.0
# Dask runs jobs, and gives those of a lost worker to others.
. "$(dirname "$0")/engine.sh"

module distributed "distributed of Dask" "${1:-}"
tells 60 python3 "$engines/jobs_dask.py"
has "nothing was given up" "dask: 60 results" "$output"
