# SPDX-License-Identifier: Apache-2.0
"""Types into a real shell in a terminal, presses Tab, and looks at the screen.

usage: terminal.py SHELL    (bash, zsh or fish); prints what was not as expected.
"""

import os
import re
import subprocess
import sys
import time

SHELL = sys.argv[1]
HOME = os.getcwd()
SOCKET = os.path.join(HOME, "tmux")
# Far more than a completion takes on a machine with nothing else to do.
PATIENCE = 60
PROMPT = "READY> "

# What is typed, and what the line is afterwards: a single completion is inserted.
LINES = [
    # Options, whole or as far as they are the same.
    ("nestbox --mqu", "nestbox --mqueue"),
    ("nestbox --unshare-all --mqu", "nestbox --unshare-all --mqueue"),
    ("nestbox --assert", "nestbox --assert-userns-disabled"),
    # Operands of each kind, the first and those behind it.
    ("nestbox --ro-bind dat", "nestbox --ro-bind data/"),
    ("nestbox --ro-bind data/fi", "nestbox --ro-bind data/file.txt"),
    ("nestbox --ro-bind / dat", "nestbox --ro-bind / data/"),
    ("nestbox --overlay data data data/fi", "nestbox --overlay data data data/file.txt"),
    ("nestbox --tmpfs d", "nestbox --tmpfs data/"),
    ("nestbox --cap-add cap_net_ra", "nestbox --cap-add cap_net_raw"),
    ("nestbox --cap-drop AL", "nestbox --cap-drop ALL"),
    ("nestbox --unsetenv UNLIKELY_NA", "nestbox --unsetenv UNLIKELY_NAME"),
    ("nestbox --setenv UNLIKELY_NA", "nestbox --setenv UNLIKELY_NAME"),
    ("nestbox --generate fi", "nestbox --generate fish"),
    ("nestbox --profile untr", "nestbox --profile untrusted"),
    ("nestbox --profile mi", "nestbox --profile mine"),
    ("nestbox --profile data/fi", "nestbox --profile data/file.txt"),
    ("nestbox --seccomp-policy defau", "nestbox --seccomp-policy default"),
    ("nestbox --seccomp-deny io_uring_se", "nestbox --seccomp-deny io_uring_setup"),
    ("nestbox --seccomp-deny read,io_uring_se", "nestbox --seccomp-deny read,io_uring_setup"),
    ("nestbox --seccomp-deny read,@keyri", "nestbox --seccomp-deny read,@keyring"),
    ("nestbox --landlock-scope sig", "nestbox --landlock-scope signal"),
    ("nestbox --help exit", "nestbox --help exit-status"),
    ("nestbox --help --die", "nestbox --help --die-with-parent"),
    # The command, found behind options of none, one, two and three operands.
    ("nestbox unlikely-com", "nestbox unlikely-command"),
    ("nestbox --unshare-all unlikely-com", "nestbox --unshare-all unlikely-command"),
    ("nestbox --uid 0 unlikely-com", "nestbox --uid 0 unlikely-command"),
    ("nestbox --ro-bind / / unlikely-com", "nestbox --ro-bind / / unlikely-command"),
    ("nestbox --overlay a b c unlikely-com", "nestbox --overlay a b c unlikely-command"),
    ("nestbox --setenv A b:c=d unlikely-com", "nestbox --setenv A b:c=d unlikely-command"),
    ("nestbox --setenv A 'b c' unlikely-com", "nestbox --setenv A 'b c' unlikely-command"),
    ("nestbox --setenv A --bind unlikely-com", "nestbox --setenv A --bind unlikely-command"),
    ("nestbox --uid 0 -- unlikely-com", "nestbox --uid 0 -- unlikely-command"),
    ("nestbox ./scr", "nestbox ./script"),
    # Words of the command: its own completion, and none of nestbox's options.
    ("nestbox unlikely-command wo", "nestbox unlikely-command word-of-its-own"),
    ("nestbox --uid 0 -- unlikely-command wo", "nestbox --uid 0 -- unlikely-command word-of-its-own"),
    (
        "nestbox --setenv A b:c=d --ro-bind / / unlikely-command --its",
        "nestbox --setenv A b:c=d --ro-bind / / unlikely-command --its-option",
    ),
    ("nestbox unlikely-command --mqu", "nestbox unlikely-command --mqu"),
    ("nestbox -- unlikely-command --mqu", "nestbox -- unlikely-command --mqu"),
]

# What is typed, what the list that is shown must have, and what it must not have.
LISTS = [
    ("nestbox --ro-b", ["--ro-bind", "--ro-bind-try", "--ro-bind-fd", "--ro-bind-data"], []),
    ("nestbox --unshare-net --unshare-", ["--unshare-pid", "--unshare-ipc"], ["--unshare-net"]),
    ("nestbox --ro-bind a b --ro-b", ["--ro-bind", "--ro-bind-try"], []),
    ("nestbox --seccomp ", ["0", "7"], ["8"]),
    ("nestbox --tmpfs data/", ["inner", "other"], ["file.txt"]),
    ("nestbox --overlay data/", ["inner", "other"], ["file.txt"]),
    ("nestbox --generate ", ["man", "bash", "zsh"], ["--help"]),
]

# What is typed where names are offered that somebody else has chosen, so that the shell runs
# something where it takes them for code. Enter follows on Tab.
HOSTILE = [
    "nestbox --profile hostile", "nestbox --show-profile hostile", "nestbox --profile data/hostile",
    "nestbox --profile hostile-", "nestbox --tmpfs data/hostile", "nestbox --wrap hostile",
    "nestbox --wrap ./hostile", "nestbox hostile", "nestbox --unshare-all ./hostile",
    "nestbox --seccomp-policy data/hostile", "nestbox --overlay data/hostile",
    "nestbox --profile 'hostile", 'nestbox --profile "hostile', "nestbox --wrap 'hostile",
]
NAMES = [
    "hostile$(touch ran)", "hostile-`touch ran`", "hostile-;touch ran;", "hostile-\ntouch ran\n",
    "hostile-x' ;touch ran;'", "hostile-${x:=$(touch ran)}", "hostile-*",
    "hostile-a[$(touch ran)]", 'hostile-"$(touch ran)"', "hostile- \t$(touch ran)",
]

# Which of them a shell does otherwise.
if SHELL == "fish":
    # The descriptors of fish are its own: it has no way to open one.
    LISTS = [entry for entry in LISTS if "--seccomp" not in entry[0]]

START = {
    "bash": [
        "bash", "--noprofile", "--rcfile", "bashrc", "-i",
    ],
    "zsh": ["zsh", "-d", "-i"],
    "fish": ["fish", "-i"],
}


def write(path, text):
    os.makedirs(os.path.dirname(os.path.join(HOME, path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def generate(path):
    script = subprocess.run(
        ["nestbox", "--generate", SHELL], check=True, capture_output=True, text=True
    )
    write(path, script.stdout)


def prepare():
    for name in ["data/inner/x", "data/other/x", "data/file.txt"]:
        write(name, "")
    for name in ["bin/unlikely-command", "script"]:
        write(name, "#!/bin/sh\n")
        os.chmod(name, 0o755)
    os.environ["UNLIKELY_NAME"] = "value"
    # fish requires a directory that only its user can read.
    os.environ["XDG_RUNTIME_DIR"] = HOME + "/run"
    os.mkdir("run", 0o700)
    os.environ["PATH"] = HOME + "/bin:" + os.environ["PATH"]
    write(".config/nestbox/profiles/mine.profile", "--unshare-all\n")
    for name in NAMES:
        write(f".config/nestbox/profiles/{name}.profile", "--unshare-all\n")
        for place in [f"data/{name}", f"bin/{name}", name]:
            write(place, "#!/bin/sh\n")
            os.chmod(place, 0o755)
        os.makedirs(f"data/{name}d")
    share = ".local/share/"
    if SHELL == "bash":
        # Found by bash-completion as the one that is installed is.
        generate(share + "bash-completion/completions/nestbox")
        write(
            share + "bash-completion/completions/unlikely-command",
            "complete -W 'word-of-its-own --its-option' unlikely-command\n",
        )
        write(
            "bashrc",
            ". /usr/share/bash-completion/bash_completion\n"
            f"PS1='{PROMPT}'; exec 7</dev/null\nbind 'set bell-style none'\n"
            "bind 'set page-completions off'\nbind 'set show-all-if-ambiguous on'\nbind 'set completion-query-items 0'\n",
        )
    elif SHELL == "zsh":
        generate("functions/_nestbox")
        write(
            "functions/_unlikely-command",
            "#compdef unlikely-command\n_arguments --its-option '1:word:(word-of-its-own)'\n",
        )
        write(
            ".zshrc",
            "fpath=(~/functions $fpath); autoload -U compinit; compinit -u -D\n"
            f"PS1='{PROMPT}'; exec 7</dev/null; unsetopt beep list_ambiguous; LISTMAX=1000\n",
        )
    else:
        generate(share + "fish/vendor_completions.d/nestbox.fish")
        write(
            ".config/fish/completions/unlikely-command.fish",
            "complete -c unlikely-command -f -a word-of-its-own\n"
            "complete -c unlikely-command -l its-option\n",
        )
        # Otherwise it begins by reading every manual page of the machine.
        os.makedirs(share + "fish/generated_completions")
        write(
            ".config/fish/config.fish",
            f"function fish_prompt; echo -n '{PROMPT}'; end\n"
            "function fish_right_prompt; end\nset -g fish_greeting\n"
            "set -g fish_autosuggestion_enabled 0\n",
        )


def tmux(*arguments):
    result = subprocess.run(
        ["tmux", "-S", SOCKET, "-f", "/dev/null", *arguments],
        check=True, capture_output=True, text=True,
    )
    return result.stdout


def screen():
    return tmux("capture-pane", "-p", "-t", "shell").rstrip("\n").split("\n")


def wait(condition, patience=PATIENCE):
    """Waits until the screen is as wanted; answers the last one seen, and whether it is."""
    end = time.monotonic() + patience
    while True:
        lines = screen()
        if condition(lines):
            return lines, True
        if time.monotonic() > end:
            return lines, False
        time.sleep(0.02)


def is_ready(lines):
    return [line for line in lines if line] == [PROMPT.rstrip()]


def type_line(text):
    """Begins a line on an empty screen and types into it."""
    # Keys that the shells read in order, and not Ctrl-C: the terminal makes that a signal, which a
    # shell may take after the keys that follow it.
    tmux("send-keys", "-t", "shell", "C-e", "C-u", "C-l")
    if not wait(is_ready, PATIENCE / 4)[1]:
        # The shell took an earlier Ctrl-C before the keys that came first, and is idle in an unfinished line.
        for key in ["C-c", "C-l"]:
            tmux("send-keys", "-t", "shell", key)
        if not wait(is_ready)[1]:
            print("no prompt:", screen())
            return
    tmux("send-keys", "-t", "shell", "-l", text)
    wait(lambda lines: lines[0].rstrip() == (PROMPT + text).rstrip())


def check_line(typed, expected):
    type_line(typed)
    tmux("send-keys", "-t", "shell", "Tab")
    # A mark at the end shows when Tab has been dealt with.
    tmux("send-keys", "-t", "shell", "-l", "@")
    # Behind an element of a list there may be a comma for the next.
    wanted = re.escape(PROMPT + expected) + "[ ,]?@ *"
    lines, is_met = wait(lambda lines: re.fullmatch(wanted, lines[0]))
    if not is_met:
        print(f"{typed}<Tab>: wanted {expected}, got", *lines, sep="\n  ")


def check_list(typed, present, absent):
    type_line(typed)
    tmux("send-keys", "-t", "shell", "Tab")

    def words(lines):
        # What was typed does not count.
        listed = " ".join(line for line in lines if not line.startswith(PROMPT))
        # fish writes so what is common to the beginnings of all.
        listed = listed.replace("\N{HORIZONTAL ELLIPSIS}", "-")
        found = [word.rstrip("/") for word in listed.split()]
        return [word.removeprefix("data/") for word in found]

    lines, is_met = wait(lambda lines: set(present) <= set(words(lines)))
    if not is_met:
        print(f"{typed}<Tab>: wanted {present}, got", *lines, sep="\n  ")
    for word in set(absent) & set(words(lines)):
        print(f"{typed}<Tab>: offers {word}", *lines, sep="\n  ")


def check_hostile(typed):
    """Tab, the first choice where there are several, and Enter: nothing that a name says is run."""
    type_line(typed)
    for key in ["Tab", "Tab", "Tab", "Enter", "Enter"]:
        tmux("send-keys", "-t", "shell", key)
    tmux("send-keys", "-t", "shell", "C-c")
    tmux("send-keys", "-t", "shell", "C-l")
    wait(lambda lines: lines[0].startswith(PROMPT.rstrip()))
    if os.path.exists("ran"):
        print(f"{typed}<Tab>: ran the name of a file")
        os.remove("ran")


def main():
    prepare()
    tmux("new-session", "-d", "-s", "shell", "-x", "300", "-y", "50", *START[SHELL])
    try:
        _, is_met = wait(is_ready)
        if not is_met:
            print("the shell does not start:", *screen(), sep="\n")
            return
        for typed, expected in LINES:
            check_line(typed, expected)
        for typed, present, absent in LISTS:
            check_list(typed, present, absent)
        for typed in HOSTILE:
            check_hostile(typed)
        print("all tried")
    finally:
        tmux("kill-server")


main()
