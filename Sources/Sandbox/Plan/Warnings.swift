// SPDX-License-Identifier: Apache-2.0
// A table of what undoes a sandbox although every option is correct.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

/// Something that undoes the sandbox.
struct Warning {
  /// A name for programs.
  let name: String
  /// What it is and what helps.
  let text: String

  var json: JSON { .object([.init("name", .string(name)), .init("text", .string(text))]) }
}

extension Plan {
  /// What undoes the sandbox.
  var warnings: [Warning] {
    Hazard.all.flatMap { hazard in
      hazard.look(self).map { Warning(name: hazard.name, text: $0) }
    }
  }
}

/// A way to undo a sandbox: how to detect it, and the warning.
private struct Hazard {
  let name: String
  /// Returns a sentence for each finding.
  let look: @Sendable (Plan) -> [String]

  static let all: [Hazard] =
    [
      Hazard(name: "root-writable") { plan in
        plan.writableBind(showing: "/").map {
          [
            "\($0) shows the whole host writable: use --ro-bind / /, and --bind for directories "
              + "to write to"
          ]
        } ?? []
      },
      Hazard(name: "home-writable") { plan in
        guard let home = plan.home, plan.writableBind(showing: "/") == nil,
          let option = plan.writableBind(showing: home)
        else { return [] }
        return [
          "\(option) shows the home directory \(plan.quoted(home)) writable: the command can change "
            + "start-up files, which are executed later, outside"
        ]
      },
      Hazard(name: "secrets-visible") { plan in
        let names = plan.privateFiles
        guard !names.isEmpty else { return [] }
        return [
          "the command can read private files: \(names.joined(separator: ", ")); --mask or --hide "
            + "hides them"
        ]
      },
    ] + sockets + [
      Hazard(name: "x11") { $0.x11 },
      Hazard(name: "environment-secret") { plan in
        let names = plan.secretVariables
        guard !names.isEmpty else { return [] }
        return [
          "variables that look like secrets reach the command: \(names.joined(separator: ", ")); "
            + "--unsetenv or --clearenv removes them"
        ]
      },
      Hazard(name: "terminal-input") { plan in
        guard plan.caller.terminal != nil, plan.caller.allowsInput, !plan.sandbox.hasOwnSession,
          plan.resolved.terminals.isEmpty,
          plan.sandbox.filters.isEmpty, plan.sandbox.policy == nil
        else { return [] }
        return [
          "the command may push characters into the terminal, which the caller's shell executes "
            + "(TIOCSTI): --new-session prevents it, or the sysctl dev.tty.legacy_tiocsti=0"
        ]
      },
      Hazard(name: "network-shared") { plan in
        guard plan.reachesAbstractSockets, !plan.caller.abstractSockets.isEmpty else { return [] }
        let names = plan.caller.abstractSockets.prefix(3).joined(separator: ", ")
        return [
          "the command shares the network, and with it \(String(plan.caller.abstractSockets.count)) "
            + "abstract sockets (\(names)): --unshare-net closes them to it"
        ]
      },
      Hazard(name: "network-wide") { plan in
        // One line for all rules with *.
        let rules = plan.sandbox.network.allowed
        let widest =
          rules.last { $0.value.target == .everything && $0.value.ports.isEmpty }
          ?? rules.last { $0.value.target == .everything }
        return plan.sandbox.network.allowed.compactMap { setting in
          switch setting.value.target {
          case .everything where setting == widest:
            "\(setting.option.name) \(setting.value.text.quotedForShell) lets the command send to "
              + "any host of the internet what it can read: name the hosts that it needs"
          case .below(let name) where name.isOpenToAll:
            "\(setting.option.name) \(setting.value.text.quotedForShell) covers names that anybody "
              + "can register: name the hosts that the command needs"
          case .name(let name) where name.isOnSharedServers,
            .below(let name) where name.isOnSharedServers:
            "\(setting.option.name) \(setting.value.text.quotedForShell) leads to servers that many sites "
              + "share: the command can ask them for other sites, and send those what it can read"
          default: nil
          }
        }
      },
      Hazard(name: "port-public") { plan in
        plan.sandbox.network.published.compactMap { setting in
          setting.value.isLocal
            ? nil
            : "\(setting.option.name) \(setting.value.text) lets other machines connect to the command: "
              + "without an address only programs of this machine can"
        }
      },
      Hazard(name: "processes-shared") { plan in
        guard !plan.namespaces.contains(.pid), plan.sandbox.joined.pid == nil else { return [] }
        return ["the command can signal your other processes: --unshare-pid prevents it"]
      },
      Hazard(name: "ssh-settings") { plan in
        guard let file = plan.rejectedSSHFile else { return [] }
        return [
          "\(plan.quoted(file)) belongs to root, which is the user nobody inside, and ssh refuses settings "
            + "of other users: --tmpfs \(plan.quoted(file.removingLastComponent())) hides them"
        ]
      },
      Hazard(name: "later-mounts") { plan in
        guard plan.sandbox.followsMounts else { return [] }
        return [
          "the command can write to what the host later mounts below a read-only bind (--follow-mounts)"
        ]
      },
      Hazard(name: "descriptor-passed") { plan in
        plan.passedDescriptors.filter(\.isDirectory).map {
          "descriptor \(String($0.number)) gives the command everything below \(plan.quoted($0.path)): close "
            + "it before the launch, or use --close-fds"
        }
      },
    ]
}

// MARK: - Sockets

extension Hazard {
  fileprivate static let sockets = PowerfulSocket.all.map { socket in
    Hazard(name: socket.name) { plan in
      for place in socket.places {
        guard let path = plan.path(place), let inside = plan.visible(path) else { continue }
        return ["\(plan.quoted(inside)) is visible: \(socket.sentence)"]
      }
      return []
    }
  }
}

/// A socket through which a program acts as its user, or as root.
struct PowerfulSocket {
  let name: String
  /// Where it may be.
  ///
  /// `RUNTIME` and `HOME` stand for those directories, other names for a variable that holds a path or
  /// a D-Bus address.
  let places: [String]
  /// What a program can do with it.
  let sentence: String

  private init(_ name: String, _ places: [String], _ sentence: String) {
    (self.name, self.places, self.sentence) = (name, places, sentence)
  }

  static let all: [PowerfulSocket] = [
    PowerfulSocket("docker-socket", ["/run/docker.sock", "RUNTIME/docker.sock"], engine),
    PowerfulSocket(
      "containerd-socket",
      ["/run/containerd/containerd.sock", "RUNTIME/containerd/containerd.sock"],
      engine),
    PowerfulSocket(
      "podman-socket", ["/run/podman/podman.sock", "RUNTIME/podman/podman.sock"], engine),
    PowerfulSocket("crio-socket", ["/run/crio/crio.sock"], engine),
    PowerfulSocket(
      "libvirt-socket", ["/run/libvirt/libvirt-sock", "RUNTIME/libvirt/libvirt-sock"], engine),
    PowerfulSocket(
      "session-bus", ["DBUS_SESSION_BUS_ADDRESS", "RUNTIME/bus"],
      "the session bus is not filtered, so the command can start programs outside; "
        + "--dbus-session filters it"),
    PowerfulSocket(
      "system-bus", ["/run/dbus/system_bus_socket"],
      "the system bus is not filtered; --dbus-system filters it"),
    PowerfulSocket(
      "systemd-socket", ["RUNTIME/systemd/private"],
      "the command can make the user's systemd start programs outside"),
    PowerfulSocket("ssh-agent", ["SSH_AUTH_SOCK"], "the SSH agent signs for the command"),
    PowerfulSocket(
      "gpg-agent", ["RUNTIME/gnupg/S.gpg-agent", "HOME/.gnupg/S.gpg-agent"],
      "the GPG agent signs and decrypts for the command"),
    PowerfulSocket(
      "keyring", ["RUNTIME/keyring/control"], "the keyring gives its secrets to the command"),
  ]

  private static let engine = "a client gets its owner's rights outside"
}

extension Plan {
  /// The directory that HOME names for the caller.
  var home: FilePath? { variable("HOME")?.path }

  private func variable(_ name: ByteString) -> ByteString? {
    Environment(resolved.inherited, []).value(of: name)
  }

  /// The path that a place of the table stands for.
  func path(_ place: String) -> FilePath? {
    if place.hasPrefix("/") { return FilePath(place) }
    if place.hasPrefix("RUNTIME/") {
      let directory =
        variable("XDG_RUNTIME_DIR")?.path
        ?? FilePath("/run/user/" + String(resolved.identity.user))
      return directory.pushing(FilePath(String(place.dropFirst(8))))
    }
    if place.hasPrefix("HOME/") { return home?.pushing(FilePath(String(place.dropFirst(5)))) }
    guard let value = variable(ByteString(place)) else { return nil }
    let address = value.text
    guard address.hasPrefix("unix:path=") else { return address.hasPrefix("/") ? value.path : nil }
    return FilePath(String(address.dropFirst(10).prefix { $0 != "," && $0 != ";" }))
  }

  /// Where the file `path` of the host can be reached inside.
  func visible(_ path: FilePath) -> FilePath? { places(showing: path).first?.path }

  /// The places inside that show the file `path` of the host; what an overlay shows is a copy to
  /// writers and to those who connect to sockets.
  private func places(
    showing path: FilePath, throughOverlays: Bool = false
  ) -> [RootModel.Trail] {
    guard let found = try? root.host.follow(path) else { return [] }
    var places: [RootModel.Trail] = []
    for mount in root.mounts where !mount.isLost && mount.bind == nil {
      let sources: [FilePath] =
        switch mount.content {
        case .host(let source): [source]
        case .layers(let layers) where throughOverlays: layers
        default: []
        }
      for source in sources where found.path.starts(with: source) {
        guard let place = mount.place else { continue }
        let inside = place.appending(found.path.components.dropFirst(source.components.count))
        if let trail = root.find(inside), root.hostPath(of: trail.end) == found.path {
          places.append(trail)
        }
      }
    }
    return places
  }

  /// The option of a bind that shows the directory `path` of the host writable.
  fileprivate func writableBind(showing path: FilePath) -> String? {
    for place in places(showing: path) {
      let mount = root.mounts[root.decidingMount(at: place.end)]
      if !mount.isReadOnly, let operation = mount.operation {
        return operations[operation].operation.option.name
      }
    }
    return nil
  }

  /// Files with keys and passwords that are visible inside.
  fileprivate var privateFiles: [String] {
    guard let home else { return [] }
    return SecretFiles.paths(in: home, resolved.inherited).filter {
      !places(showing: $0, throughOverlays: true).isEmpty
    }.map { quoted($0) }
  }

  /// A visible file of settings that ssh refuses because of its owner, if the command may call ssh.
  ///
  /// Of the system's settings ssh checks the owners of included files alone. See ssh_config(5).
  fileprivate var rejectedSSHFile: FilePath? {
    guard namespaces.contains(.user), resolved.identity.user != 0,
      let command = sandbox.command.first,
      let name = command.bytes.split(separator: UInt8(ascii: "/")).last,
      ["ssh", "scp", "sftp", "rsync", "git", "sshfs", "mosh"].contains(where: {
        name.elementsEqual($0.utf8)
      })
    else { return nil }
    let directory = FilePath("/etc/ssh/ssh_config.d")
    return root.host.names(in: directory).lazy.map { directory.appending($0) }
      .first { $0.extension == "conf" && visible($0) == $0 }
  }

  /// The names of variables of the command that look like secrets.
  fileprivate var secretVariables: [String] {
    environment.names.filter { name in
      environment.value(of: name).map { Secrets.isLikely(name, $0) } ?? false
    }.map(\.quoted)
  }

  /// Ways to the X server, which lets each client read and type into the others.
  fileprivate var x11: [String] {
    let names = ((try? Directory.names(of: "/tmp/.X11-unix")) ?? []).map(\.path)
    let sockets = names.map { FilePath("/tmp/.X11-unix").pushing($0) }
    let what = "an X11 client can read the keys and windows of all others; a nested server, "
    if let inside = sockets.lazy.compactMap({ visible($0) }).first {
      return ["\(quoted(inside)) is visible: \(what)such as Xephyr, keeps them apart"]
    }
    if reachesAbstractSockets,
      let name = caller.abstractSockets.first(where: { $0.hasPrefix("@/tmp/.X11-unix/") })
    {
      return ["\(name) can be reached over the shared network: \(what)or --unshare-net helps"]
    }
    return []
  }
}
