#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""learn-programs.py [PROGRAM...]: learns a profile from a run of each program, runs it under that
profile, shrinks the profile, runs the program again, and prints a table in Markdown.

The status is 1 if a run under a learned profile differs from the one that it was learned from, in
status or output. NESTBOX is the executable. Nothing has a home directory or a network.
"""

import os
import shutil
import subprocess
import sys
import tempfile

NESTBOX = os.environ.get("NESTBOX", "nestbox")
C = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'
FILES = {
    "in.txt": "one two\nthree\nfour four\n",
    "hello.c": C,
    "hello.cc": '#include <iostream>\nint main() { std::cout << "hello\\n"; }\n',
    "Makefile": "all: hello.o\n\t@echo made\nhello.o: hello.c\n\tgcc -c -o $@ hello.c\n",
    "page.1": ".TH PAGE 1\n.SH NAME\npage \\- a page\n",
    "data.json": '{"a": [1, 2, 3]}\n',
    "page.html": "<p id=one>hello</p><script>one.textContent = 6 * 7</script>\n",
    "Main.java": 'class Main { public static void main(String[] a) { System.out.println("hello"); } }\n',
    "main.go": 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n',
    "hello.tcl": "puts [expr {6 * 7}]\n",
    "key.pub": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiY x\n",
}
SERVER = (
    "python3 -m http.server --bind 127.0.0.1 8000 >log 2>&1 & "
    "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 0.5; "
    "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:8000/in.txt\").status)'"
    " 2>/dev/null && break; done; kill $!")
# Name, what shows the files to it, the line.
READ, WRITE = ["--read", "."], ["--write", "."]
PROGRAMS = [
    ("python3", [], ["python3", "-c", "import json, sqlite3, ssl; print(json.dumps([1]))"]),
    ("perl", [], ["perl", "-MPOSIX", "-e", 'print strftime("%Y", gmtime(0)), "\\n"']),
    ("gcc", WRITE, ["gcc", "-O1", "-o", "hello", "hello.c"]),
    ("g++", WRITE, ["g++", "-o", "hello", "hello.cc"]),
    ("make", WRITE, ["make", "-B"]),
    ("git", READ, ["git", "-c", "safe.directory=*", "log", "--format=%s", "--stat"]),
    ("vim", WRITE, ["vim", "-es", "-u", "NONE", "-i", "NONE", "-c", "%s/o/0/ge|wq!", "in.txt"]),
    ("less", READ, ["less", "in.txt"]),
    ("sqlite3", WRITE, ["sqlite3", "data.db", "create table if not exists t(a); select count(*) from t"]),
    ("curl", READ, ["sh", "-c", 'curl -s "file://$PWD/in.txt"']),
    ("xz", READ, ["xz", "-dc", "in.xz"]),
    ("tar", READ, ["tar", "-tf", "in.tar"]),
    ("bash", READ, ["bash", "-c", "for f in *; do echo $f; done; read a <in.txt; echo $a"]),
    ("awk", READ, ["awk", "{ print NF }", "in.txt"]),
    ("sed", READ, ["sed", "s/o/0/", "in.txt"]),
    ("grep", READ, ["grep", "-rc", "four", "in.txt", "data.json"]),
    ("find", READ, ["find", ".", "-maxdepth", "1", "-name", "*.c"]),
    ("groff", READ, ["groff", "-Tascii", "-man", "page.1"]),
    ("man", READ, ["man", "-P", "cat", "./page.1"]),
    ("ssh-keygen", READ, ["ssh-keygen", "-l", "-f", "key.pub"]),
    ("openssl", READ, ["openssl", "dgst", "-sha256", "in.txt"]),
    ("gpg", READ, ["gpg", "--print-md", "SHA256", "in.txt"]),
    ("jq", READ, ["jq", ".a[1]", "data.json"]),
    ("diff", READ, ["sh", "-c", "diff in.txt data.json; true"]),
    ("cmake", [], ["cmake", "--version"]),
    ("node", READ, ["node", "-e", 'console.log(require("fs").readFileSync("in.txt", "utf8").length)']),
    ("java", READ, ["java", "-cp", ".", "Main"]),
    ("go", WRITE, ["sh", "-c", "GOCACHE=$PWD/cache GO111MODULE=off go run main.go"]),
    ("ffmpeg", WRITE, ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=duration=1", "out.wav"]),
    ("podman (Go)", [], ["podman", "--version"]),
    ("tclsh", READ, ["tclsh", "hello.tcl"]),
    ("zstd", READ, ["zstd", "-c", "in.txt"]),
    ("gdb", [], ["gdb", "-nx", "-batch", "-ex", "print 6 * 7"]),
    ("rsync", WRITE, ["rsync", "-a", "in.txt", "copy.txt"]),
    ("clang", WRITE, ["clang", "-c", "-o", "hello.o", "hello.c"]),
    ("chromium", ["--read", "/etc/chromium.d", *READ], ["sh", "-c", 'chromium --headless --no-sandbox --disable-gpu --dump-dom "file://$PWD/page.html" 2>/dev/null']),
    ("server", WRITE, ["sh", "-c", SERVER]),
]
NEEDS = {"server": "python3", "java": "javac", "podman (Go)": "podman"}


def run(options, command, directory, environment):
    done = subprocess.run(
        [NESTBOX, *options, "--", *command], cwd=directory, env=environment,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    # Notices have the whole line in them, which differs from run to run.
    errors = [line for line in done.stderr.splitlines() if not line.startswith(b"nestbox: ")]
    return done.returncode, done.stdout, b"\n".join(errors), done.stderr


def prepare(directory):
    for name, text in FILES.items():
        with open(os.path.join(directory, name), "w") as file:
            file.write(text)
    quiet = {"cwd": directory, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run("tar -cf in.tar in.txt hello.c; xz -k in.txt; mv in.txt.xz in.xz; git init -q . && git add in.txt && "
                   "git -c user.name=J -c user.email=j@example.org commit -q -m first;"
                   "command -v javac && javac Main.java", shell=True, **quiet)


def lines(profile):
    with open(profile, "rb") as file:
        return sum(line.lstrip().startswith(b"-") for line in file)


def row(name, options, command, work):
    """The table's row for a program, and whether all was the same."""
    directory, profile = os.path.join(work, "in", name), os.path.join(work, name + ".profile")
    os.makedirs(directory)
    prepare(directory)
    environment = {"PATH": os.environ["PATH"], "HOME": work, "LC_ALL": "C", "TERM": "dumb"}
    run(options, command, directory, environment)
    expected = run(options, command, directory, environment)[:3]
    learned = run(["--learn", profile, *options], command, directory, environment)
    if learned[0] != 0:
        return f"| {name} | not learned: status {learned[0]}: {learned[3][-300:]!r} | | | |", False
    before = lines(profile)
    under = run(["--profile", profile], command, directory, environment)[:3]
    verified = run(["--verify", profile], command, directory, environment)
    enough = b"is enough for this run" in verified[3]
    shrunk = run(["--verify", profile, "--shrink"], command, directory, environment)
    after = run(["--profile", profile], command, directory, environment)[:3]
    same = under == expected and after == expected and shrunk[0] == 0
    # A thing that was not looked for while the profile was learned.
    note = "same" if same and enough else "same; more was looked for" if same else f"differs: {expected} {under} {after} {verified[3][-600:]!r} {shrunk[3][-300:]!r}"
    text = " ".join(command).replace("\n", " ").replace("|", "\\|")
    text = text if len(text) < 60 else text[:57] + "..."
    return f"| {name} | `{text}` | {note} | {before} | {lines(profile)} |", same


def main():
    wanted = sys.argv[1:]
    print("| program | command | status and output | lines | after --shrink |\n|---|---|---|---|---|")
    status = 0
    with tempfile.TemporaryDirectory(dir=os.environ.get("LEARN_DIR")) as work:
        for name, options, command in PROGRAMS:
            if wanted and name not in wanted:
                continue
            if not shutil.which(NEEDS.get(name, name)):
                print(f"| {name} | not installed | | | |", flush=True)
                continue
            text, same = row(name, options, command, work)
            print(text, flush=True)
            status |= not same
    sys.exit(status)


main()
