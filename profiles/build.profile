# SPDX-License-Identifier: Apache-2.0
# Compiles and tests code that nobody vouches for: like untrusted, with the directory writable.
--profile untrusted

# The working directory, or the directory below it that the command names by -C: the narrowest that
# the line names. A directory that holds more than a project or configures the account is refused. The
# command stays where it is called, as paths may begin there.
--bind ${PROJECT} ${PROJECT}
# Hooks and settings of repositories are executed later, outside, by the caller's own git. Those that
# exist are read-only; nestbox tells of those that the command has made.
--ro-repositories ${PROJECT}

# Tools whose settings lie in /etc.
--ro-same-try /etc/perl
--ro-same-try /etc/maven
--ro-same-try /etc/php
--ro-same-try /etc/R
--ro-same-try /etc/emacs
--ro-same-try /etc/texmf
--ro-same-try /etc/fonts
