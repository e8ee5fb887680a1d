# SPDX-License-Identifier: Apache-2.0
# docs/demos/engines: the table has every job with its cause.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need python3 python3
export PYTHONPATH=${1:-}
python3 -c "import distributed" 2>/dev/null || skip "distributed of Dask is not installed for python3"
demos=$work/demos
output=$(python3 "$demos/engines/jobs_dask.py" 60 2>&1)
has "each job has a report" " 60 jobs, 0 reports incomplete" "$output"
for line in "failed with 3" "failed with 137" "crashed with signal 11" timeout output; do
  has "with its cause" " $line" "$output"
done
refuses "none is lost" grep -q "lost: no report" <<<"$output"
has "nothing was given up" "dask: 60 results" "$output"
