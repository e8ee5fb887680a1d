# SPDX-License-Identifier: Apache-2.0
# An interactive shell to look around in: like untrusted, with a prompt, colours and completion.
--profile untrusted

--default-command ${SHELL:-/bin/sh}

# For bash: who is where, told apart from the host's shells by its colour.
--ro-bind-text "shopt -s checkwinsize\nPS1='\\[\\e[1;33m\\]sandbox\\[\\e[0m\\]:\\[\\e[1;34m\\]\\w\\[\\e[0m\\]\\$ '\nalias ls='ls --color=auto' grep='grep --color=auto'\n[ -r /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion" ${HOME}/.bashrc
# For zsh, which asks its first-time questions where it finds no file of this name.
--ro-bind-text "PS1='%F{yellow}sandbox%f:%F{blue}%~%f%# '" ${HOME}/.zshrc
# For other shells, and for what reads the keys.
--setenv PS1 "sandbox:\$PWD\$ "
--ro-same-try /etc/inputrc
--ro-same-try /etc/zsh
--ro-same-try /etc/fish
--ro-same-try /etc/bash_completion.d
