# SPDX-License-Identifier: Apache-2.0
# docs/demos/engines: the table has every job with its cause.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need python3 python3
export PYTHONPATH=${1:-}
python3 -c "import snakemake" 2>/dev/null || skip "snakemake is not installed for python3"
demos=$work/demos
output=$("$demos/engines/snakemake.sh" 20 2>&1)
has "each job has a report" " 20 jobs, 0 reports incomplete" "$output"
for line in "failed with 3" "failed with 137" "crashed with signal 11" timeout output; do
  has "with its cause" " $line" "$output"
done
refuses "none is lost" grep -q "lost: no report" <<<"$output"
has "only those that did not succeed are repeated" "15 of 20 results; 5 repeated of 20" "$output"
