# SPDX-License-Identifier: Apache-2.0
# Runs a coding agent: build, git, toolchains and caches, with a terminal, and no secret of yours.
# Whatever make, npm or an editor executes in the project later, you execute. The form that holds all of
# it back until you have looked, in the project's top directory:
#   nestbox --profile agent --review . AGENT
#   nestbox --diff --changes NAME; nestbox --apply NAME (or some paths of it); nestbox --discard NAME
# It has no network and no settings: add --profile network, or rules for the servers that it needs, and
# its own directory, as in --write ~/.config/agent. Its keys are in that directory, or in a variable that
# you pass on by --keep-env, and everything that it starts can read them.
--profile build
--profile git
--profile toolchains
--profile caches

# Files in the project that other programs execute merely because they are there. They stay as they
# are, and nestbox names those that the command has made.
--ro-same-try ${PROJECT}/.envrc
--ro-same-try ${PROJECT}/.mise.toml
--ro-same-try ${PROJECT}/mise.toml
--ro-same-try ${PROJECT}/.autoenv
--ro-same-try ${PROJECT}/.gdbinit
--ro-same-try ${PROJECT}/.lldbinit
--ro-same-try ${PROJECT}/sitecustomize.py
--ro-same-try ${PROJECT}/usercustomize.py
--ro-same-try ${PROJECT}/.venv
--ro-same-try ${PROJECT}/venv
--ro-same-try ${PROJECT}/.claude
--ro-same-try ${PROJECT}/.cursor
--ro-same-try ${PROJECT}/.gemini
--ro-same-try ${PROJECT}/.codex
--ro-same-try ${PROJECT}/.mcp.json
--ro-same-try ${PROJECT}/.devcontainer
--ro-same-try ${PROJECT}/.zed
--ro-same-try ${PROJECT}/.helix
--ro-same-try ${PROJECT}/.lvimrc
--ro-same-try ${PROJECT}/.vscode
--ro-same-try ${PROJECT}/.idea
--ro-same-try ${PROJECT}/.exrc
--ro-same-try ${PROJECT}/.vimrc
--ro-same-try ${PROJECT}/.nvimrc
--ro-same-try ${PROJECT}/.nvim.lua
--ro-same-try ${PROJECT}/.dir-locals.el
--ro-same-try ${PROJECT}/.eslintrc.js
--ro-same-try ${PROJECT}/.prettierrc.js
# What runs with the rights of a repository, on each commit or on a server.
--ro-same-try ${PROJECT}/.husky
--ro-same-try ${PROJECT}/.github
--ro-same-try ${PROJECT}/.gitlab-ci.yml
--ro-same-try ${PROJECT}/.pre-commit-config.yaml

# What agents and their tools ask the terminal for.
--keep-env TERM_PROGRAM,TERM_PROGRAM_VERSION,COLORFGBG,EDITOR,PAGER
