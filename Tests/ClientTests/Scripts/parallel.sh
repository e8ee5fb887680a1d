# SPDX-License-Identifier: Apache-2.0
# GNU parallel runs jobs on workers over ssh.
. "$(dirname "$0")/engine.sh"

need parallel parallel
need /usr/sbin/sshd openssh-server
need ps procps
tells 120 "$engines/parallel.sh"
is "and the engine counts those that did not succeed" 1 "$(grep -c "^parallel: status 10," <<<"$output")"
