# SPDX-License-Identifier: Apache-2.0
# Commits in the project's repository: like build, with your name and mail address.
# Settings, hooks and whatever else git executes stay as they are. The command can rewrite all
# history that the repository has. It reaches no server: see network, and it has none of your keys.
--profile build

# Objects, references and the index, also of a linked work tree or a submodule.
--rw-repository ${PROJECT}

# Of your settings the identity alone: the others may hold tokens, and name programs.
--ro-bind-text ${GIT_IDENTITY} /etc/gitconfig
--keep-env GIT_AUTHOR_NAME,GIT_AUTHOR_EMAIL,GIT_AUTHOR_DATE
--keep-env GIT_COMMITTER_NAME,GIT_COMMITTER_EMAIL,GIT_COMMITTER_DATE
