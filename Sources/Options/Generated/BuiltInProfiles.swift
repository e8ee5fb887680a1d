// SPDX-License-Identifier: Apache-2.0
// Made from profiles/*.profile by `make generate`. Change those instead.

/// The profiles that come with the program.
enum BuiltInProfiles {
  /// What they are called.
  static let names: [String] = [
    "agent",
    "audio",
    "browser",
    "build",
    "caches",
    "certificates",
    "dbus",
    "desktop",
    "fonts-and-themes",
    "git",
    "gpu",
    "host-network",
    "network",
    "shell",
    "toolchains",
    "untrusted",
    "wayland",
    "x11",
  ]

  /// The text of the profile called `name`; nil where there is none.
  static func text(of name: String) -> String? {
    switch name {
    case "agent":
      #"""
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
      """#
    case "audio":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Plays and records sound, for programs that you trust: like untrusted, with the sound server.
      # Both servers load a library for any client that names its path, and run it outside, as you. So a
      # hostile program gets out through them; it can also record, and PipeWire may let it have cameras and
      # the screen. No profile includes this one.
      --profile untrusted

      --perms 0700
      --dir ${XDG_RUNTIME_DIR}
      --setenv XDG_RUNTIME_DIR ${XDG_RUNTIME_DIR}

      # The sockets, not /dev/snd, which one program would keep for itself. A /.flatpak-info inside would
      # not help: session managers then let a client make nodes, which names a library as well.
      --keep-env PIPEWIRE_REMOTE,PULSE_SERVER
      --ro-bind-try ${PIPEWIRE_SOCKET} ${PIPEWIRE_SOCKET}
      --ro-bind-try ${PULSE_SOCKET:-} ${PULSE_SOCKET:-}

      # A server for several users asks for a cookie.
      --ro-bind-try ${PULSE_COOKIE:-${HOME}/.config/pulse/cookie} ${PULSE_COOKIE:-${HOME}/.config/pulse/cookie}
      --setenv PULSE_COOKIE ${PULSE_COOKIE:-${HOME}/.config/pulse/cookie}

      # The devices for programs that speak ALSA, as a rule the server.
      --ro-same-try /etc/alsa
      --ro-same-try /etc/asound.conf
      --ro-same-try /etc/pulse
      --ro-same-try /etc/pipewire
      """#
    case "browser":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Runs a web browser: desktop and network, with a home directory of its own, and your downloads.
      # The home directory is kept in ~/.local/share/nestbox/browser: bookmarks, passwords and settings are
      # not those of the browser outside. The browser's own sandbox works inside. Sound is left out: see
      # audio. What desktop says of X11 holds here as well. Pages of your localhost and your local network
      # are out of reach: --net-host 3000 shows http://host.nestbox.internal:3000, and --net-allow
      # 192.168.1.1 a router. With --profile host-network behind it, the browser shares the host's network.
      --profile desktop
      --profile network

      # A browser has many threads for each page.
      --processes-try 10000

      --home ${XDG_DATA_HOME:-${HOME}/.local/share}/nestbox/browser
      --bind-kept ${DOWNLOADS} ${HOME}/Downloads

      # Which processors there are, and how much memory a process may take.
      --ro-same-try /sys/devices/system/cpu
      --keep-env MOZ_ENABLE_WAYLAND,MOZ_USE_XINPUT2
      """#
    case "build":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Compiles and tests code that nobody vouches for: like untrusted, with the project writable.
      # With --review . in the project's top directory, what it writes waits until you have looked:
      #   nestbox --profile build --review . make; nestbox --changes NAME; nestbox --apply NAME
      --profile untrusted

      # The tree that the working directory lies in, as tools look for their files at its root; or the
      # directory below that the command names by -C: the narrowest that the line names. A directory that
      # holds more than a project or configures the account is refused. The command stays where it is
      # called, as paths may begin there.
      --bind ${PROJECT} ${PROJECT}
      # The caller's own git executes hooks and settings of repositories later, outside. Existing ones are
      # read-only; nestbox reports those that the command has made.
      --ro-repositories ${PROJECT}

      # Tools whose settings lie in /etc.
      --ro-same-try /etc/perl
      --ro-same-try /etc/fonts

      # Variables that people set for a build. They usually hold no secret.
      --keep-env CC,CXX,CPP,LD,AR,AS,NM,RANLIB,STRIP,OBJCOPY,PKG_CONFIG,PKG_CONFIG_PATH,YACC,LEX,FC
      --keep-env CFLAGS,CXXFLAGS,CPPFLAGS,LDFLAGS,LDLIBS,FFLAGS,ARFLAGS,MAKE,MAKEFLAGS,GNUMAKEFLAGS
      --keep-env DESTDIR,PREFIX,ARCH,CROSS_COMPILE,HOSTCC,HOSTCXX,DEBUG,VERBOSE,V,TARGET,JOBS,NPROC
      --keep-env CMAKE_BUILD_TYPE,CMAKE_GENERATOR,CMAKE_BUILD_PARALLEL_LEVEL,CMAKE_PREFIX_PATH
      --keep-env CMAKE_TOOLCHAIN_FILE,CTEST_PARALLEL_LEVEL,CTEST_OUTPUT_ON_FAILURE,NINJA_STATUS
      --keep-env RUSTFLAGS,RUSTDOCFLAGS,RUST_BACKTRACE,RUST_LOG,RUSTC,RUSTC_WRAPPER,CARGO_BUILD_*
      --keep-env CARGO_PROFILE_*,CARGO_TERM_*,CARGO_INCREMENTAL,CARGO_TARGET_DIR
      --keep-env GOFLAGS,GOOS,GOARCH,GOARM,GOAMD64,GOEXPERIMENT,GOWORK,GO111MODULE,CGO_*
      --keep-env JAVA_HOME,JAVA_OPTS,JAVA_TOOL_OPTIONS,MAVEN_OPTS,MAVEN_ARGS,GRADLE_OPTS
      --keep-env NODE_ENV,NODE_OPTIONS,PYTHONPATH,PYTHONDONTWRITEBYTECODE,PYTHONUNBUFFERED,PYTHONHASHSEED
      --keep-env PYTEST_ADDOPTS,SETUPTOOLS_SCM_PRETEND_VERSION*,SWIFT_EXEC,SDKROOT,ZIG_*
      --keep-env CI,SOURCE_DATE_EPOCH,FORCE_COLOR,CLICOLOR,CLICOLOR_FORCE,ASAN_OPTIONS,UBSAN_OPTIONS
      """#
    case "caches":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Keeps what package managers download: like untrusted, with caches of the sandbox that stay.
      # Each project has its own, in ~/.cache/nestbox, and your caches are left alone: a command that put
      # something bad into a shared cache would have it built into other projects.
      --profile untrusted

      # At the place where most programs look. A command could have put a link into its own caches, where those of a
      # project below come to lie.
      --no-links-in ${XDG_CACHE_HOME:-${HOME}/.cache}/nestbox/caches
      --bind-kept ${XDG_CACHE_HOME:-${HOME}/.cache}/nestbox/caches${PROJECT:-/no-project}/.cache ${HOME}/.cache
      --setenv XDG_CACHE_HOME ${HOME}/.cache

      # Others have places of their own, and are told to look there.
      --setenv CARGO_HOME ${HOME}/.cache/cargo
      --setenv GOCACHE ${HOME}/.cache/go-build
      --setenv GOMODCACHE ${HOME}/.cache/go-mod
      --setenv npm_config_cache ${HOME}/.cache/npm
      --setenv npm_config_store_dir ${HOME}/.cache/pnpm-store
      --setenv YARN_GLOBAL_FOLDER ${HOME}/.cache/yarn-berry
      --setenv BUN_INSTALL_CACHE_DIR ${HOME}/.cache/bun
      --setenv DENO_DIR ${HOME}/.cache/deno
      --setenv GRADLE_USER_HOME ${HOME}/.cache/gradle
      --setenv MAVEN_ARGS -Dmaven.repo.local=${HOME}/.cache/maven
      --setenv NUGET_PACKAGES ${HOME}/.cache/nuget
      --setenv COURSIER_CACHE ${HOME}/.cache/coursier
      --setenv CABAL_DIR ${HOME}/.cache/cabal
      --setenv STACK_ROOT ${HOME}/.cache/stack
      --setenv CCACHE_DIR ${HOME}/.cache/ccache
      """#
    case "certificates":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Trusts the certificates that you trust and knows your proxies: like untrusted, without a network.
      # For rules about the network: nestbox --profile certificates --net-allow example.org COMMAND. The
      # profiles network and host-network have it.
      --profile untrusted

      # The address of a proxy may hold a password. A file that a variable names is shown.
      --keep-env http_proxy,https_proxy,ftp_proxy,all_proxy,no_proxy
      --keep-env HTTP_PROXY,HTTPS_PROXY,FTP_PROXY,ALL_PROXY,NO_PROXY
      --keep-env SSL_CERT_FILE,SSL_CERT_DIR,CURL_CA_BUNDLE,REQUESTS_CA_BUNDLE,NODE_EXTRA_CA_CERTS
      --keep-env GIT_SSL_CAINFO,PIP_CERT,CARGO_HTTP_CAINFO,AWS_CA_BUNDLE,DENO_CERT,NIX_SSL_CERT_FILE
      --ro-bind-try ${SSL_CERT_FILE:-} ${SSL_CERT_FILE:-}
      --ro-bind-try ${SSL_CERT_DIR:-} ${SSL_CERT_DIR:-}
      --ro-bind-try ${CURL_CA_BUNDLE:-} ${CURL_CA_BUNDLE:-}
      --ro-bind-try ${REQUESTS_CA_BUNDLE:-} ${REQUESTS_CA_BUNDLE:-}
      --ro-bind-try ${NODE_EXTRA_CA_CERTS:-} ${NODE_EXTRA_CA_CERTS:-}
      --ro-bind-try ${GIT_SSL_CAINFO:-} ${GIT_SSL_CAINFO:-}
      --ro-bind-try ${PIP_CERT:-} ${PIP_CERT:-}
      --ro-bind-try ${CARGO_HTTP_CAINFO:-} ${CARGO_HTTP_CAINFO:-}
      --ro-bind-try ${AWS_CA_BUNDLE:-} ${AWS_CA_BUNDLE:-}
      --ro-bind-try ${DENO_CERT:-} ${DENO_CERT:-}
      --ro-bind-try ${NIX_SSL_CERT_FILE:-} ${NIX_SSL_CERT_FILE:-}
      """#
    case "dbus":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Speaks with the desktop over the session bus: like untrusted, with a few harmless services of it.
      --profile untrusted

      # Notifications, and no screen saver during a film. On some desktops a single program does everything,
      # so these rules allow single messages, not all messages to a name.
      --dbus-call org.freedesktop.Notifications=org.freedesktop.Notifications.*@/org/freedesktop/Notifications
      --dbus-broadcast org.freedesktop.Notifications=org.freedesktop.Notifications.*@/org/freedesktop/Notifications
      --dbus-call org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.Inhibit
      --dbus-call org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.UnInhibit

      # Of the portals, settings such as light or dark, notifications and the screen saver again. Portals
      # take a client of the proxy for a program outside: others of them would start programs for it, or
      # open files and addresses there.
      --dbus-call org.freedesktop.portal.Desktop=org.freedesktop.portal.Settings.*@/org/freedesktop/portal/desktop
      --dbus-call org.freedesktop.portal.Desktop=org.freedesktop.portal.Notification.*@/org/freedesktop/portal/desktop
      --dbus-call org.freedesktop.portal.Desktop=org.freedesktop.portal.Inhibit.*@/org/freedesktop/portal/desktop
      --dbus-call org.freedesktop.portal.Desktop=org.freedesktop.DBus.Properties.*@/org/freedesktop/portal/desktop
      --dbus-call org.freedesktop.portal.Desktop=org.freedesktop.portal.Request.Close@/org/freedesktop/portal/desktop/request/*
      --dbus-broadcast org.freedesktop.portal.Desktop=*@/org/freedesktop/portal/desktop/*

      # The desktop sends the keys for playing and pausing to the owner of such a name.
      --dbus-own org.mpris.MediaPlayer2.*
      """#
    case "desktop":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Runs a program with windows: the display, the graphics card, fonts, a few messages on the bus.
      # It shows none of your files. On an X server the program can see the windows of other X11 programs
      # and type into them, into a terminal as well; where there is Wayland only, use wayland, gpu, dbus and
      # fonts-and-themes in place of desktop. Sound is left out: see audio. The network is left out: see
      # network, and host-network for printers and other devices of the local network.
      --profile wayland
      --profile x11
      --profile gpu
      --profile fonts-and-themes

      # If there is a bus.
      --profile dbus
      --dbus-try

      # With rules of --net-allow, as under network, programs that look for a link take the machine for online.
      --net-link-try

      # Without the system calls that programs with windows do not make.
      --seccomp-policy desktop

      # Settings of the system for programs with windows. The rest of /etc is left out: it holds tokens and
      # passwords on some machines, and tells of other users and machines.
      --ro-same-try /etc/xdg
      --ro-same-try /etc/dconf
      --ro-same-try /etc/gtk-2.0
      --ro-same-try /etc/libreoffice
      --ro-same-try /etc/gimp
      --ro-same-try /etc/ghostscript
      --ro-same-try /etc/mpv
      --ro-same-try /etc/vlc
      --ro-same-try /etc/thunderbird
      --ro-same-try /etc/chromium
      --ro-same-try /etc/chromium.d
      --ro-same-try /etc/opt/chrome
      --ro-same-try /etc/firefox
      --ro-same-try /etc/firefox-esr
      """#
    case "fonts-and-themes":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Looks as programs outside do: like untrusted, with fonts, icons, pointers and colours, read-only.
      --profile untrusted

      # Fonts beside those in /usr, which of them is meant, and what was found in them before.
      --ro-same-try /etc/fonts
      --ro-same-try /var/cache/fontconfig
      --ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/fonts
      --ro-same-try ${HOME}/.fonts
      --ro-same-try ${HOME}/.fonts.conf
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/fontconfig
      --ro-same-try ${XDG_CACHE_HOME:-${HOME}/.cache}/fontconfig

      # GTK's settings; its list of bookmarks beside them says where your files are.
      --ro-same-try /etc/gtk-3.0
      --ro-same-try /etc/gtk-4.0
      --ro-same-try ${HOME}/.gtkrc-2.0
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-3.0/settings.ini
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-3.0/gtk.css
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-3.0/colors.css
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-4.0/settings.ini
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-4.0/gtk.css
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/gtk-4.0/colors.css

      # Qt's and KDE's.
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/kdeglobals
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/qt5ct
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/qt6ct
      --ro-same-try ${XDG_CONFIG_HOME:-${HOME}/.config}/Kvantum
      --ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/color-schemes

      # Icons, pointers and themes.
      --ro-same-try /etc/X11/cursors
      --ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/icons
      --ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/themes
      --ro-same-try ${HOME}/.icons
      --ro-same-try ${HOME}/.themes
      --keep-env XCURSOR_THEME,XCURSOR_SIZE,GTK_THEME,GDK_SCALE,GDK_DPI_SCALE
      --keep-env QT_QPA_PLATFORMTHEME,QT_STYLE_OVERRIDE,QT_SCALE_FACTOR,QT_AUTO_SCREEN_SCALE_FACTOR
      """#
    case "git":
      #"""
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
      """#
    case "gpu":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Draws and computes on the graphics card: like untrusted, with its device files.
      # Drivers are large, and all of this is reached through ioctl(2): more of the kernel can be attacked.
      --profile untrusted

      # Mesa's drivers, compute on AMD's cards, and the cards of a virtual Windows machine.
      --dev-bind-try /dev/dri /dev/dri
      --dev-bind-try /dev/kfd /dev/kfd
      --dev-bind-try /dev/dxg /dev/dxg
      # NVIDIA's own driver has a file for each card, and ARM's for each kind.
      --dev-bind-glob /dev/nvidia*
      --dev-bind-glob /dev/mali*

      # Which card a device file belongs to, and what kind of card that is: of /sys/devices the card's own
      # directory, and nothing where there is no card. 226 is the number of such device files.
      --read-glob /sys/class/drm/renderD*/device
      --read-glob /sys/class/drm/card[0-9]
      --read-glob /sys/dev/char/226:*
      --read-glob /sys/class/kfd/kfd
      --read-glob /sys/bus/pci/drivers/nvidia/*:*
      --ro-same-try /sys/module/nvidia

      # Which driver to load.
      --ro-same-try /etc/glvnd
      --ro-same-try /etc/drirc
      --ro-same-try /etc/vulkan
      --ro-same-try /etc/OpenCL
      --ro-same-try /etc/nvidia
      --ro-same-try /run/opengl-driver
      --keep-env LIBGL_*,MESA_*,DRI_PRIME,VK_*,__GLX_*,__EGL_*,__NV_*
      """#
    case "host-network":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Shares the host's network: the command reaches your localhost and the local network as you do.
      # It can connect to every service of this machine, of the router, of a cloud's metadata and of a VPN,
      # many of which trust an address, and listen where others connect. The sockets of X11 and D-Bus that
      # belong to the network are refused. network has the internet alone.
      --profile certificates

      --share-net
      # X11 and D-Bus listen on sockets that belong to the network. Without Linux 6.12 there are
      # no Unix sockets inside at all.
      --landlock-scope abstract-unix

      # The name servers. The file may be a link; its target is shown in its place.
      --ro-bind-try /etc/resolv.conf /etc/resolv.conf
      --ro-same-try /etc/gai.conf
      --ro-same-try /etc/networks
      --ro-same-try /etc/ethers
      """#
    case "network":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Reaches the internet, but no localhost outside, no local network and no abstract sockets.
      # The command has a network of its own, and nestbox connects outside for it: to any name and address
      # that is not private and not this machine's. What was refused is told at the end.
      # It reaches all ports of TCP if the kernel has nf_tables and nft_tproxy, else those of the list below;
      # and of UDP time (123) and HTTP/3 (443). Names are looked up. There is no ping, no other UDP, such as
      # that of calls, and nobody connects from outside except to what --publish names. A connection begins
      # before the server outside has answered: where that refuses, it ends at once.
      # Rules add to it: --net-allow proxy.example:3128@10.0.0.0/8 a proxy of the local network, --net-allow
      # 192.168.1.1 a router, --net-host 3128 a port of your localhost as host.nestbox.internal. So a proxy
      # that a variable names as 127.0.0.1 is not reached. To reach named hosts alone, use certificates and
      # --net-allow. host-network shares the host's network.
      --profile certificates

      # Where the kernel can't lead every port outside: ssh, mail, the web, directories, rsync, chat, Gemini,
      # git and keys. The command keeps the ports that servers of developers use.
      --net-allow *:22,25,43,80,110,119,143,389,443,465,563,587,636,853,873,990,993,995,1965,5222,5223,6697,9418,11371
      --net-allow-try *:*
      --net-allow *:123,443/udp
      """#
    case "shell":
      #"""
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
      """#
    case "toolchains":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Runs the tools that you have installed for yourself: like untrusted, with them, read-only.
      # Their programs and libraries are shown, and your PATH counts as far as it is shown. Their settings
      # are left out, as these may hold tokens: ~/.npmrc, ~/.cargo/config.toml, ~/.config/mise.
      --profile untrusted

      # The order in which you find programs.
      --keep-env PATH

      # Rust: rustup's toolchains, and what cargo has installed.
      --ro-same-try ${RUSTUP_HOME:-${HOME}/.rustup}
      --ro-same-try ${CARGO_HOME:-${HOME}/.cargo}/bin
      --ro-same-try ${CARGO_HOME:-${HOME}/.cargo}/env
      # Not CARGO_HOME, which is also where cargo writes.
      --keep-env RUSTUP_HOME,RUSTUP_TOOLCHAIN

      # Node: nvm, fnm, volta, n, pnpm and npm's global packages; deno and bun.
      --ro-same-try ${NVM_DIR:-${HOME}/.nvm}
      --ro-same-try ${FNM_DIR:-${XDG_DATA_HOME:-${HOME}/.local/share}/fnm}
      --ro-same-try ${VOLTA_HOME:-${HOME}/.volta}
      --ro-same-try ${N_PREFIX:-${HOME}/n}/bin
      --ro-same-try ${N_PREFIX:-${HOME}/n}/lib
      --ro-same-try ${PNPM_HOME:-${XDG_DATA_HOME:-${HOME}/.local/share}/pnpm}
      --ro-same-try ${HOME}/.npm-global
      --ro-same-try ${DENO_INSTALL:-${HOME}/.deno}/bin
      --ro-same-try ${BUN_INSTALL:-${HOME}/.bun}/bin
      --keep-env NVM_DIR,NVM_BIN,FNM_DIR,FNM_MULTISHELL_PATH,VOLTA_HOME,N_PREFIX,PNPM_HOME
      # fnm puts a directory of links for each shell in PATH.
      --ro-bind-try ${FNM_MULTISHELL_PATH:-} ${FNM_MULTISHELL_PATH:-}

      # Python: pyenv, what pip, pipx and uv have installed, and the active environment. Of that, the
      # directories that an environment has, in case the variable names a larger one.
      --ro-same-try ${PYENV_ROOT:-${HOME}/.pyenv}
      --ro-bind-glob ${HOME}/.local/lib/python*
      --ro-same-try ${PIPX_HOME:-${XDG_DATA_HOME:-${HOME}/.local/share}/pipx}/venvs
      --ro-same-try ${HOME}/.local/pipx/venvs
      --ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/uv/python
      --ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/uv/tools
      --ro-same-try ${VIRTUAL_ENV:-/nonexistent}/pyvenv.cfg
      --ro-same-try ${VIRTUAL_ENV:-/nonexistent}/bin
      --ro-same-try ${VIRTUAL_ENV:-/nonexistent}/lib
      --ro-same-try ${VIRTUAL_ENV:-/nonexistent}/lib64
      --ro-same-try ${VIRTUAL_ENV:-/nonexistent}/include
      --ro-same-try ${VIRTUAL_ENV:-/nonexistent}/share
      --ro-same-try ${CONDA_PREFIX:-/nonexistent}/bin
      --ro-same-try ${CONDA_PREFIX:-/nonexistent}/lib
      --ro-same-try ${CONDA_PREFIX:-/nonexistent}/include
      --ro-same-try ${CONDA_PREFIX:-/nonexistent}/share
      --ro-same-try ${CONDA_PREFIX:-/nonexistent}/conda-meta
      --keep-env PYENV_ROOT,PYENV_VERSION,PIPX_HOME,VIRTUAL_ENV,VIRTUAL_ENV_PROMPT
      --keep-env CONDA_PREFIX,CONDA_DEFAULT_ENV

      # Go: its own and downloaded releases, and what `go install` has made.
      --ro-bind-glob ${HOME}/sdk/go*
      --ro-same-try ${GOROOT:-${HOME}/go}/bin
      --ro-same-try ${GOROOT:-${HOME}/go}/pkg/tool
      --ro-same-try ${GOROOT:-${HOME}/go}/src
      --ro-same-try ${GOROOT:-${HOME}/go}/lib
      --ro-same-try ${GOPATH:-${HOME}/go}/bin
      --keep-env GOROOT,GOPATH,GOBIN,GOTOOLCHAIN

      # Java and its neighbours: sdkman and jenv.
      --ro-same-try ${SDKMAN_DIR:-${HOME}/.sdkman}/candidates
      --ro-same-try ${HOME}/.jenv
      --ro-same-try ${HOME}/.jdks
      --keep-env SDKMAN_DIR,JAVA_HOME

      # For many languages: mise, asdf; and the managers of other ones.
      --ro-same-try ${MISE_DATA_DIR:-${XDG_DATA_HOME:-${HOME}/.local/share}/mise}
      --ro-same-try ${ASDF_DATA_DIR:-${ASDF_DIR:-${HOME}/.asdf}}
      --ro-same-try ${HOME}/.tool-versions
      --ro-same-try ${RBENV_ROOT:-${HOME}/.rbenv}
      --ro-same-try ${HOME}/.rvm
      --ro-same-try ${HOME}/.opam
      --ro-same-try ${HOME}/.ghcup
      --ro-same-try ${HOME}/.elan
      --ro-same-try ${HOME}/.juliaup
      --ro-same-try ${XDG_DATA_HOME:-${HOME}/.local/share}/swiftly
      --keep-env MISE_DATA_DIR,ASDF_DATA_DIR,ASDF_DIR,RBENV_ROOT,RBENV_VERSION,OPAM_SWITCH_PREFIX
      --keep-env CAML_LD_LIBRARY_PATH,OCAML_TOPLEVEL_PATH,GEM_HOME,GEM_PATH

      # Programs of your own.
      --ro-same-try ${HOME}/.local/bin
      --ro-same-try ${HOME}/bin
      """#
    case "untrusted":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Runs a program that nobody vouches for: the system read-only, no network, nothing of yours.

      # All namespaces are new: the command sees no process, network, message queue or cgroup of the host.
      --unshare-all
      --hostname sandbox

      # All processes inside end with the command or the caller.
      --die-with-parent
      --kill-on-exit

      # However often it forks, the machine stays usable.
      --processes-try 2000

      # The command is in the caller's process group, and signals to a group reach processes that the
      # command does not see.
      --landlock-scope-try signal

      # System calls that programs have no use for are refused, among them those that push characters into
      # the terminal. So the command can stay in the caller's session, and job control works.
      --seccomp-policy default

      # Open files and variables of the caller may be secrets, or lead to them: tokens, agents, the
      # session's bus. These variables only say who, where and in which language.
      --close-fds
      --keep-env TERM,COLORTERM,NO_COLOR,COLUMNS,LINES,LANG,LANGUAGE,LC_*,TZ,HOME,USER,LOGNAME,SHELL
      # So that AppImages unpack themselves instead of asking for FUSE.
      --setenv APPIMAGE_EXTRACT_AND_RUN 1
      --setenv HOME ${HOME}
      --setenv USER ${USER}
      --setenv LOGNAME ${USER}
      --setenv PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/games:/usr/games:/run/current-system/sw/bin:/run/current-system/profile/bin:/etc/profiles/per-user/${USER}/bin

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
      --ro-same-try /usr
      --ro-same-try /bin
      --ro-same-try /sbin
      --ro-same-try /lib
      --ro-same-try /lib32
      --ro-same-try /lib64
      --ro-same-try /libx32
      # On some systems a link, to /var/opt for instance: then with what it leads to.
      --read-glob /opt
      # Where an ostree system keeps what /usr/local leads to.
      --ro-same-try /var/usrlocal
      # NixOS and Guix keep theirs in a store, and reach what is in use by links from these places.
      --ro-same-try /nix/store
      --ro-same-try /gnu/store
      --ro-same-try /run/current-system
      --ro-same-try /var/guix/profiles
      --ro-same-try /etc/profiles/per-user/${USER}

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
      --hosts-file /etc/hosts
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
      # ... settings that keep programs from working, or restrict them, and say nothing of the machine.
      --ro-same-try /etc/manpath.config
      --ro-same-try /etc/man_db.conf
      --ro-same-try /etc/ImageMagick-6
      --ro-same-try /etc/ImageMagick-7
      --ro-same-try /etc/R
      --ro-same-try /etc/maven
      --ro-same-try /etc/php
      --ro-same-try /etc/emacs
      --ro-same-try /etc/texmf
      --ro-same-try /etc/magic
      --ro-same-try /etc/mime.types
      --ro-same-try /etc/papersize
      # The other users of the machine are nobody's business.
      --user-files /etc

      --proc /proc
      --dev /dev
      # How many processors there are, which lscpu and libraries of numbers look up there.
      --ro-same-try /sys/devices/system/cpu
      --ro-same-try /sys/devices/system/node

      # So that relative paths mean the same as outside.
      --private-cwd
      # Last, as it lies in one of the places above more often than not.
      --bind-program
      """#
    case "wayland":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Shows windows on the Wayland compositor: like untrusted, with that one socket.
      # A compositor keeps its clients apart, except in what it offers to each of them. GNOME and KDE offer
      # the clipboard of the focused window; compositors of wlroots and some others offer all of them
      # pictures of the screen, a virtual keyboard, which can type into a terminal, and the clipboard at any
      # time. wayland-info lists what yours offers: zwp_virtual_keyboard_manager_v1,
      # zwlr_screencopy_manager_v1 and zwlr_data_control_manager_v1 are these.
      --profile untrusted

      # Where programs look for it and put their own sockets; it belongs to the sandbox.
      --perms 0700
      --dir ${XDG_RUNTIME_DIR}
      --setenv XDG_RUNTIME_DIR ${XDG_RUNTIME_DIR}
      --keep-env WAYLAND_DISPLAY,XDG_SESSION_TYPE,XDG_CURRENT_DESKTOP

      --ro-bind-try ${WAYLAND_DISPLAY_SOCKET} ${WAYLAND_DISPLAY_SOCKET}
      """#
    case "x11":
      #"""
      # SPDX-License-Identifier: Apache-2.0
      # Shows windows on the X server, for programs that you trust: like untrusted, with its socket.
      # X11 does not isolate programs: this one can see what others show, read what is typed into them, and
      # type into them itself, commands into a terminal for instance. Where there is Wayland, use wayland.
      --profile untrusted

      # Its socket under another number, and its cookie alone. The abstract socket beside it is out of reach
      # unless the network is shared; where it is, host-network has it refused.
      --x11
      --keep-env XDG_SESSION_TYPE,XDG_CURRENT_DESKTOP
      """#
    default: nil
    }
  }
}
