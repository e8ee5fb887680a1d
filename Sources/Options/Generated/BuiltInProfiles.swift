// SPDX-License-Identifier: Apache-2.0
// Made from profiles/*.profile by `make generate`. Change those instead.

/// The profiles that come with the program.
enum BuiltInProfiles {
  /// What they are called.
  static let names: [String] = [
    "build",
    "network",
    "shell",
    "untrusted",
  ]

  /// The text of the profile called `name`; nil where there is none.
  static func text(of name: String) -> String? {
    switch name {
    case "build":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Compiles and tests code that nobody vouches for: like untrusted, with the directory writable.
      --profile untrusted

      # The working directory, unless it is the home directory or holds more than a project.
      --bind ${PROJECT} ${PROJECT}
      --chdir ${PROJECT}
      # Hooks and settings in here are executed later, outside, by the caller's own git.
      --ro-bind-try ${PROJECT}/.git ${PROJECT}/.git

      # Tools whose settings lie in /etc.
      --ro-same-try /etc/perl
      --ro-same-try /etc/maven
      --ro-same-try /etc/php
      --ro-same-try /etc/R
      --ro-same-try /etc/emacs
      --ro-same-try /etc/texmf
      --ro-same-try /etc/fonts
      """#
    case "network":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Shows the host's network to a program: like untrusted, with connections to anywhere.
      --profile untrusted

      --share-net
      # X11 and D-Bus listen on sockets that belong to the network. Needs Linux 6.12.
      --landlock-scope abstract-unix

      # Who knows the addresses. The file may be a link; what it leads to is shown in its place.
      --ro-bind-try /etc/resolv.conf /etc/resolv.conf
      --ro-same-try /etc/gai.conf
      --ro-same-try /etc/networks
      --ro-same-try /etc/ethers
      """#
    case "shell":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # An interactive shell to look around in: like untrusted, with a prompt, colours and completion.
      --profile untrusted

      # For bash: who is where, told apart from the host's shells by its colour.
      --ro-bind-text "shopt -s checkwinsize\nPS1='\\[\\e[1;33m\\]sandbox\\[\\e[0m\\]:\\[\\e[1;34m\\]\\w\\[\\e[0m\\]\\$ '\nalias ls='ls --color=auto' grep='grep --color=auto'\n[ -r /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion" ${HOME}/.bashrc
      # For other shells, and for what reads the keys.
      --setenv PS1 "sandbox:\\w\\$ "
      --ro-same-try /etc/inputrc
      --ro-same-try /etc/zsh
      --ro-same-try /etc/fish
      --ro-same-try /etc/bash_completion.d
      """#
    case "untrusted":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Runs a program that nobody vouches for: the system read-only, no network, nothing of yours.

      # Everything that can be new is: no process, network, message queue or cgroup of the host is seen.
      --unshare-all
      --hostname sandbox

      # Nothing goes on when the command or the caller has ended.
      --die-with-parent
      --kill-on-exit

      # System calls that programs have no use for are refused, among them those that push characters into
      # the terminal. So the command can stay in the caller's session, and job control works.
      --seccomp-policy default

      # What the caller has open and in its environment may be, or lead to, a secret: tokens, agents, the
      # session's bus. These say no more than who, where and in which language.
      --close-fds
      --keep-env TERM,COLORTERM,NO_COLOR,COLUMNS,LINES,LANG,LANGUAGE,LC_*,TZ,HOME,USER,LOGNAME,SHELL
      --setenv HOME ${HOME}
      --setenv USER ${USER}
      --setenv LOGNAME ${USER}
      --setenv PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/games:/usr/games:/run/current-system/sw/bin:/run/current-system/profile/bin

      # Private places that are gone afterwards. The home directory may lie in one of the others; the
      # system comes behind it, as the homes of service users lie there.
      --perms 1777
      --tmpfs /tmp
      --perms 1777
      --tmpfs /var/tmp
      --tmpfs /run
      --perms 0700
      --tmpfs ${HOME}

      # The system: with a merged /usr, /bin and its like are links into it.
      --ro-same /usr
      --ro-same-try /bin
      --ro-same-try /sbin
      --ro-same-try /lib
      --ro-same-try /lib32
      --ro-same-try /lib64
      --ro-same-try /libx32
      --ro-same-try /opt
      # NixOS and Guix keep theirs in a store; /run/current-system is a link to the part in use.
      --ro-same-try /nix/store
      --ro-same-try /gnu/store
      --ro-same-try /run/current-system

      # As little of /etc as programs need in order to start: where libraries are, ...
      --ro-same-try /etc/ld.so.cache
      --ro-same-try /etc/alternatives
      --ro-same-try /etc/static
      # ... which system this is, in which place and language, ...
      --ro-same-try /etc/os-release
      --ro-same-try /etc/localtime
      --ro-same-try /etc/timezone
      --ro-same-try /etc/locale.conf
      --ro-same-try /etc/locale.alias
      --ro-same-try /etc/terminfo
      # ... how names are looked up, ...
      --ro-same-try /etc/nsswitch.conf
      --ro-same-try /etc/host.conf
      --ro-same-try /etc/hosts
      --ro-same-try /etc/services
      --ro-same-try /etc/protocols
      # ... and whose signatures are trusted. The private keys beside these stay where they are.
      --ro-same-try /etc/ssl/certs
      --ro-same-try /etc/ssl/openssl.cnf
      --ro-same-try /etc/ca-certificates
      --ro-same-try /etc/pki/ca-trust
      --ro-same-try /etc/pki/tls/certs
      --ro-same-try /etc/pki/tls/cert.pem
      --ro-same-try /etc/pki/tls/openssl.cnf
      --ro-same-try /etc/crypto-policies
      # Some distributions link the settings of these there, and they do not start without.
      --ro-same-try /etc/java-11-openjdk
      --ro-same-try /etc/java-17-openjdk
      --ro-same-try /etc/java-21-openjdk
      --ro-same-try /etc/java-25-openjdk
      # The other users of the machine are nobody's business.
      --user-files /etc

      --proc /proc
      --dev /dev

      # Last, as it lies in one of the places above more often than not.
      --bind-program
      """#
    default: nil
    }
  }
}
