# SPDX-License-Identifier: Apache-2.0
# An interactive shell to look around in: like untrusted, with a prompt, colours and completion.
--profile untrusted

# Programs inside do not reach the terminal of the shell outside.
--pty
--default-command ${SHELL:-/bin/sh}

# For bash: user and directory, in another colour than the host's shells have.
--ro-bind-text "shopt -s checkwinsize\nPS1='\\[\\e[1;33m\\]sandbox\\[\\e[0m\\]:\\[\\e[1;34m\\]\\w\\[\\e[0m\\]\\$ '\nalias ls='ls --color=auto' grep='grep --color=auto'\n[ -r /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion" ${HOME}/.bashrc
# For zsh, which asks its first-time questions if this file is missing.
--ro-bind-text "PS1='%F{yellow}sandbox%f:%F{blue}%~%f%# '" ${HOME}/.zshrc
# For other shells, and for the libraries that read the keys.
--setenv PS1 "sandbox:\$PWD\$ "
--ro-same-try /etc/inputrc
--ro-same-try /etc/zsh
--ro-same-try /etc/fish
--ro-same-try /etc/bash_completion.d
