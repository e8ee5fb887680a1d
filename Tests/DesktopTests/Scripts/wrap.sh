# SPDX-License-Identifier: Apache-2.0
# Wrapper scripts and menu entries: what --wrap writes, and what starting them does.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need gio libglib2.0-bin
need desktop-file-validate desktop-file-utils

# The program prints its arguments, and what the sandbox is like.
mkdir -p programs .local/bin elsewhere share/applications
cat >programs/tool <<'END_OF_TOOL'
#!/bin/bash
printf '<%s>' "$@" "$PWD" "${VALUE-unset}"
[ $$ = 2 ] && echo boxed || echo free
END_OF_TOOL
chmod +x programs/tool
export PATH=$HOME/.local/bin:$PATH:$HOME/programs
system=(--unshare-pid --ro-bind / / --dev /dev --proc /proc)
is "unwrapped" "<a  b><$HOME><unset>free" "$(tool 'a  b')"

# The script.
nestbox --wrap tool "${system[@]}" >script
is "the script is short and readable" "#!/bin/sh
# Written by nestbox --wrap, which replaces it when it is run again.
exec $work/bin/nestbox \\
  --unshare-pid \\
  --ro-bind / / \\
  --dev /dev \\
  --proc /proc \\
  -- $HOME/programs/tool \"\$@\"" "$(cat script)"
odd="it's \"\$HOME\" \`id\` \\ *"$'\n'"~ % "$'\xff'
is "arguments reach the program, in another directory" "<a  b><$odd><><$HOME/elsewhere><unset>boxed" \
  "$(cd elsewhere && sh ../script 'a  b' "$odd" '')"
nestbox "${system[@]}" --setenv VALUE "$odd" --wrap tool --setenv OTHER '' >script
is "operands reach the sandbox, whatever is in them" "<$HOME/elsewhere><$odd>boxed" \
  "$(cd elsewhere && sh ../script)"
is "in bash as well as in dash" "$(sh script x)" "$(bash script x)"
printf '%s\n' '--ro-bind / /' '--setenv VALUE profile' >mine.profile
nestbox --wrap tool --profile ./mine.profile >script
has "a profile named by its path is found from elsewhere" "<profile>" "$(cd elsewhere && sh ../script)"
has "it is named and not copied" "--profile $HOME/mine.profile" "$(cat script)"

printf '%s\n' '--ro-bind / /' '--setenv VALUE ${PROJECT}' >mine.profile
nestbox --wrap tool --profile ./mine.profile >script
has "what depends on where it is started is looked at there" \
  "<$HOME/elsewhere><$HOME/elsewhere>" "$(cd elsewhere && sh ../script)"

# In place of the program.
wrap() { nestbox --wrap tool "${system[@]}" "$@"; }
wrap --output .local/bin
is "in a directory it has the program's name and can be executed" "$HOME/.local/bin/tool 755" \
  "$(stat -c '%n %a' "$(command -v tool)")"
is "under the program's name it starts the program" "<a  b><$HOME/elsewhere><unset>boxed" \
  "$(cd elsewhere && tool 'a  b')"
wrap --output .local/bin/tool --setenv VALUE again
is "written again it still does" "<$HOME><again>boxed" "$(tool)"
wrap --setenv VALUE redirected >.local/bin/tool
is "also where the shell wrote it" "<$HOME><redirected>boxed" "$(tool)"
rm .local/bin/tool
ln -s /bin/true .local/bin/link
wrap --output new/directory/tool
is "missing directories are made" "$HOME/new/directory/tool" "$(ls "$HOME"/new/directory/*)"
mine=.local/bin/mine
echo mine >$mine
refuses "a file that somebody else wrote is left alone" wrap --output $mine
is "as it was" mine "$(cat $mine)"
wrap --output $mine --overwrite
has "unless it may be overwritten" "exec " "$(cat $mine)"
refuses "a program is not replaced by its own wrapper" wrap --output programs/tool
is "nothing else was written" "link mine" "$(ls -A .local/bin | paste -sd ' ')"

# Mistakes.
says() { # WHAT EXPECTED OPTION…
  local what=$1 expected=$2 output status=0
  shift 2
  output=$(nestbox "$@" 2>&1) || status=$?
  is "$what" "nestbox: $expected 125" "$output $status"
}
says "a program that does not exist" "--wrap: there is no program missing in PATH" --wrap missing
says "a path that is no program" "--wrap: ./mine.profile is not a program" --wrap ./mine.profile
says "a wrapper" "--wrap: .local/bin/mine is itself a wrapper" --wrap .local/bin/mine
says "an option in place of the program" "--wrap: PROGRAM is missing" --wrap --unshare-pid
says "a command" "--wrap: unexpected argument tool; the wrapper passes on its own arguments" \
  --wrap tool --unshare-pid -- tool
says "an option that is none" "Unknown option --unshare-nte; did you mean --unshare-net?" \
  --wrap tool --unshare-nte
says "a mistake in an option" "--uid: expected a number from 0 to 4294967294, found many" \
  --wrap tool --uid many
says "an option that needs another" "--hostname needs --unshare-uts" \
  --wrap tool --ro-bind / / --hostname name
says "a descriptor" "--seccomp: a wrapper has no open descriptors to name" \
  --wrap tool --seccomp 3
says "--output alone" "--output needs --wrap" --output x true
says "--desktop-file without --output" \
  "--desktop-file needs --output, because the entry starts that file; add --output ~/.local/bin/" --wrap tool --desktop-file x

# The menu entry: as difficult as the specification allows, except for a percent sign in the path,
# which GLib does not support.
export XDG_DATA_DIRS=$HOME/share
export XDG_DATA_HOME=$HOME/data
bin=$HOME'/b in/$x `y` "z" \w'
write() { # NAME EXEC ACTION
  cat >"share/applications/$1" <<END_OF_ENTRY
# A comment = 1
[Desktop Entry]
Version=1.0
Type=Application
Name=Tool
Name[de]=Werkzeug
Comment=Exec=tool is not a command here
Exec = $2
TryExec=$HOME/programs/tool
DBusActivatable=true
Icon=tool
Actions=second;
StartupNotify=false

[Desktop Action second]
Name=Second
Exec=$3

[X-Vendor Group]
X-Exec=tool untouched
END_OF_ENTRY
}
write tool.desktop 'tool --plain "a \\"b\\" \\$c %% d" %F' "env VALUE=action $HOME/programs/tool second"
wrap --output "$bin/tool" --desktop-file
entry=data/applications/tool.desktop
succeeds "the entry is valid" desktop-file-validate $entry
escaped=$HOME'/b in/\\$x \\`y\\` \\"z\\" \\\\w/tool'
is "just the program is another one" "1d0
< # Written by nestbox --wrap, which replaces it when it is run again.
9,10c8,10
< Exec = \"$escaped\" --plain \"a \\\\\"b\\\\\" \\\\\$c %% d\" %F
< TryExec=$HOME/b in/\$x \`y\` \"z\" \\\\w/tool
---
> Exec = tool --plain \"a \\\\\"b\\\\\" \\\\\$c %% d\" %F
> TryExec=$HOME/programs/tool
> DBusActivatable=true
17c17
< Exec=env VALUE=action \"$escaped\" second
---
> Exec=env VALUE=action $HOME/programs/tool second" \
  "$(diff $entry share/applications/tool.desktop)"

# Started as menus do it: GLib reads the entry, and Python as the specification says.
touch "elsewhere/a file" "elsewhere/it's"
output=$(cd elsewhere && gio launch "$HOME/$entry" "$PWD/a file" "$PWD/it's")
is "an entry starts the program in its sandbox, with what is opened" \
  "<--plain><a \"b\" \$c % d><$HOME/elsewhere/a file><$HOME/elsewhere/it's><$HOME/elsewhere><unset>boxed" \
  "$output"
is "so does its action" "<second><$HOME/elsewhere><action>boxed" \
  "$(cd elsewhere && python3 "$work/scripts/launch.py" "$HOME/$entry" "Desktop Action second")"
is "and its main line, by the letter of the specification" \
  "<--plain><a \"b\" \$c % d><a file><$HOME/elsewhere><unset>boxed" \
  "$(cd elsewhere && python3 "$work/scripts/launch.py" "$HOME/$entry" "Desktop Entry" "a file")"

# Written again, from the entry that it overrides and not from itself.
before=$(cat $entry)
wrap --output "$bin/tool" --desktop-file $entry
is "written again it is the same" "$before" "$(cat $entry)"
echo '[Desktop Entry]' >elsewhere/mine.desktop
refuses "an entry that somebody else wrote is left alone" \
  wrap --output "$bin/tool" --desktop-file elsewhere/mine.desktop
wrap --output "$bin/tool" --desktop-file elsewhere/mine.desktop --overwrite
is "unless it may be overwritten" "$before" "$(cat elsewhere/mine.desktop)"
rm -r data

# Entries under other names.
rm share/applications/*
write org.example.Tool.desktop "$HOME/programs/tool" tool
wrap --output .local/bin/tool --desktop-file data/applications/
is "an entry is found by what it starts" "org.example.Tool.desktop" "$(ls data/applications)"
is "by another path too" "<$HOME><unset>boxed" "$(gio launch data/applications/*)"
owned() { grep -c -e --dbus-own .local/bin/tool || true; }
is "without a bus it owns no name there" 0 "$(owned)"
if command -v xdg-dbus-proxy >/dev/null; then
  wrap --dbus-talk org.example.Other --output .local/bin/tool --desktop-file data/applications/
  has "with one it may own the name of its entry" "--dbus-own org.example.Tool" "$(cat .local/bin/tool)"
  mv share/applications/org.example.Tool.desktop share/applications/org.freedesktop.Tool.desktop
  rm data/applications/*
  wrap --dbus-talk org.example.Other --output .local/bin/tool --desktop-file data/applications/
  is "but not that of a service of the desktop" 0 "$(owned)"
  mv share/applications/org.freedesktop.Tool.desktop share/applications/org.example.Tool.desktop
fi
mkdir share/applications/vendor
write vendor/other.desktop "tool --other %U" tool
output=$(wrap --output .local/bin/tool --desktop-file 2>&1) && status=0 || status=$?
is "of several, one has to be named" "nestbox: --desktop-file: several entries start tool: \
org.example.Tool.desktop, vendor-other.desktop; end the path with the name of one of them 125" \
  "$output $status"
wrap --output .local/bin/tool --desktop-file data/applications/vendor-other.desktop
has "as is done here, for one in a directory below" "tool --other %U" \
  "$(cat data/applications/vendor-other.desktop)"
rm -r data share/applications/*
says "there may be none" "--desktop-file: no entry in $HOME/data/applications, \
$HOME/share/applications starts tool; leave the option out, and nestbox writes the wrapper alone" --wrap tool --output .local/bin/tool --desktop-file
write tool.desktop "tool" "sh -c 'tool --second'"
is "what was written is named, and an action that starts something else, which is left out" \
  "nestbox: wrote $HOME/.local/bin/tool, which starts $HOME/programs/tool
nestbox: wrote $HOME/data/applications/tool.desktop, which adds it to the menus
nestbox: --desktop-file: the entry leaves out [Desktop Action second], which starts another program \
than $HOME/programs/tool" \
  "$(wrap --output .local/bin/tool --desktop-file 2>&1)"
is "nothing is left of it" "1" "$(grep -c '^Exec' data/applications/tool.desktop)"
succeeds "the entry is still valid" desktop-file-validate data/applications/tool.desktop
rm -r data .local/bin
# Other ways to start something else: none is left, as the wrapper would be passed by.
for action in "env A=b sh -c tool" "env -i tool" "env env tool" "sh tool" "tool.sh" "/bin/../bin/sh -c tool" \
  "\"sh\" -c tool" "toolx" "env --split-string=tool"; do
  write tool.desktop "tool" "$action"
  wrap --output .local/bin/tool --desktop-file 2>/dev/null
  is "an action is left out that starts $action" "1" "$(grep -c '^Exec' data/applications/tool.desktop)"
  rm -r data .local/bin
done
write tool.desktop "tool" "tool"
printf '%s\n' '[Desktop Action second]' 'Exec[de]=sh -c tool' '[Second Shortcut Group]' 'Exec=sh -c tool' \
  >>share/applications/tool.desktop
wrap --output .local/bin/tool --desktop-file 2>/dev/null
is "nor does one of another language or group" "0" "$(grep -c 'sh -c' data/applications/tool.desktop || true)"
rm -r data .local/bin
# What is missing.
output=$(PATH=$work/bin:/usr/bin:/bin nestbox --wrap "$HOME/programs/tool" --bind "$HOME/nowhere" /mnt \
  --ro-bind / / --output .local/bin/ 2>&1)
has "PATH does not lead to the wrapper" "$HOME/.local/bin is not the first in PATH; to start the \
wrapper by its name, put it there: export PATH=$HOME/.local/bin:\"\$PATH\"" "$output"
has "a directory that it shows does not exist" "$HOME/nowhere, which --bind names, does not exist yet" \
  "$output"
rm -r .local/bin

# Files that a file manager opens are shown, as paths and as URLs, and nothing beside them.
cat >programs/reader <<'END_OF_READER'
#!/bin/bash
for argument do
  path=$(printf '%b' "$(printf %s "${argument#file://}" | sed 's/%/\\x/g')")
  cat "$path" 2>/dev/null || echo "no $path"
done
END_OF_READER
chmod +x programs/reader
mkdir papers
echo one >"papers/a letter"
echo two >papers/b
echo secret >papers/c
write reader.desktop "reader %U" reader
nestbox --wrap reader --output .local/bin/ --desktop-file 2>/dev/null
is "they are read" "one
two
no $HOME/papers/none" "$(.local/bin/reader "file://$HOME/papers/a%20letter" papers/b "$HOME/papers/none")"
has "by an option of the wrapper" "--read-arguments" "$(cat .local/bin/reader)"
has "what another argument names is not" "cannot open" \
  "$(nestbox --read-arguments sh -c 'cat <papers/c; cat <papers/b' sh papers/b 2>&1 || true)"
is "and not written, unless that is typed" two \
  "$(nestbox --read-arguments sh -c 'echo x >papers/b' sh papers/b 2>/dev/null || cat papers/b)"
nestbox --write-arguments sh -c 'echo x >papers/b' sh papers/b
is "it is typed here" x "$(cat papers/b)"
is "the home directory is not shown so" "" "$(nestbox --read-arguments ls "$HOME" 2>/dev/null || true)"

# Without a terminal a notification says why a program did not start.
cat >programs/notify-send <<'END_OF_NOTIFIER'
#!/bin/sh
for last do :; done
echo "$last" >"$HOME/told.new" && mv "$HOME/told.new" "$HOME/told"
END_OF_NOTIFIER
chmod +x programs/notify-send
nestbox --wrap reader --ro-bind / / --bind "$HOME/nowhere" /mnt --output .local/bin/ --desktop-file \
  2>/dev/null
.local/bin/reader 2>/dev/null || true
await test -e told
has "a launch that fails" "Can't start: Can't find source path $HOME/nowhere" "$(cat told)"
rm told
nestbox --notify --ro-bnid / / true 2>/dev/null || true
await test -e told
has "a mistake" "Unknown option --ro-bnid" "$(cat told)"
rm told
nestbox --notify false 2>/dev/null || true
is "a command that fails is its own affair" "" "$(cat told 2>/dev/null || true)"

# Debian calls Firefox by its release.
cp programs/tool programs/fox-esr
write fox-esr.desktop "/usr/lib/fox-esr/fox-esr %u" "fox-esr"
nestbox --wrap fox "${system[@]}" --output .local/bin/ --desktop-file 2>/dev/null
is "a program is found under the name of its distribution" "fox reader" \
  "$(ls .local/bin | paste -sd ' ')"
has "and its entry too" "Exec = $HOME/.local/bin/fox %u" "$(cat data/applications/fox-esr.desktop)"
rm -r data .local/bin share/applications/fox-esr.desktop share/applications/reader.desktop
write tool.desktop "sh -c 'tool'" tool
says "a detour is not followed" "--desktop-file: tool.desktop: it starts something else: \
Exec=sh -c 'tool'" --wrap tool --output .local/bin/fresh --desktop-file
write tool.desktop "other" tool
says "an entry that starts something else is none" \
  "--desktop-file: tool.desktop: it starts something else: Exec=other" \
  --wrap tool --output .local/bin/fresh --desktop-file
is "nothing was written then" "" "$(ls .local/bin/fresh data 2>/dev/null || true)"
