#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# snakemake.sh [JOBS]: Snakemake runs jobs, several at a time, goes on after failures, and is asked to
# go on once more: it repeats only those that have failed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
jobs=${1:-100}
work=$(mktemp -d)
trap 'cd /; rm -rf "$work"' EXIT
export REPORTS=$work/reports PATH="$here:$PATH" XDG_CACHE_HOME="$work/cache"
mkdir "$REPORTS"
cd "$work"
again() {
  status=0
  python3 -m snakemake --snakefile "$here/Snakefile" --config jobs="$jobs" --cores 12 --keep-going --quiet all \
    >"$work/log" 2>&1 || status=$?
}
again
first=$(find results -type f | wc -l)
python3 "$here/table.py" "$REPORTS" "$jobs"
before=$(find "$REPORTS" -name '*.json' | wc -l)
find "$REPORTS" -name '*.json' -delete
again
echo "snakemake: status $status; $first of $jobs results; $(find "$REPORTS" -name '*.json' | wc -l) repeated of $before"
