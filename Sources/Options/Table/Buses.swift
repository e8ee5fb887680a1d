// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let buses: [Option] = [
    Option(
      "--dbus-session", in: .buses, "Show the session bus, filtered",
      "Starts xdg-dbus-proxy(1) before the command; it ends with the sandbox. The command can talk "
        + "to the bus itself, and to other names as the options below allow; each of them implies "
        + "this option. nestbox covers the bus's own socket at its address and at its usual place, "
        + "and puts the proxy's socket there, or else at /run/user/UID/bus. "
        + "DBUS_SESSION_BUS_ADDRESS names the proxy's socket."
    ) { (draft, typed) throws(UsageError) in draft.show(\.session, typed) },
    rule("--dbus-see", \.session, .see, "Show NAME on the session bus", nameText),
    rule("--dbus-talk", \.session, .talk, "Allow calls to NAME and its signals", nameText),
    rule(
      "--dbus-own", \.session, .own, "Allow the command to own NAME on the session bus", nameText),
    rule("--dbus-call", \.session, .call, "Allow calls of some methods of a name", callText),
    rule(
      "--dbus-broadcast", \.session, .broadcast, "Allow some signals of a name", callText),
    Option(
      "--dbus-system", in: .buses, "Show the system bus, filtered",
      "As --dbus-session, for the system bus. Its place is /run/dbus/system_bus_socket, its "
        + "variable DBUS_SYSTEM_BUS_ADDRESS."
    ) { (draft, typed) throws(UsageError) in draft.show(\.system, typed) },
    rule("--dbus-system-see", \.system, .see, "As --dbus-see, on the system bus", nameText),
    rule("--dbus-system-talk", \.system, .talk, "As --dbus-talk, on the system bus", nameText),
    rule("--dbus-system-own", \.system, .own, "As --dbus-own, on the system bus", nameText),
    rule("--dbus-system-call", \.system, .call, "As --dbus-call, on the system bus", callText),
    rule(
      "--dbus-system-broadcast", \.system, .broadcast, "As --dbus-broadcast, on the system bus",
      callText),
    Option(
      "--dbus-try", in: .buses, "Start without a bus that is missing or cannot be filtered",
      """
      The command then gets no address for that bus. If xdg-dbus-proxy is not installed, nestbox
      warns.
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.buses.optional = typed.option },
  ]

  private static let nameText =
    "A name that ends in .* means the name before it and all names below that."
  private static let callText =
    "RULE is NAME=METHOD, NAME=METHOD@PATH or NAME=@PATH. METHOD is an interface, a dot and a "
    + "member; an interface and .* for all of its members; or * for everything. PATH is the path of "
    + "an object; with /* at its end it includes all objects below."

  private static func rule(
    _ name: String, _ bus: any WritableKeyPath<Buses, BusAccess?> & Sendable,
    _ policy: BusRule.Policy, _ summary: String, _ discussion: String = ""
  ) -> Option {
    let isForMessages = policy == .call || policy == .broadcast
    return Option(
      name, [isForMessages ? .rule : .busName], in: .buses, summary, discussion
    ) { (draft, typed) throws(UsageError) in
      let pattern = isForMessages ? try typed.busRule(0) : try typed.busName(0)
      draft.show(bus, typed)
      draft.sandbox.buses[keyPath: bus]?.rules.append(BusRule(policy, pattern))
    }
  }
}

extension Draft {
  fileprivate mutating func show(_ bus: WritableKeyPath<Buses, BusAccess?>, _ typed: Occurrence) {
    if sandbox.buses[keyPath: bus] == nil {
      sandbox.buses[keyPath: bus] = BusAccess(option: typed.option)
    }
  }
}

// MARK: - Names

extension Occurrence {
  /// The word at `index` as a name on a bus, or a group of names.
  ///
  /// Checked here, as the proxy could take a malformed name to allow more or less than was meant.
  fileprivate func busName(_ index: Int) throws(UsageError) -> ByteString {
    let word = text(index)
    guard BusText.isName(word.bytes) else {
      throw UsageError("expected a name on a bus, such as org.example.Name, found \(word.quoted)")
    }
    return word
  }

  /// The word at `index` as a name on a bus and a rule for its messages.
  fileprivate func busRule(_ index: Int) throws(UsageError) -> ByteString {
    let word = text(index)
    let parts = word.bytes.split(
      separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, BusText.isName(parts[0]), BusText.isRule(parts[1]) else {
      throw UsageError(
        "expected a rule such as org.example.Name=org.example.Interface.*@/path, found "
          + word.quoted)
    }
    return word
  }
}

/// The forms of names in the D-Bus specification.
private enum BusText {
  /// Whether it is a well-known name, or one that ends in `.*`.
  static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
    let isGroup = bytes.suffix(2).elementsEqual(".*".utf8)
    return isDotted(isGroup ? bytes.dropLast(2) : bytes, least: 2) {
      isWord($0) || $0 == UInt8(ascii: "-")
    }
  }

  /// Whether it is `METHOD`, `METHOD@PATH` or `@PATH`.
  static func isRule(_ bytes: ArraySlice<UInt8>) -> Bool {
    let parts = bytes.split(
      separator: UInt8(ascii: "@"), maxSplits: 1, omittingEmptySubsequences: false)
    let (method, path) = (parts[0], parts.count == 2 ? parts[1] : nil)
    guard method.isEmpty ? path != nil : isMethod(method) else { return false }
    return path.map(isPath) ?? true
  }

  private static func isMethod(_ bytes: ArraySlice<UInt8>) -> Bool {
    if bytes.elementsEqual("*".utf8) { return true }
    // An interface has two parts itself.
    let isInterface = bytes.suffix(2).elementsEqual(".*".utf8)
    return isDotted(isInterface ? bytes.dropLast(2) : bytes, least: isInterface ? 2 : 3, isWord)
  }

  private static func isPath(_ bytes: ArraySlice<UInt8>) -> Bool {
    let path = bytes.suffix(2).elementsEqual("/*".utf8) ? bytes.dropLast(2) : bytes
    if path.isEmpty || path.elementsEqual("/".utf8) { return !bytes.isEmpty }
    guard path.first == UInt8(ascii: "/") else { return false }
    return path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .allSatisfy { !$0.isEmpty && $0.allSatisfy(isWord) }
  }

  /// Whether it consists of `least` parts or more with dots between them.
  private static func isDotted(
    _ bytes: ArraySlice<UInt8>, least: Int, _ isAllowed: (UInt8) -> Bool
  ) -> Bool {
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard bytes.count <= 255, parts.count >= least else { return false }
    return parts.allSatisfy { part in
      guard let first = part.first, !isDigit(first) else { return false }
      return part.allSatisfy(isAllowed)
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "_")
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
