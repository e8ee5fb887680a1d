#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# parallel.sh [JOBS]: GNU parallel sends jobs over ssh to three workers; one is killed on the way. The
# workers are three ssh daemons on this machine, which need no root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
jobs=${1:-1000}
work=$(mktemp -d)
export REPORTS=$work/reports PATH="$here:$PATH"
mkdir "$REPORTS"
daemons=()
# Each leads a process group, in which all that it starts is.
end() { for daemon in "${daemons[@]}"; do kill -9 -- "-$daemon" 2>/dev/null || true; done; rm -rf "$work"; }
trap end EXIT
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
cat >"$work/sshd_config" <<END
HostKey $work/key
AuthorizedKeysFile $work/key.pub
StrictModes no
UsePAM no
PidFile none
MaxStartups 100
MaxSessions 100
END
cat >"$work/ssh" <<END
#!/bin/sh
exec ssh -F none -i $work/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
  -o ServerAliveInterval=5 "\$@"
END
chmod 755 "$work/ssh"
logins=()
for number in 1 2 3; do
  # A free port, asked for from the kernel.
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  setsid /usr/sbin/sshd -D -e -f "$work/sshd_config" -o ListenAddress="127.0.0.1:$port" 2>"$work/sshd.$number" &
  daemons+=($!)
  logins+=(--sshlogin "6/$work/ssh -p $port 127.0.0.1")
  for _ in {1..100}; do grep -q listening "$work/sshd.$number" && break; sleep 0.1; done
done
# The processes of a worker, with all that they have started.
tree() {
  local next=$1 all=
  while [ -n "$next" ]; do
    all="$all $next"
    next=$(ps -o pid= --ppid "$(tr ' ' , <<<"$next")" | xargs)
  done
  echo "$all"
}
# The third worker dies when a quarter of the jobs have their reports, in the middle of a job.
(
  set +e
  while [ "$(find "$REPORTS" -name '*.json' | wc -l)" -lt $((jobs / 4)) ]; do sleep 0.05; done
  for _ in {1..100}; do
    ps -o comm= -p "$(tree "${daemons[2]}" | xargs | tr ' ' ,)" | grep -q nestbox && break
    sleep 0.02
  done
  # shellcheck disable=SC2046
  kill -9 $(tree "${daemons[2]}")
) 2>/dev/null &
killer=$!
status=0
seq "$jobs" | parallel --will-cite "${logins[@]}" --joblog "$work/log" --env REPORTS --env PATH --retries 3 \
  --workdir "$work" job {} work {} >/dev/null 2>&1 || status=$?
wait $killer || true
python3 "$here/table.py" "$REPORTS" "$jobs"
echo "parallel: status $status, the number of jobs that did not succeed, at most 101"
