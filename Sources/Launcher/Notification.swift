// SPDX-License-Identifier: Apache-2.0
// Notifications of the desktop, for launches without a terminal.

internal import Linux
internal import Sandbox
internal import Text

/// Shows a text on the desktop by one of the usual programs.
enum DesktopNotification {
  /// The programs, in the order of preference, and the words that come before the text.
  private static let programs: [(name: ByteString, words: [ByteString])] = [
    ("notify-send", ["--app-name=nestbox", "--icon=dialog-error", "nestbox"]),
    ("kdialog", ["--title", "nestbox", "--passivepopup"]),
    ("zenity", ["--error", "--no-markup", "--title=nestbox", "--text"]),
    ("xmessage", ["-timeout", "20"]),
  ]

  /// Shows `text`, if there is a program for that; does not wait for a person.
  static func show(_ text: String, _ environment: [ByteString]) {
    let path = environment.lazy.compactMap { string -> ByteString? in
      string.bytes.starts(with: "PATH=".utf8) ? ByteString(string.bytes.dropFirst(5)) : nil
    }.first
    for (name, words) in programs {
      guard let file = try? ProgramSearch.find(name, in: path) else { continue }
      // So that the program does not take a text that begins with a dash for an option.
      let arguments = [name] + words + [ByteString("Can't start: " + text)]
      _ = try? ChildProcess.startSharingMemory {
        _ = CurrentProcess.execute(file, arguments: arguments, environment: environment)
        CurrentProcess.exit(127)
      }
      return
    }
  }
}
