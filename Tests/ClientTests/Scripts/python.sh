# SPDX-License-Identifier: Apache-2.0
# The Python package: its tests, and its wheel in a fresh virtual environment.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need python3 python3
export PYTHONDONTWRITEBYTECODE=1
export TMPDIR=$work/home
NESTBOX=$work/bin/nestbox PYTHONPATH=$work/Python \
  python3 -m unittest discover -s "$work/scripts/python" 2>log || fail "the tests of the package" "$(cat log)"
echo "ok: the tests of the package"

python3 -c 'import ensurepip' 2>/dev/null || skip "python3-venv is missing"
if readelf -l "$work/bin/nestbox" | grep -q INTERP; then skip "a wheel needs the static executable"; fi
mkdir one two bare thing
cp -r "$work/Python" "$work/LICENSE" two
for place in "$work" two; do
  python3 "$place/Python/build_wheel.py" "$work/bin/nestbox" one >/dev/null
  mv one/*.whl "one/$(basename "$place").zip"
done
succeeds "two builds in two directories give the same bytes" cmp "one/$(basename "$work").zip" one/two.zip
wheel=$(python3 "$work/Python/build_wheel.py" "$work/bin/nestbox" one)

python3 -m venv fresh
# Nothing of the scene is used from here on.
PATH=/usr/bin:/bin
unset PYTHONPATH NESTBOX
fresh/bin/pip install -q --no-index "$wheel"
printf '#!/bin/sh\nls -A; ls -A ..\n' >thing/thing
chmod +x thing/thing
is "the wheel brings the executable" $'thing\nthing' "$(cd thing && ../fresh/bin/nestbox ./thing 2>/dev/null)"
is "and the package, which finds it" "$PWD/fresh/bin/nestbox exited thing,thing" "$(cd thing && ../fresh/bin/python -c '
import nestbox
result = nestbox.run(["./thing"], capture_output=True, text=True)
print(nestbox.find_executable(), result.outcome, result.stdout.strip().replace("\n", ","))')"
fresh/bin/pip install -q --no-index --target bare "$wheel"
is "installed elsewhere, it finds that one" "$PWD/bare/bin/nestbox" \
  "$(PYTHONPATH=bare fresh/bin/python -c 'import nestbox; print(nestbox.find_executable())')"
fresh/bin/pip uninstall -q -y nestbox
is "and is removed as a whole" "" "$(find fresh -name '*nestbox*')"
