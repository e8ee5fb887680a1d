// SPDX-License-Identifier: Apache-2.0
// --tmp-home, with programs that people use every day.

import TestSupport
import Testing

@Suite("A home directory whose changes vanish", .needs("python3"), .needs("git"), .needs("vim"))
struct TemporaryHomeTests {
  // Red: a program does not find its settings, what it writes stays, or it sees a secret.
  @Test func `Programs find their settings, and what they write about them vanishes`() throws {
    let outcome = try Session().python(
      #"""
      import os, subprocess
      home = os.path.abspath("home"); os.makedirs(f"{home}/.ssh"); os.environ["HOME"] = home
      site = subprocess.run(["python3", "-c", "import site; print(site.getusersitepackages())"], capture_output=True, text=True).stdout.strip(); os.makedirs(site)
      for name, text in ((".vimrc", "let g:mine = 'vim settings'\n"), (".gitconfig", "[user]\n  name = Git Settings\n"), (".bashrc", "mine='bash settings'\n"),
                         (f"{site}/mine.py", "text = 'python settings'\n"), (".ssh/id", "SECRET\n"), (".git-credentials", "SECRET\n"), (".bash_history", "SECRET\n")):
        with open(os.path.join(home, name), "w") as file: file.write(text)
      def state(): return {path: (os.lstat(path).st_mtime_ns, open(path).read()) for top, _, names in os.walk(home) for path in (os.path.join(top, name) for name in names)}
      before = state()
      def run(*words): return subprocess.run(["nestbox", "--tmp-home", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
      def show(text): r = run("sh", "-c", text); print(r.stdout.strip(), r.stderr.strip(), r.returncode)
      show("vim -T dumb --not-a-term -c 'call writefile([g:mine], expand(\"~/seen\"))' -c 'qa!' >/dev/null 2>&1; cat ~/seen; echo changed >>~/.vimrc")
      show("git config --global user.email made@example.org && git config --global user.name && git config --global user.email")
      show("bash -ic 'echo $mine; echo changed >>~/.bashrc; history -w' 2>/dev/null; :")
      show(f"python3 -c 'import mine; print(mine.text)'; ls {site}/__pycache__ | wc -l")
      show("cat ~/.ssh/id ~/.git-credentials ~/.bash_history 2>/dev/null; grep -rl SECRET ~; :")
      print(state() == before)
      """#)
    #expect(
      outcome.lines == [
        "vim settings  0", "Git Settings", "made@example.org  0", "bash settings  0",
        "python settings", "1  0", "  0", "True",
      ], "\(outcome)")
  }
}
