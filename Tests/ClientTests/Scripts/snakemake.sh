# SPDX-License-Identifier: Apache-2.0
# Snakemake runs jobs, and repeats those that did not succeed.
. "$(dirname "$0")/engine.sh"

module snakemake snakemake "${1:-}"
tells 20 "$engines/snakemake.sh"
has "only those that did not succeed are repeated" "15 of 20 results; 5 repeated of 20" "$output"
