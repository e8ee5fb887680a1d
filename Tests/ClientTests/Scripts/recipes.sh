# SPDX-License-Identifier: Apache-2.0
# The files of docs/recipes: those who read them take them, and what they start does what they say.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need python3 python3
recipes=$work/recipes
mkdir -p .ssh .local/bin
echo key >.ssh/id_ed25519
export GITHUB_TOKEN=secret

# A unit. The line is that of the file, with what systemd puts in; no control group is delegated here.
if command -v systemd-analyze >/dev/null; then
  mkdir -m 700 runtime
  sed "s|/usr/bin/nestbox|$work/bin/nestbox|" "$recipes/thing.service" >thing.service
  succeeds "systemd takes the unit" env XDG_RUNTIME_DIR="$HOME/runtime" systemd-analyze --user verify ./thing.service
else
  echo "left out: systemd is missing"
fi
cat >.local/bin/thing <<'EOF'
#!/usr/bin/python3
import http.server, os, pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path.home().joinpath("ended").touch(), sys.exit(0)))
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"key {pathlib.Path.home().joinpath('.ssh/id_ed25519').exists()}".encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("", int(os.environ.get("PORT", 8080))), Answer).serve_forever()
EOF
chmod +x .local/bin/thing
mkdir state
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
line=$(sed -n 's|^ExecStart=/usr/bin/||p' "$recipes/thing.service" |
  sed "s|%S/thing|$HOME/state|; s|%h|$HOME|; s|--publish 8080|--publish $port:8080|; s|--memory |--memory-try |; s|--processes |--processes-try |")
# shellcheck disable=SC2086
$line &
server=$!
ask() { python3 -c 'import sys, urllib.request; print(urllib.request.urlopen("http://127.0.0.1:" + sys.argv[1]).read().decode())' "$port"; }
await ask
is "the unit's program answers at its port, and sees no key" "key False" "$(ask)"
kill -TERM $server
status=0
wait $server || status=$?
is "it ends as systemd asks" 0 $status
is "and its home directory is kept" "$HOME/state/ended" "$(ls "$HOME/state/ended")"

# Jobs.
cat >Makefile <<'EOF'
test deps check:
	@echo $@ $${GITHUB_TOKEN-no token}; ls ~/.ssh 2>/dev/null; ! touch .git/made 2>/dev/null; touch made 2>/dev/null; true
EOF
mkdir project
mv Makefile project
git init -q project
lines() { # FILE: its lines of nestbox
  /usr/bin/python3 - "$1" <<'EOF'
import sys, yaml
def lines(value):
    if isinstance(value, dict): value = value.values()
    for part in value if not isinstance(value, (str, bool)) else []: yield from lines(part)
    if isinstance(value, str) and value.startswith("nestbox "): yield value
data = yaml.safe_load(open(sys.argv[1]))
kind = sys.argv[1].rpartition("/")[2]
if kind.startswith("github"):
    # YAML 1.1 reads `on` as true.
    assert set(data) == {"name", True, "permissions", "jobs"}, data
    assert all("run" in step or "uses" in step for step in data["jobs"]["test"]["steps"])
elif kind.startswith("gitlab"): assert data["test"]["script"], data
else: assert data["repos"][0]["hooks"][0].keys() >= {"id", "name", "language", "entry"}, data
print(*lines(data), sep="\n")
EOF
}
if /usr/bin/python3 -c 'import yaml' 2>/dev/null; then
  for pair in github-actions.yml:1 gitlab-ci.yml:2 pre-commit-config.yaml:1; do
    name=${pair%:*}
    lines "$recipes/$name" >jobs
    is "$name starts nestbox" "${pair#*:}" "$(wc -l <jobs)"
    while read -r line; do
      is "$name: ${line##* } runs without token and key" "${line##* } no token" "$(cd project && bash -c "$line" 2>errors)"
    done <jobs
    is "$name changes only what it may" "$([ $name = pre-commit-config.yaml ] || echo made)" "$(cd project && ls -d made .git/made 2>/dev/null)"
    rm -f project/made
  done
else
  echo "left out: python3-yaml is missing"
fi

# A hook of git.
cd project
git config user.name Joe
git config user.email joe@example.org
printf 'check:\n\t@grep -q good word && ! ls other 2>/dev/null\n' >Makefile
echo good >word
touch other
git add Makefile word
echo bad >word
install -m 755 "$recipes/pre-commit" .git/hooks/pre-commit
succeeds "the hook checks what is committed, and nothing else" git commit -qm first
git add word
refuses "it refuses what fails" git commit -qm second
cd ..

# An agent's lines.
python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["env"]["CLAUDE_CODE_SHELL_PREFIX"]' "$recipes/agent-settings.json"
mkdir -p .claude/shell-snapshots
echo 'alias=there' >.claude/shell-snapshots/one.sh
echo token >.claude/credentials
cd project
is "a line sees what its agent prepared, and no secret" "there,two words,no secret" \
  "$("$recipes/agent-shell" 'source ~/.claude/shell-snapshots/one.sh; echo $alias; echo "two words"; cat ~/.claude/credentials ~/.ssh/id_ed25519 || echo no secret' 2>/dev/null | paste -sd ,)"
"$recipes/agent-shell" 'echo changed >word; echo evil >.git/config' 2>/dev/null || true
is "it changes the project, and not its repository" "changed 0" "$(cat word) $(grep -c evil .git/config)"
status=0
"$recipes/agent-shell" 'exit 7' || status=$?
is "its status comes back" 7 $status
cd ..

# A menu entry.
if command -v desktop-file-validate >/dev/null; then
  succeeds "desktops take the entry" desktop-file-validate "$recipes/viewer.desktop"
fi
echo letter >'a letter.txt'
echo other >other.txt
line=$(sed -n 's/^Exec=\(.*\) xpdf %U$/\1/p' "$recipes/viewer.desktop")
# shellcheck disable=SC2086
is "the viewer sees the document and no other file" "letter,no other" \
  "$($line sh -c 'cat "$(echo "${1#file://}" | sed "s/%20/ /g")"; cat ~/other.txt || echo no other' sh "file://$HOME/a%20letter.txt" 2>/dev/null | paste -sd ,)"
