# SPDX-License-Identifier: Apache-2.0
# What the scripts of the engines share. Each begins with this file, and runs a demonstration of
# docs/demos/engines: its table has every job with its cause.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need python3 python3

module() { # MODULE TEXT DIRECTORY: a module of Python, perhaps in that directory
  export PYTHONPATH=$3
  python3 -c "import $1" 2>/dev/null || skip "$2 is not installed for python3"
}

tells() { # JOBS COMMAND...: what the command prints of so many jobs, as `output`
  output=$("${@:2}" "$1" 2>&1)
  has "each job has a report" " $1 jobs, 0 reports incomplete" "$output"
  local line
  for line in "failed with 3" "failed with 137" "crashed with signal 11" timeout output; do
    has "with its cause" " $line" "$output"
  done
  refuses "none is lost" grep -q "lost: no report" <<<"$output"
}

engines=$work/demos/engines
