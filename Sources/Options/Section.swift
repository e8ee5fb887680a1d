// SPDX-License-Identifier: Apache-2.0
// The groups of options.

/// A group of options in help and manual, in this order.
///
/// Each is small enough for its part of --help to fit a screen of 24 lines.
public enum Section: String, CaseIterable, Sendable {
  case general = "General"
  case profiles = "Profiles"
  case wrapping = "Wrappers"
  case namespaces = "Namespaces"
  case identity = "Identity"
  case joins = "Joining"
  case binds = "Binds"
  case filesystem = "File system"
  case overlays = "Overlays"
  case process = "Process"
  case security = "Privileges"
  case buses = "D-Bus"
  case lifetime = "Lifetime"
  case monitoring = "Monitoring"

  /// What holds for all of its options, as the manual says it.
  public var introduction: String {
    switch self {
    case .general: ""
    case .profiles:
      """
      A profile is a text with one option and its operands a line. A word that begins with # begins
      a comment. Double quotes hold blanks together; in them a backslash stands before another one,
      a double quote, $, }, n (for a new line) or t (for a tab).

      `${NAME}` stands for the value of a variable of the environment, and `${NAME:-TEXT}` for TEXT
      where that is not set or empty; without TEXT, one that is not set is an error. A value never
      becomes more than one word. Some names are nestbox's own:

      * `HOME`, `USER` -- the user's, from the environment or else from /etc/passwd.
      * `UID`, `GID` -- the caller's.
      * `PWD` -- the working directory.
      * `PROJECT` -- the same; where that is the home directory, one above it, or another one that
      holds more than a project, such as /tmp, the directory that the command names by -C, as
      make(1) and git(1) do, if no link leads there; else an error.
      * `XDG_RUNTIME_DIR` -- from the environment, or else /run/user/UID.
      * `PROGRAM`, `PROGRAM_DIR` -- the path of the command's file, and its directory.
      * `PROFILE_DIR` -- the directory of the profile's own file.
      * `HOSTNAME` -- the host's name.
      * `X11_SOCKET` -- the socket of the X server that DISPLAY names; not set where it names none
      of this machine.
      * `WAYLAND_DISPLAY_SOCKET` -- that of the Wayland compositor: WAYLAND_DISPLAY, or wayland-0,
      in XDG_RUNTIME_DIR.
      * `PIPEWIRE_SOCKET` -- PipeWire's: PIPEWIRE_REMOTE, or pipewire-0, in XDG_RUNTIME_DIR.
      * `PULSE_SOCKET` -- PulseAudio's, or that of PipeWire in its place: as PULSE_SERVER says, or
      pulse/native in XDG_RUNTIME_DIR.

      A profile NAME is looked for as NAME.profile in $XDG_CONFIG_HOME/nestbox/profiles (or in
      ~/.config/nestbox/profiles), then in /etc/nestbox/profiles, then among those that are built
      in. A profile may include others, its namesake further back among them, and each is taken
      once, where it is named first.

      A command line with neither a profile nor an option that makes something of the new root
      takes the profile `untrusted`, and what is typed refines it.
      """
    case .wrapping:
      """
      A wrapper is a shell script for ~/.local/bin that starts a program in a sandbox: the options
      that stand beside --wrap go into it as they are typed, and it passes its own arguments on to
      the program. A profile named by a path is looked for there, wherever the script is started; a
      relative path of another option is taken from where the script is started.
      """
    case .namespaces:
      """
      A namespace of its own gives the sandbox its own instance of something that the host's
      processes share. A mount namespace is made for every sandbox, and a user namespace for every
      caller but root; the others are made when asked for. See namespaces(7).
      """
    case .identity:
      """
      What the sandbox is called, who the command is in it, and what time it is there.
      """
    case .joins:
      """
      Namespaces that exist already are named by descriptors, for instance of files of
      /proc/PID/ns. They are used instead of new ones, and the command does not get the
      descriptors. Only who owns a namespace, or is privileged in the user namespace that owns it,
      can join it.

          nestbox --userns 3 --ro-bind / / id 3</proc/PID/ns/user
      """
    case .binds:
      """
      The sandbox begins with an empty root. A bind shows a file or directory of the host in it,
      with everything that is mounted below. SRC is looked up on the host, DEST in the sandbox as
      it is at this point: options are carried out in order, and a later one can cover what an
      earlier one showed. A symbolic link in DEST, absolute or not, leads to what it will mean
      inside and never to the host.

      A missing DEST is made: an empty file for a file, a directory otherwise, and parent
      directories of mode 0755. In a directory of the host that is bound writable, they stay there
      afterwards. Set-user-ID bits have no effect in a bind, and device files only in a
      --dev-bind.
      """
    case .filesystem:
      """
      These make mounts, files, directories and links in the sandbox, in order with binds and
      overlays. Missing parent directories are made with mode 0755.
      """
    case .overlays:
      """
      An overlay shows several directories of the host as one: the files of an upper layer hide
      those of the same name below. Name the layers with --overlay-src, the bottom one first, and
      then say where they are shown, by one of the last three. See the kernel's documentation of
      overlayfs; the overlay is mounted with userxattr.
      """
    case .process:
      """
      What the command finds when it starts. It inherits the caller's environment, its mask of
      permissions and its open descriptors, but for those that options name.
      """
    case .security:
      """
      The command can never gain privileges by executing a program (no_new_privs), whatever the
      options. These say what else it may do.
      """
    case .buses:
      """
      A bus is shown through a proxy, which lets pass what these options allow and nothing else;
      without any of them the sandbox sees no bus, unless its socket is bound. They need the program
      xdg-dbus-proxy.
      """
    case .lifetime:
      """
      The launcher waits for the command and exits with its status. It passes on SIGHUP, SIGINT,
      SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 and SIGCONT.
      """
    case .monitoring:
      """
      For programs that start a sandbox: each descriptor has to be open in the launcher, and only
      the launcher uses it.
      """
    }
  }
}
