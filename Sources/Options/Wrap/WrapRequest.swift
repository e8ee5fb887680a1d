// SPDX-License-Identifier: Apache-2.0
// The request in a command line with --wrap.

internal import Linux
internal import Running
public import Sandbox
public import Text

/// A wrapper script to write, and its contents.
public struct WrapRequest: Equatable, Sendable {
  /// The program, by its name or its path.
  public private(set) var program: ByteString = ""
  /// Where the script goes; nil for standard output.
  public private(set) var output: ByteString?
  /// Where the menu entry goes, if requested; empty for the user's directory of entries.
  public private(set) var desktopFile: ByteString?
  /// Whether to replace files that --wrap has not written.
  public private(set) var overwrites = false
  /// The other options, each with its operands, as they were typed.
  public private(set) var options: [[ByteString]] = []

  /// Whether an option says how the wrapper shows files that its arguments name.
  public var showsArguments: Bool {
    options.contains { $0 == ["--read-arguments"] || $0 == ["--write-arguments"] }
  }

  /// Sorts the words of a command line: all but a few go into the wrapper.
  public init(_ words: [ByteString], _ surroundings: Surroundings) throws(UsageError) {
    var rest = words[...]
    while let word = rest.first, word.bytes.first == UInt8(ascii: "-"), word != "--" {
      guard let option = Option.named(word) else {
        // Parsing the words as a sandbox gives a better message.
        options.append([word])
        rest = rest.dropFirst()
        continue
      }
      var operands = rest.dropFirst().prefix(option.operands.count)
      if option.traits.contains(.lastIsOptional), operands.last?.bytes.first == UInt8(ascii: "-") {
        operands = operands.dropLast()
      }
      rest = rest.dropFirst(1 + operands.count)
      try take(option, operands, surroundings)
    }
    if rest.first == "--" { rest = rest.dropFirst() }
    if let word = rest.first {
      throw UsageError(
        "--wrap: unexpected argument \(word.quoted); the wrapper passes on its own arguments")
    }
    if options.contains(["--single"]), !options.contains(where: { $0.first == "--name" }) {
      let name = program.baseName
      guard SandboxName.isValid(name) else {
        throw UsageError(
          "--single: \(name.quoted) cannot be the name of a sandbox; add --name NAME")
      }
      options.insert(["--name", name], at: 0)
    }
    if desktopFile != nil && output == nil {
      throw UsageError(
        "--desktop-file needs --output, because the entry starts that file; add --output "
          + "~/.local/bin/")
    }
  }

  private mutating func take(
    _ option: Option, _ operands: ArraySlice<ByteString>, _ surroundings: Surroundings
  ) throws(UsageError) {
    switch option.name {
    case "--wrap":
      guard program.isEmpty else { throw UsageError("--wrap: may be given only once") }
      program = try WrapRequest.operand(of: option, operands)
    case "--output": output = try WrapRequest.operand(of: option, operands)
    case "--desktop-file": desktopFile = operands.first ?? ""
    case "--overwrite": overwrites = true
    default:
      if option.operands.contains(where: { $0.kind == .descriptor }) {
        throw UsageError("\(option.name): a wrapper has no open descriptors to name")
      }
      options.append([ByteString(option.name)] + operands)
      // A relative path refers to this directory, but the wrapper may start in another.
      if option.name == "--profile", let name = operands.first,
        name.bytes.contains(UInt8(ascii: "/")), let path = surroundings.absolute(name)
      {
        options[options.count - 1] = ["--profile", path]
      }
    }
  }

  /// The operand of an option; another option does not count as one.
  private static func operand(
    of option: Option, _ operands: ArraySlice<ByteString>
  ) throws(UsageError) -> ByteString {
    guard let operand = operands.first, !operand.isEmpty,
      operand.bytes.first != UInt8(ascii: "-")
    else { throw UsageError("\(option.name): \(option.operands[0].name) is missing") }
    return operand
  }
}
