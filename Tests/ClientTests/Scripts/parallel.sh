# SPDX-License-Identifier: Apache-2.0
# docs/demos/engines: the table has every job with its cause.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need python3 python3
need parallel parallel
need /usr/sbin/sshd openssh-server
need ps procps
demos=$work/demos
output=$("$demos/engines/parallel.sh" 120 2>&1)
has "each job has a report" " 120 jobs, 0 reports incomplete" "$output"
for line in "failed with 3" "failed with 137" "crashed with signal 11" timeout output; do
  has "with its cause" " $line" "$output"
done
refuses "none is lost" grep -q "lost: no report" <<<"$output"
is "and the engine counts those that did not succeed" 1 "$(grep -c "^parallel: status 10," <<<"$output")"
