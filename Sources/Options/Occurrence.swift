// SPDX-License-Identifier: Apache-2.0
// An option as it was typed, and the meaning of its words.

internal import Linux
public import Sandbox
internal import SystemPackage
internal import Text

/// An option and the words after it.
public struct Occurrence: Sendable {
  /// The option's name.
  public let name: String
  /// Where it was written.
  public let origin: Origin
  /// The words after it.
  let words: ArraySlice<ByteString>

  /// Whether it is a line of a profile.
  var isOfProfile: Bool {
    if case .profile = origin { true } else { false }
  }

  /// The option, for a setting that keeps it.
  var option: WrittenOption { WrittenOption(name, at: origin) }

  /// `value`, as this option sets it.
  func setting<Value>(_ value: Value) -> Setting<Value> { Setting(value, option) }

  /// The word at `index`, as it is.
  func text(_ index: Int) -> ByteString { words[words.startIndex + index] }

  /// The review that it names; nil where its name was left out.
  var review: ByteString? { words.first }

  /// The word at `index` as a path.
  func path(_ index: Int) -> FilePath { text(index).path }

  /// The word at `index` as a file or directory of nestbox's own, which the command does not get.
  ///
  /// If it begins with a dash, an option was meant, and the name was forgotten.
  func ownFile(_ index: Int) throws(UsageError) -> ByteString {
    let file = text(index)
    guard file.bytes.first == UInt8(ascii: "-") else { return file }
    throw UsageError(
      "the name of the file is missing before \(file.quoted); for a file of that name: \(name) "
        + ByteString("./").appending(file).quotedForShell)
  }

  /// The word at `index` as the number of a descriptor.
  func descriptor(_ index: Int) throws(UsageError) -> CInt {
    try number(
      index, in: 0...CInt.max, "the number of a descriptor",
      bubblewrap: "Invalid fd: " + text(index).quoted)
  }

  /// The word at `index` as the number of a descriptor to which nestbox writes.
  func output(_ index: Int) throws(UsageError) -> CInt {
    do throws(UsageError) {
      return try descriptor(index)
    } catch {
      let file = text(index)
      if file.isEmpty || file.bytes.first == UInt8(ascii: "-") { throw error }
      throw UsageError(
        error.message + "; to write a file: \(name) 3 COMMAND 3>\(file.quotedForShell)",
        bubblewrap: error.message(asBubblewrap: true))
    }
  }

  /// The word at `index` as a user or group id.
  func identifier(_ index: Int) throws(UsageError) -> UInt32 {
    // The largest means "none" to the kernel.
    try number(
      index, in: 0...UInt32.max - 1, "a number from 0 to 4294967294",
      bubblewrap: "Invalid \(name.dropFirst(2)): \(text(index).quoted)")
  }

  /// The word at `index` as a size in bytes.
  func size(_ index: Int) throws(UsageError) -> UInt64 {
    do throws(UsageError) {
      return try number(
        index, in: 1...UInt64(Int64.max), "a number of bytes, at least 1",
        bubblewrap: "\(name) takes a non-zero number of bytes")
    } catch {
      guard let bytes = Occurrence.bytes(text(index).text) else { throw error }
      throw UsageError(
        error.message + "; write \(String(bytes))", bubblewrap: error.message(asBubblewrap: true))
    }
  }

  /// The number of bytes of a size with a unit, such as `16M` or `1GiB`.
  private static func bytes(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let shifts = ["K": 10, "M": 20, "G": 30, "T": 40]
    guard let number = Int64(digits), let unit = text.dropFirst(digits.count).first,
      let shift = shifts[unit.uppercased()],
      ["", "b", "ib"].contains(text.dropFirst(digits.count + 1).lowercased())
    else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
    return overflow || bytes < 1 ? nil : bytes
  }

  /// The word at `index` as a number of seconds, ahead or, with a sign, behind.
  func seconds(_ index: Int) throws(UsageError) -> Int64 {
    try number(index, in: -Int64(Int32.max)...Int64(Int32.max) * 4, "a number of seconds")
  }

  /// The word at `index` as permissions in octal.
  func permissions(_ index: Int) throws(UsageError) -> FilePermissions {
    let text = text(index)
    guard let value = CModeT(text.text, radix: 8), value <= 0o7777,
      text.bytes.first != UInt8(ascii: "+")
    else {
      throw UsageError(
        "expected an octal mode from 0 to 7777, found \(text.quoted)",
        bubblewrap: "\(name) takes an octal argument <= 07777")
    }
    return FilePermissions(rawValue: value)
  }

  /// The word at `index` as the name of an environment variable.
  func variable(_ index: Int) throws(UsageError) -> ByteString {
    let name = text(index)
    guard !name.isEmpty, !name.bytes.contains(UInt8(ascii: "=")) else {
      throw UsageError(
        "expected the name of a variable, found \(name.quoted)" + assignment(name),
        bubblewrap: "\(self.name.dropFirst(2)) failed")
    }
    return name
  }

  /// The remedy for `NAME=VALUE` where a name is expected; empty for other words.
  private func assignment(_ word: ByteString) -> String {
    let parts = word.bytes.split(
      separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { return "" }
    let (variable, value) = (ByteString(parts[0]), ByteString(parts[1]))
    return name == "--unsetenv"
      ? "; write --unsetenv \(variable.quotedForShell)"
      : "; write --setenv \(variable.quotedForShell) \(value.quotedForShell)"
  }

  /// The word at `index` as names of variables, separated by commas; each may end in a `*`.
  func variables(_ index: Int) throws(UsageError) -> [VariablePattern] {
    var patterns: [VariablePattern] = []
    for part in text(index).bytes.split(
      separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    {
      let isPrefix = part.last == UInt8(ascii: "*")
      let name = isPrefix ? part.dropLast() : part
      guard !name.isEmpty, !name.contains(UInt8(ascii: "=")), !name.contains(UInt8(ascii: "*"))
      else {
        throw UsageError(
          "expected the name of a variable, found \(ByteString(part).quoted)"
            + assignment(ByteString(part)))
      }
      patterns.append(VariablePattern(name: ByteString(name), isPrefix: isPrefix))
    }
    return patterns
  }

  /// The word at `index` as scopes of Landlock, separated by commas.
  func landlockScopes(_ index: Int) throws(UsageError) -> LandlockScopes {
    var scopes: LandlockScopes = []
    for part in text(index).bytes.split(
      separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    {
      switch ByteString(part).text {
      case "abstract-unix": scopes.insert(.abstractSockets)
      case "signal": scopes.insert(.signals)
      default:
        throw UsageError("expected abstract-unix or signal, found \(ByteString(part).quoted)")
      }
    }
    return scopes
  }

  /// The word at `index` as a path with the same meaning on the host and inside.
  func absolutePath(_ index: Int) throws(UsageError) -> FilePath {
    guard text(index).bytes.first == UInt8(ascii: "/") else {
      throw UsageError("expected a path that begins with /, found \(text(index).quoted)")
    }
    return path(index)
  }

  /// The word at `index` as a path that is not empty.
  func nonemptyPath(_ index: Int) throws(UsageError) -> FilePath {
    guard !text(index).isEmpty else { throw UsageError("the path is empty") }
    return path(index)
  }

  /// The word at `index` as capabilities: a name, or ALL.
  func capabilities(_ index: Int) throws(UsageError) -> Capabilities {
    let text = text(index)
    if text.text.uppercased() == "ALL" { return .all }
    guard let capability = Capabilities(named: text.text) else {
      throw UsageError(
        "expected a capability or ALL, found \(text.quoted)",
        bubblewrap: "unknown cap: \(text.quoted)")
    }
    return capability
  }

  /// The word at `index` as the name of something that --generate prints.
  func generated(_ index: Int) throws(UsageError) -> Generated {
    let text = text(index)
    if let kind = Generated(rawValue: text.text) { return kind }
    let near = Suggestion.matches(for: text.text, among: Generated.allCases.map(\.rawValue))
    throw UsageError("cannot generate \(text.quoted)" + Suggestion.question(near))
  }

  /// The word at `index` as a signal: a name, with or without SIG, or a number.
  func signal(_ index: Int) throws(UsageError) -> Signal {
    let text = text(index)
    let name = text.text.uppercased()
    if let signal = Signal(named: name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name) {
      return signal
    }
    let near = Suggestion.matches(for: name, among: Signal.names.map(\.0))
    throw UsageError(
      "\(text.quoted) is not the name or number of a signal" + Suggestion.question(near))
  }

  private func number<Number: FixedWidthInteger>(
    _ index: Int, in range: ClosedRange<Number>, _ expected: String,
    bubblewrap: @autoclosure () -> String? = nil
  ) throws(UsageError) -> Number {
    let text = text(index)
    guard let value = Number(text.text), range.contains(value),
      text.bytes.first != UInt8(ascii: "+")
    else {
      throw UsageError("expected \(expected), found \(text.quoted)", bubblewrap: bubblewrap())
    }
    return value
  }
}
