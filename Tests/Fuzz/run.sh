#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh SECONDS: builds the fuzzer and runs each of its targets that long, from a corpus that is
# made of the option table, the examples, the profiles and the policies. What it finds stays in
# .build/fuzz/corpus, and a crash in .build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
work=$PWD/.build/fuzz
swift build --package-path Tests/Fuzz --scratch-path "$work" \
  -Xswiftc -sanitize=fuzzer,address -Xswiftc -parse-as-library \
  -Xcc -fsanitize=fuzzer-no-link,address 2>&1 | tail -n 1
fuzzer=$(find "$work" -name Fuzzer -type f -perm -u+x | head -n 1)
corpus() { mkdir -p "$work/corpus/$1"; }
targets="options args policy oci profile elf script records running git review groups watched network learned"
for target in $targets; do corpus $target; done
# Words of the examples, as they would be typed.
grep -rhoE '^\$ .*nestbox .*' Tests/BehaviourTests/Cases | sed -n '1,600s/.*nestbox //p' |
  while IFS= read -r line; do
    name=$(printf %s "$line" | cksum | cut -d ' ' -f 1)
    printf %s "$line" | tr ' ' '\0' | tee "$work/corpus/options/$name" >"$work/corpus/args/$name"
  done
cp profiles/*.profile "$work/corpus/profile/"
# Messages and lines of reports: an end, a name that was left, a failure with its origin.
printf '\x05\x03\x01' >"$work/corpus/records/end"
printf '\x07\x01\x01\x08\x07\x06\x05\x04\x03\x02\x01\x03\x00new' >"$work/corpus/records/left"
printf '\x01\x00\x01\x16\x00\x02\x12\x02\x00\x00\x00\x04\x00bind\xff\xff\x00\x04\x00/mnt\x02\x00\x03\x01' \
  >"$work/corpus/records/failure"
for file in stat status mountinfo limits cgroup uid_map net/dev net/fib_trie net/if_inet6 cmdline; do
  head -c 4096 "/proc/self/$file" >"$work/corpus/running/${file//\//-}"
done
cp seccomp/*.policy "$work/corpus/policy/"
cp Tests/BehaviourTests/Programs/engine.json "$work/corpus/oci/"
# What Debian's packages have of Podman and Docker.
for file in /usr/share/containers/seccomp.json /usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json; do
  [ ! -e $file ] || cp $file "$work/corpus/oci/$(echo $file | cut -d / -f 4).json"
done
grep -ohE '"[A-Za-z0-9_.]+"' "$work"/corpus/oci/*.json | sort -u >"$work/words-oci"
printf '[core]\n\thooksPath = "tools/hooks" # here\n[include]\npath=../shared\n[filter "a"]\nclean = tools/clean \\\n %%f\n' \
  >"$work/corpus/git/config"
printf 'nestbox-review 1\nstarted 1700000000 5\ntoken 77\ntree 26 9 /home/joe/a%%20b\n' >"$work/corpus/review/record"
printf 'gitdir: ../.git/worktrees/one\n' >"$work/corpus/git/file"
for file in cgroup mountinfo io; do cp "/proc/self/$file" "$work/corpus/groups/$file"; done
printf 'usage_usec 5672\nuser_usec 2836\nsystem_usec 2836\n' >"$work/corpus/groups/cpu.stat"
printf '8:0 rbytes=90430464 wbytes=299008000 rios=8950\n' >"$work/corpus/groups/io.stat"
python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("<II6Q", 257, 0xc000003e, 2**64 - 100, 0, 0, 0, 0, 0) + b"name\0" + bytes(64))' >"$work/corpus/watched/openat"
printf 'C2: -> org.example.X call org.example.I.M at /\n*HIDDEN* (ping)\nFiltering message due to arg0 org.example.Y, policy: 0 (required 3)\n' \
  >"$work/corpus/watched/log"
python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("<II6Q", 44, 0xc000003e, 3, 64, 29, 0x4000, 0, 0) + bytes(64) + b"\1\2\1\0\0\1" + bytes(6) + b"\7example\3org\0\0\1\0\1")' \
  >"$work/corpus/watched/question"
printf 'OK 0123456789abcdef\r\nl\4\1\1\10\0\0\0\1\0\0\0\5\0\0\0abcde\0\0\0bodybodyl\2\1\1\0\0\0\0\2\0\0\0\0\0\0\0' \
  >"$work/corpus/groups/answer"
# A question with options, an answer, and a rule.
printf '\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x01a\x04test\x00\x00\x01\x00\x01\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00' \
  >"$work/corpus/network/question"
printf '\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01a\x04test\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04\xcb\x00\x71\x07' \
  >"$work/corpus/network/answer"
printf 'a.test:80,443=[2001:db8::1]:8080' >"$work/corpus/network/rule"
printf 'home/a b\0etc/\n--share-net\0usr/"\\$\0home/.x' >"$work/corpus/learned/names"
# A program with a loader, a library and a search path, as small as the linker makes it.
echo 'int main(void) { return 0; }' | gcc -x c - -s -Wl,-z,noseparate-code -Wl,-rpath,'$ORIGIN/../lib' \
  -o "$work/corpus/elf/program" || true
printf '#!/usr/bin/env -S python3 -I\n' >"$work/corpus/script/env"
printf '#! /bin/sh\r\n' >"$work/corpus/script/windows"
sed -n 's/^ *\(--[a-z0-9-]*\).*/"\1"/p' Tests/OptionsTests/Golden/help.txt | sort -u >"$work/words"
status=0
for target in ${FUZZ_TARGETS:-$targets}; do
  longest=4096
  words=$work/words
  [ $target != elf ] || longest=32768
  [ $target != oci ] || { longest=32768 words=$work/words-oci; }
  echo "== $target"
  (cd "$work" && FUZZ=$target "$fuzzer" -max_total_time="$seconds" -max_len=$longest -timeout=10 \
    -rss_limit_mb=4096 -dict="$words" -print_final_stats=1 -artifact_prefix="$work/$target-" \
    "$work/corpus/$target") >"$work/$target.log" 2>&1 || status=1
  grep -E '^stat::(number_of_executed_units|new_units_added|peak_rss_mb)|^SUMMARY|ERROR|Fatal error' "$work/$target.log" || true
  grep -oE 'cov: [0-9]+' "$work/$target.log" | tail -n 1 || true
done
exit $status
