// SPDX-License-Identifier: Apache-2.0
// The names of the completed steps of a launch, for --verbose.

internal import Linux
internal import SystemPackage
internal import Text

extension LaunchError.Action {
  /// Whether it gets a line: not internal steps, steps from which two processes return, or steps
  /// reported before they are done.
  var isStep: Bool {
    switch self {
    case .prepare, .supervise, .createProcess, .installFilter, .passDescriptor, .findSource,
      .readSource, .watch:
      false
    default: true
    }
  }

  /// The step in words: what is done, for which option, to what.
  func step(_ option: WrittenOption?, _ subject: ByteString?) -> String {
    let what =
      switch self {
      case .createNamespaces: "make the namespaces"
      case .writeIdentityMap: "write the id maps"
      case .loopback: "bring lo up"
      default: sentence.hasPrefix("Can't ") ? String(sentence.dropFirst(6)) : sentence
      }
    let name = subject.map { " " + $0.quoted } ?? ""
    return what + name + (option.map { " (\($0.name))" } ?? "")
  }
}

extension FilesystemOperation {
  /// The operation as it was written, and where.
  var step: String {
    var words = [option.name]
    if let source = action.source { words.append(ByteString(source).quoted) }
    if let descriptor { words.append(String(descriptor)) }
    words.append(ByteString(action.destination).quoted)
    return words.joined(separator: " ") + (option.origin.location.map { " (\($0))" } ?? "")
  }
}

extension Namespaces {
  /// The names of the kinds, or none.
  var list: String {
    let names = Namespaces.names.filter { contains($0.namespace) }.map(\.name)
    return names.isEmpty ? "none" : names.joined(separator: ", ")
  }
}
