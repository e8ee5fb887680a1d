// SPDX-License-Identifier: Apache-2.0
// The groups of options.

/// A group of options in help and manual, in this order.
///
/// Each is small enough for its list of options to fit a screen of 24 lines.
public enum Section: String, CaseIterable, Sendable {
  case general = "General"
  case profiles = "Profiles"
  case files = "Your files"
  case wrapping = "Wrappers"
  case namespaces = "Namespaces"
  case identity = "Identity"
  case joins = "Joining"
  case binds = "Binds"
  case filesystem = "File system"
  case overlays = "Overlays"
  case process = "Process"
  case security = "Privileges"
  case network = "Network rules"
  case buses = "D-Bus"
  case lifetime = "Lifetime"
  case limits = "Limits"
  case running = "Running sandboxes"
  case review = "Review"
  case monitoring = "Monitoring"

  /// What the manual says about all of its options.
  public var introduction: String {
    switch self {
    case .general: ""
    case .profiles: Section.profileText
    case .files:
      """
      These show your own files to the command. They add to the default profile, where other
      options about files take its place.
      """
    case .wrapping:
      """
      A wrapper is a shell script for ~/.local/bin that starts a program in a sandbox. The options
      beside --wrap go into the script as you type them, and the script passes its own arguments on
      to the program. The script finds a profile named by a path from any directory; a relative path
      in another option begins where the script is started.
      """
    case .namespaces:
      """
      A new namespace gives the sandbox its own instance of something that processes of the host
      share. Every sandbox gets a new mount namespace, and every caller except root a new user
      namespace; options ask for the others. See namespaces(7).
      """
    case .identity:
      """
      The names, the ids and the time that the command sees.
      """
    case .joins:
      """
      These options name an existing namespace by a descriptor, for instance of a file in
      /proc/PID/ns. The sandbox uses it instead of a new one, and the command does not get the
      descriptor. To join a namespace, you must own it or be privileged in the user namespace that
      owns it.

          nestbox --userns 3 --ro-bind / / id 3</proc/PID/ns/user
      """
    case .binds:
      """
      The sandbox begins with an empty root. A bind shows a file or directory of the host in it,
      with everything mounted below. nestbox looks up SRC on the host, and DEST in the sandbox as it
      is at this point: it carries options out in order, and a later one can cover an earlier one. It
      follows a symbolic link in DEST, absolute or relative, inside the sandbox, never to the host.

      If DEST is missing, nestbox makes it: an empty file for a file, otherwise a directory, with
      parent directories of mode 0755. In a writable bind they stay on the host afterwards.
      Set-user-ID bits have no effect in a bind, and device files work only in a --dev-bind.
      """
    case .filesystem:
      """
      These options make mounts, files, directories and links in the sandbox, in order with binds and
      overlays. Missing parent directories are made with mode 0755.
      """
    case .overlays:
      """
      An overlay shows several directories of the host as one: a file in an upper layer hides the
      file of the same name below. Name the layers with --overlay-src, the bottom one first, and then
      say where to show them with one of the last three options. The overlay is mounted with
      userxattr; see the kernel's documentation of overlayfs.
      """
    case .process:
      """
      What the command finds when it starts. It inherits the caller's environment, umask and open
      descriptors, except the descriptors that options name.
      """
    case .security:
      """
      The command can never gain privileges by executing a program (no_new_privs), under any options.
      These options say what else it may do.
      """
    case .network:
      """
      With these options any command reaches only what rules name, and needs no proxy settings.
      nestbox answers its look-ups with addresses that lead to a process outside, which decides by the
      name, looks that up itself, and connects. A connection seems to succeed at once; it is reset if
      the host does not answer, or if a rule refuses it. At the end nestbox reports what the rules
      refused, and, if the command failed, which names the host's name servers did not find out.

      A name means a server, not what it serves: hosts of a large network often serve other names
      too, to a command that asks for them. nestbox reads the host's hosts file and name servers once,
      at the start.
      """
    case .buses:
      """
      The command sees a bus through a proxy that allows only what these options say. Without them it
      sees no bus, unless another option binds the bus's socket. They need the program
      xdg-dbus-proxy.
      """
    case .lifetime:
      """
      The launcher waits for the command and exits with its status, unless --exec makes it the
      command. It passes on SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 and SIGCONT.
      """
    case .limits:
      """
      These options limit what the command and everything that it starts may use, and report what it
      used. If this machine cannot enforce a limit, nestbox fails before the command starts; options
      that end in -try then do without the limit.
      """
    case .running:
      """
      These options report on running sandboxes, made by any program. nestbox finds them by their
      namespaces: a sandbox is processes of this user in namespaces other than the caller's.
      """
    case .review:
      """
      A command may write where it likes in a directory, and the directory stays as it is: the changes
      go to a layer in a store of yours, $XDG_STATE_HOME/nestbox/reviews, until you apply or discard
      them. The layer is an overlay (see the kernel's documentation of overlayfs) for which the file
      system of the store must keep extended attributes, as ext4, xfs and btrfs do.
      """
    case .monitoring:
      """
      For programs that start a sandbox. Each descriptor must be open in the launcher, and only the
      launcher uses it.
      """
    }
  }

  private static var profileText: String {
    """
    A profile is a text with one option and its operands on each line. A word that begins with #
    begins a comment. Double quotes keep blanks in a word; inside them a backslash precedes another
    backslash, a double quote, $, }, n (for a new line) or t (for a tab).

    `${NAME}` means the value of an environment variable, and `${NAME:-TEXT}` means TEXT if the
    variable is unset or empty; without TEXT, an unset variable is an error. A value always stays
    one word. nestbox sets these names itself:

    """ + ProfileVariable.allCases.map { "\n* `\($0.rawValue)` -- \($0.meaning)" }.joined() + """


      nestbox looks for a profile NAME as NAME.profile in $XDG_CONFIG_HOME/nestbox/profiles (or in
      ~/.config/nestbox/profiles), then in /etc/nestbox/profiles, then among the built-in profiles. A
      profile with a built-in's name overrides it; inside it, that name means the built-in. Profiles
      may include others; each is applied once, where it is named first.

      A command line with neither a profile nor an option about files gets the profile `untrusted`,
      and the other options refine it.
      """
  }
}
