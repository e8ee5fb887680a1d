// SPDX-License-Identifier: Apache-2.0
// The operations of a plan, a line each.

internal import Linux
internal import SystemPackage
internal import Text

extension Plan {
  /// The operations as a person reads them, numbered from 1.
  var fileLines: [String] {
    let options = operations.map { planned in
      let operation = planned.operation
      return switch operation.option.origin {
      case .commandLine: operation.option.name
      case .arguments: operation.option.name + " (--args)"
      case .profile: operation.option.name + " (\(operation.option.origin.location ?? ""))"
      }
    }
    let width = options.map(\.count).max() ?? 0
    let digits = String(operations.count).count
    var lines = ["an empty root in memory"]
    for index in operations.indices {
      let number = String(index + 1)
      let option = options[index]
      lines.append(
        String(repeating: " ", count: digits - number.count) + number + "  " + option
          + String(repeating: " ", count: width - option.count + 2) + description(of: index))
      guard index == failing, let diagnosis else { continue }
      lines += diagnosis.lines.map { String(repeating: " ", count: digits + 2) + $0 }
    }
    return lines
  }

  private func description(of index: Int) -> String {
    let planned = operations[index]
    var parts = [planned.operation.action.text(planned)]
    let below = root.mounts.count { $0.operation == index && $0.bind != nil }
    if below > 0 { parts.append("with \(String(below)) mounts below it") }
    if planned.isSkipped { parts.append("skipped, as this user finds nothing there") }
    if let problem = planned.problem {
      parts.append("WILL FAIL: \(quoted(problem.subject)): \(problem.errno.description)")
    }
    if let cover = planned.coveredBy { parts.append("covered by \(String(cover + 1))") }
    return parts.joined(separator: "; ")
  }
}

extension FilesystemOperation.Action {
  /// What the operation does, in words.
  fileprivate func text(_ planned: PlannedOperation) -> String {
    let place = place(planned)
    return switch self {
    case .bind(let source, _, let access, _):
      "\(quoted(source)) on \(place), \(access.text)"
    case .bindDescriptor(let number, _, let access):
      "descriptor \(String(number)) on \(place), \(access.text)"
    case .overlay(let overlay, _): "\(overlay.text) on \(place)"
    case .remountReadOnly: "\(place) becomes read-only"
    case .proc: "procfs on \(place)"
    case .dev: "devices in \(place)"
    case .tmpfs(_, let permissions, let size):
      "tmpfs on \(place), mode \(permissions.octal.text)"
        + (size.map { ", \(String($0)) bytes at most" } ?? "")
    case .mqueue: "message queues on \(place)"
    case .directory(_, let permissions): "directory \(place), mode \(permissions.octal.text)"
    case .file(let number, _, let permissions):
      "descriptor \(String(number)) copied to \(place), mode \(permissions.octal.text)"
    case .data(let number, _, let permissions, let access):
      "descriptor \(String(number)) copied to a file mounted on \(place), "
        + "mode \(permissions.octal.text), \(access.text)"
    case .text: "a text mounted on \(place), read-only"
    case .userFiles: "passwd and group in \(place) with the command's user only, read-only"
    case .hosts: "a hosts file with the sandbox's name mounted on \(place), read-only"
    case .repositories: "repositories in \(place) become read-only"
    case .hide(let pattern):
      if planned.isSkipped {
        quoted(destination)
      } else if let path = planned.place {
        "\(quoted(path)) is hidden"
      } else {
        "what matches \(pattern.text.quoted) is hidden"
      }
    case .commits: "the git repository of \(place) becomes writable, except its settings and hooks"
    case .mask: planned.isSkipped ? place : "\(place) is hidden"
    case .same: "\(place) as on the host, read-only"
    case .program:
      if let source = planned.source {
        "\(quoted(source.path)) on \(quoted(planned.place ?? source.path)), read-only"
      } else {
        "the program is visible already"
      }
    case .show(_, let access): "\(place), \(access.text)"
    case .review: "\(place), changes wait in a review"
    case .workingDirectory:
      planned.place.map { "directory \(quoted($0)), empty" }
        ?? "the working directory is left as it is"
    case .home(let path): "\(quoted(path)) on \(quoted(planned.place ?? path)), writable, kept"
    case .temporaryHome:
      "your home directory on \(quoted(planned.place ?? destination)) without secrets, changes are "
        + "discarded"
    case .kept(let path, _): "\(quoted(path)) on \(place), writable, kept"
    case .xServer:
      planned.isSkipped ? "the X server" : "the X server on \(place), with its cookie"
    case .arguments(let access): "the files that the arguments name, \(access.text)"
    case .symbolicLink(let target, _): "\(place) says \(target.quoted)"
    case .permissions(let permissions, _): "\(place) gets mode \(permissions.octal.text)"
    }
  }

  private func quoted(_ path: FilePath) -> String { ByteString(path).quoted }

  /// Where the destination leads, and the typed path if it differs.
  private func place(_ planned: PlannedOperation) -> String {
    guard let place = planned.place, place != destination else { return quoted(destination) }
    return "\(quoted(place)) (\(quoted(destination)))"
  }
}

extension FilesystemOperation.Access {
  /// The access, in words.
  var text: String {
    switch self {
    case .readOnly: "read-only"
    case .readWrite: "writable"
    case .devices: "writable, with devices"
    }
  }
}

extension Overlay {
  /// The layers, in words.
  fileprivate var text: String {
    let layers = sources.reversed().map { ByteString($0).quoted }.joined(separator: " over ")
    return switch writes {
    case .refused: "\(layers), read-only,"
    case .reviewed: "\(layers), changes wait in a review,"
    case .discarded: "\(layers), changes are discarded,"
    case .kept(let upper, let work):
      "\(ByteString(upper).quoted) over \(layers), changes are kept, with "
        + "\(ByteString(work).quoted) for work,"
    }
  }
}
