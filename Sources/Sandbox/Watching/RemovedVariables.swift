// SPDX-License-Identifier: Apache-2.0
// The last lines of --explain. They name the caller's variables that a command which failed did not get. If there is
// nothing to name, they say that the sandbox kept nothing from the command.
//
// The launcher makes these lines and not the watcher, because the watcher does not learn how the command ended.

internal import Linux
internal import SystemPackage
internal import Text

extension ResolvedSandbox {
  /// What the sandbox kept from a command that has ended, in lines to print, if somebody asked.
  /// - Parameters:
  ///   - ending: How it ended.
  ///   - isExplained: Whether the reason for that has been told already.
  /// - Returns: The lines.
  public func report(of ending: Ending, isExplained: Bool) -> [String] {
    // After a run that succeeds, --learn writes all this into FILE. A run that a signal or a limit ended has not
    // failed for a lack of anything.
    if sandbox.learning == .profile, !hasFailed(ending), ending.termination != .exited(1) {
      return []
    }
    var lines = ending.explanation
    if sandbox.explainsInJSON, sandbox.learning == nil, sandbox.network.option != nil,
      let line = lines.popLast()
    {
      // The watcher does not learn what the relay refuses.
      lines.append(JSON.adding(ending.refusedMember, to: line))
    }
    guard sandbox.explain != nil, sandbox.learning.map({ $0 == .profile }) != false,
      !sandbox.explainsInJSON, !ending.lacksReport
    else { return lines }
    // For --explain, the watcher counts the calls only if nothing else is a likely cause.
    let hasCause = sandbox.learning != nil && !lines.isEmpty
    let calls = hasCause ? nil : ending.learned.first { $0.kind == .calls }?.subject.text
    if hasFailed(ending), !isExplained {
      // It looks at scripts, which may lie anywhere.
      lines += BoundedLook.lines {
        removedVariables(areOnlyCause: calls != nil)
      }
    }
    if lines.isEmpty, !isExplained, let calls {
      lines.append(
        "the sandbox kept nothing that the command asked for (\(calls) "
          + (calls == "1" ? "call was watched)" : "calls were watched)"))
    }
    return lines
  }

  /// How many variables are named.
  private static let mostNames = 8

  /// Sentences about variables of the caller that the command did not get; where something else is the
  /// likely cause, only of those that the command names.
  private func removedVariables(areOnlyCause: Bool) -> [String] {
    let given = environment
    let removed = Environment(inherited, []).names.filter {
      given.value(of: $0) == nil && $0.bytes.allSatisfy(\.isOfVariable)
        && Environment.value(of: $0, in: inherited)?.isEmpty == false
    }
    let words = namesInCommand
    let named = removed.filter { words.contains($0) }
    let candidates =
      named.isEmpty && areOnlyCause ? removed.filter { !Environment.isIdle($0) } : named
    var (kept, secret, session) = ([ByteString](), [ByteString](), [String]())
    for name in candidates {
      if let way = wayToSession(name) {
        session.append(name.text + " (" + way + ")")
      } else if Secrets.isLikely(name, Environment.value(of: name, in: inherited) ?? "") {
        secret.append(name)
      } else {
        kept.append(name)
      }
    }
    var lines: [String] = []
    if let list = ResolvedSandbox.list(kept) {
      let names = kept.prefix(ResolvedSandbox.mostNames).map(\.text).joined(separator: ",")
      lines.append("variables of yours that the command did not get: \(list): --keep-env \(names)")
    }
    if !session.isEmpty {
      lines.append(
        "variables of your session that the command did not get: "
          + session.joined(separator: ", "))
    }
    if let list = ResolvedSandbox.list(secret) {
      lines.append("variables that look secret, and that the command did not get: " + list)
    }
    return lines
  }

  /// The first of the names, and how many more there are.
  private static func list(_ names: [ByteString]) -> String? {
    if names.isEmpty { return nil }
    let more = names.count - mostNames
    return names.prefix(mostNames).map(\.text).joined(separator: ", ")
      + (more > 0 ? " and \(String(more)) more" : "")
  }

  /// What may be a variable's name in the words of the command, and in the files that the first of them
  /// name.
  private var namesInCommand: Set<ByteString> {
    var texts = sandbox.command.prefix(ArgumentWord.most).map { Array($0.bytes) }
    let files = sandbox.command.prefix(4).compactMap { word in
      ArgumentWord.path(word)?.fromWorkingDirectory(workingDirectory?.path)
    }
    for file in [plan().command.host].compactMap({ $0 }) + files {
      let start = (try? TextFile.beginning(of: file, 1 << 16)) ?? []
      if !start.contains(0) { texts.append(start) }
    }
    var names: Set<ByteString> = []
    for text in texts {
      for name in text.split(whereSeparator: { !$0.isOfVariable }) where name.count > 1 {
        names.insert(ByteString(name))
      }
    }
    return names
  }

  /// What leads to the part of the session that a variable names, or speaks against that; nil for other
  /// variables.
  private func wayToSession(_ name: ByteString) -> String? {
    guard sandbox.isFromProfile else { return nil }
    switch name {
    case "DISPLAY": return "--profile x11"
    case "WAYLAND_DISPLAY": return "--profile wayland"
    case "DBUS_SESSION_BUS_ADDRESS": return "--dbus-session"
    default: return PowerfulSocket.all.first { $0.places.contains(name.text) }?.sentence
    }
  }
}

extension Environment {
  /// Variables that say something of the terminal or the session, and their beginnings.
  private static let idle = (
    names: [
      "_", "SHLVL", "PWD", "OLDPWD", "MAIL", "LS_COLORS", "WINDOWID", "XAUTHORITY", "PS1",
      "SESSION_MANAGER", "INVOCATION_ID", "JOURNAL_STREAM", "MANAGERPID", "EDITOR", "PAGER",
      "VISUAL", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "SSH_AGENT_PID", "GPG_TTY",
      "GPG_AGENT_INFO",
    ],
    beginnings: [
      "XDG_", "LESS", "HIST", "GNOME_", "KDE_", "GTK_", "QT_", "VTE_", "TERM_", "BASH", "ZSH",
      "DESKTOP_", "SYSTEMD_", "SUDO_", "TMUX", "MEMORY_PRESSURE_",
    ]
  )

  /// Whether hardly any command fails for the lack of `name`.
  fileprivate static func isIdle(_ name: ByteString) -> Bool {
    idle.names.contains { name.bytes.elementsEqual($0.utf8) }
      || idle.beginnings.contains { name.bytes.starts(with: $0.utf8) }
  }
}

extension UInt8 {
  /// Whether names of variables usually have it, so that no message quotes them.
  fileprivate var isOfVariable: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
