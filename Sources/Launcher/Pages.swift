// SPDX-License-Identifier: Apache-2.0
// Help texts.

internal import Linux
internal import Options
internal import Sandbox
internal import Text

extension Launcher {
  /// The text for --help.
  func help(on word: ByteString?) throws(UsageError) -> String {
    // bubblewrap ignores every word after --help.
    guard let word, !persona.isBubblewrap else { return Help.page(persona.program.quoted) }
    guard let topic = Topic(word) else {
      let near = Suggestion.matches(for: word.text, among: Topic.names)
      throw UsageError("--help: there is nothing on \(word.quoted)" + Suggestion.question(near))
    }
    return Help.page(on: topic)
  }
}
