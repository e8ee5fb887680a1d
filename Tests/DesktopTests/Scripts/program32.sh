# SPDX-License-Identifier: Apache-2.0
# A 32-bit program under each profile.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need gcc gcc
[ "$(uname -m)" = x86_64 ] || skip "needs an x86-64 machine"
gcc -m32 -isystem "/usr/include/$(gcc -print-multiarch)" -o program32 "$(dirname "$0")/program32.c" 2>/dev/null ||
  skip "needs libc6-dev-i386"

has "outside it works" "works, old yes, new yes" "$(./program32)"
is "under desktop it works, without the sockets whose family no filter sees" \
  "works, old no, new yes, vsock no" "$(nestbox --profile desktop ./program32)"
# Every family then, as SECURITY.md says.
has "it gets them on request" "works, old yes, new yes" \
  "$(nestbox --profile desktop --seccomp-allow socketcall ./program32)"
mkdir project
cp program32 project
cd project
for profile in untrusted build; do
  is "under $profile it does not start" 159 "$(nestbox --profile $profile ./program32 >/dev/null 2>&1 || echo $?)"
done
