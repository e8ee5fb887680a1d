# SPDX-License-Identifier: Apache-2.0
# policies.sh [SWIFTC]
#
# Everyday programs under the policy `default`, and a browser under `desktop`: each does the same as
# without a policy, and prints the same.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

box=(nestbox --unshare-pid --unshare-net --ro-bind / / --dev /dev --proc /proc
  --tmpfs /tmp --bind "$HOME" "$HOME" --setenv TMPDIR /tmp)

# The same command without a policy and with one prints the same, and succeeds.
same() { # WHAT COMMAND…
  local what=$1 plain under
  shift
  rm -rf made && mkdir made
  plain=$("${box[@]}" "$@" 2>&1) || fail "$what, without a policy" "$plain"
  rm -rf made && mkdir made
  under=$("${box[@]}" --seccomp-policy "${policy:-default}" "$@" 2>&1) ||
    fail "$what, under ${policy:-default}" "$under"
  is "$what" "$plain" "$under"
}

same "bash, with jobs, pipes and redirections" bash -c '
  set -m; sleep 0.1 & wait; for i in $(seq 20); do echo $i | (read x; echo $((x * x))); done
  exec 5<>made/file; echo x >&5; mapfile -t lines < <(printf "a\nb\n"); echo "${lines[@]}"; kill -0 $$'
same "coreutils" bash -c '
  cd made; seq 1000 | sort -R | sort -n | head -n 3; cp -a /etc/hostname copy; mv copy moved
  ln moved link; ln -s moved symlink; stat -c %h moved; chmod 640 moved; touch -d @0 moved
  dd if=/dev/zero of=zero bs=4k count=4 2>/dev/null; truncate -s 1M sparse; du -k zero | cut -f 1
  split -b 4k zero part; cat part* | cksum; timeout 5 nproc >/dev/null; mkfifo fifo; tee a <zero | wc -c
  df . >/dev/null; sync zero; shred -u sparse; nice -n 5 nohup true; rm -rf ./*; uname -s; tty; id -u'
need python3 python3
same "python3 with threads, processes and subprocesses" python3 -c '
import concurrent.futures as f, multiprocessing as m, subprocess, asyncio, mmap, tempfile, select, signal
with f.ThreadPoolExecutor(8) as e: print(sum(e.map(lambda n: n * n, range(100))))
with m.Pool(3) as p: print(sum(p.map(abs, range(100))))
print(subprocess.run(["echo", "x"], capture_output=True, text=True).stdout)
async def a():
  p = await asyncio.create_subprocess_exec("true"); return await p.wait()
print(asyncio.run(a())); print(len(mmap.mmap(-1, 4096))); tempfile.TemporaryFile().write(b"x")
m.shared_memory = __import__("multiprocessing.shared_memory").shared_memory
s = m.shared_memory.SharedMemory(create=True, size=4096); s.close(); s.unlink()
select.epoll(); signal.setitimer(signal.ITIMER_REAL, 5)'
need gcc gcc
need make make
mkdir -p project && cat >project/Makefile <<'END'
objects := $(patsubst %,made/%.o,one two three four)
made/program: $(objects) made/libextra.so
	gcc -o $@ $(objects) -Lmade -lextra -Wl,-rpath,'$$ORIGIN' -pthread
made/libextra.so: project/extra.c
	gcc -shared -fPIC -flto -O2 -o $@ $<
made/%.o: project/%.c
	gcc -g -O2 -Wall -pipe -c -o $@ $<
END
for name in one two three four; do
  printf '#include <stdio.h>\nvoid %s(void) { puts("%s"); }\n' $name $name >project/$name.c
done
cat >>project/one.c <<'END'
#include <pthread.h>
void two(void); void three(void); void four(void); int extra(void);
static void *work(void *x) { return x; }
int main(void) {
  pthread_t thread; pthread_create(&thread, 0, work, 0); pthread_join(thread, 0);
  one(); two(); three(); four(); return extra();
}
END
echo 'int extra(void) { return 0; }' >project/extra.c
same "gcc and make, with jobs" bash -c 'make -s -j 4 -f project/Makefile && made/program'
need git git
same "git" bash -c '
  cd made; git init -q -b main one; cd one; git config user.name x; git config user.email x@y
  for i in 1 2 3; do echo $i >file; git add file; git commit -q -m "$i"; done; git log --format=%s
  git gc -q; cd ..; git clone -q one two; git -C two fsck 2>&1; git -C two worktree add -q ../three
  git -C three rebase -q HEAD~1; git -C two diff --stat HEAD~1'
need sqlite3 sqlite3
same "sqlite3" sqlite3 made/base.db '
  pragma journal_mode=wal; create table t(a); insert into t values (1), (2);
  begin; update t set a = a + 1; commit; select sum(a) from t; vacuum; pragma integrity_check;'
need curl curl
same "a server and curl, on loopback" bash -c '
  cd made; echo served >page; python3 -u -m http.server 8000 --bind 127.0.0.1 >/dev/null 2>&1 & server=$!
  curl -s --retry 50 --retry-connrefused --retry-delay 0 http://127.0.0.1:8000/page; kill $server'
same "tar, with every compressor that there is" bash -c '
  cd made; mkdir in; seq 1000 >in/numbers; ln -s numbers in/link
  for c in gzip bzip2 xz; do ! command -v $c >/dev/null || { tar --$c -cf a.tar in; tar -tf a.tar; }; done
  rm -rf in; tar -xpf a.tar; cksum <in/numbers'
need rsync rsync
same "rsync" bash -c 'cd made; mkdir in; seq 99 >in/a; rsync -aHAX --inplace in/ out; rsync -a --delete in/ out; ls out'

# Programs that many machines lack: a missing one is reported and skipped.
if command -v node >/dev/null; then
  # Two of them may print in either order.
  same "node, with workers, children and a socket" bash -c 'node -e "$1" | sort' bash '
    const { Worker } = require("worker_threads"), { execFileSync, fork } = require("child_process")
    const fs = require("fs"), net = require("net")
    new Worker("require(`worker_threads`).parentPort.postMessage(42)", { eval: true }).on("message", console.log)
    console.log(execFileSync("echo", ["x"]).toString()); fs.writeFileSync("made/f", "x")
    const s = net.createServer(c => c.end("hello")).listen(0, "127.0.0.1", () =>
      net.connect(s.address().port, "127.0.0.1").on("data", d => { console.log(d.toString()); s.close() }))'
else echo "passed over: node is not here"; fi
if command -v javac >/dev/null; then
  cat >Program.java <<'END'
import java.util.stream.*;
public class Program {
  public static void main(String[] words) throws Exception {
    System.out.println(IntStream.range(0, 10000).parallel().sum());
    var p = new ProcessBuilder("echo", "x").start();
    System.out.println(new String(p.getInputStream().readAllBytes()));
    try (var s = new java.net.ServerSocket(0)) { System.out.println(s.getLocalPort() > 0); }
    System.gc();
  }
}
END
  same "java and its compiler" bash -c 'javac -d made Program.java && java -cp made Program'
else echo "passed over: java is not here"; fi
swift=${1-}
if [ -x "$swift" ]; then
  echo 'import Foundation; print(ProcessInfo.processInfo.arguments.count, Date() > .distantPast)' >program.swift
  same "swift's compiler, and what it makes" bash -c '
    "$0" -module-cache-path made -o made/program program.swift && made/program' "$swift"
else echo "passed over: swift is not here"; fi
if command -v chromium >/dev/null; then
  echo '<p id=x></p><script>x.textContent = [6, 7].reduce((a, b) => a * b) + " is drawn"</script>' >page.html
  # With its own sandbox, of nested namespaces and filters.
  policy=desktop same "a headless browser, with its own sandbox" bash -c '
    chromium --headless --disable-gpu --user-data-dir=/tmp/profile --dump-dom "file://$HOME/page.html" 2>/dev/null'
  has "and it has drawn" "42 is drawn" "$("${box[@]}" --seccomp-policy desktop chromium --headless \
    --disable-gpu --user-data-dir=/tmp/profile --dump-dom "file://$HOME/page.html" 2>/dev/null)"
  # Red: a policy that lets everything through would pass all of this.
  refuses "under default it finds no namespaces to make" "${box[@]}" --seccomp-policy default \
    chromium --headless --disable-gpu --user-data-dir=/tmp/profile --dump-dom "file://$HOME/page.html"
else echo "passed over: chromium is not here"; fi
